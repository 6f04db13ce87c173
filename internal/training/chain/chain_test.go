package chain_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/training/attachment"
	"zunft/internal/training/book"
	"zunft/internal/training/chain"
	"zunft/internal/training/person"
	"zunft/internal/training/person/persontest"
	"zunft/internal/training/review"
	"zunft/internal/training/schema"
)

var (
	bg   = context.Background()
	now  = time.Date(2026, 11, 18, 10, 0, 0, 0, time.UTC) // Wednesday of week 47
	week = book.Week{Year: 2026, Number: 47}
)

func comes(t testing.TB, d *db.DB, sub, role string) audit.Actor {
	t.Helper()
	c := person.Claims{Roles: []string{role}, Person: person.Person{Sub: sub, Name: sub}, Company: person.Company{ID: "korn", Name: "Korn"}}
	return persontest.Comes(t, d, c)
}

func exec(t testing.TB, d *db.DB, query string, args ...any) {
	t.Helper()
	dbtest.Write(t, d, func(tx *db.Tx) error { _, err := tx.Exec(query, args...); return err })
}

func later(t testing.TB, d *db.DB) {
	t.Helper()
	then := d.Now().Add(review.UndoFor)
	d.Now = func() time.Time { return then }
	if err := review.Settle(bg, d); err != nil {
		t.Fatal(err)
	}
}

