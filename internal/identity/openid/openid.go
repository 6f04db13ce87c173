// Package openid is the OpenID Provider: the door through which connected
// applications sign people in and learn in which organization and with which
// roles they work there.
//
// The policy:
//
//   - Authorization code only, PKCE with S256 (RFC 7636), redirect URIs compared
//     exactly, iss in every answer (RFC 9207). What cannot be answered to a
//     registered redirect URI becomes a page, never a redirect.
//   - An application with a role catalogue gets no code for a person without a
//     role in it (R029), not even for an organization's admin (R030); roles are
//     read again when the code is exchanged and when a token is renewed (R148).
//   - Codes are used once: one conditional UPDATE decides, whatever else is
//     wrong with the request. A second use revokes all that came of the code.
//   - Tokens are 256 random bits of which only the hash is kept; they end with
//     the session (offline_access: with the account or the role).
//   - Signing keys lie sealed in the database; algorithms are listed when a
//     token is parsed, so none can be smuggled in.
//   - A session that ends is told to every application that signed in with it
//     (Back-Channel Logout), by the job queue.
//   - An account that is deleted is told to every application that has an
//     address for it, whether it knew the account or not ([tellPurged]).
//
// Norms: OpenID Connect Core, Discovery, RP-Initiated Logout and Back-Channel
// Logout 1.0; RFC 6749, 6750, 7009, 7636, 7662, 8414, 9207, 9700. The only
// library is go-jose; no other package imports it.
package openid

import (
	"context"
	"embed"
	"net/http"
	"sync"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/job"
	"zunft/internal/ground/web"
	"zunft/internal/identity/application"
	"zunft/internal/identity/departure"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/visitor"
)

// Phrases are what people read when a request of an application is no good.
//
//go:embed phrases/*.json
var Phrases embed.FS

//go:embed templates
var files embed.FS

var templates = web.Parse(files)

// How long things live.
const (
	codeLife    = 60 * time.Second
	accessLife  = 15 * time.Minute
	refreshLife = 30 * 24 * time.Hour
	idTokenLife = 15 * time.Minute
	loginLife   = 30 * time.Minute // to sign in again when a request asks for it
	grace       = 10 * time.Second // for a renewed token whose answer got lost
)

// A Provider serves one issuer: Site.Base.
type Provider struct {
	DB     *db.DB
	Site   *web.Site
	Door   *visitor.Door
	Client *http.Client // for back-channel logout; nil: one with a short timeout

	keys      keys
	clients   clientCache
	answered  answered
	events    eventlog
	discovery document
	once      sync.Once
}

// Mount adds the endpoints.
func (p *Provider) Mount(m *web.Mux) {
	m.Document("/.well-known/openid-configuration", p.metadata())
	m.Document("/.well-known/oauth-authorization-server", p.metadata())
	m.Document("/oauth2/jwks", p.serveJWKS())
	m.Machine("POST /oauth2/authorize", postToGet("/oauth2/authorize"))
	m.Open("GET /oauth2/authorize", p.authorize)
	m.Machine("/oauth2/token", p.endpoint(p.token))
	m.Machine("/oauth2/userinfo", p.endpoint(p.userinfo))
	m.Machine("/oauth2/introspect", p.endpoint(p.introspect))
	m.Machine("/oauth2/revoke", p.endpoint(p.revoke))
	m.Machine("POST /oauth2/end-session", postToGet("/oauth2/end-session"))
	m.Open("GET /oauth2/end-session", p.endSession)
	m.Open("POST /oauth2/end-session/confirmed", p.endConfirmed)
}

// Work registers what is done after the request.
func (p *Provider) Work(r *job.Runner) {
	r.On("session.ended", p.sessionEnded)
	r.On(membership.LessKind, p.mayLess)
	r.On(organization.LockedKind, p.mayLess)
	r.On("openid.backchannel", p.tellApplication)
	r.On(departure.GoneKind, p.accountGone)
	r.On("openid.purged", p.tellPurged)
	r.Every(10*time.Minute, "openid.sweep", p.sweep)
	r.Every(time.Hour, "application.events", func(ctx context.Context) error { return p.DB.Batches(ctx, application.SweepEvents) })
	r.Every(24*time.Hour, "openid.keys", p.warm) // once at the start, beside serving
}

// EnsureKeys loads the signing keys and makes the one for ES256 if there is
// none. The RSA key takes a while: it is made by a job right after the start, or
// by the first request that needs it.
func (p *Provider) EnsureKeys(ctx context.Context) error { return p.keys.load(ctx, p.DB) }

func (p *Provider) warm(ctx context.Context) error {
	_, err := p.keys.published(ctx, p.DB)
	return err
}
