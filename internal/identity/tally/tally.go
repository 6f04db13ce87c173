// Package tally counts what a chamber has to do and what it has done.
//
// Queues are the work list of the desk: of each queue how many wait and since
// when the oldest does. They are read live, each from its own index, and no
// queue is counted further than a thousand.
//
// Statistics are read from figures that a job makes once an hour, by month: a
// page of figures costs the same for ten companies and for a hundred thousand.
// A median of hours says more about waiting than a mean does; of people and
// companies only numbers are kept.
package tally

import (
	"strings"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/chamber"
)

// Most is as far as a queue is counted.
const Most = 1000

// A Queue is a pile of work.
type Queue struct {
	Key    string
	Count  int     // at most Most
	Oldest db.Time // zero: nothing waits
}

// More reports whether there are more than were counted.
func (q Queue) More() bool { return q.Count >= Most }

// queues: the key, and since when each thing waits. $1 is the chamber, $2 the
// clerk who asks.
var queues = []struct{ key, from string }{
	{"registrations", `SELECT submitted_at AS at FROM registration WHERE chamber = $1 AND state IN ('submitted', 'second')`},
	{"mine", `SELECT submitted_at AS at FROM registration WHERE clerk = $2 AND chamber = $1 AND state IN ('submitted', 'asked_back', 'second')`},
	{"asked_back", `SELECT submitted_at AS at FROM registration WHERE chamber = $1 AND state = 'asked_back'`},
	{"samples", `SELECT decided_at AS at FROM registration WHERE chamber = $1 AND sampled AND sampled_at IS NULL`},
	{"names", `SELECT submitted_at AS at FROM name_correction WHERE chamber = $1 AND state = 'submitted'`},
	{"recoveries", `SELECT submitted_at AS at FROM recovery WHERE chamber = $1 AND state = 'submitted'`},
	{"letters", `SELECT created_at AS at FROM letter WHERE chamber = $1 AND state = 'queued'`},
	{"batches", `SELECT printed_at AS at FROM letter_batch WHERE chamber = $1 AND dispatched_at IS NULL`},
	{"returned", `SELECT l.ended_at AS at FROM letter l WHERE l.chamber = $1 AND l.state = 'returned' AND NOT EXISTS (SELECT 1 FROM letter n WHERE n.organization = l.organization AND n.kind = l.kind AND n.id > l.id)`},
	{"sites", `SELECT s.created_at AS at FROM site s JOIN organization o ON o.id = s.organization WHERE s.state = 'asked' AND o.chamber = $1`},
	{"successions", `SELECT created_at AS at FROM succession WHERE chamber = $1 AND state = 'objected'`},
	{"mandates", `SELECT m.accepted_at AS at FROM mandate m JOIN organization o ON o.id = m.principal WHERE m.state = 'accepted' AND o.chamber = $1`},
	{"overdue", `SELECT r.chamber_at AS at FROM request r JOIN organization o ON o.id = r.organization WHERE r.chamber_at IS NOT NULL AND r.state IN ('open', 'claimed') AND o.chamber = $1`},
}

// Queues is the whole work list in one statement.
func Queues(tx *db.Tx, by audit.Actor, chamberID string) ([]Queue, error) {
	if err := chamber.MustClerk(tx, by, chamberID); err != nil {
		return nil, err
	}
	var parts []string
	for _, q := range queues {
		parts = append(parts, `SELECT '`+q.key+`', count(*), min(at) FROM (`+q.from+` LIMIT 1000) AS waiting`)
	}
	found, err := db.All(tx, func(q *Queue) []any { return []any{&q.Key, &q.Count, &q.Oldest} }, strings.Join(parts, ` UNION ALL `), chamberID, by.Account)
	if err != nil {
		return nil, err
	}
	return found, nil
}
