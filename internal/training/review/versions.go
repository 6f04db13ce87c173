package review

import (
	"zunft/internal/ground/db"
	"zunft/internal/training/book"
)

// keep stores a report as it was returned.
func keep(tx *db.Tx, r book.Report) error {
	_, err := tx.Exec(`INSERT INTO report_version (report, version, at, department, work, instruction, school, days)
		SELECT id, version, $2, department, work, instruction, school, days FROM report WHERE id = $1`, r.ID, tx.Now())
	return err
}

// A version of a report that was returned.
type version struct {
	report string
	at     db.Time
	text   book.Text
}

func (v *version) fields() []any {
	t := &v.text
	return []any{&v.report, &v.at, &t.Department, &t.Work, &t.Instruction, &t.School, book.ScanDays(&t.Days)}
}

// befores are what was returned last of some reports.
func befores(tx *db.Tx, reports []book.Report) (map[string]version, error) {
	if len(reports) == 0 {
		return nil, nil
	}
	var ids args
	for _, r := range reports {
		ids = append(ids, r.ID)
	}
	all, err := db.All(tx, (*version).fields, `SELECT report, at, department, work, instruction, school, days FROM report_version
		WHERE report IN (`+db.In(1, len(ids))+`) ORDER BY report, version`, ids...)
	found := map[string]version{}
	for _, v := range all {
		found[v.report] = v // the newest comes last
	}
	return found, err
}
