package home_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/i18n"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/application"
	"zunft/internal/identity/link"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/notice"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/password"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/portal/home"
	"zunft/internal/identity/request"
	"zunft/internal/identity/schema"
	"zunft/internal/identity/session"
	"zunft/internal/identity/visitor"
)

// R129: the dashboard of an admin costs the same number of statements with 500
// members, 1,000 open requests and 3,000 accounts as with 3 of each. The
// statements are counted on the wire to PostgreSQL.
func TestDashboardCost(t *testing.T) {
	address, executed := dbtest.Counting(t, dbtest.Migrated(t, "postgres", schema.Files))
	d, err := db.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	w := newWorld(t, d)
	w.company("small", 3, 3)
	w.company("large", 500, 1000)
	cost := map[string]int64{}
	for _, size := range []string{"small", "large"} {
		w.get(size) // once, so that the driver knows the statements
		before, begin := executed.Load(), time.Now()
		body := w.get(size)
		cost[size] = executed.Load() - before
		t.Logf("%s: %d statements, %s, %d kB", size, cost[size], time.Since(begin).Round(100*time.Microsecond), len(body)/1024)
		if want := fmt.Sprintf("Offene Anfragen (%s)", map[string]string{"small": "3", "large": "1.000"}[size]); !strings.Contains(body, want) {
			t.Errorf("%s: the page lacks %q", size, want)
		}
		if n := strings.Count(body, "Mir zuweisen"); n > 5 {
			t.Errorf("%s: %d requests listed", size, n)
		}
	}
	if cost["small"] != cost["large"] || cost["small"] == 0 || cost["small"] > 24 {
		t.Errorf("statements: %v", cost)
	}
}

func BenchmarkDashboard(b *testing.B) {
	dbtest.EachB(b, schema.Files, func(b *testing.B, d *db.DB) {
		w := newWorld(b, d)
		w.company("small", 3, 3)
		w.company("large", 500, 1000)
		for _, size := range []string{"small", "large"} {
			b.Run(size, func(b *testing.B) {
				for b.Loop() {
					w.get(size)
				}
			})
		}
	})
}

type world struct {
	testing.TB
	d       *db.DB
	handler http.Handler
	cookies map[string]string
}

func newWorld(t testing.TB, d *db.DB) *world {
	catalog, err := i18n.Load(web.Phrases, notice.Phrases, account.Phrases, link.Phrases, password.Phrases, policy.Phrases, application.Phrases, membership.Phrases, request.Phrases, organization.Phrases, home.Phrases)
	if err != nil {
		t.Fatal(err)
	}
	site := &web.Site{Name: "Kammerkonto", Owner: "Kammer Musterland", Base: "http://portal.example", Cookies: "t", Catalog: catalog}
	site.Who = (&visitor.Door{DB: d, Site: site}).Who
	m := web.NewMux(site)
	(&home.Pages{DB: d, Site: site}).Mount(m)
	w := &world{TB: t, d: d, handler: m.Handler(), cookies: map[string]string{}}
	w.write(policy.EnsureDefault)
	w.write(func(tx *db.Tx) error {
		_, err := tx.Exec(`INSERT INTO chamber (id, number, name, short_name, created_at) VALUES ('c', '999', 'Kammer Musterland', 'Musterland', $1)`, tx.Now())
		return err
	})
	return w
}

func (w *world) write(f func(*db.Tx) error) {
	w.Helper()
	if err := w.d.Write(w.Context(), f); err != nil {
		w.Fatal(err)
	}
}

// company makes a company with an admin who is signed in, members, and people who would like to join.
func (w *world) company(id string, members, requests int) {
	w.Helper()
	w.write(func(tx *db.Tx) error {
		admin, err := account.Create(tx, audit.Console, account.New{GivenName: "Bert", FamilyName: "Beispiel", Email: id + "@example.org", Password: "x", Confirmed: true})
		if err != nil {
			return err
		}
		if _, err = tx.Exec(`INSERT INTO organization (id, chamber, ident_number, name, legal_form, street, house_number, postcode, place, register_kind, register_number, register_court,
			management, company_key, name_key, state, registered_by, created_at) VALUES ($1, 'c', $1, $1, '', 'Hauptstraße', '1', '99999', 'Musterstadt', '', '', '', '', $1, $1, 'active', $2, $3)`,
			id, admin.ID, tx.Now()); err != nil {
			return err
		}
		if err = membership.Grant(tx, audit.Console, id, admin.ID, true); err != nil {
			return err
		}
		for i := range members + requests {
			who := fmt.Sprintf("%s-%d", id, i)
			if _, err = tx.Exec(`INSERT INTO account (id, salutation, title, given_name, family_name, name_key, username, username_key, email, email_key, password, state, created_at)
				VALUES ($1, '', '', 'Person', $1, $1, $1, $1, $1, $1, '', 'active', $2)`, who, tx.Now()); err != nil {
				return err
			}
			if i < members-1 {
				_, err = tx.Exec(`INSERT INTO membership (id, organization, account, since) VALUES ($1, $2, $1, $3)`, who, id, tx.Now())
			} else if i >= members {
				_, err = tx.Exec(`INSERT INTO request (id, kind, organization, applicant, reason, state, submitted_at) VALUES ($1, 'join', $2, $1, 'x', 'open', $3)`, who, id, tx.Now())
			}
			if err != nil {
				return err
			}
		}
		w.cookies[id], _, err = session.Start(tx, audit.Console, admin.ID, "pwd")
		return err
	})
}

func (w *world) get(who string) string {
	w.Helper()
	r := httptest.NewRequestWithContext(w.Context(), http.MethodGet, "http://portal.example/", nil)
	r.AddCookie(&http.Cookie{Name: "t_session", Value: w.cookies[who]})
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	if rec.Code != http.StatusOK {
		w.Fatal(rec.Code, rec.Body)
	}
	return rec.Body.String()
}
