package acting_test

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/mandate"
	"zunft/internal/identity/membership"
)

// R295, R296, R301, R302 (W13): the bakery lets Anna act. She accepts with her
// own account, nobody types another's password; she chooses for whom she acts;
// either side ends it at once.
func TestR295APersonActs(t *testing.T) {
	each(t, func(w *world) {
		anna, bert := w.people["anna"], w.people["bert"]
		bert.Get("/organizations/bakery/mandates").Want(w, http.StatusOK, "Person als Vertretung einsetzen", "Zurzeit gibt es keine Vertretung")
		bert.Get("/organizations/bakery/mandates/new").Want(w, http.StatusOK, "E-Mail-Adresse der Person", "Ausbildungsverwaltung (Berichtsheft)")
		// What is wrong stands at its field, and nothing is lost.
		bert.Post("/organizations/bakery/mandates/new", "to", "person", "email", "anna", "note", "Für die Prüfungsanmeldung").
			Want(w, http.StatusUnprocessableEntity, "mit @", "Wählen Sie mindestens eine Rolle aus", "ab wann", "bis wann", "Für die Prüfungsanmeldung")
		bert.Post("/organizations/bakery/mandates/new", w.form("to", "person", "email", "anna@example.org", "note", "Mehr auf www-boese.de")...).Want(w, http.StatusUnprocessableEntity, "ohne Internetadressen")
		page := bert.Post("/organizations/bakery/mandates/new", w.form("to", "person", "email", "anna@example.org", "note", "Für die Prüfungsanmeldung")...).Want(w, http.StatusSeeOther)
		id := ids.FindStringSubmatch(page.To)[1]
		bert.Get(page.To).Want(w, http.StatusOK, "anna@example.org", "Wartet auf Antwort", "sobald die andere Seite zugestimmt hat")
		m := w.One("anna@example.org", "Vertretung für Bäckerei Brotmann GmbH [V-")
		link := links.FindString(m.Body)
		if !strings.Contains(m.Body, "Für die Prüfungsanmeldung") || link == "" {
			w.Fatal(m.Body)
		}
		// A stranger reads what it is about; another account does not get it.
		w.Person("192.0.2.9").Get(link).Want(w, http.StatusOK, "Bäckerei Brotmann GmbH", "Konto erstellen", "anna@example.org")
		w.people["lena"].Get(link).Want(w, http.StatusOK, "Diese Anfrage gilt für anna@example.org. Sie sind als lena@example.org angemeldet.")
		w.people["lena"].Get("/mandates/"+id).Want(w, http.StatusNotFound)
		w.people["lena"].Post("/mandates/"+id, "do", "accept").Want(w, http.StatusNotFound)
		bert.Post("/mandates/"+id, "do", "accept").Want(w, http.StatusForbidden)
		if w.rolesBy("anna", id) != "" {
			t.Error("holds before it is accepted")
		}
		anna.Get("/account/mandates").Want(w, http.StatusOK, "Vertretung für Bäckerei Brotmann GmbH", "Ihre Antwort fehlt")
		anna.Get(link).Goes(w, "/mandates/"+id)
		anna.Get("/mandates/"+id).Want(w, http.StatusOK, "bittet Sie", "Annehmen")
		anna.Post("/mandates/"+id, "do", "accept").Goes(w, "/mandates/"+id)
		anna.Post("/mandates/"+id, "do", "accept").Want(w, http.StatusConflict, "gilt bereits")
		w.Person("192.0.2.9").Get(link).Want(w, http.StatusGone, "nicht mehr offen")
		if got := w.rolesBy("anna", id); got != "training_admin " {
			t.Errorf("holds %q", got)
		}
		held := w.One("bert@example.org", "Vertretung gilt")
		if !strings.Contains(held.Body, "Anna Beispiel kann jetzt für Bäckerei Brotmann GmbH handeln") || strings.Contains(held.Body, "report-activity") {
			t.Error(held.Body)
		}
		if own := w.One("anna@example.org", "Vertretung gilt"); !strings.Contains(own.Body, "/report-activity/") {
			t.Error(own.Body)
		}
		// R301, R302: she chooses, and can go back.
		anna.Get("/acting").Want(w, http.StatusOK, "Bäckerei Brotmann GmbH", "Vertretung bis")
		anna.Post("/acting", "context", "bakery."+id).Goes(w, "/")
		if w.Count(`SELECT count(*) FROM session WHERE account = $1 AND organization = 'bakery' AND mandate = $2`, w.ids["anna"], id) != 1 {
			t.Error("not chosen")
		}
		anna.Post("/acting", "context", "bakery").Want(w, http.StatusConflict, "nicht mehr handeln") // is no member
		anna.Post("/acting", "context", "office."+id).Want(w, http.StatusConflict)
		anna.Get("/mandates/"+id+"/form.pdf").Want(w, http.StatusOK)
		if got := anna.Get("/mandates/" + id + "/form.pdf").Header.Get("Content-Type"); got != "application/pdf" {
			t.Error(got)
		}
		// Either side ends it, at once.
		w.people["zoe"].Post("/mandates/"+id+"/revoke").Want(w, http.StatusNotFound)
		bert.Get("/mandates/"+id+"/revoke").Want(w, http.StatusOK, "Die Vertretung endet sofort")
		bert.Post("/mandates/"+id+"/revoke").Goes(w, "/mandates/"+id)
		if got := w.rolesBy("anna", id); got != "" {
			t.Errorf("holds %q after its end", got)
		}
		w.One("anna@example.org", "Vertretung beendet")
		anna.Get("/account/mandates?show=past").Want(w, http.StatusOK, "Beendet")
		bert.Post("/mandates/"+id+"/revoke").Want(w, http.StatusConflict, "bereits beendet")
		for _, event := range []string{"mandate.proposed bakery", "mandate.accepted bakery", "mandate.revoked bakery"} {
			if !strings.Contains(w.events(id), event) {
				t.Errorf("%s is not in the record: %s", event, w.events(id))
			}
		}
	})
}

