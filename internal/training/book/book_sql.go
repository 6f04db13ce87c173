package book

import (
	"encoding/json"
	"fmt"

	"zunft/internal/ground/db"
)

const columns = `id, apprentice, apprenticeship, company, kind, year, week, first_day, last_day, department, sections, work, instruction, school, days, state, answer,
	submitted_at, checked_at, checked_by, decided_at, decided_by, undo_until, changed_at, version, approver`

func (r *Report) fields() []any {
	return []any{
		&r.ID, &r.Apprentice, &r.Apprenticeship, &r.Company, &r.Kind, &r.Week.Year, &r.Week.Number, &r.First, &r.Last,
		&r.Text.Department, &r.Text.Sections, &r.Text.Work, &r.Text.Instruction, &r.Text.School, (*days)(&r.Text.Days), &r.State, &r.Answer,
		&r.SubmittedAt, &r.CheckedAt, &r.CheckedBy, &r.DecidedAt, &r.DecidedBy, &r.UndoUntil, &r.ChangedAt, &r.Version, &r.Approver,
	}
}

// days are stored in one column, as JSON; nothing for nothing.
type days [7]Day

// Scan reads the column.
func (d *days) Scan(v any) error {
	var b []byte
	switch v := v.(type) {
	case string:
		b = []byte(v)
	case []byte:
		b = v
	}
	*d = days{}
	if len(b) == 0 {
		return nil
	}
	return json.Unmarshal(b, (*[7]Day)(d))
}

func (d days) String() string {
	if d == (days{}) {
		return ""
	}
	b, _ := json.Marshal([7]Day(d)) // plain strings and numbers: cannot fail
	return string(b)
}

// byWeek is the apprentice's report of a week, wherever it was written; of two
// in a week of change that of the company.
func byWeek(tx *db.Tx, company, sub string, w Week) (Report, error) {
	return db.One(tx, (*Report).fields, `SELECT `+columns+` FROM report WHERE apprentice = $1 AND year = $2 AND week = $3
		ORDER BY CASE WHEN company = $4 THEN 0 ELSE 1 END LIMIT 1`, sub, w.Year, w.Number, company)
}

// Get reads a report for the rules that know who may: package review, and who
// keeps the author's things.
func Get(tx *db.Tx, id string) (Report, error) {
	return db.One(tx, (*Report).fields, `SELECT `+columns+` FROM report WHERE id = $1`, id)
}

// list reads reports, newest week first.
func list(tx *db.Tx, where string, args ...any) ([]Report, error) {
	return db.All(tx, (*Report).fields, `SELECT `+columns+` FROM report WHERE `+where+` ORDER BY year DESC, week DESC`, args...)
}

// Some reads the reports whose ids a query finds, oldest submission first.
func Some(tx *db.Tx, ids string, args ...any) ([]Report, error) {
	return db.All(tx, (*Report).fields, `SELECT `+columns+` FROM report WHERE id IN (`+ids+`) ORDER BY submitted_at, id`, args...)
}

// ScanDays reads the column of days into d.
func ScanDays(d *[7]Day) any { return (*days)(d) }

func insert(tx *db.Tx, r Report) (bool, error) {
	n, err := tx.Exec(`INSERT INTO report (id, apprentice, apprenticeship, company, kind, year, week, first_day, last_day, department, sections, work, instruction, school, days, state, created_at, changed_at, version)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 'draft', $16, $16, 1) ON CONFLICT DO NOTHING`,
		r.ID, r.Apprentice, r.Apprenticeship, r.Company, r.Kind, r.Week.Year, r.Week.Number, r.First, r.Last,
		r.Text.Department, r.Text.Sections, r.Text.Work, r.Text.Instruction, r.Text.School, days(r.Text.Days).String(), tx.Now())
	return n == 1, err
}

func update(tx *db.Tx, r Report, version int) (bool, error) {
	n, err := tx.Exec(`UPDATE report SET department = $1, sections = $2, work = $3, instruction = $4, school = $5, days = $6, changed_at = $7, version = version + 1
		WHERE id = $8 AND version = $9 AND state IN ('draft', 'returned')`,
		r.Text.Department, r.Text.Sections, r.Text.Work, r.Text.Instruction, r.Text.School, days(r.Text.Days).String(), tx.Now(), r.ID, version)
	return n == 1, err
}

// Move changes the state if the condition holds for this version; r becomes
// what is stored then. $1 id, $2 version, $3 now, $4 … more.
func Move(tx *db.Tx, r *Report, set, condition string, version int, more ...any) (bool, error) {
	all, err := db.All(tx, (*Report).fields, fmt.Sprintf(`UPDATE report SET %s, changed_at = $3, version = version + 1
		WHERE id = $1 AND version = $2 AND %s RETURNING `, set, condition)+columns, append([]any{r.ID, version, tx.Now()}, more...)...)
	if err != nil || len(all) == 0 {
		return false, err
	}
	*r = all[0]
	return true, nil
}
