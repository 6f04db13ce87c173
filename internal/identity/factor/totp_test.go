package factor

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
)

func codeAt(t testing.TB, typed string, at time.Time) string {
	t.Helper()
	key, err := base32Key.DecodeString(strings.ReplaceAll(typed, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return totpCode(key, at.Unix()/totpStep)
}

// RFC 6238, appendix B (SHA-1), last six digits. R200: so every app shows them.
func TestR200VectorsOfTheRFC(t *testing.T) {
	for at, want := range map[int64]string{59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"} {
		if got := totpCode([]byte("12345678901234567890"), at/30); got != want {
			t.Errorf("%d: %s, want %s", at, got, want)
		}
	}
}

// R158, R159, R168, R169, R173, R174: scan or type the key, then the first code.
func TestR158SetUp(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var s, again Setup
		w.must(func(tx *db.Tx) (err error) {
			s, err = StartTOTP(tx, w.by(), w.anna, "s1", " Mein\u0000 Telefon ")
			return err
		})
		w.must(func(tx *db.Tx) (err error) { again, err = PendingTOTP(tx, w.anna, "s1"); return err })
		if s != again || s.Name != "Mein Telefon" || len(s.Key) != 39 || s.Key[4] != ' ' {
			t.Errorf("%+v %+v", s, again)
		}
		u, err := url.Parse(s.URI("IHK: Muster & Land"))
		if err != nil || u.Scheme != "otpauth" || u.Host != "totp" || u.Path != "/IHK  Muster & Land:anna@beispiel.example" ||
			u.Query().Get("secret") != strings.ReplaceAll(s.Key, " ", "") || u.Query().Get("issuer") != "IHK  Muster & Land" {
			t.Error(u, err)
		}
		if n := w.due(w.anna, "pwd", "s1"); n.Has.Any() || n.Prove {
			t.Errorf("a pending one opens or asks nothing: %+v", n)
		}
		show := w.shows(s)
		confirm := func(session, id, code string) error {
			return w.write(func(tx *db.Tx) error { _, err := ConfirmTOTP(tx, w.by(), w.anna, session, id, code); return err })
		}
		if err := confirm("s1", s.ID, "000000"); key(err) != "factor.first_code_wrong" {
			t.Error(err)
		}
		if err := confirm("s2", s.ID, show()); key(err) != "factor.setup_gone" {
			t.Error("in another session:", err)
		}
		if won := w.race(64, func(tx *db.Tx) error { _, err := ConfirmTOTP(tx, w.by(), w.anna, "s1", s.ID, show()); return err }); won != 1 {
			t.Errorf("confirmed %d times", won)
		}
		if m := w.lastMail(); m.Subject != "Mobile Token hinzugefügt" || !strings.Contains(m.Body, "/report-activity/") {
			t.Errorf("%+v", m)
		}
		if n := w.count(`SELECT count(*) FROM notice WHERE account = $1 AND phrase = 'notice.factor_added_totp'`, w.anna.ID); n != 1 {
			t.Error(n, "notices")
		}
		if _, err := w.check("s1", TOTP, show()); key(err) != "factor.code_used" {
			t.Error("the code that confirmed works again:", err)
		}

		// What nobody confirmed is forgotten, and replaced by what begins anew.
		w.must(func(tx *db.Tx) (err error) { s, err = StartTOTP(tx, w.by(), w.anna, "s1", ""); return err })
		w.must(func(tx *db.Tx) (err error) { again, err = StartTOTP(tx, w.by(), w.anna, "s1", ""); return err })
		if err := confirm("s1", s.ID, codeAt(t, s.Key, w.now)); key(err) != "factor.setup_gone" {
			t.Error(err)
		}
		w.pass(setupFor)
		if err := confirm("s1", again.ID, codeAt(t, again.Key, w.now)); key(err) != "factor.setup_gone" {
			t.Error(err)
		}
	})
}

// R159, R171: a code of the app proves, one step early or late, and never twice.
func TestR171CodesOfTheApp(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var s Setup
		w.must(func(tx *db.Tx) (err error) { s, err = StartTOTP(tx, w.by(), w.anna, "s1", ""); return err })
		w.must(func(tx *db.Tx) error { _, err := ConfirmTOTP(tx, w.by(), w.anna, "s1", s.ID, w.shows(s)()); return err })
		w.pass(5 * time.Minute)
		for _, c := range []struct {
			steps int
			want  string
		}{{-2, "factor.code_wrong"}, {2, "factor.code_wrong"}, {-1, ""}, {-1, "factor.code_used"}, {0, ""}, {0, "factor.code_used"}, {-1, "factor.code_used"}, {1, ""}, {0, "factor.code_used"}} {
			amr, err := w.check("anywhere", TOTP, codeAt(t, s.Key, w.now.Add(time.Duration(c.steps)*30*time.Second)))
			if key(err) != c.want || err == nil && amr != "otp mfa" {
				t.Errorf("%+d steps: %v, want %q", c.steps, err, c.want)
			}
		}
		// The key lies sealed.
		w.must(func(tx *db.Tx) error {
			secret, err := db.Value[string](tx, `SELECT secret FROM factor WHERE id = $1`, s.ID)
			if strings.Contains(secret, strings.ReplaceAll(s.Key, " ", "")) {
				t.Error("the key is readable")
			}
			return err
		})
		// Two devices side by side: each shows its own.
		_, second := w.app(w.anna, "s1")
		for _, code := range []string{w.shows(s)(), second()} {
			if _, err := w.check("s1", TOTP, code); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestDevicesAreBounded(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for i := range maxEach {
			w.must(func(tx *db.Tx) error {
				_, err := tx.Exec(`INSERT INTO factor (id, account, kind, name, state, created_at) VALUES ($1, $2, 'totp', '', 'active', $3)`, fmt.Sprint(i), w.anna.ID, tx.Now())
				return err
			})
		}
		if err := w.write(func(tx *db.Tx) error { _, err := StartTOTP(tx, w.by(), w.anna, "s1", ""); return err }); key(err) != "factor.many" {
			t.Error(err)
		}
		if err := w.write(func(tx *db.Tx) error {
			_, err := StartTOTP(tx, w.by(), w.anna, "s1", strings.Repeat("ä", 61))
			return err
		}); !fault.Is(err, fault.KindInvalid) {
			t.Error(err)
		}
	})
}
