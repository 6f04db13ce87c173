// Package chain seals reports that were signed off (L16): one chain of digests
// per book, kept beside the reports and once more in the audit.
//
//		seal 1 ──digest──▶ seal 2 ──digest──▶ seal 3 …
//		  │ content          │ content
//		  ▼                  ▼
//		report, its days and files, as they were signed off
//
//	  - A seal covers whose report it is, for which company, its days; every text,
//	    section, attendance, place and hour; name, size and digest of each file;
//	    who signed off and when; and the seal before.
//	  - Check names what does not fit any more: a report, a file's bytes or a seal
//	    that was changed, exchanged or taken out behind everybody's back, a report
//	    that was opened again without a record of it, and a seal of which the
//	    audit says something else.
//	  - A book that was erased (GDPR Art. 17, package erasure) leaves its records in
//	    the audit, which hold no names, and one that says so: Check calls it erased.
//	  - It does not prove that nobody rewrote everything: whoever may write report,
//	    seals and audit can make a new chain that fits. Against that helps a list of
//	    heads (Head) kept elsewhere, from before: Check compares it.
//	  - Not covered are remarks and comments, names of people (the seal has their
//	    ids), and what was never signed off. A seal says when this server's clock
//	    said it was, and no trust service (eIDAS) vouches for that: § 13 sentence 2
//	    no. 7 BBiG asks for none.
package chain

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/training/attachment"
	"zunft/internal/training/book"
)

// A Seal binds a report into the chain of its book.
type Seal struct {
	Apprentice string
	Number     int // in the book, from 1
	Report     string
	Version    int     // of the report
	At         db.Time // when it was signed off
	Person     string  // by whom
	Content    string  // digest of what was signed off
	Digest     string  // of all this and the digest before
}

const columns = `apprentice, number, report, version, at, person, content, digest`

func (s *Seal) fields() []any {
	return []any{&s.Apprentice, &s.Number, &s.Report, &s.Version, &s.At, &s.Person, &s.Content, &s.Digest}
}

// over is the digest of a seal that follows another.
func (s Seal) over(previous string) string {
	return digest([]any{previous, s.Apprentice, s.Number, s.Report, s.Version, s.At.UTC().Format(time.RFC3339Nano), s.Person, s.Content})
}

// digest of plain values. They stand in a list, in an order that never changes:
// names of fields in Go are no part of it.
func digest(values []any) string {
	b, _ := json.Marshal(values) // strings and numbers: cannot fail
	sum := sha256.Sum256(b)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// content is the digest of all that is signed off with a report.
func content(r book.Report, files []attachment.Attachment) string {
	t := r.Text
	days := make([]any, 0, len(t.Days))
	for _, d := range t.Days {
		days = append(days, []any{d.Attendance, d.Place, d.Minutes, d.Sections, d.Text})
	}
	added := make([]any, 0, len(files))
	for _, f := range files {
		added = append(added, []any{f.Name, f.Kind, f.Size, f.SHA256})
	}
	return digest([]any{
		r.Apprentice, r.Company, r.Kind, r.Week.String(), r.First, r.Last,
		t.Department, t.Work, t.Instruction, t.School, t.Sections, days, added,
	})
}

// Add seals a report that was signed off for good.
func Add(tx *db.Tx, r book.Report) error {
	if err := limit.Hold(tx, "seal/"+r.Apprentice); err != nil { // one chain, also with several nodes
		return err
	}
	last, err := Head(tx, r.Apprentice)
	if err != nil {
		return err
	}
	files, err := attachment.List(tx, r.ID)
	if err != nil {
		return err
	}
	s := Seal{Apprentice: r.Apprentice, Number: last.Number + 1, Report: r.ID, Version: r.Version, At: r.DecidedAt, Person: r.DecidedBy, Content: content(r, files)}
	s.Digest = s.over(last.Digest)
	if _, err := tx.Exec(`INSERT INTO report_seal (`+columns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		s.Apprentice, s.Number, s.Report, s.Version, s.At, s.Person, s.Content, s.Digest); err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	return audit.Record(tx, audit.Job, audit.Entry{
		Event: "report.sealed", Account: r.Apprentice, Organization: r.Company, Thing: r.ID, Detail: map[string]any{"number": s.Number, "version": s.Version, "sha256": s.Digest},
	})
}

// Head is the newest seal of a book; a book without seals has a zero one.
func Head(tx *db.Tx, apprentice string) (Seal, error) {
	return newest(tx, `apprentice = $1`, apprentice)
}

// Of is the newest seal of a report; one that was never sealed has a zero one.
func Of(tx *db.Tx, report string) (Seal, error) {
	return newest(tx, `report = $1`, report)
}

func newest(tx *db.Tx, where, of string) (Seal, error) {
	s, err := db.One(tx, (*Seal).fields, `SELECT `+columns+` FROM report_seal WHERE `+where+` ORDER BY number DESC LIMIT 1`, of)
	if fault.Is(err, fault.KindNotFound) {
		err = nil
	}
	return s, err
}
