package story_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"testing"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/identity/account"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/request"
	"zunft/internal/story"
)

// Every list costs the same number of statements however many rows it has, and
// a page of a signed-in person few: counted on the wire to PostgreSQL. A page
// that reads nothing of its own costs three: session, account, and one for the
// frame. most leaves room for one or two more.
func TestStatementsOfPages(t *testing.T) {
	address, executed := dbtest.Counting(t, dbtest.DSN(t, "postgres"))
	w, err := story.Start(context.WithoutCancel(t.Context()), story.Options{DB: address, People: 130})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Stop)
	bert, clara := as(t, w, "bert"), as(t, w, "clara")
	bakery := "/organizations/" + value(t, w.IdentityDB, `SELECT id FROM organization WHERE ident_number = '100017'`)
	pages := map[string]struct {
		who  *visitor
		most int64
	}{
		"/imprint": {bert, 4}, "/account": {bert, 8}, "/account/profile": {bert, 9}, "/account/emails": {bert, 9}, "/notifications": {bert, 6}, "/": {bert, 20}, "/requests": {bert, 6},
		bakery: {bert, 16}, bakery + "/members": {bert, 13}, bakery + "/requests": {bert, 12}, bakery + "/requests?section=open": {bert, 9},
		"/chamber": {clara, 18}, "/chamber/registrations": {clara, 9}, "/chamber/registrations?status=done": {clara, 9}, "/chamber/letters": {clara, 10}, "/chamber/audit": {clara, 9}, "/chamber/identities": {clara, 9},
	}
	cost := func(enough map[string]int64) (all map[string]int64, size map[string]int) {
		all, size = map[string]int64{}, map[string]int{}
		for path, page := range pages {
			for try := 0; try < 5 || try < 50 && all[path] > enough[path]; try++ { // work in the background is counted, too: the least is the page's own
				before := executed.Load()
				r, body := page.who.get(w.Identity + path)
				if n := executed.Load() - before; try == 0 || n < all[path] {
					all[path], size[path] = n, len(body)
				}
				if r.StatusCode != http.StatusOK {
					t.Fatal(path, r.StatusCode, text(body))
				}
			}
		}
		return all, size
	}
	most := map[string]int64{}
	for path, page := range pages {
		most[path] = page.most
	}
	few, short := cost(most)
	crowd(t, w)
	many, long := cost(few)
	for _, path := range []string{"/notifications", bakery + "/members", bakery + "/requests", bakery + "/requests?section=open", "/chamber/registrations", "/chamber/registrations?status=done", "/chamber/letters", "/chamber/audit"} {
		if long[path] < short[path]+1000 {
			t.Errorf("%s has no more rows than before: %d and %d bytes", path, short[path], long[path])
		}
	}
	for _, path := range slices.Sorted(maps.Keys(pages)) {
		t.Logf("%3d statements: %s", few[path], path)
		if many[path] > few[path] || few[path] < 1 || few[path] > most[path] {
			t.Errorf("%s costs %d statements, with many rows %d; at most %d", path, few[path], many[path], most[path])
		}
	}
}

// crowd fills every list with some sixty rows more.
func crowd(t *testing.T, w *story.World) {
	t.Helper()
	err := w.IdentityDB.Write(t.Context(), func(tx *db.Tx) error {
		bakery, err := db.Value[string](tx, `SELECT id FROM organization WHERE ident_number = '100017'`)
		if err != nil {
			return err
		}
		bert, err := account.ByLogin(tx, w.Person("bert").Username)
		if err != nil {
			return err
		}
		for i := range 120 {
			a, err := account.ByLogin(tx, fmt.Sprintf("person-%06d", i+1))
			if err != nil {
				return err
			}
			if i < 60 {
				err = membership.Grant(tx, audit.Console, bakery, a.ID, false)
			} else {
				_, err = request.Submit(tx, audit.Actor{Account: a.ID}, bakery, "Bitte aufnehmen.", nil)
			}
			if err != nil {
				return err
			}
			for _, copy := range []string{
				`INSERT INTO registration (id, reference, chamber, applicant, name, legal_form, street, house_number, postcode, place, ident_number, register_kind, register_number, register_court, reason,
					company_key, state, score, risk, entry, submitted_at, decided_at) SELECT $1, $1, chamber, $2, name, legal_form, street, house_number, postcode, place, $3, register_kind, register_number, register_court, reason,
					company_key || $1, CASE WHEN $4 = 0 THEN 'submitted' ELSE 'refused' END, score, risk, entry, submitted_at, submitted_at FROM registration ORDER BY id LIMIT 1`,
				`INSERT INTO organization (id, chamber, ident_number, name, legal_form, street, house_number, postcode, place, register_kind, register_number, register_court, management, company_key, name_key,
					state, registered_by, created_at) SELECT $1, chamber, $3, name, legal_form, street, house_number, postcode, place, register_kind, register_number, register_court, management, $1, name_key,
					'letter', $2, created_at FROM organization WHERE $4 >= 0 ORDER BY id LIMIT 1`,
				`INSERT INTO letter (id, chamber, organization, kind, state, created_at) SELECT $1, chamber, id, 'activation', 'queued', created_at FROM organization WHERE id = $1 AND registered_by = $2 AND ident_number = $3 AND $4 >= 0`,
				`INSERT INTO audit (id, at, actor_kind, actor, ip, agent, request, event, account, organization, chamber, thing, detail) SELECT $1, created_at, 'person', $2, '', '', '', 'letter.queued', $2, id, chamber, $3, '{}'
					FROM organization WHERE id = $1 AND $4 >= 0`,
			} {
				if _, err := tx.Exec(copy, a.ID, a.ID, fmt.Sprint(700000+i), i%2); err != nil {
					return err
				}
			}
			if _, err := tx.Exec(`INSERT INTO notice (id, account, at, phrase, args, href) SELECT $1, $2, created_at, phrase, args, href FROM notice n JOIN account a ON a.id = $2 LIMIT 1`, db.NewID(), bert.ID); err != nil {
				return err
			}
		}
		_, err = tx.Exec(`DELETE FROM job WHERE kind = 'mail'`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
