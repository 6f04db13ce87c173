package desk

import (
	"fmt"
	"log/slog"
	"net/http"
	"strconv"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/letter"
	"zunft/internal/identity/recovery"
)

type lettersPage struct {
	web.Frame
	Form *web.Form
	clock
	Waiting []letter.Letter
	Most    int
	Batches []letter.Batch
	Names   map[string]string // of clerks
	Shop    bool
	Older   string
}

// Next is how many letters the next batch takes.
func (l *lettersPage) Next() int { return min(len(l.Waiting), l.Most) }

func (p *Pages) showLetters(w http.ResponseWriter, r *http.Request) error {
	return p.lettersForm(w, r, web.NewForm())
}

func (p *Pages) lettersForm(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	page := &lettersPage{Form: f, Most: letter.MostInBatch, Shop: p.PrintShop != nil, Frame: web.Frame{Wide: true}}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		id, err := mine(tx, r)
		if err != nil {
			return err
		}
		page.clock = p.clock(tx, r)
		if page.Waiting, err = letter.Waiting(tx, id); err != nil {
			return err
		}
		if page.Batches, err = letter.Batches(tx, id, web.ReadQuery(r).Text("before")); err != nil {
			return err
		}
		if n := len(page.Batches); n == 50 {
			page.Older = page.Batches[n-1].ID
		}
		var ids []string
		for _, b := range page.Batches {
			ids = append(ids, b.PrintedBy, b.DispatchedBy)
		}
		page.Names, err = names(tx, ids)
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, f.Status(), templates, "letters", page)
}

// names of accounts, for lists.
func names(tx *db.Tx, ids []string) (map[string]string, error) {
	people, err := account.GetMany(tx, ids)
	all := map[string]string{}
	for id, a := range people {
		all[id] = a.Name()
	}
	return all, err
}

// print makes a batch. Its PDF, the only place where the codes stand in clear,
// is the answer to this request or goes to the print shop, and is kept nowhere.
func (p *Pages) print(w http.ResponseWriter, r *http.Request) error {
	f, by := web.ReadForm(r), web.Actor(r)
	var id string
	if err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) { id, err = mine(tx, r); return err }); err != nil {
		return err
	}
	batch, pdf, err := letter.Print(r.Context(), p.DB, by, id, p.Site.Base, recovery.Papers)
	if f.Take(err) {
		return p.lettersForm(w, r, f)
	}
	if err != nil {
		return err
	}
	if p.PrintShop != nil && f.Text("do") == "shop" {
		if err := p.PrintShop(r.Context(), batch, pdf); err != nil {
			slog.ErrorContext(r.Context(), "print shop", "request", by.Request, "batch", batch.Reference, "err", err)
			// The codes of this batch never reach paper: make them void, queue the letters again.
			if err := p.DB.Write(r.Context(), func(tx *db.Tx) error { return letter.GiveBack(tx, by, batch.ID) }); err != nil {
				return err
			}
			f.Take(fault.Conflict("desk.shop_failed"))
			return p.lettersForm(w, r, f)
		}
		return p.Site.Done(w, r, "/chamber/letters/batches/"+batch.ID, "desk.shop_took", batch.Reference)
	}
	h := w.Header()
	h.Set("Content-Type", "application/pdf")
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s.pdf"`, batch.Reference))
	h.Set("Content-Length", strconv.Itoa(len(pdf)))
	h.Set("Cache-Control", "no-store")
	_, err = w.Write(pdf)
	return err
}

type batchPage struct {
	web.Frame
	Form    *web.Form
	Batch   letter.Batch
	Letters []letter.Letter
	Names   map[string]string
}

// StateOf a letter as a phrase.
func (b *batchPage) StateOf(l letter.Letter) string { return "desk.letter." + l.State }

// Live reports whether any of its codes could still be used.
func (b *batchPage) Live() bool {
	for _, l := range b.Letters {
		if l.State == letter.Printed {
			return true
		}
	}
	return false
}

func (p *Pages) showBatch(w http.ResponseWriter, r *http.Request) error {
	return p.batchForm(w, r, web.NewForm())
}

func (p *Pages) batchForm(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	page := &batchPage{Form: f, Frame: web.Frame{Wide: true, Back: web.Link{Text: p.text(r, "desk.letters_title"), Href: "/chamber/letters"}}}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		if page.Batch, page.Letters, err = p.ownBatch(tx, r); err != nil {
			return err
		}
		page.Names, err = names(tx, []string{page.Batch.PrintedBy, page.Batch.DispatchedBy})
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, f.Status(), templates, "batch", page)
}

// ownBatch is the batch in the address if it belongs to the clerk's chamber.
func (p *Pages) ownBatch(tx *db.Tx, r *http.Request) (letter.Batch, []letter.Letter, error) {
	id, err := mine(tx, r)
	if err != nil {
		return letter.Batch{}, nil, err
	}
	b, letters, err := letter.GetBatch(tx, r.PathValue("id"))
	if err == nil && b.Chamber != id {
		err = fault.NotFound()
	}
	return b, letters, err
}

func (p *Pages) batch(w http.ResponseWriter, r *http.Request) error {
	f, by := web.ReadForm(r), web.Actor(r)
	phrase := "desk.dispatched"
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		b, letters, err := p.ownBatch(tx, r)
		if err != nil {
			return err
		}
		switch f.Text("do") {
		case "dispatch":
			return letter.Dispatch(tx, by, b.ID)
		case "reprint_all":
			phrase = "desk.reprint_queued"
			return letter.GiveBack(tx, by, b.ID)
		}
		phrase = "desk.reprint_queued"
		for _, l := range letters {
			if l.ID == f.Text("letter") {
				return letter.Reprint(tx, by, l.ID)
			}
		}
		return fault.NotFound()
	})
	if f.Take(err) {
		return p.batchForm(w, r, f)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/chamber/letters/batches/"+r.PathValue("id"), phrase)
}
