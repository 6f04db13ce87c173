package openid

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/seal"
	"zunft/internal/ground/web"
	"zunft/internal/identity/application"
)

// endpoint is what the machine endpoints have in common: readable across
// origins (they know no cookies), never cached, forms small and flat, errors as JSON.
func (p *Provider) endpoint(h func(http.ResponseWriter, *http.Request) (any, *refusal, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodOptions {
			preflight(w)
			return
		}
		header := w.Header()
		header["Access-Control-Allow-Origin"] = anyOrigin
		header["Cache-Control"] = []string{"no-store"}
		header["Pragma"] = []string{"no-cache"}
		if why := readForm(w, r); why != nil {
			refused(w, r, why)
			return
		}
		out, why, err := h(w, r)
		switch {
		case err != nil:
			slog.ErrorContext(r.Context(), "defect", "request", web.Actor(r).Request, "path", r.URL.Path, "err", err)
			reply(w, http.StatusInternalServerError, map[string]string{"error": "server_error", "error_description": "request " + web.Actor(r).Request})
		case why != nil:
			refused(w, r, why)
		default:
			reply(w, http.StatusOK, out)
		}
	})
}

// readForm reads a posted form: urlencoded, at most 64 kB, no parameter twice.
func readForm(w http.ResponseWriter, r *http.Request) *refusal {
	if r.Method != http.MethodPost {
		if r.URL.Path != "/oauth2/userinfo" || r.Method != http.MethodGet && r.Method != http.MethodHead {
			return refuse("method", "use POST")
		}
		return nil
	}
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	if kind = strings.TrimSpace(kind); !strings.EqualFold(kind, "application/x-www-form-urlencoded") {
		if kind == "" && r.ContentLength == 0 || r.URL.Path == "/oauth2/userinfo" {
			return nil
		}
		return refuse("invalid_request", "the body must be application/x-www-form-urlencoded")
	}
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		return refuse("invalid_request", "the form is malformed or too large")
	}
	if len(r.PostForm) > maxParameters {
		return refuse("invalid_request", "too many parameters")
	}
	for name, values := range r.PostForm {
		if len(values) > 1 {
			return refuse("invalid_request", "a parameter is there more than once")
		}
		if !plain(values[0], 8<<10) || len(name) > 256 {
			return refuse("invalid_request", "a parameter is too long or not text")
		}
	}
	return nil
}

