package openid_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/i18n"
	"zunft/internal/ground/job"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/application"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/openid"
	"zunft/internal/identity/portal/authorize"
	"zunft/internal/identity/schema"
	"zunft/internal/identity/session"
	"zunft/internal/identity/visitor"
)

// A world is a provider behind its front door, with a stand-in for the sign-in
// pages: POST /login/as signs in the account it names.
type world struct {
	t        testing.TB
	d        *db.DB
	p        *openid.Provider
	jobs     *job.Runner
	handler  http.Handler
	mu       sync.Mutex
	watcher  func(net.Conn, http.ConnState)
	server   *httptest.Server
	base     string
	chamber  string
	training application.Application // has a role catalogue
	plain    application.Application // has none
}

const (
	secret   = "s3cret with ü & :"
	callback = "https://app.example/cb"
	bye      = "https://app.example/bye?x=1"
)

func newWorld(t testing.TB, d *db.DB) *world {
	t.Helper()
	w := &world{t: t, d: d}
	w.server = httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { w.handler.ServeHTTP(rw, r) }))
	w.base = "http://" + w.server.Listener.Addr().String()
	catalog, err := i18n.Load(web.Phrases, openid.Phrases, authorize.Phrases, membership.Phrases, application.Phrases)
	if err != nil {
		t.Fatal(err)
	}
	site := &web.Site{Name: "test", Owner: "Kammer Musterland", Base: w.base, Cookies: "zunft", Catalog: catalog}
	door := &visitor.Door{DB: d, Site: site}
	site.SignIn = door.ToLogin
	site.Who = door.Who
	w.p = &openid.Provider{DB: d, Site: site, Door: door}
	w.jobs = &job.Runner{DB: d}
	m := web.NewMux(site)
	w.p.Mount(m)
	w.p.Work(w.jobs)
	(&authorize.Pages{DB: d, Site: site, AllowNext: w.p.AllowNext}).Mount(m)
	m.Open("GET /login", func(rw http.ResponseWriter, r *http.Request) error {
		fmt.Fprintf(rw, "login for %q", w.p.AllowNext(rw, r, r.URL.Query().Get("next")))
		return nil
	})
	m.Open("GET /logged-out", func(rw http.ResponseWriter, r *http.Request) error { fmt.Fprint(rw, "bye"); return nil })
	m.Open("POST /login/as", func(rw http.ResponseWriter, r *http.Request) error {
		var token string
		var s session.Session
		err := d.Write(r.Context(), func(tx *db.Tx) (err error) {
			if v := visitor.Of(r); v != nil && v.Account.ID == r.PostForm.Get("account") {
				token, s, err = session.Reauthenticated(tx, web.Actor(r), v.Session.ID, "pwd")
			} else {
				token, s, err = session.Start(tx, web.Actor(r), r.PostForm.Get("account"), "pwd")
			}
			return err
		})
		if err != nil {
			return err
		}
		door.SignIn(rw, r, token, s)
		return web.See(rw, r, web.LocalPath(r.PostForm.Get("next")))
	})
	if err := w.p.EnsureKeys(context.Background()); err != nil {
		t.Fatal(err)
	}
	w.handler = m.Handler()
	w.server.Config.ConnState = func(c net.Conn, state http.ConnState) {
		w.mu.Lock()
		watcher := w.watcher
		w.mu.Unlock()
		if watcher != nil {
			watcher(c, state)
		}
	}
	w.server.Start()
	t.Cleanup(w.server.Close)
	w.write(func(tx *db.Tx) error {
		w.chamber = db.NewID()
		_, err := tx.Exec(`INSERT INTO chamber (id, number, name, short_name, created_at) VALUES ($1, '999', 'Kammer Musterland', 'Musterland', $2)`, w.chamber, tx.Now())
		return err
	})
	w.training = w.application("training", nil, application.Role{Key: "trainer", NameDE: "Ausbilder:in", NameEN: "Trainer"}, application.Role{Key: "apprentice", NameDE: "Auszubildende:r", NameEN: "Apprentice"})
	w.plain = w.application("plain", nil)
	return w
}

// watch follows connections that begin from now on.
func (w *world) watch(f func(net.Conn, http.ConnState)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.watcher = f
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	t.Helper()
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) { f(t, newWorld(t, d)) })
}

