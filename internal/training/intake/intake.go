// Package intake takes in what people bring from elsewhere, once package foreign
// has read it: reports become drafts, lessons the timetable of a school.
//
//		foreign.Read (the bytes) ─▶ Keep: a preview, sealed, for a day ─▶ Take: drafts, once
//
//	  - Nothing is overwritten unless somebody says so, nothing that was submitted
//	    is touched, and everything becomes a draft: what was signed off elsewhere
//	    is read again by who is responsible here.
package intake

import (
	"cmp"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/plain"
	"zunft/internal/training/book"
	"zunft/internal/training/calendar"
	"zunft/internal/training/export"
	"zunft/internal/training/foreign"
	"zunft/internal/training/person"
	"zunft/internal/training/planning"
)

// Phrases of this package.
//
//go:embed phrases/*.json
var Phrases embed.FS

const maxBody = 4 << 20 // of what was read, as it is kept

// Kinds of an intake.
const (
	Reports = "reports"
	Lessons = "lessons"
)

const kept = 24 * time.Hour

var uploads = limit.Rate{Burst: 20, Every: time.Minute}

// An Intake is a file that was read, before and after it is taken in.
type Intake struct {
	ID, Person, Company, Kind, Name, State string
	Result                                 Result
	ExpiresAt                              db.Time
	body, result                           string
}

// Done reports whether it was taken in.
func (i Intake) Done() bool { return i.State == "done" }

// A Result counts what became of a file.
type Result struct {
	Taken, Same, Kept, Locked, Refused, Lessons int
}

// Verdicts on a report of a file.
const (
	New     = "new"
	Same    = "same"    // stored already
	Other   = "other"   // a draft says something else
	Locked  = "locked"  // submitted or signed off
	Outside = "outside" // of the apprenticeship, or too far ahead
	Paper   = "paper"   // within the time on paper
	Bad     = "bad"     // too long, or otherwise refused
)

// An Entry is a report of a file beside what is stored.
type Entry struct {
	Record  export.Record
	Week    calendar.Week
	Text    book.Text
	Verdict string
	Stored  book.Report
	Problem *fault.Problem // of a bad one
}

const columns = `id, person, company, kind, name, state, expires_at, body, result`

func (i *Intake) fields() []any {
	return []any{&i.ID, &i.Person, &i.Company, &i.Kind, &i.Name, &i.State, &i.ExpiresAt, &i.body, &i.result}
}

// Keep stores what was read until the actor has looked at it.
func Keep(tx *db.Tx, by audit.Actor, name string, f foreign.Found) (Intake, error) {
	s, err := person.Author(tx, by)
	if err != nil {
		return Intake{}, err
	}
	if err := limit.TakeIn(tx, "intake/"+s.Person.Sub, uploads); err != nil {
		return Intake{}, err
	}
	i := Intake{ID: db.NewID(), Person: s.Person.Sub, Company: s.Company.ID, Kind: Reports, Name: plain.Short(book.CleanLine(name), 100), State: "read", ExpiresAt: tx.Now().Add(kept)}
	if len(f.Lessons) > 0 {
		i.Kind = Lessons
	}
	plain, err := json.Marshal(f)
	if err != nil {
		return i, err
	}
	if len(plain) > maxBody {
		return i, fault.Invalid("file", "intake.long")
	}
	_, err = tx.Exec(`INSERT INTO intake (id, person, company, kind, name, body, state, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, 'read', $7, $8)`,
		i.ID, i.Person, i.Company, i.Kind, i.Name, tx.Keys().Seal("intake/body/"+i.ID, plain), tx.Now(), i.ExpiresAt)
	if err != nil {
		return i, fmt.Errorf("keep intake: %w", err)
	}
	return i, audit.Record(tx, by, audit.Entry{Event: "intake.read", Account: i.Person, Organization: i.Company, Thing: i.ID, Detail: map[string]any{"kind": i.Kind, "reports": len(f.Reports), "lessons": len(f.Lessons)}})
}

// Get is one of the actor's intakes with what it holds; when it is done it
// holds nothing more.
func Get(tx *db.Tx, by audit.Actor, id string) (i Intake, f foreign.Found, err error) {
	s, err := person.Author(tx, by)
	if err != nil {
		return i, f, err
	}
	i, err = db.One(tx, (*Intake).fields, `SELECT `+columns+` FROM intake WHERE id = $1 AND person = $2 AND company = $3 AND expires_at > $4`, id, s.Person.Sub, s.Company.ID, tx.Now())
	if err != nil {
		return i, f, err
	}
	if i.result != "" {
		if err := json.Unmarshal([]byte(i.result), &i.Result); err != nil {
			return i, f, err
		}
	}
	if i.body == "" {
		return i, f, nil
	}
	plain, err := tx.Keys().Open("intake/body/"+i.ID, i.body)
	if err != nil {
		return i, f, err
	}
	return i, f, json.Unmarshal(plain, &f)
}

