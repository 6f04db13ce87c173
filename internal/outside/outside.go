// Package outside is the world outside Zunft, played by small real servers: a
// mailbox that takes mail over SMTP, a print shop that takes letters over HTTP,
// and the page from which a demo starts. For demo and tests only.
//
// Policy:
//   - Real protocols. What the portals send here they would send to a real mail
//     server or print shop in the same way; nothing is called behind their back.
//   - It knows neither portal: no import of identity or training, no database.
//     Addresses and people are told to it.
//   - Everything is bounded (number and size of mails and batches), kept in
//     memory, and gone when the process ends, unless a folder was given.
//   - Its pages show what others wrote: mails, PDFs. They run no script, load
//     nothing from elsewhere and show HTML mails as text only.
package outside

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"strings"
	"time"
)

//go:embed templates/*.html outside.css outside.svg
var files embed.FS

var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"when":  func(t time.Time) string { return t.In(berlin).Format("02.01.2006, 15:04 Uhr") },
	"iso":   func(t time.Time) string { return t.Format(time.RFC3339) },
	"links": links,
}).ParseFS(files, "templates/*.html"))

// berlin is the time zone people read, here as in the portals.
var berlin = func() *time.Location {
	l, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		return time.Local
	}
	return l
}()

// csp is what every page of this package may do: almost nothing.
const csp = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func show(w http.ResponseWriter, status int, page string, data any) {
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, page, data); err != nil {
		http.Error(w, "Die Seite lässt sich nicht darstellen.", http.StatusInternalServerError)
		return
	}
	headers(w)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

func headers(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Security-Policy", csp)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

type missing struct{ Title, Text, Back, BackText string }

// looks serves the stylesheet and the sign; each handler of this package has
// them, because each may stand on an address of its own.
func looks(mux *http.ServeMux) {
	serve := func(name, kind string) {
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, _ *http.Request) {
			data, err := files.ReadFile(name)
			if err != nil {
				http.Error(w, "Die Datei fehlt.", http.StatusInternalServerError)
				return
			}
			w.Header().Set("Content-Type", kind)
			w.Header().Set("X-Content-Type-Options", "nosniff")
			w.Header().Set("Cache-Control", "max-age=300")
			_, _ = w.Write(data)
		})
	}
	serve("outside.css", "text/css; charset=utf-8")
	serve("outside.svg", "image/svg+xml")
}

// piece is a stretch of text; one with an address is a link.
type piece struct{ Text, URL string }

// links cuts text into links and what is between them.
func links(text string) []piece {
	var out []piece
	for text != "" {
		at := nextLink(text)
		if at < 0 {
			return append(out, piece{Text: text})
		}
		if at > 0 {
			out = append(out, piece{Text: text[:at]})
		}
		end := strings.IndexFunc(text[at:], func(r rune) bool { return r <= ' ' || strings.ContainsRune("<>\"`\u00a0", r) })
		if end < 0 {
			end = len(text) - at
		}
		url := strings.TrimRight(text[at:at+end], ".,;:!?')]}*_“”")
		out = append(out, piece{Text: url, URL: url})
		text = text[at+len(url):]
	}
	return out
}

func nextLink(text string) int {
	at := -1
	for _, scheme := range []string{"http://", "https://"} {
		if i := strings.Index(text, scheme); i >= 0 && (at < 0 || i < at) {
			at = i
		}
	}
	return at
}