func (w *world) write(f func(*db.Tx) error) {
	w.t.Helper()
	if err := w.d.Write(context.Background(), f); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) application(clientID string, change func(*application.Application), roles ...application.Role) (a application.Application) {
	w.t.Helper()
	a = application.Application{
		ClientID: clientID, Name: "App " + clientID, SecretHash: application.HashSecret(secret), RedirectURIs: []string{callback, "https://app.example/cb2?a=b"},
		PostLogoutRedirectURIs: []string{bye}, IDTokenAlg: "ES256", AuthMethod: "client_secret_basic",
	}
	if change != nil {
		change(&a)
	}
	w.write(func(tx *db.Tx) (err error) {
		a, err = application.Put(tx, audit.Console, a, roles)
		return err
	})
	return a
}

func (w *world) person(username string) (a account.Account) {
	w.t.Helper()
	w.write(func(tx *db.Tx) (err error) {
		a, err = account.Create(tx, audit.Console, account.New{GivenName: "Anna", FamilyName: "Beispiel", Username: username, Email: username + "@beispiel.example", Password: "x", Confirmed: true})
		return err
	})
	return a
}

func (w *world) organization(name string, by account.Account) (id string) {
	w.t.Helper()
	id = db.NewID()
	w.write(func(tx *db.Tx) error {
		_, err := tx.Exec(`INSERT INTO organization (id, chamber, ident_number, name, legal_form, street, house_number, postcode, place, register_kind, register_number, register_court, management, company_key, name_key, state, registered_by, created_at)
			VALUES ($1, $2, $3, $4, 'GmbH', 'Schuteweg', '1', '26723', 'Emden', '', '', '', 'Bert Beispiel', $1, $4, 'active', $5, $6)`, id, w.chamber, "4711"+name, name, by.ID, tx.Now())
		if err != nil {
			return err
		}
		_, err = tx.Exec(`INSERT INTO evidence (id, organization, method, clerk, at) VALUES ($1, $2, 'letter', 'clara', $3)`, db.NewID(), id, tx.Now())
		return err
	})
	return id
}

// employ makes a person a member with roles in the training application.
func (w *world) employ(organization string, a account.Account, roles ...string) {
	w.t.Helper()
	var granted []membership.Role
	for _, r := range roles {
		granted = append(granted, membership.Role{Application: w.training.ID, Key: r})
	}
	w.write(func(tx *db.Tx) error {
		return membership.Grant(tx, audit.Console, organization, a.ID, false, granted...)
	})
}

// A browser keeps cookies and does not follow redirects by itself.
type browser struct {
	w *world
	c *http.Client
}

func (w *world) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	own := &http.Transport{} // a connection of its own, like every other browser
	w.t.Cleanup(own.CloseIdleConnections)
	return &browser{w, &http.Client{Transport: own, Jar: jar, Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// signedIn is a browser in which a person has just signed in.
func (w *world) signedIn(a account.Account) *browser {
	b := w.browser()
	b.login(a, "/")
	return b
}

func (b *browser) login(a account.Account, next string) *page {
	return b.post("/login/as", url.Values{"account": {a.ID}, "next": {next}})
}

// A page as it came back.
type page struct {
	status int
	header http.Header
	body   string
	to     *url.URL // Location, if any
}

func (p *page) query(name string) string {
	if p.to == nil {
		return ""
	}
	return p.to.Query().Get(name)
}

func (b *browser) do(r *http.Request) *page {
	b.w.t.Helper()
	response, err := b.c.Do(r)
	if err != nil {
		b.w.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.w.t.Fatal(err)
	}
	p := &page{status: response.StatusCode, header: response.Header, body: string(body)}
	if to := response.Header.Get("Location"); to != "" {
		if p.to, err = response.Request.URL.Parse(to); err != nil {
			b.w.t.Fatal(err)
		}
	}
	return p
}

func (b *browser) get(path string) *page {
	b.w.t.Helper()
	if strings.HasPrefix(path, "/") {
		path = b.w.base + path
	}
	r, err := http.NewRequest(http.MethodGet, path, nil)
	if err != nil {
		b.w.t.Fatal(err)
	}
	return b.do(r)
}

func (b *browser) post(path string, form url.Values, headers ...string) *page {
	b.w.t.Helper()
	r, err := http.NewRequest(http.MethodPost, b.w.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return b.do(r)
}

const verifier = "verifier-verifier-verifier-verifier-verifier"

func challenge() string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// request is an authorization request; changes are name, value pairs, an empty value leaves the parameter out.
func request(clientID string, changes ...string) url.Values {
	v := url.Values{
		"client_id": {clientID}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {"openid"}, "state": {"st"}, "nonce": {"no"},
		"code_challenge": {challenge()}, "code_challenge_method": {"S256"},
	}
	for i := 0; i+1 < len(changes); i += 2 {
		if changes[i+1] == "" {
			v.Del(changes[i])
		} else {
			v.Set(changes[i], changes[i+1])
		}
	}
	return v
}

func (b *browser) authorize(clientID string, changes ...string) *page {
	b.w.t.Helper()
	return b.get("/oauth2/authorize?" + request(clientID, changes...).Encode())
}

// code is the code of a request that must succeed.
func (b *browser) code(clientID string, changes ...string) string {
	b.w.t.Helper()
	p := b.authorize(clientID, changes...)
	if p.query("code") == "" {
		b.w.t.Fatalf("no code: %d %v %s", p.status, p.to, p.body)
	}
	if p.query("iss") != b.w.base {
		b.w.t.Errorf("iss = %q (RFC 9207)", p.query("iss"))
	}
	return p.query("code")
}

func basic(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id)+":"+url.QueryEscape(secret)))
}

