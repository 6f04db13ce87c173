package profile_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/account"
	"zunft/internal/identity/policy"
)

// R151, R160: nothing is changed, and no form for it shown, before the person
// has proved that it is them a moment ago; what was sent waits in the meantime.
func TestR151ProofBeforeChanges(t *testing.T) {
	each(t, func(w *world) {
		w.signIn("anna", "pwd")
		w.get("anna", "/account").want(http.StatusOK, "Meine persönlichen Daten")
		w.get("anna", "/account/profile").want(http.StatusOK, "Beispiel")
		w.get("anna", "/account/emails").want(http.StatusOK, "anna@old.example")
		for _, path := range []string{"/account/profile/edit", "/account/profile/correction", "/account/emails/add", "/account/emails/main"} {
			w.get("anna", path).goes("/account/confirm?next=" + url.QueryEscape(path))
		}
		for path, pairs := range map[string][]string{
			"/account/profile/edit":       {"given_name", "Berta", "family_name", "Beispiel", "username", "anna", "language", "de"},
			"/account/profile/correction": {"given_name", "Berta", "family_name", "Beispiel", "reason", "x"},
			"/account/emails/add":         {"email", "new@new.example"},
			"/account/emails/main":        {"email", "new@new.example"},
			"/account/emails":             {"do", "main", "email", "new@new.example"},
		} {
			w.post("anna", path, pairs...).goes("/account/confirm?next=%2Fparked")
		}
		if n := w.Count(`SELECT (SELECT count(*) FROM account_email) + (SELECT count(*) FROM address_change) + (SELECT count(*) FROM name_correction)
			+ (SELECT count(*) FROM account WHERE given_name = 'Berta')`); n != 0 {
			t.Errorf("%d changes without a proof", n)
		}
		w.signIn("anna", "pwd otp")
		w.get("anna", "/account/profile/edit").want(http.StatusOK, "Persönliche Daten bearbeiten")
		w.Pass(11 * time.Minute) // the proof has aged
		w.get("anna", "/account/profile/edit").goes("/account/confirm?next=%2Faccount%2Fprofile%2Fedit")
		for _, path := range []string{"/account", "/account/profile", "/account/profile/edit", "/account/emails", "/account/emails/confirm"} {
			if p := w.get("stranger", path); p.status != http.StatusSeeOther || !strings.HasPrefix(p.to, "/login") {
				t.Errorf("%s opens for strangers: %d %s", path, p.status, p.to)
			}
		}
	})
}

// R150, R175, R217: own data are changed; a name from a contract is not,
// whatever is sent.
func TestR175PersonalData(t *testing.T) {
	each(t, func(w *world) {
		data := func(given, username string) []string {
			return []string{"salutation", "ms", "title", "Dr.", "given_name", given, "family_name", "Beispiel", "username", username, "language", "en"}
		}
		w.post("anna", "/account/profile/edit", data("", "bert")...).want(http.StatusUnprocessableEntity, "Geben Sie Ihren Vornamen ein")
		w.post("anna", "/account/profile/edit", data("Anna", "BERT")...).want(http.StatusUnprocessableEntity, "schon vergeben")
		w.post("anna", "/account/profile/edit", data("Anna", "")...).want(http.StatusUnprocessableEntity, "Wählen Sie einen Benutzernamen")
		w.post("anna", "/account/profile/edit", data("Anna Aurelia", "anna.neu")...).goes("/account/profile")
		w.get("anna", "/account/profile").want(http.StatusOK, "Anna Aurelia", "anna.neu", "Frau", "English")
		if m := w.mail("anna@old.example"); m.Lang != "en" || !strings.Contains(m.Body, "/report-activity/") {
			t.Errorf("%+v", m)
		}
		w.post("anna", "/account/profile/edit", data("Anna Aurelia", "anna.neu")...).goes("/account/profile")
		if len(w.Inbox()) != 0 {
			t.Error("a mail although nothing changed")
		}
		w.get("lena", "/account/profile/edit").want(http.StatusOK, "Ihr Name stammt aus Ihrem Vertrag")
		w.post("lena", "/account/profile/edit", data("Ganz anders", "lena")...).goes("/account/profile")
		if n := w.Count(`SELECT count(*) FROM account WHERE given_name = 'Ganz anders'`); n != 0 {
			t.Error("a name from a contract was changed")
		}
		w.get("anna", "/account/profile/correction").goes("/account/profile/edit") // her name is her own
		w.post("anna", "/account/profile/correction", "given_name", "X", "family_name", "Y", "reason", "z", "chamber", w.chamber.ID).want(http.StatusConflict)
	})
}

