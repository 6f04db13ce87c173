// Package visitor knows who visits the identity portal: it turns the session
// cookie into a session and an account, once per request, and sets the cookie
// when somebody signs in or out.
//
// The cookie holds 256 random bits of which the database keeps only the hash.
// What a page may show beyond the session (clerk of which chamber, admin of
// which organizations, the bell) is read in the same transaction.
//
// It also asks for a proof before changes ([Door.Sure]), and keeps the form that
// met an ended session until its owner is back ([ParkedPath]).
package visitor

import (
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/session"
)

// A Visitor is somebody who is signed in.
type Visitor struct {
	Session  session.Session
	Account  account.Account
	Chamber  string       // id of the chamber this person is clerk of, or empty
	Operator bool         // runs the installation
	AdminOf  []string     // ids of organizations this person administers
	Bell     int          // unread notices
	Words    policy.Words // of their tenant
}

// A Door resolves and sets the session cookie of one site.
type Door struct {
	DB   *db.DB
	Site *web.Site
}

const cookie = "session"

type key struct{}

// Of is who visits, or nil for a stranger. Somebody whose sign-in has steps to
// go is a stranger still.
func Of(r *http.Request) *Visitor {
	v, _ := web.Get(r, key{}).(*Visitor)
	if v == nil || v.Session.Pending {
		return nil
	}
	return v
}

// Pending is who is on the way in: the password was right, steps are to go.
// Nil for everybody else.
func Pending(r *http.Request) *Visitor {
	v, _ := web.Get(r, key{}).(*Visitor)
	if v == nil || !v.Session.Pending {
		return nil
	}
	return v
}

// Who is web.Site's Who: it resolves the cookie. A cookie that opens nothing is a stranger.
func (d *Door) Who(r *http.Request) (*http.Request, error) {
	token := d.Site.Cookie(r, cookie)
	if token == "" || len(token) > 100 {
		return r, nil
	}
	v := &Visitor{}
	stale := false
	err := d.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		if v.Session, err = session.Resolve(tx, token); err != nil {
			return err
		}
		stale = tx.Now().Sub(v.Session.SeenAt) > time.Minute
		return v.load(tx)
	})
	if fault.Is(err, fault.KindNotFound) {
		return r, nil
	}
	if err != nil {
		return r, err
	}
	if stale {
		if err := d.DB.Write(r.Context(), func(tx *db.Tx) error { return session.Touch(tx, v.Session.ID) }); err != nil {
			return r, err
		}
	}
	web.Set(r, key{}, v)
	if v.Session.Pending {
		return r, nil
	}
	actor := web.Actor(r)
	actor.Account, actor.Session = v.Account.ID, v.Session.ID
	web.SetActor(r, actor)
	return r, nil
}

func (v *Visitor) load(tx *db.Tx) (err error) {
	if v.Account, err = account.Get(tx, v.Session.Account); err != nil {
		return err
	}
	var organizations, rules string
	err = tx.Scan(`SELECT COALESCE((SELECT chamber FROM staff WHERE account = $1 AND role = 'clerk' LIMIT 1), ''),
		EXISTS (SELECT 1 FROM staff WHERE account = $1 AND role = 'operator'),
		COALESCE((SELECT string_agg(organization, ' ') FROM membership WHERE account = $1 AND admin AND ended_at IS NULL), ''),
		(SELECT count(*) FROM (SELECT 1 FROM notice WHERE account = $1 AND read_at IS NULL LIMIT 99) AS unread),
		COALESCE((SELECT body FROM policy WHERE key = $2), (SELECT body FROM policy WHERE is_default), '{}')`,
		[]any{v.Account.ID, v.Account.Policy}, &v.Chamber, &v.Operator, &organizations, &v.Bell, &rules)
	if err != nil {
		return err
	}
	v.AdminOf = strings.Fields(organizations)
	v.Words, err = policy.ReadWords(rules)
	return err
}

// SignIn puts a session's token into the browser.
func (d *Door) SignIn(w http.ResponseWriter, r *http.Request, token string, s session.Session) {
	d.Site.SetCookie(w, cookie, token, 0)
}

// SignOut takes it out again.
func (d *Door) SignOut(w http.ResponseWriter) { d.Site.SetCookie(w, cookie, "", -1) }

// Token is the cookie's value, for replacing a session by its successor.
func (d *Door) Token(r *http.Request) string { return d.Site.Cookie(r, cookie) }

// ToLogin is web.Site's SignIn: strangers sign in first and come back to next.
// What they posted in a session that has ended meanwhile is parked.
func (d *Door) ToLogin(w http.ResponseWriter, r *http.Request, next string) {
	if v := Pending(r); v != nil { // halfway in: on with the steps
		http.Redirect(w, r, "/login/next", http.StatusSeeOther)
		return
	}
	if r.Method == http.MethodPost {
		var account string
		err := d.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
			account, err = session.Was(tx, d.Token(r))
			return err
		})
		if err == nil {
			next, err = d.keep(w, r, account)
		}
		if err != nil && fault.Of(err) == nil {
			slog.ErrorContext(r.Context(), "park a form", "request", web.Actor(r).Request, "err", err)
		}
	}
	to := "/login"
	if next != "" && next != "/" {
		to += "?next=" + url.QueryEscape(next)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}
