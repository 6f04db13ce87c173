// Package exchange is where a report book goes out, and older ones come in:
//
//	GET  /reports/export          what to take out: PDF, data, attachments; files made lately
//	POST /reports/export          order a PDF
//	GET  /exports/{id}            how far it is; then the file
//	GET  /exports/{id}/file       the PDF
//	POST /exports/{id}/drop       delete it before its time
//	GET  /trainees/{id}/export    the same for who accompanies an apprentice; {id} is the person
//	POST /trainees/{id}/export
//	GET  /chamber/report-books/{id}/export  … and for a chamber, while its look runs
//	POST /chamber/report-books/{id}/export
//	GET  /reports/export.json     the whole book as data; export.csv as a table
//	GET  /my-data.json            what is held of the person beside the book (Art. 15 GDPR)
//	GET  /reports/attachments.zip all attached files
//	GET  /reports/import          choose a file, or paste its text
//	POST /reports/import          read it
//	GET  /imports/{id}            what is in it, beside what is stored; then what became of it
//	POST /imports/{id}            take it in as drafts, or as lessons
//	POST /imports/{id}/drop       forget it
//	GET  /verify                  type the code on a cover (open to everybody)
//	POST /verify
//	GET  /verify/{code}           what the document is, without a name
//	POST /verify/{code}           compare a file
package exchange

import (
	"embed"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/seal"
	"zunft/internal/ground/web"
	"zunft/internal/training/attachment"
	"zunft/internal/training/book"
	"zunft/internal/training/calendar"
	"zunft/internal/training/export"
)

// Phrases of these pages.
//
//go:embed phrases/*.json
var Phrases embed.FS

//go:embed all:templates
var files embed.FS

var templates = web.Parse(files)

// Pages of the place.
type Pages struct {
	DB   *db.DB
	Site *web.Site
}

// Mount adds the routes.
func (p *Pages) Mount(m *web.Mux) {
	m.Signed("GET /reports/export", p.export)
	m.Signed("POST /reports/export", p.order)
	m.Signed("GET /exports/{id}", p.progress)
	m.Signed("GET /exports/{id}/file", p.file)
	m.Signed("POST /exports/{id}/drop", p.drop)
	m.Signed("GET /trainees/{id}/export", p.export)
	m.Signed("POST /trainees/{id}/export", p.order)
	m.Signed("GET /chamber/report-books/{id}/export", p.export)
	m.Signed("POST /chamber/report-books/{id}/export", p.order)
	m.Signed("GET /reports/export.json", p.data)
	m.Signed("GET /reports/export.csv", p.data)
	m.Signed("GET /my-data.json", p.held)
	m.Signed("GET /reports/attachments.zip", p.attachments)
	m.Signed("GET /reports/import", p.importForm)
	m.Signed("POST /reports/import", p.read)
	m.Signed("GET /imports/{id}", p.look)
	m.Signed("POST /imports/{id}", p.take)
	m.Signed("POST /imports/{id}/drop", p.forget)
	m.Open("GET /verify", p.verifyForm)
	m.Open("POST /verify", p.verifyCode)
	m.Open("GET /verify/{code}", p.verify)
	m.Open("POST /verify/{code}", p.compare)
}

func (p *Pages) text(r *http.Request, key string, args ...any) string {
	return p.Site.Catalog.Text(web.Lang(r), key, args...)
}

func (p *Pages) back(r *http.Request, key, href string) web.Link {
	return web.Link{Text: p.text(r, key), Href: href}
}

// exportPage is all that export.html may use.
type exportPage struct {
	web.Frame
	Form   *web.Form
	Action string
	Of     string // name of the apprentice; empty: it is one's own
	Scopes []web.Option
	Files  []export.Export
	Zip    bool // there are attachments
}

