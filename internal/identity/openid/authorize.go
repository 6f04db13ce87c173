package openid

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/i18n"
	"zunft/internal/ground/seal"
	"zunft/internal/ground/web"
	"zunft/internal/identity/application"
	"zunft/internal/identity/session"
	"zunft/internal/identity/visitor"
)

const authorizePath = "/oauth2/authorize"

// postToGet turns a POST from an application's origin into a GET: only with
// that does the browser send the SameSite session cookie. Nothing is decided here.
func postToGet(path string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
		if err := r.ParseForm(); err != nil {
			http.Error(w, "The form is too large or malformed.", http.StatusBadRequest)
			return
		}
		q := r.Form.Encode()
		if len(q) > 15<<10 {
			http.Error(w, "The form is too large.", http.StatusRequestEntityTooLarge)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		http.Redirect(w, r, path+"?"+q, http.StatusSeeOther)
	})
}

// trusted finds the application of a request whose redirect URI is registered
// for it, compared character by character (RFC 9700, section 2.1). Before that
// nothing is redirected; the fault becomes a page.
func trusted(tx *db.Tx, q request) (application.Application, error) {
	a, err := application.ByClientID(tx, q.clientID)
	if fault.Is(err, fault.KindNotFound) || err == nil && a.State != application.Active {
		return a, fault.Invalid("client_id", "openid.client_unknown")
	}
	if err == nil && !slices.Contains(a.RedirectURIs, q.redirectURI) {
		return a, fault.Invalid("redirect_uri", "openid.redirect_unknown", a.Name)
	}
	return a, err
}

// authorize is the one dispatcher of a sign-in at an application: who is it,
// how fresh, for which organization, with which role; then the code.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) error {
	q, bad := readRequest(r.URL.RawQuery)
	if bad != nil {
		return p.explain(w, r, fault.Invalid("", "openid.request_unreadable"))
	}
	var a application.Application
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		a, err = trusted(tx, q)
		return err
	})
	if err != nil {
		p.noteUntrusted(a, q)
		return p.explain(w, r, err)
	}
	q.of = a.ID
	if why := q.check(a); why != nil {
		return p.deny(w, r, q, why)
	}
	v := visitor.Of(r)
	if v == nil {
		if q.silent() {
			return p.deny(w, r, q, refuse("login_required", "nobody is signed in"))
		}
		return p.toLogin(w, r, q, "")
	}
	done, err := p.fresh(w, r, q, v.Session)
	if !done && err == nil {
		done, err = p.level(w, r, q, v)
	}
	if done || err != nil {
		return err
	}
	chosen, err := p.choose(r, a, q, v.Session)
	if err != nil {
		return err
	}
	switch {
	case chosen.none && q.silent():
		return p.deny(w, r, q, refuse("interaction_required", "the person has no role in this application"))
	case chosen.none: // R029: no role, no code
		p.note(a.ID, "authorize.no_role", v.Account.ID, "openid.event_no_role")
		return web.See(w, r, "/authorize/no-access?"+url.Values{"client_id": {a.ClientID}}.Encode())
	case chosen.several && q.silent():
		return p.deny(w, r, q, refuse("interaction_required", "the person must choose an organization"))
	case chosen.several:
		return web.See(w, r, "/authorize/organization?"+url.Values{"next": {authorizePath + "?" + q.encode(q.since)}}.Encode())
	}
	if done, err := p.raise(w, r, q, a, v, chosen); done || err != nil {
		return err
	}
	return p.issue(w, r, q, a, v.Session, chosen)
}

// fresh settles whether this session may answer: is it recent enough, signed
// in after the application asked for it, and the person the application means?
func (p *Provider) fresh(w http.ResponseWriter, r *http.Request, q request, s session.Session) (done bool, err error) {
	now := db.At(p.DB.Now())
	other := false
	if q.idTokenHint != "" {
		h, err := p.readHint(q.idTokenHint)
		if err != nil {
			return true, p.deny(w, r, q, refuse("invalid_request", err.Error()))
		}
		other = h.Subject != s.Account
	}
	tooOld := q.maxAge >= 0 && now.Sub(s.AuthTime) > q.maxAge
	if !q.again() && !tooOld && !other {
		return false, nil
	}
	if q.silent() {
		return true, p.deny(w, r, q, refuse("login_required", "the person must sign in again"))
	}
	if moment, ok := p.openSince(q); ok && now.Sub(moment) < loginLife && s.AuthTime.After(moment) {
		if other { // signed in again, and still somebody else
			return true, p.deny(w, r, q, refuse("login_required", "another person signed in"))
		}
		return false, nil
	}
	return true, p.toLogin(w, r, q, p.sealSince(q, now))
}

