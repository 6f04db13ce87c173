package recovering

import (
	"bytes"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/password"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/recovery"
)

// A step of the history.
type step struct {
	At   db.Time
	Text string // phrase
}

// statusPage is all that status.html may use.
type statusPage struct {
	web.Frame
	Form    *web.Form
	Request recovery.Recovery
	Chamber chamber.Chamber
	Steps   []step
	Next    string // what comes now: "", "wait", "paper", "burned", "code", "choose", "confirm"
	Hint    string // rule of the password
	Login   string // how the account is called, once the code was right
	Target  string // address that waits for its code

	Bring, Then []string // to the chamber; and what follows
}

// Kind of the tag that says the state.
func (s *statusPage) Kind() string {
	switch s.Request.State {
	case recovery.Done:
		return "success"
	case recovery.Refused, recovery.Cancelled:
		return "danger"
	case recovery.Expired:
		return "neutral"
	}
	return "info"
}

// Over reports whether nothing can come of it any more.
func (s *statusPage) Over() bool {
	return s.Request.State == recovery.Refused || s.Request.State == recovery.Cancelled || s.Request.State == recovery.Expired
}

func (p *Pages) status(w http.ResponseWriter, r *http.Request) error {
	return p.showStatus(w, r, web.NewForm())
}

func (p *Pages) showStatus(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	page := &statusPage{Form: f, Bring: p.lines(r, "recovery.receipt.bring_text"), Then: p.lines(r, "recovery.receipt.then_text")}
	page.Back = web.Link{Text: p.text(r, "recovering.title"), Href: "/recover"}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		if page.Request, err = recovery.Find(tx, r.PathValue("ref"), p.known(r)); err != nil {
			return err
		}
		if page.Chamber, err = chamber.Get(tx, page.Request.Chamber); err != nil {
			return err
		}
		return page.fill(tx, p.Site.Cookie(r, proofCookie))
	})
	if fault.Is(err, fault.KindNotFound) { // another browser, or no such request: both are asked who they are
		return p.showStart(w, r, web.NewForm("reference", r.PathValue("ref")))
	}
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, f.Status(), templates, "status", page)
}

// place is the page of a request; what stood in the address stays quoted in it.
func place(r *http.Request) string { return "/recover/" + url.PathEscape(r.PathValue("ref")) }

// lines are the items of a phrase that is a list.
func (p *Pages) lines(r *http.Request, key string) []string {
	return strings.Split(p.text(r, key), "\n")
}

// fill finds out what comes next, in one place.
func (s *statusPage) fill(tx *db.Tx, secret string) (err error) {
	q := s.Request
	add := func(at db.Time, text string) {
		if !at.IsZero() {
			s.Steps = append(s.Steps, step{at, text})
		}
	}
	add(q.SubmittedAt, "recovering.step.submitted")
	if q.Evidence != "" {
		add(q.DecidedAt, "recovering.step.approved_"+q.Evidence)
	}
	if q.Evidence == recovery.ByLetter {
		add(q.PrintedAt, "recovering.step.printed")
	}
	if q.Decided() && q.DueAt.After(tx.Now()) || q.State == recovery.Approved {
		add(q.DueAt, "recovering.step.due")
	}
	if q.State == recovery.Refused {
		add(q.EndedAt, "recovering.step.refused")
	} else if !q.Pending() {
		add(q.EndedAt, "recovering.step."+q.State)
	}
	switch {
	case !q.Decided():
		return nil
	case !q.Ready(tx.Now()):
		s.Next = "wait"
		return nil
	case !q.Proved(tx, secret):
		s.Next = "code"
		if !q.Printed() {
			s.Next = "paper"
		} else if q.Burned() {
			s.Next = "burned"
		}
		return nil
	}
	a, err := account.Get(tx, q.Account)
	if err != nil {
		return err
	}
	rule, err := policy.Of(tx, a.Policy)
	if err != nil {
		return err
	}
	s.Login, s.Hint = a.Username, rule.Password.Hint()
	if s.Target, err = q.Target(tx); err != nil {
		return err
	}
	s.Next = "choose"
	if s.Target != "" && s.Form.Text("do") != "choose" && s.Form.Text("do") != "other" {
		s.Next = "confirm"
	}
	return nil
}