// R296, R297: another company acts through those of its people whom it names;
// who leaves it acts no more. Its name is hidden until it agrees.
func TestR297ACompanyActs(t *testing.T) {
	each(t, func(w *world) {
		bert, zoe := w.people["bert"], w.people["zoe"]
		for pairs, says := range map[[2]string]string{{"", "999"}: "Geben Sie die Identnummer", {"4711", "999"}: "kein Unternehmen mit der Identnummer 4711", {"200001", "998"}: "keine Kammer mit der Nummer 998", {"100063", "999"}: "Nennen Sie ein anderes"} {
			bert.Post("/organizations/bakery/mandates/new", w.form("to", "company", "ident_number", pairs[0], "chamber_number", pairs[1])...).Want(w, http.StatusUnprocessableEntity, says)
		}
		page := bert.Post("/organizations/bakery/mandates/new", w.form("to", "company", "ident_number", "200001", "chamber_number", "999")...).Want(w, http.StatusSeeOther)
		id := ids.FindStringSubmatch(page.To)[1]
		if got := bert.Get(page.To).Want(w, http.StatusOK, "Identnummer 200001, Kammer 999"); strings.Contains(got.Text, "Zahl") {
			t.Error("the other company's name is told before it agrees")
		}
		w.people["max"].Get("/mandates/"+id).Want(w, http.StatusNotFound) // a member is no admin
		w.people["max"].Post("/mandates/"+id, "do", "accept").Want(w, http.StatusNotFound)
		zoe.Get("/organizations/office/mandates").Want(w, http.StatusOK, "Vertretung für Bäckerei Brotmann GmbH", "Ihre Antwort fehlt")
		zoe.Post("/mandates/"+id, "do", "accept").Goes(w, "/mandates/"+id+"/people")
		bert.Get(page.To).Want(w, http.StatusOK, "Steuerkanzlei Zahl", "noch niemand benannt")
		if w.rolesBy("zoe", id) != "" {
			t.Error("an admin acts without being named")
		}
		zoe.Get("/mandates/"+id+"/people").Want(w, http.StatusOK, "Max Beispiel", "Benennen")
		zoe.Post("/mandates/"+id+"/people", "add", w.ids["lena"]).Want(w, http.StatusNotFound) // not one of theirs
		bert.Post("/mandates/"+id+"/people", "add", w.ids["lena"]).Want(w, http.StatusNotFound)
		zoe.Post("/mandates/"+id+"/people", "add", w.ids["max"]).Want(w, http.StatusSeeOther)
		if got := w.rolesBy("max", id); got != "training_admin " {
			t.Errorf("named: %q", got)
		}
		w.people["max"].Get("/acting").Want(w, http.StatusOK, "Steuerkanzlei Zahl", "als Steuerkanzlei Zahl")
		bert.Get(page.To).Want(w, http.StatusOK, "Max Beispiel") // the principal sees who acts
		if !strings.Contains(w.events(id), `mandate.person_named bakery {"representative":"office"}`) {
			t.Error(w.events(id))
		}
		zoe.Post("/mandates/"+id+"/people", "remove", w.ids["max"]).Want(w, http.StatusSeeOther)
		if w.rolesBy("max", id) != "" {
			t.Error("acts though removed")
		}
		zoe.Post("/mandates/"+id+"/people", "add", w.ids["max"]).Want(w, http.StatusSeeOther)
		w.Write(func(tx *db.Tx) error { return membership.Leave(tx, w.as("max"), "office") })
		if w.rolesBy("max", id) != "" {
			t.Error("acts though gone from the representing company")
		}
		w.Write(func(tx *db.Tx) error { return mandate.EndOf(tx, audit.Job, "office") })
		if w.state(id) != mandate.Revoked {
			t.Error("survives the company")
		}
	})
}

