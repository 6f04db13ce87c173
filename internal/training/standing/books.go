package standing

import (
	"fmt"
	"slices"

	"zunft/internal/ground/db"
	"zunft/internal/training/apprenticeship"
	"zunft/internal/training/bookform"
	"zunft/internal/training/calendar"
	"zunft/internal/training/outage"
)

// Books reads the books of some people as they see them themselves, without who
// decided and why. It asks four questions, however many there are; callers ask
// for a batch at a time.
func Books(tx *db.Tx, subs []string) (map[string]Book, error) {
	if len(subs) == 0 {
		return nil, nil
	}
	args := make([]any, len(subs))
	for i, s := range subs {
		args[i] = s
	}
	books := make(map[string]Book, len(subs))
	all, err := db.All(tx, owned, own+`WHERE person IN (`+db.In(1, len(args))+`) ORDER BY starts_on, id`, args...)
	if err != nil {
		return nil, fmt.Errorf("books: %w", err)
	}
	var companies []string
	for _, a := range all {
		b := books[a.Person]
		b.Apprenticeships = append(b.Apprenticeships, a)
		books[a.Person] = b
		companies = append(companies, a.Company)
	}
	kept, err := keptBy(tx, companies)
	if err != nil {
		return nil, fmt.Errorf("books: %w", err)
	}
	lost, err := outage.Lost(tx)
	if err != nil {
		return nil, err
	}
	now := len(args) + 1
	err = tx.Each(`SELECT apprentice, id, year, week, first_day, last_day, CASE WHEN undo_until > `+db.In(now, 1)+` THEN 'checked' ELSE state END, kind, submitted_at
		FROM report WHERE apprentice IN (`+db.In(1, len(args))+`) ORDER BY apprentice, year, week`, append(args, tx.Now()), func(scan func(...any) error) error {
		var sub string
		var l Line
		if err := scan(&sub, &l.ID, &l.Week.Year, &l.Week.Number, &l.First, &l.Last, &l.State, &l.Kind, &l.SubmittedAt); err != nil {
			return err
		}
		b := books[sub]
		b.Reports = append(b.Reports, l)
		books[sub] = b
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("books: %w", err)
	}
	today := calendar.Today(tx.Now())
	for sub, b := range books {
		set := kept.of(b.Running())
		b.Lost, b.Electronic = lost, set.Electronic
		b.fill(today, set.DueDays)
		books[sub] = b
	}
	return books, nil
}

// kept is how companies keep their books, by company and occupation.
type kept map[[2]string]bookform.Settings

// of is what holds for an apprenticeship, as bookform.Of says.
func (k kept) of(a apprenticeship.Apprenticeship) bookform.Settings {
	for _, occupation := range []string{a.Occupation, ""} {
		if s, said := k[[2]string{a.Company, occupation}]; said {
			return s
		}
	}
	return bookform.Defaults
}

// keptBy reads it for some companies, in one question.
func keptBy(tx *db.Tx, companies []string) (kept, error) {
	companies = slices.Compact(slices.Sorted(slices.Values(companies)))
	if len(companies) == 0 {
		return nil, nil
	}
	args := make([]any, len(companies))
	for i, c := range companies {
		args[i] = c
	}
	k := kept{}
	return k, tx.Each(`SELECT company, occupation, electronic, mode, steps, due_days FROM company_setting WHERE company IN (`+db.In(1, len(args))+`)`, args,
		func(scan func(...any) error) error {
			var company, occupation string
			var s bookform.Settings
			err := scan(&company, &occupation, &s.Electronic, &s.Mode, &s.Steps, &s.DueDays)
			k[[2]string{company, occupation}] = s
			return err
		})
}
