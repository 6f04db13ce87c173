package book

import (
	"fmt"

	"zunft/internal/ground/db"
	"zunft/internal/training/calendar"
)

// Between are a person's reports that touch the days from first to last, oldest
// first; empty days are no bound, an empty company is all of them. Callers have
// asked who may read them. A book of three years has 160.
func Between(tx *db.Tx, sub, company string, first, last calendar.Date) ([]Report, error) {
	if last == "" {
		last = "9999-12-31"
	}
	all, err := db.All(tx, (*Report).fields, `SELECT `+columns+` FROM report WHERE apprentice = $1 AND last_day >= $2 AND first_day <= $3 AND ($4 = '' OR company = $4)
		ORDER BY year, week, first_day, id LIMIT 600`, sub, first, last, company)
	if err != nil {
		return nil, fmt.Errorf("reports of %s: %w", sub, err)
	}
	return all, nil
}

// Histories are what happened to the reports that Between finds, by report,
// newest first, in one question.
func Histories(tx *db.Tx, sub, company string, first, last calendar.Date) (map[string][]Event, error) {
	if last == "" {
		last = "9999-12-31"
	}
	all := map[string][]Event{}
	err := tx.Each(`SELECT e.report, e.at, e.event, p.name, e.text, e.person = $1 FROM report r JOIN report_event e ON e.report = r.id JOIN person p ON p.sub = e.person
		WHERE r.apprentice = $1 AND r.last_day >= $2 AND r.first_day <= $3 AND ($4 = '' OR r.company = $4) ORDER BY e.report, e.id DESC`,
		[]any{sub, first, last, company}, func(scan func(...any) error) error {
			var report string
			var e Event
			err := scan(&report, &e.At, &e.Kind, &e.Person, &e.Text, &e.Apprentice)
			all[report] = append(all[report], e)
			return err
		})
	return all, err
}
