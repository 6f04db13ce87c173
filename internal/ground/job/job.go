// Package job runs work after the transaction that asked for it.
//
// A job is a row of the caller's transaction: no change without its job, no
// job without its change. Workers take jobs by lease, on any number of nodes;
// a worker that dies loses its lease and another takes over, so work must
// bear being done twice. A job that keeps failing waits longer each time and
// ends as a dead letter (state "dead") that an operator sees.
//
// Periodic work is one job per kind that re-enters itself: it runs once per
// period however many nodes there are.
package job

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
)

const (
	lease    = 2 * time.Minute
	maxTries = 20 // with the waits below about 67 hours: a mail server may be away for a weekend
)

// Enqueue asks for work of a kind with a body (JSON). key, if not empty,
// makes it unique among the jobs that are still waiting.
func Enqueue(tx *db.Tx, kind, key string, body any) error {
	return At(tx, tx.Now(), kind, key, body)
}

// At is Enqueue for later.
func At(tx *db.Tx, when db.Time, kind, key string, body any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("enqueue %s: %w", kind, err)
	}
	id := db.NewID()
	if key == "" {
		key = id
	}
	_, err = tx.Exec(`INSERT INTO job (id, kind, job_key, body, run_at, state, created_at) VALUES ($1, $2, $3, $4, $5, 'ready', $6)
		ON CONFLICT (kind, job_key) WHERE state = 'ready' DO NOTHING`, id, kind, key, string(b), when, tx.Now())
	if err != nil {
		return fmt.Errorf("enqueue %s: %w", kind, err)
	}
	if !when.After(tx.Now()) {
		tx.LeavesWork()
	}
	return nil
}

// Work does one job. body is the JSON that was enqueued.
type Work func(ctx context.Context, body []byte) error

// ErrGiveUp, wrapped, sends a job straight to the dead letters.
var ErrGiveUp = errors.New("give up")

// A Runner works off the jobs of one database.
type Runner struct {
	DB   *db.DB
	Poll time.Duration // how often to look for work nobody woke us for; default 500 ms

	work     map[string]Work
	periodic map[string]time.Duration
	wake     chan struct{}
	once     sync.Once
}

func (r *Runner) init() {
	r.once.Do(func() {
		r.work, r.periodic, r.wake = map[string]Work{}, map[string]time.Duration{}, make(chan struct{}, 1)
		if r.Poll == 0 {
			r.Poll = 500 * time.Millisecond
		}
	})
}

// On says how work of a kind is done.
func (r *Runner) On(kind string, w Work) { r.init(); r.work[kind] = w }

// Every says that work of a kind runs once per period.
func (r *Runner) Every(period time.Duration, kind string, w func(ctx context.Context) error) {
	r.init()
	r.periodic[kind] = period
	r.work[kind] = func(ctx context.Context, _ []byte) error { return w(ctx) }
}

