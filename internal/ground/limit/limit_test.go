package limit_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/identity/schema"
)

func TestBurstThenRefill(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		clock := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
		d.Now = func() time.Time { return clock }
		rate := limit.Rate{Burst: 5, Every: time.Minute}
		for range 5 {
			if err := limit.Take(t.Context(), d, "a", rate); err != nil {
				t.Fatal(err)
			}
		}
		err := limit.Take(t.Context(), d, "a", rate)
		f := fault.Of(err)
		if f == nil || f.Kind != fault.KindLimited || f.Wait <= 0 || f.Wait > time.Minute {
			t.Fatal("the sixth", err, f)
		}
		if err := limit.Take(t.Context(), d, "b", rate); err != nil {
			t.Fatal("another key is limited too", err)
		}
		clock = clock.Add(time.Minute)
		if err := limit.Take(t.Context(), d, "a", rate); err != nil {
			t.Fatal("nothing was refilled", err)
		}
		if err := limit.Take(t.Context(), d, "a", rate); err == nil {
			t.Fatal("more than one was refilled")
		}
		clock = clock.Add(time.Hour)
		if err := limit.Sweep(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		d.Read(t.Context(), func(tx *db.Tx) error {
			if n, err := db.Value[int](tx, `SELECT count(*) FROM limit_bucket`); n != 0 || err != nil {
				t.Error("rows left", n, err)
			}
			return nil
		})
	})
}

func TestRaceAllowsExactlyTheBurst(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		var allowed atomic.Int32
		var group sync.WaitGroup
		start := make(chan struct{})
		for range 64 {
			group.Go(func() {
				<-start
				err := limit.Take(t.Context(), d, "a", limit.Rate{Burst: 10, Every: time.Hour})
				if err == nil {
					allowed.Add(1)
				} else if !fault.Is(err, fault.KindLimited) {
					t.Error(err)
				}
			})
		}
		close(start)
		group.Wait()
		if allowed.Load() != 10 {
			t.Fatal(allowed.Load())
		}
	})
}

// An IPv6 subscriber holds a /64: all of it is one address.
func TestNetwork(t *testing.T) {
	for ip, want := range map[string]string{
		"192.0.2.7": "192.0.2.7", "::ffff:192.0.2.7": "192.0.2.7", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "2001:db8:1:2::9": "2001:db8:1:2::/64",
		"fe80::1%eth0": "fe80::/64", "": "", "pipe": "pipe",
	} {
		if got := limit.Network(ip); got != want {
			t.Errorf("%s: %s, want %s", ip, got, want)
		}
	}
}
