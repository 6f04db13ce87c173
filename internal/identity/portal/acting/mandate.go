package acting

import (
	"bytes"
	"net/http"
	"strconv"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/mail"
	"zunft/internal/ground/paper"
	"zunft/internal/ground/web"
	"zunft/internal/identity/application"
	"zunft/internal/identity/behalf"
	"zunft/internal/identity/mandate"
	"zunft/internal/identity/membership"
)

func gone(err error) bool { return fault.Is(err, fault.KindNotFound) }

// mandatePage is one mandate for those who speak for its sides or act by it.
type mandatePage struct {
	web.Frame
	Form   *web.Form
	Item   mandate.Item
	Roles  []string
	People []mandate.Named // of a representing organization
	Acts   bool            // the reader can act by it now
	Value  string          // of that context
}

func (p *Pages) mandate(w http.ResponseWriter, r *http.Request) error {
	return p.showMandate(w, r, web.NewForm())
}

func (p *Pages) showMandate(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	page := &mandatePage{Form: f}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) { return page.load(tx, r) })
	if err != nil {
		return err
	}
	page.Back = p.backToList(r, page.Item)
	return p.Site.Show(w, r, f.Status(), templates, "mandate", page)
}

func (page *mandatePage) load(tx *db.Tx, r *http.Request) (err error) {
	by := web.Actor(r)
	if page.Item, err = mandate.Get(tx, by, r.PathValue("id")); err != nil {
		return err
	}
	offers, err := application.AllOffers(tx)
	if err != nil {
		return err
	}
	page.Roles = roleNames(offers, page.Item.Mandate, web.Lang(r))
	if page.Item.Representative != "" && !page.Item.By.Hidden {
		if page.People, err = mandate.Persons(tx, page.Item.ID); err != nil {
			return err
		}
	}
	page.Value = behalf.Context{Mandate: page.Item.ID}.Value()
	c, err := behalf.Look(tx, by.Account, behalf.Anyhow, page.Item.Principal, page.Item.ID)
	if page.Acts = err == nil; page.Acts {
		page.Value = c.Value()
	}
	if gone(err) {
		err = nil
	}
	return err
}

// backToList is the list in which the reader has the mandate.
func (p *Pages) backToList(r *http.Request, i mandate.Item) web.Link {
	l := web.Link{Text: p.text(r, "acting.mandates"), Href: "/account/mandates"}
	switch {
	case i.SideRepresenting && i.Representative != "":
		l.Href = "/organizations/" + i.Representative + "/mandates"
	case i.SidePrincipal && !i.SideRepresenting:
		l.Href = "/organizations/" + i.Principal + "/mandates"
	}
	return l
}

// answer accepts or declines what the other side has proposed. Accepting for
// the principal gives power.
func (p *Pages) answer(w http.ResponseWriter, r *http.Request) error {
	f, by, id := web.ReadForm(r), web.Actor(r), r.PathValue("id")
	yes := f.Text("do") == "accept"
	var i mandate.Item
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) { i, err = mandate.Get(tx, by, id); return err })
	if err != nil {
		return err
	}
	if yes && i.ProposedSide == mandate.ForRepresentative {
		if sure, err := p.Door.Sure(w, r); !sure {
			return err
		}
	}
	done, to := "acting.declined", p.backToList(r, i).Href
	err = p.DB.Write(r.Context(), func(tx *db.Tx) error {
		if !yes {
			return mandate.Decline(tx, by, id)
		}
		m, err := mandate.Accept(tx, by, id)
		if done = "acting.accepted"; m.State == mandate.Accepted {
			done = "acting.accepted_waits"
		}
		to = "/mandates/" + id
		if m.Representative != "" && i.SideRepresenting { // now say who acts
			to += "/people"
		}
		return err
	})
	if f.Take(err) {
		return p.showMandate(w, r, f)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, to, done)
}

// revokePage asks whether to end a mandate.
type revokePage struct {
	web.Frame
	Form *web.Form
	Item mandate.Item
}

func (p *Pages) revoke(w http.ResponseWriter, r *http.Request) error {
	return p.showRevoke(w, r, web.NewForm())
}

func (p *Pages) showRevoke(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	page := &revokePage{Form: f}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		page.Item, err = mandate.Get(tx, web.Actor(r), r.PathValue("id"))
		return err
	})
	if err != nil {
		return err
	}
	page.Back = web.Link{Text: page.Item.Reference, Href: "/mandates/" + page.Item.ID}
	return p.Site.Show(w, r, f.Status(), templates, "revoke", page)
}

func (p *Pages) doRevoke(w http.ResponseWriter, r *http.Request) error {
	f, id := web.ReadForm(r), r.PathValue("id")
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error { return mandate.Revoke(tx, web.Actor(r), id) })
	if f.Take(err) {
		return p.showRevoke(w, r, f)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/mandates/"+id, "acting.revoked")
}

