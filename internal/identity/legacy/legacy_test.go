package legacy

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/password"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/schema"
)

const (
	bread  = "Brot & Bier für 7"
	bcrypt = "$2y$05$abcdefghijklmnopqrstuuNRDW/EOvoh8ZiMlAOEBb6H2DAlKVV/2"
	salted = "{SSHA}aUnU2TqqCwV62ARQknKTaB20mddzYWx0c2FsdA=="
	django = "pbkdf2_sha256$1000$seasalt2$aBdwkyfU5GeoGxVvNV3TWlgcpng6aApMyNnXOdW0nEA="
)

func open(t testing.TB, engine string) *db.DB {
	d := dbtest.Open(t, engine, schema.Files)
	if err := d.Write(t.Context(), func(tx *db.Tx) error {
		if err := policy.EnsureDefault(tx); err != nil {
			return err
		}
		_, err := chamber.Create(tx, audit.Console, chamber.Chamber{Number: "133", Name: "Kammer Musterland", ShortName: "Musterland"})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return d
}

func each(t *testing.T, f func(t *testing.T, d *db.DB)) {
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) { f(t, open(t, engine)) })
	}
}

func signsIn(t *testing.T, d *db.DB, login, plain string) bool {
	t.Helper()
	h := password.NewHasher(2)
	h.Cost = password.Cost{KiB: 64, Passes: 1, Lanes: 1}
	p, err := account.Authenticate(t.Context(), d, h, audit.Actor{IP: "192.0.2.1"}, login, plain, "")
	if err == nil {
		err = d.Write(t.Context(), func(tx *db.Tx) error { _, err := account.Accept(tx, audit.Actor{}, p); return err })
	}
	if err != nil && fault.Of(err) == nil {
		t.Fatal(err)
	}
	return err == nil
}

func accounts(t testing.TB, d *db.DB) (n int) {
	t.Helper()
	if err := d.Read(t.Context(), func(tx *db.Tx) (err error) { n, err = db.Value[int](tx, `SELECT count(*) FROM account`); return err }); err != nil {
		t.Fatal(err)
	}
	return n
}

