package desk

import (
	"bytes"
	"cmp"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/letter"
	"zunft/internal/identity/recovery"
)

type lettersPage struct {
	web.Frame
	Form *web.Form
	clock
	Waiting []letter.Letter
	Counts  letter.Counts
	Most    int
	Batches []letter.Batch
	Names   map[string]string // of clerks
	Shop    bool
	Older   string
}

// Next is how many letters the next batch takes.
func (l *lettersPage) Next() int { return min(l.Counts.Waiting, l.Most) }

// showLetters is the list; ?find= goes to the batch with that reference, which
// stands on an envelope that came back.
func (p *Pages) showLetters(w http.ResponseWriter, r *http.Request) error {
	f := web.NewForm()
	if find := web.ReadQuery(r).Text("find"); find != "" {
		f = web.NewForm("find", find)
		var b letter.Batch
		err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
			id, err := mine(tx, r)
			if err != nil {
				return err
			}
			b, err = letter.FindBatch(tx, id, find)
			return err
		})
		if err == nil {
			return web.See(w, r, "/chamber/letters/batches/"+b.ID)
		}
		if !fault.Is(err, fault.KindNotFound) {
			return err
		}
		f.Add("find", "desk.batch_unknown")
	}
	return p.lettersForm(w, r, f)
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
		page.Waiting = page.Waiting[:min(len(page.Waiting), page.Most)]
		if page.Counts, err = letter.Count(tx, id); err != nil {
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
	if sure, err := p.Door.Sure(w, r); !sure {
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
	return sendPDF(w, batch.Reference, pdf)
}

// sendPDF answers with a file that no browser keeps.
func sendPDF(w http.ResponseWriter, name string, pdf []byte) error {
	h := w.Header()
	h.Set("Content-Type", "application/pdf")
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s.pdf"`, name))
	h.Set("Content-Length", strconv.Itoa(len(pdf)))
	h.Set("Cache-Control", "no-store")
	_, err := w.Write(pdf)
	return err
}

// sheet is the cover sheet of a batch: what is in it, to be signed by whoever
// takes it to the post. It holds no code and can be printed at any time.
func (p *Pages) sheet(w http.ResponseWriter, r *http.Request) error {
	var b bytes.Buffer
	var batch letter.Batch
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		found, letters, err := p.ownBatch(tx, r)
		if err != nil {
			return err
		}
		batch = found
		c, err := chamber.Get(tx, batch.Chamber)
		if err != nil {
			return err
		}
		people, err := names(tx, []string{batch.PrintedBy})
		if err != nil {
			return err
		}
		return letter.WriteSheet(&b, batch, letters, c, people[batch.PrintedBy])
	})
	if err != nil {
		return err
	}
	return sendPDF(w, batch.Reference+"-"+p.text(r, "desk.sheet_file"), b.Bytes())
}

type returnedPage struct {
	web.Frame
	clock
	Letters []letter.Letter
	Older   string
}

func (p *Pages) returned(w http.ResponseWriter, r *http.Request) error {
	page := &returnedPage{Frame: web.Frame{Wide: true, Back: web.Link{Text: p.text(r, "desk.letters_title"), Href: "/chamber/letters"}}}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		id, err := mine(tx, r)
		if err != nil {
			return err
		}
		page.clock = p.clock(tx, r)
		page.Letters, err = letter.ReturnedLetters(tx, id, web.ReadQuery(r).Text("before"))
		return err
	})
	if err != nil {
		return err
	}
	if n := len(page.Letters); n == 50 {
		page.Older = page.Letters[n-1].ID
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "returned", page)
}

type batchPage struct {
	web.Frame
	Form    *web.Form
	Batch   letter.Batch
	Letters []letter.Letter
	Names   map[string]string
	Open    string       // id of the letter that came back
	Whys    []web.Option // … and why
}

// Number of a letter in the batch, as it stands on it behind the stroke.
func (b *batchPage) Number(i int) int { return i + 1 }

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
		page.Open = cmp.Or(f.Text("returned"), web.ReadQuery(r).Text("returned"))
		page.Names, err = names(tx, []string{page.Batch.PrintedBy, page.Batch.DispatchedBy})
		return err
	})
	if err != nil {
		return err
	}
	page.Whys = []web.Option{{Text: p.text(r, "desk.choose")}}
	for _, why := range letter.Whys() {
		page.Whys = append(page.Whys, web.Option{Value: why, Text: p.text(r, "desk.why."+why)})
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
			switch l.ID {
			case f.Text("letter"):
				return letter.Reprint(tx, by, l.ID)
			case f.Text("returned"):
				phrase = "desk.returned_booked"
				return letter.Return(tx, by, l.ID, f.Text("why"))
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
