package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/session"
)

// printed runs a command and returns what it wrote.
func printed(t *testing.T, run func() error) (string, error) {
	t.Helper()
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	was := os.Stdout
	os.Stdout = out
	err = run()
	os.Stdout = was
	b, e := os.ReadFile(out.Name())
	if e != nil {
		t.Fatal(e)
	}
	return string(b), err
}

// R185, R257: what somebody at the console does with accounts.
func TestAccountCommands(t *testing.T) {
	dir := t.TempDir()
	flags := configFlags{Config: write(t, strings.Replace(fine(), "[mail]", `database = "sqlite:`+dir+`/identity.db"`+"\n[mail]", 1))}
	file := filepath.Join(dir, "people.csv")
	if err := os.WriteFile(file, []byte("username,email,given_name,family_name,hash\nanna.b,anna@beispiel.example,Anna,Beispiel,$2y$05$abcdefghijklmnopqrstuuNRDW/EOvoh8ZiMlAOEBb6H2DAlKVV/2\nberta.b,anna@beispiel.example,Berta,Beispiel,\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		run     func() error
		want    []string
		failure string
	}{
		{"dry run", func() error {
			return accountImportCommand{configFlags: flags, File: file, DryRun: true}.Run(t.Context())
		}, []string{"line 3, email: The same stands in line 2 already", "2 rows: 1 can be taken, 1 cannot; nothing written"}, "Nothing was written"},
		{"import", func() error { return accountImportCommand{configFlags: flags, File: file}.Run(t.Context()) }, []string{"1 cannot; 0 written"}, "Nothing was written; --skip"},
		{"import with skip", func() error { return accountImportCommand{configFlags: flags, File: file, Skip: true}.Run(t.Context()) }, []string{"password hashes, bcrypt: 1", "1 cannot; 1 written"}, ""},
		{"once more", func() error {
			return accountImportCommand{configFlags: flags, File: file, Skip: true, JSON: true}.Run(t.Context())
		}, []string{`"Reason":"legacy.username_taken"`, `"Written":0`}, ""},
		{"lock", func() error {
			return accountLockCommand{configFlags: flags, Account: "anna@beispiel.example"}.Run(t.Context())
		}, nil, ""},
		{"lock again", func() error { return accountLockCommand{configFlags: flags, Account: "anna.b"}.Run(t.Context()) }, nil, "not active"},
		{"unlock", func() error { return accountUnlockCommand{configFlags: flags, Account: "anna.b"}.Run(t.Context()) }, nil, ""},
		{"nobody", func() error { return accountUnlockCommand{configFlags: flags, Account: "nobody"}.Run(t.Context()) }, nil, "no account nobody"},
	} {
		if strings.HasPrefix(c.name, "lock") || c.name == "nobody" { // somebody is signed in; the lock ends it
			d, err := flags.identityDB(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := d.Write(t.Context(), func(tx *db.Tx) error {
				a, err := account.ByLogin(tx, "anna.b")
				if err == nil && c.name == "lock" {
					_, _, err = session.Start(tx, audit.Console, a.ID, "pwd")
				}
				if open, e := db.Value[int](tx, `SELECT count(*) FROM session WHERE ended_at IS NULL`); c.name != "lock" && (open != 0 || e != nil) {
					t.Error("sessions left:", open, e)
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
			d.Close()
		}
		out, err := printed(t, c.run)
		if (err == nil) != (c.failure == "") || err != nil && !strings.Contains(err.Error(), c.failure) {
			t.Errorf("%s: %v", c.name, err)
		}
		for _, want := range c.want {
			if !strings.Contains(out, want) {
				t.Errorf("%s: %s is missing in\n%s", c.name, want, out)
			}
		}
	}
	d, err := flags.identityDB(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	d.Now = func() time.Time { return time.Now().Add(-8 * 24 * time.Hour) }
	if err := d.Write(t.Context(), func(tx *db.Tx) error {
		_, err := account.Create(tx, audit.Console, account.New{GivenName: "Un", FamilyName: "Bestätigt", Email: "alt@beispiel.example"})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for _, dry := range []bool{true, true, false} { // looking deletes nothing
		out, err := printed(t, func() error { return accountPurgeCommand{flags, dry}.Run(t.Context()) })
		if err != nil || !strings.Contains(out, "alt@beispiel.example") || strings.Contains(out, "nothing deleted") != dry {
			t.Error(dry, out, err)
		}
	}
	left, err := printed(t, func() error { return accountPurgeCommand{flags, true}.Run(t.Context()) })
	if err != nil || !strings.Contains(left, "unconfirmed accounts: 0") {
		t.Error(left, err)
	}
}

// ASVS 6.2.12: the list is built by a command and read at the start; a wrong
// file stops it with a sentence that names the key.
func TestPasswordList(t *testing.T) {
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in"), filepath.Join(dir, "known")
	if err := os.WriteFile(in, []byte("Mehl Hefe Wasser\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if said, err := printed(t, passwordBuildCommand{In: in, Out: out, Least: 1}.Run); err != nil || !strings.Contains(said, "MB") {
		t.Fatal(said, err)
	}
	list, err := readPasswordList(out)
	if err != nil || !list.Has("Mehl Hefe Wasser") {
		t.Error(err)
	}
	if list, err := readPasswordList(""); list != nil || err != nil {
		t.Error(list, err)
	}
	for _, path := range []string{in, dir, filepath.Join(dir, "none")} {
		if _, err := readPasswordList(path); err == nil || !strings.HasPrefix(err.Error(), "password.list: ") {
			t.Error(path, err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".passwords-*")); len(left) > 0 {
		t.Error("left behind:", left)
	}
}

// Whoever becomes staff signs in anew: only a sign-in asks for the factor that
// the role needs.
func TestStaffSignsInAnew(t *testing.T) {
	dir := t.TempDir()
	flags := configFlags{Config: write(t, strings.Replace(fine(), "[mail]", `database = "sqlite:`+dir+`/identity.db"`+"\n[mail]", 1))}
	d, err := flags.identityDB(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Write(t.Context(), func(tx *db.Tx) error {
		a, err := account.Create(tx, audit.Console, account.New{GivenName: "Otto", FamilyName: "Ohm", Email: "otto@beispiel.example", Password: "x", Confirmed: true})
		if err != nil {
			return err
		}
		_, _, err = session.Start(tx, audit.Console, a.ID, "pwd")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := (staffAddCommand{configFlags: flags, Account: "otto@beispiel.example", Role: "operator"}).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	var open, staff int
	if err := d.Read(t.Context(), func(tx *db.Tx) error {
		return tx.Scan(`SELECT (SELECT count(*) FROM session WHERE ended_at IS NULL), (SELECT count(*) FROM staff)`, nil, &open, &staff)
	}); err != nil || open != 0 || staff != 1 {
		t.Error(open, staff, err)
	}
}

// The console hands an ended chamber over, and says before what would go.
func TestChamberTakeover(t *testing.T) {
	dir := t.TempDir()
	flags := configFlags{Config: write(t, strings.Replace(fine(), "[mail]", `database = "sqlite:`+dir+`/identity.db"`+"\n[mail]", 1))}
	d, err := flags.identityDB(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Write(t.Context(), func(tx *db.Tx) error {
		for _, number := range []string{"101", "102"} {
			if _, err := chamber.Create(tx, audit.Console, chamber.Chamber{Number: number, Name: "Kammer " + number}); err != nil {
				return err
			}
		}
		c, err := chamber.ByNumber(tx, "101")
		if err != nil {
			return err
		}
		a, err := account.Create(tx, audit.Console, account.New{GivenName: "Clara", FamilyName: "Ohm", Email: "clara@beispiel.example", Password: "x", Confirmed: true})
		if err != nil {
			return err
		}
		return chamber.AddStaff(tx, audit.Console, a.ID, c.ID, chamber.Clerk)
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := printed(t, func() error { return chamberTakeoverCommand{configFlags: flags, Number: "101"}.Run(t.Context()) }); err == nil {
		t.Error("a chamber that goes on is handed over")
	}
	if err := (chamberSuccessorCommand{configFlags: flags, Number: "101", Successor: "102", Until: "2020-12-31"}).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct {
		dry  bool
		says string
	}{{true, "1 staff would be handed over"}, {false, "1 staff handed over"}, {false, "0 staff handed over"}} {
		said, err := printed(t, func() error {
			return chamberTakeoverCommand{configFlags: flags, Number: "101", DryRun: want.dry}.Run(t.Context())
		})
		if err != nil || !strings.Contains(said, want.says) {
			t.Error(said, err)
		}
	}
}
