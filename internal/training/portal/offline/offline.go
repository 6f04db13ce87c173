// Package offline lets a week be written without a connection (ux.md 3.3):
//
//	GET /offline     what it is; without a connection this page stands for any week
//	GET /offline.js  the service worker that shows it then
//
// An addition for browsers that run scripts, and the only thing of this portal
// that needs one (decision 0025).
package offline

import (
	"embed"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"strings"

	"zunft/internal/ground/i18n"
	"zunft/internal/ground/web"
)

// Phrases of this page.
//
//go:embed phrases/*.json
var Phrases embed.FS

//go:embed all:templates
var files embed.FS

var templates = web.Parse(files)

//go:embed worker.js
var worker string

// Script is what pages run on which something is written.
const Script = "drafts.js"

// Pages of the place.
type Pages struct{ Site *web.Site }

// Mount adds the routes.
func (p *Pages) Mount(m *web.Mux) {
	m.Open("GET /offline", p.offline)
	m.Open("GET /offline.js", p.worker)
}

// offlinePage is all that offline.html may use.
type offlinePage struct {
	web.Frame
	Form *web.Form // always empty: what is written here never leaves the device by itself
}

func (p *Pages) offline(w http.ResponseWriter, r *http.Request) error {
	v := &offlinePage{Form: web.NewForm()}
	v.Script = Script
	return p.Site.Show(w, r, http.StatusOK, templates, "offline", v)
}

// worker names what the page is made of: a change of any of it is a new worker,
// for which browsers ask by themselves.
func (p *Pages) worker(w http.ResponseWriter, r *http.Request) error {
	var code strings.Builder
	page := "/offline?lang=" + i18n.Match(r.URL.Query().Get("in")) // workers are asked for without what a person prefers
	names := []string{}
	for _, name := range []string{"app.css", "icons.svg", "favicon.svg", "fira-sans-400.woff2", "fira-sans-600.woff2", Script} {
		names = append(names, web.Asset(name))
	}
	sum := fnv.New64a()
	fmt.Fprint(sum, page, names, worker)
	fmt.Fprintf(&code, "const name = %q;\nconst page = %q;\nconst files = [%q", fmt.Sprintf("offline-%x", sum.Sum64()), page, names[0])
	for _, name := range names[1:] {
		fmt.Fprintf(&code, ", %q", name)
	}
	code.WriteString("];\n" + worker)
	h := w.Header()
	h.Set("Content-Type", "text/javascript; charset=utf-8")
	h.Set("Cache-Control", "no-cache")
	h.Set("Content-Security-Policy", "default-src 'none'; connect-src 'self'")
	_, err := io.WriteString(w, code.String())
	return err
}
