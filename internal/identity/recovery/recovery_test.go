package recovery_test

import (
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/account"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/recovery"
)

// The whole way (ux.md task 10; ASVS 6.4.3, 6.4.6): every old channel is told,
// nothing opens before the waiting time is over, and what was lost opens
// nothing afterwards.
func TestTheWholeWay(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.signIn()
		w.write(func(tx *db.Tx) error { _, err := account.Disavowal(tx, w.lena.ID); return err })
		w.pass(time.Hour)
		r := w.ask(claim())
		if n := value[int](w, `SELECT count(*) FROM notice WHERE account IN ($1, $2)`, w.clara.Account, w.carl.Account); n != 2 {
			t.Error("clerks told:", n)
		}
		w.write(func(tx *db.Tx) error { return recovery.Match(tx, w.clara, r.ID, w.lena.ID) })
		for to, n := range map[string]int{"lena@example.org": 1, "lena@firma.example": 1, "lena@nie.example": 0} {
			if got := w.mails(to); len(got) != n || n > 0 && !strings.Contains(got[0].Body, "/recover/"+r.Reference+"/cancel/") {
				t.Errorf("%s was told %d times: %v", to, len(got), got)
			}
		}
		if n := value[int](w, `SELECT count(*) FROM notice WHERE account = $1 AND phrase = 'notice.recovery_asked'`, w.lena.ID); n != 1 {
			t.Error("not under the bell", n)
		}
		w.write(func(tx *db.Tx) error {
			return recovery.Approve(tx, w.clara, r.ID, w.lena.ID, recovery.ByLetter, "Lena Lerche\n\n  Lerchenweg   4\n00999 Musterstadt")
		})
		text, code := w.print(r)
		if !strings.Contains(text, "Lerchenweg 4") || !strings.Contains(text, "05.11.2026, 10:00") || code == "" || strings.Contains(text, "Seite 1 von 2") {
			t.Fatal("the letter:\n", text)
		}
		if n := value[int](w, `SELECT count(*) FROM recovery WHERE code_mac LIKE $1 OR claimed LIKE '%Lerche%' OR address LIKE '%Lerchenweg%'`, "%"+strings.ReplaceAll(code, "-", "")+"%"); n != 0 {
			t.Error("readable in the database")
		}
		w.pass(72*time.Hour - time.Second)
		w.sweep()
		_, err := w.prove(r, code)
		says(t, err, "recovery.too_early")
		w.pass(time.Second)
		w.sweep()
		if w.state(r) != recovery.Released {
			t.Error(w.state(r))
		}
		secret, err := w.prove(r, " "+strings.ToLower(strings.ReplaceAll(code, "-", " ")))
		if err != nil {
			t.Fatal(err)
		}
		mailed := w.choose(r, secret, "lena@neu.example")
		says(t, w.complete(r, "another browser", mailed), "recovery.proof_gone")
		if err := w.complete(r, secret, mailed); err != nil {
			t.Fatal(err)
		}
		if a := value[string](w, `SELECT email || ' ' || password || ' ' || state FROM account WHERE id = $1`, w.lena.ID); a != "lena@neu.example "+newPHC+" active" {
			t.Error(a)
		}
		for what, query := range map[string]string{
			"sessions":       `SELECT count(*) FROM session WHERE account = $1 AND ended_at IS NULL`,
			"links":          `SELECT count(*) FROM account_link WHERE account = $1 AND state = 'open' AND purpose <> 'disavow'`,
			"factors":        `SELECT count(*) FROM factor WHERE account = $1`,
			"recovery codes": `SELECT count(*) FROM recovery_code WHERE account = $1`,
			"addresses":      `SELECT count(*) FROM account_email WHERE account = $1`,
		} {
			if n := value[int](w, query, w.lena.ID); n != 0 {
				t.Errorf("%d %s are left", n, what)
			}
		}
		if n := value[int](w, `SELECT count(*) FROM account_link WHERE account = $1 AND state = 'open'`, w.lena.ID); n != 1 {
			t.Errorf("%d links are open, want the one of the last mail", n)
		}
		if got := w.subjects("lena@firma.example"); !strings.HasSuffix(got, "Ihr Konto hat eine neue E-Mail-Adresse") {
			t.Error(got)
		}
		if got := w.subjects("lena@neu.example"); !strings.HasSuffix(got, "Ihr Zugang ist wiederhergestellt") {
			t.Error(got)
		}
		old := w.mails("lena@example.org")
		if last := old[len(old)-1]; strings.Contains(last.Body, "/report-activity/") || !strings.Contains(last.Body, "0999 1234-0") {
			t.Error("the lost mailbox got a link that opens something, or no phone number:\n", last.Body)
		}
		events := []string{}
		w.write(func(tx *db.Tx) (err error) {
			events, err = db.Values[string](tx, `SELECT event FROM audit WHERE thing = $1 ORDER BY id`, r.ID)
			return err
		})
		if got := strings.Join(events, " "); got != "recovery.submitted recovery.matched recovery.approved recovery.printed recovery.released recovery.proved recovery.code_sent recovery.done" {
			t.Error(got)
		}
	})
}

