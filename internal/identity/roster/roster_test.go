package roster

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/i18n"
	"zunft/internal/ground/job"
	"zunft/internal/ground/mail"
	"zunft/internal/ground/table"
	"zunft/internal/identity/account"
	"zunft/internal/identity/application"
	"zunft/internal/identity/fold"
	"zunft/internal/identity/invitation"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/schema"
)

// stand is a small world: a bakery with Bert as admin and Emil as member, a
// butcher's with Carl, and an application with four roles.
type stand struct {
	testing.TB
	*db.DB
	jobs             job.Runner
	bert, emil, carl audit.Actor
	app, branch      string
}

const bakery, butcher = "bakery", "butcher"

func world(t testing.TB, d *db.DB) *stand {
	s := &stand{TB: t, DB: d, branch: db.NewID()}
	s.jobs.DB = d
	Work(&s.jobs, d)
	s.jobs.On(mail.Kind, func(context.Context, []byte) error { return nil })
	now := time.Date(2026, 8, 1, 8, 0, 0, 0, time.UTC)
	d.Now = func() time.Time { return now }
	s.must(func(tx *db.Tx) (err error) {
		if _, err = tx.Exec(`INSERT INTO chamber (id, number, name, short_name, created_at) VALUES ('c', '999', 'Kammer Musterland', 'Musterland', $1)`, tx.Now()); err != nil {
			return err
		}
		for name, who := range map[string]*audit.Actor{"Bert": &s.bert, "Emil": &s.emil, "Carl": &s.carl} {
			a, err := account.Create(tx, audit.Console, account.New{GivenName: name, FamilyName: "Beispiel", Username: strings.ToLower(name), Email: strings.ToLower(name) + "@example.org", Password: "x", Confirmed: true})
			if err != nil {
				return err
			}
			*who = audit.Actor{Kind: audit.Person, Account: a.ID}
		}
		for id, name := range map[string]string{bakery: "Bäckerei Brotmann GmbH", butcher: "Fleischerei Wurst e. K."} {
			if _, err := tx.Exec(`INSERT INTO organization (id, chamber, ident_number, name, legal_form, street, house_number, postcode, place, register_kind, register_number, register_court,
				management, company_key, name_key, state, registered_by, created_at) VALUES ($1, 'c', $1, $2, '', 'Hauptstraße', '1', '99999', 'Musterstadt', '', '', '', '', $3, $2, 'active', $4, $5)`,
				id, name, fold.CompanyKey(name, "Hauptstraße", "1", "99999"), s.bert.Account, tx.Now()); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(`INSERT INTO site (id, chamber, organization, ident_number, name, street, house_number, postcode, place, state, name_key, created_at) VALUES
			($1, 'c', 'bakery', '100018', 'Filiale Hafen', 'Kai', '1', '99998', 'Musterhafen', 'released', 'filiale hafen', $2), ($3, 'c', 'bakery', '', 'Filiale Gerücht', 'Kai', '2', '99998', 'Musterhafen', 'asked', 'x', $2)`,
			s.branch, tx.Now(), db.NewID()); err != nil {
			return err
		}
		a, err := application.Put(tx, audit.Console, application.Application{ClientID: "training", Name: "Berichtsheft", RedirectURIs: []string{"https://t.example/cb"}, SecretHash: "x"},
			[]application.Role{
				{Key: "apprentice", NameDE: "Auszubildende(r)", NameEN: "Apprentice", ExclusiveWith: []string{"trainer"}},
				{Key: "trainer", NameDE: "Ausbildende(r)", NameEN: "Trainer"},
				{Key: "supervisor", NameDE: "Ausbildungsbeauftragte(r)", NameEN: "Supervisor"},
				{Key: "training_admin", NameDE: "Ausbildungsadministrator(in)", NameEN: "Training admin"},
			})
		if err != nil {
			return err
		}
		s.app = a.ID
		if err := membership.Grant(tx, audit.Console, bakery, s.bert.Account, true); err != nil {
			return err
		}
		if err := membership.Grant(tx, audit.Console, butcher, s.carl.Account, true); err != nil {
			return err
		}
		return membership.Grant(tx, audit.Console, bakery, s.emil.Account, false)
	})
	return s
}

func each(t *testing.T, f func(s *stand)) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) { f(world(t, d)) })
}

func (s *stand) must(f func(*db.Tx) error) {
	s.Helper()
	if err := s.Write(s.Context(), f); err != nil {
		s.Fatal(err)
	}
}

