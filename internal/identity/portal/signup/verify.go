package signup

import (
	"cmp"
	"net/http"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/link"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/session"
	"zunft/internal/identity/visitor"
)

// verifyPage is all that verify.html may use.
type verifyPage struct {
	web.Frame
	Form           *web.Form
	Email          string // empty: this browser did not sign up
	Heading        string
	Lead           []string
	Button, Target string // on to where; without a target the sign-in
	Support        string
}

// askCode is S04.
func (p *Pages) askCode(w http.ResponseWriter, r *http.Request) error {
	if p.home(w, r) {
		return nil
	}
	return p.showCode(w, r, web.NewForm())
}

func (p *Pages) showCode(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	page := &verifyPage{Form: f}
	var profile policy.SignUp
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		a, err := account.Waiting(tx, p.browser(r))
		if err != nil {
			return err
		}
		page.Email = a.Email
		pol, err := policy.Of(tx, a.Policy)
		profile = pol.SignUp
		return err
	})
	if err != nil && fault.Of(err) == nil {
		return err
	}
	s := shower{p: p, r: r, lang: web.Lang(r)}
	page.Heading = s.or(profile.Sent.Heading, "signup.verify")
	page.Button, page.Target = s.or(profile.Sent.Button, "signup.to_login"), cmp.Or(profile.Sent.Target, "/login")
	page.Lead, page.Support = texts(profile.Sent.Lead, s.lang), profile.Support
	if len(page.Lead) == 0 {
		page.Lead = []string{s.text("signup.verify_lead")}
	}
	return p.Site.Show(w, r, f.Status(), templates, "verify", page)
}

func texts(all []policy.Text, lang string) (said []string) {
	for _, t := range all {
		said = append(said, t.In(lang))
	}
	return said
}

func (p *Pages) code(w http.ResponseWriter, r *http.Request) error {
	if p.home(w, r) {
		return nil
	}
	f := web.ReadForm(r)
	switch f.Text("do") {
	case "again":
		return p.again(w, r, f, func(tx *db.Tx) error { return account.ResendByBrowser(tx, web.Actor(r), p.browser(r)) })
	case "ticket":
		b := p.mark(w, r)
		return p.again(w, r, f, func(tx *db.Tx) error { return account.ResendByTicket(tx, web.Actor(r), f.Text("ticket"), b) })
	}
	var token string
	var s session.Session
	var lost bool
	next := web.LocalPath(p.Site.Cookie(r, nextCookie))
	err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		a, err := account.ConfirmByCode(tx, web.Actor(r), p.browser(r), f.Text("code"))
		if err != nil {
			return err
		}
		pol, err := policy.Of(tx, a.Policy)
		if err != nil {
			return err
		}
		lost = lostName(pol, a)
		if pol.Factor.Offer { // this is the first sign-in: its dispatcher offers (R199)
			token, s, err = session.StartPending(tx, web.Actor(r), a.ID, "otp", next)
			next = "/login/next"
			return err
		}
		token, s, err = session.Start(tx, web.Actor(r), a.ID, "otp")
		return err
	})
	if f.Take(err) {
		f.Values.Del("code")
		return p.showCode(w, r, f)
	}
	if err != nil {
		return err
	}
	p.Door.SignIn(w, r, token, s)
	p.Site.SetCookie(w, browserCookie, "", -1)
	p.Site.SetCookie(w, nextCookie, "", -1)
	if lost {
		return p.Site.Done(w, r, next, "signup.confirmed_without_username")
	}
	return p.Site.Done(w, r, next, "signup.confirmed")
}

// again sends a new mail and shows S04.
func (p *Pages) again(w http.ResponseWriter, r *http.Request, f *web.Form, send func(*db.Tx) error) error {
	err := p.DB.Write(r.Context(), send)
	if f.Take(err) {
		return p.showCode(w, r, f)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/register/verify", "signup.sent_again")
}

// confirmPage is all that confirm.html may use.
type confirmPage struct {
	web.Frame
	Form    *web.Form
	Heading string // phrase keys: what became of the link, and what to do
	Text    string
	State   link.State
	UsedAt  db.Time
	Name    string
	Login   string
	Token   string
	Can     bool // a new link can be sent
}

// askConfirm shows what the link is for; it changes nothing (mail scanners).
func (p *Pages) askConfirm(w http.ResponseWriter, r *http.Request) error {
	return p.showConfirm(w, r, web.NewForm())
}

func (p *Pages) showConfirm(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	page := &confirmPage{Form: f, Token: r.PathValue("token")}
	var l account.Link
	if err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) { l, err = account.ConfirmationLink(tx, page.Token); return err }); err != nil {
		return err
	}
	page.State, page.UsedAt = l.State, l.UsedAt
	waits := l.Account.State == account.Unconfirmed
	switch {
	case l.State == link.Unknown:
	case !waits:
		page.State = link.Used // by this link or another one
	case l.State == link.Open:
		page.Name, page.Login = l.Account.Name(), l.Account.Username
	default:
		page.Can = true
	}
	return p.Site.Show(w, r, visitor.LinkStatus(f, page.State), templates, "confirm", page)
}

func (p *Pages) confirm(w http.ResponseWriter, r *http.Request) error {
	f, token := web.ReadForm(r), r.PathValue("token")
	if f.Text("do") == "again" {
		b := p.mark(w, r)
		err := p.DB.Write(r.Context(), func(tx *db.Tx) error { return account.ResendByLink(tx, web.Actor(r), token, b) })
		if f.Take(err) {
			return p.showConfirm(w, r, f)
		}
		if err != nil {
			return err
		}
		return p.Site.Done(w, r, "/register/verify", "signup.sent_again")
	}
	var lost bool
	done := "/register/done"
	err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		a, err := account.Confirm(tx, web.Actor(r), token)
		if err != nil {
			return err
		}
		pol, err := policy.Of(tx, a.Policy)
		done += visit{policy: pol}.query()
		lost = lostName(pol, a)
		return err
	})
	if f.Take(err) {
		return p.showConfirm(w, r, f)
	}
	if err != nil {
		return err
	}
	if lost {
		return p.Site.Done(w, r, done, "signup.confirmed_without_username")
	}
	return web.See(w, r, done)
}

// lostName: one was chosen, and somebody else confirmed it first (R046).
func lostName(pol policy.Policy, a account.Account) bool {
	i := pol.SignUp.StepOf("username")
	if i < 0 || a.Username != "" {
		return false
	}
	f, _ := pol.SignUp.Steps[i].Field("username")
	return !f.Optional
}

// donePage is all that done.html may use.
type donePage struct {
	web.Frame
	After   []string
	Support string
}

// done is S05, with what comes next (R058, R059).
func (p *Pages) done(w http.ResponseWriter, r *http.Request) error {
	var pol policy.Policy
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		pol, err = policy.Of(tx, r.URL.Query().Get("profile"))
		return err
	})
	if err != nil {
		return err
	}
	s := shower{p: p, r: r, lang: web.Lang(r)}
	page := &donePage{After: texts(pol.SignUp.After, s.lang), Support: pol.SignUp.Support}
	if len(page.After) == 0 {
		page.After = []string{s.text("signup.done_join"), s.text("signup.done_company")}
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "done", page)
}
