package share

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/training/person"
)

func (s *Share) fields() []any {
	return []any{
		&s.ID, &s.Person, &s.Name, &s.ChamberNumber, &s.Ground, &s.State, &s.Reason, &s.AskedAt, &s.AskedBy, &s.OpenedAt, &s.OpenedBy, &s.UntilAt, &s.EndedAt, &s.clerk,
	}
}

const shares = `SELECT s.id, s.person, p.name, s.chamber_number, s.ground, s.state, s.reason, s.asked_at, COALESCE(a.name, ''), s.opened_at, COALESCE(o.name, ''), s.until_at, s.ended_at, COALESCE(s.asked_by, '')
	FROM share s JOIN person p ON p.sub = s.person LEFT JOIN person a ON a.sub = s.asked_by LEFT JOIN person o ON o.sub = s.opened_by `

func get(tx *db.Tx, id string) (Share, error) {
	return db.One(tx, (*Share).fields, shares+`WHERE s.id = $1`, id)
}

func mine(tx *db.Tx, s person.Session, id string) (Share, error) {
	sh, err := get(tx, id)
	if err == nil && sh.Person != s.Person.Sub {
		err = fault.NotFound()
	}
	return sh, err
}

// owner is the apprentice and the chamber of their newest apprenticeship.
func owner(tx *db.Tx, by audit.Actor) (person.Session, string, error) {
	s, err := person.Author(tx, by)
	if err != nil {
		return s, "", err
	}
	numbers, err := db.Values[string](tx, `SELECT chamber_number FROM apprenticeship WHERE person = $1 AND chamber_number <> '' ORDER BY starts_on DESC, id DESC LIMIT 1`, s.Person.Sub)
	if err != nil {
		return s, "", err
	}
	if len(numbers) > 0 {
		return s, numbers[0], nil
	}
	if s.Company.ChamberNumber == "" {
		return s, "", fault.Conflict("share.no_chamber")
	}
	return s, s.Company.ChamberNumber, nil
}

// open begins a look, or gives the one that runs its new end and ground: what
// the law opened stays so, and no end comes nearer.
func open(tx *db.Tx, s Share, by string, until db.Time) (string, error) {
	id, err := db.Value[string](tx, `INSERT INTO share (id, person, chamber_number, ground, state, reason, opened_at, opened_by, until_at)
		VALUES ($1, $2, $3, $4, 'open', $5, $6, $7, $8)
		ON CONFLICT (person, chamber_number, state) WHERE state IN ('asked', 'open')
		DO UPDATE SET until_at = CASE WHEN share.until_at > excluded.until_at THEN share.until_at ELSE excluded.until_at END,
			ground = CASE WHEN excluded.ground = 'consent' THEN share.ground ELSE excluded.ground END,
			reason = CASE WHEN excluded.reason = '' THEN share.reason ELSE excluded.reason END
		RETURNING id`, s.ID, s.Person, s.ChamberNumber, s.Ground, s.Reason, tx.Now(), by, until)
	if err != nil {
		return "", fmt.Errorf("open share: %w", err)
	}
	return id, nil
}

// expire notes that the time of a look is over.
func expire(tx *db.Tx, sub, chamber string) error {
	_, err := tx.Exec(`UPDATE share SET state = 'ended', ended_at = until_at WHERE person = $1 AND chamber_number = $2 AND state = 'open' AND until_at <= $3`, sub, chamber, tx.Now())
	return err
}

// answered closes the question that a grant answers, if there is one.
func answered(tx *db.Tx, sub, chamber string) (Share, error) {
	all, err := db.All(tx, func(s *Share) []any { return []any{&s.ID, &s.Reason, &s.clerk} },
		`UPDATE share SET state = 'ended', ended_at = $1, ended_by = $2 WHERE person = $2 AND chamber_number = $3 AND state = 'asked' RETURNING id, reason, asked_by`, tx.Now(), sub, chamber)
	if err != nil || len(all) == 0 {
		return Share{}, err
	}
	return all[0], nil
}

// shown is how many shares and looks their owner reads.
const shown = 50

// Mine are the newest shares of the actor's book.
func Mine(tx *db.Tx, by audit.Actor) ([]Share, error) {
	s, err := person.Author(tx, by)
	if err != nil {
		return nil, err
	}
	return db.All(tx, (*Share).fields, shares+`WHERE s.person = $1 ORDER BY s.id DESC LIMIT $2`, s.Person.Sub, shown)
}

// A Seen is one look, as the apprentice reads it.
type Seen struct {
	At   db.Time
	Name string
	Week string // empty: the year
}

// Seens are the newest looks into the actor's book.
func Seens(tx *db.Tx, by audit.Actor) ([]Seen, error) {
	s, err := person.Author(tx, by)
	if err != nil {
		return nil, err
	}
	return db.All(tx, func(l *Seen) []any { return []any{&l.At, &l.Name, &l.Week} },
		`SELECT l.at, p.name, l.week FROM share s JOIN share_look l ON l.share = s.id JOIN person p ON p.sub = l.person WHERE s.person = $1 ORDER BY l.id DESC LIMIT $2`,
		s.Person.Sub, shown)
}

// Asked counts the questions that the actor has not answered.
func Asked(tx *db.Tx, sub string) (int, error) {
	return db.Value[int](tx, `SELECT count(*) FROM share WHERE person = $1 AND state = 'asked'`, sub)
}

