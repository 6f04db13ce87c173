package joining_test

import (
	"net/url"
	"strings"
	"testing"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/request"
	"zunft/internal/identity/schema"
)

// A decision takes one transaction (issue C): the change, its record, the roles,
// the bell and the mails are there together or not at all. Transactions that may
// write are counted on the wire to PostgreSQL.
func TestADecisionIsOneTransaction(t *testing.T) {
	address, begun := dbtest.CountingWrites(t, dbtest.Migrated(t, "postgres", schema.Files))
	d, err := db.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	w := newWorld(t, d)
	// ask lets somebody new ask to join, or a member for a role, and Bert take it on.
	ask := func(given string, role bool) (id string) {
		name := strings.ToLower(given)
		w.write(func(tx *db.Tx) error {
			if err := w.person(tx, given); err != nil {
				return err
			}
			by, roles := audit.Actor{Account: w.ids[name]}, []membership.Role{{Application: w.app.ID, Key: "apprentice"}}
			if role {
				if err := membership.Grant(tx, audit.Console, w.bakery, w.ids[name], false); err != nil {
					return err
				}
				r, err := request.SubmitRole(tx, by, w.bakery, "Bitte", roles)
				id = r.ID
				return err
			}
			r, err := request.Submit(tx, by, w.bakery, "Bitte", roles)
			id = r.ID
			return err
		})
		w.post("bert", "/requests/"+id+"/claim", nil)
		return id
	}
	names := []string{"Eva", "Finn", "Gina", "Hugo"}
	for _, role := range []bool{false, true} {
		for what, form := range map[string]url.Values{"approve": {"roles": {w.app.ID + " apprentice"}}, "deny": {"answer": {"Wir kennen Sie nicht."}}} {
			name := strings.ToLower(names[0])
			id := ask(names[0], role)
			names = names[1:]
			before := begun.Load()
			w.post("bert", "/requests/"+id+"/"+what, form)
			if writes := begun.Load() - before; writes != 1 {
				t.Errorf("%s (a role: %t) takes %d transactions", what, role, writes)
			}
			state := map[string]string{"approve": "approved", "deny": "denied"}[what]
			for thing, query := range map[string]string{
				"request": `SELECT count(*) FROM request WHERE id = $1 AND state = '` + state + `'`,
				"record":  `SELECT count(*) FROM audit WHERE thing = $1 AND event LIKE '%.` + state + `'`,
			} {
				if w.count(query, id) != 1 {
					t.Errorf("%s: no %s", what, thing)
				}
			}
			if w.count(`SELECT count(*) FROM notice WHERE account = $1`, w.ids[name]) == 0 || w.count(`SELECT count(*) FROM job WHERE kind = 'mail'`) == 0 {
				t.Errorf("%s: nobody is told", what)
			}
		}
	}
	// One that fails leaves nothing behind.
	id := ask("Ida", false)
	rows := func() int {
		return w.count(`SELECT count(*) FROM audit`) + w.count(`SELECT count(*) FROM notice`) + w.count(`SELECT count(*) FROM job`) + w.count(`SELECT count(*) FROM role_grant`)
	}
	before := rows()
	w.do("bert", "POST", "/requests/"+id+"/approve", url.Values{"roles": {w.app.ID + " nothing"}}, 422)
	w.do("bert", "POST", "/requests/"+id+"/deny", url.Values{}, 422)
	if after := rows(); after != before {
		t.Errorf("a decision that was refused left %d rows", after-before)
	}
}
