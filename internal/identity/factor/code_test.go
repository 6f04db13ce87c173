package factor

import (
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
)

// R155, R156, M12: the code goes to the person's address and proves them, once,
// for ten minutes, in the session that asked.
func TestR155CodeByMail(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		code := w.code("s1")
		m := w.lastMail()
		if m.To != "anna@beispiel.example" || !strings.Contains(m.Subject, code[:3]+" "+code[3:]) || !strings.Contains(m.Body, "/report-activity/") {
			t.Errorf("%+v", m)
		}
		if _, err := w.check("s2", Mail, code); key(err) != "factor.code_expired" { // bound to the session (ASVS 6.6.2)
			t.Error("another session:", err)
		}
		if n := w.count(`SELECT code_failures FROM account WHERE id = $1`, w.anna.ID); n != 0 {
			t.Error("a code that was not even looked at was counted")
		}
		for typed, want := range map[string]string{"": "factor.code_missing", "12345": "factor.code_form", "abcdef": "factor.code_form", "1234567": "factor.code_form", strings.Repeat("1", 1<<20): "factor.code_form"} {
			if _, err := w.check("s1", Mail, typed); key(err) != want {
				t.Errorf("%.10q: %v", typed, err)
			}
		}
		if amr, err := w.check("s1", Mail, " "+code[:3]+"-"+code[3:]); err != nil || amr != "otp" {
			t.Error(amr, err)
		}
		if _, err := w.check("s1", Mail, code); key(err) != "factor.code_expired" {
			t.Error("a second time:", err)
		}

		old, code := w.code("s1"), w.code("s1")
		if _, err := w.check("s1", Mail, old); old != code && key(err) != "factor.code_wrong" {
			t.Error("superseded:", err)
		}
		w.pass(codeFor - time.Microsecond)
		if _, err := w.check("s1", Mail, code); err != nil {
			t.Error("just in time:", err)
		}
		code = w.code("s1")
		w.pass(codeFor)
		if _, err := w.check("s1", Mail, code); key(err) != "factor.code_expired" {
			t.Error("too late:", err)
		}
	})
}

// L04 and decision 3: wrong codes are counted apart from wrong passwords; from
// the fifth on the pauses grow, the right code does not help in them, and the
// owner is told once.
func TestWrongCodesPause(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, show := w.app(w.anna, "s1")
		before := len(w.mails())
		for i := range 4 {
			if _, err := w.check("s1", TOTP, "000000"); key(err) != "factor.code_wrong" {
				t.Fatal(i, err)
			}
		}
		var waits []time.Duration
		for range 9 {
			_, err := w.check("s1", TOTP, "000000")
			f := fault.Of(err)
			if f == nil || f.Kind != fault.KindLimited || f.Key() != "factor.paused" {
				t.Fatal(err)
			}
			waits = append(waits, f.Wait)
			if _, err := w.check("s1", TOTP, show()); key(err) != "factor.paused" {
				t.Error("the right code in a pause:", err)
			}
			w.pass(f.Wait)
		}
		if waits[0] != 30*time.Second || waits[1] != time.Minute || waits[7] != time.Hour || waits[8] != time.Hour {
			t.Error(waits)
		}
		if n := w.count(`SELECT failures FROM account WHERE id = $1`, w.anna.ID); n != 0 {
			t.Error("wrong codes were counted as wrong passwords")
		}
		if all := w.mails(); len(all) != before+1 || !strings.Contains(all[before].Body, "kennt Ihr Passwort") {
			t.Error(len(all)-before, "mails")
		}
		w.pass(time.Minute)
		if _, err := w.check("s1", TOTP, show()); err != nil {
			t.Error("after the pause:", err)
		}
		if _, err := w.check("s1", TOTP, "000000"); key(err) != "factor.code_wrong" {
			t.Error("a success begins the count anew:", err)
		}
		// NIST SP 800-63B: a hundred in a row, then hardly any.
		w.must(func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE account SET code_failures = 99 WHERE id = $1`, w.anna.ID)
			return err
		})
		if _, err := w.check("s1", TOTP, "000000"); fault.Of(err) == nil || fault.Of(err).Wait != 24*time.Hour {
			t.Error(err)
		}
	})
}

// L04: a code by mail stands five tries, whatever the pauses say.
func TestACodeStandsFiveTries(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		code := w.code("s1")
		other := "000000"
		if code == other {
			other = "000001"
		}
		for range codeTries {
			if _, err := w.check("s1", Mail, other); err == nil {
				t.Fatal("accepted")
			}
			w.must(func(tx *db.Tx) error {
				_, err := tx.Exec(`UPDATE account SET code_failures = 0, code_paused_until = NULL WHERE id = $1`, w.anna.ID)
				return err
			})
		}
		if _, err := w.check("s1", Mail, code); key(err) != "factor.code_tries" {
			t.Error(err)
		}
	})
}

// Five codes by mail at once, then one in three minutes; none while codes are paused.
func TestCodesByMailAreLimited(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		send := func() error { return w.write(func(tx *db.Tx) error { return SendCode(tx, w.by(), w.anna, "s1") }) }
		for i := range 5 {
			if err := send(); err != nil {
				t.Fatal(i, err)
			}
		}
		if err := send(); !fault.Is(err, fault.KindLimited) {
			t.Error(err)
		}
		w.pass(3 * time.Minute)
		if err := send(); err != nil {
			t.Error(err)
		}
		w.must(func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE account SET code_paused_until = $1 WHERE id = $2`, tx.Now().Add(time.Hour), w.anna.ID)
			return err
		})
		w.pass(3 * time.Minute)
		if err := send(); key(err) != "factor.paused" {
			t.Error(err)
		}
	})
}