// sealSince writes down when the application's wish for a new sign-in was
// read. Sealed and bound to this very request, it can neither be left out nor
// be brought along.
func (p *Provider) sealSince(q request, at db.Time) string {
	return p.DB.Keys.Seal("authorize/"+seal.Hash(q.encode("")), []byte(strconv.FormatInt(at.UnixMicro(), 10)))
}

func (p *Provider) openSince(q request) (db.Time, bool) {
	if q.since == "" {
		return db.Time{}, false
	}
	plain, err := p.DB.Keys.Open("authorize/"+seal.Hash(q.encode("")), q.since)
	if err != nil {
		return db.Time{}, false
	}
	micro, err := strconv.ParseInt(string(plain), 10, 64)
	return db.At(unixMicro(micro)), err == nil
}

// toLogin sends the person to sign in and back to this request.
func (p *Provider) toLogin(w http.ResponseWriter, r *http.Request, q request, moment string) error {
	v := url.Values{"next": {authorizePath + "?" + q.encode(moment)}}
	if moment != "" {
		v.Set("again", "1")
	}
	if q.loginHint != "" {
		v.Set("username", q.loginHint)
	}
	// The application's wish counts where the person has not chosen a language.
	if q.locales != "" && p.Site.Cookie(r, "lang") == "" {
		v.Set("lang", i18n.Match(q.locales))
	}
	return web.See(w, r, "/login?"+v.Encode())
}

// deny answers with an error where the application can read it. iss is in
// every answer (RFC 9207, section 2).
func (p *Provider) deny(w http.ResponseWriter, r *http.Request, q request, why *refusal) error {
	p.noteDenied(q.of, why)
	return web.See(w, r, answer(q.redirectURI, "error", why.code, "error_description", why.description, "state", q.state, "iss", p.Site.Base))
}

// issue makes the grant and its code and sends the browser back with it.
func (p *Provider) issue(w http.ResponseWriter, r *http.Request, q request, a application.Application, s session.Session, c choice) error {
	id, secret := db.NewID(), seal.Token()
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		g := grant{
			ID: id, Application: a.ID, Account: s.Account, Session: s.ID, Organization: c.organization, Mandate: c.mandate, Scope: q.scope, Nonce: q.nonce,
			RedirectURI: q.redirectURI, Challenge: q.challenge, AuthTime: s.AuthTime, AMR: s.AMR, ACR: acrOf(s.AMR),
		}
		if err := g.insert(tx, seal.Hash(secret)); err != nil {
			return err
		}
		return c.record(tx, web.Actor(r), s, a)
	})
	if err != nil {
		return err
	}
	p.note(a.ID, "authorize.ok", s.Account, "")
	return web.See(w, r, answer(q.redirectURI, "code", bearerOf(id, secret), "state", q.state, "iss", p.Site.Base))
}

// AllowNext prepares a page whose form leads on to next. If next is an
// authorization request that may be answered, the form may be redirected to
// the application (CSP form-action), and the application's name is returned.
func (p *Provider) AllowNext(w http.ResponseWriter, r *http.Request, next string) (name string) {
	path, query, _ := strings.Cut(web.LocalPath(next), "?")
	if path == "/authorize/organization" {
		if v, err := url.ParseQuery(query); err == nil {
			path, query, _ = strings.Cut(web.LocalPath(v.Get("next")), "?")
		}
	}
	if path != authorizePath {
		return ""
	}
	q, bad := readRequest(query)
	if bad != nil {
		return ""
	}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		a, err := trusted(tx, q)
		if err == nil {
			name = a.Name
		}
		return err
	})
	if err != nil {
		return ""
	}
	web.AllowForm(w, q.redirectURI)
	return name
}
