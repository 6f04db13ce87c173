// Package textblock keeps the words that a chamber's clerks write often:
// questions, reasons of a refusal, what is said when a case is passed on.
//
// A block belongs to one chamber and one purpose. Leading clerks write the
// blocks and put them in order; every clerk takes one into an answer, where it
// can be changed before it is sent. What was sent is a copy: a block that is
// changed or removed later changes no answer.
package textblock

import (
	"embed"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/chamber"
)

// Phrases are what people read of this package's faults.
//
//go:embed phrases/*.json
var Phrases embed.FS

// Purposes: where a block is offered.
const (
	Question = "question" // a registration is asked back
	Refusal  = "refusal"  // a registration is refused
	Forward  = "forward"  // a registration goes to another chamber
	Name     = "name"     // a corrected name is refused
	Recovery = "recovery" // a recovery is refused
	Mandate  = "mandate"  // a mandate is refused
)

// Purposes are all of them, as pages list them.
func Purposes() []string { return []string{Question, Refusal, Forward, Name, Recovery, Mandate} }

// Limits of what is kept: a clerk must find a block at a glance, and it must
// fit the answer it is taken into.
const (
	MostTitle = 60
	MostBody  = 500
	MostOfOne = 30 // blocks of one purpose
)

// A Block is a title for clerks and the words people read.
type Block struct {
	ID        string
	Chamber   string
	Purpose   string
	Title     string
	Body      string
	Position  int
	Version   int
	ChangedAt db.Time
}

const columns = `id, chamber, purpose, title, body, position, version, changed_at`

func (b *Block) fields() []any {
	return []any{&b.ID, &b.Chamber, &b.Purpose, &b.Title, &b.Body, &b.Position, &b.Version, &b.ChangedAt}
}

// List is what a chamber offers for one purpose, in its order.
func List(tx *db.Tx, chamberID, purpose string) ([]Block, error) {
	return db.All(tx, (*Block).fields, `SELECT `+columns+` FROM text_block WHERE chamber = $1 AND purpose = $2 ORDER BY position, id`, chamberID, purpose)
}

// All is everything a chamber offers, by purpose, each in its order.
func All(tx *db.Tx, chamberID string) ([]Block, error) {
	return db.All(tx, (*Block).fields, `SELECT `+columns+` FROM text_block WHERE chamber = $1 ORDER BY purpose, position, id`, chamberID)
}

// Get is a block of the chamber; that of another is none.
func Get(tx *db.Tx, chamberID, id string) (Block, error) {
	return db.One(tx, (*Block).fields, `SELECT `+columns+` FROM text_block WHERE id = $1 AND chamber = $2`, id, chamberID)
}

func (b *Block) check() error {
	var p fault.Problems
	b.Title = strings.Join(strings.Fields(b.Title), " ")
	b.Body = strings.TrimSpace(b.Body)
	if !slices.Contains(Purposes(), b.Purpose) {
		p.Add("purpose", "textblock.purpose")
	}
	if b.Title == "" {
		p.Add("title", "textblock.title_required")
	} else if utf8.RuneCountInString(b.Title) > MostTitle {
		p.Add("title", "textblock.too_long", MostTitle)
	}
	if b.Body == "" {
		p.Add("body", "textblock.body_required")
	} else if utf8.RuneCountInString(b.Body) > MostBody {
		p.Add("body", "textblock.too_long", MostBody)
	}
	return p.Err()
}

// Add puts a block at the end of its purpose.
func Add(tx *db.Tx, by audit.Actor, b Block) (Block, error) {
	if err := chamber.MustLead(tx, by, b.Chamber); err != nil {
		return b, err
	}
	if err := b.check(); err != nil {
		return b, err
	}
	same, err := List(tx, b.Chamber, b.Purpose)
	if err != nil {
		return b, err
	}
	if len(same) >= MostOfOne {
		return b, fault.Invalid("purpose", "textblock.too_many", MostOfOne)
	}
	if len(same) > 0 {
		b.Position = same[len(same)-1].Position + 1
	}
	b.ID, b.Version, b.ChangedAt = db.NewID(), 1, tx.Now()
	if _, err := tx.Exec(`INSERT INTO text_block (`+columns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		b.ID, b.Chamber, b.Purpose, b.Title, b.Body, b.Position, b.Version, b.ChangedAt); err != nil {
		return b, fmt.Errorf("add text block: %w", err)
	}
	return b, record(tx, by, "text_block.added", b)
}

// Change gives a block another title and other words. b.Version is what the
// clerk saw; Conflict if somebody was quicker. Its purpose stays.
func Change(tx *db.Tx, by audit.Actor, b Block) error {
	if err := chamber.MustLead(tx, by, b.Chamber); err != nil {
		return err
	}
	was, err := Get(tx, b.Chamber, b.ID)
	if err != nil {
		return err
	}
	b.Purpose = was.Purpose
	if err := b.check(); err != nil {
		return err
	}
	n, err := tx.Exec(`UPDATE text_block SET title = $3, body = $4, version = version + 1, changed_at = $5 WHERE id = $1 AND chamber = $2 AND version = $6`,
		b.ID, b.Chamber, b.Title, b.Body, tx.Now(), b.Version)
	if err != nil {
		return fmt.Errorf("change text block %s: %w", b.ID, err)
	}
	if n == 0 {
		return fault.Conflict("textblock.changed")
	}
	return record(tx, by, "text_block.changed", b)
}

// Remove takes a block away; NotFound if it is gone already.
func Remove(tx *db.Tx, by audit.Actor, chamberID, id string) error {
	if err := chamber.MustLead(tx, by, chamberID); err != nil {
		return err
	}
	b, err := db.One(tx, (*Block).fields, `DELETE FROM text_block WHERE id = $1 AND chamber = $2 RETURNING `+columns, id, chamberID)
	if err != nil {
		return err
	}
	return record(tx, by, "text_block.removed", b)
}

// Up moves a block one place up in its purpose; the first one stays.
func Up(tx *db.Tx, by audit.Actor, chamberID, id string) error {
	if err := chamber.MustLead(tx, by, chamberID); err != nil {
		return err
	}
	b, err := Get(tx, chamberID, id)
	if err != nil {
		return err
	}
	all, err := List(tx, chamberID, b.Purpose)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(o Block) bool { return o.ID == id })
	if i <= 0 {
		return nil
	}
	all[i-1], all[i] = all[i], all[i-1]
	for position, o := range all { // numbered anew: two may have been added at once
		if o.Position == position {
			continue
		}
		if _, err := tx.Exec(`UPDATE text_block SET position = $2 WHERE id = $1`, o.ID, position); err != nil {
			return fmt.Errorf("order text blocks: %w", err)
		}
	}
	return record(tx, by, "text_block.moved", b)
}

func record(tx *db.Tx, by audit.Actor, event string, b Block) error {
	return audit.Record(tx, by, audit.Entry{Event: event, Chamber: b.Chamber, Thing: b.ID, Detail: map[string]any{"purpose": b.Purpose}})
}
