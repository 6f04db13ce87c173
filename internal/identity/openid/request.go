package openid

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"zunft/internal/identity/application"
)

// A refusal is an error as RFC 6749 (sections 4.1.2.1 and 5.2) and OpenID
// Connect Core (section 3.1.2.6) name them. The description is for developers.
type refusal struct{ code, description string }

func refuse(code, description string) *refusal { return &refusal{code, description} }

// A request is an authorization request (OpenID Connect Core, section 3.1.2.1).
type request struct {
	values url.Values // as sent
	of     string     // the application, once it is trusted

	clientID, redirectURI, state, nonce, challenge string
	scope                                          string // what we know of it, in our order
	prompts                                        []string
	maxAge                                         time.Duration // below 0: not asked for
	loginHint, idTokenHint, locales, since         string
	levels                                         []string // acr, the best liked first
	essential                                      bool     // none less will do
}

const maxParameters = 64

// plain: text that both engines can keep and compare, and not too much of it.
func plain(s string, limit int) bool {
	return len(s) <= limit && utf8.ValidString(s) && !strings.ContainsRune(s, 0)
}

// readRequest takes the raw query apart. What it says of client and redirect
// URI is all one may rely on before these two are known to belong together.
func readRequest(raw string) (request, *refusal) {
	q := request{maxAge: -1}
	var err error
	if q.values, err = url.ParseQuery(raw); err != nil || strings.Count(raw, "&") >= maxParameters {
		q.values = nil
		return q, refuse("invalid_request", "the query is malformed or has too many parameters")
	}
	if len(q.values["client_id"]) != 1 || len(q.values["redirect_uri"]) != 1 {
		return q, refuse("invalid_request", "client_id and redirect_uri must be there once")
	}
	q.clientID, q.redirectURI = q.values.Get("client_id"), q.values.Get("redirect_uri")
	if !plain(q.clientID, 255) || !plain(q.redirectURI, 2048) {
		return q, refuse("invalid_request", "client_id or redirect_uri is too long or not text")
	}
	if len(q.values["state"]) == 1 {
		q.state = q.values.Get("state")
	}
	return q, nil
}

// known are the parameters that may come once only (RFC 6749, section 3.1).
// Others are ignored, however often they come.
var known = []string{
	"response_type", "response_mode", "scope", "state", "nonce", "code_challenge", "code_challenge_method", "prompt", "max_age",
	"login_hint", "id_token_hint", "ui_locales", "acr_values", "display", "request", "request_uri", "registration", "claims", since,
}

const since = "zunft_since" // our own: sealed moment after which the person must have signed in

// check reads the rest, once client and redirect URI are trusted.
func (q *request) check(a application.Application) *refusal {
	v := q.values
	for _, name := range known {
		if len(v[name]) > 1 {
			return refuse("invalid_request", name+" is there more than once")
		}
	}
	for name, limit := range map[string]int{"state": 4096, "nonce": 1024, "login_hint": 254, "id_token_hint": 8 << 10, "scope": 2048} {
		if !plain(v.Get(name), limit) {
			return refuse("invalid_request", name+" is too long or not text")
		}
	}
	switch {
	case v.Has("request"):
		return refuse("request_not_supported", "send the parameters in the query")
	case v.Has("request_uri"):
		return refuse("request_uri_not_supported", "send the parameters in the query")
	case v.Has("registration"):
		return refuse("registration_not_supported", "clients are registered by the operator")
	case v.Get("response_type") == "":
		return refuse("invalid_request", "response_type is missing")
	case v.Get("response_type") != "code":
		return refuse("unsupported_response_type", "response_type must be code")
	case v.Has("response_mode") && v.Get("response_mode") != "query":
		return refuse("invalid_request", "response_mode must be query")
	}
	asked := strings.Fields(v.Get("scope"))
	var granted []string
	for _, s := range scopes {
		if slices.Contains(asked, s) {
			granted = append(granted, s)
		}
	}
	if len(granted) == 0 || granted[0] != "openid" {
		return refuse("invalid_scope", "scope must contain openid")
	}
	q.scope, q.nonce = strings.Join(granted, " "), v.Get("nonce")
	q.loginHint, q.idTokenHint, q.locales, q.since = v.Get("login_hint"), v.Get("id_token_hint"), v.Get("ui_locales"), v.Get(since)
	q.readLevels()
	if why := q.checkPKCE(a); why != nil {
		return why
	}
	return q.checkPrompt()
}

// checkPKCE: S256 only; required of public clients and where the application says so (RFC 9700, section 2.1.1).
func (q *request) checkPKCE(a application.Application) *refusal {
	challenge, method := q.values.Get("code_challenge"), q.values.Get("code_challenge_method")
	switch {
	case challenge == "" && method == "":
		if a.RequirePKCE || a.Public() {
			return refuse("invalid_request", "code_challenge is missing")
		}
		return nil
	case method != "S256":
		return refuse("invalid_request", "code_challenge_method must be S256")
	case len(challenge) != 43 || strings.ContainsFunc(challenge, notBase64URL):
		return refuse("invalid_request", "code_challenge must be 43 characters of base64url")
	}
	q.challenge = challenge
	return nil
}

func notBase64URL(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_')
}

func (q *request) checkPrompt() *refusal {
	q.prompts = strings.Fields(q.values.Get("prompt"))
	for _, p := range q.prompts {
		switch p {
		case "none":
			if len(q.prompts) > 1 {
				return refuse("invalid_request", "prompt none stands alone")
			}
		case "login", "consent", "select_account":
		default:
			return refuse("invalid_request", "prompt is unknown")
		}
	}
	if age := q.values.Get("max_age"); age != "" {
		seconds, err := strconv.ParseUint(age, 10, 31)
		if err != nil {
			return refuse("invalid_request", "max_age must be a number of seconds")
		}
		q.maxAge = time.Duration(seconds) * time.Second
	}
	return nil
}

func (q *request) silent() bool { return slices.Contains(q.prompts, "none") }

// again reports whether the application wants the person to sign in anew, however fresh the session.
func (q *request) again() bool {
	return q.maxAge == 0 || slices.Contains(q.prompts, "login") || slices.Contains(q.prompts, "select_account")
}

func granted(scope, name string) bool { return slices.Contains(strings.Fields(scope), name) }

// encode is the query to come back with, with or without the moment since when to sign in.
func (q *request) encode(moment string) string {
	v := url.Values{}
	for name, values := range q.values {
		if name != since && name != "lang" {
			v[name] = values
		}
	}
	if moment != "" {
		v.Set(since, moment)
	}
	return v.Encode()
}

// answer is the redirect URI with parameters added (RFC 6749, section 4.1.2).
func answer(redirectURI string, pairs ...string) string {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			v.Set(pairs[i], pairs[i+1])
		}
	}
	if len(v) == 0 {
		return redirectURI
	}
	glue := "?"
	if strings.Contains(redirectURI, "?") {
		glue = "&"
	}
	return redirectURI + glue + v.Encode()
}