// Wake makes a sleeping worker look for work at once.
func (r *Runner) Wake() {
	r.init()
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Begin enters the periodic work where it is not entered yet.
func (r *Runner) Begin(ctx context.Context) error {
	r.init()
	return r.DB.Write(ctx, func(tx *db.Tx) error {
		for kind := range r.periodic {
			if err := At(tx, tx.Now(), kind, "periodic", nil); err != nil {
				return err
			}
		}
		return nil
	})
}

// Run works until ctx ends, with n workers.
func (r *Runner) Run(ctx context.Context, n int) error {
	if err := r.Begin(ctx); err != nil {
		return err
	}
	r.DB.OnWork(r.Wake)
	var group sync.WaitGroup
	for range n {
		group.Go(func() { r.loop(ctx) })
	}
	group.Wait()
	return ctx.Err()
}

func (r *Runner) loop(ctx context.Context) {
	for ctx.Err() == nil {
		found, err := r.One(ctx)
		if err != nil && ctx.Err() == nil {
			slog.ErrorContext(ctx, "take a job", "err", err)
		}
		if found && err == nil {
			continue
		}
		select {
		case <-r.wake:
		case <-time.After(r.Poll):
		case <-ctx.Done():
		}
	}
}

// Drain works off everything that is due now and returns. Tests and commands
// use it instead of waiting.
func (r *Runner) Drain(ctx context.Context) error {
	r.init()
	for {
		if found, err := r.One(ctx); err != nil || !found {
			return err
		}
	}
}

type taken struct {
	id, kind, key, body, lease string
	tries                      int
}

// One takes and does one job that is due; found is false if there was none.
func (r *Runner) One(ctx context.Context) (found bool, err error) {
	var j taken
	due := false
	// A look without a write lock first: an idle installation costs reads only.
	err = r.DB.Read(ctx, func(tx *db.Tx) (err error) {
		due, err = db.Value[bool](tx, `SELECT EXISTS (SELECT 1 FROM job WHERE state = 'ready' AND run_at <= $1)`, tx.Now())
		return err
	})
	if err != nil || !due {
		return false, err
	}
	err = r.DB.Write(ctx, func(tx *db.Tx) error {
		j = taken{lease: db.NewID()}
		return tx.Scan(`UPDATE job SET run_at = $1, lease = $2, tries = tries + 1 WHERE id =
			(SELECT id FROM job WHERE state = 'ready' AND run_at <= $3 ORDER BY run_at, id LIMIT 1`+tx.SkipLocked()+`)
			RETURNING id, kind, job_key, body, tries`, []any{tx.Now().Add(lease), j.lease, tx.Now()}, &j.id, &j.kind, &j.key, &j.body, &j.tries)
	})
	if fault.Is(err, fault.KindNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	work, known := r.work[j.kind]
	if !known {
		return true, r.failed(ctx, j, fmt.Errorf("no work for kind %s: %w", j.kind, ErrGiveUp))
	}
	if err := r.guarded(ctx, work, j); err != nil {
		if ctx.Err() != nil {
			return true, r.release(context.WithoutCancel(ctx), j)
		}
		return true, r.failed(ctx, j, err)
	}
	return true, r.DB.Write(context.WithoutCancel(ctx), func(tx *db.Tx) error {
		if _, err := tx.Exec(`DELETE FROM job WHERE id = $1 AND lease = $2`, j.id, j.lease); err != nil {
			return err
		}
		return r.again(tx, j)
	})
}

// again re-enters periodic work.
func (r *Runner) again(tx *db.Tx, j taken) error {
	period, yes := r.periodic[j.kind]
	if !yes {
		return nil
	}
	return At(tx, tx.Now().Add(period), j.kind, "periodic", nil)
}

func (r *Runner) guarded(ctx context.Context, w Work, j taken) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return w(ctx, []byte(j.body))
}

func (r *Runner) release(ctx context.Context, j taken) error {
	return r.DB.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(`UPDATE job SET run_at = $1, tries = tries - 1 WHERE id = $2 AND lease = $3`, tx.Now(), j.id, j.lease)
		return err
	})
}

func (r *Runner) failed(ctx context.Context, j taken, cause error) error {
	slog.WarnContext(ctx, "job failed", "kind", j.kind, "job", j.id, "tries", j.tries, "err", cause)
	return r.DB.Write(context.WithoutCancel(ctx), func(tx *db.Tx) error {
		state := "ready"
		if j.tries >= maxTries || errors.Is(cause, ErrGiveUp) {
			state = "dead"
		}
		wait := min(time.Duration(1<<min(j.tries, 20))*5*time.Second, 8*time.Hour)
		message := cause.Error()
		if len(message) > 500 {
			message = message[:500]
		}
		if _, err := tx.Exec(`UPDATE job SET state = $1, run_at = $2, error = $3 WHERE id = $4 AND lease = $5`,
			state, tx.Now().Add(wait), message, j.id, j.lease); err != nil {
			return err
		}
		if state == "dead" {
			slog.ErrorContext(ctx, "job given up", "kind", j.kind, "job", j.id, "tries", j.tries, "err", message)
			return r.again(tx, j)
		}
		return nil
	})
}