// R245, R246, R247: what the sign-up profile asked can be seen and changed, by its own rules.
func TestR245Answers(t *testing.T) {
	each(t, func(w *world) {
		p, err := policy.Preset("mein-ias")
		if err != nil {
			t.Fatal(err)
		}
		w.Write(func(tx *db.Tx) error {
			if err := policy.Save(tx, audit.Console, p); err != nil {
				return err
			}
			_, err := tx.Exec(`UPDATE account SET policy = 'mein-ias', answers = $1 WHERE id = $2`,
				account.Answers{Profile: map[string]string{"office_work": "yes", "leads_people": "no"}, Code: "kept"}.String(), w.ids["anna"])
			return err
		})
		w.get("anna", "/account/profile").want(http.StatusOK, "überwiegend an einem Büroarbeitsplatz? Ja", "disziplinarisch zugeordnet? Nein")
		w.get("anna", "/account/profile/edit").want(http.StatusOK, "Geburtsjahr")
		same := []string{"salutation", "", "given_name", "Anna", "family_name", "Beispiel", "username", "anna", "language", "de", "office_work", "yes"}
		w.post("anna", "/account/profile/edit", append(same, "birth_year", "1066", "leads_people", "perhaps", "gender", "<b>")...).want(http.StatusUnprocessableEntity, "Bitte prüfen Sie Ihre Angaben")
		w.post("anna", "/account/profile/edit", append(same, "birth_year", "1990", "leads_people", "yes", "gender", "female")...).goes("/account/profile")
		w.get("anna", "/account/profile").want(http.StatusOK, "disziplinarisch zugeordnet? Ja", "1990", "Weiblich")
		if n := w.Count(`SELECT count(*) FROM account WHERE answers LIKE '%"code":"kept"%' AND answers LIKE '%"birth_year":"1990"%'`); n != 1 {
			t.Error("the rest of the answers is lost")
		}
		w.get("bert", "/account/profile").want(http.StatusOK)
	})
}

// Hostile values in every field: refused or kept as text, never a defect, never markup.
func TestHostileValues(t *testing.T) {
	each(t, func(w *world) {
		hostile := []string{
			`"><script>alert(1)</script>`, "'; DROP TABLE account; --", "\x00\x01", "\xff\xfe", strings.Repeat("ä", 5000), "a@b.example\r\nBcc: x@y.example",
			"{{.Form}}", "../../etc/passwd", "\u202eno address", "%00%0a", strings.Repeat("a@", 400) + "b.example", "=HYPERLINK(\"x\")",
		}
		for path, fields := range map[string][]string{
			"/account/profile/edit": {"salutation", "title", "given_name", "family_name", "username", "language"}, "/account/profile/correction": {"title", "given_name", "family_name", "chamber", "reason", "withdraw"},
			"/account/emails/add": {"email"}, "/account/emails/main": {"email"}, "/account/emails": {"do", "email"}, "/account/emails/confirm": {"code"},
		} {
			for _, bad := range hostile {
				for _, who := range []string{"anna", "lena"} {
					var pairs []string
					for _, f := range fields {
						pairs = append(pairs, f, bad)
					}
					p := w.post(who, path, pairs...)
					if p.status >= 500 || strings.Contains(p.body, "<script>alert") {
						t.Errorf("%s %q: %d\n%s", path, bad[:min(len(bad), 30)], p.status, words(p.body))
					}
					if p.status == http.StatusSeeOther && fields[0] != "salutation" {
						t.Errorf("%s takes %q", path, bad[:min(len(bad), 30)])
					}
				}
			}
		}
		for _, path := range []string{"/confirm-email/", "/undo/"} {
			for _, token := range []string{"nothing", "%00", strings.Repeat("a", 5000), "..%2f"} {
				if p := w.get("stranger", path+token); p.status < 400 || p.status >= 500 {
					t.Errorf("GET %s%.20s: %d", path, token, p.status)
				}
				if p := w.post("stranger", path+token); p.status < 400 || p.status >= 500 {
					t.Errorf("POST %s%.20s: %d", path, token, p.status)
				}
			}
		}
		if n := w.Count(`SELECT count(*) FROM account WHERE given_name <> 'Anna' OR family_name <> 'Beispiel'`); n != 0 {
			t.Error("a hostile name was kept")
		}
	})
}

