package signin_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/identity/account"
	"zunft/internal/identity/password"
	"zunft/internal/identity/schema"
	"zunft/internal/identity/terms"
)

// BenchmarkSignIn measures whole sign-ins through the front door (limits,
// lookup, hash, session, audit) beside nothing but argon2id of the same
// parameters, turn by turn in one run; "of-raw" is the share that is left
// (aim: 0.9). As many at once as there are cores.
func BenchmarkSignIn(b *testing.B) {
	for _, engine := range dbtest.Engines {
		b.Run(engine, func(b *testing.B) {
			w := newWorld(b, dbtest.Open(b, engine, schema.Files))
			w.D.Now = time.Now
			w.Hasher.Cost = password.NewHasher(0).Cost
			phc, err := w.Hasher.Hash(b.Context(), plain)
			if err != nil {
				b.Fatal(err)
			}
			const people = 1000
			if err := w.D.Write(b.Context(), func(tx *db.Tx) error {
				for i := range people {
					name := fmt.Sprint("person", i)
					if _, err := account.Create(tx, audit.Console, account.New{GivenName: "Anna", FamilyName: "Beispiel", Username: name, Email: name + "@beispiel.example", Password: phc, Confirmed: true}); err != nil {
						return err
					}
				}
				return terms.GiveByAll(tx, audit.Console)
			}); err != nil {
				b.Fatal(err)
			}
			var n atomic.Int64
			signIn := func() {
				i := n.Add(1)
				form := url.Values{"username": {fmt.Sprint("person", i%people)}, "password": {plain}}
				r := httptest.NewRequest("POST", "http://portal.example/login", strings.NewReader(form.Encode()))
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				r.RemoteAddr = fmt.Sprintf("10.%d.%d.%d:40000", i>>16&255, i>>8&255, i&255)
				rec := httptest.NewRecorder()
				w.Handler.ServeHTTP(rec, r)
				if rec.Code != http.StatusSeeOther {
					b.Errorf("status %d", rec.Code)
				}
			}
			c := w.Hasher.Cost
			raw := func() { argon2.IDKey([]byte(plain), make([]byte, 16), c.Passes, c.KiB, c.Lanes, 32) }
			var took, yardstick time.Duration
			const turn = 20
			atLeast := max(b.N, 200) // fewer tell nothing on a machine that does other things too
			for done := 0; done < atLeast; done += turn {
				yardstick += atOnce(turn, raw)
				took += atOnce(turn, signIn)
			}
			rounds := float64((atLeast + turn - 1) / turn * turn)
			b.ReportMetric(rounds/took.Seconds(), "signins/s")
			b.ReportMetric(rounds/yardstick.Seconds(), "argon2id/s")
			b.ReportMetric(yardstick.Seconds()/took.Seconds(), "of-raw")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// atOnce does n pieces of work on all cores.
func atOnce(n int, f func()) time.Duration {
	start := time.Now()
	var group sync.WaitGroup
	var left atomic.Int64
	left.Store(int64(n))
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for left.Add(-1) >= 0 {
				f()
			}
		})
	}
	group.Wait()
	return time.Since(start)
}
