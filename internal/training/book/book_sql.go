package book

import (
	"fmt"

	"zunft/internal/ground/db"
)

const columns = `id, apprentice, company, year, week, department, work, instruction, school, state, answer, submitted_at, decided_at, decided_by, changed_at, version, approver`

func (r *Report) fields() []any {
	return []any{
		&r.ID, &r.Apprentice, &r.Company, &r.Week.Year, &r.Week.Number, &r.Text.Department, &r.Text.Work, &r.Text.Instruction, &r.Text.School,
		&r.State, &r.Answer, &r.SubmittedAt, &r.DecidedAt, &r.DecidedBy, &r.ChangedAt, &r.Version, &r.Approver,
	}
}

func byWeek(tx *db.Tx, company, sub string, w Week) (Report, error) {
	return withDays(tx, `company = $1 AND apprentice = $2 AND year = $3 AND week = $4`, company, sub, w.Year, w.Number)
}

func byID(tx *db.Tx, id string) (Report, error) { return withDays(tx, `id = $1`, id) }

func withDays(tx *db.Tx, where string, args ...any) (Report, error) {
	r, err := db.One(tx, (*Report).fields, `SELECT `+columns+` FROM report WHERE `+where, args...)
	if err != nil {
		return r, err
	}
	err = tx.Each(`SELECT day, attendance, text FROM report_day WHERE report = $1`, []any{r.ID}, func(scan func(...any) error) error {
		var day int
		var d Day
		if err := scan(&day, &d.Attendance, &d.Text); err != nil {
			return err
		}
		r.Text.Days[day-1] = d
		return nil
	})
	return r, err
}

// list reads reports without their days, newest week first.
func list(tx *db.Tx, where string, args ...any) ([]Report, error) {
	return db.All(tx, (*Report).fields, `SELECT `+columns+` FROM report WHERE `+where+` ORDER BY year DESC, week DESC`, args...)
}

func insert(tx *db.Tx, r Report) (bool, error) {
	n, err := tx.Exec(`INSERT INTO report (id, apprentice, company, year, week, department, work, instruction, school, state, created_at, changed_at, version)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'draft', $10, $10, 1) ON CONFLICT (apprentice, company, year, week) DO NOTHING`,
		r.ID, r.Apprentice, r.Company, r.Week.Year, r.Week.Number, r.Text.Department, r.Text.Work, r.Text.Instruction, r.Text.School, tx.Now())
	return n == 1, err
}

func update(tx *db.Tx, r Report, version int) (bool, error) {
	n, err := tx.Exec(`UPDATE report SET department = $1, work = $2, instruction = $3, school = $4, changed_at = $5, version = version + 1
		WHERE id = $6 AND version = $7 AND state IN ('draft', 'returned')`,
		r.Text.Department, r.Text.Work, r.Text.Instruction, r.Text.School, tx.Now(), r.ID, version)
	return n == 1, err
}

func saveDays(tx *db.Tx, r Report) error {
	if _, err := tx.Exec(`DELETE FROM report_day WHERE report = $1`, r.ID); err != nil {
		return err
	}
	for i, d := range r.Text.Days {
		if d == (Day{}) {
			continue
		}
		if _, err := tx.Exec(`INSERT INTO report_day (report, day, attendance, text) VALUES ($1, $2, $3, $4)`, r.ID, i+1, d.Attendance, d.Text); err != nil {
			return err
		}
	}
	return nil
}

// move changes the state if the condition holds for this version; r becomes
// what is stored then. $1 id, $2 version, $3 now, $4 … more.
func move(tx *db.Tx, r *Report, set, condition string, version int, more ...any) (bool, error) {
	all, err := db.All(tx, (*Report).fields, fmt.Sprintf(`UPDATE report SET %s, changed_at = $3, version = version + 1
		WHERE id = $1 AND version = $2 AND %s RETURNING `, set, condition)+columns, append([]any{r.ID, version, tx.Now()}, more...)...)
	if err != nil || len(all) == 0 {
		return false, err
	}
	days := r.Text.Days
	*r = all[0]
	r.Text.Days = days
	return true, nil
}
