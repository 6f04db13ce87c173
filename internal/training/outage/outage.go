// Package outage knows when the portal was down, so that nobody is late by it:
// a day on which it was down for hours counts for no deadline.
//
// While the portal runs it leaves a heartbeat every minute. Whoever finds an old
// one after a start notes the gap. A gap that a running portal sees without
// having slept itself is none: then somebody moved the clock.
package outage

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/training/calendar"
)

// Long is from when on an outage counts: who wanted to write that evening could not.
const Long = 4 * time.Hour

// window is how far back lost days matter: longer than any days of grace.
const window = 90

// A Watch is one running portal's heart.
type Watch struct {
	mu   sync.Mutex
	last time.Time // real time of its last beat, with the monotonic clock
}

// Beat says that the portal lives. A periodic job calls it.
func (w *Watch) Beat(ctx context.Context, d *db.DB) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	was := w.last.IsZero() || time.Since(w.last) >= Long
	err := d.Write(ctx, func(tx *db.Tx) error { return beat(tx, was) })
	if err == nil {
		w.last = time.Now()
	}
	return err
}

func beat(tx *db.Tx, away bool) error {
	before, err := db.Value[db.Time](tx, `SELECT at FROM heartbeat WHERE name = 'portal'`)
	if fault.Is(err, fault.KindNotFound) {
		_, err = tx.Exec(`INSERT INTO heartbeat (name, at) VALUES ('portal', $1) ON CONFLICT (name) DO NOTHING`, tx.Now())
	}
	if err != nil || before.IsZero() {
		return err
	}
	n, err := tx.Exec(`UPDATE heartbeat SET at = $1 WHERE name = 'portal' AND at = $2 AND at < $1`, tx.Now(), before)
	if err != nil || n == 0 || !away || tx.Now().Sub(before) < Long { // n is 0: another node was first
		return err
	}
	id := db.NewID()
	if _, err := tx.Exec(`INSERT INTO outage (id, from_at, until_at) VALUES ($1, $2, $3)`, id, before, tx.Now()); err != nil {
		return fmt.Errorf("note outage: %w", err)
	}
	return audit.Record(tx, audit.Job, audit.Entry{Event: "outage.noted", Thing: id, Detail: map[string]any{"hours": int(tx.Now().Sub(before).Hours())}})
}

// Lost are the days of the last three months that count for no deadline, the
// oldest first: the portal was down for hours, at least in part of them.
func Lost(tx *db.Tx) (lost []calendar.Date, err error) {
	today := calendar.Today(tx.Now())
	err = tx.Each(`SELECT from_at, until_at FROM outage WHERE until_at > $1 ORDER BY until_at`, []any{db.At(today.Add(-window).Time())}, func(scan func(...any) error) error {
		var from, until db.Time
		if err := scan(&from, &until); err != nil {
			return err
		}
		first := max(calendar.Today(from), today.Add(-window))
		for day := first; day <= calendar.Today(until); day = day.Add(1) {
			if !slices.Contains(lost, day) {
				lost = append(lost, day)
			}
		}
		return nil
	})
	return lost, err
}

// Due is the last day in time for what ended on a day, some days of grace
// later; lost days are none of them.
func Due(end calendar.Date, grace int, lost []calendar.Date) calendar.Date {
	if len(lost) == 0 || lost[len(lost)-1] < end {
		return end.Add(grace)
	}
	day := end
	for range grace {
		for day = day.Add(1); slices.Contains(lost, day); {
			day = day.Add(1)
		}
	}
	for slices.Contains(lost, day) {
		day = day.Add(1)
	}
	return day
}

// Grace is how many days ago something ended at most that is not late today.
func Grace(today calendar.Date, grace int, lost []calendar.Date) int {
	more := grace
	for len(lost) > 0 && Due(today.Add(-1-more), grace, lost) >= today {
		more++
	}
	return more
}