// Running are the looks of the clerk's chamber that are asked for or run, the
// newest first, a page at a time.
func Running(tx *db.Tx, by audit.Actor, before string) ([]Share, error) {
	s, err := person.Clerk(tx, by)
	if err != nil {
		return nil, err
	}
	if before == "" {
		before = "~" // after every id
	}
	return db.All(tx, (*Share).fields, shares+`WHERE s.chamber_number = $1 AND s.id < $2 AND s.state IN ('asked', 'open') AND (s.until_at IS NULL OR s.until_at > $3) ORDER BY s.id DESC LIMIT $4`,
		s.Chamber(), before, tx.Now(), Page)
}

// Page is how many lines a page of the chamber shows.
const Page = 50

// A Found is an apprenticeship that a clerk looked for.
type Found struct {
	ID, Person, Name, Number, Company, Occupation string
	Open                                          string // id of the look that runs; empty: none
}

// Find looks for apprenticeships of the clerk's chamber: by apprentice number,
// or by family name, also with the given name.
func Find(tx *db.Tx, by audit.Actor, text string) ([]Found, error) {
	s, err := person.Clerk(tx, by)
	if err != nil {
		return nil, err
	}
	words := strings.Fields(text)
	if len(words) == 0 || len(text) > 200 {
		return nil, nil
	}
	family, given := words[len(words)-1], strings.Join(words[:len(words)-1], " ")
	return db.All(tx, func(f *Found) []any {
		return []any{&f.ID, &f.Person, &f.Name, &f.Number, &f.Company, &f.Occupation, &f.Open}
	}, `SELECT a.id, COALESCE(a.person, ''), a.given_name || ' ' || a.family_name, a.number, COALESCE(c.name, ''), a.occupation, COALESCE(s.id, '')
		FROM apprenticeship a LEFT JOIN company c ON c.id = a.company
			LEFT JOIN share s ON s.person = a.person AND s.chamber_number = a.chamber_number AND s.state = 'open' AND s.until_at > $6
		WHERE a.chamber_number = $1 AND (a.id IN (SELECT id FROM apprenticeship WHERE chamber_number = $1 AND number = $2 AND number <> '')
			OR a.id IN (SELECT id FROM apprenticeship WHERE chamber_number = $1 AND family_name IN ($3, $4, $2, $8) ORDER BY name_key, id LIMIT $7) AND (a.given_name = $5 OR $5 = '' OR a.family_name IN ($2, $8)))
		ORDER BY a.name_key, a.id LIMIT $7`, s.Chamber(), strings.TrimSpace(text), family, title(family), title(given), tx.Now(), Page, title(strings.Join(words, " ")))
}

// Apprenticeship is one that a clerk of its chamber found.
func Apprenticeship(tx *db.Tx, by audit.Actor, id string) (f Found, err error) {
	s, err := person.Clerk(tx, by)
	if err != nil {
		return f, err
	}
	return db.One(tx, func(f *Found) []any { return []any{&f.ID, &f.Person, &f.Name, &f.Number, &f.Company, &f.Occupation} },
		`SELECT a.id, COALESCE(a.person, ''), a.given_name || ' ' || a.family_name, a.number, COALESCE(c.name, ''), a.occupation
		FROM apprenticeship a LEFT JOIN company c ON c.id = a.company WHERE a.id = $1 AND a.chamber_number = $2`, id, s.Chamber())
}

// Of is a look of the clerk's chamber, without looking.
func Of(tx *db.Tx, by audit.Actor, id string) (Share, error) {
	s, err := person.Clerk(tx, by)
	if err != nil {
		return Share{}, err
	}
	sh, err := get(tx, id)
	if err == nil && sh.ChamberNumber != s.Chamber() {
		err = fault.NotFound()
	}
	return sh, err
}

// Open reports whether a look runs now, whoever asks: for work that goes on after
// somebody looked.
func Open(tx *db.Tx, id string) (bool, error) {
	return db.Value[bool](tx, `SELECT EXISTS (SELECT 1 FROM share WHERE id = $1 AND state = 'open' AND until_at > $2)`, id, tx.Now())
}

// title writes the first letter of each word large, as names are.
func title(s string) string {
	first := true
	return strings.Map(func(r rune) rune {
		up := first
		first = r == ' ' || r == '-'
		if up {
			return unicode.ToUpper(r)
		}
		return r
	}, s)
}

// kept is how long an ended look and who looked are kept.
const kept = 365 * 24 * time.Hour

// Sweep ends looks whose time is over, and forgets those that ended a year ago.
// A periodic job calls it.
func Sweep(ctx context.Context, d *db.DB) error {
	err := d.Batches(ctx, func(tx *db.Tx, most int) (int64, error) {
		return tx.Exec(`UPDATE share SET state = 'ended', ended_at = until_at WHERE id IN (SELECT id FROM share WHERE state = 'open' AND until_at <= $1 ORDER BY until_at LIMIT $2)`, tx.Now(), most)
	})
	if err != nil {
		return fmt.Errorf("end shares: %w", err)
	}
	return d.Batches(ctx, func(tx *db.Tx, most int) (int64, error) {
		return tx.Exec(`DELETE FROM share WHERE id IN (SELECT id FROM share WHERE ended_at < $1 ORDER BY ended_at LIMIT $2)`, tx.Now().Add(-kept), most)
	})
}