func (s *stand) wants(kind fault.Kind, key string, f func(*db.Tx) error) {
	s.Helper()
	if ft := fault.Of(s.Write(s.Context(), f)); ft == nil || ft.Kind != kind || key != "" && ft.Key() != key {
		s.Errorf("got %v, want kind %d %s", ft, kind, key)
	}
}

func (s *stand) count(query string, args ...any) (n int) {
	s.Helper()
	s.must(func(tx *db.Tx) (err error) { n, err = db.Value[int](tx, query, args...); return err })
	return n
}

func (s *stand) make(text string) (l Roster) {
	s.Helper()
	t, err := table.ReadText(text)
	if err != nil {
		s.Fatal(err)
	}
	s.must(func(tx *db.Tx) (err error) {
		l, err = Make(tx, s.bert, bakery, `C:\Listen\liste.csv`, "de", t)
		return err
	})
	return l
}

func (s *stand) rows(l Roster) (all []Row) {
	s.Helper()
	s.must(func(tx *db.Tx) (err error) { all, err = Rows(tx, l, "", 0, table.MaxRows); return err })
	return all
}

func (s *stand) reload(l Roster) Roster {
	s.Helper()
	s.must(func(tx *db.Tx) (err error) { l, err = Get(tx, s.bert, bakery, l.ID); return err })
	return l
}

func (s *stand) send(l Roster) (ready int) {
	s.Helper()
	s.must(func(tx *db.Tx) (err error) { ready, err = Send(tx, s.bert, bakery, l.ID, s.version(tx, l)); return err })
	if err := s.jobs.Drain(s.Context()); err != nil {
		s.Fatal(err)
	}
	return ready
}

func (s *stand) version(tx *db.Tx, l Roster) int {
	n, err := db.Value[int](tx, `SELECT version FROM roster WHERE id = $1`, l.ID)
	if err != nil {
		s.Fatal(err)
	}
	return n
}

func keys(r Row) string {
	var all []string
	for _, p := range r.Problems {
		mark := "!"
		if p.Warning {
			mark = "?"
		}
		all = append(all, mark+p.Field+":"+p.Key)
	}
	return strings.Join(all, " ")
}

const mixed = `Vorname;Nachname;E-Mail;Rolle;Betriebsstätte;Azubi-Nr.
Lena;Berger;lena@example.org;Azubi;Filiale Hafen;100041
Max;Muster;max@example.org;Ausbilder/in, Ausbildungsbeauftragter;;
Eva;Öztürk;;Auszubildende;;100042
Tom;Tippfehler;tom@gmial.com;apprentice;;
Anna;Apfel;anna@;Auszubildende(r);;
Olaf;Ort;olaf@example.org;Azubi;Filiale Gerücht;
Lena;Zwilling;LENA@example.org;Azubi;;
Chef;Chefin;chef@example.org;Administrator;;
Rosa;Rolle;rosa@example.org;Bürgermeisterin;;
Paul;Beides;paul@example.org;Azubi und Ausbilder;;
Ohne;Rolle;ohne@example.org;;;
;;;;Filiale Hafen;
M` + "Ã¼" + `ller;Max;mueller@example.org;Azubi;;
`

// Every row is read as people write, and says what is wrong with it where it
// stands (ux.md 0 no. 4; R109, R216).
func TestRowsAreReadAndChecked(t *testing.T) {
	each(t, func(s *stand) {
		l := s.make(strings.Replace(mixed, " und ", ", ", 1))
		if l.Name != "liste.csv" || l.Total != 13 || l.State != Draft || l.Defaults.Days != 21 {
			s.Errorf("%+v", l)
		}
		all := s.rows(l)
		for i, want := range []string{
			"", "", "?email:roster.on_paper", "?email:roster.email_typo", "!email:account.email_form", "!site:roster.site_unknown", "!email:roster.row_twice",
			"!role:roster.role_admin", "!role:roster.role_unknown", "!role:invitation.roles_exclusive", "?role:roster.without_role", "!email:invitation.whom", "!given_name:roster.letters_garbled",
		} {
			if got := keys(all[i]); got != want && !(want != "" && strings.HasPrefix(want, "!") && strings.Contains(got, want)) {
				s.Errorf("row %d: %q, want %q", all[i].Number, got, want)
			}
			if bad := strings.HasPrefix(want, "!"); (all[i].State == Bad) != bad || !bad && all[i].State != OK {
				s.Errorf("row %d is %s", all[i].Number, all[i].State)
			}
		}
		var wishes []invitation.Wish
		s.must(func(tx *db.Tx) (err error) { wishes, err = Wishes(tx, l, all); return err })
		if w := wishes[0]; w.Site != s.branch || w.ApprenticeNumber != "100041" || len(w.Roles) != 1 || w.Roles[0] != (membership.Role{Application: s.app, Key: "apprentice"}) || w.Days != 21 {
			s.Errorf("%+v", w)
		}
		if w := wishes[1]; len(w.Roles) != 2 || w.Roles[0].Key != "trainer" || w.Roles[1].Key != "supervisor" {
			s.Errorf("%+v", w)
		}
	})
}

