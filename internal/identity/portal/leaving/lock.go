package leaving

import (
	"net/http"

	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/identity/departure"
	"zunft/internal/identity/openid"
	"zunft/internal/identity/visitor"
)

// lockPage is all that lock.html may use.
type lockPage struct {
	web.Frame
	Form  *web.Form
	Email string
}

// askLock needs no proof, and neither does lock: it only takes access away, and
// whoever locks may be in a hurry.
func (p *Pages) askLock(w http.ResponseWriter, r *http.Request) error {
	return p.showLock(w, r, web.NewForm())
}

func (p *Pages) showLock(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	return p.Site.Show(w, r, f.Status(), templates, "lock", &lockPage{p.account(r), f, visitor.Of(r).Account.Email})
}

func (p *Pages) lock(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		by := web.Actor(r)
		if err := departure.Lock(tx, by); err != nil {
			return err
		}
		return openid.DisconnectAll(tx, by, by.Account, "locked")
	})
	if f.Take(err) {
		return p.showLock(w, r, f)
	}
	if err != nil {
		return err
	}
	p.Door.SignOut(w)
	return p.Site.Done(w, r, "/unlock", "leaving.locked")
}

// unlockPage is all that unlock.html may use.
type unlockPage struct {
	web.Frame
	Form *web.Form
	Sent bool
}

func (p *Pages) askUnlock(w http.ResponseWriter, r *http.Request) error {
	return p.showUnlock(w, r, web.NewForm(), r.URL.Query().Has("sent"))
}

func (p *Pages) showUnlock(w http.ResponseWriter, r *http.Request, f *web.Form, sent bool) error {
	return p.Site.Show(w, r, f.Status(), templates, "unlock", &unlockPage{Form: f, Sent: sent})
}

// unlock answers the same whoever is asked for (W12).
func (p *Pages) unlock(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error { return departure.AskUnlock(tx, web.Actor(r), f.Text("login")) })
	if f.Take(err) {
		return p.showUnlock(w, r, f, false)
	}
	if err != nil {
		return err
	}
	return web.See(w, r, "/unlock?sent")
}
