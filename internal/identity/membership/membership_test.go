package membership

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/i18n"
	"zunft/internal/ground/plain"
	"zunft/internal/identity/account"
	"zunft/internal/identity/application"
	"zunft/internal/identity/fold"
	"zunft/internal/identity/notice"
	"zunft/internal/identity/schema"
)

// stand is a small world: a bakery with admins Bert and Berta, and Anna, who
// belongs to nobody yet; a butcher's with Carl as admin.
type stand struct {
	*testing.T
	*db.DB
	anna, bert, berta, carl audit.Actor
	bakery, butcher         string
	app                     string
}

func world(t *testing.T, d *db.DB) *stand {
	s := &stand{T: t, DB: d, bakery: "bakery", butcher: "butcher"}
	s.must(func(tx *db.Tx) (err error) {
		if _, err = tx.Exec(`INSERT INTO chamber (id, number, name, short_name, created_at) VALUES ('c', '999', 'Kammer Musterland', 'Musterland', $1)`, tx.Now()); err != nil {
			return err
		}
		for name, who := range map[string]*audit.Actor{"Anna": &s.anna, "Bert": &s.bert, "Berta": &s.berta, "Carl": &s.carl} {
			if *who, err = person(tx, name); err != nil {
				return err
			}
		}
		for id, name := range map[string]string{s.bakery: "Bäckerei Brotmann GmbH", s.butcher: "Fleischerei Wurst e. K."} {
			if err = company(tx, id, name, s.bert.Account); err != nil {
				return err
			}
		}
		a, err := application.Put(tx, audit.Console, application.Application{ClientID: "training", Name: "Berichtsheft", RedirectURIs: []string{"https://t.example/cb"}, SecretHash: "x"},
			[]application.Role{{Key: "trainer", NameDE: "Ausbilder:in", NameEN: "Trainer"}, {Key: "apprentice", NameDE: "Auszubildende:r", NameEN: "Apprentice"}})
		if err != nil {
			return err
		}
		s.app = a.ID
		for org, who := range map[audit.Actor]string{s.bert: s.bakery, s.berta: s.bakery, s.carl: s.butcher} {
			if err = Grant(tx, audit.Console, who, org.Account, true); err != nil {
				return err
			}
		}
		return nil
	})
	return s
}

func person(tx *db.Tx, name string) (audit.Actor, error) {
	a, err := account.Create(tx, audit.Console, account.New{GivenName: name, FamilyName: "Beispiel", Username: strings.ToLower(name), Email: strings.ToLower(name) + "@example.org", Password: "x", Confirmed: true})
	return audit.Actor{Kind: audit.Person, Account: a.ID}, err
}

func company(tx *db.Tx, id, name, by string) error {
	_, err := tx.Exec(`INSERT INTO organization (id, chamber, ident_number, name, legal_form, street, house_number, postcode, place, register_kind, register_number, register_court,
		management, company_key, name_key, state, registered_by, created_at) VALUES ($1, 'c', $1, $2, '', 'Hauptstraße', '1', '99999', 'Musterstadt', '', '', '', '', $3, $2, 'active', $4, $5)`,
		id, name, fold.CompanyKey(name, "Hauptstraße", "1", "99999"), by, tx.Now())
	return err
}

func (s *stand) must(f func(*db.Tx) error) {
	s.Helper()
	if err := s.Write(s.Context(), f); err != nil {
		s.Fatal(err)
	}
}

// wants runs a step that ends with a fault of a kind, or none (0).
func (s *stand) wants(kind fault.Kind, key string, f func(*db.Tx) error) {
	s.Helper()
	err := s.Write(s.Context(), f)
	if kind == 0 && err == nil {
		return
	}
	if ft := fault.Of(err); ft == nil || ft.Kind != kind || key != "" && ft.Key() != key {
		s.Errorf("got %v, want kind %d %s", err, kind, key)
	}
}

func (s *stand) in(who audit.Actor, org string) (m Member, is bool) {
	s.Helper()
	err := s.Read(s.Context(), func(tx *db.Tx) (err error) { m, err = In(tx, org, who.Account); return err })
	return m, err == nil
}

func (s *stand) count(query string, args ...any) (n int) {
	s.Helper()
	s.must(func(tx *db.Tx) (err error) { n, err = db.Value[int](tx, query, args...); return err })
	return n
}

func each(t *testing.T, f func(s *stand)) {
	t.Helper()
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) { f(world(t, d)) })
}

// race starts n steps at the same moment and counts who succeeded; everybody
// else must have met a fault.
func (s *stand) race(n int, step func(i int, tx *db.Tx) error) (won int) {
	s.Helper()
	start, results := make(chan struct{}), make(chan error, n)
	var ready sync.WaitGroup
	for i := range n {
		ready.Add(1)
		go func() {
			ready.Done()
			<-start
			results <- s.Write(s.Context(), func(tx *db.Tx) error { return step(i, tx) })
		}()
	}
	ready.Wait()
	close(start)
	for range n {
		switch err := <-results; {
		case err == nil:
			won++
		case fault.Of(err) == nil:
			s.Error(err)
		}
	}
	return won
}

