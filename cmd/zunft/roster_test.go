package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/account"
)

// A list is sent without a page: tried first, the rest into a file, roles for
// rows that name none (R104, R213).
func TestOrganizationInvite(t *testing.T) {
	c, d := newConsole(t)
	c.works("chamber add 999 Kammer")
	c.works("app add book Berichtsheft --redirect https://book.example/cb --training")
	if err := d.Write(t.Context(), func(tx *db.Tx) error {
		a, err := account.Create(tx, audit.Console, account.New{GivenName: "Bert", FamilyName: "Backmann", Username: "bert", Email: "bert@example.org", Password: "x", Confirmed: true})
		if err != nil {
			return err
		}
		_, err = tx.Exec(`INSERT INTO organization (id, chamber, ident_number, name, legal_form, street, house_number, postcode, place, register_kind, register_number, register_court,
			management, company_key, name_key, state, registered_by, created_at) SELECT 'bakery', id, '100017', 'Bäckerei', '', 'Weg', '1', '00999', 'Ort', '', '', '', '', 'x', 'x', 'active', $1, $2 FROM chamber`, a.ID, tx.Now())
		return err
	}); err != nil {
		t.Fatal(err)
	}
	list, rest := filepath.Join(t.TempDir(), "liste.csv"), filepath.Join(t.TempDir(), "rest.csv")
	if err := os.WriteFile(list, []byte("Vorname;E-Mail\nLena;lena@example.org\nMax;max@\n=1+1;\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	invite := "organization invite " + list + " --organization 100017 --chamber 999 --role book:apprentice"
	c.works(invite+" --dry-run --rest "+rest, "line 3, error email", "1 would be invited")
	if b, err := os.ReadFile(rest); err != nil || !strings.Contains(string(b), "Max;max@;") || !strings.Contains(string(b), "'=1+1") {
		t.Errorf("%v %s", err, b)
	}
	count := func(query string) (n int) {
		if err := d.Read(t.Context(), func(tx *db.Tx) (err error) { n, err = db.Value[int](tx, query); return err }); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := count(`SELECT (SELECT count(*) FROM roster) + (SELECT count(*) FROM job WHERE kind = 'roster.send')`); n != 0 {
		t.Error("a trial left something behind")
	}
	c.works(invite, "1 invited")
	if n := count(`SELECT count(*) FROM job WHERE kind = 'roster.send'`); n != 1 {
		t.Error("the server has nothing to send")
	}
	c.fails("organization invite "+list+" --organization 4711 --chamber 999", "there is no organization 4711")
	c.fails(invite+" --role book", "client-id:role")
	if err := os.WriteFile(list, []byte("\x89PNG\x00\x00"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.fails(invite, "not a list")
}
