// Package attachment keeps the files that belong to a report (R228): PDF, JPG,
// PNG and HEIC, ten to a report, ten megabytes each.
//
//   - What a file is, its content says, never its name. It must be one file of
//     its kind from the first byte to the last; what hangs behind the end is cut
//     off or refused, so that no file is two things at once.
//   - Photos lose where and with what they were taken (EXIF, GPS, comments);
//     which side is up stays.
//   - Nothing is ever unpacked or run here, so nothing can burst here either.
//   - Files come and go while the report is open, and stay as they are when it
//     was submitted.
//
// Who may read a report may read its files: callers load the report through its
// own gate first (book.Mine, review.Read), then List and Get by its id.
package attachment

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"path"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/training/book"
	"zunft/internal/training/calendar"
)

// Phrases of this package.
//
//go:embed phrases/*.json
var Phrases embed.FS

// Limits.
const (
	MaxSize   = 10 << 20 // bytes of a file
	MaxFiles  = 10       // of a report
	MaxBook   = 500 << 20
	partSize  = 512 << 10
	maxName   = 80 // characters
	maxPixels = 120_000_000
)

// Kinds and what browsers call them.
var types = map[string]string{"pdf": "application/pdf", "jpg": "image/jpeg", "png": "image/png", "heic": "image/heic"}

// A File was looked at and may be kept.
type File struct {
	Name, Kind string
	bytes      []byte
}

// Size in bytes, of what is kept.
func (f File) Size() int { return len(f.bytes) }

// An Attachment is kept.
type Attachment struct {
	ID, Report, Name, Kind, SHA256 string
	Size                           int
	AddedAt                        db.Time
}

// Type is its media type.
func (a Attachment) Type() string { return types[a.Kind] }

// Kilobytes, for people; at least 1.
func (a Attachment) Kilobytes() int { return max(1, a.Size>>10) }

const columns = `a.id, a.report, a.name, a.kind, a.sha256, a.size, a.added_at`

func (a *Attachment) fields() []any {
	return []any{&a.ID, &a.Report, &a.Name, &a.Kind, &a.SHA256, &a.Size, &a.AddedAt}
}

// Prepare looks at what somebody chose, and makes it safe. Callers do so outside
// of transactions. Problems are about the field "file".
func Prepare(name string, b []byte) (File, error) {
	shown := safeName(name, "")
	if len(b) == 0 {
		return File{}, fault.Invalid("file", "attachment.empty", shown)
	}
	if len(b) > MaxSize {
		return File{}, TooLarge(name, len(b))
	}
	kind := kindOf(b)
	if kind == "" {
		return File{}, fault.Invalid("file", "attachment.unknown", shown)
	}
	if said := endings[strings.ToLower(path.Ext(shown))]; said != "" && said != kind && (said == "pdf" || kind == "pdf") {
		return File{}, fault.Invalid("file", "attachment.named", shown, strings.ToUpper(kind), strings.ToUpper(said))
	}
	clean, key := cleaners[kind](b)
	if key != "" {
		return File{}, fault.Invalid("file", key, shown)
	}
	return File{Name: safeName(name, kind), Kind: kind, bytes: clean}, nil
}

// TooLarge says that a file is larger than MaxSize; size 0: nobody knows how much.
func TooLarge(name string, size int) error {
	return fault.Invalid("file", "attachment.large", safeName(name, ""), max(size, MaxSize+1)>>20+1, MaxSize>>20)
}

var endings = map[string]string{".pdf": "pdf", ".jpg": "jpg", ".jpeg": "jpg", ".png": "png", ".heic": "heic", ".heif": "heic"}

// safeName is the last part of a name without what file systems, browsers and
// eyes stumble over; with a kind it gets its ending.
func safeName(name, kind string) string {
	name = norm.NFC.String(strings.ToValidUTF8(name, ""))
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar:
			return -1
		case strings.ContainsRune(`<>:"|?*%;&$#`+"`'", r):
			return '-'
		}
		return r
	}, name)), " ")
	name = strings.Trim(name, ". -")
	ending := path.Ext(name)
	if kind != "" {
		if endings[strings.ToLower(ending)] != "" {
			name = strings.TrimRight(strings.TrimSuffix(name, ending), ". -")
		}
		ending = ""
	}
	if r := []rune(name); len(r) > maxName {
		name = string(r[:maxName])
	}
	base, _, _ := strings.Cut(strings.ToUpper(name), ".")
	switch base {
	case "":
		name = "Datei"
	case "CON", "PRN", "AUX", "NUL", "COM1", "COM2", "COM3", "COM4", "LPT1", "LPT2", "LPT3": // names of devices under Windows
		name = "_" + name
	}
	if kind != "" {
		name += "." + kind
	}
	return name
}

