package openid

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/application"
)

// A credential is what a client shows of itself (OpenID Connect Core, section 9).
type credential struct{ method, id, secret string }

// readBasic takes the Authorization header apart. Both parts are
// form-urlencoded before they are joined (RFC 6749, section 2.3.1).
func readBasic(header string) (credential, bool) {
	c := credential{method: "client_secret_basic"}
	scheme, encoded, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Basic") || len(encoded) > 4<<10 {
		return c, false
	}
	plain, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	if err != nil {
		return c, false
	}
	id, secret, found := strings.Cut(string(plain), ":")
	if !found {
		return c, false
	}
	if c.id, err = url.QueryUnescape(id); err != nil {
		return c, false
	}
	if c.secret, err = url.QueryUnescape(secret); err != nil {
		return c, false
	}
	return c, c.id != ""
}

// readCredential: one method only (RFC 6749, section 2.3).
func readCredential(r *http.Request) (credential, *refusal) {
	id, secret := r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	if header := r.Header.Get("Authorization"); header != "" {
		c, ok := readBasic(header)
		switch {
		case !ok || len(r.Header.Values("Authorization")) > 1:
			return c, refuse("invalid_client", "the Authorization header is not Basic as in RFC 6749, section 2.3.1")
		case r.PostForm.Has("client_secret"), id != "" && id != c.id:
			return c, refuse("invalid_request", "more than one way of client authentication")
		}
		return c, nil
	}
	if secret != "" {
		return credential{"client_secret_post", id, secret}, nil
	}
	return credential{"none", id, ""}, nil
}

// authenticate says which application calls, by the method it is registered for.
func (p *Provider) authenticate(r *http.Request) (application.Application, *refusal, error) {
	c, why := readCredential(r)
	if why != nil {
		return application.Application{}, why, nil
	}
	unknown := refuse("invalid_client", "the client is unknown, or authenticates in another way than it is registered for")
	if c.id == "" || !plain(c.id, 255) {
		return application.Application{}, unknown, nil
	}
	a, secrets, err := p.clients.get(r.Context(), p.DB, c.id)
	if fault.Is(err, fault.KindNotFound) {
		return a, unknown, nil
	}
	if err != nil {
		return a, nil, err
	}
	switch {
	case a.State != application.Active:
		p.note(a.ID, "token.invalid_client", "", "openid.event_disabled")
		return a, unknown, nil
	case a.AuthMethod != c.method:
		p.note(a.ID, "token.invalid_client", "", "openid.event_method", a.AuthMethod, c.method)
		return a, unknown, nil
	case c.method == "none":
		return a, nil, nil
	}
	shown, opens := application.Opens(secrets, c.secret, db.At(p.DB.Now()))
	if !opens {
		p.note(a.ID, "token.invalid_client", "", "openid.event_secret")
		return a, unknown, nil
	}
	p.noteUse(shown)
	return a, nil, nil
}

// clientCache keeps applications for a second: the token endpoint need not
// read the same row thousands of times a second, and a client that is disabled
// or gets a new secret still notices at once, for a person.
type clientCache struct {
	mu    sync.Mutex
	known map[string]cachedClient
}

type cachedClient struct {
	application application.Application
	secrets     []application.Secret
	until       time.Time
}

const cacheLife = time.Second

func (c *clientCache) get(ctx context.Context, d *db.DB, id string) (application.Application, []application.Secret, error) {
	now := time.Now()
	c.mu.Lock()
	hit, ok := c.known[id]
	c.mu.Unlock()
	if ok && now.Before(hit.until) {
		return hit.application, hit.secrets, nil
	}
	var a application.Application
	var secrets []application.Secret
	err := d.Read(ctx, func(tx *db.Tx) (err error) {
		if a, err = application.ByClientID(tx, id); err == nil {
			secrets, err = application.Living(tx, a.ID)
		}
		return err
	})
	if err != nil {
		return a, nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil || len(c.known) > 10_000 {
		c.known = map[string]cachedClient{}
	}
	c.known[id] = cachedClient{a, secrets, now.Add(cacheLife)}
	return a, secrets, nil
}
