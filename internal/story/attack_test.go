package story_test

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	groundmail "zunft/internal/ground/mail"
	"zunft/internal/ground/table"
	"zunft/internal/identity/account"
	"zunft/internal/identity/application"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/invitation"
	"zunft/internal/identity/mandate"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/roster"
	"zunft/internal/identity/terms"
	"zunft/internal/identity/textblock"
	"zunft/internal/story"
)

// The attack tests come through the front door as a hostile stranger, member,
// admin of another company, clerk of another chamber, application or mail
// scanner would. This file has what they share.

// hostile is a world with people who do not belong: Rita runs another company
// and trains there; Kuno is a clerk of another chamber.
type hostile struct {
	*story.World
	t testing.TB

	rival   string // Rita's organization
	bakery  string
	members map[string]string // membership ids by person, and Rita's
}

func intrude(t testing.TB, w *story.World) *hostile {
	t.Helper()
	h := &hostile{World: w, t: t, members: map[string]string{}}
	err := w.IdentityDB.Write(t.Context(), func(tx *db.Tx) error {
		phc, err := db.Value[string](tx, `SELECT password FROM account WHERE username_key = 'bert.backmann'`)
		if err != nil {
			return err
		}
		if h.bakery, err = db.Value[string](tx, `SELECT id FROM organization WHERE ident_number = '100017'`); err != nil {
			return err
		}
		other, err := chamber.Create(tx, audit.Console, chamber.Chamber{Number: "888", Name: "Kammer Gegenland", ShortName: "KG", Postcodes: []string{"0188"}})
		if err != nil {
			return err
		}
		for _, p := range []struct{ key, given, family string }{{"rita", "Rita", "Rivale"}, {"kuno", "Kuno", "Kauz"}} {
			a, err := account.Create(tx, audit.Console, account.New{GivenName: p.given, FamilyName: p.family, Username: p.key, Email: p.key + "@example.org", Password: phc, Language: "de", Confirmed: true})
			if err != nil {
				return err
			}
			w.People = append(w.People, story.Person{Key: p.key, Username: p.key, Email: p.key + "@example.org", Password: story.Password})
			if p.key == "kuno" {
				if err = chamber.AddStaff(tx, audit.Console, a.ID, other.ID, "clerk"); err == nil {
					_, err = tx.Exec(`UPDATE staff SET lead = FALSE WHERE account = $1`, a.ID) // somebody else leads there
				}
			} else {
				h.rival = db.NewID()
				_, err = tx.Exec(`INSERT INTO organization (id, chamber, ident_number, name, legal_form, street, house_number, postcode, place, register_kind, register_number, register_court, management, company_key, name_key, state, registered_by, created_at, activated_at)
					SELECT CAST($1 AS TEXT), chamber, '100100', 'Rivale GmbH', legal_form, 'Dorfanger', '20', '00998', 'Musterstadt', '', '', '', 'Rita Rivale', 'rivale', 'rivale', 'active', $2, created_at, activated_at FROM organization WHERE id = $3`, h.rival, a.ID, h.bakery)
				if err != nil {
					return err
				}
				app, err := application.ByClientID(tx, "training")
				if err != nil {
					return err
				}
				err = membership.Grant(tx, audit.Console, h.rival, a.ID, true, membership.Role{Application: app.ID, Key: "trainer"}, membership.Role{Application: app.ID, Key: "training_admin"})
				if err != nil {
					return err
				}
			}
			if err != nil {
				return err
			}
		}
		if err := terms.GiveByAll(tx, audit.Console); err != nil {
			return err
		}
		for _, p := range w.People {
			if id, err := db.Value[string](tx, `SELECT m.id FROM membership m JOIN account a ON a.id = m.account WHERE a.username = $1`, p.Username); err == nil {
				h.members[p.Key] = id
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// proved: everybody has just shown that it is them.
func (h *hostile) proved() {
	h.t.Helper()
	proved(h.t, h.World)
}

// things of the bakery: Bert has invited Nora, pasted a list, proposed a mandate
// to Rita's company; the chamber keeps a text block.
type things struct{ app, chamber, invitation, roster, mandate, block string }

func (h *hostile) delegated() (of things) {
	h.t.Helper()
	of.app, of.chamber = h.value(`SELECT id FROM application WHERE client_id = 'training'`), h.value(`SELECT id FROM chamber WHERE number = '999'`)
	bert := audit.Actor{Kind: audit.Person, Account: h.value(`SELECT id FROM account WHERE username = 'bert.backmann'`)}
	if err := h.IdentityDB.Write(h.t.Context(), func(tx *db.Tx) error {
		i, err := invitation.Invite(tx, bert, h.bakery, invitation.Wish{Email: "nora@example.org"})
		if err != nil {
			return err
		}
		list, err := table.ReadText("Vorname;Nachname;E-Mail\nKai;Kranich;kai@example.org\n")
		if err != nil {
			return err
		}
		l, err := roster.Make(tx, bert, h.bakery, "Liste", "de", list)
		if err != nil {
			return err
		}
		m, err := mandate.Propose(tx, bert, mandate.ForPrincipal, h.bakery, mandate.Wish{
			Company: true, IdentNumber: "100100", ChamberNumber: "999", Roles: []membership.Role{{Application: of.app, Key: "training_admin"}},
			First: tx.Now(), Last: tx.Now().Add(30 * 24 * time.Hour),
		})
		if err != nil {
			return err
		}
		block, err := textblock.Add(tx, audit.Console, textblock.Block{Chamber: of.chamber, Purpose: textblock.Question, Title: "Anschrift", Body: "Bitte prüfen Sie die Anschrift."})
		of.invitation, of.roster, of.mandate, of.block = i.ID, l.ID, m.ID, block.ID
		return err
	}); err != nil {
		h.t.Fatal(err)
	}
	return of
}

// value reads one text from the identity portal's database.
func (h *hostile) value(query string, args ...any) string {
	return value(h.t, h.IdentityDB, query, args...)
}

func value(t testing.TB, d *db.DB, query string, args ...any) (s string) {
	t.Helper()
	if err := d.Read(t.Context(), func(tx *db.Tx) (err error) { s, err = db.Value[string](tx, query, args...); return err }); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return s
}

func count(t testing.TB, d *db.DB, query string, args ...any) (n int) {
	t.Helper()
	if err := d.Read(t.Context(), func(tx *db.Tx) (err error) { n, err = db.Value[int](tx, query, args...); return err }); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// dump is every row of the named tables (or of all) as text, sorted.
func dump(t testing.TB, d *db.DB, tables ...string) (rows []string) {
	t.Helper()
	err := d.Read(t.Context(), func(tx *db.Tx) (err error) {
		if len(tables) == 0 {
			names := `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`
			if d.Engine() == "postgres" {
				names = `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()`
			}
			if tables, err = db.Values[string](tx, names); err != nil {
				return err
			}
		}
		for _, table := range tables {
			all := `SELECT CAST(row_to_json(x) AS TEXT) FROM ` + table + ` x`
			if d.Engine() == "sqlite" {
				columns, err := db.Values[string](tx, `SELECT name FROM pragma_table_info('`+table+`')`)
				if err != nil {
					return err
				}
				all = `SELECT json_array(` + strings.Join(columns, ", ") + `) FROM ` + table
			}
			found, err := db.Values[string](tx, all)
			if err != nil {
				return err
			}
			for _, r := range found {
				rows = append(rows, table+" "+r)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(rows)
	return rows
}

// follow is get with redirects, as a browser's.
func (v *visitor) follow(address string) (*http.Response, string) {
	v.t.Helper()
	for range 12 {
		r, body := v.get(address)
		if r.StatusCode < 300 || r.StatusCode > 399 {
			return r, body
		}
		to, err := r.Request.URL.Parse(r.Header.Get("Location"))
		if err != nil {
			v.t.Fatal(err)
		}
		address = to.String()
	}
	v.t.Fatal("goes in circles at", address)
	return nil, ""
}

// send is any request; nobody else's headers are added.
func (v *visitor) send(method, address string, header http.Header, body io.Reader) (*http.Response, string) {
	v.t.Helper()
	r, err := http.NewRequest(method, address, body)
	if err != nil {
		v.t.Fatal(err)
	}
	for k, all := range header {
		if k == "Host" {
			r.Host = all[0]
			continue
		}
		r.Header[k] = all
	}
	answer, err := v.http.Do(r)
	if err != nil {
		v.t.Fatalf("%s %s: %v", method, address, err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return answer, string(b)
}

// cookie is what the visitor's jar has under a name, or empty.
func (v *visitor) cookie(base, name string) string {
	u, _ := url.Parse(base)
	for _, c := range v.http.Jar.Cookies(u) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// race lets 64 do the same at once and counts those whom won is true for.
// Anything with a status of 500 or more is a mistake.
func race(t *testing.T, name string, do func(i int) (*http.Response, string), won func(*http.Response, string) bool) {
	t.Helper()
	if n := winners(t, name, do, won); n != 1 {
		t.Errorf("%s: %d winners", name, n)
	}
}

func winners(t *testing.T, name string, do func(i int) (*http.Response, string), won func(*http.Response, string) bool) (n int) {
	t.Helper()
	var mu sync.Mutex
	var group sync.WaitGroup
	barrier := make(chan struct{})
	for i := range 64 {
		group.Go(func() {
			<-barrier
			r, body := do(i)
			mu.Lock()
			defer mu.Unlock()
			if r.StatusCode >= 500 {
				t.Errorf("%s: %d\n%s", name, r.StatusCode, text(body))
			}
			if won(r, body) {
				n++
			}
		})
	}
	close(barrier)
	group.Wait()
	return n
}

var (
	tags   = regexp.MustCompile(`(?s)<style.*?</style>|<[^>]*>`)
	blanks = regexp.MustCompile(`\s+`)
)

// text of a page, for reading.
func text(page string) string {
	return strings.TrimSpace(blanks.ReplaceAllString(html.UnescapeString(tags.ReplaceAllString(page, " ")), " "))
}

// formKey is a fresh random value in each form: no two pages are the same bytes.
var formKey = regexp.MustCompile(`<input type="hidden" name="form_key" value="[^"]*">`)

// signUp goes through both steps up to the mail.
func (v *visitor) signUp(w *story.World, username, email string, more url.Values) (*http.Response, string) {
	v.t.Helper()
	return v.readyToSignUp(w, username, email, more)()
}

// readyToSignUp goes up to the last button of it.
func (v *visitor) readyToSignUp(w *story.World, username, email string, more url.Values) (submit func() (*http.Response, string)) {
	v.t.Helper()
	form := url.Values{
		"salutation": {""}, "given_name": {"Mia"}, "family_name": {"Möwe"}, "email": {email}, "email_repeat": {email}, "username": {username},
		"password": {story.Password}, "password_repeat": {story.Password},
	}
	for k, all := range more {
		form[k] = all
	}
	if r, body := v.post(w.Identity+"/register", form); r.StatusCode != http.StatusSeeOther {
		return func() (*http.Response, string) { return r, body }
	}
	_, body := v.get(w.Identity + "/register/terms")
	form = url.Values{"accept": {"1"}, "do": {"submit"}}
	for _, m := range regexp.MustCompile(`name="terms" value="([^"]+)"`).FindAllStringSubmatch(body, -1) {
		form.Add("terms", m[1])
	}
	for k, all := range more {
		form[k] = all
	}
	return func() (*http.Response, string) { return v.post(w.Identity+"/register/terms", form) }
}

// spielUndSpass is a company of the directory that nobody has registered.
func spielUndSpass() url.Values {
	return url.Values{
		"do": {"submit"}, "name": {"Spiel- und Spaß GmbH"}, "legal_form": {"gmbh"}, "street": {"Schuteweg"}, "house_number": {"1"}, "postcode": {"00996"}, "place": {"Musterhafen"},
		"reason": {"Ich leite die Ausbildung."},
	}
}

// printed queues and prints what waits and returns the codes on paper.
func printed(t *testing.T, w *story.World, clara *visitor, batches int) []string {
	t.Helper()
	proved(t, w)
	if r, body := clara.post(w.Identity+"/chamber/letters", url.Values{"do": {"shop"}}); r.StatusCode != http.StatusSeeOther {
		t.Fatal("nothing printed", r.StatusCode, text(body))
	}
	got, err := w.Prints.Wait(t.Context(), batches)
	if err != nil {
		t.Fatal(err)
	}
	pages, err := got[0].Text(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	for _, p := range pages {
		if c := letterCode.FindString(p); c != "" {
			codes = append(codes, strings.NewReplacer("-", "", " ", "").Replace(c))
		}
	}
	if len(codes) == 0 {
		t.Fatal("no code in the letters", pages)
	}
	return codes
}

// approved takes a registration to the letter as Clara.
func approved(t *testing.T, h *hostile, clara *visitor, registration string) {
	t.Helper()
	at := h.Identity + "/chamber/registrations/" + registration
	clara.post(at, url.Values{"do": {"claim"}})
	r, body := clara.post(at, url.Values{"do": {"approve"}, "evidence": {"letter"}, "version": {h.version(registration)}, "entry": {h.value(`SELECT entry FROM registration WHERE id = $1`, registration)}})
	if r.StatusCode != http.StatusSeeOther {
		t.Fatal("not approved", r.StatusCode, text(body))
	}
}

func (h *hostile) version(registration string) string {
	return fmt.Sprint(count(h.t, h.IdentityDB, `SELECT version FROM registration WHERE id = $1`, registration))
}

// thisWeek as the report book writes it.
func thisWeek() string {
	y, w := time.Now().In(groundmail.Berlin).ISOWeek()
	return fmt.Sprintf("%d-W%02d", y, w)
}
