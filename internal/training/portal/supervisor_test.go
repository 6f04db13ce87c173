package portal_test

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/mail"
	"zunft/internal/training/schema"
	"zunft/internal/training/supervisor"
)

// mails are those that wait for an address, oldest first.
func (w *world) mails(to string) (all []mail.Message) {
	w.t.Helper()
	err := w.d.Read(context.Background(), func(tx *db.Tx) error {
		bodies, err := db.Values[string](tx, `SELECT body FROM job WHERE kind = 'mail' ORDER BY id`)
		for _, b := range bodies {
			var sealed struct{ ID, Mail string }
			if err := json.Unmarshal([]byte(b), &sealed); err != nil {
				return err
			}
			plain, err := w.d.Keys.Open("mail/"+sealed.ID, sealed.Mail)
			if err != nil {
				return err
			}
			var m mail.Message
			if err := json.Unmarshal(plain, &m); err != nil {
				return err
			}
			if m.To == to {
				all = append(all, m)
			}
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

var formKey = regexp.MustCompile(`name="form_key" value="[^"]*"`)

// plain is a page without what differs each time, and without a name.
func plain(p page, name string) string {
	body := formKey.ReplaceAllString(main(p.body), "")
	if name != "" {
		body = strings.ReplaceAll(body, name, "X")
	}
	return body
}

var pinForm = regexp.MustCompile(`(?:PIN|lautet): ([0-9A-Z]{4}-[0-9A-Z]{4})`)

// pinOf is the PIN in a mail, or nothing.
func pinOf(m mail.Message) string {
	if found := pinForm.FindStringSubmatch(m.Body); found != nil {
		return found[1]
	}
	return ""
}

// submitTo writes a week and sends it to an address.
func (b *visit) submitTo(week, text, address string) page {
	b.t.Helper()
	edit := b.get("/reports/" + week).is(200)
	check := b.follow("/reports/"+week, "version", edit.version(), "do", "check", "work", text).is(200)
	return b.post("/reports/"+week+"/submit", "version", check.version(), "approver", address)
}

// R268, R269, R292, R325–R332: the first report sent to an address brings a PIN
// with it; the PIN opens what was sent there by whomever, and nothing else; a
// new address is a new access, and nobody changes their own.
func TestSupervisor_R268_R269_R325_R326_R327_R328_R329_R330_R331_R332(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		bert := w.comes(claims("bert", "Bert", "Meister", "korn", "trainer"))
		anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
		emil := w.comes(claims("emil", "Emil", "Eifrig", "korn", "apprentice"))

		// R326: the address is checked, the text stays; nobody sends it to themselves.
		anna.submitTo("2026-W46", "Teige", "kein-mail").is(422).has("Geben Sie eine E-Mail-Adresse mit @ und Endung ein", `value="kein-mail"`, "Teige")
		anna.post("/reports/2026-W46/submit", "version", "1", "approver", "ANNA@beispiel.example").is(422).has("nicht an sich selbst")
		anna.follow("/reports/2026-W46/submit", "version", "1", "approver", "Petra@Muehle.example").is(200).has("petra@muehle.example", "einmal bestätigen").lacks("Bert Meister")

		// R327, R328: one mail, with the PIN; the trainers of the company are not
		// asked to read it, but hear of the new address once (§ 14 (2) BBiG).
		first := w.mails("petra@muehle.example")
		if len(first) != 1 || !strings.Contains(first[0].Body, "/supervisor/reports/") {
			t.Fatalf("mails to Petra: %+v", first)
		}
		if m := w.mails("bert@beispiel.example"); len(m) != 1 || !strings.Contains(m[0].Body, "zum ersten Mal an petra@muehle.example") || pinOf(m[0]) != "" {
			t.Errorf("mails to Bert: %+v", m)
		}
		pin := pinOf(first[0])
		link := regexp.MustCompile(`/supervisor/reports/\S+`).FindString(first[0].Body)
		// R269, R329: from another apprentice comes the same access, without a PIN.
		emil.submitTo("2026-W46", "Emils Woche", "petra@muehle.example").is(303)
		if all := w.mails("petra@muehle.example"); len(all) != 2 || pinOf(all[1]) != "" {
			t.Fatalf("second mail: %+v", all[len(all)-1])
		}

		petra := w.stranger()
		petra.get(link).is(303)
		petra.get("/supervisor?report=" + strings.TrimPrefix(link, "/supervisor/reports/")).is(200).has("Eine Registrierung ist nicht nötig und nicht möglich")
		petra.post("/supervisor", "email", "petra@muehle.example", "pin", "").is(422).has("Geben Sie die PIN aus der E-Mail ein")
		wrong := petra.post("/supervisor", "email", "petra@muehle.example", "pin", "AAAA-AAAA").is(422)
		unknown := petra.post("/supervisor", "email", "niemand@muehle.example", "pin", "AAAA-AAAA").is(422)
		if a, b := plain(wrong, "petra"), plain(unknown, "niemand"); a != b {
			t.Errorf("the answer tells whom we know:\n%s\n%s", a, b)
		}
		// As people type it; the mail's report opens at once.
		report := petra.follow("/supervisor", "email", " PETRA@muehle.example", "pin", strings.ToLower(strings.ReplaceAll(pin, "-", " ")), "report", strings.TrimPrefix(link, "/supervisor/reports/")).
			is(200).has("Anna Muster, Woche 46", "Teige", "petra@muehle.example")
		petra.post(link+"/return", "version", report.version()).is(422).has("Schreiben Sie, was noch anders werden soll") // R331
		petra.follow(link+"/return", "version", report.version(), "reason", "Bitte Mengen").is(200).has("ist zurückgegeben", "Emil Eifrig, Woche 46")
		if m := w.mails("anna@beispiel.example"); len(m) != 1 || !strings.Contains(m[0].Body, "Bitte Mengen") { // R330
			t.Errorf("mails to Anna: %+v", m)
		}
		petra.get(link).is(200).has("wird gerade überarbeitet").lacks("Teige")

		// The check page remembers the address; signed off without a remark (R332).
		edit := anna.get("/reports/2026-W46").is(200).has("Bitte Mengen", "petra@muehle.example")
		check := anna.follow("/reports/2026-W46", "version", edit.version(), "do", "check", "work", "20 Teige").is(200).has(`value="petra@muehle.example"`)
		anna.post("/reports/2026-W46/submit", "version", check.version(), "approver", "petra@muehle.example").is(303)
		// Whose address it is says the company, once (decision 0029): from the mail or the queue.
		petra.get(link).is(200).has("hat Ihre Adresse noch nicht bestätigt", "Zurückgeben").lacks("/sign-off")
		petra.post(link+"/sign-off", "version", "9").is(409)
		bert.get("/reviews").is(200).has("Adressen bestätigen", "petra@muehle.example")
		review := regexp.MustCompile(`/reviews/\S+`).FindString(w.mails("bert@beispiel.example")[0].Body)
		bert.get(review).is(200).has("noch nicht bestätigt", "Adresse bestätigen")
		anna.post(review + "/confirm").is(403)
		bert.post(review+"/confirm", "email", "kurt@muehle.example").is(409).has("inzwischen an eine andere Adresse")
		bert.follow(review+"/confirm", "email", "petra@muehle.example").is(200).has("Die Adresse petra@muehle.example ist bestätigt").lacks("noch nicht bestätigt")
		bert.get("/reviews").is(200).lacks("Adressen bestätigen")
		if all := w.mails("petra@muehle.example"); !strings.Contains(all[len(all)-1].Body, "hat die E-Mail-Adresse petra@muehle.example bestätigt") {
			t.Errorf("Petra is not told: %s", all[len(all)-1].Body)
		}
		report = petra.get(link).is(200).has("Neue Fassung", "20 <span", "Teige")
		petra.follow(link+"/sign-off", "version", report.version()).is(200).has("ist abgezeichnet", "Rückgängig")
		anna.get("/reports/2026-W46").is(200).has("in Durchsicht").lacks("Abgezeichnet")
		report = petra.get(link).is(200)
		petra.follow(link+"/undo", "version", report.version()).is(200).has("ist zurückgenommen")
		petra.follow(link+"/comment", "comment", "Wie viele genau?").is(200).has("Wie viele genau?")
		petra.follow(link+"/sign-off", "version", petra.get(link).version()).is(200)
		w.settle()
		anna.get("/reports/2026-W46").is(200).has("Abgezeichnet", "petra@muehle.example")

		// What was sent elsewhere does not exist for Petra, neither do the pages of accounts.
		anna.submitTo("2026-W45", "Geheim", "kurt@muehle.example").is(303)
		other := regexp.MustCompile(`/supervisor/reports/\S+`).FindString(w.mails("kurt@muehle.example")[0].Body)
		petra.get(other).is(404)
		petra.post(other+"/sign-off", "version", "2").is(404)
		petra.get(strings.Replace(other, "/supervisor/reports/", "/reviews/", 1)).lacks("Geheim")
		petra.get("/supervisor").is(200).lacks("Geheim", "Woche 45")

		// Signed out is out.
		petra.follow("/supervisor/leave").is(200).has("Sie sind abgemeldet")
		petra.get(link).is(303)
		petra.post(link+"/sign-off", "version", "1").is(303)
	})
}

// R292: supervisors cannot change their address. Where an apprentice enters a
// new one, there goes a new access; the old one keeps what was sent to it.
func TestSupervisorsAddress_R292(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
		anna.submitTo("2026-W45", "Alt", "petra@alt.example").is(303)
		anna.submitTo("2026-W46", "Neu", "petra@neu.example").is(303)
		before, after := pinOf(w.mails("petra@alt.example")[0]), pinOf(w.mails("petra@neu.example")[0])
		if before == "" || after == "" || before == after {
			t.Fatalf("PINs %q and %q", before, after)
		}
		petra := w.stranger()
		petra.post("/supervisor", "email", "petra@neu.example", "pin", before).is(422)
		list := petra.follow("/supervisor", "email", "petra@neu.example", "pin", after).is(200).has("Woche 46", "nicht auf eine andere umstellen").lacks("Woche 45")
		if strings.Contains(main(list.body), `type="email"`) {
			t.Error("the page has a field for another address")
		}
		old := w.stranger()
		old.follow("/supervisor", "email", "petra@alt.example", "pin", before).is(200).has("Woche 45").lacks("Woche 46")
	})
}

