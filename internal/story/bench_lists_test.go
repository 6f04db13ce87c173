package story_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/identity/search"
	"zunft/internal/story"
)

// A land is how much there is in a database: a hundredth of a large chamber,
// and all of it.
type land struct {
	name                                      string
	accounts, organizations, queue, companies int // companies: of one person
}

var lands = []land{
	{"1%", 20_000, 1_000, 100, 20},
	{"100%", 2_000_000, 100_000, 10_000, 2_000},
}

// Every list page in a database of 100,000 organizations and 2 million accounts,
// with 10,000 open requests in one queue, beside the same page in a hundredth of
// it: median and p99 of server time and travel on the loopback. Aim: under
// 50 ms, and no more than in the small one. Yardstick: the imprint, which reads
// nothing.
func BenchmarkLists(b *testing.B) {
	for _, engine := range []string{"sqlite", "postgres"} {
		for _, l := range lands {
			b.Run(engine+"/"+l.name, func(b *testing.B) { lists(b, engine, l) })
		}
	}
}

func lists(b *testing.B, engine string, l land) {
	w := start(b, engine, story.Options{})
	bakery := populate(b, w, l)
	pages := []struct{ who, path string }{
		{"clara", "/imprint"},
		{"clara", "/chamber"},
		{"clara", "/chamber/registrations"},
		{"clara", "/chamber/registrations?sort=score"},
		{"clara", "/chamber/registrations?status=done"},
		{"clara", "/chamber/organizations"},
		{"clara", "/chamber/organizations?q=betrieb+99"},
		{"clara", "/chamber/organizations?q=status%3Aaktiv+ort%3AMusterstadt"},
		{"clara", "/chamber/persons"},
		{"clara", "/chamber/persons?q=person"},
		{"clara", "/chamber/letters"},
		{"clara", "/chamber/audit"},
		{"clara", "/chamber/statistics"},
		{"bert", "/"},
		{"bert", "/organizations/" + bakery + "/members"},
		{"bert", "/organizations/" + bakery + "/members?q=person"},
		{"bert", "/organizations/" + bakery + "/members?show=without"},
		{"bert", "/organizations/" + bakery + "/members?show=idle"},
		{"bert", "/organizations/" + bakery + "/roles-matrix"},
		{"bert", "/organizations/" + bakery + "/requests"},
		{"bert", "/organizations/" + bakery + "/requests?section=open"},
		{"bert", "/organizations/" + bakery + "/invitations"},
		{"nora", "/"},
		{"nora", "/acting"},
		{"nora", "/acting?q=betrieb+7"},
		{"otto", "/admin/apps"},
		{"otto", "/admin/chambers"},
	}
	people := map[string]*visitor{}
	for _, who := range []string{"clara", "bert", "nora", "otto"} {
		people[who] = as(b, w, who)
	}
	for i, p := range pages {
		v := people[p.who]
		for range 3 {
			if r, body := v.get(w.Identity + p.path); r.StatusCode != 200 {
				b.Errorf("%s: %d %s", p.path, r.StatusCode, text(body))
			}
		}
		var took []float64
		var bytes int
		for range 60 {
			begin := time.Now()
			_, body := v.get(w.Identity + p.path)
			took = append(took, float64(time.Since(begin).Microseconds())/1000)
			bytes = len(body)
		}
		slices.Sort(took)
		b.ReportMetric(took[len(took)/2], fmt.Sprintf("%02d-ms", i))
		fmt.Printf("  %s %-5s %-70s p50 %7.2f ms  p99 %7.2f ms  %6d bytes\n", engine, l.name, p.who+" "+strings.ReplaceAll(p.path, bakery, "ID"), took[len(took)/2], took[len(took)*99/100], bytes)
	}
	b.ReportMetric(0, "ns/op")
}

