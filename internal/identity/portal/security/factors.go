package security

import (
	"net/http"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/factor"
)

// overviewPage is all that overview.html may use.
type overviewPage struct {
	web.Frame
	Account         account.Account
	Has             factor.Kinds
	PasskeysOffered bool
}

func (p *Pages) overview(w http.ResponseWriter, r *http.Request, s subject) error {
	page := &overviewPage{Account: s.account, Has: s.need.Has, PasskeysOffered: s.need.Has.Passkey || p.mayPasskey(s)}
	page.Back = web.Link{Text: p.text(r, "security.to_account"), Href: "/account"}
	return p.Site.Show(w, r, http.StatusOK, templates, "overview", page)
}

// twoStepPage is all that two-step.html may use.
type twoStepPage struct {
	web.Frame
	Form    *web.Form
	Relogin bool // R161–R179 as the source has it
	Has     factor.Kinds
	Factors []factor.Factor // active, oldest first
	Options []web.Option    // relogin: E-Mail, Mobile Token
	Least   string
	MayApp  bool
	MayMail bool
	Address string
	Portal  string
	Ask     string
}

func (p *Pages) twoStep(w http.ResponseWriter, r *http.Request, s subject) error {
	return p.showTwoStep(w, r, s, web.NewForm())
}

func (p *Pages) showTwoStep(w http.ResponseWriter, r *http.Request, s subject, f *web.Form) error {
	rule, has := s.need.Policy.Factor, s.need.Has
	page := &twoStepPage{
		Form: f, Relogin: rule.Switch == "relogin", Has: has, Least: s.need.Least, Address: masked(s.account.Email), Ask: rule.Ask, Portal: p.text(r, p.Site.Name),
		MayApp: s.mayApp(), MayMail: rule.Allows(factor.Mail) && !has.Mail && (s.need.Least == "" || s.need.Least == factor.Mail),
	}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		all, err := factor.List(tx, s.account.ID)
		for _, one := range all {
			if one.State == "active" && one.Kind != factor.Passkey {
				page.Factors = append(page.Factors, one)
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, kind := range []string{factor.Mail, factor.TOTP} {
		if rule.Allows(kind) {
			page.Options = append(page.Options, web.Option{Value: kind, Text: p.text(r, "security.way_"+kind), Selected: (kind == factor.TOTP) == has.TOTP})
		}
	}
	page.Back = web.Link{Text: p.text(r, "security.heading"), Href: "/account/security"}
	return p.Site.Show(w, r, f.Status(), templates, "two-step", page)
}

func (p *Pages) doTwoStep(w http.ResponseWriter, r *http.Request, s subject) error {
	f := web.ReadForm(r)
	rule, notice := s.need.Policy.Factor, ""
	var work func(tx *db.Tx) error
	want := func(kind string) {
		work = func(tx *db.Tx) error { return factor.Want(tx, s.by, s.account, s.session.ID, kind) }
		notice = "security.noted"
	}
	switch do := f.Text("do"); {
	case do == "cancel":
		return web.See(w, r, "/account")
	case rule.Switch == "relogin" && do == "device" && s.need.Has.TOTP: // R165, R166
		want(factor.TOTP)
	case rule.Switch == "relogin": // R164, R167, R177–R179
		kind := f.Text("kind")
		if !rule.Allows(kind) || kind == factor.Passkey {
			f.Add("kind", "security.way_missing")
			return p.showTwoStep(w, r, s, f)
		}
		if (kind == factor.TOTP) == s.need.Has.TOTP && s.need.Has.Wanted == "" {
			return p.Site.Done(w, r, "/account/security/two-step", "security.unchanged")
		}
		want(kind)
	case do == "mail" && rule.Allows(factor.Mail):
		notice = "security.mail_added"
		work = func(tx *db.Tx) error {
			_, err := factor.UseMail(tx, s.by, s.account, s.session.ID)
			return err
		}
	default:
		return web.See(w, r, "/account/security/two-step")
	}
	err := p.DB.Write(r.Context(), work)
	if f.Take(err) {
		return p.showTwoStep(w, r, s, f)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/account/security/two-step", notice)
}

// onePage is all that factor.html may use.
type onePage struct {
	web.Frame
	Form   *web.Form
	Factor factor.Factor
	Last   bool // nothing is asked at the sign-in when it is gone
}

func (p *Pages) one(w http.ResponseWriter, r *http.Request, s subject) error {
	return p.showOne(w, r, s, web.NewForm())
}

func (p *Pages) showOne(w http.ResponseWriter, r *http.Request, s subject, f *web.Form) error {
	page := &onePage{Form: f}
	active := 0
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		all, err := factor.List(tx, s.account.ID)
		for _, one := range all {
			if one.State == "active" {
				active++
			}
			if one.ID == r.PathValue("id") {
				page.Factor = one
			}
		}
		return err
	})
	if err == nil && page.Factor.ID == "" {
		err = fault.NotFound()
	}
	if err != nil {
		return err
	}
	page.Last = active == 1
	if f.Values["name"] == nil {
		f.Values.Set("name", page.Factor.Name)
	}
	page.Back = p.backOf(r, page.Factor.Kind)
	return p.Site.Show(w, r, f.Status(), templates, "factor", page)
}

func (p *Pages) backOf(r *http.Request, kind string) web.Link {
	if kind == factor.Passkey {
		return web.Link{Text: p.text(r, "security.passkeys"), Href: "/account/security/passkeys"}
	}
	return web.Link{Text: p.text(r, "security.two_step"), Href: "/account/security/two-step"}
}

func (p *Pages) doOne(w http.ResponseWriter, r *http.Request, s subject) error {
	f := web.ReadForm(r)
	id, notice, kind := r.PathValue("id"), "security.renamed", ""
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		all, err := factor.List(tx, s.account.ID)
		for _, one := range all {
			if one.ID == id {
				kind = one.Kind
			}
		}
		switch {
		case err != nil:
			return err
		case kind == "":
			return fault.NotFound()
		case f.Text("do") == "remove":
			notice = "security.removed"
			return factor.Remove(tx, s.by, s.account, id)
		}
		return factor.Rename(tx, s.by, s.account, id, f.Text("name"))
	})
	if f.Take(err) {
		return p.showOne(w, r, s, f)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, p.backOf(r, kind).Href, notice)
}
