package export

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/i18n"
	"zunft/internal/ground/job"
	"zunft/internal/ground/paper"
	"zunft/internal/ground/seal"
	"zunft/internal/training/apprenticeship"
	"zunft/internal/training/book"
	"zunft/internal/training/person"
)

// slow is how long somebody waits on the page before the file is worth a mail.
const slow = time.Minute

// A Maker makes the files that were ordered.
type Maker struct {
	DB      *db.DB
	Base    string // of this portal: where /verify is
	Catalog *i18n.Catalog
}

// content is all that goes into a file.
type content struct {
	Export          Export
	Person          person.Person
	Companies       map[string]person.Company
	Reports         []book.Report
	History         map[string][]book.Event
	People          map[string]string // names of who decided
	Apprenticeships []apprenticeship.Apprenticeship
}

// Make is the work of the job. Done twice it stores once: what is written is
// the same but for its code.
func (m *Maker) Make(ctx context.Context, body []byte) error {
	var o order
	if err := json.Unmarshal(body, &o); err != nil {
		return fmt.Errorf("%w: %w", job.ErrGiveUp, err)
	}
	var c content
	err := m.DB.Read(ctx, func(tx *db.Tx) (err error) {
		c, err = read(tx, o.ID)
		return err
	})
	if fault.Is(err, fault.KindNotFound) || err == nil && c.Export.State != Waiting {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read for export: %w", err)
	}
	if len(c.Reports) == 0 {
		return m.DB.Write(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE export SET state = 'empty' WHERE id = $1 AND state = 'waiting'`, o.ID)
			return err
		})
	}
	code := seal.Letters(12)
	b := c.book(m.Base, code, func(key string, args ...any) string { return m.Catalog.Text(c.Export.Language, key, args...) })
	b.Progress = m.progress(ctx, o.ID, len(c.Reports))
	var file bytes.Buffer
	if err := paper.WriteBook(&file, b); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	sum := sha256.Sum256(file.Bytes())
	return m.DB.Write(ctx, func(tx *db.Tx) error {
		e := c.Export
		e.Total, e.SignedOff = len(c.Reports), 0
		e.SHA256, e.Code = hex.EncodeToString(sum[:]), codeMAC(tx, code)
		for _, r := range c.Reports {
			if r.State == book.SignedOff {
				e.SignedOff++
			}
		}
		stored, err := store(tx, e, file.Bytes())
		if err != nil || !stored {
			return err
		}
		if tx.Now().Sub(e.CreatedAt) > slow && c.Person.Email != "" {
			if err := texts.Send(tx, c.Person.Mail(), "export_ready", map[string]any{"Name": c.Person.Name, "ID": e.ID, "Until": e.ExpiresAt}); err != nil {
				return err
			}
		}
		return audit.Record(tx, audit.Job, audit.Entry{Event: "export.made", Account: e.Person, Thing: e.ID, Detail: map[string]any{"sha256": e.SHA256, "reports": len(c.Reports)}})
	})
}

// progress notes how far the file is, every 25 weeks; it never stops the work.
func (m *Maker) progress(ctx context.Context, id string, all int) func(done, chapters int) {
	return func(done, _ int) {
		if done%25 != 0 || done > all {
			return
		}
		_ = m.DB.Write(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE export SET done = $1, total = $2 WHERE id = $3 AND state = 'waiting'`, done, all, id)
			return err
		})
	}
}

// read collects what was ordered.
func read(tx *db.Tx, id string) (c content, err error) {
	if c.Export, err = db.One(tx, (*Export).fields, `SELECT `+columns+` FROM export WHERE id = $1`, id); err != nil || c.Export.State != Waiting {
		return c, err
	}
	e := c.Export
	if c.Person, err = person.Get(tx, e.Person); err != nil {
		return c, err
	}
	all, err := book.Between(tx, e.Person, e.Company, e.First, e.Last)
	if err != nil {
		return c, err
	}
	c.Companies, c.People = map[string]person.Company{}, map[string]string{}
	seen := map[string]bool{}
	for _, r := range all {
		if e.Signed && r.State != book.SignedOff || r.Text.Empty() {
			continue
		}
		c.Reports = append(c.Reports, r)
		if _, known := c.Companies[r.Company]; !known {
			if c.Companies[r.Company], err = person.CompanyOf(tx, r.Company); err != nil {
				return c, err
			}
		}
		if !seen[r.Apprenticeship] {
			seen[r.Apprenticeship] = true
			a, err := apprenticeship.Get(tx, r.Apprenticeship)
			if err != nil {
				return c, err
			}
			c.Apprenticeships = append(c.Apprenticeships, a)
		}
	}
	if c.History, err = book.Histories(tx, e.Person, e.Company, e.First, e.Last); err != nil {
		return c, err
	}
	err = tx.Each(`SELECT sub, name FROM person WHERE sub IN (SELECT decided_by FROM report WHERE apprentice = $1 UNION SELECT checked_by FROM report WHERE apprentice = $1)`,
		[]any{e.Person}, func(scan func(...any) error) error {
			var sub, name string
			err := scan(&sub, &name)
			c.People[sub] = name
			return err
		})
	return c, err
}

func codeMAC(tx *db.Tx, code string) string {
	return tx.Keys().MAC("export/code", "", seal.Normalize(code))
}
