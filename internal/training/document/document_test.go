package document_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/training/document"
	"zunft/internal/training/person"
	"zunft/internal/training/schema"
)

var (
	bg  = context.Background()
	now = time.Date(2026, 11, 18, 10, 0, 0, 0, time.UTC)
	pdf = []byte("%PDF-1.7\n1 0 obj << >> endobj\ntrailer << >>\n%%EOF\n")
)

func comes(t *testing.T, d *db.DB, sub, company string, roles ...string) (by audit.Actor) {
	t.Helper()
	d.Now = func() time.Time { return now }
	c := person.Claims{
		Roles: roles, Person: person.Person{Sub: sub, Name: sub, Email: sub + "@beispiel.example", Language: "de"},
		Company: person.Company{ID: company, Name: company, ChamberNumber: "999"},
	}
	write(t, d, func(tx *db.Tx) error {
		if err := person.Learn(tx, audit.Job, c); err != nil {
			return err
		}
		_, s, err := person.Start(tx, audit.Job, c, "")
		by = audit.Actor{Account: sub, Session: s.ID, Kind: audit.Person}
		return err
	})
	return by
}

func write(t *testing.T, d *db.DB, f func(tx *db.Tx) error) {
	t.Helper()
	if err := d.Write(bg, f); err != nil {
		t.Fatal(err)
	}
}

func unread(t *testing.T, d *db.DB, by audit.Actor) (n int) {
	t.Helper()
	err := d.Read(bg, func(tx *db.Tx) error {
		s, err := person.Acting(tx, by)
		if err != nil {
			return err
		}
		n, err = document.Unread(tx, s)
		if err != nil {
			return err
		}
		all, err := document.List(tx, by)
		k := 0
		for _, one := range all {
			if one.Unread() {
				k++
			}
		}
		if k != n {
			t.Errorf("%s: the list has %d unread, the count says %d", by.Account, k, n)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// R308, R309, R310, R311, R312: a confirmation is new for the apprentice and for
// the company until one of each side opens it; every opening is kept with its
// time; nobody else reads it.
func TestProofOfReading_R312(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		write(t, d, func(tx *db.Tx) error {
			_, err := tx.Exec(`INSERT INTO chamber_office (company, chamber_number, added_at) VALUES ('office', '999', $1), ('far', '111', $1)`, tx.Now())
			return err
		})
		clara, kai := comes(t, d, "clara", "office", "chamber_clerk"), comes(t, d, "kai", "far", "chamber_clerk")
		lena, emil, jana, murat := comes(t, d, "lena", "korn", "apprentice"), comes(t, d, "emil", "korn", "apprentice"), comes(t, d, "jana", "korn", "training_admin"), comes(t, d, "murat", "korn", "trainer")
		other := comes(t, d, "otto", "mehl", "training_admin")
		learns := db.NewID()
		write(t, d, func(tx *db.Tx) error {
			_, err := tx.Exec(`INSERT INTO apprenticeship (id, person, company, chamber_number, source, created_at, changed_at) VALUES ($1, 'lena', 'korn', '999', 'registry', $2, $2)`, learns, tx.Now())
			return err
		})
		publish := func(by audit.Actor, kind, title string, content []byte) (doc document.Document, err error) {
			err = d.Write(bg, func(tx *db.Tx) error { doc, err = document.Publish(tx, by, learns, kind, title, content); return err })
			return doc, err
		}
		for what, try := range map[string]func() (document.Document, error){
			"no PDF": func() (document.Document, error) {
				return publish(clara, "confirmation", "Bestätigung", []byte("<html>"))
			},
			"half": func() (document.Document, error) { return publish(clara, "confirmation", "Bestätigung", pdf[:20]) },
			"large": func() (document.Document, error) {
				return publish(clara, "confirmation", "Bestätigung", append(make([]byte, document.MaxSize), pdf...))
			},
			"no title": func() (document.Document, error) { return publish(clara, "confirmation", "\u202e \n", pdf) },
			"no kind":  func() (document.Document, error) { return publish(clara, "virus", "Bestätigung", pdf) },
		} {
			if _, err := try(); !fault.Is(err, fault.KindInvalid) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if _, err := publish(kai, "confirmation", "Bestätigung", pdf); !fault.Is(err, fault.KindNotFound) {
			t.Errorf("another chamber: %v", err)
		}
		if _, err := publish(jana, "confirmation", "Bestätigung", pdf); !fault.Is(err, fault.KindForbidden) {
			t.Errorf("the company: %v", err)
		}
		doc, err := publish(clara, "confirmation", "Eintragungsbestätigung Lena", pdf)
		if err != nil {
			t.Fatal(err)
		}
		for who, by := range map[string]audit.Actor{"lena": lena, "jana": jana, "murat": murat} {
			if n := unread(t, d, by); n != 1 {
				t.Errorf("%s has %d unread", who, n)
			}
		}
		for who, by := range map[string]audit.Actor{"emil": emil, "otto": other, "kai": kai} {
			if n := unread(t, d, by); n != 0 {
				t.Errorf("%s has %d unread", who, n)
			}
			if err := d.Write(bg, func(tx *db.Tx) error { _, err := document.Open(tx, by, doc.ID); return err }); !fault.Is(err, fault.KindNotFound) {
				t.Errorf("%s opens it: %v", who, err)
			}
		}
		content := func(by audit.Actor) (b []byte, err error) {
			err = d.Read(bg, func(tx *db.Tx) error { _, b, err = document.Content(tx, by, doc.ID); return err })
			return b, err
		}
		if _, err := content(lena); !fault.Is(err, fault.KindConflict) {
			t.Errorf("the PDF before it was opened: %v", err)
		}
		open := func(by audit.Actor) {
			t.Helper()
			write(t, d, func(tx *db.Tx) error { _, err := document.Open(tx, by, doc.ID); return err })
			if b, err := content(by); err != nil || !bytes.Equal(b, pdf) {
				t.Error(err, len(b))
			}
		}
		open(lena)
		if unread(t, d, lena) != 0 || unread(t, d, jana) != 1 {
			t.Error("the apprentice's reading is the company's, or not theirs")
		}
		open(jana)
		open(jana)
		if unread(t, d, murat) != 0 {
			t.Error("the company has read it")
		}
		err = d.Read(bg, func(tx *db.Tx) error {
			got, readings, err := document.Readings(tx, clara, doc.ID)
			if len(readings) != 3 || readings[2].Name != "lena" || readings[2].Side != "apprentice" || !readings[0].At.Equal(now) || got.ReadBy != "jana" {
				t.Errorf("the chamber reads %+v", readings)
			}
			if _, _, err := document.Readings(tx, kai, doc.ID); !fault.Is(err, fault.KindNotFound) {
				t.Errorf("another chamber reads who read: %v", err)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		write(t, d, func(tx *db.Tx) error { return document.Withdraw(tx, clara, doc.ID) })
		if _, err := content(lena); !fault.Is(err, fault.KindNotFound) {
			t.Errorf("withdrawn: %v", err)
		}
		err = d.Read(bg, func(tx *db.Tx) error {
			n, err := db.Value[int](tx, `SELECT count(*) FROM job WHERE kind = 'mail'`)
			if n != 2 {
				t.Errorf("%d mails, one for Lena and one for Jana", n)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
