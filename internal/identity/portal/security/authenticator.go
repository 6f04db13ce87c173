package security

import (
	"html/template"
	"net/http"
	"net/url"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/paper"
	"zunft/internal/ground/web"
	"zunft/internal/identity/factor"
)

// appPage is all that app.html may use: the QR code of an authenticator app and
// its first code (R158, R168–R174).
type appPage struct {
	web.Frame
	Form       *web.Form
	Path, Next string
	QR         template.HTML
	URI        template.URL // otpauth: opens the app on the same device (R173)
	Key        string
	Login      bool
	Must       bool // a role needs it
}

// relogin: a new device is set up at the next sign-in only (R165, R167).
func (s subject) relogin() bool {
	return s.need.Policy.Factor.Switch == "relogin" && (s.need.Has.Mail || s.need.Has.TOTP)
}

// mayApp: their policy offers apps, or a role of theirs needs one.
func (s subject) mayApp() bool {
	return s.need.Policy.Factor.Allows(factor.TOTP) || s.need.Least == factor.TOTP
}

// setup is what this session has begun, or begins it: the page shows a key, and
// a key that nobody confirmed opens nothing.
func (p *Pages) setup(r *http.Request, s subject) (begun factor.Setup, err error) {
	err = p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		begun, err = factor.PendingTOTP(tx, s.account, s.session.ID)
		return err
	})
	if fault.Is(err, fault.KindNotFound) {
		err = p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
			begun, err = factor.StartTOTP(tx, s.by, s.account, s.session.ID, "")
			return err
		})
	}
	return begun, err
}

func (p *Pages) showApp(w http.ResponseWriter, r *http.Request, s subject, f *web.Form) error {
	begun, err := p.setup(r, s)
	if err != nil {
		return err
	}
	uri := begun.URI(p.text(r, p.Site.Name))
	qr, err := paper.QRSVG(uri, p.text(r, "security.qr_alt"))
	if err != nil {
		return err
	}
	page := &appPage{
		Form: f, Path: "/account/security/authenticator", Next: web.LocalPath(f.Values.Get("next")), Login: s.login,
		QR: template.HTML(qr), URI: template.URL(uri), Key: begun.Key, Must: s.login && s.need.Has.Wanted == "",
	}
	delete(f.Values, "code")
	if s.login {
		page.Path = "/login/setup"
	} else if p.AllowNext != nil {
		p.AllowNext(w, r, page.Next)
	}
	return p.Site.Show(w, r, f.Status(), templates, "app", page)
}

// confirmApp makes the app that was set up a factor by its first code.
func (p *Pages) confirmApp(w http.ResponseWriter, r *http.Request, s *subject, f *web.Form) error {
	if f.Text("code") == "" {
		f.Add("code", "security.code_missing")
		return nil
	}
	err := p.proved(w, r, s, func(tx *db.Tx) (string, error) {
		begun, err := factor.PendingTOTP(tx, s.account, s.session.ID)
		if err != nil {
			return "", err
		}
		_, err = factor.ConfirmTOTP(tx, s.by, s.account, s.session.ID, begun.ID, f.Text("code"))
		if name := f.Text("name"); err == nil && name != "" {
			err = factor.Rename(tx, s.by, s.account, begun.ID, name)
		}
		return factor.AMR(factor.TOTP), err
	})
	if f.Take(err) {
		return nil
	}
	return err
}

// startApp goes on to the QR code after a proof (R158).
func (p *Pages) startApp(w http.ResponseWriter, r *http.Request, _ subject, next string) error {
	to := "/account/security/authenticator"
	if next != "/" {
		to += "?next=" + url.QueryEscape(next)
	}
	return web.See(w, r, to)
}

func (p *Pages) authenticator(w http.ResponseWriter, r *http.Request, s subject) error {
	if !s.mayApp() || s.relogin() {
		return web.See(w, r, "/account/security/two-step")
	}
	return p.showApp(w, r, s, web.NewForm("next", r.URL.Query().Get("next")))
}

func (p *Pages) doAuthenticator(w http.ResponseWriter, r *http.Request, s subject) error {
	f := web.ReadForm(r)
	if f.Text("do") == "cancel" || !s.mayApp() || s.relogin() {
		return web.See(w, r, "/account/security/two-step")
	}
	if err := p.confirmApp(w, r, &s, f); err != nil {
		if fault.Is(err, fault.KindNotFound) { // begun in another session, or sent twice
			return web.See(w, r, "/account/security/two-step")
		}
		return err
	}
	if !f.OK() {
		return p.showApp(w, r, s, f)
	}
	if next := web.LocalPath(f.Values.Get("next")); next != "/" {
		return p.Site.Done(w, r, next, "security.app_added")
	}
	return p.Site.Done(w, r, "/account/security/two-step", "security.app_added")
}
