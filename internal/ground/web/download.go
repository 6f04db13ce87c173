package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Download says that the answer is a file to be saved (RFC 6266), and that
// whatever it holds gets no chance in this portal: no sniffing, no scripts, an
// origin of its own.
func Download(w http.ResponseWriter, name, kind string, size int) {
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
