package security

import (
	"net/http"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/session"
)

// passwordPage is all that password.html may use.
type passwordPage struct {
	web.Frame
	Form        *web.Form
	Login, Hint string
}

// hashRate bounds the hashing that one account can ask for.
var hashRate = limit.Rate{Burst: 10, Every: 30 * time.Second}

func (p *Pages) password(w http.ResponseWriter, r *http.Request, s subject) error {
	return p.showPassword(w, r, s, web.NewForm())
}

func (p *Pages) showPassword(w http.ResponseWriter, r *http.Request, s subject, f *web.Form) error {
	page := &passwordPage{Form: f, Login: login(s.account), Hint: s.need.Policy.Password.Hint()}
	page.Back = web.Link{Text: p.text(r, "security.heading"), Href: "/account/security"}
	return p.Site.Show(w, r, f.Status(), templates, "password", page)
}

// doPassword asks for the old password beside the step-up before (ASVS 6.2.3,
// 7.5.1): a window that was left open changes no password. All other sessions
// end, and this one has a new token.
func (p *Pages) doPassword(w http.ResponseWriter, r *http.Request, s subject) error {
	f := web.ReadForm(r)
	plain := f.Raw("password")
	if f.Raw("current") == "" {
		f.Add("current", "account.current_missing")
	}
	if !f.Take(s.need.Policy.Password.Check(plain, s.account.Known()...)) && plain != f.Raw("password_repeat") {
		f.Add("password_repeat", "security.password_differs")
	}
	if !f.OK() {
		return p.showPassword(w, r, s, f)
	}
	proof, err := account.Verify(r.Context(), p.DB, p.Hasher, s.by, s.account.ID, "current", f.Raw("current"))
	var phc, token string
	if err == nil {
		err = limit.Take(r.Context(), p.DB, "hash/account/"+s.account.ID, hashRate)
	}
	if err == nil {
		phc, err = p.Hasher.Hash(r.Context(), plain)
	}
	if err == nil {
		err = p.DB.Write(r.Context(), func(tx *db.Tx) error {
			if _, err := account.ChangePassword(tx, s.by, proof, phc); err != nil {
				return err
			}
			if err := session.EndAll(tx, s.by, s.account.ID, s.session.ID); err != nil {
				return err
			}
			token, s.session, err = session.Proved(tx, s.by, s.session, "pwd")
			return err
		})
	}
	if f.Take(err) {
		return p.showPassword(w, r, s, f)
	}
	if err != nil {
		return err
	}
	p.Door.SignIn(w, r, token, s.session)
	return p.Site.Done(w, r, "/account/security", "security.password_changed")
}