// W12: an address that somebody else has is answered word for word like a free one.
func TestTakenAddressLooksFree(t *testing.T) {
	each(t, func(w *world) {
		answer := func(path, email string) string {
			p := w.post("anna", path, "email", email)
			code := w.get("anna", "/account/emails/confirm").want(http.StatusOK)
			wrong := w.post("anna", "/account/emails/confirm", "code", "000000")
			return strings.ReplaceAll(strings.Join([]string{p.to, words(code.body), words(wrong.body)}, "\n"), email, "ADDRESS")
		}
		for _, path := range []string{"/account/emails/add", "/account/emails/main"} {
			if free, taken := answer(path, "nobody@new.example"), answer(path, "bert@old.example"); free != taken {
				t.Errorf("%s\n%s\n%s", path, free, taken)
			}
		}
		if m := w.mail("bert@old.example"); digits.MatchString(m.Body) || paths.MatchString(m.Body) {
			t.Error("the owner was sent a way to give the address away")
		}
	})
}

// R293: the link shows a page, its button acts, once; and what became of a link
// that opens nothing is said.
func TestR293Links(t *testing.T) {
	each(t, func(w *world) {
		w.post("anna", "/account/emails/add", "email", "f@new.example").goes("/account/emails/confirm")
		first := paths.FindString(w.mail("f@new.example").Body)
		w.post("anna", "/account/emails", "do", "again", "email", "f@new.example").goes("/account/emails/confirm")
		second := paths.FindString(w.mail("f@new.example").Body)
		w.get("stranger", first).want(http.StatusGone, "Es gibt eine neuere E-Mail")
		w.post("stranger", first).want(http.StatusConflict)
		for range 3 { // mail scanners
			w.get("stranger", second).want(http.StatusOK, "f@new.example", "Anna Beispiel")
		}
		w.post("bert", second).goes("/") // signed in as somebody else: it is Anna's all the same
		w.get("stranger", second).want(http.StatusGone, "schon benutzt")
		w.post("stranger", second).want(http.StatusConflict)
		if n := w.Count(`SELECT count(*) FROM account_email WHERE account = $1 AND confirmed_at IS NOT NULL`, w.ids["anna"]); n != 1 {
			t.Error("the address is not Anna's")
		}
		w.post("anna", "/account/emails/add", "email", "late@new.example")
		late := paths.FindString(w.mail("late@new.example").Body)
		w.Pass(24 * time.Hour)
		w.get("stranger", late).want(http.StatusGone, "abgelaufen")
		w.post("stranger", late).want(http.StatusConflict)
	})
}

