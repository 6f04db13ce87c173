package leaving

import (
	"encoding/json"
	"net/http"
	"strconv"

	"zunft/internal/ground/db"
	"zunft/internal/ground/mail"
	"zunft/internal/ground/web"
	"zunft/internal/identity/dossier"
	"zunft/internal/identity/session"
)

// dataPage is all that data.html may use.
type dataPage struct {
	web.Frame
	Form     *web.Form
	Waiting  bool // one is being put together
	Dossiers []dossier.Dossier
}

func (p *Pages) data(w http.ResponseWriter, r *http.Request) error {
	return p.showData(w, r, web.NewForm())
}

func (p *Pages) showData(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	page := &dataPage{Frame: p.account(r), Form: f}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		all, err := dossier.List(tx, web.Actor(r).Account)
		for _, d := range all {
			if d.State == dossier.Ready {
				page.Dossiers = append(page.Dossiers, d)
			} else {
				page.Waiting = true
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, f.Status(), templates, "data", page)
}

func (p *Pages) askData(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error { return dossier.Ask(tx, web.Actor(r)) })
	if f.Take(err) {
		return p.showData(w, r, f)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/account/data", "leaving.data_asked")
}

// dossierPage is all that dossier.html may use.
type dossierPage struct {
	web.Frame
	Dossier  dossier.Dossier
	Sections []section
}

// A section in words: a heading, and rows of columns that say something in any
// of them. One row is shown as facts, several as a table.
type section struct {
	Heading string
	Rows    [][]fact
	More    int // that are in the file only
}

// Single reports whether there is one row only.
func (s section) Single() bool { return len(s.Rows) == 1 }

// shown is how many rows of a section stand on the page.
const shown = 100

type fact struct{ Label, Value string }

// read and download ask for a proof: nothing here is more personal.
func (p *Pages) read(w http.ResponseWriter, r *http.Request) error {
	d, all, err := p.open(w, r)
	if err != nil || d.ID == "" {
		return err
	}
	text := func(key string, args ...any) string { return p.Site.Catalog.Text(web.Lang(r), key, args...) }
	page := &dossierPage{Frame: web.Frame{Back: web.Link{Text: text("leaving.data"), Href: "/account/data"}}, Dossier: d}
	for _, s := range all {
		if len(s.Rows) == 0 {
			continue
		}
		part := section{Heading: text("leaving.section." + s.Name), More: max(0, len(s.Rows)-shown)}
		var said [][]fact
		used := make([]bool, len(s.Columns)) // a column that is empty throughout is left out
		for _, row := range s.Rows[:min(len(s.Rows), shown)] {
			facts := p.facts(r, s, row)
			for i, f := range facts {
				used[i] = used[i] || f.Value != ""
			}
			said = append(said, facts)
		}
		for _, facts := range said {
			var row []fact
			for i, f := range facts {
				if used[i] {
					row = append(row, f)
				}
			}
			part.Rows = append(part.Rows, row)
		}
		page.Sections = append(page.Sections, part)
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "dossier", page)
}

// facts are what a row says, column by column, in words: moments as everywhere,
// notices, records and browsers as their reader knows them.
func (p *Pages) facts(r *http.Request, s dossier.Section, row map[string]string) []fact {
	text := func(key string, args ...any) string { return p.Site.Catalog.Text(web.Lang(r), key, args...) }
	all := make([]fact, len(s.Columns))
	for i, c := range s.Columns {
		v := row[c]
		var t db.Time
		switch event, word := "activity.event."+v, "leaving.value."+v; {
		case v == "" || c == "args":
			continue
		case c == "phrase":
			var args []any
			if json.Unmarshal([]byte(row["args"]), &args) == nil {
				v = text(v, args...)
			}
		case c == "agent":
			if browser, system := session.Device(v); browser != "" && system != "" {
				v = text("leaving.device", browser, system)
			}
		case c == "event" && p.Site.Catalog.Has(event):
			v = text(event)
		case len(v) == 20 && v[10] == 'T' && t.Scan(v) == nil:
			v = t.In(mail.Berlin).Format("02.01.2006, 15:04")
		case p.Site.Catalog.Has(word):
			v = text(word)
		}
		all[i] = fact{text("leaving.column." + c), v}
	}
	return all
}

func (p *Pages) download(w http.ResponseWriter, r *http.Request) error {
	d, all, err := p.open(w, r)
	if err != nil || d.ID == "" {
		return err
	}
	body, err := dossier.JSON(d, all)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Disposition", `attachment; filename="`+p.Site.Catalog.Text(web.Lang(r), "leaving.file")+`.json"`)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_, err = w.Write(body)
	return err
}

// open reads a dossier after a proof; without one it has sent the person to
// give it, and the dossier is empty.
func (p *Pages) open(w http.ResponseWriter, r *http.Request) (d dossier.Dossier, all []dossier.Section, err error) {
	if sure, err := p.Door.Sure(w, r); !sure {
		return d, nil, err
	}
	err = p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		d, all, err = dossier.Open(tx, web.Actor(r), r.PathValue("id"))
		return err
	})
	return d, all, err
}
