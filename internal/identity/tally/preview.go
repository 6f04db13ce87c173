package tally

import (
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/chamber"
)

// An Effect is what other settings would do to what waits today; no more than
// the first thousand of a kind are counted.
type Effect struct {
	Open, FourEyes, Automatic, Active int // of open registrations: their number; a second clerk; without a clerk; active at once
	Requests, Late, Ended             int // of open requests: their number; told to the chamber; ended
}

// Preview says what settings would do. Nothing is changed.
func Preview(tx *db.Tx, by audit.Actor, chamberID string, s chamber.Settings) (e Effect, err error) {
	if err := chamber.MustLead(tx, by, chamberID); err != nil {
		return e, err
	}
	err = tx.Scan(`SELECT count(*), COALESCE(sum(CASE WHEN score < $2 THEN 1 ELSE 0 END), 0), COALESCE(sum(CASE WHEN $3 > 0 AND score >= $3 THEN 1 ELSE 0 END), 0), COALESCE(sum(CASE WHEN $4 > 0 AND score >= $4 THEN 1 ELSE 0 END), 0)
		FROM (SELECT score FROM registration WHERE chamber = $1 AND state IN ('submitted', 'second') LIMIT 1000) AS waiting`,
		[]any{chamberID, s.FourEyesBelow, s.ReleaseFrom, s.ActiveFrom}, &e.Open, &e.FourEyes, &e.Automatic, &e.Active)
	if err != nil {
		return e, err
	}
	ago := func(days int) db.Time { return tx.Now().Add(-time.Duration(days) * 24 * time.Hour) }
	err = tx.Scan(`SELECT count(*), COALESCE(sum(CASE WHEN submitted_at < $2 THEN 1 ELSE 0 END), 0), COALESCE(sum(CASE WHEN submitted_at < $3 THEN 1 ELSE 0 END), 0)
		FROM (SELECT r.submitted_at FROM request r JOIN organization o ON o.id = r.organization WHERE o.chamber = $1 AND r.state IN ('open', 'claimed') LIMIT 1000) AS waiting`,
		[]any{chamberID, ago(s.ChamberDays), ago(s.RequestDays)}, &e.Requests, &e.Late, &e.Ended)
	return e, err
}