// whose book a page is about, by its address, and where the page leads back to.
func whose(r *http.Request) (of export.Whose, back string) {
	id := r.PathValue("id")
	switch {
	case strings.HasPrefix(r.URL.Path, "/trainees/"):
		return export.Whose{Trainee: id}, "/trainees/" + id
	case strings.HasPrefix(r.URL.Path, "/chamber/"):
		return export.Whose{Share: id}, "/chamber/report-books/" + id
	}
	return export.Whose{}, "/reports"
}

func (p *Pages) export(w http.ResponseWriter, r *http.Request) error {
	form := web.NewForm("scope", export.Whole)
	if week, ok := book.ParseWeek(r.URL.Query().Get("week")); ok {
		form = web.NewForm("scope", export.Week, "week", week.String())
	}
	return p.showExport(w, r, form)
}

func (p *Pages) showExport(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	of, back := whose(r)
	own := of == export.Whose{}
	v := &exportPage{Form: form, Action: r.URL.Path}
	for _, s := range []string{export.Whole, export.Period, export.Week} {
		v.Scopes = append(v.Scopes, web.Option{Value: s, Text: p.text(r, "exchange.scope_"+s)})
	}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		if v.Files, err = export.Mine(tx, web.Actor(r), of); err != nil {
			return err
		}
		if !own {
			owner, err := of.Owner(tx, web.Actor(r))
			v.Of = owner.Name
			return err
		}
		all, err := attachment.Between(tx, web.Actor(r).Account, "", forever)
		v.Zip = len(all) > 0
		return err
	})
	if err != nil {
		return err
	}
	v.Back = p.back(r, "exchange.book", back)
	if !own {
		v.Back.Text = v.Of
	}
	return p.Site.Show(w, r, form.Status(), templates, "export", v)
}

// wish reads the form; what is no day or week is complained of here.
func wish(form *web.Form, lang string) (export.Wish, error) {
	w := export.Wish{Scope: form.Text("scope"), Signed: form.Checked("signed"), Language: lang}
	var p fault.Problems
	day := func(field string) calendar.Date {
		typed := form.Text(field)
		d, ok := calendar.ReadDate(typed)
		if typed != "" && !ok {
			p.Add(field, "exchange.no_day")
		}
		return d
	}
	switch w.Scope {
	case export.Period:
		w.First, w.Last = day("from"), day("until")
	case export.Week:
		typed := form.Text("week")
		week, ok := book.ParseWeek(strings.ToUpper(typed))
		switch {
		case ok:
			w.First = week.Date(1)
		case typed != "":
			p.Add("week", "exchange.no_week")
		}
	}
	if err := p.Err(); err != nil {
		return w, err
	}
	return w, w.Check()
}

func (p *Pages) order(w http.ResponseWriter, r *http.Request) error {
	form := web.ReadForm(r)
	var made export.Export
	of, _ := whose(r)
	wanted, err := wish(form, web.Lang(r))
	if err == nil {
		err = p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
			made, err = export.Order(tx, web.Actor(r), of, wanted)
			return err
		})
	}
	if form.Take(err) {
		return p.showExport(w, r, form)
	}
	if err != nil {
		return err
	}
	return web.See(w, r, "/exports/"+made.ID)
}

// progressPage is all that progress.html may use.
type progressPage struct {
	web.Frame
	Export export.Export
	Of     string // name of the apprentice; empty: it is one's own
	Again  string // where another file is ordered
	KB     int
}

func (p *Pages) progress(w http.ResponseWriter, r *http.Request) error {
	v := &progressPage{}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		e, owner, err := export.Get(tx, web.Actor(r), r.PathValue("id"))
		v.Export, v.Again = e, again(e)
		if !e.Own() {
			v.Of = owner.Name
		}
		return err
	})
	if err != nil {
		return err
	}
	if v.Export.State == export.Waiting {
		v.Refresh = 2
	}
	v.KB = (v.Export.Size + 1023) / 1024
	v.Back = p.back(r, "exchange.export", v.Again)
	return p.Site.Show(w, r, http.StatusOK, templates, "progress", v)
}