// R185, R186, R284: whoever was registered at another product signs in at once,
// with user name, address or number, and the password they have.
func TestR185Import(t *testing.T) {
	keycloak, err := json.Marshal(map[string]any{
		"type":           "password",
		"secretData":     `{"value":"/dSZN7llyMpeksXmMFuiq9wc7srgBfzmctVBFuIHk4yB6AXg73reLxfAox5snult1ZXYeZ1I7U86dQg2Vuv+hw==","salt":"AAECAwQFBgcICQoLDA0ODw=="}`,
		"credentialData": `{"hashIterations":1000,"algorithm":"pbkdf2-sha512"}`,
	})
	if err != nil {
		t.Fatal(err)
	}
	for form, file := range map[string]string{
		"csv": "\xEF\xBB\xBFUsername;Email;given_name;family_name;salutation;title;hash;numbers;chamber;policy\r\n" +
			"anna.b;anna@beispiel.example;Anna;Bäcker;Frau;Dr.;" + bcrypt + ";apprentice:12 345;133;standard\r\n" + // "345" has no kind
			"",
		"csv, comma": "username,email,given_name,family_name,salutation,title,hash,numbers,chamber,policy\n" +
			"anna.b,anna@beispiel.example,Anna,Bäcker,Frau,Dr.," + bcrypt + ",apprentice:12345,133,standard\n" +
			"berta.b,berta@beispiel.example,Berta,Öl,,," + salted + ",,,\n" +
			"clara@beispiel.example,clara@beispiel.example,Clara,Ähre,mr,," + `"` + strings.ReplaceAll(string(keycloak), `"`, `""`) + `"` + ",,,\n" +
			"dora.d,dora@beispiel.example,Dora,Dunst,,,,\"trainer:9 member:8\",133,\n",
		"csv, Windows-1252": "username;email;given_name;family_name;hash;numbers;chamber\n" +
			"anna.b;anna@beispiel.example;Anna;B\xe4cker;" + bcrypt + ";apprentice:12345;133\n" +
			"berta.b;berta@beispiel.example;Berta;\xd6l;" + salted + ";;\n" +
			";clara@beispiel.example;Clara;\xc4hre;" + django + ";;\n" +
			"dora.d;dora@beispiel.example;Dora;Dunst;;trainer:9,member:8;133\n",
		"json": `[
			{"username": "anna.b", "email": "anna@beispiel.example", "given_name": "Anna", "family_name": "Bäcker", "hash": "` + bcrypt + `", "numbers": ["apprentice:12345"], "chamber": "133"},
			{"username": "berta.b", "email": "berta@beispiel.example", "given_name": "Berta", "family_name": "Öl", "hash": "` + salted + `", "title": null},
			{"email": "clara@beispiel.example", "given_name": "Clara", "family_name": "Ähre", "hash": ` + string(keycloak) + `},
			{"username": "dora.d", "email": "dora@beispiel.example", "given_name": "Dora", "family_name": "Dunst", "numbers": ["trainer:9", "member:8"], "chamber": "133"}
		]`,
		"json lines": `{"username": "anna.b", "email": "anna@beispiel.example", "given_name": "Anna", "family_name": "Bäcker", "hash": "` + bcrypt + `", "numbers": "apprentice:12345", "chamber": "133"}
			{"username": "berta.b", "email": "berta@beispiel.example", "given_name": "Berta", "family_name": "Öl", "hash": "` + salted + `"}
			{"email": "clara@beispiel.example", "given_name": "Clara", "family_name": "Ähre", "hash": "` + django + `"}
			{"username": "dora.d", "email": "dora@beispiel.example", "given_name": "Dora", "family_name": "Dunst", "numbers": "trainer:9 member:8", "chamber": "133"}`,
	} {
		t.Run(form, func(t *testing.T) {
			each(t, func(t *testing.T, d *db.DB) {
				if form == "csv" {
					r, err := Import(t.Context(), d, audit.Console, strings.NewReader(file), Options{})
					if !fault.Is(err, fault.KindInvalid) || len(r.Problems) != 1 || r.Problems[0].Line != 2 || r.Problems[0].Reason != "legacy.number_form" {
						t.Errorf("%+v %v", r, err)
					}
					return
				}
				r, err := Import(t.Context(), d, audit.Console, strings.NewReader(file), Options{DryRun: true})
				if err != nil || r.Usable != 4 || r.Written != 0 || accounts(t, d) != 0 {
					t.Fatalf("dry run: %+v %v", r, err)
				}
				r, err = Import(t.Context(), d, audit.Console, strings.NewReader(file), Options{})
				if err != nil || r.Written != 4 || r.Hashes["bcrypt"] != 1 || r.Hashes["none"] != 1 || accounts(t, d) != 4 {
					t.Fatalf("%+v %v", r, err)
				}
				for _, login := range []string{"anna.b", "ANNA@beispiel.example", "133-12345", "12345", "berta.b", "clara@beispiel.example"} {
					if signsIn(t, d, login, "Brot & Bier") || !signsIn(t, d, login, bread) {
						t.Errorf("%s does not sign in", login)
					}
				}
				if signsIn(t, d, "dora.d", "") {
					t.Error("without a password")
				}
				if err := d.Read(t.Context(), func(tx *db.Tx) error {
					a, err := account.ByLogin(tx, "133-9")
					if a.FamilyName != "Dunst" || a.State != account.Active {
						t.Errorf("%+v", a)
					}
					if a, err := account.ByLogin(tx, "anna.b"); a.FamilyName != "Bäcker" || err != nil {
						t.Errorf("%+v %v", a, err)
					}
					return err
				}); err != nil {
					t.Error(err)
				}
				// Once more: nobody is there twice, nobody is overwritten.
				r, err = Import(t.Context(), d, audit.Console, strings.NewReader(strings.ReplaceAll(file, "Anna", "Anders")), Options{Skip: true})
				if err != nil || r.Written != 0 || r.Bad != 4 || accounts(t, d) != 4 {
					t.Errorf("again: %+v %v", r, err)
				}
			})
		})
	}
}