// A word that two applications use for a role is asked back; the application's
// name before it settles it. Nobody gets power by a guess.
func TestAmbiguousRole(t *testing.T) {
	offers := application.Offers{
		{Application: application.Application{ID: "a", Name: "Berichtsheft"}, Roles: []application.Role{{Application: "a", Key: "trainer", NameDE: "Ausbildende(r)"}}},
		{Application: application.Application{ID: "b", Name: "Prüfung"}, Roles: []application.Role{{Application: "b", Key: "coach", NameDE: "Ausbildende(r)"}, {Application: "b", Key: "candidate", NameDE: "Prüfling"}}},
	}
	c := newCatalog(offers, nil)
	for word, want := range map[string]string{"Ausbildende": "!role:roster.role_ambiguous", "Prüfung: Ausbildende(r)": "", "Prüfling": "", "coach": "", "trainer; candidate": "", "Ausbildende/r": "!role:roster.role_ambiguous"} {
		var r Row
		roles := c.rolesOf(&r, word)
		if keys(r) != want || want == "" && len(roles) == 0 || want != "" && len(roles) > 0 {
			t.Errorf("%s: %v %s", word, roles, keys(r))
		}
	}
}

// R104, R109: what is fine is sent with its roles; the rest stays, is mended in
// place and sent after. A person who is a member gets the missing roles.
func TestMendAndSend(t *testing.T) {
	each(t, func(s *stand) {
		l := s.make("Name;E-Mail;Rolle\nLena Berger;lena@example.org;Azubi\nEmil Beispiel;emil@example.org;Ausbilder\nAnna Apfel;anna@;Azubi\nEva Ohne;;Azubi\nNiemand;;\n")
		s.must(func(tx *db.Tx) error {
			return Mend(tx, s.bert, bakery, l.ID, []Change{{Line: 6, LeftOut: true}})
		})
		var sum Summary
		s.must(func(tx *db.Tx) (err error) { sum, err = Sum(tx, l); return err })
		if sum.Mails != 2 || sum.Slips != 1 || len(sum.Roles) != 2 || sum.Roles[0].Count != 2 {
			s.Errorf("%+v", sum)
		}
		if n := s.send(l); n != 3 {
			s.Errorf("%d ready", n)
		}
		all := s.rows(l)
		if all[0].State != Sent || all[0].Answer.State != invitation.Sent || all[1].State != Sent || keys(all[1]) != "?:roster.was_member" || all[2].State != Bad || all[3].State != Sent || all[4].State != LeftOut {
			s.Errorf("%+v", all)
		}
		if n := s.count(`SELECT count(*) FROM invitation WHERE state = 'sent' AND roster = $1`, l.ID); n != 2 {
			s.Errorf("%d invitations", n)
		}
		if n := s.count(`SELECT count(*) FROM role_grant g JOIN membership m ON m.id = g.membership WHERE m.account = $1 AND g.role = 'trainer'`, s.emil.Account); n != 1 {
			s.Error("the member got no role")
		}
		// What was sent is not to be changed; what was not, can be, and is sent after.
		s.wants(fault.KindConflict, "roster.row_sent", func(tx *db.Tx) error {
			return Mend(tx, s.bert, bakery, l.ID, []Change{{Line: 2, Cells: map[string]string{table.Email: "x@example.org"}}})
		})
		s.must(func(tx *db.Tx) error {
			return Mend(tx, s.bert, bakery, l.ID, []Change{{Line: 4, Cells: map[string]string{table.Email: "anna@example.org", table.ApprenticeNumber: "77"}}})
		})
		if n := s.send(l); n != 1 {
			s.Errorf("%d ready", n)
		}
		if n := s.count(`SELECT count(*) FROM invitation WHERE email = 'anna@example.org' AND apprentice_number = '77'`); n != 1 {
			s.Error("the mended row was not sent")
		}
		if l = s.reload(l); l.State != Done || l.Done != 4 {
			s.Errorf("%+v", l)
		}
		s.wants(fault.KindConflict, "roster.nobody_ready", func(tx *db.Tx) error {
			_, err := Send(tx, s.bert, bakery, l.ID, l.Version)
			return err
		})
		if n := s.count(`SELECT count(*) FROM audit WHERE event IN ('roster.created', 'roster.sent', 'roster.finished') AND thing = $1`, l.ID); n != 5 {
			s.Errorf("%d records", n)
		}
		if n := s.count(`SELECT count(*) FROM notice WHERE account = $1 AND phrase = 'notice.roster_done'`, s.bert.Account); n != 2 {
			s.Errorf("%d notices", n)
		}
	})
}