// goOn does the next step; the button says which.
func (p *Pages) goOn(w http.ResponseWriter, r *http.Request) error {
	f, by := web.ReadForm(r), web.Actor(r)
	secret := p.Site.Cookie(r, proofCookie)
	do := f.Text("do")
	phc := ""
	if do == "choose" {
		var err error
		if phc, err = p.password(r, f, secret); err != nil {
			return err
		}
		if !f.OK() {
			return p.showStatus(w, r, f)
		}
	}
	phrase := ""
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		q, err := recovery.Find(tx, r.PathValue("ref"), p.known(r))
		if err != nil {
			return err
		}
		switch do {
		case "code":
			secret, err = recovery.Prove(tx, by, q, f.Raw("code"))
		case "choose":
			phrase, err = "recovering.code_sent", recovery.Choose(tx, by, q, secret, f.Text("email"), phc)
		case "again":
			phrase, err = "recovering.code_sent", recovery.SendCode(tx, by, q, secret)
		case "confirm":
			phrase, err = "recovering.done", recovery.Complete(tx, by, q, secret, f.Raw("mail_code"))
		case "other":
		default:
			err = fault.Invalid("", "web.form_unreadable")
		}
		return err
	})
	if fault.Is(err, fault.KindNotFound) {
		return web.See(w, r, place(r))
	}
	if do == "confirm" {
		err = renamed(err)
	}
	if f.Take(err) || err == nil && do == "other" {
		return p.showStatus(w, r, f)
	}
	if err != nil {
		return err
	}
	to := place(r)
	switch do {
	case "code":
		p.Site.SetCookie(w, proofCookie, secret, time.Hour)
		return web.See(w, r, to)
	case "confirm":
		p.Site.SetCookie(w, proofCookie, "", -1)
	}
	return p.Site.Done(w, r, to, phrase)
}

// renamed puts a problem of the code from the mailbox beside its field: the
// code on paper is a field of the same page.
func renamed(err error) error {
	if ft := fault.Of(err); ft != nil {
		for i := range ft.Problems {
			if ft.Problems[i].Field == "code" {
				ft.Problems[i].Field = "mail_code"
			}
		}
	}
	return err
}

// hashRate bounds the hashing that one address can ask for.
var hashRate = limit.Rate{Burst: 40, Every: 15 * time.Second}

// password checks the new password by the rule of the account and hashes it;
// what is wrong is in the form.
func (p *Pages) password(r *http.Request, f *web.Form, secret string) (phc string, err error) {
	var rule password.Rule
	var about []string
	err = p.DB.Read(r.Context(), func(tx *db.Tx) error {
		q, err := recovery.Find(tx, r.PathValue("ref"), p.known(r))
		if err != nil || !q.Proved(tx, secret) {
			return err // the step itself says so
		}
		a, err := account.Get(tx, q.Account)
		if err != nil {
			return err
		}
		its, err := policy.Of(tx, a.Policy)
		rule, about = its.Password, append(a.Known(), f.Text("email"))
		return err
	})
	if fault.Is(err, fault.KindNotFound) || err == nil && rule == "" {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	_, problem := account.ReadEmail("email", f.Text("email"))
	f.Take(problem)
	plain := f.Raw("password")
	if !f.Take(rule.Check(plain, about...)) && plain != f.Raw("password_repeat") {
		f.Add("password_repeat", "recovering.password_differs")
	}
	if !f.OK() {
		return "", nil
	}
	err = limit.Take(r.Context(), p.DB, "hash/ip/"+limit.Network(web.Actor(r).IP), hashRate)
	if err == nil {
		phc, err = p.Hasher.Hash(r.Context(), plain)
	}
	if f.Take(err) {
		return "", nil
	}
	return phc, err
}

// receipt is the sheet to take along.
func (p *Pages) receipt(w http.ResponseWriter, r *http.Request) error {
	var q recovery.Recovery
	var c chamber.Chamber
	var now db.Time
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		now = tx.Now()
		if q, err = recovery.Find(tx, r.PathValue("ref"), p.known(r)); err != nil {
			return err
		}
		c, err = chamber.Get(tx, q.Chamber)
		return err
	})
	if fault.Is(err, fault.KindNotFound) {
		return web.See(w, r, place(r))
	}
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := recovery.WriteReceipt(&b, q, c, now, web.Lang(r), func(key string, args ...any) string { return p.text(r, key, args...) }); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/pdf")
	h.Set("Content-Disposition", `inline; filename="`+q.Reference+`.pdf"`)
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	h.Set("Cache-Control", "no-store")
	_, err = w.Write(b.Bytes())
	return err
}