func reply(w http.ResponseWriter, status int, out any) {
	body, err := json.Marshal(out)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"error":"server_error"}`)
	}
	if out == nil {
		body = nil
	} else {
		w.Header()["Content-Type"] = []string{"application/json"}
	}
	w.WriteHeader(status)
	w.Write(body)
}

// refused answers as RFC 6749, section 5.2, and RFC 6750, section 3, want it.
func refused(w http.ResponseWriter, r *http.Request, why *refusal) {
	status, body := http.StatusBadRequest, map[string]string{"error": why.code, "error_description": why.description}
	switch why.code {
	case "invalid_client":
		status = http.StatusUnauthorized
		w.Header().Set("WWW-Authenticate", `Basic realm="zunft", error="invalid_client"`)
	case "invalid_token":
		status = http.StatusUnauthorized
		w.Header().Set("WWW-Authenticate", `Bearer realm="zunft", error="invalid_token", error_description="`+why.description+`"`)
	case "no_token": // without a token there is no error code
		status, body = http.StatusUnauthorized, map[string]string{"error": "invalid_token", "error_description": why.description}
		w.Header().Set("WWW-Authenticate", `Bearer realm="zunft"`)
	case "insufficient_scope":
		status = http.StatusForbidden
		w.Header().Set("WWW-Authenticate", `Bearer realm="zunft", error="insufficient_scope"`)
	case "method":
		status, body["error"] = http.StatusMethodNotAllowed, "invalid_request"
		w.Header().Set("Allow", "POST, OPTIONS")
	}
	reply(w, status, body)
}

// tokens is the answer of RFC 6749, section 5.1.
type tokens struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int    `json:"expires_in"`
	RefreshToken string `json:"refresh_token,omitempty"`
	Scope        string `json:"scope"`
	IDToken      string `json:"id_token"`
}

func (p *Provider) token(w http.ResponseWriter, r *http.Request) (any, *refusal, error) {
	a, why, err := p.authenticate(r)
	if why != nil || err != nil {
		return nil, why, err
	}
	switch r.PostForm.Get("grant_type") {
	case "authorization_code":
		return p.exchange(r, a)
	case "refresh_token":
		return p.refresh(r, a)
	case "":
		why = refuse("invalid_request", "grant_type is missing")
	default:
		why = refuse("unsupported_grant_type", "grant_type must be authorization_code or refresh_token")
	}
	p.note(a.ID, "token."+why.code, "", "openid.event_refused", why.description)
	return nil, why, nil
}

var badCode = refuse("invalid_grant", "the code is unknown, used, expired or was issued for another client, redirect URI or verifier")

// exchange turns a code into tokens (RFC 6749, section 4.1.3). Whatever is
// wrong with the rest, the code is burnt; what is wrong is not told apart.
func (p *Provider) exchange(r *http.Request, a application.Application) (any, *refusal, error) {
	form := r.PostForm
	if form.Get("code") == "" {
		p.note(a.ID, "token.invalid_request", "", "openid.event_refused", "code is missing")
		return nil, refuse("invalid_request", "code is missing"), nil
	}
	var t tokens
	var reason string // for the application's log
	var args []string
	secret := seal.Token()
	var g grant
	var at workClaims
	var now db.Time
	// A client that hangs up does not stop it: half of it would burn the code all the same.
	err := p.DB.Write(context.WithoutCancel(r.Context()), func(tx *db.Tx) (err error) {
		now, reason, args = tx.Now(), "openid.event_code_unknown", nil
		if g, err = useCode(tx, web.Actor(r), form.Get("code"), secret); err != nil {
			return db.Keep(err)
		}
		if reason, args = mismatch(g, a, form); reason != "" {
			return db.Keep(fault.NotFound())
		}
		if at, err = work(tx, g); err != nil {
			reason = "openid.event_role_gone"
			return db.Keep(err)
		}
		t.AccessToken = bearerOf(g.ID, secret)
		if g.offline() {
			t.RefreshToken = seal.Token()
			return addToken(tx, "refresh", t.RefreshToken, g.ID, refreshLife)
		}
		return nil
	})
	if fault.Is(err, fault.KindNotFound) {
		p.note(a.ID, "token.invalid_grant", g.Account, reason, args...)
		return nil, badCode, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("exchange code: %w", err)
	}
	p.note(a.ID, "token.ok", g.Account, "")
	return p.finish(r, a, g, at, t, now, g.Nonce)
}

// mismatch says for the application's log what does not fit between a code and
// the request that shows it. The application itself is not told.
func mismatch(g grant, a application.Application, form url.Values) (reason string, args []string) {
	switch {
	case g.Application != a.ID:
		return "openid.event_code_elsewhere", nil
	case !g.inTime:
		return "openid.event_code_late", nil
	case !g.alive:
		return "openid.event_code_ended", nil
	case g.RedirectURI != form.Get("redirect_uri"):
		d, _ := application.Explain([]string{g.RedirectURI}, form.Get("redirect_uri"))
		return d.Phrase, texts(d.Args)
	case !verified(g.Challenge, form):
		return "openid.event_code_verifier", nil
	}
	return "", nil
}

// verified checks the code verifier (RFC 7636, section 4.6). A verifier for a
// code without a challenge is refused as well (RFC 9700, section 2.1.1: downgrade).
func verified(challenge string, form map[string][]string) bool {
	sent := form["code_verifier"]
	if challenge == "" {
		return len(sent) == 0 || sent[0] == ""
	}
	if len(sent) == 0 || len(sent[0]) < 43 || len(sent[0]) > 128 {
		return false
	}
	sum := sha256.Sum256([]byte(sent[0]))
	return seal.Equal(challenge, base64.RawURLEncoding.EncodeToString(sum[:]))
}

// finish signs the ID token, outside of the transaction.
func (p *Provider) finish(r *http.Request, a application.Application, g grant, at workClaims, t tokens, now db.Time, nonce string) (any, *refusal, error) {
	k, err := p.keys.get(r.Context(), p.DB, a.IDTokenAlg)
	if err != nil {
		return nil, nil, err
	}
	t.TokenType, t.ExpiresIn, t.Scope = "Bearer", int(accessLife/time.Second), g.Scope
	t.IDToken, err = k.sign(typeToken, p.idToken(a, g, at, t.AccessToken, now, nonce))
	if err != nil {
		return nil, nil, fmt.Errorf("sign ID token: %w", err)
	}
	return &t, nil, nil
}

// idToken is what the application reads of a grant (OpenID Connect Core, section 2).
func (p *Provider) idToken(a application.Application, g grant, at workClaims, accessToken string, now db.Time, nonce string) *idToken {
	return &idToken{
		Issuer: p.Site.Base, Subject: g.Account, Audience: a.ClientID, Expires: now.Add(idTokenLife).Unix(), IssuedAt: now.Unix(),
		AuthTime: g.AuthTime.Unix(), Nonce: nonce, ACR: g.ACR, AMR: strings.Fields(g.AMR), Session: g.Session, AtHash: halfHash(accessToken), workClaims: at,
	}
}

// refresh renews tokens (RFC 6749, section 6; OpenID Connect Core, section 12).
func (p *Provider) refresh(r *http.Request, a application.Application) (any, *refusal, error) {
	old := r.PostForm.Get("refresh_token")
	if old == "" {
		return nil, refuse("invalid_request", "refresh_token is missing"), nil
	}
	var t tokens
	secret := seal.Token()
	var n renewal
	var at workClaims
	var now db.Time
	lost := p.answered.lost(seal.Hash(old), r)
	narrower := true
	err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		now = tx.Now()
		// A token shown by another client is left as it is: knowing it must not burn it.
		owner, err := db.Value[string](tx, `SELECT application FROM oidc_grant WHERE id = (SELECT oidc_grant FROM oidc_token WHERE token_hash = $1 AND kind = 'refresh')`, seal.Hash(old))
		if err != nil || owner != a.ID {
			if err == nil {
				err = fault.NotFound()
			}
			return err
		}
		if n, err = renew(tx, web.Actor(r), old, lost); err != nil {
			return db.Keep(err)
		}
		// The scope may be asked for again or narrowed, never widened; the grant keeps its own.
		for _, s := range strings.Fields(r.PostForm.Get("scope")) {
			narrower = narrower && granted(n.grant.Scope, s)
		}
		if !narrower {
			return fault.NotFound() // nothing has happened
		}
		if at, err = work(tx, n.grant); err != nil {
			return db.Keep(err)
		}
		t.AccessToken = bearerOf(n.grant.ID, secret)
		return addToken(tx, "access", secret, n.grant.ID, accessLife)
	})
	switch {
	case !narrower:
		return nil, refuse("invalid_scope", "the scope is wider than what was granted"), nil
	case fault.Is(err, fault.KindNotFound):
		p.note(a.ID, "refresh.invalid_grant", n.grant.Account, "openid.event_refresh")
		return nil, refuse("invalid_grant", "the refresh token is unknown, used, expired or revoked"), nil
	case err != nil:
		return nil, nil, fmt.Errorf("renew tokens: %w", err)
	}
	p.note(a.ID, "refresh.ok", n.grant.Account, "")
	t.RefreshToken = n.token
	out, why, err := p.finish(r, a, n.grant, at, t, now, "")
	if err == nil && why == nil {
		p.answered.note(seal.Hash(old), r, p.DB.Now())
	}
	return out, why, err
}
