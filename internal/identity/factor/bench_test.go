package factor

import (
	"testing"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/identity/password"
	"zunft/internal/identity/schema"
)

// What it takes to verify a code: by mail (asking and checking), of an app, of a
// passkey; beside the plain HMAC that is its heart and the password hash that
// comes before it.
func BenchmarkCodes(b *testing.B) {
	b.Run("raw/hmac", func(b *testing.B) {
		key, now := make([]byte, totpKey), time.Now()
		for b.Loop() {
			totpMatch(key, now, "000000")
		}
	})
	b.Run("raw/argon2id", func(b *testing.B) {
		h := password.NewHasher(1)
		phc, err := h.Hash(b.Context(), "ein langes Passwort")
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if ok, err := h.Verify(b.Context(), phc, "ein langes Passwort"); !ok || err != nil {
				b.Fatal(err)
			}
		}
	})
	dbtest.EachB(b, schema.Files, func(b *testing.B, d *db.DB) {
		b.Run("mail", func(b *testing.B) {
			w := newWorld(b, d)
			for b.Loop() {
				b.StopTimer()
				w.pass(time.Hour)
				code := w.code("s1")
				w.must(func(tx *db.Tx) error { _, err := tx.Exec(`DELETE FROM job`); return err })
				b.StartTimer()
				if _, err := w.check("s1", Mail, code); err != nil {
					b.Fatal(err)
				}
			}
		})
	})
	dbtest.EachB(b, schema.Files, func(b *testing.B, d *db.DB) {
		b.Run("totp", func(b *testing.B) {
			w := newWorld(b, d)
			_, show := w.app(w.anna, "s1")
			for b.Loop() {
				b.StopTimer()
				w.pass(time.Minute)
				code := show()
				b.StartTimer()
				if _, err := w.check("s1", TOTP, code); err != nil {
					b.Fatal(err)
				}
			}
		})
	})
	dbtest.EachB(b, schema.Files, func(b *testing.B, d *db.DB) {
		b.Run("passkey", func(b *testing.B) {
			w := newWorld(b, d)
			p := w.passkeys()
			device, _ := w.passkey(w.anna)
			for b.Loop() {
				b.StopTimer()
				w.pass(time.Minute)
				answer := device.sign(b, w.beginLogin(p))
				b.StartTimer()
				if _, _, err := w.finishLogin(p, answer); err != nil {
					b.Fatal(err)
				}
			}
		})
	})
}
