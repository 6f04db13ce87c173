package reminder

import (
	"fmt"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/seal"
	"zunft/internal/training/calendar"
	"zunft/internal/training/person"
	"zunft/internal/training/standing"
)

// A Feed is the calendar that somebody's programs read without a sign-in. Who
// knows its address sees numbers of weeks and days, and nothing anybody wrote.
type Feed struct {
	ID, Person        string
	CreatedAt, UsedAt db.Time
}

func (f *Feed) fields() []any { return []any{&f.ID, &f.Person, &f.CreatedAt, &f.UsedAt} }

const feeds = `SELECT id, person, created_at, used_at FROM calendar_feed `

// FeedOf is the actor's calendar; false: they have none.
func FeedOf(tx *db.Tx, by audit.Actor) (Feed, bool, error) {
	s, err := person.Author(tx, by)
	if err != nil {
		return Feed{}, false, err
	}
	f, err := db.One(tx, (*Feed).fields, feeds+`WHERE person = $1 AND ended_at IS NULL`, s.Person.Sub)
	if fault.Is(err, fault.KindNotFound) {
		return f, false, nil
	}
	return f, err == nil, err
}

// Open makes a calendar for the actor; the secret of its address is shown once
// and nowhere kept. One that they had before ends.
func Open(tx *db.Tx, by audit.Actor) (secret string, err error) {
	s, err := person.Author(tx, by)
	if err != nil {
		return "", err
	}
	if err := shut(tx, by, s); err != nil {
		return "", err
	}
	secret = seal.Token()
	id := db.NewID()
	n, err := tx.Exec(`INSERT INTO calendar_feed (id, token_hash, person, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT (person) WHERE ended_at IS NULL DO NOTHING`, id, seal.Hash(secret), s.Person.Sub, tx.Now())
	if err != nil {
		return "", fmt.Errorf("open calendar: %w", err)
	}
	if n == 0 { // pressed in two windows at once
		return "", fault.Conflict("reminder.calendar_there")
	}
	return secret, audit.Record(tx, by, audit.Entry{Event: "calendar.opened", Account: s.Person.Sub, Organization: s.Company.ID, Thing: id})
}

// Shut ends the actor's calendar. Twice is harmless.
func Shut(tx *db.Tx, by audit.Actor) error {
	s, err := person.Author(tx, by)
	if err != nil {
		return err
	}
	return shut(tx, by, s)
}

func shut(tx *db.Tx, by audit.Actor, s person.Session) error {
	ended, err := db.Values[string](tx, `UPDATE calendar_feed SET ended_at = $1 WHERE person = $2 AND ended_at IS NULL RETURNING id`, tx.Now(), s.Person.Sub)
	for _, id := range ended {
		if err := audit.Record(tx, by, audit.Entry{Event: "calendar.shut", Account: s.Person.Sub, Organization: s.Company.ID, Thing: id}); err != nil {
			return err
		}
	}
	return err
}

// A Due week of a calendar.
type Due struct {
	Week     calendar.Week
	Day      calendar.Date // the last in time
	Returned bool
	Open     bool // late
}

const ahead = 12 // weeks to come that a calendar shows

// ReadFeed finds whose calendar an address is, and the weeks in it that wait or
// come; anything else is fault.NotFound, also if they keep no book any more.
func ReadFeed(tx *db.Tx, secret string) (f Feed, p person.Person, weeks []Due, err error) {
	if len(secret) != len(seal.Token()) {
		return f, p, nil, fault.NotFound()
	}
	f, err = db.One(tx, (*Feed).fields, feeds+`WHERE token_hash = $1 AND ended_at IS NULL
		AND EXISTS (SELECT 1 FROM company_role c WHERE c.person = calendar_feed.person AND c.role IN ('apprentice', 'retrainee'))`, seal.Hash(secret))
	if err != nil {
		return f, p, nil, err
	}
	if p, err = person.Get(tx, f.Person); err != nil {
		return f, p, nil, err
	}
	books, err := standing.Books(tx, []string{f.Person})
	if err != nil {
		return f, p, nil, err
	}
	b, there := books[f.Person]
	if !there || !b.Electronic {
		return f, p, nil, nil
	}
	for _, c := range b.Cells {
		switch c.State {
		case standing.Missing, standing.Empty, standing.Now, "draft", "returned":
			weeks = append(weeks, Due{c.Week, b.Due(c.Week), c.State == "returned", c.Open})
		}
	}
	for w, n := calendar.WeekOf(tx.Now()).Add(1), 0; n < ahead; w, n = w.Add(1), n+1 {
		if c := b.Cell(w); c.State == standing.Future {
			weeks = append(weeks, Due{Week: w, Day: b.Due(w)})
		}
	}
	return f, p, weeks, nil
}

// usedEach is how often it is noted that a calendar was read.
const usedEach = time.Hour

// Stale reports whether it should be noted that the calendar was read.
func (f Feed) Stale(now db.Time) bool { return now.Sub(f.UsedAt) > usedEach }

// Used notes that a calendar was read.
func Used(tx *db.Tx, f Feed) error {
	_, err := tx.Exec(`UPDATE calendar_feed SET used_at = $1 WHERE id = $2`, tx.Now(), f.ID)
	return err
}
