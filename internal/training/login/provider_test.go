package login_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"zunft/internal/ground/db"
	"zunft/internal/ground/i18n"
	"zunft/internal/ground/web"
	"zunft/internal/training/login"
	"zunft/internal/training/person"
)

// A stand-in for the identity portal, as small as the negative cases need; the
// way through the real one is told in package story.
type provider struct {
	t      *testing.T
	server *httptest.Server
	key    *ecdsa.PrivateKey
	now    func() time.Time

	mu        sync.Mutex
	challenge string
	nonce     string
	claims    map[string]any // over the usual ones of the ID token; nil deletes
	userinfo  map[string]any
	signer    *ecdsa.PrivateKey // nil: key
	asked     url.Values        // of the last token request
	metadata  map[string]any
	down      bool
}

func newProvider(t *testing.T) *provider {
	p := &provider{t: t, key: newKey(t), now: time.Now, claims: map[string]any{}, metadata: map[string]any{}}
	m := http.NewServeMux()
	m.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, r *http.Request) {
		if p.down {
			http.Error(w, "not yet", http.StatusServiceUnavailable)
			return
		}
		d := map[string]any{
			"issuer": p.server.URL, "authorization_endpoint": p.server.URL + "/authorize", "token_endpoint": p.server.URL + "/token",
			"jwks_uri": p.server.URL + "/jwks", "userinfo_endpoint": p.server.URL + "/userinfo", "end_session_endpoint": p.server.URL + "/end",
			"id_token_signing_alg_values_supported": []string{"ES256", "none", "HS256"}, "authorization_response_iss_parameter_supported": true,
		}
		for k, v := range p.metadata {
			d[k] = v
		}
		json.NewEncoder(w).Encode(d)
	})
	m.HandleFunc("GET /jwks", func(w http.ResponseWriter, r *http.Request) {
		json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &p.key.PublicKey, KeyID: "one", Algorithm: "ES256", Use: "sig"}}})
	})
	m.HandleFunc("POST /token", p.token)
	m.HandleFunc("GET /userinfo", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(p.userinfo)
	})
	p.server = httptest.NewServer(m)
	t.Cleanup(p.server.Close)
	return p
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func (p *provider) sign(key *ecdsa.PrivateKey, claims map[string]any) string {
	p.t.Helper()
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: "one"}}, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	b, _ := json.Marshal(claims)
	signed, err := s.Sign(b)
	if err != nil {
		p.t.Fatal(err)
	}
	raw, err := signed.CompactSerialize()
	if err != nil {
		p.t.Fatal(err)
	}
	return raw
}

// idToken is the usual one with p.claims over it.
func (p *provider) idToken() map[string]any {
	c := map[string]any{
		"iss": p.server.URL, "aud": "training", "sub": "anna", "exp": p.now().Add(5 * time.Minute).Unix(), "iat": p.now().Unix(),
		"nonce": p.nonce, "sid": "sid-1", "name": "Anna Muster", "given_name": "Anna", "email": "anna@beispiel.example", "email_verified": true,
		"organization": map[string]any{"id": "korn", "name": "Bäckerei Korn", "ident_number": "4711", "chamber_number": "999"}, "roles": []string{"apprentice"},
	}
	for k, v := range p.claims {
		if v == nil {
			delete(c, k)
		} else {
			c[k] = v
		}
	}
	return c
}

func (p *provider) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r.ParseForm()
	p.asked = r.PostForm
	sum := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
	w.Header().Set("Content-Type", "application/json")
	if r.PostForm.Get("code") != "good" || base64.RawURLEncoding.EncodeToString(sum[:]) != p.challenge {
		w.WriteHeader(http.StatusBadRequest)
		io.WriteString(w, `{"error":"invalid_grant"}`)
		return
	}
	key := p.key
	if p.signer != nil {
		key = p.signer
	}
	json.NewEncoder(w).Encode(map[string]any{"access_token": "at", "token_type": "Bearer", "expires_in": 300, "id_token": p.sign(key, p.idToken())})
}

