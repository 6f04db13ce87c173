// Package document is how the chamber hands documents to apprentices and their
// companies (Eintragungsbestätigungen and others), with proof of reading.
//
//   - A document belongs to an apprenticeship: its apprentice reads it, and in the
//     company the training admins and the trainers who accompany the apprentice
//     (R309, R310). Or it belongs to a company, which may have no apprenticeship
//     yet: its training admins read it. It can be saved and printed: it is a PDF (R311).
//   - Every opening is kept with date and time (R312). The PDF is served only to
//     who has said "open"; the chamber reads who did, and when.
//   - New ones are told by mail, without the content, and on the start page until
//     they were opened: by the apprentice, and by anybody of the company (R308).
package document

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/mail"
	"zunft/internal/training/apprenticeship"
	"zunft/internal/training/person"
)

// Phrases of this package.
//
//go:embed phrases/*.json
var Phrases embed.FS

//go:embed mails
var mailFiles embed.FS

var texts = mail.Parse(mailFiles)

// Kinds of documents, in the order people choose from.
var Kinds = []string{"confirmation", "admission", "certificate", "letter"}

// Limits.
const (
	MaxSize  = 10 << 20
	MaxTitle = 120 // characters
	Page     = 50
)

// A Document as lists show it.
type Document struct {
	ID, ChamberNumber, Apprenticeship, Kind, Title string // Apprenticeship is empty: of a company
	Name                                           string // of the apprentice
	Company                                        string // name
	Size                                           int
	CreatedAt                                      db.Time
	WithdrawnAt                                    db.Time
	Read                                           db.Time // first opening by the apprentice
	ReadCompany                                    db.Time // first opening in the company
	ReadBy                                         string  // name of who opened it there
	Mine                                           bool    // of the apprentice who asks
}

// Unread reports whether the side that asks has not opened it.
func (d Document) Unread() bool {
	return d.Mine && d.Read.IsZero() || !d.Mine && d.ReadCompany.IsZero()
}

// To whom a document goes: an apprenticeship, or a company; one of the ids.
type To struct{ Apprenticeship, Company string }

// Publish hands a PDF to an apprenticeship or a company of the clerk's chamber.
func Publish(tx *db.Tx, by audit.Actor, to To, kind, title string, content []byte) (Document, error) {
	s, err := person.Clerk(tx, by)
	if err != nil {
		return Document{}, err
	}
	return publish(tx, by, s.Chamber(), s.Company.Name, to, kind, title, content)
}

// Send does the same for the operator, in a chamber's name. Only commands send.
func Send(tx *db.Tx, by audit.Actor, chamber string, to To, kind, title string, content []byte) (Document, error) {
	if by.Kind != audit.Command {
		return Document{}, fault.Forbidden()
	}
	offices, err := person.Offices(tx)
	if err != nil {
		return Document{}, err
	}
	name := chamber
	for _, o := range offices {
		if o.ChamberNumber == chamber && o.Name != "" {
			name = o.Name
		}
	}
	return publish(tx, by, chamber, name, to, kind, title, content)
}

