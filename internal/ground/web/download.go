package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Send sends a file to be saved, piece by piece: piece answers the n-th from 0,
// and nil after the last. So a large file is never held whole, and a slow line
// holds no transaction. A file that cannot be read to its end breaks off, and
// the browser says so; a reader who has gone is no error.
func Send(w http.ResponseWriter, name, kind string, size int, piece func(n int) ([]byte, error)) error {
	part, err := piece(0)
	if err != nil {
		return err
	}
	download(w, name, kind, size)
	for n := 1; part != nil; n++ {
		if _, err := w.Write(part); err != nil {
			return nil
		}
		if part, err = piece(n); err != nil {
			panic(http.ErrAbortHandler) // too late for a page
		}
	}
	return nil
}

// download says that the answer is a file to be saved (RFC 6266), and that
// whatever it holds gets no chance in this portal: no sniffing, no scripts, an
// origin of its own.
func download(w http.ResponseWriter, name, kind string, size int) {
	plain := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' || r == '%' {
			return '_'
		}
		return r
	}, name)
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", `attachment; filename="`+plain+`"; filename*=UTF-8''`+url.PathEscape(name))
	h.Set("Content-Length", strconv.Itoa(size))
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox; form-action 'self'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "private, no-store")
}
