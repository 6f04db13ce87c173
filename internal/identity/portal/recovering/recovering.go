// Package recovering helps who has lost password, phone and mailbox (ux.md
// task 10, 1.3 "Lost everything").
//
//	GET  POST /recover                        what is left? Each answer has its way; or name a request that runs
//	GET  POST /recover/assisted               ask the chamber
//	GET  POST /recover/{ref}                  the state, and whatever comes next: code, new address and password, its code
//	GET       /recover/{ref}/receipt/{file}   what to take to the chamber, as a PDF
//	GET  POST /recover/{ref}/cancel/{token}   the link in the notices to the account's old channels
//
// A request is seen in the browser that asked, or with its reference and the
// family name. Nothing on these pages tells whether there is such an account.
package recovering

import (
	"embed"
	"net/http"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/seal"
	"zunft/internal/ground/web"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/password"
	"zunft/internal/identity/recovery"
)

//go:embed templates/*.html
var files embed.FS

// Phrases of these pages.
//
//go:embed phrases/*.json
var Phrases embed.FS

var templates = web.Parse(files)

// Pages of this place.
type Pages struct {
	DB     *db.DB
	Site   *web.Site
	Hasher *password.Hasher
}

// Mount adds the routes.
func (p *Pages) Mount(m *web.Mux) {
	m.Open("GET /recover", p.start)
	m.Open("POST /recover", p.recognize)
	m.Open("GET /recover/assisted", p.ask)
	m.Open("POST /recover/assisted", p.submit)
	m.Open("GET /recover/{ref}", p.status)
	m.Open("POST /recover/{ref}", p.goOn)
	m.Open("GET /recover/{ref}/receipt/{file}", p.receipt)
	m.Open("GET /recover/{ref}/cancel/{token}", p.showCancel)
	m.Open("POST /recover/{ref}/cancel/{token}", p.cancel)
}

const (
	browserCookie = "recovery"
	proofCookie   = "recovery_proof"
	browserFor    = 90 * 24 * time.Hour
)

// browser is this browser's secret, made if it has none.
func (p *Pages) browser(w http.ResponseWriter, r *http.Request) string {
	if b := p.known(r); b != "" {
		return b
	}
	b := seal.Token()
	p.Site.SetCookie(w, browserCookie, b, browserFor)
	return b
}

func (p *Pages) known(r *http.Request) string {
	if b := p.Site.Cookie(r, browserCookie); len(b) == 43 {
		return b
	}
	return ""
}

func (p *Pages) text(r *http.Request, key string, args ...any) string {
	return p.Site.Catalog.Text(web.Lang(r), key, args...)
}

// startPage is all that start.html may use.
type startPage struct {
	web.Frame
	Form  *web.Form
	Have  string // what the person has left, once they said so
	Ways  []web.Option
	Asked []recovery.Recovery // in this browser
}

// Looking reports whether the part is open where a request is named.
func (s *startPage) Looking() bool { return !s.Form.OK() || s.Form.Text("reference") != "" }

func (p *Pages) start(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadQuery(r)
	if f.Text("have") == "nothing" {
		return web.See(w, r, "/recover/assisted")
	}
	return p.showStart(w, r, f)
}

func (p *Pages) showStart(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	page := &startPage{Form: f, Have: f.Text("have")}
	for _, way := range []string{"code", "device", "mail", "nothing"} {
		page.Ways = append(page.Ways, web.Option{Value: way, Text: p.text(r, "recovering.have."+way), Hint: p.text(r, "recovering.have_hint."+way)})
	}
	if page.Have != "code" && page.Have != "device" && page.Have != "mail" {
		page.Have = ""
	}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		page.Asked, err = recovery.Asked(tx, p.known(r))
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, f.Status(), templates, "start", page)
}

// recognize opens a request in another browser.
func (p *Pages) recognize(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	b := p.browser(w, r)
	var found recovery.Recovery
	err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		found, err = recovery.Recognize(tx, web.Actor(r), b, f.Text("reference"), f.Text("family_name"))
		return err
	})
	if f.Take(err) {
		return p.showStart(w, r, f)
	}
	if err != nil {
		return err
	}
	return web.See(w, r, "/recover/"+found.Reference)
}

// assistedPage is all that assisted.html may use.
type assistedPage struct {
	web.Frame
	Form     *web.Form
	Chambers []web.Option
	One      chamber.Chamber // if this installation serves only one
	Most     int
}

func (p *Pages) ask(w http.ResponseWriter, r *http.Request) error {
	return p.showAssisted(w, r, web.NewForm())
}

func (p *Pages) showAssisted(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	page := &assistedPage{Form: f, Most: recovery.MostStory}
	page.Back = web.Link{Text: p.text(r, "recovering.title"), Href: "/recover"}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		all, err := chamber.Current(tx)
		if len(all) == 1 {
			page.One = all[0]
		}
		page.Chambers = []web.Option{{Text: p.text(r, "recovering.choose")}}
		for _, c := range all {
			page.Chambers = append(page.Chambers, web.Option{Value: c.ID, Text: c.Name})
		}
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, f.Status(), templates, "assisted", page)
}

func (p *Pages) submit(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	claim := recovery.Claim{
		GivenName: f.Text("given_name"), FamilyName: f.Text("family_name"), Login: f.Text("login"), Number: f.Text("number"),
		Contact: f.Text("contact"), Story: f.Lines("story"), Lang: web.Lang(r),
	}
	b := p.browser(w, r)
	var made recovery.Recovery
	err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		made, err = recovery.Submit(tx, web.Actor(r), b, f.Text("chamber"), claim)
		return err
	})
	if f.Take(err) {
		return p.showAssisted(w, r, f)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/recover/"+made.Reference, "recovering.received")
}

// cancelPage is all that cancel.html may use.
type cancelPage struct {
	web.Frame
	Form    *web.Form
	Request recovery.Recovery
	Chamber chamber.Chamber
	Path    string
}

func (p *Pages) showCancel(w http.ResponseWriter, r *http.Request) error {
	return p.cancelForm(w, r, web.NewForm())
}

func (p *Pages) cancelForm(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	page := &cancelPage{Form: f, Path: r.URL.Path}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		if page.Request, err = recovery.Cancellable(tx, r.PathValue("ref"), r.PathValue("token")); err != nil {
			return err
		}
		page.Chamber, err = chamber.Get(tx, page.Request.Chamber)
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, f.Status(), templates, "cancel", page)
}

// cancel ends the request: nothing else is asked, the link came over a channel
// that only the account's owner should have.
func (p *Pages) cancel(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		return recovery.Cancel(tx, web.Actor(r), r.PathValue("ref"), r.PathValue("token"))
	})
	if fault.Is(err, fault.KindConflict) {
		return web.See(w, r, r.URL.EscapedPath()) // the page says what became of it
	}
	if f.Take(err) {
		return p.cancelForm(w, r, f)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, r.URL.EscapedPath(), "recovering.cancelled")
}
