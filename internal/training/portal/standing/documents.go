package standing

import (
	"net/http"
	"strconv"
	"strings"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/training/document"
)

// documentsPage is all that documents.html may use.
type documentsPage struct {
	web.Frame
	Documents []document.Document
}

func (p *Pages) documents(w http.ResponseWriter, r *http.Request) error {
	v := &documentsPage{}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		v.Documents, err = document.List(tx, web.Actor(r))
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "documents", v)
}

// open keeps that the document is opened (R312), and leads to it.
func (p *Pages) open(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		_, err := document.Open(tx, web.Actor(r), id)
		return err
	})
	if err != nil {
		return err
	}
	return web.See(w, r, "/documents/"+id)
}

// documentPage is all that document.html may use.
type documentPage struct {
	web.Frame
	Document document.Document
	At       db.Time // when the reader opened it first
}

// read shows an opened document; {id}.pdf is the file.
func (p *Pages) read(w http.ResponseWriter, r *http.Request) error {
	if id, yes := strings.CutSuffix(r.PathValue("id"), ".pdf"); yes {
		return p.file(w, r, id)
	}
	v := &documentPage{}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		v.Document, v.At, err = document.Opened(tx, web.Actor(r), r.PathValue("id"))
		return err
	})
	if fault.Is(err, fault.KindConflict) { // a link from elsewhere: the button is on the list
		return web.See(w, r, "/documents")
	}
	if err != nil {
		return err
	}
	v.Back = web.Link{Text: p.text(r)("standing.documents"), Href: "/documents"}
	return p.Site.Show(w, r, http.StatusOK, templates, "document", v)
}

// file is the PDF, to save and to print (R311).
func (p *Pages) file(w http.ResponseWriter, r *http.Request, id string) error {
	var d document.Document
	var content []byte
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		d, content, err = document.Content(tx, web.Actor(r), id)
		return err
	})
	if fault.Is(err, fault.KindConflict) { // a link from elsewhere: the button is on the list
		return web.See(w, r, "/documents")
	}
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/pdf")
	h.Set("Content-Disposition", `attachment; filename="`+fileName(d)+`"`)
	h.Set("Content-Security-Policy", "sandbox")
	h.Set("Content-Length", strconv.Itoa(len(content)))
	_, err = w.Write(content)
	return err
}

// fileName is the title as a name for files, in letters that every system knows.
func fileName(d document.Document) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-':
			return r
		case r == ' ':
			return '-'
		}
		return -1
	}, strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "Ä", "Ae", "Ö", "Oe", "Ü", "Ue", "ß", "ss").Replace(d.Title))
	if name == "" {
		name = "Dokument"
	}
	return name + ".pdf"
}
