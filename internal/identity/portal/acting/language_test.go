package acting_test

import (
	"net/http"
	"strings"
	"testing"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/application"
)

// R295: the proposal comes in the language of whoever reads it: that of the
// account behind the address, else that of whoever writes. Roles are called what
// they are called there.
func TestR295TheReadersLanguage(t *testing.T) {
	each(t, func(w *world) {
		w.names()
		language := func(name, lang string) { w.Exec(`UPDATE account SET language = $1 WHERE id = $2`, lang, w.ids[name]) }
		propose := func(email string) {
			w.Helper()
			w.people["bert"].Post("/organizations/bakery/mandates/new", w.form("to", "person", "email", email)...).Want(w, http.StatusSeeOther)
		}
		german, english := []string{"bittet Sie, das Unternehmen zu vertreten", "Umfang: Ausbildungsverwaltung (Berichtsheft)", "innerhalb von 30 Tagen"}, []string{"asks you to act for the company", "Scope: Training administration (Berichtsheft)", "within 30 days"}
		reads := func(email, subject string, says []string) {
			w.Helper()
			m := w.One(email, subject)
			for _, s := range append(says, "/representation/") {
				if !strings.Contains(m.Body, s) {
					w.Errorf("the mail to %s lacks %q:\n%s", email, s, m.Body)
				}
			}
		}
		propose("anna@example.org")
		reads("anna@example.org", "Vertretung für", german)
		language("lena", "en")
		propose("lena@example.org")
		reads("lena@example.org", "Representation of", english)
		propose("niemand@example.org") // no account: as Bert writes
		reads("niemand@example.org", "Vertretung für", german)
		language("bert", "en")
		propose("nobody@example.org")
		reads("nobody@example.org", "Representation of", english)
		propose("max@example.org")
		reads("max@example.org", "Vertretung für", german)
	})
}

// names gives the roles English names.
func (w *world) names() {
	w.Helper()
	w.Write(func(tx *db.Tx) error {
		a, err := application.ByClientID(tx, "training")
		if err != nil {
			return err
		}
		_, err = application.Put(tx, audit.Console, a, []application.Role{
			{Key: "training_admin", NameDE: "Ausbildungsverwaltung", NameEN: "Training administration"},
			{Key: "trainer", NameDE: "Ausbilder:in", NameEN: "Trainer"},
			{Key: "auditor", NameDE: "Prüfende Person", NameEN: "Examiner", ExclusiveWith: []string{"trainer"}},
		})
		return err
	})
}

// What is wrong with roles is said in the reader's language, names included.
func TestRolesInTheReadersLanguage(t *testing.T) {
	each(t, func(w *world) {
		w.names()
		form := w.form("to", "person", "email", "anna@example.org", "roles", w.app+"/trainer", "roles", w.app+"/auditor")
		w.people["bert"].Post("/organizations/bakery/mandates/new", form...).Want(w, http.StatusUnprocessableEntity, "„Prüfende Person“", "„Ausbilder:in“")
		p := w.people["bert"].Post("/organizations/bakery/mandates/new?lang=en", form...).Want(w, http.StatusUnprocessableEntity, "“Examiner”", "“Trainer”")
		if _, complaint, _ := strings.Cut(p.Text, "cannot hold the roles"); strings.Contains(strings.SplitN(complaint, "together", 2)[0], "Prüfende") {
			w.Error("a German name in an English sentence")
		}
	})
}