// portal is our side: the door, and one page for people who are signed in.
type portal struct {
	t        *testing.T
	d        *db.DB
	provider *provider
	door     *login.Door
	server   *httptest.Server
}

func newPortal(t *testing.T, d *db.DB) *portal {
	t.Helper()
	catalog, err := i18n.Load(web.Phrases, login.Phrases, person.Phrases)
	if err != nil {
		t.Fatal(err)
	}
	p := &portal{t: t, d: d, provider: newProvider(t)}
	var handler http.Handler
	p.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(p.server.Close)
	site := &web.Site{Name: "login.button", Owner: "Kammer Musterland", Base: p.server.URL, Cookies: "zunft_training", Catalog: catalog}
	p.door = &login.Door{DB: d, Site: site, Issuer: p.provider.server.URL, ClientID: "training", ClientSecret: "geheim & Co"}
	site.Who, site.SignIn = p.door.Who, p.door.SignIn
	m := web.NewMux(site)
	p.door.Mount(m)
	m.Signed("GET /inside", func(w http.ResponseWriter, r *http.Request) error {
		s := login.Of(r)
		_, err := io.WriteString(w, s.Person.Name+" / "+s.Company.Name+" / "+strings.Join(s.Roles, " "))
		return err
	})
	handler = m.Handler()
	return p
}

// user is one browser.
type user struct {
	*portal
	client *http.Client
	header http.Header // of the last answer
}

func (p *portal) user() *user {
	jar, _ := cookiejar.New(nil)
	return &user{portal: p, client: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

func (u *user) send(method, path string, form url.Values) (status int, location, body string) {
	u.t.Helper()
	r, _ := http.NewRequest(method, u.server.URL+path, strings.NewReader(form.Encode()))
	if method == "POST" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	res, err := u.client.Do(r)
	if err != nil {
		u.t.Fatal(err)
	}
	defer res.Body.Close()
	b, _ := io.ReadAll(res.Body)
	u.header = res.Header
	return res.StatusCode, res.Header.Get("Location"), string(b)
}

// begins opens a page as a stranger and returns the authorization request.
func (u *user) begins() url.Values {
	u.t.Helper()
	status, location, body := u.send("GET", "/inside?x=1", nil)
	to, err := url.Parse(location)
	if status != http.StatusSeeOther || err != nil || !strings.HasPrefix(location, u.provider.server.URL+"/authorize?") {
		u.t.Fatalf("signing in led to %d %q\n%s", status, location, body)
	}
	q := to.Query()
	u.provider.mu.Lock()
	u.provider.nonce, u.provider.challenge = q.Get("nonce"), q.Get("code_challenge")
	u.provider.mu.Unlock()
	return q
}

// returns comes back from the identity portal; values replace the usual answer.
func (u *user) returns(request url.Values, values ...string) (status int, location, body string) {
	u.t.Helper()
	q := url.Values{"code": {"good"}, "state": {request.Get("state")}, "iss": {u.provider.server.URL}}
	for i := 0; i+1 < len(values); i += 2 {
		q.Set(values[i], values[i+1])
		if values[i+1] == "" {
			q.Del(values[i])
		}
	}
	return u.send("GET", "/oidc/callback?"+q.Encode(), nil)
}

func (u *user) inside() bool {
	u.t.Helper()
	status, _, _ := u.send("GET", "/inside", nil)
	return status == http.StatusOK
}

func (u *user) comesIn() {
	u.t.Helper()
	if status, location, body := u.returns(u.begins()); status != http.StatusSeeOther || location != "/inside?x=1" || !u.inside() {
		u.t.Fatalf("signing in ended at %d %q\n%s", status, location, body)
	}
}

func (p *portal) count(query string) (n int) {
	p.t.Helper()
	err := p.d.Read(context.Background(), func(tx *db.Tx) (err error) { n, err = db.Value[int](tx, query); return err })
	if err != nil {
		p.t.Fatal(err)
	}
	return n
}
