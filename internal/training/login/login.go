// Package login is the door to the identity portal: OpenID Connect and
// nothing else, as any stranger's application would speak it.
//
// Policy:
//   - Authorization code with PKCE S256, state and nonce. The state is good once,
//     for ten minutes, and only in the browser that began (a cookie says which).
//   - An answer must name its issuer (RFC 9207) if the identity portal says that
//     it does so, and may name no other. ID tokens are checked by go-oidc
//     (signature, issuer, audience, expiry), here for nonce, azp and subject.
//   - Discovery happens at the first sign-in and is tried again after a failure:
//     the identity portal may start later than we do.
//   - Signing out ends our session first, then the one at the identity portal.
//     A back-channel logout token ends sessions by sid or subject, once.
//   - A security event says that an account is deleted for good; package erasure
//     knows what follows.
//
// It mounts POST /login, GET /oidc/callback, POST /logout, GET /logged-out,
// POST /oidc/backchannel-logout and POST /oidc/events.
package login

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/training/person"
)

// Phrases of these pages.
//
//go:embed phrases/*.json
var Phrases embed.FS

//go:embed all:templates
var files embed.FS

var templates = web.Parse(files)

// A Door leads to one identity portal.
type Door struct {
	DB                             *db.DB
	Site                           *web.Site
	Issuer, ClientID, ClientSecret string
	Client                         *http.Client // nil: one with a timeout
	Years                          int          // that books are kept, see package erasure

	mu     sync.Mutex
	found  *provider
	failed error
	since  time.Time // of failed
}

// provider is what discovery told.
type provider struct {
	*oidc.Provider
	EndSession string `json:"end_session_endpoint"`
	SaysIssuer bool   `json:"authorization_response_iss_parameter_supported"`
}

const (
	sessionCookie = "session"
	browserCookie = "login"
	whoseCookie   = "whose" // who signed in here last, so that drafts of one are not for the next
	draftsKept    = 8 * 24 * time.Hour
	attemptLife   = 10 * time.Minute
	pause         = 2 * time.Second // between two tries of discovery
)

var defaultClient = &http.Client{Timeout: 10 * time.Second}

// Mount adds the routes.
func (d *Door) Mount(m *web.Mux) {
	m.Open("POST /login", d.login)
	m.Open("GET /oidc/callback", d.callback)
	m.Open("POST /logout", d.logout)
	m.Open("GET /logged-out", d.loggedOut)
	m.Machine("POST /oidc/backchannel-logout", http.HandlerFunc(d.backchannel))
	m.Machine("POST /oidc/events", http.HandlerFunc(d.events))
}

type sessionKey struct{}

// Of is the session of this request, or nil for a stranger.
func Of(r *http.Request) *person.Session {
	s, _ := web.Get(r, sessionKey{}).(*person.Session)
	return s
}

// Who is web.Site's Who: it resolves the session cookie.
func (d *Door) Who(r *http.Request) (*http.Request, error) {
	token := d.Site.Cookie(r, sessionCookie)
	if token == "" || len(token) > 100 {
		return r, nil
	}
	var s person.Session
	var now db.Time
	err := d.DB.Ask(r.Context(), func(tx *db.Tx) (err error) {
		now = tx.Now()
		s, err = person.Resolve(tx, token)
		return err
	})
	if fault.Is(err, fault.KindNotFound) {
		return r, nil
	}
	if err != nil {
		return r, err
	}
	if len(s.Roles) == 0 { // the last one was taken away: sign in again and read why
		return r, nil
	}
	if now.Sub(s.SeenAt) > time.Minute {
		if err := d.DB.Write(r.Context(), func(tx *db.Tx) error { return person.Touch(tx, s.ID) }); err != nil {
			return r, err
		}
	}
	web.Set(r, sessionKey{}, &s)
	actor := web.Actor(r)
	actor.Account, actor.Session = s.Person.Sub, s.ID
	web.SetActor(r, actor)
	return r, nil
}

// SetSession puts a session's token into the browser.
func (d *Door) SetSession(w http.ResponseWriter, token string) {
	d.Site.SetCookie(w, sessionCookie, token, 0)
}

func (d *Door) client(ctx context.Context) context.Context {
	c := d.Client
	if c == nil {
		c = defaultClient
	}
	return oidc.ClientContext(ctx, c)
}

// discover asks the identity portal what it offers, once it answers.
func (d *Door) discover(ctx context.Context) (*provider, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.found != nil {
		return d.found, nil
	}
	if d.failed != nil && time.Since(d.since) < pause {
		return nil, d.failed
	}
	p := &provider{}
	var err error
	// Not the request's context: another one may be waiting for the same answer.
	if p.Provider, err = oidc.NewProvider(d.client(context.WithoutCancel(ctx)), d.Issuer); err == nil {
		err = p.Claims(p)
	}
	if err == nil && p.Endpoint().AuthURL == "" {
		err = errors.New("no authorization endpoint")
	}
	if err != nil {
		d.failed, d.since = fmt.Errorf("discover %s: %w", d.Issuer, err), time.Now()
		return nil, d.failed
	}
	d.found, d.failed = p, nil
	return p, nil
}

func (d *Door) config(p *provider) *oauth2.Config {
	return &oauth2.Config{
		ClientID: d.ClientID, ClientSecret: d.ClientSecret, Endpoint: p.Endpoint(),
		RedirectURL: d.Site.Base + "/oidc/callback", Scopes: []string{oidc.ScopeOpenID, "profile", "email", "organization", "roles"},
	}
}

// verify checks a token of the identity portal that is meant for us.
func (d *Door) verify(ctx context.Context, p *provider, raw string) (*oidc.IDToken, error) {
	if len(raw) > 64<<10 {
		return nil, errors.New("token too long")
	}
	t, err := p.Verifier(&oidc.Config{ClientID: d.ClientID, Now: d.DB.Now}).Verify(d.client(ctx), raw)
	if err != nil {
		return nil, err
	}
	var c struct {
		AZP string `json:"azp"`
	}
	if err := t.Claims(&c); err != nil {
		return nil, err
	}
	if c.AZP != "" && c.AZP != d.ClientID || c.AZP == "" && len(t.Audience) > 1 {
		return nil, errors.New("token was made for another application (azp)")
	}
	if now := d.DB.Now(); t.IssuedAt.After(now.Add(5 * time.Minute)) {
		return nil, errors.New("token comes from the future (iat)")
	}
	return t, nil
}

// stoppedPage says why a sign-in came to nothing, and what to do.
type stoppedPage struct {
	web.Frame
	Heading, Text string
	Next          string
}

// stop shows the page; it is not a defect of ours.
func (d *Door) stop(w http.ResponseWriter, r *http.Request, status int, why, next string, args ...any) error {
	text := func(key string, args ...any) string { return d.Site.Catalog.Text(web.Lang(r), key, args...) }
	return d.Site.Show(w, r, status, templates, "stopped", &stoppedPage{
		Heading: text("login.stop." + why + "_heading"), Text: text("login.stop."+why, args...), Next: next,
	})
}
