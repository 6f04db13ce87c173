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

// L16: the operator checks all chains; what was changed behind everybody's back
// is named, and the exit status says so.
func TestTrainingVerifyCommand_L16(t *testing.T) {
	c, dir := trainingConsole(t)
	ctx := context.Background()
	d, err := db.Open(ctx, "sqlite:"+dir+"/training.db", schema.Files)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	comes := func(tx *db.Tx, sub, role string) audit.Actor {
		claims := person.Claims{Roles: []string{role}, Person: person.Person{Sub: sub}, Company: person.Company{ID: "korn"}}
		if err := person.Learn(tx, audit.Job, claims); err != nil {
			t.Fatal(err)
		}
		_, s, err := person.Start(tx, audit.Job, claims, "")
		if err != nil {
			t.Fatal(err)
		}
		return audit.Actor{Account: sub, Session: s.ID, Kind: audit.Person}
	}
	now := time.Date(2026, 11, 18, 10, 0, 0, 0, time.UTC)
	d.Now = func() time.Time { return now }
	if err := d.Write(ctx, func(tx *db.Tx) error {
		anna, bert, w := comes(tx, "anna", "apprentice"), comes(tx, "bert", "trainer"), book.Week{Year: 2026, Number: 47}
		r, err := book.Save(tx, anna, w, 0, book.Text{Work: "Brot"})
		if err == nil {
			r, err = book.Submit(tx, anna, w, r.Version)
		}
		if err == nil {
			_, err = review.SignOff(tx, bert, r.ID, r.Version, "")
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	d.Now = func() time.Time { return now.Add(review.UndoFor) }
	if err := review.Settle(ctx, d); err != nil {
		t.Fatal(err)
	}
	exec := func(query string) {
		t.Helper()
		if err := d.Write(ctx, func(tx *db.Tx) error { _, err := tx.Exec(query); return err }); err != nil {
			t.Fatal(err)
		}
	}
	heads := filepath.Join(dir, "heads")
	c.works("training verify --write "+heads, "1 books with 1 seals")
	c.works("training verify --heads " + heads)
	exec(`UPDATE report SET work = 'Torte'`)
	c.fails("training verify", "1 things do not fit")
	exec(`DELETE FROM report_seal`)
	exec(`DELETE FROM audit`)
	exec(`UPDATE report SET undo_until = '2026-01-01T00:00:00Z'`) // as if it was never sealed
	c.works("training verify")
	c.fails("training verify --heads "+heads, "1 things do not fit")
}