// R295: who wants to represent offers it; giving the power is the principal's,
// after a proof. Until then the company stays a number.
func TestOfferToAct(t *testing.T) {
	each(t, func(w *world) {
		anna, bert := w.people["anna"], w.people["bert"]
		page := anna.Post("/account/mandates/new", w.form("ident_number", "100063", "chamber_number", "999")...).Want(w, http.StatusSeeOther)
		id := ids.FindStringSubmatch(page.To)[1]
		if got := anna.Get(page.To).Want(w, http.StatusOK, "Identnummer 100063, Kammer 999"); strings.Contains(got.Text, "Brotmann") {
			t.Error("the company is named to a stranger")
		}
		anna.Post("/mandates/"+id, "do", "accept").Want(w, http.StatusForbidden)
		bert.Get("/mandates/"+id).Want(w, http.StatusOK, "Anna Beispiel möchte für Ihr Unternehmen handeln", "Zustimmen")
		w.Write(func(tx *db.Tx) error { return w.signIn(tx, "bert", "pwd") })
		w.people["bert"].Post("/mandates/"+id, "do", "accept").Want(w, http.StatusSeeOther)
		if w.state(id) != mandate.Proposed {
			t.Error("power given without a proof")
		}
		bert.Post("/mandates/"+id, "do", "decline").Goes(w, "/organizations/bakery/mandates")
		w.One("anna@example.org", "Vertretung abgelehnt")
		anna.Get(page.To).Want(w, http.StatusOK, "Abgelehnt")
		// A company offers as well; a plain member speaks for nobody.
		w.people["zoe"].Post("/organizations/office/mandates/new", w.form("to", "offer", "ident_number", "100063", "chamber_number", "999")...).Want(w, http.StatusSeeOther)
		w.people["max"].Get("/organizations/office/mandates").Want(w, http.StatusForbidden)
		w.people["max"].Post("/organizations/office/mandates/new", w.form("to", "offer", "ident_number", "100063", "chamber_number", "999")...).Want(w, http.StatusForbidden)
		w.people["lena"].Post("/organizations/office/mandates/new", w.form("to", "offer", "ident_number", "100063", "chamber_number", "999")...).Want(w, http.StatusNotFound)
		// Numbers are not to be tried out.
		limited := 0
		for range 20 {
			if anna.Post("/account/mandates/new", w.form("ident_number", "4711", "chamber_number", "999")...).Status == http.StatusTooManyRequests {
				limited++
			}
		}
		if limited == 0 {
			t.Error("every number can be tried")
		}
	})
}