// Look compares the reports of a file with what is stored now, in four
// questions however many they are. The time on paper comes first: weeks within
// it are not taken.
func Look(tx *db.Tx, by audit.Actor, f foreign.Found) ([]Entry, error) {
	s, err := person.Author(tx, by)
	if err != nil {
		return nil, err
	}
	var all []Entry
	for _, rec := range f.Reports {
		if w, ok := calendar.ParseWeek(rec.Week); ok {
			all = append(all, Entry{Record: rec, Week: w})
		}
	}
	if len(all) == 0 {
		return nil, nil
	}
	slices.SortStableFunc(all, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(b.rank(), a.rank()), cmp.Compare(a.Record.Week, b.Record.Week))
	})
	l := looking{tx: tx, by: by, session: s, furthest: calendar.WeekOf(tx.Now()).Add(book.Furthest)}
	if err := l.prepare(all); err != nil {
		return nil, err
	}
	for i := range all {
		if err := l.judge(&all[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// rank is 1 for a time on paper.
func (e Entry) rank() int {
	if e.Record.Kind == book.Paper {
		return 1
	}
	return 0
}

// Take takes a file in, once: new reports become drafts; drafts that say
// something else are replaced only if over says so.
func Take(tx *db.Tx, by audit.Actor, id string, over bool) (Intake, error) {
	i, f, err := Get(tx, by, id)
	if err != nil || i.Done() {
		return i, err
	}
	n, err := tx.Exec(`UPDATE intake SET state = 'done' WHERE id = $1 AND state = 'read'`, i.ID)
	if err != nil {
		return i, err
	}
	if n == 0 { // somebody was quicker
		i, _, err = Get(tx, by, id)
		return i, err
	}
	var res Result
	if i.Kind == Lessons {
		res.Lessons, err = planning.AddLessons(tx, by, f.Lessons)
	} else {
		res, err = takeReports(tx, by, f, over)
	}
	if err != nil {
		return i, err
	}
	b, err := json.Marshal(res)
	if err != nil {
		return i, err
	}
	if _, err := tx.Exec(`UPDATE intake SET body = '', result = $1 WHERE id = $2`, string(b), i.ID); err != nil {
		return i, err
	}
	i.State, i.Result = "done", res
	return i, audit.Record(tx, by, audit.Entry{Event: "intake.taken", Account: i.Person, Organization: i.Company, Thing: i.ID, Detail: map[string]any{"kind": i.Kind, "taken": res.Taken + res.Lessons, "over": over}})
}

func takeReports(tx *db.Tx, by audit.Actor, f foreign.Found, over bool) (res Result, err error) {
	entries, err := Look(tx, by, f)
	if err != nil {
		return res, err
	}
	for _, e := range entries {
		switch {
		case e.Verdict == Same:
			res.Same++
		case e.Verdict == Locked:
			res.Locked++
		case e.Verdict == Other && !over:
			res.Kept++
		case e.Verdict == New || e.Verdict == Other:
			err := e.save(tx, by)
			if fault.Of(err) != nil { // one that the book refuses does not stop the others
				res.Refused++
			} else if err != nil {
				return res, err
			} else {
				res.Taken++
			}
		default:
			res.Refused++
		}
	}
	return res, nil
}

// Drop forgets a file that was read.
func Drop(tx *db.Tx, by audit.Actor, id string) error {
	i, _, err := Get(tx, by, id)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`DELETE FROM intake WHERE id = $1`, i.ID)
	return err
}

// Sweep forgets files whose day is over. A periodic job calls it.
func Sweep(ctx context.Context, d *db.DB) error {
	err := d.Batches(ctx, func(tx *db.Tx, most int) (int64, error) {
		return tx.Exec(`DELETE FROM intake WHERE id IN (SELECT id FROM intake WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)`, tx.Now(), most)
	})
	if err != nil {
		return fmt.Errorf("sweep intakes: %w", err)
	}
	return nil
}

// Begin is the beginning of a report's text, to recognise it by.
func Begin(t book.Text) string {
	texts := []string{t.Work, t.School, t.Instruction}
	for _, d := range t.Days {
		texts = append(texts, d.Text)
	}
	for _, s := range texts {
		if s != "" {
			return plain.Short(strings.ReplaceAll(s, "\n", " "), 90)
		}
	}
	return ""
}
