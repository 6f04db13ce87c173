package chain

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"zunft/internal/ground/db"
	"zunft/internal/training/attachment"
	"zunft/internal/training/book"
)

// What does not fit.
const (
	Changed  = "changed"  // the report says something else than what was signed off
	Decided  = "decided"  // the report says that somebody else signed it off, or at another time
	File     = "file"     // a file's bytes are others than when it was added
	Opened   = "opened"   // it is open again, and nobody opened it
	Unsealed = "unsealed" // it is signed off, and was never sealed so
	Broken   = "broken"   // the seal does not follow the one before
	Recorded = "recorded" // the audit says something else of the seal
	Missing  = "missing"  // the audit speaks of a seal, or the head that was kept does, that is gone
)

// A Misfit is one thing that does not fit. Report and Week are empty where the
// report itself is gone.
type Misfit struct {
	Report string
	Week   string // 2026-W47
	What   string
}

// A Finding is what Check says of a book.
type Finding struct {
	Apprentice string
	Seals      int
	Head       Seal
	Misfits    []Misfit // none: all fits
	Erased     db.Time  // when the book before these seals was erased (package erasure); zero: never
}

// Check walks the chain of a book, and reads each file that was sealed with it,
// piece by piece. kept is a head of this book from before that is kept
// elsewhere; a zero one is none. Callers have asked who may know.
func Check(tx *db.Tx, apprentice string, kept Seal) (f Finding, err error) {
	c := checker{tx: tx, sub: apprentice, reports: map[string]book.Report{}, said: map[Misfit]bool{}}
	seals, err := db.All(tx, (*Seal).fields, `SELECT `+columns+` FROM report_seal WHERE apprentice = $1 ORDER BY number`, apprentice)
	if err != nil {
		return f, fmt.Errorf("chain of %s: %w", apprentice, err)
	}
	reports, err := book.Between(tx, apprentice, "", "", "")
	if err != nil {
		return f, err
	}
	for _, r := range reports {
		c.reports[r.ID] = r
	}
	if err := c.links(seals, kept); err != nil {
		return f, err
	}
	if err := c.contents(seals, reports); err != nil {
		return f, err
	}
	f = Finding{Apprentice: apprentice, Seals: len(seals), Misfits: c.misfits, Erased: c.erased}
	if len(seals) > 0 {
		f.Head = seals[len(seals)-1]
	}
	return f, nil
}

type checker struct {
	tx      *db.Tx
	sub     string
	reports map[string]book.Report
	misfits []Misfit
	said    map[Misfit]bool
	erased  db.Time
}

func (c *checker) say(report, what string) {
	m := Misfit{Report: report, What: what}
	if r, there := c.reports[report]; there {
		m.Week = r.Week.String()
	}
	if !c.said[m] {
		c.said[m] = true
		c.misfits = append(c.misfits, m)
	}
}

// recorded is what the audit says of a seal.
type recorded struct {
	Report string
	Number int
	Digest string `json:"sha256"`
}

// ErasedEvent is the record that a book was erased, with the number and digest
// of its last seal. A book that is begun after that begins a new chain.
const ErasedEvent = "book.erased"

