package intake_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/training/book"
	"zunft/internal/training/calendar"
	"zunft/internal/training/export"
	"zunft/internal/training/foreign"
	"zunft/internal/training/intake"
	"zunft/internal/training/person"
	"zunft/internal/training/person/persontest"
	"zunft/internal/training/schema"
)

// comes signs an apprentice in.
func comes(t testing.TB, d *db.DB, sub string) audit.Actor {
	t.Helper()
	c := person.Claims{
		Roles: []string{person.Apprentice}, Person: person.Person{Sub: sub, Name: sub, Email: sub + "@beispiel.example", Language: "de"},
		Company: person.Company{ID: "korn", Name: "Korn", ChamberNumber: "999"},
	}
	return persontest.Comes(t, d, c)
}

// takes takes a file in, and says what became of it.
func takes(t testing.TB, d *db.DB, by audit.Actor, file []byte, over bool) (r intake.Result) {
	t.Helper()
	found, err := foreign.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	dbtest.Write(t, d, func(tx *db.Tx) error {
		i, err := intake.Keep(tx, by, "Berichtsheft.json", found)
		if err != nil {
			return err
		}
		i, err = intake.Take(tx, by, i.ID, over)
		r = i.Result
		return err
	})
	return r
}

// whole is the book as its file, without what is told only: when, which
// version, and what trainers decided.
func whole(t testing.TB, d *db.DB, by audit.Actor) (file []byte, said string) {
	t.Helper()
	var data export.Data
	dbtest.Write(t, d, func(tx *db.Tx) (err error) { data, err = export.Records(tx, by); return err })
	var b bytes.Buffer
	if err := data.JSON(&b); err != nil {
		t.Fatal(err)
	}
	for _, r := range data.Reports {
		r.Version, r.ChangedAt, r.State, r.Answer = 0, nil, "", ""
		said += fmt.Sprintf("%+v\n", r)
	}
	return b.Bytes(), said
}

// What people write: letters of all kinds, and what files are made of.
var written = rapid.Map(rapid.StringOfN(rapid.RuneFrom([]rune("aZäß ;,\"'\n\t=+-@|€字🙂{}[]\\<>&\u00a0e\u0301")), 0, 60, -1), book.CleanLines)