// peoplePage is where a representing organization says who of its people acts.
type peoplePage struct {
	web.Frame
	Form   *web.Form
	Item   mandate.Item
	Named  []mandate.Named
	Others []membership.Listed // members that were found
	Search string
	More   string
}

func (p *Pages) people(w http.ResponseWriter, r *http.Request) error {
	return p.showPeople(w, r, web.NewForm())
}

func (p *Pages) showPeople(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	page := &peoplePage{Form: f, Search: web.ReadQuery(r).Text("q")}
	by := web.Actor(r)
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		if page.Item, err = mandate.Get(tx, by, r.PathValue("id")); err != nil {
			return err
		}
		if page.Item.Representative == "" || !page.Item.SideRepresenting {
			return fault.NotFound()
		}
		if page.Named, err = mandate.Persons(tx, page.Item.ID); err != nil {
			return err
		}
		named := map[string]bool{}
		for _, n := range page.Named {
			named[n.Account] = true
		}
		found, err := membership.List(tx, by, page.Item.Representative, membership.Filter{Search: page.Search}, r.URL.Query().Get("after"), pageSize+1)
		if err != nil {
			return err
		}
		if len(found) > pageSize {
			found = found[:pageSize]
			page.More = query(r.URL.Path, "q", page.Search, "after", found[pageSize-1].ID)
		}
		for _, m := range found {
			if !named[m.Account] {
				page.Others = append(page.Others, m)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	page.Back = web.Link{Text: page.Item.Reference, Href: "/mandates/" + page.Item.ID}
	return p.Site.Show(w, r, f.Status(), templates, "people", page)
}

// setPerson lets one of one's people act, or no more.
func (p *Pages) setPerson(w http.ResponseWriter, r *http.Request) error {
	f, id := web.ReadForm(r), r.PathValue("id")
	account, yes := f.Text("add"), true
	if account == "" {
		account, yes = f.Text("remove"), false
	}
	if yes {
		if sure, err := p.Door.Sure(w, r); !sure {
			return err
		}
	}
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error { return mandate.SetPerson(tx, web.Actor(r), id, account, yes) })
	if f.Take(err) {
		return p.showPeople(w, r, f)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, query("/mandates/"+id+"/people", "q", r.URL.Query().Get("q")), map[bool]string{true: "acting.named", false: "acting.unnamed"}[yes])
}

// form is the mandate on paper, with lines to sign: for the files of both
// sides. What holds is what the portal says.
func (p *Pages) form(w http.ResponseWriter, r *http.Request) error {
	page := &mandatePage{}
	var at db.Time
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) { at = tx.Now(); return page.load(tx, r) })
	if err != nil {
		return err
	}
	i, say := page.Item, func(key string, args ...any) string { return p.text(r, key, args...) }
	date := func(t db.Time) string { return t.In(mail.Berlin).Format("02.01.2006") }
	party := func(o mandate.Party) string {
		if o.Hidden {
			return say("acting.by_number", o.IdentNumber, o.ChamberNo)
		}
		return o.Name + ", " + o.Address
	}
	by := i.Person
	if i.Representative != "" {
		by = party(i.By)
	}
	s := paper.Sheet{
		Title: say("acting.form_title"), Subtitle: p.Site.Owner, Author: p.Site.Owner, Lang: web.Lang(r), Date: at.Time,
		Facts: [][2]string{
			{say("acting.for"), party(i.For)},
			{say("acting.by"), by},
			{say("acting.period"), say("acting.from_until", date(i.StartsAt), date(i.LastDay()))},
			{say("acting.state"), say("acting.state_" + i.State)},
			{say("acting.reference"), i.Reference},
		},
		Sections: []paper.Section{{Heading: say("acting.scope")}},
		Sign:     []string{say("acting.sign_principal"), say("acting.sign_representative")},
		Footer:   say("acting.form_footer", i.Reference, date(at)),
	}
	for _, role := range page.Roles {
		s.Sections[0].Text += "• " + role + "\n"
	}
	if i.Note != "" {
		s.Sections = append(s.Sections, paper.Section{Heading: say("acting.note"), Text: i.Note})
	}
	if len(page.People) > 0 {
		var people string
		for _, n := range page.People {
			people += "• " + n.Name + "\n"
		}
		s.Sections = append(s.Sections, paper.Section{Heading: say("acting.people"), Text: people})
	}
	s.Sections = append(s.Sections, paper.Section{Text: say("acting.form_text")})
	var b bytes.Buffer
	if err := paper.WriteSheet(&b, s); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/pdf")
	h.Set("Content-Disposition", `attachment; filename="`+i.Reference+`.pdf"`)
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	_, err = w.Write(b.Bytes())
	return err
}
