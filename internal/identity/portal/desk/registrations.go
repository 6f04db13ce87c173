package desk

import (
	"net/http"
	"net/url"
	"strconv"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/directory"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/registration"
)

type listPage struct {
	web.Frame
	clock
	Form           *web.Form
	Items          []registration.Item
	Statuses, Sort []web.Option
	Previous, Next string // addresses of the neighboring pages
	Number         int
}

func (p *Pages) list(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadQuery(r)
	page := &listPage{Form: f, Frame: web.Frame{Wide: true}}
	page.Number = f.Number("page")
	page.Number = min(max(page.Number, 1), 1000)
	filter := registration.Filter{Status: f.Text("status"), Sort: f.Text("sort"), Offset: (page.Number - 1) * registration.PageSize}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		id, err := mine(tx, r)
		if err != nil {
			return err
		}
		page.clock = p.clock(tx, r)
		page.Items, err = registration.Queue(tx, web.Actor(r), id, filter)
		return err
	})
	if err != nil {
		return err
	}
	turn := func(n int) string {
		return "/chamber/registrations?" + url.Values{"status": {filter.Status}, "sort": {filter.Sort}, "page": {strconv.Itoa(n)}}.Encode()
	}
	if len(page.Items) > registration.PageSize {
		page.Items, page.Next = page.Items[:registration.PageSize], turn(page.Number+1)
	}
	if page.Number > 1 {
		page.Previous = turn(page.Number - 1)
	}
	for _, s := range []string{registration.StatusOpen, registration.StatusMine, registration.StatusAskedBack, registration.StatusDone} {
		page.Statuses = append(page.Statuses, web.Option{Value: s, Text: p.text(r, "desk.status."+s)})
	}
	for _, s := range []string{"age", "score", "name"} {
		page.Sort = append(page.Sort, web.Option{Value: s, Text: p.text(r, "desk.sort."+s)})
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "list", page)
}

// A Side is one entry of the directory beside the application.
type Side struct {
	Entry directory.Entry
	Match directory.Match
	Href  string
	Shown bool
}

type casePage struct {
	web.Frame
	Form *web.Form
	clock
	Case       registration.Item
	Applicant  account.Account
	Chamber    chamber.Chamber
	Candidates []Side
	Chosen     *Side
	Lines      []Line
	Evidence   []web.Option
	Next       string
	Mine       bool // the clerk has it
	Own        bool // the clerk is the applicant
	Open       bool // can be decided by this clerk now
	Ident      string
}

func (p *Pages) loadCase(r *http.Request, f *web.Form) (*casePage, error) {
	page := &casePage{Form: f, Frame: web.Frame{Wide: true, Back: web.Link{Text: p.text(r, "desk.list_title"), Href: "/chamber/registrations"}}}
	by := web.Actor(r)
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		page.clock = p.clock(tx, r)
		reg, err := registration.GetRegistration(tx, by, r.PathValue("id"))
		if err != nil {
			return err
		}
		if page.Case, err = registration.ItemOf(tx, by, reg); err != nil {
			return err
		}
		if page.Applicant, err = account.Get(tx, reg.Applicant); err != nil {
			return err
		}
		if page.Chamber, err = chamber.Get(tx, reg.Chamber); err != nil {
			return err
		}
		if page.Next, err = registration.Next(tx, by, reg); err != nil {
			return err
		}
		return page.candidates(tx, r)
	})
	if err != nil {
		return nil, err
	}
	page.Mine = page.Case.Clerk == by.Account
	page.Own = page.Case.Applicant == by.Account
	page.Open = page.Case.Pending() && !page.Own && (page.Mine || page.Case.Clerk == "")
	for _, m := range organization.Methods() {
		page.Evidence = append(page.Evidence, web.Option{Value: m, Text: p.text(r, "desk.evidence."+m), Hint: p.text(r, "desk.evidence_hint."+m)})
	}
	return page, nil
}

