package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/training/book"
	"zunft/internal/training/person"
	"zunft/internal/training/person/persontest"
	"zunft/internal/training/review"
	"zunft/internal/training/schema"
)

// trainingConsole is a console whose two databases lie in a folder.
func trainingConsole(t *testing.T) (c console, dir string) {
	t.Helper()
	dir = t.TempDir()
	file := strings.Replace(fine(), "[mail]", `database = "sqlite:`+dir+`/identity.db"`+"\n[mail]", 1)
	return console{t, write(t, strings.Replace(file, "[identity]", "[training]\ndatabase = \"sqlite:"+dir+"/training.db\"\n[identity]", 1))}, dir
}

// signedBook is the database of a trainingConsole in which Bert has signed a week
// of Anna's, sealed by now.
func signedBook(t *testing.T, dir string) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), "sqlite:"+dir+"/training.db", schema.Files)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	now := time.Date(2026, 11, 18, 10, 0, 0, 0, time.UTC)
	d.Now = func() time.Time { return now }
	anna := persontest.Comes(t, d, persontest.Claims("anna", "korn", person.Apprentice))
	bert := persontest.Comes(t, d, persontest.Claims("bert", "korn", person.Trainer))
	dbtest.Write(t, d, func(tx *db.Tx) error {
		week := book.Week{Year: 2026, Number: 47}
		r, err := book.Save(tx, anna, week, 0, book.Text{Work: "Brot"})
		if err == nil {
			r, err = book.Submit(tx, anna, week, r.Version)
		}
		if err == nil {
			_, err = review.SignOff(tx, bert, r.ID, r.Version, "")
		}
		return err
	})
	now = now.Add(review.UndoFor)
	if err := review.Settle(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	return d
}

// The registry's list comes in by a command, tried first; the same list again
// changes nothing (R233). Offices of a chamber are said by the operator alone.
func TestTrainingCommands(t *testing.T) {
	c, dir := trainingConsole(t)
	list := filepath.Join(dir, "register.csv")
	text := "Azubi-Identnummer;Vorname;Nachname;Identnummer;Ausbildungsberuf;Beginn;Ende;Ausbilder-Identnummer\n" +
		"A-1;Lena;Lerche;100017;Bäckerin;01.08.2026;31.07.2029;T-4\nA-2;Max;Muster;100017;Astronaut;01.08.2026;31.07.2029;\n"
	if err := os.WriteFile(list, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	in := "training import " + list + " --chamber 999"
	c.works(in+" --dry-run", "line 3, occupation", "Astronaut", "2 rows: 1 would be created, 0 changed, 0 unchanged, 1 cannot be used")
	c.fails(in+" --strict", "1 row needs mending")
	c.works(in, "1 were created")
	c.works(in, "0 were created, 0 changed, 1 unchanged")
	c.fails("training import "+list+" --chamber 99", "three digits")
	if err := os.WriteFile(list, []byte("Vorname;Nachname\nLena;Lerche\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.fails(in, "lacks columns")

	c.works("training office add 0199-office --chamber 999")
	c.fails("training office add 0199-office --chamber 111", "office of a chamber already")
	c.fails("training office add other --chamber 1", "three digits")
	c.works("training office list", "999  0199-office")
	c.works("training office remove 0199-office")
	c.fails("training office remove 0199-office", "")
	if out := c.works("training office list"); strings.Contains(out, "0199") {
		t.Error(out)
	}

	// Documents, by number of an apprentice (R308).
	pdf := filepath.Join(dir, "Bestätigung.pdf")
	if err := os.WriteFile(pdf, []byte("%PDF-1.7\ntrailer << >>\n%%EOF\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	id := strings.TrimSpace(c.works("training document send " + pdf + " --to A-1 --chamber 999 --kind confirmation"))
	c.works("training document list --chamber 999", id, "Bestätigung", "Lena Lerche", "apprentice: not opened; company: not opened")
	c.fails("training document send "+pdf+" --to A-77 --chamber 999", "A-77")
	c.fails("training document send "+list+" --to A-1 --chamber 999", "PDF")
	c.fails("training document revoke "+id+" --chamber 111", "")
	c.works("training document revoke " + id + " --chamber 999")
	c.works("training document list --chamber 999", "revoked")
	c.fails("training document revoke "+id+" --chamber 999", "")
}
