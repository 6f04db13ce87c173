package security

import (
	"net/http"
	"net/url"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/seal"
	"zunft/internal/ground/web"
	"zunft/internal/identity/factor"
	"zunft/internal/identity/session"
	"zunft/internal/identity/visitor"
)

// Passkeys need a script (passkey.js): it asks for options as JSON and posts
// the authenticator's answer in the field "response" of an ordinary form. What
// ties the two together is a secret in the browser.

const (
	ceremonyCookie = "passkey"
	ceremonyLasts  = 10 * time.Minute
	script         = "passkey.js"
)

// passkeyPart is what _passkey.html shows; nil: nothing.
type passkeyPart struct {
	Action, Kind, Options, Next string
	Button, Text                string
}

// options answers the script; the secret stays in the browser.
func (p *Pages) options(w http.ResponseWriter, r *http.Request, begin func(tx *db.Tx, secret string) ([]byte, error)) error {
	if p.passkeys == nil {
		return fault.NotFound()
	}
	secret := seal.Token()
	var body []byte
	if err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		body, err = begin(tx, secret)
		return err
	}); err != nil {
		return err
	}
	p.Site.SetCookie(w, ceremonyCookie, secret, ceremonyLasts)
	w.Header().Set("Content-Type", "application/json")
	_, err := w.Write(body)
	return err
}

// secret of the ceremony that this browser began; it is used up.
func (p *Pages) secret(w http.ResponseWriter, r *http.Request) string {
	secret := p.Site.Cookie(r, ceremonyCookie)
	p.Site.SetCookie(w, ceremonyCookie, "", -1)
	return secret
}

func (p *Pages) loginOptions(w http.ResponseWriter, r *http.Request) error {
	return p.options(w, r, func(tx *db.Tx, secret string) ([]byte, error) {
		return p.passkeys.BeginLogin(tx, web.Actor(r), secret)
	})
}

// refusedPage is all that refused.html may use.
type refusedPage struct {
	web.Frame
	Form    *web.Form
	Login   string
	Passkey *passkeyPart
}

// passkeyLogin signs in by passkey alone: it is two factors in one (amr hwk
// user mfa). Steps that are still to go come after it as after a password.
func (p *Pages) passkeyLogin(w http.ResponseWriter, r *http.Request) error {
	if p.passkeys == nil {
		return fault.NotFound()
	}
	f := web.ReadForm(r)
	next, secret := web.LocalPath(f.Values.Get("next")), p.secret(w, r)
	var token string
	var s session.Session
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		by := web.Actor(r)
		a, amr, err := p.passkeys.FinishLogin(tx, by, secret, []byte(f.Raw("response")))
		if err != nil {
			return err
		}
		for _, old := range []*visitor.Visitor{visitor.Of(r), visitor.Pending(r)} {
			if old == nil {
				continue
			}
			by.Account = old.Account.ID
			if err := session.End(tx, by, old.Session.ID); err != nil {
				return err
			}
		}
		by.Account = a.ID
		token, s, err = session.StartPending(tx, by, a.ID, amr, next)
		return err
	})
	if f.Take(err) {
		page := &refusedPage{Form: f, Login: "/login", Passkey: &passkeyPart{Action: "/login/passkey", Kind: "get", Options: "/login/passkey/options", Next: next, Button: "button", Text: "security.passkey_retry"}}
		if next != "/" {
			page.Login += "?next=" + url.QueryEscape(next)
		}
		if p.AllowNext != nil {
			p.AllowNext(w, r, next)
		}
		page.Script = script
		return p.Site.Show(w, r, f.Status(), templates, "refused", page)
	}
	if err != nil {
		return err
	}
	p.Door.SignIn(w, r, token, s)
	return web.See(w, r, "/login/next")
}

// proofOptions are for the second factor and before changes.
func (p *Pages) proofOptions(w http.ResponseWriter, r *http.Request, s subject) error {
	return p.options(w, r, func(tx *db.Tx, secret string) ([]byte, error) {
		return p.passkeys.BeginProof(tx, s.account, secret)
	})
}

func (p *Pages) proofPart(s subject, next string) *passkeyPart {
	if p.passkeys == nil || !s.need.Has.Passkey {
		return nil
	}
	return &passkeyPart{Action: s.path(), Kind: "get", Options: s.path() + "/passkey", Next: next, Button: "button-secondary", Text: "security.passkey_use"}
}

// passkeysPage is all that passkeys.html may use.
type passkeysPage struct {
	web.Frame
	Form    *web.Form
	Factors []factor.Factor
	Passkey *passkeyPart
}

// mayPasskey: passkeys hold at this address, and their policy offers them.
func (p *Pages) mayPasskey(s subject) bool {
	return p.passkeys != nil && (s.need.Policy.Factor.Allows(factor.Passkey) || s.need.Least == factor.Passkey)
}

func (p *Pages) passkeysOf(w http.ResponseWriter, r *http.Request, s subject) error {
	return p.showPasskeys(w, r, s, web.NewForm())
}

func (p *Pages) showPasskeys(w http.ResponseWriter, r *http.Request, s subject, f *web.Form) error {
	page := &passkeysPage{Form: f}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		all, err := factor.List(tx, s.account.ID)
		for _, one := range all {
			if one.Kind == factor.Passkey && one.State == "active" {
				page.Factors = append(page.Factors, one)
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	if p.mayPasskey(s) {
		page.Script = script
		page.Passkey = &passkeyPart{Action: "/account/security/passkeys", Kind: "create", Options: "/account/security/passkeys/options", Button: "button", Text: "security.passkey_add"}
	}
	page.Back = web.Link{Text: p.text(r, "security.heading"), Href: "/account/security"}
	return p.Site.Show(w, r, f.Status(), templates, "passkeys", page)
}

func (p *Pages) passkeyOptions(w http.ResponseWriter, r *http.Request, s subject) error {
	if !p.mayPasskey(s) {
		return fault.NotFound()
	}
	return p.options(w, r, func(tx *db.Tx, secret string) ([]byte, error) {
		return p.passkeys.BeginRegister(tx, s.account, secret)
	})
}

func (p *Pages) register(tx *db.Tx, s subject, f *web.Form, secret string) error {
	_, err := p.passkeys.FinishRegister(tx, s.by, s.account, secret, f.Text("name"), []byte(f.Raw("response")))
	return err
}

func (p *Pages) addPasskey(w http.ResponseWriter, r *http.Request, s subject) error {
	if !p.mayPasskey(s) {
		return fault.NotFound()
	}
	f, secret := web.ReadForm(r), p.secret(w, r)
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error { return p.register(tx, s, f, secret) })
	if f.Take(err) {
		return p.showPasskeys(w, r, s, f)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/account/security/passkeys", "security.passkey_added")
}
