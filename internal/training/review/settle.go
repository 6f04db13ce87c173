package review

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/training/book"
	"zunft/internal/training/person"
)

// Settle makes decisions final whose ten minutes are over: what was signed off
// is sealed and the apprentice told (M21, R330); what was checked goes on to
// the trainers (M20). A periodic job calls it.
func Settle(ctx context.Context, d *db.DB) error {
	return d.Batches(ctx, func(tx *db.Tx, most int) (int64, error) {
		ids, err := db.Values[string](tx, `UPDATE report SET undo_until = NULL WHERE id IN
			(SELECT id FROM report WHERE undo_until IS NOT NULL AND undo_until <= $1 ORDER BY undo_until LIMIT $2`+tx.SkipLocked()+`) AND undo_until <= $1 RETURNING id`, tx.Now(), most)
		if err != nil {
			return 0, err
		}
		for _, id := range ids {
			if err := settle(tx, id); err != nil {
				return 0, fmt.Errorf("settle %s: %w", id, err)
			}
		}
		return int64(len(ids)), nil
	})
}

func settle(tx *db.Tx, id string) error {
	r, err := book.Get(tx, id)
	if err != nil {
		return err
	}
	switch r.State {
	case book.SignedOff:
		if err := seal(tx, r); err != nil {
			return err
		}
		remark, err := db.Value[string](tx, `SELECT text FROM report_event WHERE report = $1 AND event = 'signed_off' ORDER BY id DESC LIMIT 1`, id)
		if err != nil {
			return err
		}
		return tellApprentice(tx, r, "signed_off", remark)
	case book.Checked:
		return tellTrainers(tx, r)
	}
	return nil
}

// tellTrainers sends M20 for the second step.
func tellTrainers(tx *db.Tx, r book.Report) error {
	writer, err := person.Get(tx, r.Apprentice)
	if err != nil {
		return err
	}
	checker, err := person.Get(tx, r.CheckedBy)
	if err != nil {
		return err
	}
	people, err := book.Accompanying(tx, r.Apprenticeship, r.Company, book.Second)
	if err == nil {
		people, err = person.Told(tx, people)
	}
	if err != nil {
		return err
	}
	for _, p := range people {
		if p.Sub == r.Apprentice || p.Sub == r.CheckedBy || p.Email == "" {
			continue
		}
		if err := texts.Send(tx, p.Mail(), "report_checked", map[string]any{
			"Name": p.Name, "Apprentice": writer.Name, "Checker": checker.Name, "Week": r.Week.Name(), "Dates": r.Dates(), "ID": r.ID,
		}); err != nil {
			return err
		}
	}
	return nil
}

// A Seal binds a signed report into the chain of its book (L16).
type Seal struct {
	Apprentice      string
	Number          int // in the book, from 1
	Report          string
	Version         int
	At              db.Time // when it was signed off
	Person          string  // by whom
	Content, Digest string
}

const sealColumns = `apprentice, number, report, version, at, person, content, digest`

func (s *Seal) fields() []any {
	return []any{&s.Apprentice, &s.Number, &s.Report, &s.Version, &s.At, &s.Person, &s.Content, &s.Digest}
}

// over is the digest of a seal that follows another.
func (s Seal) over(previous string) string {
	b, _ := json.Marshal([]any{previous, s.Apprentice, s.Number, s.Report, s.Version, s.At.UTC().Format(time.RFC3339Nano), s.Person, s.Content}) // plain values: cannot fail
	sum := sha256.Sum256(b)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func seal(tx *db.Tx, r book.Report) error {
	if err := limit.Hold(tx, "seal/"+r.Apprentice); err != nil { // one chain, also with several nodes
		return err
	}
	last, err := db.One(tx, (*Seal).fields, `SELECT `+sealColumns+` FROM report_seal WHERE apprentice = $1 ORDER BY number DESC LIMIT 1`, r.Apprentice)
	if err != nil && !fault.Is(err, fault.KindNotFound) {
		return err
	}
	s := Seal{Apprentice: r.Apprentice, Number: last.Number + 1, Report: r.ID, Version: r.Version, At: r.DecidedAt, Person: r.DecidedBy, Content: r.Text.Digest()}
	s.Digest = s.over(last.Digest)
	if _, err := tx.Exec(`INSERT INTO report_seal (`+sealColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		s.Apprentice, s.Number, s.Report, s.Version, s.At, s.Person, s.Content, s.Digest); err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	return audit.Record(tx, audit.Job, audit.Entry{
		Event: "report.sealed", Account: r.Apprentice, Organization: r.Company, Thing: r.ID, Detail: map[string]any{"number": s.Number, "version": s.Version, "sha256": s.Digest},
	})
}

// SealOf is the newest seal of a report; without one it is not found.
func SealOf(tx *db.Tx, report string) (Seal, error) {
	return db.One(tx, (*Seal).fields, `SELECT `+sealColumns+` FROM report_seal WHERE report = $1 ORDER BY number DESC LIMIT 1`, report)
}

// Verify walks the chain of a book and returns the reports whose seal does not
// fit: the text was changed afterwards, a seal was changed or is missing, or
// the audit says something else. Callers have asked who may know.
func Verify(tx *db.Tx, apprentice string) (broken []string, err error) {
	seals, err := db.All(tx, (*Seal).fields, `SELECT `+sealColumns+` FROM report_seal WHERE apprentice = $1 ORDER BY number`, apprentice)
	if err != nil {
		return nil, err
	}
	type said struct {
		Report string
		Number int
		Digest string `json:"sha256"`
	}
	recorded := map[int]said{}
	err = tx.Each(`SELECT thing, detail FROM audit WHERE account = $1 AND event = 'report.sealed'`, []any{apprentice}, func(scan func(...any) error) error {
		var s said
		var detail string
		if err := scan(&s.Report, &detail); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(detail), &s); err != nil {
			return err
		}
		recorded[s.Number] = s
		return nil
	})
	if err != nil {
		return nil, err
	}
	now := map[string]book.Report{}
	reports, err := book.Between(tx, apprentice, "", "", "")
	if err != nil {
		return nil, err
	}
	for _, r := range reports {
		now[r.ID] = r
	}
	bad := map[string]bool{}
	previous := ""
	for i, s := range seals {
		if r := recorded[s.Number]; s.Number != i+1 || s.Digest != s.over(previous) || r.Digest != s.Digest || r.Report != s.Report {
			bad[s.Report] = true
		}
		delete(recorded, s.Number)
		previous = s.Digest
		if r := now[s.Report]; r.State == book.SignedOff && r.Version == s.Version && r.Text.Digest() != s.Content {
			bad[s.Report] = true
		}
	}
	for _, s := range recorded { // sealed once, and the seal is gone
		bad[s.Report] = true
	}
	newest := map[string]int{}
	for _, s := range seals {
		newest[s.Report] = s.Version
	}
	for _, r := range reports {
		if r.State == book.SignedOff && r.UndoUntil.IsZero() && newest[r.ID] != r.Version {
			bad[r.ID] = true // changed, signed off or put in past this package
		}
		if bad[r.ID] {
			broken = append(broken, r.ID)
		}
	}
	return broken, nil
}

// Sweep forgets decisions after ninety days. A periodic job calls it.
func Sweep(ctx context.Context, d *db.DB) error {
	return d.Batches(ctx, func(tx *db.Tx, most int) (int64, error) {
		return tx.Exec(`DELETE FROM decision WHERE id IN (SELECT id FROM decision WHERE at < $1 ORDER BY at LIMIT $2)`, tx.Now().Add(-shown), most)
	})
}
