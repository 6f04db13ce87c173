// Package captcha asks a question that people answer and machines find hard:
// letters to read in a picture, or digits to hear (R192). It is off unless a
// profile asks for it (decision 3).
//
// Both ways stand side by side and either answer does, so that nobody needs
// eyes or ears, and nobody a script. A question belongs to the browser it was
// made for, holds a quarter of an hour, and is answered once: a wrong answer
// spends it as well, so guessing costs a new question each time. The answers
// are kept sealed.
package captcha

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"image/color"
	"time"

	"github.com/mojocn/base64Captcha"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/job"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/seal"
)

// Phrases are what people read of this package's faults.
//
//go:embed phrases/*.json
var Phrases embed.FS

const (
	letters = 5
	digits  = 6
	goodFor = 15 * time.Minute
)

// Rate bounds the questions, and the pictures and sounds, that one network can ask for.
var Rate = limit.Rate{Burst: 60, Every: 2 * time.Second}

// A Question as it was asked.
type Question struct {
	Letters string // in the picture
	Digits  string // in the sound
}

// New asks a question in a browser.
func New(tx *db.Tx, browser, ip string) (id string, err error) {
	if err := limit.TakeIn(tx, "captcha/new/"+limit.Network(ip), Rate); err != nil {
		return "", err
	}
	id = db.NewID()
	body, err := json.Marshal(Question{seal.Letters(letters), seal.Digits(digits)})
	if err != nil {
		return "", err
	}
	_, err = tx.Exec(`INSERT INTO captcha (id, answer, browser, expires_at) VALUES ($1, $2, $3, $4)`,
		id, tx.Keys().Seal("captcha/"+id, body), seal.Hash(browser), tx.Now().Add(goodFor))
	return id, err
}

// Open reads a question that is still open, in its browser.
func Open(tx *db.Tx, browser, id string) (q Question, err error) {
	sealed, err := db.Value[string](tx, `SELECT answer FROM captcha WHERE id = $1 AND browser = $2 AND used_at IS NULL AND expires_at > $3`,
		id, seal.Hash(browser), tx.Now())
	if err != nil {
		return q, err
	}
	body, err := tx.Keys().Open("captcha/"+id, sealed)
	if err != nil {
		return q, err
	}
	return q, json.Unmarshal(body, &q)
}

// Check spends a question. The field is "captcha".
func Check(tx *db.Tx, browser, id, typed string) error {
	typed = seal.Normalize(typed)
	if typed == "" {
		return fault.Invalid("captcha", "captcha.missing")
	}
	var sealed string
	err := tx.Scan(`UPDATE captcha SET used_at = $1 WHERE id = $2 AND browser = $3 AND used_at IS NULL AND expires_at > $1 RETURNING answer`,
		[]any{tx.Now(), id, seal.Hash(browser)}, &sealed)
	if fault.Is(err, fault.KindNotFound) {
		return fault.Invalid("captcha", "captcha.spent")
	}
	if err != nil {
		return err
	}
	body, err := tx.Keys().Open("captcha/"+id, sealed)
	if err != nil {
		return err
	}
	var q Question
	if err := json.Unmarshal(body, &q); err != nil {
		return err
	}
	if !seal.Equal(typed, q.Letters) && !seal.Equal(typed, q.Digits) {
		return db.Keep(fault.Invalid("captcha", "captcha.wrong"))
	}
	return nil
}

// driver draws the letters; those that look alike are not among them (seal.Letters).
var driver = base64Captcha.NewDriverString(80, 240, 0, base64Captcha.OptionShowSlimeLine, letters, "", &color.RGBA{255, 255, 255, 255}, nil, []string{"wqy-microhei.ttc"})

// Picture is the letters as PNG.
func (q Question) Picture() ([]byte, error) {
	item, err := driver.DrawCaptcha(q.Letters)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	_, err = item.WriteTo(&b)
	return b.Bytes(), err
}

// Sound is the digits, spoken, as WAV.
func (q Question) Sound(lang string) ([]byte, error) {
	item, err := base64Captcha.NewDriverAudio(digits, lang).DrawCaptcha(q.Digits)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	_, err = item.WriteTo(&b)
	return b.Bytes(), err
}

// Work forgets questions that nobody can answer any more.
func Work(r *job.Runner, d *db.DB) {
	r.Every(time.Hour, "captcha.sweep", func(ctx context.Context) error { return d.Batches(ctx, sweep) })
}

func sweep(tx *db.Tx, most int) (int64, error) {
	return tx.Exec(`DELETE FROM captcha WHERE id IN (SELECT id FROM captcha WHERE expires_at <= $1 LIMIT $2)`, tx.Now(), most)
}
