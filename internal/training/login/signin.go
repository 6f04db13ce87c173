package login

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/i18n"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/seal"
	"zunft/internal/ground/web"
	"zunft/internal/training/apprenticeship"
	"zunft/internal/training/person"
	"zunft/internal/training/supervisor"
)

// login is the button "Anmelden mit Kammerkonto".
func (d *Door) login(w http.ResponseWriter, r *http.Request) error {
	return d.begin(w, r, d.browser(w, r), web.LocalPath(web.ReadForm(r).Text("next")))
}

// SignIn is web.Site's SignIn: a stranger signs in and comes back to next.
// What was typed into a page whose session has ended is parked.
func (d *Door) SignIn(w http.ResponseWriter, r *http.Request, next string) {
	browser := d.browser(w, r)
	err := func() error {
		if r.Method == http.MethodPost {
			parked, err := d.park(r, browser)
			if err != nil {
				return err
			}
			if parked {
				next = r.URL.Path
			}
		}
		return d.begin(w, r, browser, web.LocalPath(next))
	}()
	if err != nil {
		slog.ErrorContext(r.Context(), "begin sign-in", "request", web.Actor(r).Request, "err", err)
		if err := d.stop(w, r, http.StatusInternalServerError, "defect", next, web.Actor(r).Request); err != nil {
			slog.ErrorContext(r.Context(), "sign-in page", "request", web.Actor(r).Request, "err", err)
		}
	}
}

