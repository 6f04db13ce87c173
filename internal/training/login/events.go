package login

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/web"
	"zunft/internal/training/erasure"
)

// events takes a Security Event Token that the identity portal pushes (RFC
// 8417, RFC 8935). The same one again is answered as the first time; one about
// somebody who was never here, or of a kind that we do not know, is fine, too.
func (d *Door) events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	err := d.hear(w, r)
	if err == nil {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	slog.WarnContext(r.Context(), "security event refused", "request", web.Actor(r).Request, "err", err)
	refused, no := errors.AsType[*noEvent](err)
	switch {
	case no:
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Language", "en")
		w.WriteHeader(http.StatusBadRequest)
		json.NewEncoder(w).Encode(map[string]string{"err": refused.code, "description": refused.why})
	case fault.Is(err, fault.KindLimited):
		w.WriteHeader(http.StatusTooManyRequests)
	default: // our side; it comes again
		w.WriteHeader(http.StatusInternalServerError)
	}
}

// noEvent is a token that is refused, with an error code of RFC 8935, section 2.4.
type noEvent struct{ code, why string }

func (e *noEvent) Error() string { return e.code + ": " + e.why }

const (
	eventType   = "secevent+jwt"
	purgedEvent = "https://schemas.openid.net/secevent/risc/event-type/account-purged" // OpenID RISC profile, 2.2
)

// setClaims of RFC 8417, section 2.2, and of RFC 9493, section 3.2.3.
type setClaims struct {
	Issuer  string           `json:"iss"`
	ID      string           `json:"jti"`
	Subject *json.RawMessage `json:"sub"`
	About   struct {
		Format  string `json:"format"`
		Issuer  string `json:"iss"`
		Subject string `json:"sub"`
	} `json:"sub_id"`
	Events map[string]json.RawMessage `json:"events"`
}

func (d *Door) hear(w http.ResponseWriter, r *http.Request) error {
	if err := limit.Take(r.Context(), d.DB, "events/"+limit.Network(web.Actor(r).IP), limit.Rate{Burst: 200, Every: 100 * time.Millisecond}); err != nil {
		return err
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/"+eventType {
		return &noEvent{"invalid_request", "the content type must be application/" + eventType}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<10))
	if err != nil {
		return &noEvent{"invalid_request", "the token cannot be read"}
	}
	raw := strings.TrimSpace(string(body))
	// What kind of token it says to be decides before anything else: an ID token
	// or a logout token is no event, whoever signed it (RFC 8417, section 4).
	var head struct {
		Type string `json:"typ"`
	}
	first, _, _ := strings.Cut(raw, ".")
	if b, err := base64.RawURLEncoding.DecodeString(first); err != nil || json.Unmarshal(b, &head) != nil || strings.TrimPrefix(strings.ToLower(head.Type), "application/") != eventType {
		return &noEvent{"invalid_request", "the token's typ must be " + eventType}
	}
	p, err := d.discover(r.Context())
	if err != nil {
		return err
	}
	c, err := d.event(r, p, raw)
	if err != nil {
		return err
	}
	if _, purged := c.Events[purgedEvent]; !purged {
		return nil
	}
	if c.About.Format != "iss_sub" || c.About.Issuer != d.Issuer || c.About.Subject == "" || len(c.About.Subject) > 255 {
		return &noEvent{"invalid_request", "sub_id must have the format iss_sub and name an account of the issuer"}
	}
	by := web.Actor(r)
	by.Kind = audit.System
	err = d.DB.Write(r.Context(), func(tx *db.Tx) error { return erasure.Purged(tx, by, c.About.Subject, d.Years) })
	if err != nil {
		return fmt.Errorf("account purged: %w", err)
	}
	return nil
}

// event verifies a token: signature, issuer, audience, and that it is an event.
func (d *Door) event(r *http.Request, p *provider, raw string) (c setClaims, err error) {
	t, err := p.Verifier(&oidc.Config{ClientID: d.ClientID, SkipExpiryCheck: true, Now: d.DB.Now}).Verify(d.client(r.Context()), raw)
	if err != nil {
		if isNetwork(err) { // its keys cannot be fetched just now
			return c, err
		}
		return c, refusal(raw, d.Issuer, d.ClientID, err)
	}
	if err := t.Claims(&c); err != nil {
		return c, &noEvent{"invalid_request", "the claims cannot be read"}
	}
	now := d.DB.Now()
	switch {
	case !slices.Contains(t.Audience, d.ClientID):
		return c, &noEvent{"invalid_audience", "the token is for another application"}
	case c.Subject != nil: // as an ID token and an access token have
		return c, &noEvent{"invalid_request", "an event has no sub; sub_id says whom it is about"}
	case c.ID == "" || len(c.ID) > 255:
		return c, &noEvent{"invalid_request", "jti is missing"}
	case t.IssuedAt.Unix() <= 0 || t.IssuedAt.After(now.Add(5*time.Minute)):
		return c, &noEvent{"invalid_request", "iat is missing or lies in the future"}
	case !t.Expiry.IsZero() && t.Expiry.Unix() > 0 && !t.Expiry.After(now):
		return c, &noEvent{"invalid_request", "the token has expired"}
	case len(c.Events) == 0:
		return c, &noEvent{"invalid_request", "events is missing"}
	}
	return c, nil
}

// refusal finds the error code for a token that did not verify. What it reads
// is not trusted: it only helps whoever sent it.
func refusal(raw, issuer, client string, why error) error {
	var c struct {
		Issuer   string          `json:"iss"`
		Audience json.RawMessage `json:"aud"`
	}
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		return &noEvent{"invalid_request", "this is no signed token"}
	}
	b, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(b, &c) != nil {
		return &noEvent{"invalid_request", "the claims cannot be read"}
	}
	var one string
	var many []string
	if json.Unmarshal(c.Audience, &one) == nil {
		many = []string{one}
	} else {
		json.Unmarshal(c.Audience, &many)
	}
	switch {
	case c.Issuer != issuer:
		return &noEvent{"invalid_issuer", "the token comes from another issuer"}
	case !slices.Contains(many, client):
		return &noEvent{"invalid_audience", "the token is for another application"}
	}
	slog.Warn("security event does not verify", "err", why)
	return &noEvent{"invalid_key", "the signature does not fit a key of the issuer"}
}