// candidates finds the entries to choose from; the one in the address, else
// the one found when the application came in, else the most similar is shown.
func (c *casePage) candidates(tx *db.Tx, r *http.Request) error {
	found, err := directory.Candidates(tx, c.Case.Chamber, c.Case.Company, 5)
	if err != nil {
		return err
	}
	wanted := c.Case.Entry
	if e := c.Form.Text("entry"); e != "" {
		wanted = e
	} else if e := web.ReadQuery(r).Text("entry"); e != "" {
		wanted = e
	}
	c.Ident = web.ReadQuery(r).Text("ident")
	more := func(e directory.Entry, err error) error {
		if fault.Is(err, fault.KindNotFound) || err == nil && e.Chamber != c.Case.Chamber {
			return nil
		}
		for _, known := range found {
			if known.Entry.ID == e.ID {
				return err
			}
		}
		found = append(found, directory.Candidate{Entry: e, Match: directory.Compare(c.Case.Company, e.Company, c.Chamber.Number)})
		return err
	}
	if c.Ident != "" {
		e, err := directory.ByIdent(tx, c.Case.Chamber, c.Ident)
		if err == nil {
			wanted = e.ID
		}
		if err := more(e, err); err != nil {
			return err
		}
	}
	if wanted != "" {
		e, err := directory.Get(tx, wanted)
		if err := more(e, err); err != nil {
			return err
		}
	}
	chosen := -1
	for i, k := range found {
		if k.Entry.ID == wanted {
			chosen = i
		}
		c.Candidates = append(c.Candidates, Side{Entry: k.Entry, Match: k.Match, Href: "/chamber/registrations/" + c.Case.ID + "?entry=" + k.Entry.ID})
	}
	if chosen < 0 && len(found) > 0 {
		chosen = 0
	}
	if chosen >= 0 {
		c.Candidates[chosen].Shown = true
		c.Chosen = &c.Candidates[chosen]
		c.Lines = beside(c.Chosen.Match)
	}
	return nil
}

func (p *Pages) showCase(w http.ResponseWriter, r *http.Request) error {
	page, err := p.loadCase(r, web.NewForm())
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "case", page)
}

// decide is what a clerk does with a case; the button says what.
func (p *Pages) decide(w http.ResponseWriter, r *http.Request) error {
	f, by, id := web.ReadForm(r), web.Actor(r), r.PathValue("id")
	version := f.Number("version")
	phrase, next, name := "", "", ""
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		reg, err := registration.GetRegistration(tx, by, id)
		if err != nil {
			return err
		}
		name = reg.Name
		switch f.Text("do") {
		case "claim":
			phrase = "desk.claimed"
			return registration.Claim(tx, by, id)
		case "release":
			phrase = "desk.released"
			return registration.Release(tx, by, id)
		case "takeover":
			phrase = "desk.claimed"
			return registration.TakeOver(tx, by, id, f.Text("from"))
		case "approve":
			phrase = "desk.approved"
			_, err = registration.Approve(tx, by, id, version, f.Text("entry"), f.Text("evidence"))
		case "ask":
			phrase = "desk.asked"
			err = registration.AskBack(tx, by, id, version, f.Lines("question"))
		case "refuse":
			phrase = "desk.refused"
			err = registration.Refuse(tx, by, id, version, f.Lines("refusal"))
		default:
			return fault.Invalid("", "web.form_unreadable")
		}
		if err == nil {
			next, err = registration.Next(tx, by, reg)
		}
		return err
	})
	if f.Take(err) {
		page, err := p.loadCase(r, f)
		if err != nil {
			return err
		}
		return p.Site.Show(w, r, f.Status(), templates, "case", page)
	}
	if err != nil {
		return err
	}
	to := "/chamber/registrations"
	switch {
	case phrase == "desk.claimed" || phrase == "desk.released":
		to += "/" + id
	case next != "":
		to += "/" + next
	}
	return p.Site.Done(w, r, to, phrase, name)
}

// Asking and Refusing keep the part open that the clerk was writing in.
func (c *casePage) Asking() bool { return c.Form.Text("do") == "ask" }

// Refusing: see Asking.
func (c *casePage) Refusing() bool { return c.Form.Text("do") == "refuse" }
