package main

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/training/book"
	"zunft/internal/training/person"
	"zunft/internal/training/review"
	"zunft/internal/training/schema"
)

// Art. 17 GDPR by command: first what would be, then what may go at once, then
// the book; verify calls it erased, also beside heads from before.
func TestTrainingEraseCommand(t *testing.T) {
	c, dir := trainingConsole(t)
	ctx := context.Background()
	d, err := db.Open(ctx, "sqlite:"+dir+"/training.db", schema.Files)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	now := time.Date(2026, 11, 18, 10, 0, 0, 0, time.UTC)
	d.Now = func() time.Time { return now }
	comes := func(tx *db.Tx, sub, role string) audit.Actor {
		claims := person.Claims{Roles: []string{role}, Person: person.Person{Sub: sub}, Company: person.Company{ID: "korn", ChamberNumber: "999"}}
		if err := person.Learn(tx, audit.Job, claims); err != nil {
			t.Fatal(err)
		}
		_, s, err := person.Start(tx, audit.Job, claims, "")
		if err != nil {
			t.Fatal(err)
		}
		return audit.Actor{Account: sub, Session: s.ID, Kind: audit.Person}
	}
	if err := d.Write(ctx, func(tx *db.Tx) error {
		anna, bert, w := comes(tx, "anna", "apprentice"), comes(tx, "bert", "trainer"), book.Week{Year: 2026, Number: 47}
		r, err := book.Save(tx, anna, w, 0, book.Text{Work: "Brot"})
		if err == nil {
			r, err = book.Submit(tx, anna, w, r.Version)
		}
		if err == nil {
			_, err = review.SignOff(tx, bert, r.ID, r.Version, "")
		}
		if err == nil {
			_, err = tx.Exec(`UPDATE apprenticeship SET number = 'A-1', starts_on = '2026-08-01', ends_on = '2098-07-31' WHERE person = 'anna'`)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	d.Now = func() time.Time { return now.Add(review.UndoFor) }
	if err := review.Settle(ctx, d); err != nil {
		t.Fatal(err)
	}
	heads := filepath.Join(dir, "heads")
	c.works("training verify --write "+heads, "1 books with 1 seals")

	c.fails("training erase", "")
	c.fails("training erase --person anna --apprenticeship A-1", "")
	c.fails("training erase --apprenticeship A-1", "needs --chamber")
	c.fails("training erase --apprenticeship A-2 --chamber 999", "no apprenticeship")
	c.fails("training erase --person emil", "was ever here")
	c.works("training erase --apprenticeship A-1 --chamber 999 --dry-run", "anna", "reports: 1, drafts among them: 0", "kept until 2101-12-31", "nothing erased")
	c.works("training erase --person anna --dry-run --set training.keep_years=1", "kept until 2099-12-31")
	c.fails("training erase --person anna --set training.keep_years=0", "from 1 to 50")
	c.works("training verify", "1 books with 1 seals")
	c.works("training erase --person anna", "1 reports stay until 2101-12-31")
	c.works("training verify --heads "+heads, "1 books with 1 seals")
	c.works("training erase --person anna --before-time", "erased")
	c.works("training verify --heads "+heads, "anna: erased on ", "0 books with 0 seals, 1 books erased since")
	c.works("training erase --person bert", "erased but for the name")
}
