package apprenticeship

import (
	"fmt"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/training/calendar"
	"zunft/internal/training/occupation"
	"zunft/internal/training/person"
)

// MaxDueDays bounds the days of grace: recommendation 156 of the BIBB board asks
// trainers to look at least once a month.
const MaxDueDays = 28

func (s Settings) check() error {
	var p fault.Problems
	if s.Mode != "week" && s.Mode != "day" {
		p.Add("mode", "apprenticeship.choose")
	}
	if s.Steps != 1 && s.Steps != 2 {
		p.Add("steps", "apprenticeship.choose")
	}
	if s.DueDays < 0 || s.DueDays > MaxDueDays {
		p.Add("due_days", "apprenticeship.due_days", MaxDueDays)
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

// AllSettings are what the actor's company settled: for all, and for every
// occupation that is learned there or has settings of its own.
func AllSettings(tx *db.Tx, by audit.Actor) ([]Row, error) {
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
	before, err := SettingsOf(tx, company, of)
	if err != nil {
		return err
	}
	if err := write(); err != nil {
		return fmt.Errorf("settle: %w", err)
	}
	after, err := SettingsOf(tx, company, of)
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

// A FormChange is what a chamber is told of a company (R314).
type FormChange struct {
	ID, Company, Name, IdentNumber, Occupation string
	Electronic                                 bool
	Apprenticeships                            int
	At                                         db.Time
	By                                         string // name
}

func (f *FormChange) fields() []any {
	return []any{&f.ID, &f.Company, &f.Name, &f.IdentNumber, &f.Occupation, &f.Electronic, &f.Apprenticeships, &f.At, &f.By}
}

const formChanges = `SELECT f.id, f.company, c.name, c.ident_number, f.occupation, f.electronic, f.apprenticeships, f.changed_at, COALESCE(p.name, '')
	FROM form_change f JOIN company c ON c.id = f.company LEFT JOIN person p ON p.sub = f.changed_by `

// FormChanges are what companies of the actor's chamber reported, the newest
// first; before is the ID of the last one of the page before, or empty.
func FormChanges(tx *db.Tx, by audit.Actor, before string, limit int) ([]FormChange, error) {
	chamber, err := clerk(tx, by)
	if err != nil {
		return nil, err
	}
	return db.All(tx, (*FormChange).fields, formChanges+`WHERE f.chamber_number = $1 AND ($2 = '' OR f.id < $2) ORDER BY f.id DESC LIMIT $3`, chamber, before, limit)
}

// OwnFormChanges are what the actor's company reported, the newest first.
func OwnFormChanges(tx *db.Tx, by audit.Actor, limit int) ([]FormChange, error) {
	s, err := person.Admin(tx, by)
	if err != nil {
		return nil, err
	}
	return db.All(tx, (*FormChange).fields, formChanges+`WHERE f.company = $1 ORDER BY f.id DESC LIMIT $2`, s.Company.ID, limit)
}