// R024–R026, R030, R143: yes and no count at once; an admin gives roles to himself too.
func TestSetRole(t *testing.T) {
	each(t, func(s *stand) {
		s.must(func(tx *db.Tx) error { return Grant(tx, audit.Console, s.bakery, s.anna.Account, false) })
		anna, _ := s.in(s.anna, s.bakery)
		bert, _ := s.in(s.bert, s.bakery)
		if len(bert.Roles) != 0 {
			t.Error("an admin has roles by himself (R030)")
		}
		set := func(who audit.Actor, member string, yes bool) func(*db.Tx) error {
			return func(tx *db.Tx) error { return SetRole(tx, who, member, s.app, "trainer", yes) }
		}
		s.wants(fault.KindForbidden, "", set(s.anna, anna.ID, true))
		s.wants(fault.KindNotFound, "", set(s.carl, anna.ID, true))
		for range 2 { // twice is once
			s.must(set(s.bert, anna.ID, true))
		}
		s.must(set(s.bert, bert.ID, true))
		if m, _ := s.in(s.anna, s.bakery); !m.Has(s.app, "trainer") {
			t.Error("no role after yes")
		}
		s.must(set(s.bert, anna.ID, false))
		if m, _ := s.in(s.anna, s.bakery); m.Has(s.app, "trainer") {
			t.Error("still the role after no")
		}
		if n := s.count(`SELECT count(*) FROM audit WHERE thing = $1 AND event LIKE 'role.%'`, anna.ID); n != 2 {
			t.Errorf("%d audit rows", n)
		}
		if n := s.count(`SELECT count(*) FROM notice WHERE account = $1`, s.anna.Account); n != 2 {
			t.Errorf("%d notices", n)
		}
		s.wants(fault.KindInvalid, "membership.role_unknown", func(tx *db.Tx) error { return SetRole(tx, s.bert, anna.ID, s.app, "boss", true) })
	})
}

// L06: never without an admin.
func TestLastAdmin(t *testing.T) {
	each(t, func(s *stand) {
		carl, _ := s.in(s.carl, s.butcher)
		s.wants(fault.KindConflict, "membership.last_admin", func(tx *db.Tx) error { return SetAdmin(tx, s.carl, carl.ID, false) })
		s.wants(fault.KindConflict, "membership.last_admin", func(tx *db.Tx) error { return Leave(tx, s.carl, s.butcher) })
		s.wants(fault.KindConflict, "membership.last_admin", func(tx *db.Tx) error { return Remove(tx, s.carl, carl.ID) })
		s.must(func(tx *db.Tx) error { return Grant(tx, audit.Console, s.butcher, s.anna.Account, false) })
		anna, _ := s.in(s.anna, s.butcher)
		s.must(func(tx *db.Tx) error { return SetAdmin(tx, s.carl, anna.ID, true) })
		s.must(func(tx *db.Tx) error { return Leave(tx, s.carl, s.butcher) })
		s.wants(fault.KindNotFound, "", func(tx *db.Tx) error { return SetAdmin(tx, s.carl, anna.ID, false) })
	})
}

// L06: two admins take the administration from each other, or leave, at the
// same moment; an admin remains, 200 times.
func TestAdminsRemoveEachOther(t *testing.T) {
	each(t, func(s *stand) {
		bert, _ := s.in(s.bert, s.bakery)
		berta, _ := s.in(s.berta, s.bakery)
		for round := range 200 {
			s.race(2, func(i int, tx *db.Tx) error {
				who, other := s.bert, berta.ID
				if i == 1 {
					who, other = s.berta, bert.ID
				}
				if round%2 == 0 {
					return SetAdmin(tx, who, other, false)
				}
				return SetAdmin(tx, who, map[int]string{0: bert.ID, 1: berta.ID}[i], false) // both step back
			})
			if n := s.count(`SELECT count(*) FROM membership WHERE organization = $1 AND admin AND ended_at IS NULL`, s.bakery); n < 1 {
				t.Fatalf("round %d: no admin left", round)
			}
			s.must(func(tx *db.Tx) error {
				return errors.Join(Grant(tx, audit.Console, s.bakery, s.bert.Account, true), Grant(tx, audit.Console, s.bakery, s.berta.Account, true))
			})
		}
	})
}

// Giving a role while the member leaves: no role without a membership.
func TestRoleWhileLeaving(t *testing.T) {
	each(t, func(s *stand) {
		for range 30 {
			s.must(func(tx *db.Tx) error { return Grant(tx, audit.Console, s.bakery, s.anna.Account, false) })
			anna, _ := s.in(s.anna, s.bakery)
			s.race(8, func(i int, tx *db.Tx) error {
				if i == 0 {
					return Leave(tx, s.anna, s.bakery)
				}
				return SetRole(tx, s.bert, anna.ID, s.app, "trainer", true)
			})
			if n := s.count(`SELECT count(*) FROM role_grant`); n != 0 {
				t.Fatalf("%d grants of nobody", n)
			}
		}
	})
}

// Every fault and notice has a phrase; every mail subject is short enough (ux.md 7.8).
func TestPhrasesAndMails(t *testing.T) {
	if _, err := i18n.Load(Phrases, notice.Phrases); err != nil {
		t.Fatal(err)
	}
	l := letter{Name: "Bert Backmann", Organization: "Bäckerei Brotmann und Söhne Lieferservice GmbH & Co. KG", Short: plain.Short("Bäckerei Brotmann und Söhne Lieferservice GmbH & Co. KG", 28)}
	for _, name := range []string{"removed", "ended", "ending", "review"} {
		for _, lang := range i18n.Languages() {
			m, err := texts.Fill(account.Account{GivenName: "Bert", FamilyName: "Backmann", Email: "bert@example.org", Language: lang}.Person(), name, l)
			if err != nil {
				t.Fatal(err)
			}
			if n := len([]rune(m.Subject)); n > 60 || n == 0 || strings.Contains(m.Body, "<no value>") || strings.Contains(m.Body, "\n\n\n") {
				t.Errorf("%s.%s: subject of %d, body:\n%s", name, lang, n, m.Body)
			}
		}
	}
}