// R298, R299: where the chamber wants to, a mandate holds only once a clerk who
// has no part in it has approved it.
func TestR298TheChamberApproves(t *testing.T) {
	each(t, func(w *world) {
		w.settings(func(s *chamber.Settings) { s.MandateApproval = true })
		clara := w.people["clara"]
		clara.Get("/chamber/mandates").Want(w, http.StatusOK, "Keine Vertretung wartet")
		w.people["bert"].Get("/chamber/mandates").Want(w, http.StatusForbidden)
		m := w.propose("bert", "anna@example.org")
		clara.Get("/chamber/mandates/"+m.ID).Want(w, http.StatusNotFound) // not the chamber's yet
		w.Inbox()
		w.people["anna"].Post("/mandates/"+m.ID, "do", "accept").Goes(w, "/mandates/"+m.ID)
		if w.state(m.ID) != mandate.Accepted || w.rolesBy("anna", m.ID) != "" {
			t.Error("holds before the chamber has approved it")
		}
		if got := w.One("anna@example.org", "Vertretung angenommen"); !strings.Contains(got.Body, "jetzt prüft die Kammer") {
			t.Error(got.Body)
		}
		clara.Get("/chamber/mandates").Want(w, http.StatusOK, "Bäckerei Brotmann GmbH", "Anna Beispiel", m.Reference)
		w.people["bert"].Post("/chamber/mandates/"+m.ID, "do", "approve").Want(w, http.StatusNotFound)
		clara.Post("/chamber/mandates/"+m.ID, "do", "refuse").Want(w, http.StatusUnprocessableEntity, "Geben Sie den Grund an")
		clara.Post("/chamber/mandates/"+m.ID, "do", "approve").Goes(w, "/chamber/mandates")
		if w.rolesBy("anna", m.ID) == "" {
			t.Error("approved, and does not hold")
		}
		clara.Post("/chamber/mandates/"+m.ID, "do", "refuse", "answer", "zu spät").Want(w, http.StatusConflict, "gilt bereits")
		clara.Get("/chamber/mandates?show=decided").Want(w, http.StatusOK, m.Reference, "Clara Beispiel")
		second := w.propose("bert", "max@example.org")
		w.Write(func(tx *db.Tx) error { _, err := mandate.Accept(tx, w.as("max"), second.ID); return err })
		w.Inbox()
		clara.Post("/chamber/mandates/"+second.ID, "do", "refuse", "answer", "Die Vollmacht fehlt.").Goes(w, "/chamber/mandates")
		for _, to := range []string{"bert@example.org", "max@example.org"} {
			if got := w.One(to, "Vertretung abgelehnt"); !strings.Contains(got.Body, "Die Vollmacht fehlt.") {
				t.Error(got.Body)
			}
		}
		// Nobody approves their own.
		own := w.propose("bert", "clara@example.org")
		w.Write(func(tx *db.Tx) error { _, err := mandate.Accept(tx, w.as("clara"), own.ID); return err })
		clara.Post("/chamber/mandates/"+own.ID, "do", "approve").Want(w, http.StatusForbidden)
	})
}

// Of answers that come at once exactly one counts, whoever is quicker; roles
// hold only if it was the yes.
func TestOneAnswer(t *testing.T) {
	each(t, func(w *world) {
		for range 5 {
			m := w.propose("bert", "anna@example.org")
			steps := []func(tx *db.Tx) error{
				func(tx *db.Tx) error { _, err := mandate.Accept(tx, w.as("anna"), m.ID); return err },
				func(tx *db.Tx) error { _, err := mandate.Accept(tx, w.as("anna"), m.ID); return err },
				func(tx *db.Tx) error { return mandate.Decline(tx, w.as("anna"), m.ID) },
			}
			var group sync.WaitGroup
			var mu sync.Mutex
			won := 0
			for _, step := range steps {
				group.Go(func() {
					err := w.D.Write(t.Context(), step)
					mu.Lock()
					defer mu.Unlock()
					switch {
					case err == nil:
						won++
					case !fault.Is(err, fault.KindConflict):
						t.Error(err)
					}
				})
			}
			group.Wait()
			if won != 1 || (w.rolesBy("anna", m.ID) != "") != (w.state(m.ID) == mandate.Active) {
				t.Fatal(won, w.state(m.ID))
			}
			// Both sides end it at once: it ends once.
			if w.state(m.ID) != mandate.Active {
				continue
			}
			won = 0
			for _, who := range []string{"anna", "bert", "bert"} {
				group.Go(func() {
					err := w.D.Write(t.Context(), func(tx *db.Tx) error { return mandate.Revoke(tx, w.as(who), m.ID) })
					mu.Lock()
					defer mu.Unlock()
					if err == nil {
						won++
					} else if !fault.Is(err, fault.KindConflict) {
						t.Error(err)
					}
				})
			}
			group.Wait()
			if won != 1 {
				t.Error("ended", won, "times")
			}
			w.Inbox()
		}
	})
}