// L10: tries end, also for the right PIN; a new PIN begins anew, makes the old
// one void and ends what it opened. 64 wrong ones at once count.
func TestSupervisorsPIN_L10(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
		anna.submitTo("2026-W46", "Teige", "petra@muehle.example").is(303)
		pin := pinOf(w.mails("petra@muehle.example")[0])
		in := func(ip, pin string) (token string, err error) {
			err = d.Write(context.Background(), func(tx *db.Tx) (err error) {
				token, err = supervisor.SignIn(tx, audit.Actor{IP: ip}, "petra@muehle.example", pin)
				return err
			})
			return token, err
		}
		token, err := in("192.0.2.1", pin)
		if err != nil {
			t.Fatal(err)
		}
		won := 0
		done := make(chan bool, 64)
		for i := range 64 {
			go func() {
				_, err := in("198.51.100."+string(rune('0'+i%10)), "AAAAAAAA")
				done <- err == nil
			}()
		}
		for range 64 {
			if <-done {
				won++
			}
		}
		if _, err := in("192.0.2.1", pin); err == nil || won > 0 {
			t.Error("the right PIN works after 64 wrong ones, or a wrong one did", won)
		}
		paused := func() (until string) {
			_ = d.Read(context.Background(), func(tx *db.Tx) (err error) {
				var n int
				n, err = db.Value[int](tx, `SELECT failures FROM supervisor WHERE paused_until > $1`, tx.Now())
				if n == 5 {
					until = "paused"
				}
				return err
			})
			return until
		}
		if paused() == "" {
			t.Error("no pause after five wrong ones, or more were counted")
		}
		d.Now = func() time.Time { return now.Add(16 * time.Minute) }
		if _, err := in("192.0.2.1", pin); err != nil {
			t.Error("after the pause:", err)
		}

		// Four wrong ones, the right one, and four again: the right one began anew.
		for range 2 {
			for range 4 {
				_, _ = in("192.0.2.2", "AAAAAAAA")
			}
			if _, err := in("192.0.2.1", pin); err != nil {
				t.Error("after four wrong ones:", err)
			}
		}

		stranger := w.stranger()
		known := stranger.follow("/supervisor/pin", "email", "petra@muehle.example").is(200)
		unknown := stranger.follow("/supervisor/pin", "email", "niemand@muehle.example").is(200)
		if plain(known, "") != plain(unknown, "") {
			t.Error("the answer tells whom we know")
		}
		if _, err := in("192.0.2.1", pin); err == nil {
			t.Error("the PIN before the new one still works")
		}
		all := w.mails("petra@muehle.example")
		if _, err := in("192.0.2.1", pinOf(all[len(all)-1])); err != nil {
			t.Error("the new PIN:", err)
		}
		if err := d.Read(context.Background(), func(tx *db.Tx) error { _, err := supervisor.Resolve(tx, token); return err }); err == nil {
			t.Error("what the PIN before opened goes on")
		}
	})
}

