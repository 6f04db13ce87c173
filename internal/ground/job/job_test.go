package job_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/job"
	"zunft/internal/identity/schema"
)

func enqueue(t *testing.T, d *db.DB, kind, key string, body any) {
	t.Helper()
	if err := d.Write(t.Context(), func(tx *db.Tx) error { return job.Enqueue(tx, kind, key, body) }); err != nil {
		t.Fatal(err)
	}
}

func count(t *testing.T, d *db.DB, where string) (n int) {
	t.Helper()
	if err := d.Read(t.Context(), func(tx *db.Tx) (err error) {
		n, err = db.Value[int](tx, `SELECT count(*) FROM job WHERE `+where)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestJobsBelongToTheirTransaction(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		boom := errors.New("boom")
		err := d.Write(t.Context(), func(tx *db.Tx) error {
			if err := job.Enqueue(tx, "a", "", 1); err != nil {
				return err
			}
			return boom
		})
		if err != boom || count(t, d, `TRUE`) != 0 {
			t.Fatal("a job outlived its transaction", err)
		}
	})
}

func TestWaitingJobsAreUniqueByKey(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		for range 3 {
			enqueue(t, d, "a", "same", nil)
		}
		if n := count(t, d, `kind = 'a'`); n != 1 {
			t.Fatalf("%d jobs", n)
		}
	})
}

func TestEachJobIsDoneOnceByManyWorkers(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		const jobs, workers = 40, 8
		for i := range jobs {
			enqueue(t, d, "a", fmt.Sprint(i), i)
		}
		var done [jobs]atomic.Int32
		var group sync.WaitGroup
		for range workers {
			r := &job.Runner{DB: d}
			r.On("a", func(_ context.Context, body []byte) error {
				var i int
				fmt.Sscan(string(body), &i)
				done[i].Add(1)
				return nil
			})
			group.Go(func() {
				if err := r.Drain(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		for i := range done {
			if n := done[i].Load(); n != 1 {
				t.Errorf("job %d was done %d times", i, n)
			}
		}
	})
}

func TestADeadWorkersJobIsTakenOver(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		clock := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
		d.Now = func() time.Time { return clock }
		enqueue(t, d, "a", "", nil)
		// A worker that takes the job and is never heard of again: its process
		// ends inside the work, so the lease is all that remains.
		dead := &job.Runner{DB: d}
		ended := make(chan struct{})
		dead.On("a", func(ctx context.Context, _ []byte) error { close(ended); <-ctx.Done(); select {} })
		go dead.One(t.Context())
		<-ended
		times := 0
		alive := &job.Runner{DB: d}
		alive.On("a", func(context.Context, []byte) error { times++; return nil })
		if err := alive.Drain(t.Context()); err != nil || times != 0 {
			t.Fatal("a leased job was taken", times, err)
		}
		clock = clock.Add(3 * time.Minute)
		if err := alive.Drain(t.Context()); err != nil || times != 1 {
			t.Fatal("the job was not taken over", times, err)
		}
	})
}

func TestFailuresWaitLongerAndEndAsDeadLetters(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		clock := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
		d.Now = func() time.Time { return clock }
		enqueue(t, d, "a", "", nil)
		r := &job.Runner{DB: d}
		tries := 0
		r.On("a", func(context.Context, []byte) error { tries++; return errors.New("mail server is away") })
		var waits []time.Duration
		start, last := clock, clock
		for count(t, d, `state = 'dead'`) == 0 {
			before := tries
			if _, err := r.One(t.Context()); err != nil {
				t.Fatal(err)
			}
			if tries > before {
				waits = append(waits, clock.Sub(last))
				last = clock
			}
			step := 30 * time.Second
			if tries > 8 {
				step = 10 * time.Minute
			}
			clock = clock.Add(step)
			if tries > 30 {
				t.Fatal("never gives up")
			}
		}
		if lasted := clock.Sub(start); lasted < 60*time.Hour || lasted > 4*24*time.Hour {
			t.Error("given up after", lasted, "- a weekend must not lose a mail")
		}
		if tries != 20 || waits[3] <= waits[2] || waits[5] <= waits[4] {
			t.Fatal("tries", tries, "waits", waits)
		}
		if n := count(t, d, `error LIKE '%away%'`); n != 1 {
			t.Fatal("the dead letter does not say why")
		}
	})
}

func TestPeriodicWorkRunsOncePerPeriodAcrossNodes(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		clock := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
		d.Now = func() time.Time { return clock }
		var runs atomic.Int32
		nodes := make([]*job.Runner, 3)
		for i := range nodes {
			nodes[i] = &job.Runner{DB: d}
			nodes[i].Every(time.Hour, "sweep", func(context.Context) error { runs.Add(1); return nil })
			if err := nodes[i].Begin(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		for hour := 1; hour <= 3; hour++ {
			for _, n := range nodes {
				if err := n.Drain(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if int(runs.Load()) != hour {
				t.Fatalf("%d runs after %d hours", runs.Load(), hour)
			}
			clock = clock.Add(time.Hour)
		}
	})
}

// A running worker hears of new work at once, however rarely it looks by itself.
func TestCommittedWorkWakesTheWorker(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		ctx, cancel := context.WithCancel(t.Context())
		r := &job.Runner{DB: d, Poll: time.Hour}
		done := make(chan struct{}, 2)
		r.On("first", func(ctx context.Context, _ []byte) error {
			done <- struct{}{}
			return d.Write(ctx, func(tx *db.Tx) error { return job.Enqueue(tx, "second", "", nil) })
		})
		r.On("second", func(context.Context, []byte) error { done <- struct{}{}; return nil })
		var group sync.WaitGroup
		group.Go(func() { r.Run(ctx, 1) })
		defer group.Wait()
		defer cancel()
		enqueue(t, d, "first", "", nil)
		for range 2 {
			select {
			case <-done:
			case <-time.After(20 * time.Second):
				t.Fatal("nobody woke the worker")
			}
		}
	})
}
