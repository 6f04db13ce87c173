package export

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/seal"
)

// looks bound who asks for codes: twelve letters cannot be guessed at this pace.
var looks = limit.Rate{Burst: 30, Every: 20 * time.Second}

// A Document is what anybody who has a code reads of a file: no name.
type Document struct {
	Export
	Reopened int // reports of this time whose sign-off was taken back since
}

// Verify finds the file that carries a code.
func Verify(ctx context.Context, d *db.DB, by audit.Actor, code string) (doc Document, err error) {
	code = seal.Normalize(code)
	if len(code) != 12 {
		return doc, fault.Invalid("code", "export.code_form")
	}
	if err := limit.Take(ctx, d, "verify/"+limit.Network(by.IP), looks); err != nil {
		return doc, err
	}
	err = d.Read(ctx, func(tx *db.Tx) (err error) {
		doc.Export, err = db.One(tx, (*Export).fields, `SELECT `+columns+` FROM export WHERE code = $1 AND code <> ''`, codeMAC(tx, code))
		if fault.Is(err, fault.KindNotFound) {
			return fault.Invalid("code", "export.code_unknown")
		}
		if err != nil {
			return err
		}
		last := doc.Last
		if last == "" {
			last = "9999-12-31"
		}
		doc.Reopened, err = db.Value[int](tx, `SELECT count(DISTINCT r.id) FROM report r JOIN report_event e ON e.report = r.id
			WHERE r.apprentice = $1 AND r.last_day >= $2 AND r.first_day <= $3 AND e.event IN ('reopened', 'undone') AND e.at > $4`,
			doc.Person, doc.First, last, doc.CreatedAt)
		return err
	})
	return doc, err
}

// MaxFile is how large a file may be that somebody compares.
const MaxFile = 30 << 20

// Matches compares a file with the one that was made. It is read and forgotten.
func (doc Document) Matches(file io.Reader) (bool, error) {
	h := sha256.New()
	n, err := io.Copy(h, io.LimitReader(file, MaxFile+1))
	if err != nil {
		return false, err
	}
	if n == 0 {
		return false, errors.New("no file")
	}
	return n <= MaxFile && hex.EncodeToString(h.Sum(nil)) == doc.SHA256, nil
}