// R268, R292: an account takes over what went to its own address and to no other;
// an apprentice does not write to ever new people.
func TestWhoseAddress_R268_R292(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
		for i, to := range []string{"petra@beispiel.example", "kurt@muehle.example"} {
			anna.submitTo("2026-W4"+string(rune('5'+i)), "Teige", to).is(303)
		}
		petra := w.comes(claims("petra", "Petra", "Pils", "korn", "supervisor"))
		w.write(`UPDATE supervisor SET account = NULL`)
		if err := d.Write(t.Context(), func(tx *db.Tx) error { return supervisor.Upgrade(tx, audit.Job, petra.claims.Person) }); err != nil {
			t.Fatal(err)
		}
		if n := w.count(`SELECT count(*) FROM supervisor WHERE account = 'petra'`); n != 1 {
			t.Errorf("she took over %d addresses", n)
		}
		petra.get("/reviews").is(200).has("Woche 45").lacks("Woche 46")
		limited := 0
		for i := range 8 {
			if p := anna.submitTo(fmt.Sprintf("2026-W%d", 30+i), "Teige", "neu"+string(rune('a'+i))+"@muehle.example"); p.status == 429 {
				limited++
				p.has("neu" + string(rune('a'+i))) // what was typed is there
			} else if p.status != 303 {
				t.Errorf("answered %d", p.status)
			}
		}
		if limited != 5 { // two of five were written to before
			t.Errorf("%d of eight new addresses were refused", limited)
		}
	})
}

// Two apprentices write to a new address at the same moment: one access, one PIN.
func TestOneAccessPerAddress_R269(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		var people []*visit
		for _, name := range []string{"anna", "emil", "lena", "kim"} {
			p := w.comes(claims(name, name, "Muster", "korn", "apprentice"))
			edit := p.get("/reports/2026-W46")
			p.follow("/reports/2026-W46", "version", edit.version(), "do", "check", "work", "Teige")
			people = append(people, p)
		}
		done := make(chan int)
		for _, p := range people {
			go func() {
				done <- p.post("/reports/2026-W46/submit", "version", "1", "approver", "petra@muehle.example").status
			}()
		}
		for range people {
			if status := <-done; status != 303 {
				t.Error("answered", status)
			}
		}
		pins := 0
		for _, m := range w.mails("petra@muehle.example") {
			if strings.Contains(m.Body, "PIN: ") {
				pins++
			}
		}
		if pins != 1 || len(w.mails("petra@muehle.example")) != 4 {
			t.Errorf("%d PINs in %d mails", pins, len(w.mails("petra@muehle.example")))
		}
	})
}