func publish(tx *db.Tx, by audit.Actor, chamber, name string, to To, kind, title string, content []byte) (Document, error) {
	title = strings.Join(strings.FieldsFunc(title, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
	}), " ")
	if err := check(kind, title, content); err != nil {
		return Document{}, err
	}
	r, err := receiverOf(tx, chamber, to)
	if err != nil {
		return Document{}, err
	}
	sum := sha256.Sum256(content)
	d := Document{ID: db.NewID(), ChamberNumber: chamber, Apprenticeship: to.Apprenticeship, Kind: kind, Title: title, Size: len(content), CreatedAt: tx.Now()}
	if _, err := tx.Exec(`INSERT INTO document (id, chamber_number, apprenticeship, company, kind, title, size, sha256, created_at, created_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		d.ID, chamber, orNull(to.Apprenticeship), orNull(to.Company), kind, title, d.Size, hex.EncodeToString(sum[:]), tx.Now(), orNull(by.Account)); err != nil {
		return d, fmt.Errorf("publish document: %w", err)
	}
	if _, err := tx.Exec(`INSERT INTO document_file (document, content) VALUES ($1, $2)`, d.ID, content); err != nil {
		return d, fmt.Errorf("publish document: %w", err)
	}
	if err := record(tx, by, "published", d.ID, r, map[string]any{"kind": kind, "sha256": hex.EncodeToString(sum[:])}); err != nil {
		return d, err
	}
	return d, tell(tx, r, name)
}

func orNull(id string) any {
	if id == "" {
		return nil
	}
	return id
}

// A receiver is who reads a document: an apprentice and a company, or only that.
type receiver struct{ person, company string }

// receiverOf finds them in a chamber; of two ids the apprenticeship counts.
func receiverOf(tx *db.Tx, chamber string, to To) (r receiver, err error) {
	if to.Apprenticeship == "" {
		r.company, err = db.Value[string](tx, `SELECT id FROM company WHERE id = $1 AND chamber_number = $2`, to.Company, chamber)
		return r, err
	}
	a, err := apprenticeship.Get(tx, to.Apprenticeship)
	if err == nil && a.ChamberNumber != chamber {
		err = fault.NotFound()
	}
	return receiver{a.Person, a.Company}, err
}

// receiverNow is who reads a document that is there.
func receiverNow(tx *db.Tx, id string) (r receiver, err error) {
	err = tx.Scan(`SELECT COALESCE(a.person, ''), COALESCE(d.company, a.company, '') FROM document d LEFT JOIN apprenticeship a ON a.id = d.apprenticeship WHERE d.id = $1`, []any{id}, &r.person, &r.company)
	return r, err
}

func check(kind, title string, content []byte) error {
	var p fault.Problems
	known := false
	for _, k := range Kinds {
		known = known || k == kind
	}
	if !known {
		p.Add("kind", "document.kind_missing")
	}
	switch n := utf8.RuneCountInString(title); {
	case n == 0:
		p.Add("title", "document.title_missing")
	case n > MaxTitle:
		p.Add("title", "document.title_long", MaxTitle)
	}
	switch {
	case len(content) == 0:
		p.Add("file", "document.file_missing")
	case len(content) > MaxSize:
		p.Add("file", "document.file_large", MaxSize>>20)
	case !isPDF(content):
		p.Add("file", "document.file_kind")
	}
	return p.Err()
}

// isPDF looks at the content: a name or a browser may say anything. The end is
// looked for, too: half a file is none.
func isPDF(b []byte) bool {
	return bytes.HasPrefix(b, []byte("%PDF-")) && bytes.Contains(b[max(0, len(b)-1024):], []byte("%%EOF"))
}

// tell mails that there is something new, to the apprentice and the training
// admins; what it is says the page.
func tell(tx *db.Tx, r receiver, chamber string) error {
	var to []person.Person
	if r.person != "" {
		p, err := person.Get(tx, r.person)
		if err != nil {
			return err
		}
		to = append(to, p)
	}
	if r.company != "" {
		admins, err := person.With(tx, r.company, person.TrainingAdmin)
		if err != nil {
			return err
		}
		to = append(to, admins[:min(len(admins), 5)]...)
	}
	for _, p := range to {
		if p.Email == "" {
			continue
		}
		if err := texts.Send(tx, p.Mail(), "document_new", map[string]any{"Name": p.Name, "Chamber": chamber}); err != nil {
			return err
		}
	}
	return nil
}

// Withdraw takes a document away that was published by mistake; that it was
// read stays known.
func Withdraw(tx *db.Tx, by audit.Actor, id string) error {
	s, err := person.Clerk(tx, by)
	if err != nil {
		return err
	}
	return withdraw(tx, by, s.Chamber(), id)
}

// Revoke does the same for the operator. Only commands revoke.
func Revoke(tx *db.Tx, by audit.Actor, chamber, id string) error {
	if by.Kind != audit.Command {
		return fault.Forbidden()
	}
	return withdraw(tx, by, chamber, id)
}

func withdraw(tx *db.Tx, by audit.Actor, chamber, id string) error {
	n, err := tx.Exec(`UPDATE document SET withdrawn_at = $1 WHERE id = $2 AND chamber_number = $3 AND withdrawn_at IS NULL`, tx.Now(), id, chamber)
	if err != nil {
		return fmt.Errorf("withdraw document: %w", err)
	}
	if n == 0 {
		return fault.NotFound()
	}
	if _, err := tx.Exec(`DELETE FROM document_file WHERE document = $1`, id); err != nil {
		return err
	}
	r, err := receiverNow(tx, id)
	if err != nil {
		return err
	}
	return record(tx, by, "withdrawn", id, r, nil)
}

// Open records that the actor opens a document; its PDF is theirs from then on.
func Open(tx *db.Tx, by audit.Actor, id string) (Document, error) {
	s, err := person.Acting(tx, by)
	if err != nil {
		return Document{}, err
	}
	d, side, err := readable(tx, s, id)
	if err != nil {
		return d, err
	}
	if _, err := tx.Exec(`INSERT INTO document_reading (id, document, at, person, side) VALUES ($1, $2, $3, $4, $5)`, db.NewID(), d.ID, tx.Now(), by.Account, side); err != nil {
		return d, fmt.Errorf("open document: %w", err)
	}
	r, err := receiverNow(tx, d.ID)
	if err != nil {
		return d, err
	}
	return d, record(tx, by, "opened", d.ID, r, map[string]any{"side": side})
}

// Opened is a document that the actor has opened, and when they did first.
func Opened(tx *db.Tx, by audit.Actor, id string) (d Document, first db.Time, err error) {
	s, err := person.Acting(tx, by)
	if err != nil {
		return d, first, err
	}
	if d, _, err = readable(tx, s, id); err != nil {
		return d, first, err
	}
	err = tx.Scan(`SELECT min(at) FROM document_reading WHERE document = $1 AND person = $2`, []any{d.ID, by.Account}, &first)
	if err == nil && first.IsZero() {
		err = fault.Conflict("document.open_first")
	}
	return d, first, err
}

// Content is the PDF, for those who have opened the document.
func Content(tx *db.Tx, by audit.Actor, id string) (Document, []byte, error) {
	d, _, err := Opened(tx, by, id)
	if err != nil {
		return d, nil, err
	}
	content, err := db.Value[[]byte](tx, `SELECT content FROM document_file WHERE document = $1`, d.ID)
	return d, content, err
}

func record(tx *db.Tx, by audit.Actor, event, id string, r receiver, detail map[string]any) error {
	return audit.Record(tx, by, audit.Entry{Event: "document." + event, Account: r.person, Organization: r.company, Thing: id, Detail: detail})
}
