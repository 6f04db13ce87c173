package openid

import (
	"net/http"
	"strings"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/seal"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/application"
)

// bearer is the access token of a request: in the header or in a posted form,
// never in the address (RFC 6750, section 2; RFC 9700, section 4.3.2).
func bearer(r *http.Request) (string, *refusal) {
	inForm := r.PostForm.Get("access_token")
	header := r.Header.Values("Authorization")
	switch {
	case len(header) == 0 && inForm == "":
		return "", refuse("no_token", "an access token is needed")
	case len(header) == 0:
		return inForm, nil
	case len(header) > 1 || inForm != "":
		return "", refuse("invalid_request", "more than one access token")
	}
	scheme, token, _ := strings.Cut(header[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", refuse("no_token", "an access token is needed")
	}
	return strings.TrimSpace(token), nil
}

// userinfo says who the person is (OpenID Connect Core, section 5.3).
func (p *Provider) userinfo(w http.ResponseWriter, r *http.Request) (any, *refusal, error) {
	token, why := bearer(r)
	if why != nil {
		return nil, why, nil
	}
	var c personClaims
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		g, err := byAccessToken(tx, token)
		if err == nil {
			c, err = person(tx, g)
		}
		return err
	})
	if fault.Is(err, fault.KindNotFound) {
		return nil, refuse("invalid_token", "the access token is unknown, expired or revoked"), nil
	}
	return &c, nil, err
}

// introspection is the answer of RFC 7662, section 2.2.
type introspection struct {
	Active    bool   `json:"active"`
	Scope     string `json:"scope,omitempty"`
	ClientID  string `json:"client_id,omitempty"`
	Username  string `json:"username,omitempty"`
	TokenType string `json:"token_type,omitempty"`
	Expires   int64  `json:"exp,omitempty"`
	Subject   string `json:"sub,omitempty"`
	Audience  string `json:"aud,omitempty"`
	Issuer    string `json:"iss,omitempty"`
	Session   string `json:"sid,omitempty"`
}

// introspect tells an application about its own tokens; others are inactive to it.
func (p *Provider) introspect(w http.ResponseWriter, r *http.Request) (any, *refusal, error) {
	a, why, err := p.confidential(r)
	if why != nil || err != nil {
		return nil, why, err
	}
	token := r.PostForm.Get("token")
	if token == "" {
		return nil, refuse("invalid_request", "token is missing"), nil
	}
	var i introspection
	err = p.DB.Read(r.Context(), func(tx *db.Tx) error {
		kind := "Bearer"
		g, err := byAccessToken(tx, token)
		if fault.Is(err, fault.KindNotFound) {
			kind = "" // there is no registered name for refresh tokens
			g, err = byRefreshToken(tx, token)
		}
		if err != nil || g.Application != a.ID {
			return err
		}
		expires, err := tokenEnd(tx, g, token)
		if err != nil {
			return err
		}
		who, err := account.Get(tx, g.Account)
		i = introspection{Active: true, Scope: g.Scope, ClientID: a.ClientID, Username: who.Username, TokenType: kind, Expires: expires.Unix(), Subject: g.Account, Audience: a.ClientID, Issuer: p.Site.Base, Session: g.Session}
		return err
	})
	if err != nil && !fault.Is(err, fault.KindNotFound) {
		return nil, nil, err
	}
	return &i, nil, nil
}

// confidential: a public client cannot prove who it is, so anybody could ask in its name.
func (p *Provider) confidential(r *http.Request) (application.Application, *refusal, error) {
	a, why, err := p.authenticate(r)
	if why == nil && err == nil && a.Public() {
		why = refuse("invalid_client", "a client with a secret is needed")
	}
	return a, why, err
}

// revoke ends a token; with a refresh token its whole family (RFC 7009). An
// unknown token is no error: it is as gone as was asked for.
func (p *Provider) revoke(w http.ResponseWriter, r *http.Request) (any, *refusal, error) {
	a, why, err := p.authenticate(r)
	if why != nil || err != nil {
		return nil, why, err
	}
	token := r.PostForm.Get("token")
	if token == "" {
		return nil, refuse("invalid_request", "token is missing"), nil
	}
	err = p.DB.Write(r.Context(), func(tx *db.Tx) error {
		err := revokeGrants(tx, web.Actor(r), "revoked", `application = $2 AND id = (SELECT oidc_grant FROM oidc_token WHERE token_hash = $3 AND kind = 'refresh')`, a.ID, seal.Hash(token))
		if err != nil {
			return err
		}
		id, hash := readBearer(token)
		if _, err := tx.Exec(`UPDATE oidc_grant SET access_hash = '' WHERE id = $1 AND access_hash = $2 AND application = $3`, id, hash, a.ID); err != nil {
			return err
		}
		_, err = tx.Exec(`DELETE FROM oidc_token WHERE token_hash = $1 AND kind = 'access' AND oidc_grant IN (SELECT id FROM oidc_grant WHERE application = $2)`, hash, a.ID)
		return err
	})
	return nil, nil, err
}
