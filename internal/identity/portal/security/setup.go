package security

import (
	"net/http"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/factor"
)

// Setting up a factor on the way in: because a role needs one, because the
// person wanted to change theirs and signs in again for that (R165, R167,
// R179), or because it is offered at the first sign-in (R199, S25).

// setupPage is all that setup.html may use.
type setupPage struct {
	web.Frame
	Form        *web.Form
	Offer, Must bool
	Wanted      string
	Options     []web.Option
	Address     string
	Passkey     *passkeyPart
}

// mine reports whether this step is due: what must be proved comes first, or
// whoever has but the password would choose the factor.
func (s subject) mine() bool { return !s.need.Prove && (s.need.SetUp || s.need.Offer) }

// unproven: an offer is taken up by somebody who has shown nothing but the
// password. A code by mail comes before an app or a passkey, as it does before
// every other change (see [Pages.first]).
func (s subject) unproven() bool {
	return !s.need.SetUp && s.need.Policy.Factor.Ask != "never" && !factor.Enough(s.session.AMR, factor.Mail)
}

func (s subject) kinds() (kinds []string) {
	if s.need.Has.Wanted != "" {
		return []string{s.need.Has.Wanted}
	}
	if s.mayApp() && s.need.Least != factor.Passkey {
		kinds = append(kinds, factor.TOTP)
	}
	if s.need.Policy.Factor.Allows(factor.Mail) && (s.need.Least == "" || s.need.Least == factor.Mail) {
		kinds = append(kinds, factor.Mail)
	}
	return kinds
}

func (p *Pages) setUp(w http.ResponseWriter, r *http.Request, s subject) error {
	if !s.mine() {
		return web.See(w, r, "/login/next")
	}
	return p.showSetUp(w, r, s, web.NewForm("kind", r.URL.Query().Get("kind")))
}

func (p *Pages) showSetUp(w http.ResponseWriter, r *http.Request, s subject, f *web.Form) error {
	kinds, kind := s.kinds(), f.Text("kind")
	if len(kinds) == 1 && s.need.SetUp && !p.setsUpPasskey(s) {
		kind = kinds[0]
	}
	if kind == factor.TOTP && has(kinds, kind) && !s.unproven() {
		return p.showApp(w, r, s, f)
	}
	page := &setupPage{Form: f, Offer: !s.need.SetUp, Must: s.need.SetUp && s.need.Has.Wanted == "", Wanted: s.need.Has.Wanted, Address: masked(s.account.Email)}
	for _, k := range kinds {
		page.Options = append(page.Options, web.Option{Value: k, Text: p.text(r, "security.way_"+k), Hint: p.text(r, "security.setup_hint_"+k), Selected: len(kinds) == 1})
	}
	if p.setsUpPasskey(s) {
		page.Script = script
		page.Passkey = &passkeyPart{Action: "/login/setup", Kind: "create", Options: "/login/setup/passkey", Button: "button-secondary", Text: "security.passkey_add"}
	}
	return p.Site.Show(w, r, f.Status(), templates, "setup", page)
}

func (p *Pages) setsUpPasskey(s subject) bool {
	return s.mine() && !s.unproven() && s.need.Has.Wanted == "" && p.mayPasskey(s)
}

func (p *Pages) setUpOptions(w http.ResponseWriter, r *http.Request, s subject) error {
	if !p.setsUpPasskey(s) {
		return fault.NotFound()
	}
	return p.options(w, r, func(tx *db.Tx, secret string) ([]byte, error) {
		return p.passkeys.BeginRegister(tx, s.account, secret)
	})
}

func (p *Pages) doSetUp(w http.ResponseWriter, r *http.Request, s subject) error {
	f := web.ReadForm(r)
	do, kind := f.Text("do"), f.Text("kind")
	switch {
	case do == "cancel" && s.need.Has.Wanted != "":
		return p.unwant(w, r, s)
	case do == "cancel":
		return p.cancel(w, r, s)
	case !s.mine():
		return web.See(w, r, "/login/next")
	case do == "later" && !s.need.SetUp:
		if err := p.DB.Write(r.Context(), func(tx *db.Tx) error { return factor.Offered(tx, s.account.ID) }); err != nil {
			return err
		}
		return web.See(w, r, "/login/next")
	case do == "passkey" && p.setsUpPasskey(s):
		secret := p.secret(w, r)
		err := p.proved(w, r, &s, func(tx *db.Tx) (string, error) {
			return factor.AMR(factor.Passkey), p.register(tx, s, f, secret)
		})
		if err != nil && !f.Take(err) {
			return err
		}
	case do == "app":
		f.Values.Set("kind", factor.TOTP)
		if !has(s.kinds(), factor.TOTP) || s.unproven() {
			return web.See(w, r, "/login/next")
		}
		if err := p.confirmApp(w, r, &s, f); fault.Is(err, fault.KindNotFound) { // begun in another session, or sent twice
			return web.See(w, r, "/login/next")
		} else if err != nil {
			return err
		}
	case !has(s.kinds(), kind):
		f.Add("kind", "security.way_missing")
	case kind == factor.TOTP && s.unproven():
		err := p.DB.Write(r.Context(), func(tx *db.Tx) error { return factor.SendCode(tx, s.by, s.account, s.session.ID) })
		if err == nil {
			return web.See(w, r, s.at(factor.Mail, factor.TOTP, ""))
		}
		if !f.Take(err) {
			return err
		}
	case kind == factor.TOTP:
		return web.See(w, r, "/login/setup?kind=totp")
	default:
		if err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
			_, err := factor.UseMail(tx, s.by, s.account, s.session.ID)
			return err
		}); err != nil && !f.Take(err) {
			return err
		}
	}
	if !f.OK() {
		return p.showSetUp(w, r, s, f)
	}
	if s.need.Has.Wanted != "" {
		return p.Site.Done(w, r, "/login/next", "security.changed") // R175
	}
	return p.Site.Done(w, r, "/login/next", "security.set_up")
}

// unwant: everything stays as it was.
func (p *Pages) unwant(w http.ResponseWriter, r *http.Request, s subject) error {
	if s.need.Prove {
		return web.See(w, r, "/login/next")
	}
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		all, err := factor.List(tx, s.account.ID)
		for _, f := range all {
			if err == nil && f.State == "wanted" {
				err = factor.Remove(tx, s.by, s.account, f.ID)
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	return web.See(w, r, "/login/next")
}
