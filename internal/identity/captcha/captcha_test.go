package captcha

import (
	"bytes"
	"image/png"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/schema"
)

// R192: a question is answered once, in its browser, in its time; by the
// letters of the picture or by the digits of the sound.
func TestQuestion(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		now := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
		d.Now = func() time.Time { return now }
		ask := func() (id string, q Question) {
			t.Helper()
			err := d.Write(t.Context(), func(tx *db.Tx) (err error) {
				if id, err = New(tx, "anna", "192.0.2.1"); err == nil {
					q, err = Open(tx, "anna", id)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return id, q
		}
		check := func(browser, id, typed, want string) {
			t.Helper()
			err := d.Write(t.Context(), func(tx *db.Tx) error { return Check(tx, browser, id, typed) })
			if f := fault.Of(err); (want == "") != (err == nil) || f != nil && f.Key() != want {
				t.Errorf("%q in %s: %v, want %q", typed, browser, err, want)
			}
		}
		id, q := ask()
		if len(q.Letters) != letters || len(q.Digits) != digits {
			t.Fatalf("%+v", q)
		}
		check("anna", id, " ", "captcha.missing")
		check("bert", id, q.Letters, "captcha.spent") // another browser
		check("anna", id, strings.ToLower(q.Letters), "")
		check("anna", id, q.Letters, "captcha.spent") // once
		id, q = ask()
		check("anna", id, q.Digits[:3]+" "+q.Digits[3:], "")
		id, q = ask()
		check("anna", id, "AAAAA", "captcha.wrong")
		check("anna", id, q.Letters, "captcha.spent") // a wrong answer spends it, too
		check("anna", "nothing", "AAAAA", "captcha.spent")
		id, q = ask()
		now = now.Add(goodFor)
		check("anna", id, q.Letters, "captcha.spent")
		if err := d.Batches(t.Context(), sweep); err != nil {
			t.Fatal(err)
		}
		id, q = ask()
		var won atomic.Int32
		var group sync.WaitGroup
		for range 64 {
			group.Go(func() {
				if d.Write(t.Context(), func(tx *db.Tx) error { return Check(tx, "anna", id, q.Letters) }) == nil {
					won.Add(1)
				}
			})
		}
		group.Wait()
		if won.Load() != 1 {
			t.Errorf("%d answers counted", won.Load())
		}
		err := d.Read(t.Context(), func(tx *db.Tx) error {
			kept, err := db.Value[int](tx, `SELECT count(*) FROM captcha`)
			clear, err2 := db.Value[int](tx, `SELECT count(*) FROM captcha WHERE answer LIKE $1`, "%"+q.Letters+"%")
			if kept != 1 || clear != 0 || err2 != nil {
				t.Errorf("%d rows, %d in clear", kept, clear)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// R192: the picture is a PNG, the sound a WAV in German, and two of the same
// question are not alike.
func TestPictureAndSound(t *testing.T) {
	q := Question{"7ACDE", "019283"}
	one, err := q.Picture()
	two, err2 := q.Picture()
	if err != nil || err2 != nil || bytes.Equal(one, two) {
		t.Fatal(err, err2)
	}
	if img, err := png.Decode(bytes.NewReader(one)); err != nil || img.Bounds().Dx() != 240 {
		t.Error(err)
	}
	sound, err := q.Sound("de")
	if err != nil || !bytes.HasPrefix(sound, []byte("RIFF")) || len(sound) < 50_000 {
		t.Error(len(sound), err)
	}
}
