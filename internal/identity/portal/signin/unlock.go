package signin

import (
	"net/http"

	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/link"
)

// askUnlockPage is all that ask-unlock.html may use.
type askUnlockPage struct {
	web.Frame
	Form *web.Form
	Sent bool
}

func (p *Pages) askUnlock(w http.ResponseWriter, r *http.Request) error {
	f := web.NewForm("login", p.Site.Cookie(r, usernameCookie))
	return p.Site.Show(w, r, http.StatusOK, templates, "ask-unlock", &askUnlockPage{Form: f, Sent: r.URL.Query().Has("sent")})
}

// requestUnlock sends the link that ends one's own lock or the day's pause
// (R181, W11), whoever is asked for: the answer is the same.
func (p *Pages) requestUnlock(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error { return account.AskUnlock(tx, web.Actor(r), f.Text("login")) })
	if f.Take(err) {
		return p.Site.Show(w, r, f.Status(), templates, "ask-unlock", &askUnlockPage{Form: f})
	}
	if err != nil {
		return err
	}
	return web.See(w, r, "/unlock?sent")
}

// unlockPage is all that unlock.html may use.
type unlockPage struct {
	web.Frame
	State  link.State
	UsedAt db.Time
	Token  string
}

func (p *Pages) showUnlock(w http.ResponseWriter, r *http.Request) error {
	page := &unlockPage{Token: r.PathValue("token")}
	if err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		l, err := account.UnlockLink(tx, page.Token)
		page.State, page.UsedAt = l.State, l.UsedAt
		return err
	}); err != nil {
		return err
	}
	status := http.StatusOK
	switch page.State {
	case link.Open:
	case link.Unknown:
		status = http.StatusNotFound
	default:
		status = http.StatusGone
	}
	return p.Site.Show(w, r, status, templates, "unlock", page)
}

func (p *Pages) unlock(w http.ResponseWriter, r *http.Request) error {
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		_, err := account.Unlock(tx, web.Actor(r), r.PathValue("token"))
		return err
	})
	if web.NewForm().Take(err) { // the page says why
		return p.showUnlock(w, r)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/login", "signin.unlocked")
}