func aText(first, last calendar.Date) *rapid.Generator[book.Text] {
	return rapid.Custom(func(t *rapid.T) book.Text {
		line := rapid.Map(written, func(s string) string { return book.CleanLine(s) })
		ids := rapid.Map(rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z2-7]{8}`), 0, 3, rapid.ID[string]), func(s []string) string { return strings.Join(s, " ") })
		text := book.Text{Department: line.Draw(t, "department"), Work: "x" + written.Draw(t, "work"), Instruction: written.Draw(t, "instruction"), School: written.Draw(t, "school"), Sections: ids.Draw(t, "sections")}
		for i := range text.Days {
			if day := first.Week().Date(i + 1); day >= first && day <= last && rapid.Bool().Draw(t, "said") {
				text.Days[i] = book.Day{Attendance: rapid.SampledFrom(book.Attendance).Draw(t, "attendance"), Place: line.Draw(t, "place"), Minutes: rapid.IntRange(0, 24*60).Draw(t, "minutes"), Text: written.Draw(t, "text"), Sections: ids.Draw(t, "of day")}
			}
		}
		return text
	})
}

// R226, R317: a whole book goes out and comes back into an empty one exactly as
// it was: weeks, days, sections, and the time on paper. Once more changes nothing.
func TestRoundTripOfABook_R317(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		now := time.Date(2026, 11, 18, 10, 0, 0, 0, time.UTC)
		d.Now = func() time.Time { now = now.Add(time.Hour); return now }
		n := 0
		rapid.Check(t, func(rt *rapid.T) {
			n++
			now = time.Date(2026, 11, 18, 10, 0, 0, 0, time.UTC)
			anna, emil := comes(t, d, fmt.Sprint("anna", n)), comes(t, d, fmt.Sprint("emil", n))
			from := calendar.Week{Year: 2025, Number: 40}.Add(rapid.IntRange(0, 40).Draw(rt, "first week"))
			papered := rapid.Bool().Draw(rt, "paper")
			weeks := rapid.SliceOfNDistinct(rapid.IntRange(0, 12), 0, 4, rapid.ID[int]).Draw(rt, "weeks")
			dbtest.Write(t, d, func(tx *db.Tx) error {
				if papered {
					last := from.Date(1).Add(-1 - rapid.IntRange(0, 10).Draw(rt, "before"))
					first := last.Add(-rapid.IntRange(8, 400).Draw(rt, "long"))
					text := aText("9999-01-01", "").Draw(rt, "on paper")
					if _, err := book.SavePaper(tx, anna, "", 0, first, last, text); err != nil {
						return err
					}
				}
				for _, w := range weeks {
					week := from.Add(w)
					if _, err := book.Save(tx, anna, week, 0, aText(week.Date(1), week.Date(7)).Draw(rt, "week")); err != nil {
						return err
					}
				}
				return nil
			})
			reports := len(weeks)
			if papered {
				reports++
			}
			if reports == 0 {
				return
			}
			file, want := whole(t, d, anna)
			if r := takes(t, d, emil, file, false); r != (intake.Result{Taken: reports}) {
				rt.Fatalf("%+v of %d", r, reports)
			}
			again, got := whole(t, d, emil)
			if got != want {
				rt.Fatalf("went out\n%s\ncame back\n%s", want, got)
			}
			if r := takes(t, d, emil, again, true); r != (intake.Result{Same: reports}) {
				rt.Fatalf("again: %+v", r)
			}
		})
	})
}

// R317, R318: what a file says of the time on paper stops where the book does:
// one such time, before every week, and no week within it.
func TestPaperOfAFile_R317_R318(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		d.Now = func() time.Time { return time.Date(2026, 11, 18, 10, 0, 0, 0, time.UTC) }
		paper := func(first, last, text string) string {
			w, _ := calendar.ParseDate(first)
			return fmt.Sprintf(`{"week":"%s","kind":"paper","first":"%s","last":"%s","work":"%s"}`, w.Week(), first, last, text)
		}
		week := func(w, text string) string { return fmt.Sprintf(`{"week":"%s","work":"%s"}`, w, text) }
		long := paper("2026-01-05", "2026-03-01", "auf Papier")
		for name, c := range map[string]struct {
			before, file string
			over         bool
			want         intake.Result
		}{
			"weeks within it":      {"", "[" + week("2026-W05", "x") + "," + long + "," + week("2026-W10", "y") + "]", false, intake.Result{Taken: 2, Refused: 1}},
			"two of them":          {"", "[" + long + "," + paper("2026-03-02", "2026-05-03", "noch eine") + "]", false, intake.Result{Taken: 1, Refused: 1}},
			"a week was written":   {"[" + week("2026-W05", "x") + "]", "[" + long + "]", false, intake.Result{Refused: 1}},
			"a week, not a time":   {"", "[" + paper("2026-01-05", "2026-01-09", "kurz") + "]", false, intake.Result{Refused: 1}},
			"in the future":        {"", "[" + paper("2026-01-05", "2027-01-05", "später") + "]", false, intake.Result{Refused: 1}},
			"without days":         {"", `[{"week":"2026-W02","kind":"paper","work":"x"}]`, false, intake.Result{Refused: 1}},
			"another draft":        {"[" + long + "]", "[" + paper("2026-01-05", "2026-03-01", "anders") + "]", false, intake.Result{Kept: 1}},
			"another draft, over":  {"[" + long + "]", "[" + paper("2026-01-05", "2026-02-01", "anders") + "," + week("2026-W06", "jetzt frei") + "]", true, intake.Result{Taken: 1, Refused: 1}},
			"a week stored before": {"[" + long + "]", "[" + week("2026-W06", "steht auf Papier") + "]", false, intake.Result{Refused: 1}},
		} {
			by := comes(t, d, "p"+fmt.Sprint(len(name))+name[:3])
			if c.before != "" {
				takes(t, d, by, []byte(c.before), false)
			}
			if r := takes(t, d, by, []byte(c.file), c.over); r != c.want {
				t.Errorf("%s: %+v, wanted %+v", name, r, c.want)
			}
		}
	})
}

// R313, R317, R226: a book of two apprenticeships comes back with the time on
// paper of each; weeks after the first one are weeks, and only one time on paper
// of each is taken.
func TestTwoApprenticeshipsTwoPaperTimes_R317(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		d.Now = func() time.Time { return time.Date(2026, 11, 18, 10, 0, 0, 0, time.UTC) }
		learns := func(sub string) audit.Actor {
			by := comes(t, d, sub)
			for id, days := range map[string][2]string{"a": {"2023-08-01", "2025-06-30"}, "b": {"2025-09-03", "2028-08-31"}} {
				dbtest.Exec(t, d, `INSERT INTO apprenticeship (id, person, company, starts_on, ends_on, source, created_at, changed_at) VALUES ($1, $2, 'korn', $3, $4, 'company', $5, $5)`, sub+id, sub, days[0], days[1], d.Now())
			}
			return by
		}
		anna, emil := learns("anna"), learns("emil")
		dbtest.Write(t, d, func(tx *db.Tx) error {
			for _, span := range [][2]calendar.Date{{"2023-08-01", "2024-07-31"}, {"2025-09-03", "2026-03-31"}} {
				if _, err := book.SavePaper(tx, anna, span[0], 0, span[0], span[1], book.Text{Work: "Auf Papier ab " + string(span[0])}); err != nil {
					return err
				}
			}
			for _, w := range []string{"2024-W40", "2026-W20"} {
				week, _ := calendar.ParseWeek(w)
				if _, err := book.Save(tx, anna, week, 0, book.Text{Work: w}); err != nil {
					return err
				}
			}
			return nil
		})
		file, want := whole(t, d, anna)
		if r := takes(t, d, emil, file, false); r != (intake.Result{Taken: 4}) {
			t.Fatalf("%+v of 4", r)
		}
		again, got := whole(t, d, emil)
		if got != want {
			t.Errorf("went out\n%s\ncame back\n%s", want, got)
		}
		if r := takes(t, d, emil, again, true); r != (intake.Result{Same: 4}) {
			t.Errorf("again: %+v", r)
		}
		for id, first := range map[string]calendar.Date{"emila": "2023-08-01", "emilb": "2025-09-03"} {
			if n := dbtest.Count(t, d, `SELECT count(*) FROM report WHERE apprenticeship = $1 AND kind = 'paper' AND first_day = $2`, id, first); n != 1 {
				t.Errorf("%s has %d times on paper from %s", id, n, first)
			}
		}
		// The first week of the second one, which began on a Wednesday after a gap, can be written.
		paul := learns("paul")
		dbtest.Write(t, d, func(tx *db.Tx) error {
			week, _ := calendar.ParseWeek("2025-W36")
			r, err := book.Save(tx, paul, week, 0, book.Text{Work: "Erster Tag"})
			if err == nil && (r.Apprenticeship != "paulb" || r.First != "2025-09-03") {
				t.Errorf("the first week is written for %s from %s", r.Apprenticeship, r.First)
			}
			return err
		})
	})
}
