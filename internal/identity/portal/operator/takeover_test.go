package operator_test

import (
	"net/http"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/chamber"
)

// A chamber that has ended is handed to its successor on one page, which says
// before what goes, what stays, and what has to be settled first.
func TestTakeoverPage(t *testing.T) {
	each(t, func(w *world) {
		var old, next chamber.Chamber
		w.Write(func(tx *db.Tx) (err error) {
			if old, err = chamber.ByNumber(tx, "999"); err != nil {
				return err
			}
			next, err = chamber.Create(tx, audit.Console, chamber.Chamber{Number: "998", Name: "Kammer Neuland"})
			return err
		})
		at := "/admin/chambers/" + old.ID + "/takeover"
		w.nora.Get(at).Want(w.T, http.StatusForbidden)
		w.otto.Get(at).Want(w.T, http.StatusOK, "Kammer Musterland besteht noch")
		w.Write(func(tx *db.Tx) error {
			old.ValidFrom, old.ValidUntil, old.Successor = db.Time{}, tx.Now().Add(-time.Hour), next.ID
			return chamber.Update(tx, audit.Console, old)
		})
		w.otto.Get("/admin/chambers/"+old.ID).Want(w.T, http.StatusOK, "An die Nachfolge übergeben")
		w.Exec(`INSERT INTO organization (id, chamber, ident_number, name, legal_form, street, house_number, postcode, place, register_kind, register_number, register_court, management, company_key, name_key, state, registered_by, created_at)
			SELECT 'mill', $1, ident_number, 'Mühle', '', '', '', '', '', '', '', '', '', 'mill', '', 'active', registered_by, created_at FROM organization WHERE id = $2`, next.ID, w.organization)
		w.otto.Get(at).Want(w.T, http.StatusOK, "100017", "Mühle", "Vorher zu klären")
		w.otto.Post(at).Want(w.T, http.StatusConflict, "dieselbe Identnummer: 100017 Bäckerei Morgenrot")
		w.Exec(`UPDATE organization SET ident_number = '100018' WHERE id = 'mill'`)
		w.nora.Post(at).Want(w.T, http.StatusForbidden)
		w.otto.Get(at).Want(w.T, http.StatusOK, "Jetzt übergeben")
		w.otto.Post(at).Goes(w.T, "/admin/chambers")
		if w.Count(`SELECT count(*) FROM organization WHERE chamber = $1`, next.ID) != 2 {
			w.Error("the bakery stays behind")
		}
		w.otto.Get(at).Want(w.T, http.StatusOK, "nichts mehr zu übergeben")
	})
}
