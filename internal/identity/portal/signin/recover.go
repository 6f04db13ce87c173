package signin

import (
	"net/http"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/link"
	"zunft/internal/identity/password"
	"zunft/internal/identity/session"
	"zunft/internal/identity/visitor"
)

// recoverPage is all that recover.html may use.
type recoverPage struct {
	web.Frame
	Form *web.Form
}

// askedPage is all that asked.html may use.
type askedPage struct{ web.Frame }

func (p *Pages) askRecover(w http.ResponseWriter, r *http.Request) error {
	if r.URL.Query().Has("sent") {
		return p.Site.Show(w, r, http.StatusOK, templates, "asked", &askedPage{})
	}
	return p.showRecover(w, r, web.NewForm("login", p.Site.Cookie(r, usernameCookie)))
}

func (p *Pages) showRecover(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	return p.Site.Show(w, r, f.Status(), templates, "recover", &recoverPage{Form: f})
}

// recover takes S36: the answer is the same whoever is asked for (W12, R283).
func (p *Pages) recover(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error { return account.AskPassword(tx, web.Actor(r), f.Text("login")) })
	if f.Take(err) {
		return p.showRecover(w, r, f)
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

func (p *Pages) link(r *http.Request) (l account.Link, err error) {
	err = p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		l, err = account.PasswordLink(tx, r.PathValue("token"))
		return err
	})
	return l, err
}

func (p *Pages) showReset(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	l, err := p.link(r)
	if err != nil {
		return err
	}
	status := f.Status()
	page := &resetPage{Form: f, State: l.State, UsedAt: l.UsedAt, Token: r.PathValue("token"), Policy: p.policy().Hint()}
	switch {
	case l.State == link.Open:
		page.Login = loginOf(l.Account)
	case status != http.StatusOK:
	case l.State == link.Unknown:
		status = http.StatusNotFound
	default:
		status = http.StatusGone
	}
	return p.Site.Show(w, r, status, templates, "reset", page)
}

// hashRate bounds the hashing that one address can ask for.
var hashRate = limit.Rate{Burst: 40, Every: 15 * time.Second}

func (p *Pages) reset(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	l, err := p.link(r)
	if err != nil {
		return err
	}
	if l.State != link.Open {
		return p.showReset(w, r, web.NewForm())
	}
	plain := f.Raw("password")
	if !f.Take(p.policy().Check(plain, l.Account.Known()...)) && plain != f.Raw("password_repeat") {
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

func (p *Pages) policy() password.Rule {
	if p.Policy == "" {
		return password.Modern
	}
	return p.Policy
}
