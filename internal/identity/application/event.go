package application

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
)

// An Event is what happened at an application's door, in the words of whoever
// runs it. Like ones of a moment are one event with a count.
type Event struct {
	ID, Application string
	At              db.Time
	Outcome         string // door and code: "authorize.ok", "token.invalid_client" …
	Account         string
	Reason          string   // phrase key; empty: nothing to explain
	Args            []string // of the reason
	Sent            string   // what the application sent, where that explains it
	Times           int
}

// OK reports whether somebody was let in.
func (e Event) OK() bool { return strings.HasSuffix(e.Outcome, ".ok") }

// Detail is what of an event is kept as JSON.
type detail struct {
	Args  []string `json:"args,omitempty"`
	Sent  string   `json:"sent,omitempty"`
	Times int      `json:"times,omitempty"`
}

const (
	// eventDays is how long events are kept, eventMost how many of an application at most.
	eventDays = 30
	eventMost = 1000
)

// Log keeps events.
func Log(tx *db.Tx, events []Event) error {
	for _, e := range events {
		b, err := json.Marshal(detail{e.Args, e.Sent, e.Times})
		if err != nil {
			return err
		}
		// An application may be gone by the time its events are written.
		_, err = tx.Exec(`INSERT INTO application_event (id, application, at, outcome, account, reason, detail)
			SELECT $1, $2, $3, $4, $5, $6, $7 WHERE EXISTS (SELECT 1 FROM application WHERE id = $2)`,
			db.NewID(), e.Application, e.At, e.Outcome, e.Account, e.Reason, string(b))
		if err != nil {
			return fmt.Errorf("log %s: %w", e.Outcome, err)
		}
	}
	return nil
}

// Events are an application's newest ones before another (empty: the very
// newest), at most 100. Operators and the console may look.
func Events(tx *db.Tx, by audit.Actor, applicationID string, failedOnly bool, before string) ([]Event, error) {
	if err := mustOperate(tx, by); err != nil {
		return nil, err
	}
	if before == "" {
		before = "~" // after every id
	}
	only := ""
	if failedOnly {
		only = ` AND outcome NOT LIKE '%.ok'`
	}
	var all []Event
	err := tx.Each(`SELECT id, application, at, outcome, account, reason, detail FROM application_event WHERE application = $1 AND id < $2`+only+` ORDER BY id DESC LIMIT 100`,
		[]any{applicationID, before}, func(scan func(...any) error) error {
			var e Event
			var text string
			if err := scan(&e.ID, &e.Application, &e.At, &e.Outcome, &e.Account, &e.Reason, &text); err != nil {
				return err
			}
			var d detail
			if err := json.Unmarshal([]byte(text), &d); err != nil {
				return fmt.Errorf("event %s: %w", e.ID, err)
			}
			e.Args, e.Sent, e.Times = d.Args, d.Sent, max(1, d.Times)
			all = append(all, e)
			return nil
		})
	return all, err
}

// Failures counts what went wrong at each application in the last 24 hours.
func Failures(tx *db.Tx) (map[string]int, error) {
	failed := map[string]int{}
	err := tx.Each(`SELECT application, count(*) FROM application_event WHERE at > $1 AND outcome NOT LIKE '%.ok' GROUP BY application`, []any{tx.Now().Add(-24 * time.Hour)}, func(scan func(...any) error) error {
		var id string
		var n int
		err := scan(&id, &n)
		failed[id] = n
		return err
	})
	return failed, err
}

// SweepEvents forgets what is older than thirty days, and of a busy
// application what is beyond the last thousand. A periodic job calls it.
func SweepEvents(tx *db.Tx, most int) (int64, error) {
	gone, err := tx.Exec(`DELETE FROM application_event WHERE id IN (SELECT id FROM application_event WHERE at < $1 ORDER BY at LIMIT $2)`, tx.Now().Add(-eventDays*24*time.Hour), most)
	if err != nil || gone >= int64(most) {
		return gone, err
	}
	busy, err := db.Values[string](tx, `SELECT id FROM application ORDER BY id`)
	if err != nil {
		return gone, err
	}
	for _, id := range busy {
		n, err := tx.Exec(`DELETE FROM application_event WHERE id IN (SELECT id FROM application_event WHERE application = $1
			AND id < (SELECT id FROM application_event WHERE application = $1 ORDER BY id DESC LIMIT 1 OFFSET $2) ORDER BY id LIMIT $3)`, id, eventMost-1, int64(most)-gone)
		if gone += n; err != nil || gone >= int64(most) {
			return gone, err
		}
	}
	return gone, nil
}