// HackerOne #3692149 (Kratos): one code, 64 redemptions at once: one succeeds.
func TestOneCodeManyRedemptions(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		code := w.code("s1")
		if won := w.race(64, func(tx *db.Tx) error { _, err := Check(tx, w.by(), w.anna, "s1", Mail, code); return err }); won != 1 {
			t.Errorf("mail: %d", won)
		}
		_, show := w.app(w.anna, "s1")
		code = show()
		if won := w.race(64, func(tx *db.Tx) error { _, err := Check(tx, w.by(), w.anna, "s1", TOTP, code); return err }); won != 1 {
			t.Errorf("totp: %d", won)
		}
		if n := w.count(`SELECT code_failures FROM account WHERE id = $1`, w.anna.ID); n != 0 {
			t.Errorf("the losers of a right code were counted: %d", n)
		}
		var codes []string
		w.must(func(tx *db.Tx) (err error) { codes, err = NewCodes(tx, w.by(), w.anna); return err })
		if won := w.race(64, func(tx *db.Tx) error { _, err := Check(tx, w.by(), w.anna, "s1", Recovery, codes[0]); return err }); won != 1 {
			t.Errorf("recovery: %d", won)
		}
		if n := w.count(`SELECT count(*) FROM recovery_code WHERE used_at IS NULL`); n != 9 {
			t.Errorf("%d codes left", n)
		}
	})
}

// A guess counts even among 64 at once: no more than five are compared.
func TestGuessesAtOnceAreCounted(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.app(w.anna, "s1")
		if won := w.race(64, func(tx *db.Tx) error { _, err := Check(tx, w.by(), w.anna, "s1", TOTP, "000000"); return err }); won != 0 {
			t.Error(won)
		}
		if n := w.count(`SELECT count(*) FROM audit WHERE event = 'factor.code_failed'`); n != pauseFrom {
			t.Errorf("%d were compared", n)
		}
	})
}

// GHSA-wv3h, CVE-2026-9798: a locked account accepts no code, however right, and
// gets none; what counts is its state at redemption.
func TestLockedAccountsAcceptNoCode(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		code := w.code("s1")
		var codes []string
		w.must(func(tx *db.Tx) (err error) { codes, err = NewCodes(tx, w.by(), w.anna); return err })
		w.must(func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE account SET state = 'locked', lock_reason = 'chamber' WHERE id = $1`, w.anna.ID)
			return err
		})
		if _, err := w.check("s1", Mail, code); key(err) != "account.not_active" {
			t.Error(err)
		}
		if _, err := w.check("s1", Recovery, codes[0]); key(err) != "account.not_active" {
			t.Error(err)
		}
		for name, f := range map[string]func(tx *db.Tx) error{
			"send":  func(tx *db.Tx) error { return SendCode(tx, w.by(), w.anna, "s1") },
			"start": func(tx *db.Tx) error { _, err := StartTOTP(tx, w.by(), w.anna, "s1", ""); return err },
			"mail":  func(tx *db.Tx) error { _, err := UseMail(tx, w.by(), w.anna, "s1"); return err },
			"want":  func(tx *db.Tx) error { return Want(tx, w.by(), w.anna, "s1", TOTP) },
			"codes": func(tx *db.Tx) error { _, err := NewCodes(tx, w.by(), w.anna); return err },
		} {
			if err := w.write(f); key(err) != "account.not_active" {
				t.Error(name, err)
			}
		}
	})
}

// Crockford: what a person may read O, I and L for.
func TestRecoveryCodes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var codes, newer []string
		w.must(func(tx *db.Tx) (err error) { codes, err = NewCodes(tx, w.by(), w.anna); return err })
		if len(codes) != 10 || len(codes[0]) != 9 || codes[0][4] != '-' {
			t.Fatal(codes)
		}
		typed := strings.NewReplacer("0", "o", "1", "l", "-", " ").Replace(strings.ToLower(codes[3]))
		if amr, err := w.check("s1", Recovery, typed); err != nil || amr != "otp mfa" {
			t.Error(amr, err)
		}
		if m := w.lastMail(); !strings.Contains(m.Body, "9 sind noch übrig") || !strings.Contains(m.Body, "/report-activity/") {
			t.Error(m.Body)
		}
		if _, err := w.check("s1", Recovery, codes[3]); key(err) != "factor.recovery_used" {
			t.Error(err)
		}
		if _, err := w.check("s1", Recovery, "UUUU-UUUU"); key(err) != "factor.recovery_form" {
			t.Error(err)
		}
		w.must(func(tx *db.Tx) (err error) { newer, err = NewCodes(tx, w.by(), w.anna); return err })
		if _, err := w.check("s1", Recovery, codes[4]); key(err) != "factor.code_wrong" {
			t.Error("the ones before are void:", err)
		}
		if _, err := w.check("s1", Recovery, newer[0]); err != nil {
			t.Error(err)
		}
		bert := w.person("bert")
		if err := w.write(func(tx *db.Tx) error { _, err := Check(tx, w.by(), bert, "s1", Recovery, newer[1]); return err }); err == nil {
			t.Error("somebody else's code was accepted")
		}
	})
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{"123 456", "7f3k-22mx", "ilo0-ILO1", "\x00", "１２３４５６", strings.Repeat("-", 300), "12\u00a034\u201356"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, kind := range []string{Mail, TOTP, Recovery} {
			code, err := read(kind, s)
			if err != nil {
				if fault.Of(err) == nil || code != "" {
					t.Fatal(kind, code, err)
				}
				continue
			}
			if again, err := read(kind, code); err != nil || again != code || kind == Recovery && len(code) != 8 || kind != Recovery && len(code) != 6 {
				t.Fatalf("%q is read as %q and then as %q, %v", s, code, again, err)
			}
		}
	})
}
