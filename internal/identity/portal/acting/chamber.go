package acting

import (
	"net/http"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/application"
	"zunft/internal/identity/mandate"
	"zunft/internal/identity/textblock"
	"zunft/internal/identity/visitor"
)

// queuePage is what a chamber's clerks approve, or have decided.
type queuePage struct {
	web.Frame
	Items   []line
	Decided bool
	More    string
}

func (p *Pages) queue(w http.ResponseWriter, r *http.Request) error {
	v, q := visitor.Of(r), r.URL.Query()
	page := &queuePage{Decided: q.Get("show") == "decided"}
	page.Wide = true
	page.Back = web.Link{Text: p.text(r, "acting.desk"), Href: "/chamber"}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		items, err := mandate.Queue(tx, web.Actor(r), v.Chamber, page.Decided, q.Get("after"), pageSize+1)
		if err != nil {
			return err
		}
		if len(items) > pageSize {
			items = items[:pageSize]
			page.More = query("/chamber/mandates", "show", q.Get("show"), "after", items[pageSize-1].ID)
		}
		offers, err := application.AllOffers(tx)
		page.Items = lines(offers, items, web.Lang(r))
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "queue", page)
}

// decidePage is one mandate for a clerk.
type decidePage struct {
	web.Frame
	Form   *web.Form
	Item   mandate.Item
	Roles  []string
	People []mandate.Named
	Blocks []web.Option // words that clerks write often
}

// Refusing keeps the part open that the clerk was writing in.
func (d *decidePage) Refusing() bool {
	return d.Form.Values.Get("answer") != "" || d.Form.Values.Get("do") == "refuse"
}

func (p *Pages) toDecide(w http.ResponseWriter, r *http.Request) error {
	return p.showDecide(w, r, web.NewForm())
}

func (p *Pages) showDecide(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	page := &decidePage{Form: f}
	page.Back = web.Link{Text: p.text(r, "acting.mandates"), Href: "/chamber/mandates"}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		if page.Item, err = mandate.ForClerk(tx, web.Actor(r), r.PathValue("id")); err != nil {
			return err
		}
		if page.People, err = mandate.Persons(tx, page.Item.ID); err != nil {
			return err
		}
		blocks, err := textblock.List(tx, page.Item.Chamber, textblock.Mandate)
		if err != nil {
			return err
		}
		for _, b := range blocks {
			page.Blocks = append(page.Blocks, web.Option{Value: b.ID, Text: b.Title})
		}
		offers, err := application.AllOffers(tx)
		page.Roles = roleNames(offers, page.Item.Mandate, web.Lang(r))
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, f.Status(), templates, "decide", page)
}

// decide approves, refuses, or puts a text block into the answer.
func (p *Pages) decide(w http.ResponseWriter, r *http.Request) error {
	f, by, id := web.ReadForm(r), web.Actor(r), r.PathValue("id")
	done := ""
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		switch f.Text("do") {
		case "approve":
			done = "acting.approved"
			return mandate.Approve(tx, by, id)
		case "refuse":
			done = "acting.refused"
			return mandate.Refuse(tx, by, id, f.Lines("answer"))
		case "insert":
			i, err := mandate.ForClerk(tx, by, id)
			if err != nil {
				return err
			}
			b, err := textblock.Get(tx, i.Chamber, f.Text("block"))
			if err == nil {
				f.Values.Set("answer", f.Lines("answer")+"\n"+b.Body)
			}
			return err
		}
		return fault.Invalid("", "web.form_unreadable")
	})
	if f.Take(err) {
		return p.showDecide(w, r, f)
	}
	if err != nil {
		return err
	}
	if done == "" {
		return p.showDecide(w, r, f)
	}
	return p.Site.Done(w, r, "/chamber/mandates", done)
}
