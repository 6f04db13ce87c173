// Package bookform knows in which form a company keeps its report books, for
// each occupation or for all: electronically or not, by the week or by the day,
// with one signature or two, and after how many days a report is late (R226,
// R234, R315, R316).
//
//   - What a company said for an occupation holds; else what it said for all;
//     else Defaults.
//   - The form is part of the training contract (§ 11 (1) no. 10 BBiG, § 13 no. 7
//     BBiG): a change from or to electronic is told to the chamber (R314).
//   - Training admins say it, in the company they act for. It holds from then on;
//     what was written stays as it is.
package bookform

import (
	"embed"
	"fmt"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/training/calendar"
	"zunft/internal/training/occupation"
	"zunft/internal/training/person"
)

// Phrases of this package.
//
//go:embed phrases/*.json
var Phrases embed.FS

// Settings are how a company keeps the report books of an occupation.
type Settings struct {
	Electronic bool   // FALSE: nothing can be written here (R316)
	Mode       string // "week" or "day" (R226, R234)
	Steps      int    // 2: a supervisor checks, then the trainer signs off
	DueDays    int    // days after the week's end until a report is late
}

// Defaults hold where a company said nothing.
var Defaults = Settings{Electronic: true, Mode: "week", Steps: 1, DueDays: 7}

// Of are the settings for an occupation: the company's for it, else the
// company's for all, else Defaults.
func Of(tx *db.Tx, company, occupation string) (Settings, error) {
	all, err := db.All(tx, func(s *Settings) []any { return []any{&s.Electronic, &s.Mode, &s.Steps, &s.DueDays} },
		`SELECT electronic, mode, steps, due_days FROM company_setting WHERE company = $1 AND occupation IN ('', $2) ORDER BY occupation DESC LIMIT 1`, company, occupation)
	if err != nil || len(all) == 0 {
		return Defaults, err
	}
	return all[0], nil
}

// maxDueDays bounds the days of grace: recommendation 156 of the BIBB board asks
// trainers to look at least once a month.
const maxDueDays = 28

func (s Settings) check() error {
	var p fault.Problems
	if s.Mode != "week" && s.Mode != "day" {
		p.Add("mode", "bookform.choose")
	}
	if s.Steps != 1 && s.Steps != 2 {
		p.Add("steps", "bookform.choose")
	}
	if s.DueDays < 0 || s.DueDays > maxDueDays {
		p.Add("due_days", "bookform.due_days", maxDueDays)
	}
	return p.Err()
}

// A Row of settings: of an occupation, or of all (Occupation is empty).
type Row struct {
	Occupation string
	Settings
	Own   bool // said for this occupation; else it is what holds for all
	Count int  // apprenticeships that run
}

// All is what the actor's company settled: for all, and for every
// occupation that is learned there or has settings of its own.
func All(tx *db.Tx, by audit.Actor) ([]Row, error) {
	s, err := person.Admin(tx, by)
	if err != nil {
		return nil, err
	}
	rows := []Row{{Settings: Defaults}}
	own, err := db.All(tx, func(r *Row) []any { return []any{&r.Occupation, &r.Electronic, &r.Mode, &r.Steps, &r.DueDays} },
		`SELECT occupation, electronic, mode, steps, due_days FROM company_setting WHERE company = $1 ORDER BY occupation`, s.Company.ID)
	if err != nil {
		return nil, err
	}
	at := map[string]int{"": 0}
	for _, r := range own {
		r.Own = true
		if r.Occupation == "" {
			rows[0] = r
			continue
		}
		at[r.Occupation] = len(rows)
		rows = append(rows, r)
	}
	today := calendar.Today(tx.Now())
	err = tx.Each(`SELECT occupation, count(*) FROM apprenticeship WHERE company = $1 AND (ended_on = '' OR ended_on >= $2) AND (ends_on = '' OR ends_on >= $2) GROUP BY occupation ORDER BY occupation`,
		[]any{s.Company.ID, today}, func(scan func(...any) error) error {
			var key string
			var n int
			if err := scan(&key, &n); err != nil {
				return err
			}
			i, there := at[key]
			if !there {
				i = len(rows)
				rows = append(rows, Row{Occupation: key, Settings: rows[0].Settings})
			}
			rows[i].Count = n
			return nil
		})
	return rows, err
}