// again is where somebody orders another file like this one.
func again(e export.Export) string {
	switch {
	case e.Share != "":
		return "/chamber/report-books/" + e.Share + "/export"
	case !e.Own():
		return "/trainees/" + e.Person + "/export"
	}
	return "/reports/export"
}

func (p *Pages) file(w http.ResponseWriter, r *http.Request) error {
	var e export.Export
	var b []byte
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		e, b, err = export.File(tx, web.Actor(r), r.PathValue("id"))
		return err
	})
	if err != nil {
		return err
	}
	return send(w, "application/pdf", e.Name(), b)
}

// send hands a file over to be saved.
func send(w http.ResponseWriter, kind, name string, b []byte) error {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	h.Set("Content-Length", strconv.Itoa(len(b)))
	_, err := w.Write(b)
	return err
}

func (p *Pages) drop(w http.ResponseWriter, r *http.Request) error {
	var e export.Export
	err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		e, err = export.Drop(tx, web.Actor(r), r.PathValue("id"))
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, again(e), "exchange.done_dropped")
}

// verifyPage is all that verify.html may use. Document is nil while there is
// only a form for the code.
type verifyPage struct {
	web.Frame
	Form     *web.Form
	Document *export.Document
	Code     string
	Compared bool
	Same     bool
	File     web.Input
}

func (p *Pages) verifyForm(w http.ResponseWriter, r *http.Request) error {
	return p.showVerify(w, r, &verifyPage{Form: web.NewForm()})
}

func (p *Pages) showVerify(w http.ResponseWriter, r *http.Request, v *verifyPage) error {
	v.File = web.Input{ID: "file", Name: "file", Type: "file", Label: p.text(r, "exchange.file"), Hint: p.text(r, "exchange.file_hint"), Required: true}
	for _, problem := range v.Form.Problems {
		if problem.Field == "file" {
			v.File.Error = p.text(r, problem.Key, problem.Args...)
		}
	}
	return p.Site.Show(w, r, v.Form.Status(), templates, "verify", v)
}

func (p *Pages) verifyCode(w http.ResponseWriter, r *http.Request) error {
	form := web.ReadForm(r)
	code := form.Text("code")
	_, err := export.Verify(r.Context(), p.DB, web.Actor(r), code)
	if form.Take(err) {
		return p.showVerify(w, r, &verifyPage{Form: form})
	}
	if err != nil {
		return err
	}
	return web.See(w, r, "/verify/"+seal.Normalize(code))
}

func (p *Pages) verify(w http.ResponseWriter, r *http.Request) error {
	v, err := p.document(r)
	if err != nil {
		return err
	}
	return p.showVerify(w, r, v)
}

// document finds what the code in the path stands for; an unknown one comes
// back in the form.
func (p *Pages) document(r *http.Request) (*verifyPage, error) {
	v := &verifyPage{Form: web.NewForm("code", r.PathValue("code")), Code: r.PathValue("code")}
	doc, err := export.Verify(r.Context(), p.DB, web.Actor(r), v.Code)
	if v.Form.Take(err) {
		return v, nil
	}
	v.Document = &doc
	return v, err
}

func (p *Pages) compare(w http.ResponseWriter, r *http.Request) error {
	v, err := p.document(r)
	if err != nil || v.Document == nil {
		if err == nil {
			err = p.showVerify(w, r, v)
		}
		return err
	}
	file, err := uploaded(r, "file")
	if err == nil {
		v.Same, err = v.Document.Matches(file)
	}
	if v.Compared = err == nil; !v.Compared {
		v.Form.Add("file", "exchange.file_missing", export.MaxFile>>20)
	}
	return p.showVerify(w, r, v)
}

// uploaded is the file of a form, as it comes.
func uploaded(r *http.Request, name string) (io.Reader, error) {
	body, err := r.MultipartReader()
	if err != nil {
		return nil, err
	}
	for {
		part, err := body.NextPart()
		if err != nil {
			return nil, err
		}
		if part.FormName() == name {
			if part.FileName() == "" {
				return nil, errors.New("no file")
			}
			return part, nil
		}
	}
}