// The same list again changes what is open and doubles nobody, on paper neither.
func TestTheSameListAgain(t *testing.T) {
	each(t, func(s *stand) {
		text := "Vorname;Nachname;E-Mail;Rolle\nLena;Berger;lena@example.org;Azubi\nEva;Ohne;;Azubi\n"
		s.send(s.make(text))
		second := s.make(strings.Replace(text, "org;Azubi", "org;Ausbilder", 1))
		s.send(second)
		if n := s.count(`SELECT count(*) FROM invitation`); n != 2 {
			s.Errorf("%d invitations", n)
		}
		if n := s.count(`SELECT count(*) FROM invitation_role r JOIN invitation i ON i.id = r.invitation WHERE i.email <> '' AND r.role = 'trainer'`); n != 1 {
			s.Error("the second list did not change the invitation")
		}
		if n := s.count(`SELECT count(*) FROM job WHERE kind = 'mail'`); n != 0 {
			s.Error("mails wait")
		}
	})
}

// Columns and defaults may be settled anew until it is sent; who comes second
// with an old view is told.
func TestColumnsAndDefaults(t *testing.T) {
	each(t, func(s *stand) {
		l := s.make("Wer;Wohin\nLena Berger;lena@example.org\nMax Muster;max@example.org\n")
		if all := s.rows(l); len(all) != 3 || all[0].State != Bad || all[1].State != OK { // an unknown heading is a row like others
			s.Errorf("%+v", all)
		}
		s.wants(fault.KindInvalid, "roster.column_twice", func(tx *db.Tx) error {
			return SetColumns(tx, s.bert, bakery, l.ID, l.Version, []string{table.Email, table.Email})
		})
		s.must(func(tx *db.Tx) error {
			return SetColumns(tx, s.bert, bakery, l.ID, l.Version, []string{table.FullName, table.Email})
		})
		s.wants(fault.KindConflict, "roster.changed", func(tx *db.Tx) error {
			return SetColumns(tx, s.bert, bakery, l.ID, l.Version, []string{"", table.Email})
		})
		l = s.reload(l)
		apprentice := membership.Role{Application: s.app, Key: "apprentice"}
		for name, d := range map[string]Defaults{"days": {Days: 91}, "none": {}, "site": {Days: 3, Site: "elsewhere"}, "message": {Days: 3, Message: "https://evil.example"}, "role": {Days: 3, Roles: []membership.Role{{Application: s.app, Key: "king"}}}} {
			if err := s.Write(s.Context(), func(tx *db.Tx) error { return SetDefaults(tx, s.bert, bakery, l.ID, l.Version, d) }); !fault.Is(err, fault.KindInvalid) {
				s.Errorf("%s: %v", name, err)
			}
		}
		s.must(func(tx *db.Tx) error {
			return SetDefaults(tx, s.bert, bakery, l.ID, l.Version, Defaults{Days: 3, Site: s.branch, Language: "en", Roles: []membership.Role{apprentice}})
		})
		s.send(l)
		if n := s.count(`SELECT count(*) FROM invitation i JOIN invitation_role r ON r.invitation = i.id WHERE r.role = 'apprentice' AND i.site = $1 AND i.language = 'en' AND i.given_name IN ('Lena', 'Max') AND i.expires_at = $2`,
			s.branch, db.At(s.Now()).Add(3*24*time.Hour)); n != 2 {
			s.Errorf("%d invitations as settled", n)
		}
	})
}

