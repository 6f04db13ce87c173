// Package document is how the chamber hands documents to apprentices and their
// companies (Eintragungsbestätigungen and others), with proof of reading.
//
//   - A document belongs to an apprenticeship. Its apprentice reads it, and in the
//     company the training admins and the trainers who accompany the apprentice
//     (R309, R310). It can be saved and printed: it is a PDF (R311).
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
	ID, ChamberNumber, Apprenticeship, Kind, Title string
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

// Publish hands a PDF to an apprenticeship of the clerk's chamber.
func Publish(tx *db.Tx, by audit.Actor, id, kind, title string, content []byte) (Document, error) {
	s, err := person.Clerk(tx, by)
	if err != nil {
		return Document{}, err
	}
	title = strings.Join(strings.FieldsFunc(title, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
	}), " ")
	if err := check(kind, title, content); err != nil {
		return Document{}, err
	}
	a, err := apprenticeship.Get(tx, id)
	if err != nil {
		return Document{}, err
	}
	if a.ChamberNumber != s.Chamber() {
		return Document{}, fault.NotFound()
	}
	sum := sha256.Sum256(content)
	d := Document{ID: db.NewID(), Apprenticeship: a.ID, Kind: kind, Title: title, Size: len(content), CreatedAt: tx.Now()}
	if _, err := tx.Exec(`INSERT INTO document (id, chamber_number, apprenticeship, kind, title, size, sha256, created_at, created_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		d.ID, s.Chamber(), a.ID, kind, title, d.Size, hex.EncodeToString(sum[:]), tx.Now(), by.Account); err != nil {
		return d, fmt.Errorf("publish document: %w", err)
	}
	if _, err := tx.Exec(`INSERT INTO document_file (document, content) VALUES ($1, $2)`, d.ID, content); err != nil {
		return d, fmt.Errorf("publish document: %w", err)
	}
	if err := record(tx, by, "published", d.ID, a, map[string]any{"kind": kind, "sha256": hex.EncodeToString(sum[:])}); err != nil {
		return d, err
	}
	return d, tell(tx, a, s)
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
func tell(tx *db.Tx, a apprenticeship.Apprenticeship, s person.Session) error {
	var to []person.Person
	if a.Person != "" {
		p, err := person.Get(tx, a.Person)
		if err != nil {
			return err
		}
		to = append(to, p)
	}
	if a.Company != "" {
		admins, err := person.With(tx, a.Company, person.TrainingAdmin)
		if err != nil {
			return err
		}
		to = append(to, admins[:min(len(admins), 5)]...)
	}
	for _, p := range to {
		if p.Email == "" {
			continue
		}
		if err := texts.Send(tx, p.Mail(), "document_new", map[string]any{"Name": p.Name, "Chamber": s.Company.Name}); err != nil {
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
	of, err := db.Values[string](tx, `UPDATE document SET withdrawn_at = $1 WHERE id = $2 AND chamber_number = $3 AND withdrawn_at IS NULL RETURNING apprenticeship`, tx.Now(), id, s.Chamber())
	if err != nil {
		return fmt.Errorf("withdraw document: %w", err)
	}
	if len(of) == 0 {
		return fault.NotFound()
	}
	if _, err := tx.Exec(`DELETE FROM document_file WHERE document = $1`, id); err != nil {
		return err
	}
	a, err := apprenticeship.Get(tx, of[0])
	if err != nil {
		return err
	}
	return record(tx, by, "withdrawn", id, a, nil)
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
	a, err := apprenticeship.Get(tx, d.Apprenticeship)
	if err != nil {
		return d, err
	}
	return d, record(tx, by, "opened", d.ID, a, map[string]any{"side": side})
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

func record(tx *db.Tx, by audit.Actor, event, id string, a apprenticeship.Apprenticeship, detail map[string]any) error {
	return audit.Record(tx, by, audit.Entry{Event: "document." + event, Account: a.Person, Organization: a.Company, Thing: id, Detail: detail})
}