// A mandate holds from its first day until its last, is announced two weeks
// before, and ends by itself; a proposal that nobody answers goes after 30 days.
func TestTime(t *testing.T) {
	each(t, func(w *world) {
		now := w.D.Now()
		wish := w.wish()
		wish.Email, wish.First, wish.Last = "anna@example.org", db.At(now.AddDate(0, 0, 2)), db.At(now.AddDate(0, 0, 29))
		var m mandate.Mandate
		w.Write(func(tx *db.Tx) (err error) {
			if m, err = mandate.Propose(tx, w.as("bert"), mandate.ForPrincipal, "bakery", wish); err != nil {
				return err
			}
			_, err = mandate.Accept(tx, w.as("anna"), m.ID)
			return err
		})
		idle := w.propose("bert", "max@example.org")
		w.Inbox()
		due := func() {
			w.Helper()
			if err := mandate.Due(t.Context(), w.D); err != nil {
				t.Fatal(err)
			}
		}
		if due(); w.rolesBy("anna", m.ID) != "" {
			t.Error("holds before its first day")
		}
		w.Pass(40 * time.Hour)
		if w.rolesBy("anna", m.ID) == "" {
			t.Error("does not hold on its first day")
		}
		w.Pass(14 * 24 * time.Hour)
		due()
		due()
		w.One("anna@example.org", "Vertretung endet am 01.12.2026")
		w.One("bert@example.org", "Vertretung endet am 01.12.2026")
		w.Pass(time.Duration(14)*24*time.Hour - 2*time.Hour)
		if w.rolesBy("anna", m.ID) == "" || w.state(idle.ID) != mandate.Proposed {
			t.Error("ended before its last day is over", w.state(idle.ID))
		}
		w.Pass(24 * time.Hour)
		if w.rolesBy("anna", m.ID) != "" || w.state(m.ID) != mandate.Active {
			t.Error("holds after its last day, until a job comes by")
		}
		if due(); w.state(m.ID) != mandate.Ended || w.state(idle.ID) != mandate.Ended {
			t.Error("not ended", w.state(m.ID), w.state(idle.ID))
		}
		w.One("anna@example.org", "Vertretung abgelaufen")
		for days, field := range map[int]string{-1: "first", 800: "last"} {
			bad := w.wish()
			bad.Email = "anna@example.org"
			if days < 0 {
				bad.First = db.At(w.D.Now().AddDate(0, 0, days))
			} else {
				bad.Last = db.At(w.D.Now().AddDate(0, 0, days))
			}
			got := w.D.Write(t.Context(), func(tx *db.Tx) error {
				_, err := mandate.Propose(tx, w.as("bert"), mandate.ForPrincipal, "bakery", bad)
				return err
			})
			f, ok := errors.AsType[*fault.Fault](got)
			if !ok || f.Problems[0].Field != field {
				t.Error(days, got)
			}
		}
	})
}

// Roles that one person cannot hold together are not given together; an account
// or a company that goes takes its mandates with it; a locked principal opens
// nothing.
func TestWhatHoldsIsAskedEachTime(t *testing.T) {
	each(t, func(w *world) {
		bad := w.wish()
		bad.Email = "anna@example.org"
		bad.Roles = []membership.Role{{Application: w.app, Key: "trainer"}, {Application: w.app, Key: "auditor"}}
		err := w.D.Write(t.Context(), func(tx *db.Tx) error {
			_, err := mandate.Propose(tx, w.as("bert"), mandate.ForPrincipal, "bakery", bad)
			return err
		})
		if f := fault.Of(err); f == nil || f.Problems[0].Key != "mandate.roles_exclude" {
			t.Error(err)
		}
		// Power does not outlive its giver.
		given := w.propose("bert", "max@example.org")
		w.Write(func(tx *db.Tx) error {
			if err := membership.Grant(tx, audit.Console, "bakery", w.ids["lena"], true); err != nil {
				return err
			}
			return membership.Leave(tx, w.as("bert"), "bakery")
		})
		w.people["max"].Post("/mandates/"+given.ID, "do", "accept").Want(w, http.StatusConflict, "verwaltet das Unternehmen nicht mehr")
		w.Write(func(tx *db.Tx) error { return membership.Grant(tx, audit.Console, "bakery", w.ids["bert"], true) })
		m := w.held("anna")
		w.Exec(`UPDATE organization SET state = 'locked' WHERE id = 'bakery'`)
		if w.rolesBy("anna", m.ID) != "" {
			t.Error("a locked company opens")
		}
		w.Exec(`UPDATE organization SET state = 'active' WHERE id = 'bakery'`)
		w.Write(func(tx *db.Tx) error { return mandate.EndAll(tx, audit.Job, w.ids["anna"]) })
		if w.state(m.ID) != mandate.Revoked {
			t.Error("survives its person")
		}
	})
}