// Settle says how the report books of an occupation (or of all: empty) are kept
// in the actor's company from now on (R234, R315, R316). If that changes whether
// they are kept electronically, the chamber is told (R314).
func Settle(tx *db.Tx, by audit.Actor, of string, set Settings) error {
	s, err := person.Admin(tx, by)
	if err != nil {
		return err
	}
	if err := known(of); err != nil {
		return err
	}
	if err := set.check(); err != nil {
		return err
	}
	return settle(tx, by, s, of, func() error {
		_, err := tx.Exec(`INSERT INTO company_setting (company, occupation, electronic, mode, steps, due_days, changed_at, changed_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
			ON CONFLICT (company, occupation) DO UPDATE SET electronic = $3, mode = $4, steps = $5, due_days = $6, changed_at = $7, changed_by = $8`,
			s.Company.ID, of, set.Electronic, set.Mode, set.Steps, set.DueDays, tx.Now(), by.Account)
		return err
	})
}

// Unsettle lets an occupation be kept as all others are.
func Unsettle(tx *db.Tx, by audit.Actor, of string) error {
	s, err := person.Admin(tx, by)
	if err != nil {
		return err
	}
	if of == "" {
		return fault.NotFound()
	}
	return settle(tx, by, s, of, func() error {
		_, err := tx.Exec(`DELETE FROM company_setting WHERE company = $1 AND occupation = $2`, s.Company.ID, of)
		return err
	})
}

func known(of string) error {
	if _, ok := occupation.Get(of); of != "" && !ok {
		return fault.NotFound()
	}
	return nil
}

func settle(tx *db.Tx, by audit.Actor, s person.Session, of string, write func() error) error {
	company, chamber := s.Company.ID, s.Company.ChamberNumber
	if err := s.Turn(tx); err != nil {
		return err
	}
	before, err := Of(tx, company, of)
	if err != nil {
		return err
	}
	if err := write(); err != nil {
		return fmt.Errorf("settle: %w", err)
	}
	after, err := Of(tx, company, of)
	if err != nil || before == after {
		return err
	}
	if err := audit.Record(tx, by, audit.Entry{
		Event: "company.book_settled", Organization: company, Chamber: chamber, Thing: of,
		Detail: map[string]any{"electronic": after.Electronic, "mode": after.Mode, "steps": after.Steps, "due_days": after.DueDays},
	}); err != nil || before.Electronic == after.Electronic {
		return err
	}
	// Of those for whom this line is the one that counts.
	n, err := db.Value[int](tx, `SELECT count(*) FROM apprenticeship a WHERE company = $1 AND (ended_on = '' OR ended_on >= $3) AND (ends_on = '' OR ends_on >= $3)
		AND (occupation = $2 OR $2 = '' AND NOT EXISTS (SELECT 1 FROM company_setting c WHERE c.company = $1 AND c.occupation <> '' AND c.occupation = a.occupation))`, company, of, calendar.Today(tx.Now()))
	if err != nil {
		return err
	}
	if _, err := tx.Exec(`INSERT INTO form_change (id, chamber_number, company, occupation, electronic, apprenticeships, changed_at, changed_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		db.NewID(), chamber, company, of, after.Electronic, n, tx.Now(), by.Account); err != nil {
		return fmt.Errorf("report change of form: %w", err)
	}
	return audit.Record(tx, by, audit.Entry{Event: "company.form_reported", Organization: company, Chamber: chamber, Thing: of, Detail: map[string]any{"electronic": after.Electronic, "apprenticeships": n}})
}
