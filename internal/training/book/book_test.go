package book_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/i18n"
	"zunft/internal/ground/paper"
	"zunft/internal/training/book"
	"zunft/internal/training/person"
	"zunft/internal/training/person/persontest"
	"zunft/internal/training/schema"
)

var (
	bg   = context.Background()
	now  = time.Date(2026, 11, 18, 10, 0, 0, 0, time.UTC) // Wednesday of week 47
	week = book.Week{Year: 2026, Number: 47}
)

// comes signs somebody in and returns who acts.
func comes(t *testing.T, d *db.DB, sub, company string, roles ...string) audit.Actor {
	t.Helper()
	d.Now = func() time.Time { return now }
	c := person.Claims{
		Roles: roles, Person: person.Person{Sub: sub, Name: strings.ToUpper(sub[:1]) + sub[1:], Email: sub + "@beispiel.example", Language: "de"},
		Company: person.Company{ID: company, Name: company},
	}
	return persontest.Comes(t, d, c)
}

// do runs a command and returns what it said.
func do(d *db.DB, f func(tx *db.Tx) (book.Report, error)) (r book.Report, err error) {
	err = d.Write(bg, func(tx *db.Tx) error { r, err = f(tx); return err })
	return r, err
}

func must(t *testing.T, d *db.DB, f func(tx *db.Tx) (book.Report, error)) book.Report {
	t.Helper()
	r, err := do(d, f)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// together runs f 64 times at once and counts successes.
func together(f func(i int) error) (won int) {
	var ready, done sync.WaitGroup
	var mu sync.Mutex
	gate := make(chan struct{})
	for i := range 64 {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-gate
			if f(i) == nil {
				mu.Lock()
				won++
				mu.Unlock()
			}
		})
	}
	ready.Wait()
	close(gate)
	done.Wait()
	return won
}

// 64 presses of "Jetzt einreichen" are one submission and one mail per trainer (M20).
func TestSubmitOnce_M20(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		anna := comes(t, d, "anna", "korn", "apprentice")
		comes(t, d, "bert", "korn", "trainer")
		comes(t, d, "berta", "korn", "trainer")
		comes(t, d, "rita", "stahl", "trainer")
		comes(t, d, "petra", "korn", "supervisor")
		r := must(t, d, func(tx *db.Tx) (book.Report, error) { return book.Save(tx, anna, week, 0, book.Text{School: "Hefe"}) })
		won := together(func(int) error {
			_, err := do(d, func(tx *db.Tx) (book.Report, error) { return book.Submit(tx, anna, week, r.Version) })
			return err
		})
		if won != 64 { // pressing twice is harmless
			t.Errorf("%d of 64 succeeded", won)
		}
		if n := dbtest.Count(t, d, `SELECT count(*) FROM report_event WHERE event = 'submitted'`); n != 1 {
			t.Errorf("%d submissions", n)
		}
		if n := dbtest.Count(t, d, `SELECT count(*) FROM job WHERE kind = 'mail'`); n != 2 {
			t.Errorf("%d mails, wanted one for each of two trainers", n)
		}
	})
}

// 64 first saves of one week: one report, the others see both versions.
func TestSaveOnce(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		anna := comes(t, d, "anna", "korn", "apprentice")
		won := together(func(i int) error {
			_, err := do(d, func(tx *db.Tx) (book.Report, error) {
				return book.Save(tx, anna, week, 0, book.Text{Work: strings.Repeat("x", i+1)})
			})
			if err != nil && !fault.Is(err, fault.KindConflict) {
				t.Error(err)
			}
			return err
		})
		if n := dbtest.Count(t, d, `SELECT count(*) FROM report`); won != 1 || n != 1 {
			t.Errorf("%d winners, %d reports", won, n)
		}
	})
}

// ux.md 2.9 no. 15 and 16: too early, and nothing written.
func TestWhatCanBeSubmitted_R226(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		anna := comes(t, d, "anna", "korn", "apprentice")
		try := func(w book.Week, text book.Text) string {
			t.Helper()
			r := must(t, d, func(tx *db.Tx) (book.Report, error) { return book.Save(tx, anna, w, 0, text) })
			_, err := do(d, func(tx *db.Tx) (book.Report, error) { return book.Submit(tx, anna, w, r.Version) })
			if err == nil {
				return ""
			}
			return fault.Of(err).Key()
		}
		days := func(attendance ...string) (t book.Text) {
			for i, a := range attendance {
				t.Days[i].Attendance = a
			}
			return t
		}
		if key := try(week.Add(1), book.Text{Work: "x"}); key != "book.too_early" {
			t.Error(key)
		}
		if key := try(week, book.Text{Department: "Backstube"}); key != "book.work_missing" {
			t.Error(key)
		}
		if key := try(week.Add(-1), days("vacation", "vacation", "holiday", "sick", "free")); key != "" {
			t.Errorf("a week of absence needs no text: %s", key)
		}
		if key := try(week.Add(-2), days("vacation", "vacation", "vacation", "vacation", "company")); key != "book.work_missing" {
			t.Error(key)
		}
		if key := try(week.Add(-4), days("school", "school", "school", "school", "vacation")); key != "book.school_missing" {
			t.Errorf("a week at school is not asked about the company: %s", key)
		}
		daily := days("company")
		daily.Days[0].Text = "Teig"
		if key := try(week.Add(-3), daily); key != "" {
			t.Errorf("days alone are enough: %s", key)
		}
		if _, err := do(d, func(tx *db.Tx) (book.Report, error) { return book.Save(tx, anna, week.Add(9), 0, book.Text{Work: "x"}) }); !fault.Is(err, fault.KindNotFound) {
			t.Errorf("next year: %v", err)
		}
		if n := dbtest.Count(t, d, `SELECT count(*) FROM report`); n != 6 {
			t.Errorf("%d reports", n)
		}
	})
}