// Add keeps a file with the actor's report of a week, which begins by that if
// nothing was written yet. The same file twice is there once.
func Add(tx *db.Tx, by audit.Actor, w book.Week, f File) (Attachment, error) {
	r, err := book.Begin(tx, by, w)
	if err != nil {
		return Attachment{}, err
	}
	// Whoever comes at the same moment waits here; who submits meanwhile wins.
	n, err := tx.Exec(`UPDATE report SET changed_at = changed_at WHERE id = $1 AND state IN ('draft', 'returned')`, r.ID)
	if err != nil || n == 0 {
		if err == nil {
			err = fault.Conflict("attachment.locked")
		}
		return Attachment{}, err
	}
	sum := sha256.Sum256(f.bytes)
	a := Attachment{ID: db.NewID(), Report: r.ID, Name: f.Name, Kind: f.Kind, Size: len(f.bytes), SHA256: hex.EncodeToString(sum[:]), AddedAt: tx.Now()}
	all, err := List(tx, r.ID)
	if err != nil {
		return a, err
	}
	for _, other := range all {
		if other.SHA256 == a.SHA256 {
			return other, nil
		}
	}
	a.Name = unused(a.Name, all)
	if len(all) >= MaxFiles {
		return a, fault.Invalid("file", "attachment.many", MaxFiles)
	}
	used, err := db.Value[int](tx, `SELECT COALESCE(sum(size), 0) FROM attachment WHERE added_by = $1`, by.Account)
	if err != nil {
		return a, err
	}
	if used+a.Size > MaxBook {
		return a, fault.Invalid("file", "attachment.full", MaxBook>>20)
	}
	if _, err := tx.Exec(`INSERT INTO attachment (id, report, name, kind, size, sha256, added_at, added_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		a.ID, a.Report, a.Name, a.Kind, a.Size, a.SHA256, a.AddedAt, by.Account); err != nil {
		return a, fmt.Errorf("attach %s: %w", a.Kind, err)
	}
	for i := 0; i*partSize < len(f.bytes); i++ {
		if _, err := tx.Exec(`INSERT INTO attachment_part (attachment, number, bytes) VALUES ($1, $2, $3)`, a.ID, i, f.bytes[i*partSize:min(len(f.bytes), (i+1)*partSize)]); err != nil {
			return a, fmt.Errorf("attach %s: %w", a.Kind, err)
		}
	}
	return a, record(tx, by, r, a, "attachment.added")
}

// unused gives a name that none of the others has: "Foto (2).jpg".
func unused(name string, all []Attachment) string {
	taken := func(s string) bool {
		for _, a := range all {
			if strings.EqualFold(a.Name, s) {
				return true
			}
		}
		return false
	}
	ending := path.Ext(name)
	for n, base := 2, strings.TrimSuffix(name, ending); taken(name); n++ {
		name = fmt.Sprintf("%s (%d)%s", base, n, ending)
	}
	return name
}

func record(tx *db.Tx, by audit.Actor, r book.Report, a Attachment, event string) error {
	return audit.Record(tx, by, audit.Entry{Event: event, Account: r.Apprentice, Organization: r.Company, Thing: r.ID, Detail: map[string]any{"sha256": a.SHA256, "size": a.Size}})
}

// Remove takes a file away from the actor's report of a week while it is open.
func Remove(tx *db.Tx, by audit.Actor, w book.Week, id string) error {
	r, err := book.Mine(tx, by, w)
	if err != nil {
		return err
	}
	a, err := Get(tx, r.ID, id)
	if fault.Is(err, fault.KindNotFound) {
		return nil // pressed twice: gone is gone
	}
	if err != nil {
		return err
	}
	n, err := tx.Exec(`DELETE FROM attachment WHERE id = $1 AND EXISTS (SELECT 1 FROM report r WHERE r.id = report AND r.apprentice = $2 AND r.state IN ('draft', 'returned'))`, a.ID, by.Account)
	if err != nil {
		return fmt.Errorf("remove attachment: %w", err)
	}
	if n == 0 {
		return fault.Conflict("attachment.locked")
	}
	return record(tx, by, r, a, "attachment.removed")
}

// List are the files of a report, oldest first.
func List(tx *db.Tx, report string) ([]Attachment, error) {
	return db.All(tx, (*Attachment).fields, `SELECT `+columns+` FROM attachment a WHERE a.report = $1 ORDER BY a.id LIMIT $2`, report, MaxFiles)
}

// Names of files.
func Names(all []Attachment) (names []string) {
	for _, a := range all {
		names = append(names, a.Name)
	}
	return names
}

// Get is one file of a report.
func Get(tx *db.Tx, report, id string) (Attachment, error) {
	return db.One(tx, (*Attachment).fields, `SELECT `+columns+` FROM attachment a WHERE a.report = $1 AND a.id = $2`, report, id)
}

// An OfWeek is a file with the week of its report.
type OfWeek struct {
	Attachment
	Week book.Week
}

// Between are the files of a person's reports of the weeks that touch the days,
// oldest first.
func Between(tx *db.Tx, apprentice string, first, last calendar.Date) ([]OfWeek, error) {
	return db.All(tx, func(a *OfWeek) []any { return append((&a.Attachment).fields(), &a.Week.Year, &a.Week.Number) },
		`SELECT `+columns+`, r.year, r.week FROM report r JOIN attachment a ON a.report = r.id
		WHERE r.apprentice = $1 AND r.last_day >= $2 AND r.first_day <= $3 ORDER BY r.year, r.week, a.id`, apprentice, first, last)
}

// Part is the n-th piece of a file, from 0; nil after the last. Pieces are
// small, so that whoever sends a file holds little of it.
func Part(tx *db.Tx, id string, n int) ([]byte, error) {
	b, err := db.Value[[]byte](tx, `SELECT bytes FROM attachment_part WHERE attachment = $1 AND number = $2`, id, n)
	if fault.Is(err, fault.KindNotFound) {
		return nil, nil
	}
	return b, err
}

// Pieces answers the pieces of a file as Part does, each in a transaction of its
// own.
func Pieces(ctx context.Context, d *db.DB, id string) func(n int) ([]byte, error) {
	return func(n int) (b []byte, err error) {
		err = d.Read(ctx, func(tx *db.Tx) (err error) { b, err = Part(tx, id, n); return err })
		return b, err
	}
}

// Write hands a file piece by piece to write.
func Write(tx *db.Tx, id string, write func([]byte) error) error {
	for n := 0; ; n++ {
		b, err := Part(tx, id, n)
		if err != nil || b == nil {
			return err
		}
		if err := write(b); err != nil {
			return err
		}
	}
}
