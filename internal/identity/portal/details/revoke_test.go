package details_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/identity/letter"
	"zunft/internal/identity/organization"
)

func (w *world) revocation() (text, code string) {
	w.T.Helper()
	w.Write(func(tx *db.Tx) error {
		return letter.QueueKind(tx, w.as("clara"), w.chamber, w.bakery, letter.Revocation)
	})
	_, text, all := w.print()
	if len(all) != 1 {
		w.T.Fatalf("codes %v in\n%s", all, text)
	}
	return text, all[0]
}

// W03, R092: where a company is active at once, its management gets a letter and
// ends it without an account: the code alone, a look, a button. Admins and clerks
// are told, nobody acts for the company, and the code is spent.
func TestR092TheManagementRevokes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		text, code := w.revocation()
		for _, s := range []string{"Widerrufscode", "Greta Grau", "Mehlgasse 4", "Bert Backmann", portalRevoke, "4711", "999"} {
			if !strings.Contains(text, s) {
				t.Errorf("the letter lacks %q:\n%s", s, text)
			}
		}
		greta := w.Person("203.0.113.7") // without an account
		greta.Get("/revoke").Want(t, http.StatusOK, "Widerrufscode")
		greta.Post("/revoke", "code", "").Want(t, http.StatusUnprocessableEntity)
		greta.Post("/revoke", "code", code[:11]).Want(t, http.StatusUnprocessableEntity, "12 Zeichen")
		greta.Post("/revoke", "code", strings.ToLower(code)).Want(t, http.StatusOK, "Bäckerei Morgenrot GmbH", "Bert Backmann", "Konto sperren")
		if s := w.state(); s != organization.Active {
			t.Fatal("a look locks:", s)
		}
		greta.Post("/revoke", "code", code, "do", "revoke").Want(t, http.StatusOK, "ist gesperrt", "0999 1234-0")
		if s := w.state(); s != organization.Locked {
			t.Fatal(s)
		}
		if m := w.One("bert@example.org", "Das Organisationskonto wurde widerrufen"); !strings.Contains(m.Body, "Bäckerei Morgenrot") {
			t.Error(m.Body)
		}
		if w.Count(`SELECT count(*) FROM notice WHERE account = $1 AND phrase = 'notice.organization_revoked'`, w.ids["clara"]) != 1 {
			t.Error("the desk is not told")
		}
		greta.Post("/revoke", "code", code, "do", "revoke").Want(t, http.StatusUnprocessableEntity, "Zu diesem Code gehört kein Brief")

		// A clerk clears it up; one of another chamber has no say.
		if key := w.try(func(tx *db.Tx) error { return organization.Unlock(tx, w.as("xenia"), w.bakery) }); key != "web.forbidden" {
			t.Error(key)
		}
		w.Write(func(tx *db.Tx) error { return organization.Unlock(tx, w.as("clara"), w.bakery) })
		if s := w.state(); s != organization.Active {
			t.Error(s)
		}
		w.One("bert@example.org", "Das Organisationskonto ist wieder freigeschaltet")
	})
}

const portalRevoke = "http://portal.example/revoke"

// Whoever came in by fraud cannot use the code up by typing wrong ones, and
// whoever guesses is slowed down by network; a code of another kind opens nothing.
func TestRevocationIsNotWornOut(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, code := w.revocation()
		wrong := "34679ACDEFG"
		fraud := w.Person("198.51.100.1")
		limited := false
		for range 15 {
			limited = limited || fraud.Post("/revoke", "code", withCheck(wrong)).Status == http.StatusTooManyRequests
		}
		if !limited {
			t.Error("nobody slows down who guesses")
		}
		w.Person("203.0.113.7").Post("/revoke", "code", code, "do", "revoke").Want(t, http.StatusOK, "ist gesperrt")

		w.Write(func(tx *db.Tx) error { return organization.Unlock(tx, w.as("clara"), w.bakery) })
		w.Write(func(tx *db.Tx) error {
			return letter.QueueKind(tx, w.as("clara"), w.chamber, w.bakery, letter.Succession)
		})
		_, _, all := w.print()
		w.Person("203.0.113.8").Post("/revoke", "code", all[0], "do", "revoke").Want(t, http.StatusUnprocessableEntity)
	})
}

// withCheck finds the check character: the front door tells slips from codes.
func withCheck(eleven string) string {
	for _, c := range "34679ACDEFGHJKMNPQRTWXY" {
		if _, err := letter.ReadCode(eleven + string(c)); err == nil {
			return eleven + string(c)
		}
	}
	return ""
}

// One code, many at once: one locks (and tells once). After its term it does not.
func TestRevocationOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, code := w.revocation()
		revoke := func(tx *db.Tx) error {
			_, err := organization.Revoke(tx, w.as("nora"), "203.0.113.7", code)
			return err
		}
		if won := w.race(repeat(8, revoke)...); won != 1 {
			t.Error(won, "of eight at once")
		}
		if n := len(w.Inbox("bert@example.org")); n != 1 {
			t.Error(n, "mails")
		}
		w.Write(func(tx *db.Tx) error { return organization.Unlock(tx, w.as("clara"), w.bakery) })
		_, code = w.revocation()
		w.Pass(letter.Term + time.Second)
		if key := w.try(revoke); key != "organization.revocation_unknown" {
			t.Error("after its term:", key)
		}
	})
}

// A clerk locks with a reason that the admins read.
func TestChamberLocks(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		if key := w.try(func(tx *db.Tx) error { return organization.Lock(tx, w.as("clara"), w.bakery, " ") }); key != "organization.lock_reason_missing" {
			t.Error(key)
		}
		if key := w.try(func(tx *db.Tx) error { return organization.Lock(tx, w.as("bert"), w.bakery, "Ich") }); key != "web.forbidden" {
			t.Error(key)
		}
		lock := func(tx *db.Tx) error { return organization.Lock(tx, w.as("clara"), w.bakery, "Insolvenz angemeldet") }
		if won := w.race(repeat(4, lock)...); won != 1 {
			t.Error(won, "of four")
		}
		if m := w.One("bert@example.org", "Das Organisationskonto ist gesperrt"); !strings.Contains(m.Body, "Insolvenz angemeldet") {
			t.Error(m.Body)
		}
		// What the admins may not do any more.
		if key := w.try(func(tx *db.Tx) error {
			return organization.ChangeOwn(tx, w.as("bert"), w.bakery, 3, organization.Own{})
		}); key != "organization.not_active" {
			t.Error(key)
		}
	})
}