// What is wrong is said by line and column, all of it, before anything is written.
func TestProblems(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		if err := d.Write(t.Context(), func(tx *db.Tx) error {
			a, err := account.Create(tx, audit.Console, account.New{GivenName: "Da", FamilyName: "War", Username: "da.war", Email: "da@beispiel.example", Further: []string{"auch@beispiel.example"}, Confirmed: true})
			if err != nil {
				return err
			}
			if _, err := tx.Exec(`UPDATE account_email SET confirmed_at = $1`, tx.Now()); err != nil {
				return err
			}
			c, err := chamber.ByNumber(tx, "133")
			if err != nil {
				return err
			}
			if _, err := account.Create(tx, audit.Console, account.New{GivenName: "Un", FamilyName: "Bestätigt", Username: "frei.f", Email: "frei@beispiel.example"}); err != nil {
				return err
			}
			return account.AddNumber(tx, audit.Console, a.ID, "trainer", c.ID, "77")
		}); err != nil {
			t.Fatal(err)
		}
		file := `username,email,given_name,family_name,hash,numbers,chamber,policy,salutation
DA.War,neu@beispiel.example,A,B,,,,,
neu.n,DA@Beispiel.example,A,B,,,,,
neu.m,auch@beispiel.example,A,B,,,,,
frei.f,frei@beispiel.example,Hat,Platz,,,,,
Frei.F,anders@beispiel.example,A,B,,,,,
x.yz,frei@beispiel.example,A,B,,,,,
y.z1,y@beispiel.example,A,B,,trainer:7-7,133,,
z.z1,z@beispiel.example,A,B,,trainer:78,133,,
z.z2,z2@beispiel.example,A,B,,trainer:7 8,133,,
z.z3,z3@beispiel.example,A,B,,trainer:78,133,,
"ab,cd",kein-at,,B,geheim123,apprentice,999,nirgends,Hallo
w.w1,w@beispiel.example,A,B,$2y$20$abcdefghijklmnopqrstuuNRDW/EOvoh8ZiMlAOEBb6H2DAlKVV/2,,,,
`
		want := `2 username legacy.username_taken
3 email legacy.email_taken
4 email legacy.email_taken
6 username legacy.in_file
7 email legacy.in_file
8 numbers legacy.number_taken
10 numbers legacy.number_form
11 numbers legacy.in_file
12 salutation legacy.salutation
12 policy legacy.policy_unknown
12 chamber legacy.chamber_unknown
12 numbers legacy.number_form
12 given_name account.given_name_missing
12 email account.email_form
12 username account.username_form
12 hash legacy.hash
13 hash legacy.hash
`
		r, err := Import(t.Context(), d, audit.Console, strings.NewReader(file), Options{})
		if !fault.Is(err, fault.KindInvalid) || r.Written != 0 || accounts(t, d) != 2 {
			t.Fatalf("%+v %v", r, err)
		}
		got := ""
		for _, p := range r.Problems {
			got += fmt.Sprintln(p.Line, p.Column, p.Reason)
			if strings.Contains(fmt.Sprint(p.Args...), "geheim123") {
				t.Error("what may be a password is shown")
			}
		}
		if got != want {
			t.Errorf("%s\nwant\n%s", got, want)
		}
		if r, err := Import(t.Context(), d, audit.Console, strings.NewReader(file), Options{Skip: true}); err != nil || r.Written != 2 || r.Bad != 10 || accounts(t, d) != 4 {
			t.Errorf("%+v %v", r, err)
		}
		if _, err := Import(t.Context(), d, audit.Actor{Account: "x"}, strings.NewReader(file), Options{}); !fault.Is(err, fault.KindForbidden) {
			t.Error("a person imports:", err)
		}
		for file, key := range map[string]string{
			"": "legacy.file_empty", " \n": "legacy.file_empty", "username,email\na,b\n": "legacy.column_missing", "email,given_name,family_name,geburtstag\n": "legacy.column_unknown",
			"email,email,given_name,family_name\n": "legacy.column_twice", "email,given_name,family_name\na,b\n": "legacy.row_columns", "email,given_name,family_name\n\"a,b,c\n": "legacy.row_form",
			"[{]": "legacy.row_form", `[{"email": 7}]`: "legacy.row_form", `{"mail": "x"}`: "legacy.column_unknown", `[[1]]`: "legacy.row_form", `[{"email": "a@b.example"`: "legacy.row_form",
		} {
			if _, err := Import(t.Context(), d, audit.Console, strings.NewReader(file), Options{}); fault.Of(err) == nil || fault.Of(err).Key() != key {
				t.Errorf("%q: %v, want %s", file, err, key)
			}
		}
	})
}

