package signin

import (
	"net/http"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/factor"
	"zunft/internal/identity/session"
	"zunft/internal/identity/terms"
	"zunft/internal/identity/visitor"
)

// The steps of a sign-in, pages of their own; each comes back to nextPath.
const (
	nextPath   = "/login/next"
	factorPath = "/login/second-factor"
	setUpPath  = "/login/setup" // one that must be, or one that is offered (R199)
	keepPath   = "/login/keep"  // the account is going: shall it stay?
	termsPath  = "/login/terms"
)

// nextStep is the first step that the sign-in of an account still needs, or
// empty. All of them are ordered here and nowhere else. The session says what
// was shown so far; what it showed before a sign-in anew does not count.
func nextStep(tx *db.Tx, a account.Account, s session.Session) (string, error) {
	need, err := factor.Due(tx, a, s)
	switch {
	case err != nil:
		return "", err
	case need.Prove:
		return factorPath, nil
	case need.SetUp:
		return setUpPath, nil
	case !a.DeleteAt.IsZero():
		return keepPath, nil
	}
	pending, err := terms.Pending(tx, a)
	if err != nil {
		return "", err
	}
	if len(pending) > 0 {
		return termsPath, nil
	}
	if need.Offer {
		return setUpPath, nil
	}
	return "", nil
}

// next is the dispatcher: on to the first step that is to go; after the last
// the session becomes a whole one, and the person is where they were going.
func (p *Pages) next(w http.ResponseWriter, r *http.Request) error {
	v := visitor.Pending(r)
	if v == nil {
		if visitor.Of(r) != nil {
			return web.See(w, r, "/")
		}
		return web.See(w, r, "/login")
	}
	var to, token, device string
	var s session.Session
	err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		// Read anew, in the transaction that decides: a factor may have been
		// proved or set up in another tab a moment ago.
		if s, err = session.Resolve(tx, p.Door.Token(r)); err != nil {
			return err
		}
		if to, err = nextStep(tx, v.Account, s); err != nil || to != "" {
			return err
		}
		if token, s, err = session.Complete(tx, web.Actor(r), s); err != nil {
			return err
		}
		device, err = p.welcome(tx, r, v.Account, s)
		return err
	})
	if fault.Is(err, fault.KindNotFound) { // ended, or made whole in another tab
		return web.See(w, r, "/login")
	}
	if err != nil {
		return err
	}
	if to != "" {
		return web.See(w, r, to)
	}
	p.Door.SignIn(w, r, token, s)
	p.Site.SetCookie(w, deviceCookie, device, yearlong)
	return web.See(w, r, web.LocalPath(s.Next))
}

// welcome is what a whole sign-in brings about: this browser is known from now
// on, and if it was not, the owner is told.
func (p *Pages) welcome(tx *db.Tx, r *http.Request, a account.Account, s session.Session) (device string, err error) {
	device = account.Device(tx, a)
	by := web.Actor(r)
	by.Account, by.Session = a.ID, s.ID
	return device, account.TellNewDevice(tx, by, a, p.Site.Cookie(r, deviceCookie), s.ID)
}