// Codes are bound to the session that asked; two tabs do not mix theirs up.
func TestCodeOfTheSession(t *testing.T) {
	each(t, func(w *world) {
		w.post("anna", "/account/emails/add", "email", "one@new.example")
		one := digits.FindString(w.mail("one@new.example").Body)
		w.post("bert", "/account/emails/confirm", "code", one).want(http.StatusConflict, "nur in dem Browser")
		first := w.cookies["anna"]
		w.signIn("anna", "pwd otp") // another browser of hers
		w.post("anna", "/account/emails/confirm", "code", one).want(http.StatusConflict, "nur in dem Browser")
		w.cookies["anna"] = first
		w.post("anna", "/account/emails/add", "email", "two@new.example") // a second tab
		two := digits.FindString(w.mail("two@new.example").Body)
		w.get("anna", "/account/emails/confirm").want(http.StatusOK, "two@new.example")
		if one != two { // once in a million the first one is right, too
			w.post("anna", "/account/emails/confirm", "code", one).want(http.StatusUnprocessableEntity, "Der Code stimmt nicht")
		}
		w.post("anna", "/account/emails/confirm", "code", two).goes("/account/emails")
	})
}

// The link in the old mailbox ends all sessions and leads to a new password.
func TestUndoPage(t *testing.T) {
	each(t, func(w *world) {
		w.post("anna", "/account/emails/main", "email", "thief@new.example")
		code := digits.FindString(w.mail("thief@new.example").Body)
		w.post("anna", "/account/emails/confirm", "code", code).goes("/account/emails")
		undo := paths.FindString(w.mail("anna@old.example").Body)
		w.get("stranger", undo).want(http.StatusOK, "anna@old.example", "thief@new.example")
		w.get("anna", "/account").want(http.StatusOK) // looking does nothing
		p := w.post("stranger", undo)
		if p.status != http.StatusSeeOther || !strings.HasPrefix(p.to, "/recover/password/") {
			t.Fatal(p.status, p.to)
		}
		if p := w.get("anna", "/account"); p.status != http.StatusSeeOther {
			t.Error("a session outlives the undo")
		}
		w.get("stranger", undo).want(http.StatusGone, "schon zurückgenommen")
		w.post("stranger", undo).want(http.StatusConflict)
	})
}

// A form sent twice, or 16 times at once, is done once.
func TestDoubleSubmit(t *testing.T) {
	each(t, func(w *world) {
		var group sync.WaitGroup
		for range 16 {
			group.Go(func() {
				p := w.post("lena", "/account/profile/correction", "form_key", "0123456789012345678901", "given_name", "Lena Marie", "family_name", "Beispiel",
					"chamber", w.chamber.ID, "reason", "Der zweite Vorname fehlt.")
				if p.status != http.StatusSeeOther {
					t.Errorf("%d %s", p.status, words(p.body))
				}
			})
		}
		group.Wait()
		if n := w.Count(`SELECT count(*) FROM name_correction`); n != 1 {
			t.Errorf("%d corrections", n)
		}
		w.get("lena", "/account/profile").want(http.StatusOK, "Ihre Kammer prüft Ihren Namen", "Lena Marie Beispiel")
		// Somebody else's is not Anna's to withdraw.
		var id string
		w.Write(func(tx *db.Tx) (err error) {
			id, err = db.Value[string](tx, `SELECT id FROM name_correction`)
			return err
		})
		w.post("anna", "/account/profile/correction", "withdraw", id).want(http.StatusConflict)
		w.post("lena", "/account/profile/correction", "withdraw", id, "reference", "N-1").goes("/account/profile")
	})
}

// A locked person changes nothing in a page that is still open.
func TestLockedMeanwhile(t *testing.T) {
	each(t, func(w *world) {
		w.Write(func(tx *db.Tx) error {
			_, err := account.Lock(tx, audit.Console, w.ids["anna"], account.LockedByChamber)
			return err
		})
		for _, path := range []string{"/account/profile/edit", "/account/emails/add", "/account/emails"} {
			if p := w.post("anna", path, "email", "x@new.example", "do", "main"); p.status != http.StatusSeeOther || !strings.HasPrefix(p.to, "/login") {
				t.Errorf("%s: %d %s", path, p.status, p.to)
			}
		}
	})
}