// links follows the seals from one to the next, beside the audit. What was
// sealed in a book that was erased since is missed by nobody; a head that was
// kept from it must be one that the audit knew.
func (c *checker) links(seals []Seal, kept Seal) error {
	records := map[int]recorded{}
	err := c.tx.Each(`SELECT event, at, thing, detail FROM audit WHERE account = $1 AND event IN ('report.sealed', '`+ErasedEvent+`') ORDER BY id`, []any{c.sub}, func(scan func(...any) error) error {
		var r recorded
		var event, detail string
		var at db.Time
		if err := scan(&event, &at, &r.Report, &detail); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(detail), &r); err != nil {
			return fmt.Errorf("audit of a seal: %w", err)
		}
		if event == ErasedEvent {
			if last := records[r.Number]; len(records) != r.Number || last.Digest != r.Digest { // it was not whole when it was erased
				c.say("", Missing)
			}
			if kept.Number != 0 && records[kept.Number].Digest == kept.Digest {
				kept.Number = 0
			}
			c.erased = at
			clear(records)
			return nil
		}
		records[r.Number] = r
		return nil
	})
	if err != nil {
		return err
	}
	previous := ""
	for i, s := range seals {
		if s.Number != i+1 || s.Digest != s.over(previous) {
			c.say(s.Report, Broken)
		}
		if r := records[s.Number]; r.Digest != s.Digest || r.Report != s.Report {
			c.say(s.Report, Recorded)
		}
		delete(records, s.Number)
		previous = s.Digest
		if s.Number == kept.Number {
			if s.Digest != kept.Digest {
				c.say(s.Report, Missing)
			}
			kept.Number = 0
		}
	}
	for _, r := range records { // sealed once, and the seal is gone
		c.say(r.Report, Missing)
	}
	if kept.Number != 0 {
		c.say("", Missing)
	}
	return nil
}

// contents compares the reports with the newest seal of each.
func (c *checker) contents(seals []Seal, reports []book.Report) error {
	newest := map[string]Seal{}
	for _, s := range seals {
		newest[s.Report] = s
	}
	opened := map[string]db.Time{}
	err := c.tx.Each(`SELECT e.report, max(e.at) FROM report r JOIN report_event e ON e.report = r.id WHERE r.apprentice = $1 AND e.event = 'reopened' GROUP BY e.report`,
		[]any{c.sub}, func(scan func(...any) error) error {
			var id string
			var at db.Time
			err := scan(&id, &at)
			opened[id] = at
			return err
		})
	if err != nil {
		return err
	}
	for _, r := range reports {
		s, sealed := newest[r.ID]
		switch {
		case sealed && r.Version == s.Version:
			if err := c.same(r, s); err != nil {
				return err
			}
		case r.State == book.SignedOff && r.UndoUntil.IsZero():
			c.say(r.ID, Unsealed)
		case sealed && !opened[r.ID].After(s.At):
			c.say(r.ID, Opened)
		}
	}
	return nil
}

// same compares a report with the seal of its version.
func (c *checker) same(r book.Report, s Seal) error {
	files, err := attachment.List(c.tx, r.ID)
	if err != nil {
		return err
	}
	if content(r, files) != s.Content {
		c.say(r.ID, Changed)
	}
	switch {
	case r.State != book.SignedOff:
		c.say(r.ID, Opened)
	case r.DecidedBy != s.Person || !r.DecidedAt.Equal(s.At.Time):
		c.say(r.ID, Decided)
	}
	for _, f := range files {
		h, size := sha256.New(), 0
		if err := attachment.Write(c.tx, f.ID, func(b []byte) error { size += len(b); _, err := h.Write(b); return err }); err != nil {
			return err
		}
		if hex.EncodeToString(h.Sum(nil)) != f.SHA256 || size != f.Size {
			c.say(r.ID, File)
		}
	}
	return nil
}

// CheckAll checks every book, one after the other, each in a transaction of its
// own: what it needs does not grow with their number. kept are heads from
// before, by apprentice. each hears of every book that has seals or misfits, or
// was erased.
func CheckAll(ctx context.Context, d *db.DB, kept map[string]Seal, each func(Finding) error) error {
	for after := ""; ; {
		var subs []string
		err := d.Read(ctx, func(tx *db.Tx) (err error) {
			subs, err = db.Values[string](tx, `SELECT sub FROM person WHERE sub > $1 ORDER BY sub LIMIT 200`, after)
			return err
		})
		if err != nil || len(subs) == 0 {
			return err
		}
		after = subs[len(subs)-1]
		for _, sub := range subs {
			var f Finding
			if err := d.Read(ctx, func(tx *db.Tx) (err error) {
				f, err = Check(tx, sub, kept[sub])
				return err
			}); err != nil {
				return err
			}
			if f.Seals == 0 && len(f.Misfits) == 0 && f.Erased.IsZero() {
				continue
			}
			if err := each(f); err != nil {
				return err
			}
		}
	}
}
