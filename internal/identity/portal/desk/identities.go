package desk

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/correction"
)

type identitiesPage struct {
	web.Frame
	clock
	Items          []correction.Item
	Decided        bool // those that are decided are shown
	Previous, Next string
	Number         int
}

// identities lists the names to be corrected (R219).
func (p *Pages) identities(w http.ResponseWriter, r *http.Request) error {
	q := web.ReadQuery(r)
	page := &identitiesPage{Frame: web.Frame{Wide: true, Back: web.Link{Text: p.text(r, "desk.start_title"), Href: "/chamber"}}, Decided: q.Text("status") == "done"}
	page.Number = min(max(q.Number("page"), 1), 1000)
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		id, err := mine(tx, r)
		if err != nil {
			return err
		}
		page.clock = p.clock(tx, r)
		page.Items, err = correction.Queue(tx, web.Actor(r), id, page.Decided, (page.Number-1)*correction.PageSize)
		return err
	})
	if err != nil {
		return err
	}
	turn := func(n int) string {
		return "/chamber/identities?" + url.Values{"status": {q.Text("status")}, "page": {strconv.Itoa(n)}}.Encode()
	}
	if len(page.Items) > correction.PageSize {
		page.Items, page.Next = page.Items[:correction.PageSize], turn(page.Number+1)
	}
	if page.Number > 1 {
		page.Previous = turn(page.Number - 1)
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "identities", page)
}

// A NameLine compares one part of a name as it is with what is wanted.
type NameLine struct {
	Field       string
	Now, Wanted []Piece
	Differs     bool
}

type identityPage struct {
	web.Frame
	clock
	Form    *web.Form
	Case    correction.Item
	Lines   []NameLine
	Numbers []account.Number
	Own     bool // the clerk is the person
	Open    bool // can be decided by this clerk now
}

// Refusing keeps the part open that the clerk was writing in.
func (c *identityPage) Refusing() bool { return c.Form.Text("do") == "refuse" }

func (p *Pages) identity(w http.ResponseWriter, r *http.Request) error {
	return p.showIdentity(w, r, nil)
}

func (p *Pages) showIdentity(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	page := &identityPage{Form: f, Frame: web.Frame{Wide: true, Back: web.Link{Text: p.text(r, "desk.identities"), Href: "/chamber/identities"}}}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		page.clock = p.clock(tx, r)
		if page.Case, err = correction.Get(tx, web.Actor(r), r.PathValue("id")); err != nil {
			return err
		}
		page.Numbers, err = account.Numbers(tx, page.Case.Account)
		return err
	})
	if err != nil {
		return err
	}
	c := page.Case
	page.Own = c.Account == web.Actor(r).Account
	page.Open = c.State == correction.Submitted && !page.Own
	for _, l := range [][3]string{{"title", c.Person.Title, c.Title}, {"given_name", c.Person.GivenName, c.GivenName}, {"family_name", c.Person.FamilyName, c.FamilyName}} {
		line := NameLine{Field: l[0], Now: plain(l[1]), Wanted: plain(l[2]), Differs: l[1] != l[2]}
		if line.Differs && l[1] != "" && l[2] != "" {
			line.Now, line.Wanted = mark(l[1], l[2])
		}
		page.Lines = append(page.Lines, line)
	}
	if page.Form == nil {
		page.Form = web.NewForm("title", c.Title, "given_name", c.GivenName, "family_name", c.FamilyName)
	}
	return p.Site.Show(w, r, page.Form.Status(), templates, "identity", page)
}

func (p *Pages) decideIdentity(w http.ResponseWriter, r *http.Request) error {
	f, by, id := web.ReadForm(r), web.Actor(r), r.PathValue("id")
	phrase, name := "", ""
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		switch f.Text("do") {
		case "approve":
			phrase = "desk.identity_approved"
			c, err := correction.Approve(tx, by, id, f.Text("title"), f.Text("given_name"), f.Text("family_name"))
			name = c.Name()
			return err
		case "refuse":
			phrase = "desk.identity_refused"
			c, err := correction.Get(tx, by, id)
			if err != nil {
				return err
			}
			name = c.Person.Name()
			return correction.Refuse(tx, by, id, f.Lines("answer"))
		}
		return fault.Invalid("", "web.form_unreadable")
	})
	if f.Take(err) {
		return p.showIdentity(w, r, f)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/chamber/identities", phrase, strings.TrimSpace(name))
}
