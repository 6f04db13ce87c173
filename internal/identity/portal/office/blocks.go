package office

import (
	"net/http"
	"slices"
	"strconv"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/textblock"
)

// A Shelf has the text blocks of one purpose.
type Shelf struct {
	Purpose string
	Blocks  []textblock.Block
}

type blocksPage struct {
	web.Frame
	Form    *web.Form
	Shelves []Shelf
	Lead    bool
}

func (p *Pages) blocks(w http.ResponseWriter, r *http.Request) error {
	return p.showBlocks(w, r, web.NewForm())
}

func (p *Pages) showBlocks(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	page := &blocksPage{Frame: web.Frame{Back: p.back(r)}, Form: f}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		id, lead, err := mine(tx, r)
		if err != nil {
			return err
		}
		page.Lead = lead
		all, err := textblock.All(tx, id)
		for _, purpose := range textblock.Purposes() {
			s := Shelf{Purpose: purpose}
			for _, b := range all {
				if b.Purpose == purpose {
					s.Blocks = append(s.Blocks, b)
				}
			}
			page.Shelves = append(page.Shelves, s)
		}
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, f.Status(), templates, "blocks", page)
}

// up moves a block one place up.
func (p *Pages) up(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		id, err := led(tx, r)
		if err != nil {
			return err
		}
		return textblock.Up(tx, web.Actor(r), id, f.Text("up"))
	})
	if f.Take(err) {
		return p.showBlocks(w, r, f)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/chamber/templates#b-"+f.Text("up"), "office.moved")
}

type blockPage struct {
	web.Frame
	Form     *web.Form
	ID       string // empty: a new one
	Title    string
	Purposes []web.Option
	Version  int
}

func (p *Pages) newBlock(w http.ResponseWriter, r *http.Request) error {
	f := web.NewForm("purpose", web.ReadQuery(r).Text("purpose"))
	return p.showBlock(w, r, f)
}

func (p *Pages) block(w http.ResponseWriter, r *http.Request) error {
	return p.showBlock(w, r, web.NewForm())
}

// showBlock shows one block, or an empty form; what was typed stays.
func (p *Pages) showBlock(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	page := &blockPage{Frame: web.Frame{Back: web.Link{Text: p.text(r, "office.templates"), Href: "/chamber/templates"}}, Form: f, ID: r.PathValue("id")}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		id, err := led(tx, r)
		if err != nil || page.ID == "" {
			return err
		}
		b, err := textblock.Get(tx, id, page.ID)
		page.Title, page.Version = b.Title, b.Version
		if f.Status() != http.StatusUnprocessableEntity { // as it is; after a conflict, too
			f.Values.Set("title", b.Title)
			f.Values.Set("body", b.Body)
		}
		return err
	})
	if err != nil {
		return err
	}
	if page.ID == "" && !slices.Contains(textblock.Purposes(), f.Text("purpose")) {
		f.Values.Set("purpose", textblock.Question)
	}
	for _, purpose := range textblock.Purposes() {
		page.Purposes = append(page.Purposes, web.Option{Value: purpose, Text: p.text(r, "office.purpose."+purpose)})
	}
	return p.Site.Show(w, r, f.Status(), templates, "block", page)
}

func (p *Pages) addBlock(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		id, err := led(tx, r)
		if err != nil {
			return err
		}
		_, err = textblock.Add(tx, web.Actor(r), textblock.Block{Chamber: id, Purpose: f.Text("purpose"), Title: f.Text("title"), Body: f.Lines("body")})
		return err
	})
	if f.Take(err) {
		return p.showBlock(w, r, f)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/chamber/templates", "office.block_added")
}

func (p *Pages) changeBlock(w http.ResponseWriter, r *http.Request) error {
	f, done := web.ReadForm(r), "office.block_saved"
	version, _ := strconv.Atoi(f.Text("version"))
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		id, err := led(tx, r)
		if err != nil {
			return err
		}
		switch f.Text("do") {
		case "remove":
			done = "office.block_removed"
			return textblock.Remove(tx, web.Actor(r), id, r.PathValue("id"))
		case "save":
			return textblock.Change(tx, web.Actor(r), textblock.Block{ID: r.PathValue("id"), Chamber: id, Title: f.Text("title"), Body: f.Lines("body"), Version: version})
		}
		return fault.Invalid("", "web.form_unreadable")
	})
	if f.Take(err) {
		return p.showBlock(w, r, f)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/chamber/templates", done)
}