// populate fills a world and says which organization has the long queue.
func populate(b *testing.B, w *story.World, l land) (bakery string) {
	begin := time.Now()
	read := func(query string, args ...any) (v string) {
		if err := w.IdentityDB.Read(b.Context(), func(tx *db.Tx) (err error) { v, err = db.Value[string](tx, query, args...); return err }); err != nil {
			b.Fatal(query, err)
		}
		return v
	}
	bakery = read(`SELECT id FROM organization WHERE ident_number = '100017'`)
	chamber := read(`SELECT id FROM chamber WHERE number = '999'`)
	nora := read(`SELECT id FROM account WHERE username = 'nora.nagel'`)
	app := read(`SELECT id FROM application WHERE client_id = 'training'`)
	now := db.Time{Time: time.Now().Add(-48 * time.Hour)}
	account := func(i int) string { return fmt.Sprintf("00000000-0000-7000-8000-%012d", i) }
	organization := func(i int) string { return fmt.Sprintf("00000000-0000-7000-9000-%012d", i) }
	id := func(kind string, i int) string {
		return fmt.Sprintf("00000000-0000-7000-a000-%s%0*d", kind, 12-len(kind), i)
	}
	bulk(b, w, `account (id, salutation, title, given_name, family_name, name_key, username, username_key, email, email_key, password, state, created_at, confirmed_at, used_at)`, l.accounts, func(i int) []any {
		name := fmt.Sprintf("person-%d", i)
		return []any{account(i), "", "", "Person", fmt.Sprint("Nummer", i%5000), fmt.Sprintf("%012x", i*7919%l.accounts), name, name, name + "@example.net", name + "@example.net", "", "active", now, now, now}
	})
	bulk(b, w, `organization (id, chamber, ident_number, name, legal_form, street, house_number, postcode, place, register_kind, register_number, register_court, management, company_key, name_key, state, registered_by, created_at, activated_at)`, l.organizations, func(i int) []any {
		return []any{organization(i), chamber, fmt.Sprint(2_000_000 + i), fmt.Sprintf("Betrieb %d GmbH", i), "gmbh", "Hauptstraße", fmt.Sprint(i % 200), "00999", "Musterstadt", "", "", "", "Geschäftsführung", fmt.Sprint("betrieb", i), fmt.Sprintf("%012x", i*7919%l.organizations), "active", account(i), now, now}
	})
	bulk(b, w, `membership (id, organization, account, admin, since)`, 2*l.organizations, func(i int) []any {
		return []any{id("1", i), organization(i / 2), account(i), i%2 == 0, now}
	})
	bulk(b, w, `membership (id, organization, account, admin, since)`, l.companies, func(i int) []any {
		return []any{id("2", i), organization(i * 50), nora, true, now}
	})
	bulk(b, w, `role_grant (membership, application, role, granted_by, granted_at)`, l.companies, func(i int) []any {
		return []any{id("2", i), app, "trainer", nora, now}
	})
	bulk(b, w, `membership (id, organization, account, since)`, l.queue, func(i int) []any {
		return []any{id("3", i), bakery, account(2*l.queue + i), now}
	})
	bulk(b, w, `request (id, kind, organization, applicant, reason, state, submitted_at)`, l.queue, func(i int) []any {
		return []any{id("4", i), "join", bakery, account(i), "Bitte aufnehmen.", "open", now.Add(time.Duration(i) * time.Second)}
	})
	bulk(b, w, `registration (id, reference, chamber, applicant, name, legal_form, street, house_number, postcode, place, ident_number, register_kind, register_number, register_court, reason, company_key, state, score, risk, entry, submitted_at)`, l.queue, func(i int) []any {
		return []any{id("5", i), fmt.Sprint("R-", i), chamber, account(i), fmt.Sprintf("Neu %d GmbH", i), "gmbh", "Weg", "1", "00999", "Musterstadt", "", "", "", "", "Bitte", fmt.Sprint("neu", i), "submitted", i % 101, i % 101, "", now.Add(time.Duration(i) * time.Second)}
	})
	bulk(b, w, `invitation (id, organization, email, email_key, state, token_hash, invited_by, created_at, sent_at, expires_at)`, l.queue, func(i int) []any {
		mail := fmt.Sprintf("neu-%d@example.net", i)
		return []any{id("6", i), bakery, mail, mail, "sent", fmt.Sprint("t", i), "", now, now, now.Add(30 * 24 * time.Hour)}
	})
	bulk(b, w, `letter (id, chamber, organization, kind, state, created_at)`, min(l.queue, l.organizations), func(i int) []any {
		return []any{id("7", i), chamber, organization(i), "activation", "queued", now}
	})
	bulk(b, w, `audit (id, at, actor_kind, actor, ip, agent, request, event, account, organization, chamber, thing, detail)`, 50*l.queue, func(i int) []any {
		return []any{id("8", i), now, "person", account(i % 100), "127.0.0.1", "bench", "", "membership.granted", account(i % l.accounts), organization(i % l.organizations), chamber, "", "{}"}
	})
	// The words of what is there are filled in anew, as on a first start.
	if err := w.IdentityDB.Write(b.Context(), func(tx *db.Tx) error { _, err := tx.Exec(`UPDATE search_progress SET upto = CASE what WHEN 'audit' THEN (SELECT max(id) FROM audit) ELSE '' END, done = (what = 'audit')`); return err }); err != nil {
		b.Fatal(err)
	}
	fmt.Printf("  %s %s: filled in %.0f s\n", b.Name(), l.name, time.Since(begin).Seconds())
	begin = time.Now()
	if err := search.Follow(context.WithoutCancel(b.Context()), w.IdentityDB); err != nil {
		b.Fatal(err)
	}
	if err := w.IdentityDB.Write(b.Context(), func(tx *db.Tx) error { _, err := tx.Exec(`ANALYZE`); return err }); err != nil {
		b.Fatal(err)
	}
	fmt.Printf("  %s %s: words in %.0f s\n", b.Name(), l.name, time.Since(begin).Seconds())
	return bakery
}

// bulk writes rows as no rule would: they are there, and nobody is told.
func bulk(b *testing.B, w *story.World, into string, n int, row func(i int) []any) {
	b.Helper()
	at := 30 // rows of one statement: SQLite looks each parameter up by name
	if w.IdentityDB.Engine() == "postgres" {
		at = 500
	}
	const share = 10_000 // of one transaction
	for first := 0; first < n; first += share {
		err := w.IdentityDB.Write(b.Context(), func(tx *db.Tx) error {
			for from, end := first, min(first+share, n); from < end; {
				var args []any
				rows := min(at, end-from)
				for i := range rows {
					args = append(args, row(from+i)...)
				}
				if _, err := tx.Exec(`INSERT INTO `+into+` VALUES `+db.Rows(rows, len(args)/rows), args...); err != nil {
					return fmt.Errorf("%s: %w", into, err)
				}
				from += rows
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
