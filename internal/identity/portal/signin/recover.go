package signin

import (
	"net/http"
	"slices"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/link"
	"zunft/internal/identity/password"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/session"
	"zunft/internal/identity/visitor"
)

// recoverPage is all that recover.html may use.
type recoverPage struct {
	web.Frame
	Form    *web.Form
	Number  bool   // numbers open accounts, too (R284)
	Unsent  bool   // nobody has this name, and the policy says so (R288)
	Support string // to whom to write about it (R289)
}

// askedPage is all that asked.html may use.
type askedPage struct{ web.Frame }

func (p *Pages) askRecover(w http.ResponseWriter, r *http.Request) error {
	if r.URL.Query().Has("sent") {
		return p.Site.Show(w, r, http.StatusOK, templates, "asked", &askedPage{})
	}
	return p.showRecover(w, r, web.NewForm("login", p.Site.Cookie(r, usernameCookie)), false)
}

func (p *Pages) showRecover(w http.ResponseWriter, r *http.Request, f *web.Form, unsent bool) error {
	rules, err := p.rules(r)
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, f.Status(), templates, "recover", &recoverPage{
		Form: f, Number: slices.Contains(rules.SignIn.By, "number"), Unsent: unsent, Support: rules.SignUp.Support,
	})
}

// recover takes S36: the answer is the same whoever is asked for (W12, R283),
// but where the policy chose to tell (R288).
func (p *Pages) recover(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	unsent := false
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		if err := account.AskPassword(tx, web.Actor(r), f.Text("login")); err != nil {
			return err
		}
		rules, err := policy.Of(tx, "")
		if err != nil || rules.SignIn.Unknown != "tell" {
			return err
		}
		a, err := account.ByLogin(tx, f.Text("login"))
		unsent = fault.Is(err, fault.KindNotFound) || err == nil && a.State != account.Active
		if unsent {
			err = nil
		}
		return err
	})
	if err == nil && unsent {
		f.Add("login", "signin.recover_unsent_seed")
	}
	if f.Take(err) || !f.OK() {
		return p.showRecover(w, r, f, unsent)
	}
	if err != nil {
		return err
	}
	return web.See(w, r, "/recover/password?sent")
}

// resetPage is all that reset.html may use.
type resetPage struct {
	web.Frame
	Form   *web.Form
	State  link.State
	UsedAt db.Time
	Token  string
	Login  string
	Policy string
}

func (p *Pages) askReset(w http.ResponseWriter, r *http.Request) error {
	return p.showReset(w, r, web.NewForm())
}

// link is what the address stands for, and the rule for passwords of its account.
func (p *Pages) link(r *http.Request) (l account.Link, rule password.Rule, err error) {
	err = p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		if l, err = account.PasswordLink(tx, r.PathValue("token")); err != nil {
			return err
		}
		rules, err := policy.Of(tx, l.Account.Policy)
		rule = rules.Password
		return err
	})
	return l, rule, err
}

func (p *Pages) showReset(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	l, rule, err := p.link(r)
	if err != nil {
		return err
	}
	page := &resetPage{Form: f, State: l.State, UsedAt: l.UsedAt, Token: r.PathValue("token"), Policy: rule.Hint()}
	if l.State == link.Open {
		page.Login = loginOf(l.Account)
	}
	return p.Site.Show(w, r, visitor.LinkStatus(f, l.State), templates, "reset", page)
}

// hashRate bounds the hashing that one address can ask for.
var hashRate = limit.Rate{Burst: 40, Every: 15 * time.Second}

func (p *Pages) reset(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	l, rule, err := p.link(r)
	if err != nil {
		return err
	}
	if l.State != link.Open {
		return p.showReset(w, r, web.NewForm())
	}
	plain := f.Raw("password")
	if !f.Take(rule.Check(plain, l.Account.Known()...)) && plain != f.Raw("password_repeat") {
		f.Add("password_repeat", "signin.password_differs")
	}
	if !f.OK() {
		return p.showReset(w, r, f)
	}
	err = limit.Take(r.Context(), p.DB, "hash/ip/"+limit.Network(web.Actor(r).IP), hashRate)
	var phc string
	if err == nil {
		phc, err = p.Hasher.Hash(r.Context(), plain)
	}
	if err == nil {
		err = p.DB.Write(r.Context(), func(tx *db.Tx) error {
			by := web.Actor(r)
			a, err := account.ResetPassword(tx, by, r.PathValue("token"), phc)
			if err != nil {
				return err
			}
			by.Account = a.ID // who holds the link has proved the address
			return session.EndAll(tx, by, a.ID, "")
		})
	}
	if f.Take(err) {
		return p.showReset(w, r, f)
	}
	if err != nil {
		return err
	}
	if v := visitor.Of(r); v != nil && v.Account.ID == l.Account.ID {
		p.Door.SignOut(w)
	}
	return p.Site.Done(w, r, "/login", "signin.password_set")
}
