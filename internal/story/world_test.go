package story_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/story"
)

// start gives a test a world of its own on an engine.
func start(t testing.TB, engine string, o story.Options) *story.World {
	t.Helper()
	o.DB = dbtest.DSN(t, engine)
	w, err := story.Start(context.WithoutCancel(t.Context()), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Stop)
	return w
}

// each runs a test in a world on SQLite and then in one on PostgreSQL, beside
// other tests: they meet nobody, and a way through the browser leaves a core idle.
func each(t *testing.T, o story.Options, f func(t *testing.T, w *story.World)) {
	t.Parallel()
	alone(t, o, f)
}

// alone is each for a test that changes what all of the process share.
func alone(t *testing.T, o story.Options, f func(t *testing.T, w *story.World)) {
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) { f(t, start(t, engine, o)) })
	}
}

// visitor is a person with cookies and no browser around them, for what a
// browser would not do.
type visitor struct {
	t    testing.TB
	http *http.Client
}

func newVisitor(t testing.TB) *visitor {
	jar, _ := cookiejar.New(nil)
	return &visitor{t, &http.Client{Jar: jar, Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

func (v *visitor) get(address string) (*http.Response, string) {
	v.t.Helper()
	r, err := v.http.Get(address)
	if err != nil {
		v.t.Fatal(err)
	}
	defer r.Body.Close()
	b, _ := io.ReadAll(r.Body)
	return r, string(b)
}

func (v *visitor) post(address string, form url.Values) (*http.Response, string) {
	v.t.Helper()
	r, err := v.http.PostForm(address, form)
	if err != nil {
		v.t.Fatal(err)
	}
	defer r.Body.Close()
	b, _ := io.ReadAll(r.Body)
	return r, string(b)
}

// as signs somebody in at the identity portal.
func as(t testing.TB, w *story.World, key string) *visitor {
	t.Helper()
	v := newVisitor(t)
	p := w.Person(key)
	r, body := v.post(w.Identity+"/login", url.Values{"username": {p.Username}, "password": {p.Password}})
	if r.StatusCode != http.StatusSeeOther {
		t.Fatalf("%s cannot sign in: %d\n%s", key, r.StatusCode, body)
	}
	return v
}

// proved lets everybody who is signed in have shown a moment ago that it is them.
func proved(t testing.TB, w *story.World) {
	t.Helper()
	if err := w.IdentityDB.Write(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(`UPDATE session SET proved_at = $1 WHERE NOT pending`, tx.Now())
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// The contract of `zunft demo --json` (docs/demo.md).
func TestContract(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	w := start(t, "sqlite", story.Options{Clients: []story.Client{
		{ClientID: "kit", ClientSecret: "a secret with : and %", RedirectURIs: []string{"http://127.0.0.1:4183/cb"}}, {RedirectURIs: []string{"http://127.0.0.1:4183/cb"}},
	}, People: 3})
	if left, err := filepath.Glob(filepath.Join(os.TempDir(), "*")); err != nil || len(left) > 0 {
		t.Error("what is killed now leaves", left, err)
	}
	b, err := json.Marshal(w)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Identity, Training, Mailbox string
		People                      []struct{ Key, Username, Email, Password, Says string }
		Applications                []struct {
			ClientID     string   `json:"client_id"`
			ClientSecret string   `json:"client_secret"`
			RedirectURIs []string `json:"redirect_uris"`
		}
	}
	decoder := json.NewDecoder(strings.NewReader(string(b)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&got); err != nil {
		t.Fatal(err, string(b))
	}
	for _, base := range []string{got.Identity, got.Training, got.Mailbox} {
		r, err := http.Get(base + "/")
		if err != nil || r.StatusCode != http.StatusOK {
			t.Error(base, err)
		}
	}
	if len(got.People) < 6 || got.People[0].Key == "" || got.People[0].Says == "" {
		t.Error("people", got.People)
	}
	if len(got.Applications) != 3 || got.Applications[1].ClientSecret != "a secret with : and %" || got.Applications[2].ClientID == "" || len(got.Applications[2].ClientSecret) < 30 {
		t.Error("applications", got.Applications)
	}
	as(t, w, got.People[0].Key) // the first signs in with nothing but the password
	v := newVisitor(t)
	if r, _ := v.post(w.Identity+"/login", url.Values{"username": {"person-000003"}, "password": {story.Password}}); r.StatusCode != http.StatusSeeOther {
		t.Error("the third invented account cannot sign in", r.StatusCode)
	}
}

// A kept world continues where it ended.
func TestKeptWorld(t *testing.T) {
	dir := t.TempDir()
	var before string
	for i := range 2 {
		w, err := story.Start(context.WithoutCancel(t.Context()), story.Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		_, keys := newVisitor(t).get(w.Identity + "/oauth2/jwks")
		if i == 1 && keys != before {
			t.Error("other signing keys after a restart")
		}
		before = keys
		as(t, w, "bert")
		w.Stop()
	}
}
