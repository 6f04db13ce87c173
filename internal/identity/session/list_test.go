package session

import (
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/identity/account"
	"zunft/internal/identity/schema"
)

// Sessions that run, the last used first: no ended, rested or pending ones.
func TestList(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		now := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
		d.Now = func() time.Time { return now }
		var by audit.Actor
		write := func(f func(tx *db.Tx) error) {
			t.Helper()
			if err := d.Write(t.Context(), f); err != nil {
				t.Fatal(err)
			}
		}
		write(func(tx *db.Tx) error {
			a, err := account.Create(tx, audit.Console, account.New{GivenName: "Anna", FamilyName: "Amsel", Email: "anna@example.org", Password: "x", Confirmed: true})
			by = audit.Actor{Account: a.ID}
			return err
		})
		var rested, first, second Session
		write(func(tx *db.Tx) (err error) { _, rested, err = Start(tx, by, by.Account, "pwd"); return err })
		now = now.Add(Idle)
		write(func(tx *db.Tx) (err error) { _, first, err = Start(tx, by, by.Account, "pwd"); return err })
		now = now.Add(time.Minute)
		write(func(tx *db.Tx) (err error) {
			if _, second, err = Start(tx, by, by.Account, "pwd"); err != nil {
				return err
			}
			_, _, err = StartPending(tx, by, by.Account, "pwd", "/")
			return err
		})
		list := func() (ids []string) {
			write(func(tx *db.Tx) error {
				all, err := List(tx, by.Account)
				for _, s := range all {
					ids = append(ids, s.ID)
				}
				return err
			})
			return ids
		}
		if got := list(); len(got) != 2 || got[0] != second.ID || got[1] != first.ID {
			t.Errorf("%v, want %s %s, not %s", got, second.ID, first.ID, rested.ID)
		}
		write(func(tx *db.Tx) error { return End(tx, by, second.ID) })
		if got := list(); len(got) != 1 || got[0] != first.ID {
			t.Error(got)
		}
	})
}

func TestDevice(t *testing.T) {
	for agent, want := range map[string][2]string{
		"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0":                                                                     {"Firefox", "Linux"},
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 Edg/130.0.0.0":              {"Edge", "Windows"},
		"Mozilla/5.0 (Linux; Android 14; SM-A546B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/26.0 Chrome/122.0.0.0 Mobile Safari/537.36": {"Samsung Internet", "Android"},
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1":    {"Safari", "iPhone"},
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/130.0.0.0 Mobile/15E148 Safari/604.1": {"Chrome", "iPhone"},
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15":                      {"Safari", "macOS"},
		"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36":                             {"Chrome", "ChromeOS"},
		"curl/8.5.0": {"", ""}, "": {"", ""},
	} {
		if browser, system := Device(agent); browser != want[0] || system != want[1] {
			t.Errorf("%s: %q %q, want %v", agent, browser, system, want)
		}
	}
}
