package openid

import (
	"errors"
	"net/http"
	"net/url"
	"slices"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/application"
	"zunft/internal/identity/session"
	"zunft/internal/identity/visitor"
)

// A farewell is a logout request (RP-Initiated Logout 1.0, section 2).
type farewell struct {
	application application.Application
	hint        hint
	hinted      bool   // an ID token of ours came along
	back        string // where to go afterwards; empty: our own page
}

// readFarewell checks a logout request. What is wrong with it is told on a
// page; nobody is sent anywhere that is not registered.
func (p *Provider) readFarewell(r *http.Request, v url.Values) (f farewell, err error) {
	for _, name := range []string{"id_token_hint", "client_id", "post_logout_redirect_uri", "state", "logout_hint", "ui_locales"} {
		if len(v[name]) > 1 || !plain(v.Get(name), 8<<10) {
			return f, fault.Invalid(name, "openid.request_unreadable")
		}
	}
	clientID := v.Get("client_id")
	if raw := v.Get("id_token_hint"); raw != "" {
		if f.hint, err = p.readHint(raw); err != nil {
			return f, fault.Invalid("id_token_hint", "openid.hint_unknown")
		}
		f.hinted = true
		if clientID == "" {
			clientID = f.hint.Audience[0]
		} else if !slices.Contains(f.hint.Audience, clientID) {
			return f, fault.Invalid("client_id", "openid.hint_unknown")
		}
	}
	to := v.Get("post_logout_redirect_uri")
	if clientID == "" { // without a client no address can be trusted; the question is still asked
		if to != "" {
			return f, fault.Invalid("post_logout_redirect_uri", "openid.logout_client_missing")
		}
		return f, nil
	}
	err = p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		f.application, err = application.ByClientID(tx, clientID)
		return err
	})
	if fault.Is(err, fault.KindNotFound) {
		return f, fault.Invalid("client_id", "openid.client_unknown")
	}
	if err != nil {
		return f, err
	}
	if to != "" {
		if !slices.Contains(f.application.PostLogoutRedirectURIs, to) {
			return f, fault.Invalid("post_logout_redirect_uri", "openid.redirect_unknown", f.application.Name)
		}
		f.back = answer(to, "state", v.Get("state"))
	}
	return f, nil
}

// mine reports whether the application may end this session without a
// question: it holds an ID token of this very session.
func (f *farewell) mine(v *visitor.Visitor) bool {
	return f.hinted && f.hint.Subject == v.Account.ID && f.hint.Session == v.Session.ID
}

// endPage asks "Abmelden?".
type endPage struct {
	web.Frame
	Application string
	Hidden      []web.Input // the request, to be checked again
}

// endSession is the end_session_endpoint.
func (p *Provider) endSession(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	f, err := p.readFarewell(r, q)
	if err != nil {
		return p.explain(w, r, err)
	}
	v := visitor.Of(r)
	if v == nil {
		return p.gone(w, r, f)
	}
	if f.mine(v) {
		return p.end(w, r, f, v)
	}
	page := &endPage{Application: f.application.Name}
	for _, name := range []string{"id_token_hint", "client_id", "post_logout_redirect_uri", "state"} {
		if q.Get(name) != "" {
			page.Hidden = append(page.Hidden, web.Input{Name: name, Value: q.Get(name)})
		}
	}
	if f.back != "" {
		web.AllowForm(w, f.back)
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "end_session", page)
}

// endConfirmed is the button of that page; it comes from our own origin only.
func (p *Provider) endConfirmed(w http.ResponseWriter, r *http.Request) error {
	f, err := p.readFarewell(r, r.PostForm)
	if err != nil {
		return p.explain(w, r, err)
	}
	if v := visitor.Of(r); v != nil {
		return p.end(w, r, f, v)
	}
	return p.gone(w, r, f)
}

func (p *Provider) end(w http.ResponseWriter, r *http.Request, f farewell, v *visitor.Visitor) error {
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		return session.End(tx, web.Actor(r), v.Session.ID)
	})
	if err != nil && !fault.Is(err, fault.KindNotFound) {
		return errors.Join(errors.New("end session"), err)
	}
	p.Door.SignOut(w)
	return p.gone(w, r, f)
}

func (p *Provider) gone(w http.ResponseWriter, r *http.Request, f farewell) error {
	if f.back != "" {
		return web.See(w, r, f.back)
	}
	return web.See(w, r, "/logged-out")
}