// begin remembers the attempt and sends the browser to the identity portal.
func (d *Door) begin(w http.ResponseWriter, r *http.Request, browser, next string) error {
	w.Header().Set("Cache-Control", "no-store")
	err := limit.Take(r.Context(), d.DB, "signin/"+limit.Network(web.Actor(r).IP), limit.Rate{Burst: 100, Every: 2 * time.Second})
	if f := fault.Of(err); f != nil {
		w.Header().Set("Retry-After", fmt.Sprint(int(f.Wait.Seconds())+1))
		return d.stop(w, r, http.StatusTooManyRequests, "often", next)
	}
	if err != nil {
		return err
	}
	p, err := d.discover(r.Context())
	if err != nil {
		return d.unreachable(w, r, next, err)
	}
	state, nonce, verifier := seal.Token(), seal.Token(), oauth2.GenerateVerifier()
	err = d.DB.Write(r.Context(), func(tx *db.Tx) error {
		hash := seal.Hash(state)
		_, err := tx.Exec(`INSERT INTO login_attempt (state_hash, browser, nonce, verifier, next, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			hash, seal.Hash(browser), nonce, tx.Keys().Seal("login_attempt/verifier/"+hash, []byte(verifier)), next, tx.Now(), tx.Now().Add(attemptLife))
		return err
	})
	if err != nil {
		return fmt.Errorf("begin sign-in: %w", err)
	}
	return web.See(w, r, d.config(p).AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier),
		oauth2.SetAuthURLParam("ui_locales", web.Lang(r))))
}

// browser is the cookie that ties an answer to the browser that asked; several
// tabs share it.
func (d *Door) browser(w http.ResponseWriter, r *http.Request) string {
	value := d.Site.Cookie(r, browserCookie)
	if len(value) != 43 {
		value = seal.Token()
	}
	d.Site.SetCookie(w, browserCookie, value, 24*time.Hour)
	return value
}

func (d *Door) unreachable(w http.ResponseWriter, r *http.Request, next string, err error) error {
	slog.WarnContext(r.Context(), "identity portal unreachable", "request", web.Actor(r).Request, "err", err)
	w.Header().Set("Retry-After", "10")
	return d.stop(w, r, http.StatusServiceUnavailable, "unreachable", next, web.Actor(r).Request)
}

// attempt is what begin remembered.
type attempt struct{ nonce, verifier, next string }

// take uses up the attempt of a state; it is good once and in one browser.
func (d *Door) take(ctx context.Context, state, browser string) (a attempt, err error) {
	err = d.DB.Write(ctx, func(tx *db.Tx) error {
		hash := seal.Hash(state)
		var sealed string
		err := tx.Scan(`DELETE FROM login_attempt WHERE state_hash = $1 AND browser = $2 AND expires_at > $3 RETURNING nonce, verifier, next`,
			[]any{hash, seal.Hash(browser), tx.Now()}, &a.nonce, &sealed, &a.next)
		if err != nil {
			return err
		}
		plain, err := tx.Keys().Open("login_attempt/verifier/"+hash, sealed)
		a.verifier = string(plain)
		return err
	})
	return a, err
}

// callback is where the identity portal sends the browser back to.
func (d *Door) callback(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	state, browser := q.Get("state"), d.Site.Cookie(r, browserCookie)
	if len(q["state"]) != 1 || len(q["code"]) > 1 || len(q["iss"]) > 1 || state == "" || browser == "" {
		return d.stop(w, r, http.StatusBadRequest, "stale", "/")
	}
	a, err := d.take(r.Context(), state, browser)
	if fault.Is(err, fault.KindNotFound) {
		if Of(r) != nil { // the second tab, or the button "back": already in
			return web.See(w, r, "/")
		}
		return d.stop(w, r, http.StatusBadRequest, "stale", "/")
	}
	if err != nil {
		return fmt.Errorf("take sign-in attempt: %w", err)
	}
	p, err := d.discover(r.Context())
	if err != nil {
		return d.unreachable(w, r, a.next, err)
	}
	// RFC 9207: the answer of another authorization server is not for us.
	if iss := q.Get("iss"); iss != d.Issuer && (iss != "" || p.SaysIssuer) {
		return d.refuse(w, r, a.next, fmt.Errorf("answer of issuer %q", iss))
	}
	if code := q.Get("error"); code != "" {
		return d.denied(w, r, a.next, code)
	}
	c, raw, err := d.exchange(r.Context(), p, a, q.Get("code"))
	if err != nil {
		if _, answered := errors.AsType[*oauth2.RetrieveError](err); !answered && isNetwork(err) {
			return d.unreachable(w, r, a.next, err)
		}
		return d.refuse(w, r, a.next, err)
	}
	return d.enter(w, r, a.next, c, raw)
}

// enter learns who came, and begins a new session in place of an old one.
func (d *Door) enter(w http.ResponseWriter, r *http.Request, next string, c person.Claims, raw string) error {
	if c.Person.Language == "" {
		c.Person.Language = web.Lang(r)
	}
	by := web.Actor(r)
	by.Account = c.Person.Sub
	var token string
	err := d.DB.Write(r.Context(), func(tx *db.Tx) error {
		if old := Of(r); old != nil {
			if err := person.End(tx, by, old.ID); err != nil {
				return err
			}
		}
		if err := person.Learn(tx, by, c); err != nil {
			return err
		}
		if err := apprenticeship.Link(tx, by, c); err != nil {
			return err
		}
		if err := supervisor.Upgrade(tx, by, c.Person); err != nil {
			return err
		}
		var err error
		token, _, err = person.Start(tx, by, c, raw)
		return err
	})
	if f := fault.Of(err); f != nil {
		d.Site.SetCookie(w, sessionCookie, "", -1)
		page := &stoppedPage{Next: next}
		page.Heading = d.Site.Catalog.Text(web.Lang(r), "login.stop.nobody_heading")
		page.Text = d.Site.Catalog.Text(web.Lang(r), f.Key())
		return d.Site.Show(w, r, http.StatusForbidden, templates, "stopped", page)
	}
	if err != nil {
		return fmt.Errorf("enter: %w", err)
	}
	d.SetSession(w, token)
	d.turn(w, r, c.Person.Sub)
	return web.See(w, r, next)
}

// turn notes whose turn it is in this browser. Somebody else's ends what the one
// before wrote here without a connection (decision 0025): the page of a week does
// so itself, but a trainer opens none, and reads offline what lies there.
func (d *Door) turn(w http.ResponseWriter, r *http.Request, sub string) {
	mine := d.DB.Keys.MAC("login/whose", "", sub)
	if last := d.Site.Cookie(r, whoseCookie); last != "" && last != mine {
		w.Header().Set("Clear-Site-Data", `"storage"`)
	}
	d.Site.SetCookie(w, whoseCookie, mine, draftsKept)
}

// refuse: the answer could not be believed. The reason is for the log only.
func (d *Door) refuse(w http.ResponseWriter, r *http.Request, next string, err error) error {
	slog.WarnContext(r.Context(), "sign-in refused", "request", web.Actor(r).Request, "err", err)
	return d.stop(w, r, http.StatusBadRequest, "refused", next, web.Actor(r).Request)
}

// denied: the identity portal said no (RFC 6749 4.1.2.1, OpenID Connect Core 3.1.2.6).
func (d *Door) denied(w http.ResponseWriter, r *http.Request, next, code string) error {
	slog.InfoContext(r.Context(), "identity portal answered", "request", web.Actor(r).Request, "error", cut(code))
	switch code {
	case "access_denied":
		return d.stop(w, r, http.StatusForbidden, "denied", next)
	case "login_required", "interaction_required", "account_selection_required", "consent_required":
		return d.stop(w, r, http.StatusForbidden, "required", next)
	case "temporarily_unavailable", "server_error":
		return d.stop(w, r, http.StatusServiceUnavailable, "unreachable", next, web.Actor(r).Request)
	}
	return d.stop(w, r, http.StatusBadRequest, "refused", next, web.Actor(r).Request)
}

func cut(s string) string { return fmt.Sprintf("%.60q", s) }

func isNetwork(err error) bool {
	type timeout interface{ Timeout() bool }
	var t timeout
	return errors.As(err, &t)
}

// exchange trades the code for tokens and reads who came.
func (d *Door) exchange(ctx context.Context, p *provider, a attempt, code string) (c person.Claims, raw string, err error) {
	if code == "" {
		return c, "", errors.New("answer without a code")
	}
	tokens, err := d.config(p).Exchange(d.client(ctx), code, oauth2.VerifierOption(a.verifier))
	if err != nil {
		return c, "", fmt.Errorf("exchange code: %w", err)
	}
	raw, _ = tokens.Extra("id_token").(string)
	t, err := d.verify(ctx, p, raw)
	if err != nil {
		return c, "", fmt.Errorf("verify ID token: %w", err)
	}
	if subtle.ConstantTimeCompare([]byte(t.Nonce), []byte(a.nonce)) != 1 {
		return c, "", errors.New("ID token with another nonce")
	}
	if t.Subject == "" || len(t.Subject) > 255 {
		return c, "", errors.New("ID token without a subject")
	}
	if t.AccessTokenHash != "" {
		if err := t.VerifyAccessToken(tokens.AccessToken); err != nil {
			return c, "", err
		}
	}
	var said claims
	if err := t.Claims(&said); err != nil {
		return c, "", fmt.Errorf("claims: %w", err)
	}
	if said.Organization.ID == "" || said.Name == "" || said.Email == "" {
		if err := d.userinfo(ctx, p, tokens, t.Subject, &said); err != nil {
			return c, "", err
		}
	}
	return said.claims(t.Subject), raw, nil
}

// userinfo completes what the ID token left out (OpenID Connect Core 5.3, 5.4).
func (d *Door) userinfo(ctx context.Context, p *provider, tokens *oauth2.Token, sub string, said *claims) error {
	if p.UserInfoEndpoint() == "" {
		return nil
	}
	info, err := p.UserInfo(d.client(ctx), oauth2.StaticTokenSource(tokens))
	if err != nil {
		return fmt.Errorf("userinfo: %w", err)
	}
	if info.Subject != sub {
		return errors.New("userinfo about somebody else")
	}
	var more claims
	if err := info.Claims(&more); err != nil {
		return fmt.Errorf("userinfo: %w", err)
	}
	said.complete(more)
	return nil
}

// claims of decision 10.
type claims struct {
	Name          string `json:"name"`
	GivenName     string `json:"given_name"`
	FamilyName    string `json:"family_name"`
	Email         string `json:"email"`
	EmailVerified any    `json:"email_verified"` // some say "true"
	Locale        string `json:"locale"`
	SID           string `json:"sid"`
	Organization  struct {
		ID            string `json:"id"`
		Name          string `json:"name"`
		IdentNumber   string `json:"ident_number"`
		ChamberNumber string `json:"chamber_number"`
	} `json:"organization"`
	Roles []string `json:"roles"`

	// Of the person in the organization (R216).
	ApprenticeNumber string `json:"apprentice_number"`
	TrainerNumber    string `json:"trainer_number"`
}

// complete takes from more what the ID token did not say.
func (c *claims) complete(more claims) {
	if c.Name == "" {
		c.Name, c.GivenName, c.FamilyName = more.Name, more.GivenName, more.FamilyName
	}
	if c.Email == "" {
		c.Email, c.EmailVerified = more.Email, more.EmailVerified
	}
	if c.Locale == "" {
		c.Locale = more.Locale
	}
	if c.Organization.ID == "" {
		c.Organization, c.Roles = more.Organization, more.Roles
		c.ApprenticeNumber, c.TrainerNumber = more.ApprenticeNumber, more.TrainerNumber
	}
}

func (c claims) claims(sub string) person.Claims {
	out := person.Claims{
		SID: c.SID, Roles: c.Roles, ApprenticeNumber: c.ApprenticeNumber, TrainerNumber: c.TrainerNumber,
		Person: person.Person{Sub: sub, Name: c.Name, GivenName: c.GivenName, FamilyName: c.FamilyName},
		Company: person.Company{
			ID: c.Organization.ID, Name: c.Organization.Name,
			IdentNumber: c.Organization.IdentNumber, ChamberNumber: c.Organization.ChamberNumber,
		},
	}
	if c.EmailVerified == true || c.EmailVerified == "true" { // an address nobody confirmed gets no mail
		out.Person.Email = c.Email
	}
	if c.Locale != "" {
		out.Person.Language = i18n.Match(c.Locale)
	}
	return out
}