// files of different content, kept with a report.
func file(t testing.TB, name string, wide int) attachment.File {
	t.Helper()
	var b bytes.Buffer
	_ = png.Encode(&b, image.NewRGBA(image.Rect(0, 0, wide, 9)))
	f, err := attachment.Prepare(name, b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// signed writes, submits and signs off a week; it is sealed then.
func signed(t testing.TB, d *db.DB, anna, bert audit.Actor, w book.Week, text book.Text, files ...attachment.File) (id string) {
	t.Helper()
	dbtest.Write(t, d, func(tx *db.Tx) error {
		before, err := book.Mine(tx, anna, w)
		if err != nil {
			return err
		}
		if _, err := book.Save(tx, anna, w, before.Version, text); err != nil {
			return err
		}
		for _, f := range files {
			if _, err := attachment.Add(tx, anna, w, f); err != nil {
				return err
			}
		}
		r, err := book.Mine(tx, anna, w)
		if err == nil {
			r, err = book.Submit(tx, anna, w, r.Version)
		}
		if err == nil {
			_, err = review.SignOff(tx, bert, r.ID, r.Version, "")
		}
		id = r.ID
		return err
	})
	later(t, d)
	return id
}

// check returns the misfits as "report: what", and the head.
func check(t testing.TB, d *db.DB, kept chain.Seal) (found map[string]bool, head chain.Seal) {
	t.Helper()
	found = map[string]bool{}
	if err := d.Read(bg, func(tx *db.Tx) error {
		f, err := chain.Check(tx, "anna", kept)
		head = f.Head
		for _, m := range f.Misfits {
			found[m.Report+": "+m.What] = true
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return found, head
}

// R334, L16: a signed report cannot be changed. Whatever is changed in a sealed
// book behind everybody's back is named: texts, days, sections, absence, place,
// files and seals.
func TestTampering_R334_L16(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		d.Now = func() time.Time { return now }
		anna, bert := comes(t, d, "anna", "apprentice"), comes(t, d, "bert", "trainer")
		comes(t, d, "vera", "trainer")
		text := book.Text{Work: "Brötchen", Sections: "4n3vxudo"}
		text.Days[0] = book.Day{Attendance: "sick"}
		text.Days[1] = book.Day{Attendance: "company", Place: "Backstube", Minutes: 480}
		var ids []string
		for i := range 3 {
			ids = append(ids, signed(t, d, anna, bert, week.Add(-i), text, file(t, "Ofen.png", 10+i), file(t, "Teig.png", 20+i)))
		}
		if found, _ := check(t, d, chain.Seal{}); len(found) != 0 {
			t.Fatalf("an honest book does not fit: %v", found)
		}
		id := ids[1]
		const of = ` WHERE id = $1`
		const files = ` WHERE report = $1 AND name = 'Ofen.png'`
		for name, c := range map[string]struct{ change, what string }{
			"text":                {`UPDATE report SET work = 'Torten'` + of, chain.Changed},
			"instruction":         {`UPDATE report SET instruction = 'Hygiene'` + of, chain.Changed},
			"department":          {`UPDATE report SET department = 'Laden'` + of, chain.Changed},
			"sections":            {`UPDATE report SET sections = 'rzbppn7p'` + of, chain.Changed},
			"absence":             {`UPDATE report SET days = replace(days, 'sick', 'company')` + of, chain.Changed},
			"place":               {`UPDATE report SET days = replace(days, 'Backstube', 'Laden')` + of, chain.Changed},
			"hours":               {`UPDATE report SET days = replace(days, '480', '540')` + of, chain.Changed},
			"days":                {`UPDATE report SET first_day = '2026-11-10'` + of, chain.Changed},
			"company":             {`UPDATE report SET company = 'other'` + of, chain.Changed},
			"version":             {`UPDATE report SET version = version + 1, work = 'Torten'` + of, chain.Unsealed},
			"who":                 {`UPDATE report SET decided_by = 'vera'` + of, chain.Decided},
			"when":                {`UPDATE report SET decided_at = (SELECT max(changed_at) FROM report)` + of, chain.Decided},
			"open again":          {`UPDATE report SET state = 'draft', version = version + 1` + of, chain.Opened},
			"open as it is":       {`UPDATE report SET state = 'draft'` + of, chain.Opened},
			"file's name":         {`UPDATE attachment SET name = 'Torte.png'` + files, chain.Changed},
			"file's size":         {`UPDATE attachment SET size = 1` + files, chain.Changed},
			"file's digest":       {`UPDATE attachment SET sha256 = 'x'` + files, chain.Changed},
			"file gone":           {`DELETE FROM attachment` + files, chain.Changed},
			"file's bytes":        {`UPDATE attachment_part SET bytes = (SELECT bytes FROM attachment_part p JOIN attachment a ON a.id = p.attachment WHERE a.report = $1 AND a.name = 'Teig.png') WHERE attachment = (SELECT id FROM attachment` + files + `)`, chain.File},
			"bytes gone":          {`DELETE FROM attachment_part WHERE attachment IN (SELECT id FROM attachment` + files + `)`, chain.File},
			"seal's content":      {`UPDATE report_seal SET content = 'x' WHERE report = $1`, chain.Broken},
			"seal's person":       {`UPDATE report_seal SET person = 'vera' WHERE report = $1`, chain.Broken},
			"seal's number":       {`UPDATE report_seal SET number = number + 10 WHERE report = $1`, chain.Broken},
			"seal's digest":       {`UPDATE report_seal SET digest = 'x' WHERE report = $1`, chain.Broken},
			"seal gone":           {`DELETE FROM report_seal WHERE report = $1`, chain.Missing},
			"report gone":         {`DELETE FROM report` + of, chain.Missing},
			"audit":               {`UPDATE audit SET detail = replace(detail, 'sha256', 'sha') WHERE event = 'report.sealed' AND thing = $1`, chain.Recorded},
			"seal for another":    {`UPDATE report_seal SET report = '` + ids[0] + `' WHERE report = $1`, chain.Unsealed},
			"gone from the audit": {`DELETE FROM audit WHERE event = 'report.sealed' AND thing = $1`, chain.Recorded},
		} {
			rolled := fmt.Errorf("back as it was")
			err := d.Write(bg, func(tx *db.Tx) error {
				if name == "company" {
					if _, err := tx.Exec(`INSERT INTO company (id, name, ident_number, chamber_number, seen_at) VALUES ('other', 'Andere', '', '', $1)`, tx.Now()); err != nil {
						return err
					}
				}
				if _, err := tx.Exec(c.change, id); err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
				f, err := chain.Check(tx, "anna", chain.Seal{})
				if err != nil {
					return err
				}
				hit := false
				for _, m := range f.Misfits {
					hit = hit || m.Report == id && m.What == c.what
				}
				if !hit {
					t.Errorf("%s: wanted %q of the report, found %v", name, c.what, f.Misfits)
				}
				return rolled
			})
			if err != rolled {
				t.Fatal(err)
			}
		}
		// Honestly returned, mended and signed again: a new seal, and all fits.
		dbtest.Write(t, d, func(tx *db.Tx) error {
			r, err := review.For(tx, bert, ids[2])
			if err == nil {
				_, err = review.Reopen(tx, bert, r.ID, r.Version, "Mengen")
			}
			return err
		})
		if found, _ := check(t, d, chain.Seal{}); len(found) != 0 {
			t.Errorf("honestly returned: %v", found)
		}
		signed(t, d, anna, bert, week.Add(-2), book.Text{Work: "20 Brötchen"})
		found, head := check(t, d, chain.Seal{})
		if head.Number != 4 || len(found) != 0 {
			t.Errorf("%d seals, %v", head.Number, found)
		}

		// A new chain that fits in itself is seen by whoever kept a head.
		exec(t, d, `DELETE FROM report_seal`)
		exec(t, d, `DELETE FROM audit WHERE event = 'report.sealed'`)
		exec(t, d, `UPDATE report SET work = 'Torten', undo_until = $1`, db.At(now))
		if err := review.Settle(bg, d); err != nil {
			t.Fatal(err)
		}
		if found, _ = check(t, d, chain.Seal{}); len(found) != 0 {
			t.Errorf("rewritten: %v", found)
		}
		if found, _ = check(t, d, head); !found[": "+chain.Missing] {
			t.Errorf("rewritten, beside the head that was kept: %v", found)
		}
	})
}

// Every book is walked, and only such with seals or misfits are told.
func TestAllBooksAreChecked_L16(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		d.Now = func() time.Time { return now }
		bert := comes(t, d, "bert", "trainer")
		var last string
		for i := range 5 {
			last = signed(t, d, comes(t, d, fmt.Sprintf("a%03d", i), "apprentice"), bert, week, book.Text{Work: "Brot"})
		}
		exec(t, d, `INSERT INTO person (sub, name, given_name, family_name, name_key, email, language, seen_at) SELECT 'b' || sub || x.n, '', '', '', '', '', 'de', seen_at FROM person, (SELECT 1 AS n UNION ALL SELECT 2) x`)
		exec(t, d, `UPDATE report SET work = 'Torten' WHERE id = $1`, last)
		var said []string
		if err := chain.CheckAll(bg, d, nil, func(f chain.Finding) error {
			said = append(said, fmt.Sprintf("%s %d %v", f.Apprentice, f.Seals, f.Misfits))
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprintf("[a000 1 [] a001 1 [] a002 1 [] a003 1 [] a004 1 [{%s 2026-W47 changed}]]", last)
		if got := fmt.Sprint(said); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}