// Two imports of one file at once make every account once.
func TestImportRace(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		file := manyPeople(300, bcrypt)
		var group sync.WaitGroup
		var mu sync.Mutex
		written := 0
		for range 4 {
			group.Go(func() {
				r, err := Import(t.Context(), d, audit.Console, bytes.NewReader(file), Options{Skip: true})
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				written += r.Written
			})
		}
		group.Wait()
		if written != 300 || accounts(t, d) != 300 {
			t.Error(written, accounts(t, d))
		}
	})
}

func manyPeople(n int, hash string) []byte {
	var b bytes.Buffer
	b.WriteString("username;email;given_name;family_name;hash;numbers;chamber\n")
	for i := range n {
		fmt.Fprintf(&b, "person.%d;person.%d@beispiel.example;Anna;Beispiel;%s;apprentice:%d;133\n", i, i, hash, 1_000_000+i)
	}
	return b.Bytes()
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("email;given_name;family_name\na@b.example;A;\"B\n"))
	f.Add([]byte(`[{"email":"a@b.example","numbers":["x"]},{}]`))
	f.Add([]byte("{\"email\":null}\n\n{\"hash\":{\"a\":1}}"))
	f.Fuzz(func(t *testing.T, file []byte) {
		all, err := read(bytes.NewReader(file))
		if err != nil && fault.Of(err) == nil {
			t.Fatalf("no fault: %v", err)
		}
		p := places{}
		for _, rec := range all {
			if rec.line < 1 || rec.line > bytes.Count(file, []byte("\n"))+1 {
				t.Fatalf("line %d", rec.line)
			}
			p.row(rec)
		}
	})
}

// BenchmarkImport carries 50,000 accounts with bcrypt hashes over.
func BenchmarkImport(b *testing.B) {
	for _, engine := range dbtest.Engines {
		b.Run(engine, func(b *testing.B) {
			const many = 50_000
			file := manyPeople(many, bcrypt)
			var took, dry time.Duration
			for range b.N {
				d := open(b, engine)
				start := time.Now()
				if r, err := Import(context.Background(), d, audit.Console, bytes.NewReader(file), Options{DryRun: true}); err != nil || r.Usable != many {
					b.Fatalf("%+v %v", r, err)
				}
				dry += time.Since(start)
				start = time.Now()
				if r, err := Import(context.Background(), d, audit.Console, bytes.NewReader(file), Options{}); err != nil || r.Written != many {
					b.Fatalf("%+v %v", r, err)
				}
				took += time.Since(start)
			}
			b.ReportMetric(float64(many*b.N)/took.Seconds(), "accounts/s")
			b.ReportMetric(float64(many*b.N)/dry.Seconds(), "checked/s")
			b.ReportMetric(0, "ns/op")
		})
	}
}
