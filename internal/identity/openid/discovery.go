package openid

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"zunft/internal/ground/seal"
)

// A document is rendered once and served from memory.
type document struct {
	body                    []byte
	kind, etag, length, age []string
}

var anyOrigin = []string{"*"}

var noSniff = []string{"nosniff"}

func newDocument(body []byte, kind string) document {
	return document{
		body: body, kind: []string{kind}, etag: []string{`"` + seal.Hash(string(body))[:22] + `"`},
		length: []string{strconv.Itoa(len(body))}, age: []string{"public, max-age=300"},
	}
}

func (d *document) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h["Access-Control-Allow-Origin"] = anyOrigin
	h["X-Content-Type-Options"] = noSniff
	h["Etag"] = d.etag
	h["Cache-Control"] = d.age
	if match := r.Header.Get("If-None-Match"); match != "" && (match == "*" || strings.Contains(match, d.etag[0])) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h["Content-Type"] = d.kind
	h["Content-Length"] = d.length
	if r.Method != http.MethodHead {
		w.Write(d.body)
	}
}

// readable lets through what a public document is asked for with.
func readable(w http.ResponseWriter, r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		return true
	case http.MethodOptions:
		preflight(w)
	default:
		w.Header().Set("Allow", "GET, HEAD, OPTIONS")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
	}
	return false
}

func preflight(w http.ResponseWriter) {
	h := w.Header()
	h["Access-Control-Allow-Origin"] = anyOrigin
	h.Set("Access-Control-Allow-Methods", "GET, POST, OPTIONS")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
	h.Set("Access-Control-Max-Age", "86400")
	w.WriteHeader(http.StatusNoContent)
}

// metadata of OpenID Connect Discovery 1.0, section 3, which is also that of
// RFC 8414: the same document under both addresses.
func (p *Provider) metadata() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if readable(w, r) {
			p.once.Do(func() { p.discovery = newDocument(describe(p.Site.Base), "application/json") })
			p.discovery.serve(w, r)
		}
	})
}

func (p *Provider) serveJWKS() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !readable(w, r) {
			return
		}
		d, err := p.keys.published(r.Context(), p.DB)
		if err != nil {
			slog.ErrorContext(r.Context(), "publish the key set", "err", err)
			http.Error(w, http.StatusText(http.StatusServiceUnavailable), http.StatusServiceUnavailable)
			return
		}
		d.serve(w, r)
	})
}

var scopes = []string{"openid", "profile", "email", "offline_access", "organization", "roles"}

func describe(issuer string) []byte {
	at := func(path string) string { return issuer + "/oauth2/" + path }
	methods := []string{"client_secret_basic", "client_secret_post", "none"}
	body, err := json.Marshal(map[string]any{
		"issuer":                                         issuer,
		"authorization_endpoint":                         at("authorize"),
		"token_endpoint":                                 at("token"),
		"userinfo_endpoint":                              at("userinfo"),
		"jwks_uri":                                       at("jwks"),
		"end_session_endpoint":                           at("end-session"),
		"introspection_endpoint":                         at("introspect"),
		"revocation_endpoint":                            at("revoke"),
		"scopes_supported":                               scopes,
		"response_types_supported":                       []string{"code"},
		"response_modes_supported":                       []string{"query"},
		"grant_types_supported":                          []string{"authorization_code", "refresh_token"},
		"code_challenge_methods_supported":               []string{"S256"},
		"token_endpoint_auth_methods_supported":          methods,
		"introspection_endpoint_auth_methods_supported":  methods[:2],
		"revocation_endpoint_auth_methods_supported":     methods,
		"id_token_signing_alg_values_supported":          []string{es256, rs256},
		"subject_types_supported":                        []string{"public"},
		"acr_values_supported":                           levels,
		"claim_types_supported":                          []string{"normal"},
		"claims_supported":                               []string{"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid", "at_hash", "name", "given_name", "family_name", "preferred_username", "locale", "email", "email_verified", "organization", "roles"},
		"prompt_values_supported":                        []string{"none", "login", "consent", "select_account"},
		"ui_locales_supported":                           []string{"de", "en"},
		"display_values_supported":                       []string{"page"},
		"authorization_response_iss_parameter_supported": true,
		"backchannel_logout_supported":                   true,
		"backchannel_logout_session_supported":           true,
		"claims_parameter_supported":                     false,
		"request_parameter_supported":                    false,
		"request_uri_parameter_supported":                false,
	})
	if err != nil {
		panic(err) // strings and booleans always marshal
	}
	return body
}
