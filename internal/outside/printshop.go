package outside

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	maxBatchSize  = 64 << 20
	maxBatches    = 500
	maxBatchBytes = 512 << 20
)

// PrintShop takes letters as PDF over HTTP, as a print service would, and shows
// them instead of printing.
type PrintShop struct {
	token string
	dir   string

	mu      sync.Mutex
	batches []Batch // oldest first
	bytes   int
	last    int
	changed chan struct{}
}

// Batch is what came in one delivery.
type Batch struct {
	ID       string
	Received time.Time
	Name     string // the sender's name of the batch, X-Batch
	Chamber  string // X-Chamber
	Letters  int    // X-Letters
	PDF      []byte
	sum      [32]byte
}

// NewPrintShop makes a print shop that takes batches from whoever knows the
// token; with a folder each batch is also a file there.
func NewPrintShop(token, dir string) *PrintShop {
	return &PrintShop{token: token, dir: dir, changed: make(chan struct{})}
}

// Handler is the shop's door and its shop window:
//
//	POST /letters          a batch: application/pdf, Authorization: Bearer,
//	                       X-Batch, X-Letters, X-Chamber; 201 with its address
//	GET  /letters          list
//	GET  /letters/{id}     one batch: pages as pictures and as text
//	GET  /letters/{id}.pdf the PDF
//	GET  /letters/{id}/{page}.png
func (p *PrintShop) Handler() http.Handler {
	mux := http.NewServeMux()
	looks(mux)
	mux.Handle("GET /{$}", http.RedirectHandler("/letters", http.StatusSeeOther))
	mux.HandleFunc("POST /letters", p.take)
	mux.HandleFunc("GET /letters", p.list)
	mux.HandleFunc("GET /letters/{id}", p.one)
	mux.HandleFunc("GET /letters/{id}/{page}", p.picture)
	return mux
}

func (p *PrintShop) take(w http.ResponseWriter, r *http.Request) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || p.token == "" || subtle.ConstantTimeCompare([]byte(token), []byte(p.token)) != 1 {
		w.Header().Set("WWW-Authenticate", `Bearer realm="print shop"`)
		http.Error(w, "the bearer token is missing or another one", http.StatusUnauthorized)
		return
	}
	if kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); strings.TrimSpace(kind) != "application/pdf" {
		http.Error(w, "send application/pdf", http.StatusUnsupportedMediaType)
		return
	}
	pdf, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBatchSize))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		http.Error(w, "a batch may have 64 MB", http.StatusRequestEntityTooLarge)
		return
	}
	if err != nil {
		http.Error(w, "the batch did not arrive whole", http.StatusBadRequest)
		return
	}
	if !bytes.HasPrefix(pdf, []byte("%PDF-")) {
		http.Error(w, "this is not a PDF", http.StatusBadRequest)
		return
	}
	letters, err := strconv.Atoi(r.Header.Get("X-Letters"))
	if err != nil || letters < 1 {
		http.Error(w, "X-Letters says how many letters there are, 1 or more", http.StatusBadRequest)
		return
	}
	b, fresh, err := p.put(Batch{Name: r.Header.Get("X-Batch"), Chamber: r.Header.Get("X-Chamber"), Letters: letters, PDF: pdf})
	if err != nil {
		http.Error(w, "the batch could not be kept", http.StatusInsufficientStorage)
		return
	}
	status := http.StatusCreated
	if !fresh {
		status = http.StatusOK
	}
	w.Header().Set("Location", "/letters/"+b.ID)
	answer(w, status, map[string]string{"id": b.ID})
}

// put keeps a batch. The same batch sent again (a job that did not hear our
// answer) is not printed twice.
func (p *PrintShop) put(b Batch) (kept Batch, fresh bool, err error) {
	b.sum = sha256.Sum256(b.PDF)
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, old := range p.batches {
		if b.Name != "" && old.Name == b.Name && old.Chamber == b.Chamber && old.sum == b.sum {
			return old, false, nil
		}
	}
	p.last++
	b.ID, b.Received = strconv.Itoa(p.last), time.Now()
	if p.dir != "" {
		if err := os.WriteFile(filepath.Join(p.dir, fmt.Sprintf("batch-%06d.pdf", p.last)), b.PDF, 0o600); err != nil {
			return Batch{}, false, fmt.Errorf("keep batch %s: %w", b.ID, err)
		}
	}
	p.batches = append(p.batches, b)
	p.bytes += len(b.PDF)
	for len(p.batches) > 1 && (len(p.batches) > maxBatches || p.bytes > maxBatchBytes) {
		p.bytes -= len(p.batches[0].PDF)
		p.batches[0] = Batch{}
		p.batches = p.batches[1:]
	}
	close(p.changed)
	p.changed = make(chan struct{})
	return b, true, nil
}

func (p *PrintShop) look() ([]Batch, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Batch(nil), p.batches...), p.changed
}

// Wait waits until at least n batches are there and returns all, oldest first.
func (p *PrintShop) Wait(ctx context.Context, n int) ([]Batch, error) {
	for {
		all, changed := p.look()
		if len(all) >= n {
			return all, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return all, fmt.Errorf("wait for %d batches, %d are there: %w", n, len(all), ctx.Err())
		}
	}
}

func (p *PrintShop) batch(id string) (Batch, bool) {
	all, _ := p.look()
	for _, b := range all {
		if b.ID == id {
			return b, true
		}
	}
	return Batch{}, false
}
