package story_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"zunft/internal/ground/db"
	"zunft/internal/identity/policy"
	"zunft/internal/story"
)

// R201: whoever has but the password of somebody with a second factor decides
// nothing in their name: no step of the sign-in acts before its turn.
func TestAPasswordAloneDecidesNothing(t *testing.T) {
	w := start(t, "sqlite", story.Options{Policy: rule(t, func(*policy.Policy) {})})
	id := value(t, w.IdentityDB, `SELECT id FROM account WHERE email = 'nora@example.org'`)
	write(t, w.IdentityDB, func(tx *db.Tx) error {
		if _, err := tx.Exec(`INSERT INTO factor (id, account, kind, name, state, created_at) VALUES ('f', $1, 'totp', '', 'active', $2)`, id, tx.Now()); err != nil {
			return err
		}
		_, err := tx.Exec(`UPDATE account SET delete_at = $1 WHERE id = $2`, tx.Now().AddDate(0, 0, 20), id)
		return err
	})
	newTerms(t, w)
	text := value(t, w.IdentityDB, `SELECT id FROM terms WHERE version = '2027-01'`)
	thief := newVisitor(t)
	if r, _ := thief.post(w.Identity+"/login", url.Values{"username": {"nora@example.org"}, "password": {story.Password}}); r.Header.Get("Location") != "/login/next" {
		t.Fatal("no step is asked for:", r.StatusCode, r.Header.Get("Location"))
	}
	for path, form := range map[string]url.Values{
		"/login/keep":  {},
		"/login/terms": {"terms": {text}, "accept_" + text: {"1"}},
		"/login/setup": {"do": {"next"}, "kind": {"mail"}},
	} {
		if r, body := thief.post(w.Identity+path, form); r.StatusCode != http.StatusSeeOther {
			t.Error(path, r.StatusCode, body)
		}
		if r, _ := thief.get(w.Identity + "/login/next"); r.Header.Get("Location") != "/login/second-factor" {
			t.Error(path, "brings them on to", r.Header.Get("Location"))
		}
	}
	if count(t, w.IdentityDB, `SELECT count(*) FROM account WHERE id = $1 AND delete_at IS NOT NULL`, id) != 1 {
		t.Error("the deletion is taken back")
	}
	if count(t, w.IdentityDB, `SELECT count(*) FROM consent WHERE account = $1 AND terms = $2`, id, text) != 0 {
		t.Error("terms are accepted")
	}
	if count(t, w.IdentityDB, `SELECT count(*) FROM factor WHERE account = $1`, id) != 1 {
		t.Error("another factor")
	}
	// What stands in an address stays quoted when the answer leads on to it.
	for _, path := range []string{"/recover/W-%01%0d%0aSet-Cookie:%20a=b/receipt/x.pdf", "/recover/%2f%2fexample.com/receipt/x.pdf", "/recover/a%C3%A4%22/receipt/x"} {
		r, _ := thief.get(w.Identity + path)
		if to := r.Header.Get("Location"); r.StatusCode == http.StatusSeeOther && (!strings.HasPrefix(to, "/recover/") || strings.ContainsAny(to, " \"\x01") || strings.HasPrefix(to, "/recover//")) {
			t.Errorf("%s leads to %q", path, to)
		}
		if r.StatusCode >= 500 || r.Header.Get("Set-Cookie") == "a=b" {
			t.Error(path, r.StatusCode)
		}
	}
}
