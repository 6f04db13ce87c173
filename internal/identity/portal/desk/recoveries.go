package desk

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/recovery"
)

type recoveriesPage struct {
	web.Frame
	clock
	Form           *web.Form
	Items          []recovery.Recovery
	Statuses       []web.Option
	Names          map[string]string // of clerks
	Previous, Next string
	Number         int
}

func (p *Pages) recoveries(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadQuery(r)
	page := &recoveriesPage{Form: f, Frame: web.Frame{Wide: true, Back: web.Link{Text: p.text(r, "desk.start_title"), Href: "/chamber"}}, Number: min(max(f.Number("page"), 1), 1000)}
	status := f.Text("status")
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		id, err := mine(tx, r)
		if err != nil {
			return err
		}
		page.clock = p.clock(tx, r)
		if page.Items, err = recovery.Queue(tx, web.Actor(r), id, status, (page.Number-1)*recovery.PageSize); err != nil {
			return err
		}
		var clerks []string
		for _, q := range page.Items {
			clerks = append(clerks, q.Clerk)
		}
		page.Names, err = names(tx, clerks)
		return err
	})
	if err != nil {
		return err
	}
	turn := func(n int) string {
		return "/chamber/recoveries?" + url.Values{"status": {status}, "page": {strconv.Itoa(n)}}.Encode()
	}
	if len(page.Items) > recovery.PageSize {
		page.Items, page.Next = page.Items[:recovery.PageSize], turn(page.Number+1)
	}
	if page.Number > 1 {
		page.Previous = turn(page.Number - 1)
	}
	for _, s := range []string{recovery.StatusOpen, recovery.StatusWaiting, recovery.StatusDone} {
		page.Statuses = append(page.Statuses, web.Option{Value: s, Text: p.text(r, "desk.recovery.status."+s)})
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "recoveries", page)
}

type recoveryPage struct {
	web.Frame
	clock
	Form       *web.Form
	Case       recovery.Recovery
	Chamber    chamber.Chamber
	Candidates []recovery.Candidate
	Chosen     *recovery.Candidate // beside the claim; matched, or looked at
	Matched    bool                // the owner of the account has been told
	Lines      []Line
	Evidence   []web.Option
	Decider    string
}

// Searching, Refusing keep the part open that the clerk was writing in.
func (c *recoveryPage) Searching() bool { return c.Form.Text("do") == "find" }

// Refusing: see Searching.
func (c *recoveryPage) Refusing() bool { return c.Form.Text("do") == "refuse" }

func (p *Pages) showRecovery(w http.ResponseWriter, r *http.Request) error {
	return p.recoveryForm(w, r, web.NewForm())
}

func (p *Pages) recoveryForm(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	page := &recoveryPage{Form: f, Frame: web.Frame{Wide: true, Back: web.Link{Text: p.text(r, "desk.recovery.list_title"), Href: "/chamber/recoveries"}}}
	by, seen := web.Actor(r), web.ReadQuery(r).Text("account")
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		page.clock = p.clock(tx, r)
		if page.Case, err = recovery.Get(tx, by, r.PathValue("id")); err != nil {
			return err
		}
		if page.Chamber, err = chamber.Get(tx, page.Case.Chamber); err != nil {
			return err
		}
		deciders, err := names(tx, []string{page.Case.Clerk})
		if err != nil {
			return err
		}
		page.Decider = deciders[page.Case.Clerk]
		page.Candidates, err = recovery.Candidates(tx, page.Case, seen)
		return err
	})
	if err != nil {
		return err
	}
	page.choose(seen)
	for _, m := range recovery.Methods() {
		page.Evidence = append(page.Evidence, web.Option{Value: m, Text: p.text(r, "desk.recovery.evidence."+m), Hint: p.text(r, "desk.recovery.evidence_hint."+m)})
	}
	return p.Site.Show(w, r, f.Status(), templates, "recovery", page)
}

// choose puts one account beside what was claimed: the matched one, the one in
// the address, else the first.
func (c *recoveryPage) choose(wanted string) {
	if len(c.Candidates) == 0 {
		return
	}
	c.Chosen = &c.Candidates[0]
	for i, k := range c.Candidates {
		if k.ID == wanted {
			c.Chosen = &c.Candidates[i]
		}
	}
	c.Matched = c.Chosen.ID == c.Case.Account
	a, q := c.Chosen, c.Case.Claim
	line := func(field, claimed, has string, same bool) {
		l := Line{Field: field, Verdict: "different"}
		switch {
		case claimed == "" || has == "":
			l.Applied, l.Listed, l.Verdict = plain(claimed), plain(has), "missing"
		case same:
			l.Applied, l.Listed, l.Verdict = plain(claimed), plain(has), "same"
		default:
			l.Applied, l.Listed = plain(claimed), plain(has)
		}
		c.Lines = append(c.Lines, l)
	}
	line("person", q.Name(), a.Name(), a.NameFits)
	line("login", q.Login, strings.Join(append(a.Addresses, a.Username), ", "), a.LoginFits)
	line("number", q.Number, strings.Join(append(a.Numbers, a.Companies...), ", "), a.NumberFits)
}

// decideRecovery is what a clerk does with a request; the button says what.
func (p *Pages) decideRecovery(w http.ResponseWriter, r *http.Request) error {
	f, by, id := web.ReadForm(r), web.Actor(r), r.PathValue("id")
	do := f.Text("do")
	if do == "approve" || do == "print" { // what opens somebody's account
		if err := p.DB.Read(r.Context(), func(tx *db.Tx) error { _, err := recovery.Get(tx, by, id); return err }); err != nil {
			return err
		}
		if sure, err := p.Door.Sure(w, r); !sure {
			return err
		}
	}
	if do == "print" {
		return p.printRecovery(w, r, f)
	}
	phrase, to, name := "", "/chamber/recoveries/"+id, ""
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		q, err := recovery.Get(tx, by, id)
		if err != nil {
			return err
		}
		name = q.Claim.Name()
		switch do {
		case "find":
			found, err := recovery.Search(tx, by, id, f.Text("find"))
			to += "?account=" + found.ID
			phrase = "desk.recovery.found"
			return err
		case "match":
			phrase = "desk.recovery.matched"
			return recovery.Match(tx, by, id, f.Text("account"))
		case "approve":
			phrase = "desk.recovery.approved"
			return recovery.Approve(tx, by, id, f.Text("account"), f.Text("evidence"), f.Lines("address"))
		case "refuse":
			phrase, to = "desk.recovery.refused", "/chamber/recoveries"
			return recovery.Refuse(tx, by, id, f.Lines("refusal"))
		}
		return fault.Invalid("", "web.form_unreadable")
	})
	if f.Take(err) {
		return p.recoveryForm(w, r, f)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, to, phrase, name)
}

// printRecovery answers with the paper, the only place where the code stands in
// clear; it is kept nowhere.
func (p *Pages) printRecovery(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	q, pdf, err := recovery.Print(r.Context(), p.DB, web.Actor(r), r.PathValue("id"), p.Site.Base+"/recover")
	if f.Take(err) {
		return p.recoveryForm(w, r, f)
	}
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/pdf")
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s.pdf"`, q.Reference))
	h.Set("Content-Length", strconv.Itoa(len(pdf)))
	h.Set("Cache-Control", "no-store")
	_, err = w.Write(pdf)
	return err
}
