package signin

import (
	"net/http"

	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/link"
	"zunft/internal/identity/visitor"
)

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
	return p.Site.Show(w, r, visitor.LinkStatus(nil, page.State), templates, "unlock", page)
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
