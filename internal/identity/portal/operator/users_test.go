package operator_test

import (
	"net/http"
	"testing"
)

// Nobody runs the portal whose account is locked: who opens it again would be
// an operator by that.
func TestNoLockedOperator(t *testing.T) {
	each(t, func(w *world) {
		w.Exec(`UPDATE account SET state = 'locked', lock_reason = 'chamber' WHERE id = $1`, w.ids["lena"])
		w.otto.Post("/admin/users", "do", "add", "login", "lena").Want(w.T, http.StatusUnprocessableEntity)
		if w.Count(`SELECT count(*) FROM staff WHERE account = $1`, w.ids["lena"]) != 0 {
			w.Error("a locked account runs the portal")
		}
		w.Exec(`UPDATE account SET state = 'active', lock_reason = '' WHERE id = $1`, w.ids["lena"])
		w.otto.Post("/admin/users", "do", "add", "login", "lena").Goes(w.T, "/admin/users")
	})
}
