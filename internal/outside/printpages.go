package outside

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ErrNoTool says that a tool of poppler-utils is not installed.
var ErrNoTool = errors.New("poppler-utils is not installed")

// poppler pipes a PDF through a tool of poppler-utils.
func poppler(ctx context.Context, pdf []byte, name string, args ...string) ([]byte, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return nil, ErrNoTool
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(pdf), &out, io.Discard
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("run %s: %w", name, err)
	}
	return out.Bytes(), nil
}

// Text is the batch's text, page by page; ErrNoTool where pdftotext is missing.
func (b Batch) Text(ctx context.Context) ([]string, error) {
	out, err := poppler(ctx, b.PDF, "pdftotext", "-layout", "-", "-")
	if err != nil {
		return nil, err
	}
	return strings.Split(strings.TrimSuffix(string(out), "\f"), "\f"), nil
}

// Pages counts the pages.
func (b Batch) Pages() int {
	return len(regexp.MustCompile(`/Type\s*/Page[^s]`).FindAll(b.PDF, -1))
}

const maxPictures = 30

type batchPage struct {
	Batch
	Sheets []sheet
	More   int // pages that are not shown
	Shown  bool
}

type sheet struct {
	Number int
	Text   string
}

func (p *PrintShop) list(w http.ResponseWriter, _ *http.Request) {
	all, _ := p.look()
	slices.Reverse(all)
	show(w, http.StatusOK, "letters.html", all)
}

func (p *PrintShop) one(w http.ResponseWriter, r *http.Request) {
	id, wantPDF := strings.CutSuffix(r.PathValue("id"), ".pdf")
	b, ok := p.batch(id)
	if !ok {
		show(w, http.StatusNotFound, "missing.html", missing{"Diese Sendung gibt es nicht", "Die Druckerei behält die neuesten Sendungen, solange die Vorführung läuft.", "/letters", "Alle Sendungen"})
		return
	}
	if wantPDF {
		headers(w)
		w.Header().Set("Content-Type", "application/pdf")
		w.Header().Set("Content-Disposition", `inline; filename="sendung-`+b.ID+`.pdf"`)
		_, _ = w.Write(b.PDF)
		return
	}
	page := batchPage{Batch: b}
	_, err := exec.LookPath("pdftoppm")
	page.Shown = err == nil
	texts, _ := b.Text(r.Context()) // without pdftotext there is no text
	n := b.Pages()
	for i := range min(n, maxPictures) {
		s := sheet{Number: i + 1}
		if i < len(texts) {
			s.Text = strings.Trim(texts[i], "\n")
		}
		page.Sheets = append(page.Sheets, s)
	}
	page.More = n - len(page.Sheets)
	show(w, http.StatusOK, "letter.html", page)
}

func (p *PrintShop) picture(w http.ResponseWriter, r *http.Request) {
	b, ok := p.batch(r.PathValue("id"))
	number, png := strings.CutSuffix(r.PathValue("page"), ".png")
	n, err := strconv.Atoi(number)
	if !ok || !png || err != nil || n < 1 || n > b.Pages() {
		http.NotFound(w, r)
		return
	}
	page := strconv.Itoa(n)
	out, err := poppler(r.Context(), b.PDF, "pdftoppm", "-png", "-r", "110", "-f", page, "-l", page, "-")
	if err != nil {
		http.Error(w, "the page cannot be drawn", http.StatusNotFound)
		return
	}
	headers(w)
	w.Header().Set("Content-Type", "image/png")
	_, _ = w.Write(out)
}