// reply is what the token endpoint says.
type reply struct {
	status       int
	header       http.Header
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	TokenType    string `json:"token_type"`
	Scope        string `json:"scope"`
	IDToken      string `json:"id_token"`
	ExpiresIn    int    `json:"expires_in"`
	Error        string `json:"error"`
}

func (w *world) token(clientID string, form url.Values, headers ...string) reply {
	w.t.Helper()
	if len(headers) == 0 {
		headers = []string{"Authorization", basic(clientID, secret)}
	}
	p := w.browser().post("/oauth2/token", form, headers...)
	out := reply{status: p.status, header: p.header}
	if err := json.Unmarshal([]byte(p.body), &out); err != nil {
		w.t.Fatalf("token endpoint: %d %s", p.status, p.body)
	}
	return out
}

func codeForm(code string) url.Values {
	return url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier}}
}

func (w *world) exchange(clientID, code string) reply { return w.token(clientID, codeForm(code)) }

func (w *world) userinfo(token string) (int, map[string]any) {
	w.t.Helper()
	r, _ := http.NewRequest(http.MethodGet, w.base+"/oauth2/userinfo", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	p := w.browser().do(r)
	claims := map[string]any{}
	if err := json.Unmarshal([]byte(p.body), &claims); err != nil {
		w.t.Fatal(err)
	}
	return p.status, claims
}

// claims reads a token without verifying it.
func claims(t testing.TB, raw string) map[string]any {
	t.Helper()
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		t.Fatalf("no JWT: %q", raw)
	}
	b, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	c := map[string]any{}
	if err := json.Unmarshal(b, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func (w *world) admin(organization string, a account.Account) {
	w.t.Helper()
	w.write(func(tx *db.Tx) error { return membership.Grant(tx, audit.Console, organization, a.ID, true) })
}

func (w *world) withdrawRoles(a account.Account) {
	w.t.Helper()
	w.write(func(tx *db.Tx) error {
		_, err := tx.Exec(`DELETE FROM role_grant WHERE membership IN (SELECT id FROM membership WHERE account = $1)`, a.ID)
		return err
	})
}

// secondNode is another process on the same database.
func secondNode(t testing.TB, w *world) *node {
	t.Helper()
	site := &web.Site{Name: "test", Base: w.base, Cookies: "zunft"}
	p := &openid.Provider{DB: w.d, Site: site}
	if err := p.EnsureKeys(context.Background()); err != nil {
		t.Error(err)
	}
	m := web.NewMux(site)
	p.Mount(m)
	return &node{m.Handler()}
}

type node struct{ h http.Handler }

func (n *node) get(path string) *page {
	rec := httptest.NewRecorder()
	n.h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
	return &page{status: rec.Code, header: rec.Header(), body: rec.Body.String()}
}
