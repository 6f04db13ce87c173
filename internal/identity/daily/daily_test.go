package daily_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/daily"
	"zunft/internal/identity/portal/portaltest"
	"zunft/internal/identity/schema"
)

// ux.md 2.5: on working days between seven and eleven each clerk hears once what
// waits, however many nodes there are; not where nothing waits or nobody wants it.
func TestDailySummary(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := portaltest.New(t, d)
		var c chamber.Chamber
		w.Write(func(tx *db.Tx) (err error) {
			if c, err = chamber.Create(tx, audit.Console, chamber.Chamber{Number: "999", Name: "Kammer Musterland"}); err != nil {
				return err
			}
			a, err := account.Create(tx, audit.Console, account.New{GivenName: "Clara", FamilyName: "Clausen", Username: "clara", Email: "clara@example.org", Language: "de", Password: "$argon2id$none", Confirmed: true})
			if err != nil {
				return err
			}
			return chamber.AddStaff(tx, audit.Console, a.ID, c.ID, chamber.Clerk)
		})
		send := func() []string {
			t.Helper()
			var wg sync.WaitGroup
			for range 4 { // nodes
				wg.Go(func() {
					if err := daily.Send(t.Context(), d); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			var got []string
			for _, m := range w.Inbox() {
				got = append(got, m.Subject+"\n"+m.Body)
			}
			return got
		}
		// Monday, 2 November 2026, 9:00 in Berlin.
		if got := send(); len(got) != 0 {
			t.Fatal("a mail though nothing waits:", got)
		}
		w.Pass(24 * time.Hour)
		w.Exec(`INSERT INTO letter_batch (id, reference, chamber, printed_by, printed_at, letters) VALUES ('b', 'B-1', $1, '', $2, 1)`, c.ID, db.At(d.Now().Add(-50*time.Hour)))
		w.Exec(`INSERT INTO letter (id, chamber, recovery, kind, state, created_at) VALUES ('l', $1, 'r', 'recovery', 'queued', $2)`, c.ID, db.At(d.Now()))
		got := send()
		if len(got) != 1 || !strings.HasPrefix(got[0], "Tagesüberblick: 0 Registrierungen, 1 Brief\n") || !strings.Contains(got[0], "- Druckstapel noch nicht versandt: 1, der älteste Fall seit 2 Tagen\n") || strings.Contains(got[0], "Standorte") {
			t.Fatal(got)
		}
		w.Pass(time.Hour)
		if got := send(); len(got) != 0 {
			t.Error("twice a day", got)
		}
		w.Pass(23*time.Hour + 3*time.Hour) // Wednesday, noon
		if got := send(); len(got) != 0 {
			t.Error("at noon", got)
		}
		w.Pass(21 * time.Hour) // Thursday, 9:00
		if got := send(); len(got) != 1 {
			t.Error("not on Thursday", got)
		}
		w.Pass(48 * time.Hour) // Saturday
		if got := send(); len(got) != 0 {
			t.Error("on Saturday", got)
		}
		w.Pass(48 * time.Hour)
		w.Write(func(tx *db.Tx) error {
			s := chamber.DefaultSettings()
			s.DailySummary = false
			return chamber.SaveSettings(tx, audit.Console, c.ID, s)
		})
		if got := send(); len(got) != 0 {
			t.Error("though the chamber does not want it", got)
		}
	})
}