// Known and unknown people get the same answer, and nobody is told before a
// clerk has looked (W12, ASVS 6.3.8).
func TestUnknownPeopleGetTheSameAnswer(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		known, other := claim(), claim()
		other.Login = "nobody@example.org"
		a, b := w.ask(known), w.ask(other)
		if len(a.Reference) != len(b.Reference) || a.State != b.State || a.ExpiresAt.Sub(b.ExpiresAt) != 0 {
			t.Error(a, b)
		}
		if got := w.subjects("lena@example.org"); got != "" {
			t.Error("told by a stranger's request:", got)
		}
		for range 4 {
			w.ask(other)
		}
		err := w.try(func(tx *db.Tx) error { _, err := recovery.Submit(tx, stranger, "b", w.chamber, known); return err })
		if !fault.Is(err, fault.KindLimited) {
			t.Error("no limit:", err)
		}
	})
}

// What is missing is said at its field; nothing is written.
func TestClaimsAreChecked(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		long := strings.Repeat("ß", 301)
		for field, c := range map[string]recovery.Claim{
			"given_name":  {FamilyName: "L", Login: "l", Contact: "c"},
			"family_name": {GivenName: "L", Login: "l", Contact: "c"},
			"login":       {GivenName: "L", FamilyName: "L", Contact: "c"},
			"contact":     {GivenName: "L", FamilyName: "L", Login: "l"},
			"story":       {GivenName: "L", FamilyName: "L", Login: "l", Contact: "c", Story: long},
			"number":      {GivenName: "L", FamilyName: "L", Number: long, Contact: "c"},
		} {
			err := w.try(func(tx *db.Tx) error { _, err := recovery.Submit(tx, stranger, "b", w.chamber, c); return err })
			if ft := fault.Of(err); ft == nil || ft.Problems[0].Field != field {
				t.Errorf("%s: %v", field, err)
			}
		}
		err := w.try(func(tx *db.Tx) error { _, err := recovery.Submit(tx, stranger, "b", "nowhere", claim()); return err })
		says(t, err, "recovery.chamber_missing")
		if n := value[int](w, `SELECT count(*) FROM recovery`); n != 0 {
			t.Error(n)
		}
	})
}

// A request is seen by its browser, or with reference and family name; a wrong
// pair tells nothing, and cannot be tried without end.
func TestWhoSeesARequest(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r := w.ask(claim())
		see := func(browser string) error {
			return w.try(func(tx *db.Tx) error { _, err := recovery.Find(tx, r.Reference, browser); return err })
		}
		if see(w.browser) != nil || !fault.Is(see("other"), fault.KindNotFound) || !fault.Is(see(""), fault.KindNotFound) {
			t.Error("the browser decides")
		}
		recognize := func(reference, name string) error {
			return w.try(func(tx *db.Tx) error {
				_, err := recovery.Recognize(tx, stranger, "other", reference, name)
				return err
			})
		}
		says(t, recognize(r.Reference, "Lärche"), "recovery.unknown")
		says(t, recognize("W-AAAA-AAA", "Lerche"), "recovery.unknown")
		says(t, recognize("", ""), "recovery.reference_missing")
		if err := recognize(strings.ToLower(strings.ReplaceAll(r.Reference, "-", " ")), " LERCHE "); err != nil {
			t.Error(err)
		}
		if err := recognize(r.Reference[2:], "Lerche"); err != nil {
			t.Error("without the W:", err)
		}
		if see("other") != nil {
			t.Error("recognized and not seen")
		}
		var err error
		for range 20 {
			err = recognize("W-AAAA-AAA", "Lerche")
		}
		if !fault.Is(err, fault.KindLimited) {
			t.Error("guessing has no end:", err)
		}
	})
}

