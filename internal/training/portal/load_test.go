package portal_test

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/training/calendar"
	"zunft/internal/training/schema"
)

const (
	weeks  = 150 // of three years, without those that fell away
	atOnce = 5   // apprentices of a company
)

// A chamber's data: so many apprentices, five in a company with a trainer of
// their own, three years of signed reports each, the last one submitted.
func chamberful(b *testing.B, w *world, apprentices int) {
	begin := time.Now()
	at := 30 // rows of one statement: SQLite looks each parameter up by name
	if w.d.Engine() == "postgres" {
		at = 500
	}
	bulk := func(into string, n int, row func(i int) []any) {
		b.Helper()
		const share = 15_000
		for first := 0; first < n; first += share {
			err := w.d.Write(context.Background(), func(tx *db.Tx) error {
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
	companies := (apprentices + atOnce - 1) / atOnce
	seen := db.At(now)
	bulk(`company (id, name, ident_number, chamber_number, seen_at)`, companies, func(i int) []any {
		return []any{company(i), fmt.Sprint("Betrieb ", i), fmt.Sprint(100_000 + i), "999", seen}
	})
	person := func(sub, family string) []any {
		return []any{sub, "Kim " + family, "Kim", family, fmt.Sprintf("%x", family), sub + "@beispiel.example", "de", seen}
	}
	const people = `person (sub, name, given_name, family_name, name_key, email, language, seen_at)`
	bulk(people, apprentices, func(i int) []any { return person(apprentice(i), fmt.Sprint("Lehrling", i)) })
	bulk(people, companies, func(i int) []any { return person(trainer(i), fmt.Sprint("Meister", i)) })
	bulk(`company_role (company, person, role, since, seen_at)`, apprentices, func(i int) []any { return []any{company(i / atOnce), apprentice(i), "apprentice", seen, seen} })
	bulk(`company_role (company, person, role, since, seen_at)`, companies, func(i int) []any { return []any{company(i), trainer(i), "trainer", seen, seen} })
	bulk(`apprenticeship (id, person, company, chamber_number, number, given_name, family_name, name_key, occupation, land, starts_on, ends_on, source, created_at, changed_at)`, apprentices, func(i int) []any {
		return []any{contract(i), apprentice(i), company(i / atOnce), "999", fmt.Sprint(i), "Kim", fmt.Sprint("Lehrling", i), fmt.Sprintf("%012x", i), "", "NW", "2024-01-01", "2027-01-31", "registry", seen, seen}
	})
	bulk(`assignment (id, apprenticeship, person, role, from_day, created_at)`, apprentices, func(i int) []any {
		return []any{fmt.Sprintf("a-%09d", i), contract(i), trainer(i / atOnce), "trainer", "2024-01-01", seen}
	})
	text := strings.Repeat("Teig angesetzt, Brötchen geformt, Öfen beschickt, Theke bedient. ", 5)
	const days = `[{"a":"company","p":"Backstube","m":480},{"a":"school","m":360},{"a":"company","p":"Backstube","m":480},{"a":"company","m":480},{"a":"company","m":480},{},{}]`
	last := calendar.WeekOf(seen).Add(-1)
	// Millions of rows are made where they stay; week by week, as they come.
	exec := func(query string, args ...any) {
		b.Helper()
		if err := w.d.Write(b.Context(), func(tx *db.Tx) error { _, err := tx.Exec(query, args...); return err }); err != nil {
			b.Fatal(err)
		}
	}
	number := func(n string) string { return `substr(CAST(1000000000000 + ` + n + ` AS TEXT), 2)` }
	for n := range weeks {
		back := weeks - 1 - n
		week := last.Add(-back)
		written := db.At(week.Day(7))
		state, decided, by := "signed_off", any(written.Add(48*time.Hour)), `'00000000-0000-7000-9000-' || `+number("i / 5")
		if back == 0 {
			state, decided, by = "submitted", nil, `''`
		}
		exec(`INSERT INTO report (id, apprentice, apprenticeship, company, year, week, first_day, last_day, state, submitted_at, decided_at, decided_by, created_at, changed_at, version, department, work, school, days)
			WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < $1 - 1)
			SELECT '00000000-0000-7000-b000-' || `+number("$2 + i")+`, '00000000-0000-7000-8000-' || `+number("i")+`, '00000000-0000-7000-a000-' || `+number("i")+`, 'c-' || substr(CAST(1000000 + i / 5 AS TEXT), 2),
				$3, $4, $5, $6, $7, $8, $9, `+by+`, $8, $8, 3, 'Backstube', $10, $11, $12 FROM n`,
			apprentices, n*apprentices, week.Year, week.Number, week.Date(1), week.Date(7), state, written, decided, text, text[:130], days)
		for k, event := range []string{"submitted", "signed_off"} {
			who := []string{`'00000000-0000-7000-8000-' || ` + number("i"), `'00000000-0000-7000-9000-' || ` + number("i / 5")}[k]
			exec(`INSERT INTO report_event (id, report, at, person, event, digest)
				WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < $1 - 1)
				SELECT '00000000-0000-7000-c000-' || `+number("2 * ($2 + i) + $3")+`, '00000000-0000-7000-b000-' || `+number("$2 + i")+`, $4, `+who+`, $5, 'Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmE' FROM n`,
				apprentices, n*apprentices, k, written, event)
		}
	}
	if err := w.d.Write(b.Context(), func(tx *db.Tx) error { _, err := tx.Exec(`ANALYZE`); return err }); err != nil {
		b.Fatal(err)
	}
	if w.d.Engine() == "postgres" { // what was poured in is put away: that is no day's work
		for working := 1; working > 0; {
			if err := w.d.Write(b.Context(), func(tx *db.Tx) (err error) {
				if _, err = tx.Exec(`CHECKPOINT`); err != nil {
					return err
				}
				working, err = db.Value[int](tx, `SELECT count(*) FROM pg_stat_activity, pg_sleep(2) WHERE backend_type = 'autovacuum worker'`)
				return err
			}); err != nil {
				b.Fatal(err)
			}
		}
	}
	fmt.Printf("  %s: %d reports in %.0f s, %d bytes each with their history and indexes\n", b.Name(), apprentices*weeks, time.Since(begin).Seconds(), size(b, w)/int64(apprentices*weeks))
}

func company(i int) string    { return fmt.Sprintf("c-%06d", i) }
func apprentice(i int) string { return fmt.Sprintf("00000000-0000-7000-8000-%012d", i) }
func trainer(i int) string    { return fmt.Sprintf("00000000-0000-7000-9000-%012d", i) }
func contract(i int) string   { return fmt.Sprintf("00000000-0000-7000-a000-%012d", i) }

// size is what the database holds, in bytes.
func size(b *testing.B, w *world) (n int64) {
	query := `SELECT pg_database_size(current_database())`
	if w.d.Engine() == "sqlite" {
		query = `SELECT page_count * page_size FROM pragma_page_count, pragma_page_size`
	}
	err := w.d.Read(b.Context(), func(tx *db.Tx) (err error) { n, err = db.Value[int64](tx, query); return err })
	if err != nil {
		b.Fatal(err)
	}
	return n
}

func (w *world) apprentice(i int) *visit {
	return w.comes(claims(apprentice(i), "Kim", fmt.Sprint("Lehrling", i), company(i/atOnce), "apprentice"))
}

// What writing, reading and signing off cost beside a hundredth of the data
// and beside three million reports: p50 and p99 of whole requests over
// loopback, and of what the server took of them (its handlers and what they ask
// of the database). Aim: p99 of the server under 20 ms, the same in both.
// Yardstick: /healthz, which does nothing.
func BenchmarkBook(b *testing.B) {
	for _, engine := range []string{"sqlite", "postgres"} {
		for _, apprentices := range []int{200, 20_000} {
			b.Run(fmt.Sprintf("%s/%d", engine, apprentices), func(b *testing.B) {
				w := newWorld(b, dbtest.Open(b, engine, schema.Files))
				chamberful(b, w, apprentices)
				n := min(500, apprentices) // of each
				var writers []*visit
				var trainers []*visit
				for i := range n {
					writers = append(writers, w.apprentice(i*apprentices/n))
					at := i * apprentices / n / atOnce
					trainers = append(trainers, w.comes(claims(trainer(at), "Kim", fmt.Sprint("Meister", at), company(at), "trainer")))
				}
				older := "/reports/" + calendar.WeekOf(db.At(now)).Add(-70).String()
				thisWeek := "/reports/" + calendar.WeekOf(db.At(now)).String()
				for i, step := range []struct {
					name string
					do   func(i int) page
				}{
					{"healthz", func(i int) page { return writers[i].get("/healthz") }},
					{"a week that was signed", func(i int) page { return writers[i].get(older) }},
					{"the editor of this week", func(i int) page { return writers[i].get(thisWeek) }},
					{"saving a draft", func(i int) page {
						return writers[i].post(thisWeek, "do", "save", "version", "0", "work", "Teig angesetzt", "school", "Fachrechnen")
					}},
					{"saving it again", func(i int) page {
						return writers[i].post(thisWeek, "do", "save", "version", "1", "work", "Teig angesetzt, Brötchen geformt", "school", "Fachrechnen")
					}},
					{"the year", func(i int) page { return writers[i].get("/reports") }},
					{"home of an apprentice", func(i int) page { return writers[i].get("/") }},
					{"the trainer's queue", func(i int) page { return trainers[i].get("/reviews") }},
					{"home of a trainer", func(i int) page { return trainers[i].get("/") }},
					{"the trainer's apprentices", func(i int) page { return trainers[i].get("/trainees") }},
				} {
					var took, server []float64
					bytes := 0
					for j := range n {
						begin := time.Now()
						p := step.do(j)
						took = append(took, float64(time.Since(begin).Microseconds())/1000)
						server = append(server, float64(time.Duration(atomic.LoadInt64((*int64)(&w.served))).Microseconds())/1000)
						if p.status != http.StatusOK && p.status != http.StatusSeeOther {
							b.Fatalf("%s: %d %s", step.name, p.status, main(p.body))
						}
						bytes = len(p.body)
					}
					took, server = took[len(took)/20:], server[len(server)/20:] // the first ones compile statements
					slices.Sort(took)
					slices.Sort(server)
					half, most := len(took)/2, len(took)*99/100
					b.ReportMetric(server[most], fmt.Sprintf("%d-p99-ms", i))
					fmt.Printf("  %-9s %6d apprentices  %-26s p50 %6.2f ms  p99 %6.2f ms  of it the server %6.2f and %6.2f ms  %6d bytes\n", engine, apprentices, step.name, took[half], took[most], server[half], server[most], bytes)
				}
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// Sunday evening: 60 saves and 20 submissions a second for a minute, whatever
// the answers take, from people on the same two cores. Printed are the errors
// (aim: none), how long people waited, and the memory of both together.
func BenchmarkSundayEvening(b *testing.B) {
	for _, engine := range []string{"sqlite", "postgres"} {
		b.Run(engine, func(b *testing.B) {
			w := newWorld(b, dbtest.Open(b, engine, schema.Files))
			chamberful(b, w, 2_000)
			const seconds, saves, submissions = 60, 60, 20
			people := make([]*visit, seconds*submissions)
			for i := range people {
				people[i] = w.apprentice(i)
			}
			path := "/reports/" + calendar.WeekOf(db.At(now)).String()
			var mu sync.Mutex
			var took []float64
			failed, most := 0, uint64(0)
			var all sync.WaitGroup
			begin := time.Now()
			// Everybody saves three times and submits: i at second i/20.
			for i, p := range people {
				all.Go(func() {
					time.Sleep(time.Until(begin.Add(time.Duration(i) * time.Second / submissions)))
					for n := range saves/submissions + 1 {
						at := time.Now()
						var answer page
						var err error
						if n < saves/submissions {
							answer, err = p.send(path, fmt.Sprintf("do=save&version=%d&work=%s", n, strings.Repeat("Brot+", 40+n)))
						} else {
							answer, err = p.send(path+"/submit", fmt.Sprintf("version=%d", n))
						}
						mu.Lock()
						took = append(took, float64(time.Since(at).Microseconds())/1000)
						if err != nil || answer.status != http.StatusSeeOther {
							failed++
						}
						mu.Unlock()
					}
				})
			}
			done := make(chan struct{})
			go func() { all.Wait(); close(done) }()
			for tick := time.NewTicker(time.Second); ; {
				select {
				case <-tick.C:
					var m runtime.MemStats
					runtime.ReadMemStats(&m)
					most = max(most, m.Sys-m.HeapReleased)
					continue
				case <-done:
				}
				tick.Stop()
				break
			}
			lasted := time.Since(begin).Seconds()
			slices.Sort(took)
			fmt.Printf("  %-9s %d requests in %.1f s, %d failed, p50 %.1f ms, p99 %.1f ms, slowest %.0f ms, memory at most %d MB (server and people)\n",
				engine, len(took), lasted, failed, took[len(took)/2], took[len(took)*99/100], took[len(took)-1], most>>20)
			b.ReportMetric(float64(failed), "failed")
			b.ReportMetric(float64(len(took))/lasted, "requests/s")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// send is post for many at once: what does not work is an error.
func (b *visit) send(path, form string) (page, error) {
	r, err := http.NewRequest("POST", b.server.URL+path, strings.NewReader(form))
	if err != nil {
		return page{}, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	res, err := b.client.Do(r)
	if err != nil {
		return page{}, err
	}
	defer res.Body.Close()
	return page{status: res.StatusCode, location: res.Header.Get("Location")}, nil
}
