package security_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"net/url"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"

	"zunft/internal/ground/dbtest"
	"zunft/internal/identity/password"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/schema"
)

// BenchmarkStepUp measures whole step-ups through the front door (session, rule,
// code or password, new token, audit), one after the other: by the code of an
// app beside the HMAC that is its heart, and by password beside nothing but
// argon2id of the same parameters.
func BenchmarkStepUp(b *testing.B) {
	for _, engine := range dbtest.Engines {
		b.Run("app/"+engine, func(b *testing.B) {
			w := newWorld(b, dbtest.Open(b, engine, schema.Files), nil)
			w.create("anna")
			p := w.person("192.0.2.1")
			p.login("anna")
			p.sure()
			key := p.app()
			for n := 0; b.Loop(); n++ {
				b.StopTimer()
				w.Pass(time.Minute) // a code is good once
				if n%500 == 499 {   // a session ends after twelve hours
					p = w.person("192.0.2.1")
					p.login("anna")
					p.Post("/login/second-factor", "do", "prove", "way", "totp", "code", w.totp(key)).Goes(b, "/login/next")
					p.Get("/login/next")
					w.Pass(time.Minute)
				}
				form := url.Values{"do": {"prove"}, "way": {"totp"}, "code": {w.totp(key)}}
				b.StartTimer()
				p.Do("POST", "/account/confirm", form).Goes(b, "/")
			}
			began := time.Now()
			const rounds = 10_000
			for range rounds {
				h := hmac.New(sha1.New, make([]byte, 20))
				h.Write(make([]byte, 8))
				h.Sum(nil)
			}
			b.ReportMetric(float64(time.Since(began).Nanoseconds())/rounds, "hmac-ns")
		})
		b.Run("password/"+engine, func(b *testing.B) {
			w := newWorld(b, dbtest.Open(b, engine, schema.Files), func(p *policy.Policy) { p.Factor.Ask = "never" })
			w.Hasher.Cost = password.NewHasher(0).Cost
			var err error
			if w.phc, err = w.Hasher.Hash(b.Context(), plain); err != nil {
				b.Fatal(err)
			}
			w.create("anna")
			p := w.person("192.0.2.1")
			p.login("anna")
			c := w.Hasher.Cost
			var took, yardstick time.Duration
			rounds := max(b.N, 50) // fewer tell nothing on a machine that does other things too
			for range rounds {
				began := time.Now()
				argon2.IDKey([]byte(plain), make([]byte, 16), c.Passes, c.KiB, c.Lanes, 32)
				between := time.Now()
				p.Post("/account/confirm", "do", "prove", "way", "password", "password", plain).Goes(b, "/")
				yardstick += between.Sub(began)
				took += time.Since(between)
			}
			b.ReportMetric(float64(rounds)/took.Seconds(), "stepups/s")
			b.ReportMetric(yardstick.Seconds()/took.Seconds(), "of-raw")
			b.ReportMetric(0, "ns/op")
		})
	}
}