// Only clerks of the chamber; never one's own account, nor one of clerks and
// operators, nor one that is leaving.
func TestWhoDecidesAndAboutWhom(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r := w.ask(claim())
		match := func(by audit.Actor, id string) error {
			return w.try(func(tx *db.Tx) error { return recovery.Match(tx, by, r.ID, id) })
		}
		if !fault.Is(match(w.xenia, w.lena.ID), fault.KindNotFound) || !fault.Is(match(stranger, w.lena.ID), fault.KindNotFound) {
			t.Error("others decide")
		}
		says(t, match(w.clara, w.clara.Account), "recovery.own")
		says(t, match(w.clara, w.carl.Account), "recovery.staff")
		says(t, match(w.clara, w.otto.ID), "recovery.staff")
		says(t, match(w.clara, "nobody"), "recovery.account_missing")
		says(t, w.try(func(tx *db.Tx) error { return recovery.Approve(tx, w.clara, r.ID, w.lena.ID, recovery.ByDesk, "") }), "recovery.changed_meanwhile")
		if err := match(w.clara, w.lena.ID); err != nil {
			t.Fatal(err)
		}
		approve := func(evidence, address string) error {
			return w.try(func(tx *db.Tx) error { return recovery.Approve(tx, w.clara, r.ID, w.lena.ID, evidence, address) })
		}
		says(t, approve("", ""), "recovery.evidence_missing")
		says(t, approve(recovery.ByLetter, "Lena"), "recovery.address_lines")
		w.write(func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE account SET state = 'locked', lock_reason = 'leaving', delete_at = $1 WHERE id = $2`, tx.Now().Add(time.Hour), w.lena.ID)
			return err
		})
		says(t, approve(recovery.ByDesk, ""), "recovery.account_gone")
		w.write(func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE account SET lock_reason = 'self', delete_at = NULL WHERE id = $1`, w.lena.ID)
			return err
		})
		if err := approve(recovery.ByDesk, ""); err != nil {
			t.Fatal("a lock of one's own:", err)
		}
		says(t, w.try(func(tx *db.Tx) error { return recovery.Refuse(tx, w.carl, r.ID, " ") }), "recovery.refusal_missing")
	})
}

// The waiting time is the policy's.
func TestTheWaitIsASetting(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.write(func(tx *db.Tx) error {
			p, err := policy.Of(tx, "")
			if err != nil {
				return err
			}
			p.RecoveryWait = 5
			return policy.Save(tx, audit.Console, p)
		})
		r := w.ask(claim())
		w.approve(r, recovery.ByEID)
		if q := w.find(r); q.DueAt.Sub(q.DecidedAt) != 5*time.Hour {
			t.Error(q.DueAt.Sub(q.DecidedAt))
		}
	})
}

// Whoever still has the account ends it: by the link in any notice, or by
// signing in. A password without the second step is no sign-in.
func TestTheOwnerCancels(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r := w.ask(claim())
		w.approve(r, recovery.ByDesk)
		body := w.mails("lena@firma.example")[0].Body
		at := strings.Index(body, "/recover/"+r.Reference+"/cancel/")
		token := strings.Fields(body[at+len("/recover/"+r.Reference+"/cancel/"):])[0]
		cancel := func(reference, token string) error {
			return w.try(func(tx *db.Tx) error { return recovery.Cancel(tx, stranger, reference, token) })
		}
		if !fault.Is(cancel(r.Reference, "guessed"), fault.KindNotFound) || !fault.Is(cancel("W-AAAA-AAA", token), fault.KindNotFound) {
			t.Error("cancelled by a guess")
		}
		if n := race(16, func(int) error { return cancel(r.Reference, token) }); n != 1 || w.state(r) != recovery.Cancelled {
			t.Error(n, w.state(r))
		}
		says(t, cancel(r.Reference, token), "recovery.over")

		r = w.ask(claim())
		w.approve(r, recovery.ByDesk)
		_, code := w.print(r)
		w.pass(time.Hour)
		w.write(func(tx *db.Tx) error {
			_, err := tx.Exec(`INSERT INTO session (id, token_hash, account, amr, pending, auth_time, ip, agent, created_at, seen_at, ends_at) VALUES ('half', 'half', $1, 'pwd', TRUE, $2, '', '', $2, $2, $2)`, w.lena.ID, tx.Now())
			return err
		})
		w.sweep()
		if w.state(r) != recovery.Approved {
			t.Fatal("half a sign-in ends it:", w.state(r))
		}
		w.pass(72 * time.Hour)
		w.signIn()
		_, err := w.prove(r, code)
		says(t, err, "recovery.used_meanwhile")
		w.sweep()
		if w.state(r) != recovery.Cancelled {
			t.Error(w.state(r))
		}

		for what, sql := range map[string]string{
			"a new password":       `UPDATE account SET password_at = $1 WHERE id = $2`,
			"Das waren nicht Sie?": `UPDATE account SET state = 'locked', lock_reason = 'disavowed', locked_at = $1 WHERE id = $2`,
			"locked by a chamber":  `UPDATE account SET state = 'locked', lock_reason = 'chamber', locked_at = $1 WHERE id = $2`,
		} {
			r = w.ask(claim())
			w.approve(r, recovery.ByDesk)
			_, code = w.print(r)
			w.pass(time.Hour)
			w.write(func(tx *db.Tx) error { _, err := tx.Exec(sql, tx.Now(), w.lena.ID); return err })
			w.pass(72 * time.Hour)
			_, err = w.prove(r, code)
			says(t, err, "recovery.used_meanwhile")
			w.sweep()
			if w.state(r) != recovery.Cancelled {
				t.Error(what, w.state(r))
			}
			w.pass(time.Hour)
		}
	})
}