// Lists belong to the admins of their organization; for everybody else there are none.
func TestListsOfOthers(t *testing.T) {
	each(t, func(s *stand) {
		l := s.make("E-Mail\nlena@example.org\n")
		for name, by := range map[string]struct {
			who  audit.Actor
			org  string
			kind fault.Kind
		}{"stranger": {s.carl, bakery, fault.KindNotFound}, "member": {s.emil, bakery, fault.KindForbidden}, "other company": {s.carl, butcher, fault.KindNotFound}, "nobody": {audit.Actor{Kind: audit.Person}, bakery, fault.KindNotFound}} {
			for step, f := range map[string]func(tx *db.Tx) error{
				"get": func(tx *db.Tx) error { _, err := Get(tx, by.who, by.org, l.ID); return err },
				"send": func(tx *db.Tx) error {
					_, err := Send(tx, by.who, by.org, l.ID, l.Version)
					return err
				},
				"mend":     func(tx *db.Tx) error { return Mend(tx, by.who, by.org, l.ID, []Change{{Line: 2}}) },
				"columns":  func(tx *db.Tx) error { return SetColumns(tx, by.who, by.org, l.ID, l.Version, nil) },
				"defaults": func(tx *db.Tx) error { return SetDefaults(tx, by.who, by.org, l.ID, l.Version, Defaults{Days: 1}) },
				"drop":     func(tx *db.Tx) error { return Drop(tx, by.who, by.org, l.ID) },
				"slips":    func(tx *db.Tx) error { _, err := Slips(tx, by.who, by.org, l.ID); return err },
			} {
				if err := s.Write(s.Context(), f); !fault.Is(err, by.kind) {
					s.Errorf("%s may %s: %v", name, step, err)
				}
			}
		}
		if n := s.count(`SELECT count(*) FROM invitation`); n != 0 {
			s.Error("somebody was invited")
		}
	})
}

// Two admins press "send" at once, and two workers take the job: everybody is
// invited once.
func TestSendOnce(t *testing.T) {
	each(t, func(s *stand) {
		var text strings.Builder
		text.WriteString("E-Mail\n")
		for i := range 120 {
			fmt.Fprintf(&text, "p%d@example.org\n", i)
		}
		l := s.make(text.String())
		errs := make([]error, 6)
		var all sync.WaitGroup
		for i := range errs {
			all.Go(func() {
				errs[i] = s.Write(s.Context(), func(tx *db.Tx) error { _, err := Send(tx, s.bert, bakery, l.ID, l.Version); return err })
			})
		}
		all.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else if !fault.Is(err, fault.KindConflict) {
				s.Error(err)
			}
		}
		if won != 1 {
			s.Errorf("%d won", won)
		}
		body, _ := json.Marshal(order{Roster: l.ID, By: s.bert})
		for range 4 { // as if leases had ended
			all.Go(func() {
				if err := sendWork(s.DB)(s.Context(), body); err != nil {
					s.Error(err)
				}
			})
		}
		all.Wait()
		if n := s.count(`SELECT count(*) FROM audit WHERE event = 'invitation.sent'`); n != 120 {
			s.Errorf("%d invitations sent", n)
		}
		if n := s.count(`SELECT count(*) FROM audit WHERE event = 'roster.finished'`); n != 1 {
			s.Errorf("finished %d times", n)
		}
		if l = s.reload(l); l.Done != 120 || l.State != Done {
			s.Errorf("%+v", l)
		}
	})
}

