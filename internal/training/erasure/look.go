package erasure

import (
	"cmp"
	"fmt"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/training/calendar"
	"zunft/internal/training/person"
)

// Kept is what is kept of a person.
type Kept struct {
	Sub, Name  string
	Gone       string // person.Purged, person.Asked; empty: is here
	Book       bool   // there are reports or an apprenticeship
	Reports    int
	Drafts     int    // of them, never submitted or taken back: they go at once
	Ends       string // last day of the apprenticeship, as far as it is known
	Until      string // last day on which the book is kept; empty: there is none
	NamedUntil string // so long the name stands beside what they signed; empty: as long as the book
}

// Look says what is kept of somebody, and how long. NotFound: they were never here.
func Look(tx *db.Tx, sub string, years int) (k Kept, err error) {
	k.Sub = sub
	if err := tx.Scan(`SELECT name, gone, named_until FROM person WHERE sub = $1`, []any{sub}, &k.Name, &k.Gone, &k.NamedUntil); err != nil {
		return k, err
	}
	var written, agreed string
	var rows int
	// A day of an apprenticeship of which nobody said the end: that of its last report, or on which it came.
	if err := tx.Scan(`SELECT count(*), COALESCE(sum(CASE WHEN state = 'draft' THEN 1 ELSE 0 END), 0), COALESCE(max(last_day), '') FROM report WHERE apprentice = $1`, []any{sub}, &k.Reports, &k.Drafts, &written); err != nil {
		return k, err
	}
	if err := tx.Scan(`SELECT count(*), COALESCE(max(CASE WHEN ended_on <> '' THEN ended_on ELSE ends_on END), '') FROM apprenticeship WHERE person = $1`, []any{sub}, &rows, &agreed); err != nil {
		return k, err
	}
	if k.Book = k.Reports+rows > 0; !k.Book {
		return k, nil
	}
	k.Ends = max(written, agreed)
	if k.Ends == "" {
		at, err := db.Value[db.Time](tx, `SELECT created_at FROM apprenticeship WHERE person = $1 ORDER BY created_at DESC LIMIT 1`, sub)
		if err != nil {
			return k, err
		}
		k.Ends = string(calendar.Today(at))
	}
	k.Until = lastOf(calendar.Date(k.Ends), years)
	return k, nil
}

// Find is whose an apprenticeship of a chamber's number is, and its id. The
// person is empty if nobody came for it yet.
func Find(tx *db.Tx, chamber, number string) (apprenticeship, sub string, err error) {
	var who *string
	err = tx.Scan(`SELECT id, person FROM apprenticeship WHERE chamber_number = $1 AND number = $2 AND number <> '' ORDER BY person IS NULL, id LIMIT 1`, []any{chamber, number}, &apprenticeship, &who)
	if who != nil {
		sub = *who
	}
	return apprenticeship, sub, err
}

// Forget erases a person because they asked the operator for it (Art. 17): what
// has no ground at once, the book when its time is over, or, if now, also
// before: that somebody must not keep it longer is for the controller to say
// (Art. 17 (3) b). They may sign in again, and begin anew.
func Forget(tx *db.Tx, by audit.Actor, sub string, years int, now bool) (Kept, error) {
	if by.Kind != audit.Command {
		return Kept{}, fault.Forbidden()
	}
	if _, err := person.Get(tx, sub); err != nil {
		return Kept{}, err
	}
	if err := leave(tx, by, sub, person.Asked, years); err != nil {
		return Kept{}, err
	}
	if now { // nothing that is kept needs the name any more than the book
		if _, err := tx.Exec(`UPDATE person SET named_until = '' WHERE sub = $1`, sub); err != nil {
			return Kept{}, err
		}
	}
	if err := look(tx, by, sub, years, now); err != nil {
		return Kept{}, err
	}
	return Look(tx, sub, years)
}

// over are apprenticeships that nobody ever came for, whose time is over.
const over = ` FROM apprenticeship a WHERE a.person IS NULL AND (CASE WHEN a.ended_on <> '' THEN a.ended_on ELSE a.ends_on END) BETWEEN '1' AND $1
	AND NOT EXISTS (SELECT 1 FROM report r WHERE r.apprenticeship = a.id)`

// eraseUnknown erases what the registry or a company said of people who never
// came, when its time is over.
func eraseUnknown(tx *db.Tx, years, most int) (int64, error) {
	before := fmt.Sprintf("%04d-12-31", calendar.Today(tx.Now()).Time().Year()-years-1)
	ids, err := db.Values[string](tx, `SELECT a.id`+over+` ORDER BY a.id LIMIT $2`, before, most)
	if err != nil {
		return 0, err
	}
	for _, id := range ids {
		if err := eraseApprenticeship(tx, audit.Job, id); err != nil {
			return 0, err
		}
	}
	return int64(len(ids)), nil
}

func eraseApprenticeship(tx *db.Tx, by audit.Actor, id string) error {
	if _, err := tx.Exec(`UPDATE apprenticeship SET previous = NULL WHERE previous = $1`, id); err != nil {
		return err
	}
	var company, chamber string
	err := tx.Scan(`DELETE FROM apprenticeship WHERE id = $1 AND person IS NULL RETURNING COALESCE(company, ''), chamber_number`, []any{id}, &company, &chamber)
	if err != nil {
		return fmt.Errorf("erase apprenticeship %s: %w", id, err)
	}
	return audit.Record(tx, by, audit.Entry{Event: "apprenticeship.erased", Organization: company, Chamber: chamber, Thing: id})
}

// ForgetUnknown erases an apprenticeship that nobody came for, when its time is
// over, or, if now, before. It says until when it is kept otherwise.
func ForgetUnknown(tx *db.Tx, by audit.Actor, id string, years int, now bool) (until string, err error) {
	if by.Kind != audit.Command {
		return "", fault.Forbidden()
	}
	var ends, agreed string
	var created db.Time
	if err := tx.Scan(`SELECT ended_on, ends_on, created_at FROM apprenticeship WHERE id = $1 AND person IS NULL`, []any{id}, &ends, &agreed, &created); err != nil {
		return "", err
	}
	until = lastOf(calendar.Date(cmp.Or(ends, agreed, string(calendar.Today(created)))), years)
	if !now && string(calendar.Today(tx.Now())) <= until {
		return until, nil
	}
	return "", eraseApprenticeship(tx, by, id)
}
