package desk

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"unicode/utf8"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/training/document"
	"zunft/internal/training/occupation"
	"zunft/internal/training/share"
)

// documentsPage is all that documents.html may use.
type documentsPage struct {
	web.Frame
	Documents []document.Document
	More      string
}

func (p *Pages) documents(w http.ResponseWriter, r *http.Request) error {
	v := &documentsPage{}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		v.Documents, err = document.OfChamber(tx, web.Actor(r), r.URL.Query().Get("before"))
		if len(v.Documents) == document.Page {
			v.More = v.Documents[document.Page-1].ID
		}
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "documents", v)
}

// newPage is all that new.html may use: find somebody, then hand out.
type newPage struct {
	web.Frame
	Form     *web.Form
	Searched bool
	Found    []found
	Firms    []document.Company
	To       found            // chosen; ID is empty before
	Firm     document.Company // or this
	Kinds    []web.Option
}

func (p *Pages) newDocument(w http.ResponseWriter, r *http.Request) error {
	return p.showNew(w, r, web.ReadQuery(r))
}

func (p *Pages) showNew(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	v, text := &newPage{Form: form}, p.text(r)
	q, id, firm := form.Text("q"), form.Text("apprenticeship"), form.Text("company")
	v.Searched = q != ""
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		if id != "" {
			f, err := share.Apprenticeship(tx, web.Actor(r), id)
			v.To = found{f, occupation.Name(f.Occupation)}
			return err
		}
		if firm != "" {
			var err error
			v.Firm, err = document.CompanyOf(tx, web.Actor(r), firm)
			return err
		}
		all, err := share.Find(tx, web.Actor(r), q)
		for _, f := range all {
			v.Found = append(v.Found, found{f, occupation.Name(f.Occupation)})
		}
		if err == nil {
			v.Firms, err = document.Companies(tx, web.Actor(r), q)
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, k := range document.Kinds {
		v.Kinds = append(v.Kinds, web.Option{Value: k, Text: text("document.kind." + k), Selected: k == document.Kinds[0]})
	}
	v.Back = web.Link{Text: text("desk.documents"), Href: "/chamber/documents"}
	return p.Site.Show(w, r, form.Status(), templates, "new", v)
}

func (p *Pages) publish(w http.ResponseWriter, r *http.Request) error {
	// Before a byte of a stranger's file is read.
	if err := p.DB.Read(r.Context(), func(tx *db.Tx) error { _, err := share.Find(tx, web.Actor(r), ""); return err }); err != nil {
		return err
	}
	form := web.NewForm()
	content, err := received(w, r, form)
	if err == nil {
		err = p.DB.Write(r.Context(), func(tx *db.Tx) error {
			_, err := document.Publish(tx, web.Actor(r), document.To{Apprenticeship: form.Text("apprenticeship"), Company: form.Text("company")}, form.Text("kind"), form.Text("title"), content)
			return err
		})
	}
	if form.Take(err) {
		return p.showNew(w, r, form)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/chamber/documents", "desk.done_published")
}

// received reads a form with one file. What is typed survives a file that is
// too large only if it came before it: the file is the last field.
func received(w http.ResponseWriter, r *http.Request, form *web.Form) (content []byte, err error) {
	const most = document.MaxSize + 1<<20 // the other fields
	r.Body = http.MaxBytesReader(w, r.Body, most)
	body, err := r.MultipartReader()
	if err != nil {
		return nil, fault.Invalid("", "web.form_unreadable")
	}
	for {
		part, err := body.NextPart()
		if errors.Is(err, io.EOF) {
			return content, nil
		}
		var b []byte
		if err == nil {
			b, err = io.ReadAll(part)
		}
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			return nil, fault.Invalid("file", "document.file_large", document.MaxSize>>20)
		}
		switch {
		case err != nil || part.FormName() != "file" && (!utf8.Valid(b) || bytes.IndexByte(b, 0) >= 0):
			return nil, fault.Invalid("", "web.form_unreadable")
		case part.FormName() == "file":
			content = b
		default:
			form.Values.Set(part.FormName(), string(b))
		}
	}
}

// documentPage is all that document.html may use.
type documentPage struct {
	web.Frame
	Document document.Document
	Readings []document.Reading
}

func (p *Pages) document(w http.ResponseWriter, r *http.Request) error {
	v := &documentPage{}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		v.Document, v.Readings, err = document.Readings(tx, web.Actor(r), r.PathValue("id"))
		return err
	})
	if err != nil {
		return err
	}
	v.Back = web.Link{Text: p.text(r)("desk.documents"), Href: "/chamber/documents"}
	return p.Site.Show(w, r, http.StatusOK, templates, "document", v)
}

func (p *Pages) withdraw(w http.ResponseWriter, r *http.Request) error {
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error { return document.Withdraw(tx, web.Actor(r), r.PathValue("id")) })
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/chamber/documents/"+r.PathValue("id"), "desk.done_withdrawn")
}