// A sender who is admin no more, or a company that is locked, ends the sending;
// the rows say so and stay.
func TestSendingEnds(t *testing.T) {
	each(t, func(s *stand) {
		l := s.make("E-Mail\nlena@example.org\n")
		s.must(func(tx *db.Tx) error { _, err := Send(tx, s.bert, bakery, l.ID, l.Version); return err })
		s.must(func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE membership SET admin = FALSE WHERE account = $1`, s.bert.Account)
			return err
		})
		if err := s.jobs.Drain(s.Context()); err != nil {
			s.Fatal(err)
		}
		if all := s.rows(l); all[0].State != Failed || keys(all[0]) != "!:roster.stopped" {
			s.Errorf("%+v", all)
		}
		if n := s.count(`SELECT count(*) FROM invitation`); n != 0 {
			s.Error("invited")
		}
		if n := s.count(`SELECT count(*) FROM roster WHERE state = 'done'`); n != 1 {
			s.Error("still sending")
		}
	})
}

// The rest comes back as a file that no spreadsheet calculates and that can be
// uploaded again; slips have codes that work once, the ones before are void.
func TestRemainingAndSlips(t *testing.T) {
	each(t, func(s *stand) {
		l := s.make("Name;E-Mail;Bemerkung\n=cmd|calc;anna@;+49 30\nEva Ohne;;\n")
		var file bytes.Buffer
		catalog, err := i18n.Load(Phrases, invitation.Phrases, account.Phrases)
		if err != nil {
			s.Fatal(err)
		}
		s.must(func(tx *db.Tx) error {
			file.Reset()
			return WriteRemaining(tx, &file, l, func(key string, args ...any) string { return catalog.Text("de", key, args...) })
		})
		if got := file.String(); !strings.HasPrefix(got, "\uFEFFName;E-Mail;Bemerkung;Hinweis\r\n'=cmd|calc;anna@;'+49 30;") || strings.Count(got, "\n") != 2 {
			s.Errorf("%q", got)
		}
		again, err := table.Read(file.Bytes())
		if err != nil || again.Lines[0].Cells[0] != "=cmd|calc" || table.Guess(again)[1] != table.Email {
			s.Errorf("%v %+v", err, again.Lines)
		}
		s.send(l)
		var first, second []Slip
		s.must(func(tx *db.Tx) (err error) { first, err = Slips(tx, s.bert, bakery, l.ID); return err })
		s.must(func(tx *db.Tx) (err error) { second, err = Slips(tx, s.bert, bakery, l.ID); return err })
		if len(second) != 1 || second[0].Invitation.GivenName != "Eva" || second[0].Code == first[0].Code {
			s.Fatalf("%+v", second)
		}
		s.wants(fault.KindInvalid, "", func(tx *db.Tx) error {
			_, err := invitation.ByCode(tx, audit.Actor{IP: "192.0.2.1"}, first[0].Code)
			return err
		})
		s.must(func(tx *db.Tx) error {
			_, err := invitation.ByCode(tx, audit.Actor{IP: "192.0.2.1"}, second[0].Code)
			return err
		})
	})
}

// Drafts are bounded in number and forgotten in time; a dropped one is gone.
func TestDraftsAreForgotten(t *testing.T) {
	each(t, func(s *stand) {
		for range mostDrafts {
			s.make("E-Mail\nlena@example.org\n")
		}
		list, _ := table.ReadText("E-Mail\nlena@example.org\n")
		s.wants(fault.KindConflict, "roster.too_many_drafts", func(tx *db.Tx) error { _, err := Make(tx, s.bert, bakery, "x", "de", list); return err })
		var page []Roster
		s.must(func(tx *db.Tx) (err error) { page, err = Lists(tx, s.bert, bakery, "", 5); return err })
		s.must(func(tx *db.Tx) (err error) { page, err = Lists(tx, s.bert, bakery, page[4].ID, 50); return err })
		if len(page) != mostDrafts-5 {
			s.Errorf("%d on the second page", len(page))
		}
		s.must(func(tx *db.Tx) error { return Drop(tx, s.bert, bakery, page[0].ID) })
		later := s.Now().Add(draftLasts + time.Hour)
		s.DB.Now = func() time.Time { return later }
		if err := Sweep(s.Context(), s.DB); err != nil {
			s.Fatal(err)
		}
		if n := s.count(`SELECT (SELECT count(*) FROM roster) + (SELECT count(*) FROM roster_row)`); n != 0 {
			s.Errorf("%d rows are kept", n)
		}
	})
}

// 1,000 invitations from one file, from its bytes to the last invitation, mails
// excluded. Aim: a minute.
func BenchmarkInvite1000(b *testing.B) {
	dbtest.EachB(b, schema.Files, func(b *testing.B, d *db.DB) {
		s := world(b, d)
		n := 0
		for b.Loop() {
			var text strings.Builder
			text.WriteString("Vorname;Nachname;E-Mail;Rolle;Azubi-Nr.\n")
			for i := range 1000 {
				fmt.Fprintf(&text, "Lena;Berger;p%d.%d@example.org;Azubi;%d\n", n, i, i)
			}
			n++
			l := s.make(text.String())
			s.must(func(tx *db.Tx) error { _, err := Send(tx, s.bert, bakery, l.ID, l.Version); return err })
			body, _ := json.Marshal(order{Roster: l.ID, By: s.bert})
			if err := sendWork(s.DB)(s.Context(), body); err != nil {
				b.Fatal(err)
			}
			if l = s.reload(l); l.State != Done || l.Done != 1000 {
				b.Fatal(errors.New(l.State), l.Done)
			}
			s.must(func(tx *db.Tx) error {
				_, err := tx.Exec(`DELETE FROM limit_bucket`)
				return err
			})
		}
	})
}
