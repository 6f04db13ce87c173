package web

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"zunft/internal/ground/seal"
)

// Once: a form that was sent twice is done once (ux.md 3.5, rule 6).
//
// Every page gives its forms a key in a hidden field. Somebody who presses a
// button twice sends the same key, path, fields and cookies twice; the second
// request waits for the first and gets its answer. Only redirects after a
// change are answered so: a form that came back with complaints is handled
// again. This is comfort within one process; that nothing is done twice is
// the rules' own business (conditional updates, unique indexes).

const (
	onceField  = "form_key"
	onceLasts  = time.Minute
	onceAtMost = 10_000
)

// markForms puts the key into each form that posts.
func markForms(page []byte) []byte {
	if !bytes.Contains(page, []byte(`method="post"`)) {
		return page
	}
	field := []byte(`<input type="hidden" name="` + onceField + `" value="` + seal.Token()[:22] + `">`)
	out := make([]byte, 0, len(page)+8*len(field))
	for {
		start := bytes.Index(page, []byte("<form"))
		if start < 0 {
			return append(out, page...)
		}
		end := start + bytes.IndexByte(page[start:], '>') + 1
		if end <= start {
			return append(out, page...)
		}
		out = append(out, page[:end]...)
		if bytes.Contains(page[start:end], []byte(`method="post"`)) {
			out = append(out, field...)
		}
		page = page[end:]
	}
}

type sent struct {
	at   time.Time
	done chan struct{}
	// once done is closed:
	location string // empty: the form came back
	cookies  []string
}

type onces struct {
	sync.Mutex
	sent map[string]*sent
}

// begin says whether the form is new; if not, the earlier one is returned.
func (o *onces) begin(id string) (*sent, bool) {
	o.Lock()
	defer o.Unlock()
	if s := o.sent[id]; s != nil && time.Since(s.at) < onceLasts {
		return s, false
	}
	if o.sent == nil || len(o.sent) >= onceAtMost {
		fresh := map[string]*sent{}
		for k, s := range o.sent {
			if time.Since(s.at) < onceLasts && len(fresh) < onceAtMost/2 {
				fresh[k] = s
			}
		}
		o.sent = fresh
	}
	s := &sent{at: time.Now(), done: make(chan struct{})}
	o.sent[id] = s
	return s, true
}

// once answers a repeated form with what the first one got, or lets handle do it.
func (s *Site) once(w http.ResponseWriter, r *http.Request, handle func(http.ResponseWriter)) {
	if r.Method != http.MethodPost || r.PostForm.Get(onceField) == "" {
		handle(w)
		return
	}
	// The key alone proves nothing: everything that was sent must be the same.
	cookies := r.Header.Values("Cookie")
	earlier, first := s.repeated.begin(seal.Hash(r.URL.RequestURI() + "\n" + r.PostForm.Encode() + "\n" + strings.Join(cookies, "\n")))
	if first {
		defer close(earlier.done)
		seen := &watched{ResponseWriter: w}
		handle(seen)
		if seen.status == http.StatusSeeOther {
			earlier.location, earlier.cookies = w.Header().Get("Location"), slices.Clone(w.Header().Values("Set-Cookie"))
		}
		return
	}
	select {
	case <-earlier.done:
	case <-r.Context().Done():
		return
	}
	if earlier.location == "" {
		handle(w)
		return
	}
	for _, c := range earlier.cookies {
		w.Header().Add("Set-Cookie", c)
	}
	w.Header().Set("Location", earlier.location)
	w.WriteHeader(http.StatusSeeOther)
}

// watched remembers the status that went out.
type watched struct {
	http.ResponseWriter
	status int
}

func (w *watched) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach what is beneath.
func (w *watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }
