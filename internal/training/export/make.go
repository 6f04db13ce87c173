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
	"zunft/internal/training/book"
)

// slow is how long somebody waits on the page before the file is worth a mail.
const slow = time.Minute

// A Maker makes the files that were ordered.
type Maker struct {
	DB      *db.DB
	Base    string // of this portal: where /verify is
	Catalog *i18n.Catalog
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
	if c.Over || len(c.Reports) == 0 {
		state := Empty
		if c.Over {
			state = Gone
		}
		return m.DB.Write(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE export SET state = $1 WHERE id = $2 AND state = 'waiting'`, state, o.ID)
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
		e.Total, e.SignedOff = len(c.Reports), c.count(book.SignedOff)
		e.SHA256, e.Code = hex.EncodeToString(sum[:]), codeMAC(tx, code)
		stored, err := store(tx, e, file.Bytes())
		if err != nil || !stored {
			return err
		}
		if to := c.Orderer; tx.Now().Sub(e.CreatedAt) > slow && to.Email != "" {
			if err := texts.Send(tx, to.Mail(), "export_ready", map[string]any{"Name": to.Name, "ID": e.ID, "Until": e.ExpiresAt}); err != nil {
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

func codeMAC(tx *db.Tx, code string) string {
	return tx.Keys().MAC("export/code", "", seal.Normalize(code))
}