// M20: subjects and texts in both languages, short subjects.
func TestMails_M20(t *testing.T) {
	data := map[string]any{"Name": "Bert", "Apprentice": "Anna Muster", "Writer": "Anna Muster", "Week": "47", "Dates": week.Dates(), "ID": "7"}
	for name, subject := range map[string]string{"report_submitted": "Anna Muster hat Woche 47 eingereicht"} {
		for _, lang := range i18n.Languages() {
			s, body := book.Mail(t, name, lang, data)
			if len([]rune(s)) > 60 || lang == "de" && s != subject {
				t.Errorf("subject %q", s)
			}
			if !strings.Contains(body, "47") {
				t.Errorf("%s.%s: %s", name, lang, body)
			}
		}
	}
}

// ISO 8601 weeks, also at the turn of the year.
func TestWeeks_W19(t *testing.T) {
	for text, dates := range map[string]string{
		"2026-W47": "16.11. – 22.11.2026", "2026-W01": "29.12.2025 – 04.01.2026", "2026-W53": "28.12.2026 – 03.01.2027",
		"2025-W53": "", "2026-W54": "", "2026-W00": "", "26-W01": "", "2026-W1": "", "2026-W01 ": "", "1999-W01": "",
	} {
		w, ok := book.ParseWeek(text)
		if ok != (dates != "") || ok && (w.Dates() != dates || w.String() != text) {
			t.Errorf("%q: %v %t %s", text, w, ok, w.Dates())
		}
	}
	if w := (book.Week{Year: 2026, Number: 53}).Add(1); w != (book.Week{Year: 2027, Number: 1}) {
		t.Error(w)
	}
	midnight := time.Date(2026, 11, 15, 23, 30, 0, 0, time.UTC) // Monday, half past midnight in Berlin
	if w := book.WeekOf(db.At(midnight)); w != week {
		t.Error(w)
	}
}

// The week on paper (R224): who, when, what, and the record of the sign-off.
func TestSheet_R224(t *testing.T) {
	if _, err := exec.LookPath("pdftotext"); err != nil {
		dbtest.Unavailable(t, "pdftotext is not installed (poppler-utils)")
	}
	catalog, err := i18n.Load(book.Phrases)
	if err != nil {
		t.Fatal(err)
	}
	r := book.Report{Week: week, State: book.SignedOff, Text: book.Text{Department: "Backstube", Work: "Brötchen geformt", School: "Hefe"}}
	r.Text.Days[0] = book.Day{Attendance: "company", Text: "Teige"}
	history := []book.Event{{At: db.At(now), Kind: "signed_off", Person: "Bert Meister", Text: "Gut"}, {At: db.At(now), Kind: "submitted", Person: "Anna Muster"}}
	var b bytes.Buffer
	err = paper.WriteSheet(&b, book.Print{
		Report: r, Apprentice: person.Person{Name: "Anna Muster"}, Company: person.Company{Name: "Bäckerei Korn"}, History: history,
		Plan: []string{"A 2 Sicherheit"}, Files: []string{"Ofen.jpg"}, Now: db.At(now),
	}.Sheet("de", func(key string, args ...any) string { return catalog.Text("de", key, args...) }))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "w.pdf")
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("pdftotext", "-layout", file, "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"Ausbildungsnachweis Woche 47", "§ 13 Satz 2 Nr. 7 BBiG", "Anna Muster", "Bäckerei Korn", "16.11. – 22.11.2026", "Abgezeichnet", "Backstube",
		"Brötchen geformt", "Hefe", "Montag, 16.11.", "Betrieb", "Teige", "Freizeichnung", "Bert Meister", "abgezeichnet", "Gut", "18.11.2026, 11:00", "Bezug zum Ausbildungsplan", "A 2 Sicherheit", "Anhänge", "Ofen.jpg",
	} {
		if !strings.Contains(string(out), text) {
			t.Errorf("paper lacks %q:\n%s", text, out)
		}
	}
}
