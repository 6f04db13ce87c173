package document_test

import (
	"bytes"
	"context"
	"slices"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/training/document"
	"zunft/internal/training/person"
	"zunft/internal/training/person/persontest"
	"zunft/internal/training/schema"
)

var (
	bg  = context.Background()
	now = time.Date(2026, 11, 18, 10, 0, 0, 0, time.UTC)
	pdf = []byte("%PDF-1.7\n1 0 obj << >> endobj\ntrailer << >>\n%%EOF\n")
)

func comes(t *testing.T, d *db.DB, sub, company string, roles ...string) audit.Actor {
	t.Helper()
	d.Now = func() time.Time { return now }
	c := person.Claims{
		Roles: roles, Person: person.Person{Sub: sub, Name: sub, Email: sub + "@beispiel.example", Language: "de"},
		Company: person.Company{ID: company, Name: company, ChamberNumber: "999"},
	}
	return persontest.Comes(t, d, c)
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
		dbtest.Write(t, d, func(tx *db.Tx) error {
			_, err := tx.Exec(`INSERT INTO chamber_office (company, chamber_number, added_at) VALUES ('office', '999', $1), ('far', '111', $1)`, tx.Now())
			return err
		})
		clara, kai := comes(t, d, "clara", "office", "chamber_clerk"), comes(t, d, "kai", "far", "chamber_clerk")
		lena, emil, jana, murat := comes(t, d, "lena", "korn", "apprentice"), comes(t, d, "emil", "korn", "apprentice"), comes(t, d, "jana", "korn", "training_admin"), comes(t, d, "murat", "korn", "trainer")
		other := comes(t, d, "otto", "mehl", "training_admin")
		learns := db.NewID()
		dbtest.Write(t, d, func(tx *db.Tx) error {
			_, err := tx.Exec(`INSERT INTO apprenticeship (id, person, company, chamber_number, source, created_at, changed_at) VALUES ($1, 'lena', 'korn', '999', 'registry', $2, $2)`, learns, tx.Now())
			return err
		})
		publish := func(by audit.Actor, kind, title string, content []byte) (doc document.Document, err error) {
			err = d.Write(bg, func(tx *db.Tx) error {
				doc, err = document.Publish(tx, by, document.To{Apprenticeship: learns}, kind, title, content)
				return err
			})
			return doc, err
		}
		for what, try := range map[string]func() (document.Document, error){
			"no PDF": func() (document.Document, error) {
				return publish(clara, "confirmation", "Bestätigung", []byte("<html>"))
			},
			"half": func() (document.Document, error) { return publish(clara, "confirmation", "Bestätigung", pdf[:20]) },
			"large": func() (document.Document, error) {
				return publish(clara, "confirmation", "Bestätigung", slices.Concat(pdf[:9], make([]byte, document.MaxSize), pdf[9:])) // whole but for its size
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
			dbtest.Write(t, d, func(tx *db.Tx) error { _, err := document.Open(tx, by, doc.ID); return err })
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
		// Read again tomorrow: the proof is the first time.
		d.Now = func() time.Time { return now.Add(time.Hour) }
		dbtest.Write(t, d, func(tx *db.Tx) error { _, err := document.Open(tx, lena, doc.ID); return err })
		if err := d.Read(bg, func(tx *db.Tx) error {
			_, first, err := document.Opened(tx, lena, doc.ID)
			if !first.Equal(now) {
				t.Errorf("read first at %s", first)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		dbtest.Exec(t, d, `DELETE FROM document_reading WHERE at > $1`, db.At(now))
		d.Now = func() time.Time { return now }
		// A trainer reads what is of those they accompany (R333), and nothing else.
		ute := comes(t, d, "ute", "korn", "trainer")
		dbtest.Exec(t, d, `INSERT INTO assignment (id, apprenticeship, person, role, from_day, created_at) VALUES ('x', $1, 'murat', 'trainer', '2026-08-01', $2)`, learns, db.At(now))
		for _, c := range []struct {
			by   audit.Actor
			want bool
		}{{murat, true}, {ute, false}} {
			err := d.Read(bg, func(tx *db.Tx) error { _, _, err := document.Opened(tx, c.by, doc.ID); return err })
			if fault.Is(err, fault.KindNotFound) == c.want {
				t.Errorf("%s: %v", c.by.Account, err)
			}
			if err := d.Read(bg, func(tx *db.Tx) error {
				all, err := document.List(tx, c.by)
				if (len(all) == 1) != c.want {
					t.Errorf("%s has %d documents", c.by.Account, len(all))
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
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
		dbtest.Write(t, d, func(tx *db.Tx) error { return document.Withdraw(tx, clara, doc.ID) })
		if _, err := content(lena); !fault.Is(err, fault.KindNotFound) {
			t.Errorf("withdrawn: %v", err)
		}
		if err := d.Write(bg, func(tx *db.Tx) error { _, err := document.Open(tx, lena, doc.ID); return err }); !fault.Is(err, fault.KindNotFound) {
			t.Errorf("withdrawn, and opened: %v", err)
		}
		for who, by := range map[string]audit.Actor{"lena": lena, "jana": jana, "murat": murat} {
			if err := d.Read(bg, func(tx *db.Tx) error {
				all, err := document.List(tx, by)
				if len(all) != 0 {
					t.Errorf("withdrawn, and %s has it on the list", who)
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
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

// R308, R309, R312: a document goes to a company that has no apprenticeship yet;
// its training admins read it, and nobody else. The operator sends, lists and
// takes back in the name of a chamber, by number.
func TestDocumentsOfACompany_R308_R309_R312(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		dbtest.Write(t, d, func(tx *db.Tx) error {
			_, err := tx.Exec(`INSERT INTO chamber_office (company, chamber_number, added_at) VALUES ('office', '999', $1), ('far', '111', $1)`, tx.Now())
			return err
		})
		clara, kai := comes(t, d, "clara", "office", "chamber_clerk"), comes(t, d, "kai", "far", "chamber_clerk")
		jana, murat, lena := comes(t, d, "jana", "korn", "training_admin"), comes(t, d, "murat", "korn", "trainer"), comes(t, d, "lena", "korn", "apprentice")
		otto := comes(t, d, "otto", "mehl", "training_admin")
		dbtest.Write(t, d, func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE company SET ident_number = CASE id WHEN 'korn' THEN '4711' ELSE '' END`)
			return err
		})
		var doc document.Document
		to := document.To{Company: "korn"}
		for who, c := range map[string]struct {
			by   audit.Actor
			want fault.Kind
		}{"another chamber": {kai, fault.KindNotFound}, "the company": {jana, fault.KindForbidden}} {
			if err := d.Write(bg, func(tx *db.Tx) error {
				_, err := document.Publish(tx, c.by, to, "letter", "Eignung", pdf)
				return err
			}); !fault.Is(err, c.want) {
				t.Errorf("%s publishes: %v", who, err)
			}
		}
		dbtest.Write(t, d, func(tx *db.Tx) error {
			found, err := document.Companies(tx, clara, "kor")
			if len(found) != 1 || found[0].ID != "korn" || found[0].Number != "4711" {
				t.Errorf("%+v", found)
			}
			if far, err := document.Companies(tx, kai, "4711"); err != nil || len(far) != 0 {
				t.Errorf("%v %+v", err, far)
			}
			if err == nil {
				doc, err = document.Publish(tx, clara, to, "letter", "Eignung als Ausbildungsstätte", pdf)
			}
			return err
		})
		if unread(t, d, jana) != 1 {
			t.Error("the training admin does not see it")
		}
		for who, by := range map[string]audit.Actor{"murat": murat, "lena": lena, "otto": otto, "kai": kai} {
			if who != "kai" && unread(t, d, by) != 0 {
				t.Errorf("%s sees it", who)
			}
			if err := d.Write(bg, func(tx *db.Tx) error { _, err := document.Open(tx, by, doc.ID); return err }); !fault.Is(err, fault.KindNotFound) {
				t.Errorf("%s opens it: %v", who, err)
			}
		}
		dbtest.Write(t, d, func(tx *db.Tx) error { _, err := document.Open(tx, jana, doc.ID); return err })
		if unread(t, d, jana) != 0 {
			t.Error("opened, and still new")
		}
		dbtest.Write(t, d, func(tx *db.Tx) error {
			got, readings, err := document.Readings(tx, clara, doc.ID)
			if len(readings) != 1 || readings[0].Name != "jana" || readings[0].Side != "company" || !readings[0].At.Equal(now) || got.Name != "" || got.Company != "korn" {
				t.Errorf("the chamber reads %+v of %+v", readings, got)
			}
			return err
		})

		// The operator, by number.
		var sent document.Document
		dbtest.Write(t, d, func(tx *db.Tx) error {
			if _, err := document.Find(tx, audit.Console, "111", "4711"); !fault.Is(err, fault.KindInvalid) {
				t.Errorf("a number of another chamber: %v", err)
			}
			found, err := document.Find(tx, audit.Console, "999", "4711")
			if err == nil {
				sent, err = document.Send(tx, audit.Console, "999", found, "confirmation", "Vom Betrieb", pdf)
			}
			return err
		})
		if unread(t, d, jana) != 1 {
			t.Error("what the operator sent does not arrive")
		}
		dbtest.Write(t, d, func(tx *db.Tx) error {
			all, err := document.Sent(tx, audit.Console, "999", "")
			if len(all) != 2 || all[0].ID != sent.ID || all[1].ReadBy != "jana" {
				t.Errorf("%+v", all)
			}
			if err := document.Revoke(tx, audit.Console, "111", sent.ID); !fault.Is(err, fault.KindNotFound) {
				t.Errorf("in another chamber's name: %v", err)
			}
			for _, try := range []error{
				document.Revoke(tx, clara, "999", sent.ID),
				func() error { _, err := document.Send(tx, jana, "999", to, "letter", "x", pdf); return err }(),
				func() error { _, err := document.Sent(tx, jana, "999", ""); return err }(),
				func() error { _, err := document.Find(tx, jana, "999", "4711"); return err }(),
			} {
				if !fault.Is(try, fault.KindForbidden) {
					t.Errorf("a person as the operator: %v", try)
				}
			}
			if err == nil {
				err = document.Revoke(tx, audit.Console, "999", sent.ID)
			}
			return err
		})
		if unread(t, d, jana) != 0 {
			t.Error("taken back, and still there")
		}
	})
}
