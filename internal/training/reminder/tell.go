package reminder

import (
	"context"
	"slices"
	"unicode/utf8"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/training/book"
	"zunft/internal/training/calendar"
	"zunft/internal/training/person"
)

type noted struct {
	person, company, apprenticeship string
	since                           calendar.Date
}

func (n *noted) fields() []any {
	return []any{&n.person, &n.company, &n.apprenticeship, &n.since}
}

// note keeps the silences of those whose row is ours.
func note(tx *db.Tx, all []noted, mine []string) error {
	var rows []any
	for _, n := range all {
		if _, ours := slices.BinarySearch(mine, n.person); ours {
			rows = append(rows, n.person, n.since, n.company, n.apprenticeship, tx.Now())
		}
	}
	if len(rows) == 0 {
		return nil
	}
	_, err := tx.Exec(`INSERT INTO silence (person, since, company, apprenticeship, noted_at) VALUES `+db.Rows(len(rows)/5, 5)+` ON CONFLICT (person, since) DO NOTHING`, rows...)
	return err
}

// tellTrainers tells who accompanies the silent, a company at a time and each
// of them once for all; where nobody does, the training admins.
func tellTrainers(ctx context.Context, d *db.DB) error {
	for {
		found, err := is(ctx, d, `SELECT EXISTS (SELECT 1 FROM silence WHERE told_at IS NULL)`)
		if err != nil || !found {
			return err
		}
		err = d.Write(ctx, func(tx *db.Tx) error {
			company, err := db.Values[string](tx, `SELECT company FROM silence WHERE told_at IS NULL ORDER BY company LIMIT 1`)
			if err != nil || len(company) == 0 { // another node was first
				return err
			}
			return tell(tx, company[0])
		})
		if err != nil {
			return err
		}
	}
}

func tell(tx *db.Tx, company string) error {
	all, err := db.All(tx, (*noted).fields, `UPDATE silence SET told_at = $1 WHERE told_at IS NULL AND company = $2 RETURNING person, company, apprenticeship, since`, tx.Now(), company)
	if err != nil {
		return err
	}
	var subs []string
	for _, n := range all {
		subs = append(subs, n.person)
	}
	writers, err := person.These(tx, subs)
	if err != nil {
		return err
	}
	at := map[string]int{}
	var letters []letter
	for _, w := range writers { // by name
		for _, n := range all {
			if n.person != w.Sub {
				continue
			}
			people, err := toldOf(tx, n)
			if err != nil {
				return err
			}
			for _, p := range people {
				i, there := at[p.Sub]
				if !there {
					i, at[p.Sub] = len(letters), len(letters)
					letters = append(letters, letter{p, "silent", map[string]any{"Name": p.Name}})
				}
				said := map[string]any{"Who": short(w), "Weeks": (n.since.Days(calendar.Today(tx.Now())) - 1) / 7, "Since": n.since.German()}
				lines, _ := letters[i].data["Silent"].([]map[string]any)
				letters[i].data["Silent"] = append(lines, said)
			}
			if err := audit.Record(tx, audit.Job, audit.Entry{Event: "silence.told", Account: n.person, Organization: n.company, Thing: n.apprenticeship, Detail: map[string]any{"since": n.since, "people": len(people)}}); err != nil {
				return err
			}
		}
	}
	for _, l := range letters {
		if err := texts.Send(tx, l.to.Mail(), l.name, l.data); err != nil {
			return err
		}
	}
	return nil
}

func toldOf(tx *db.Tx, n noted) ([]person.Person, error) {
	people, err := book.Accompanying(tx, n.apprenticeship, n.company, book.First)
	if people = person.Here(tx, people); err == nil && len(people) == 0 {
		people, err = person.With(tx, n.company, person.TrainingAdmin)
	}
	return slices.DeleteFunc(people, func(p person.Person) bool { return p.Sub == n.person || p.Email == "" }), err
}

// short is "Lena B.": a name in a mail's subject.
func short(p person.Person) string {
	name := p.Name
	if p.GivenName != "" && p.FamilyName != "" {
		first, _ := utf8.DecodeRuneInString(p.FamilyName)
		name = p.GivenName + " " + string(first) + "."
	}
	if r := []rune(name); len(r) > 24 {
		name = string(r[:23]) + "…"
	}
	return name
}
