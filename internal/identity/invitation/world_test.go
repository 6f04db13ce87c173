package invitation_test

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/job"
	"zunft/internal/ground/mail"
	"zunft/internal/identity/account"
	"zunft/internal/identity/application"
	"zunft/internal/identity/fold"
	"zunft/internal/identity/invitation"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/schema"
)

// stand is a bakery that Bert administers and Lena belongs to, a butcher's that
// Carl administers, and Anna, who has an account and belongs to nobody.
type stand struct {
	testing.TB
	*db.DB
	bert, berta, lena, anna, carl audit.Actor
	app                           string
	jobs                          *job.Runner
	mu                            sync.Mutex
	now                           time.Time
	mails                         []mail.Message
}

const (
	bakery  = "bakery"
	butcher = "butcher"
)

func each(t *testing.T, f func(s *stand)) {
	t.Helper()
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) { f(world(t, d)) })
}

func world(t testing.TB, d *db.DB) *stand {
	s := &stand{TB: t, DB: d, now: time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC), jobs: &job.Runner{DB: d}}
	d.Now = func() time.Time { s.mu.Lock(); defer s.mu.Unlock(); return s.now }
	s.jobs.On(mail.Kind, s.deliver)
	invitation.Work(s.jobs, d)
	s.must(func(tx *db.Tx) (err error) {
		if err = policy.EnsureDefault(tx); err != nil {
			return err
		}
		if _, err = tx.Exec(`INSERT INTO chamber (id, number, name, short_name, created_at) VALUES ('c', '999', 'Kammer Musterland', 'Musterland', $1)`, tx.Now()); err != nil {
			return err
		}
		for name, who := range map[string]*audit.Actor{"Anna": &s.anna, "Bert": &s.bert, "Berta": &s.berta, "Carl": &s.carl, "Lena": &s.lena} {
			a, err := account.Create(tx, audit.Console, account.New{GivenName: name, FamilyName: "Beispiel", Username: strings.ToLower(name), Email: strings.ToLower(name) + "@example.org", Password: "x", Confirmed: true})
			if err != nil {
				return err
			}
			*who = audit.Actor{Kind: audit.Person, Account: a.ID}
		}
		for id, name := range map[string]string{bakery: "Bäckerei Morgenrot GmbH", butcher: "Fleischerei Wurst e. K."} {
			if _, err := tx.Exec(`INSERT INTO organization (id, chamber, ident_number, name, legal_form, street, house_number, postcode, place, register_kind, register_number, register_court,
				management, company_key, name_key, state, registered_by, created_at) VALUES ($1, 'c', $1, $2, '', 'Hauptstraße', '1', '99999', 'Musterstadt', '', '', '', '', $3, $2, 'active', $4, $5)`,
				id, name, fold.CompanyKey(name, "Hauptstraße", "1", "99999"), s.bert.Account, tx.Now()); err != nil {
				return err
			}
		}
		a, err := application.Put(tx, audit.Console, application.Application{ClientID: "training", Name: "Berichtsheft", RedirectURIs: []string{"https://t.example/cb"}, SecretHash: "x"},
			[]application.Role{{Key: "trainer", NameDE: "Ausbilder:in", NameEN: "Trainer", ExclusiveWith: []string{"apprentice"}}, {Key: "apprentice", NameDE: "Auszubildende:r", NameEN: "Apprentice"}, {Key: "training_admin", NameDE: "Ausbildungsverwaltung"}})
		if err != nil {
			return err
		}
		s.app = a.ID
		for _, g := range []struct {
			who   audit.Actor
			org   string
			admin bool
		}{{s.bert, bakery, true}, {s.berta, bakery, true}, {s.carl, butcher, true}, {s.lena, bakery, false}} {
			if err := membership.Grant(tx, audit.Console, g.org, g.who.Account, g.admin); err != nil {
				return err
			}
		}
		return nil
	})
	return s
}

func (s *stand) must(f func(*db.Tx) error) {
	s.Helper()
	if err := s.Write(context.Background(), f); err != nil {
		s.Fatal(err)
	}
}

// wants runs a step that ends with a fault of a kind and key.
func (s *stand) wants(kind fault.Kind, key string, f func(*db.Tx) error) {
	s.Helper()
	err := s.Write(context.Background(), f)
	if ft := fault.Of(err); ft == nil || ft.Kind != kind || key != "" && ft.Key() != key {
		s.Errorf("got %v, want kind %d %s", err, kind, key)
	}
}

func (s *stand) role(key string) membership.Role {
	return membership.Role{Application: s.app, Key: key}
}

// invite is Bert's invitation into the bakery.
func (s *stand) invite(w invitation.Wish) (i invitation.Invitation) {
	s.Helper()
	s.must(func(tx *db.Tx) (err error) { i, err = invitation.Invite(tx, s.bert, bakery, w); return err })
	return i
}

func (s *stand) look(id string) (i invitation.Invitation) {
	s.Helper()
	s.must(func(tx *db.Tx) (err error) { i, err = invitation.Look(tx, s.bert, id); return err })
	return i
}

func (s *stand) accept(who audit.Actor, id string) func(*db.Tx) error {
	return func(tx *db.Tx) error { _, err := invitation.Accept(tx, who, id); return err }
}

func (s *stand) member(who audit.Actor, org string) (m membership.Member, is bool) {
	s.Helper()
	err := s.Read(context.Background(), func(tx *db.Tx) (err error) { m, err = membership.In(tx, org, who.Account); return err })
	return m, err == nil
}

func (s *stand) count(query string, args ...any) (n int) {
	s.Helper()
	s.must(func(tx *db.Tx) (err error) { n, err = db.Value[int](tx, query, args...); return err })
	return n
}

func (s *stand) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

func (s *stand) deliver(_ context.Context, body []byte) error {
	var sealed struct{ ID, Mail string }
	if err := json.Unmarshal(body, &sealed); err != nil {
		return err
	}
	plain, err := s.Keys.Open("mail/"+sealed.ID, sealed.Mail)
	if err != nil {
		return err
	}
	var m mail.Message
	err = json.Unmarshal(plain, &m)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mails = append(s.mails, m)
	return err
}

// inbox works off all jobs and returns the mails to an address since the last look.
func (s *stand) inbox(to string) (got []mail.Message) {
	s.Helper()
	if err := s.jobs.Drain(context.Background()); err != nil {
		s.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var rest []mail.Message
	for _, m := range s.mails {
		if m.To == to {
			got = append(got, m)
		} else {
			rest = append(rest, m)
		}
	}
	s.mails = rest
	return got
}

var links = regexp.MustCompile(`/invitations/([\w-]{43})`)

// token is the link in the only mail to an address since the last look.
func (s *stand) token(to string) string {
	s.Helper()
	got := s.inbox(to)
	if len(got) != 1 {
		s.Fatalf("%d mails to %s: %+v", len(got), to, got)
	}
	m := links.FindStringSubmatch(got[0].Body)
	if m == nil {
		s.Fatal("no link in", got[0].Body)
	}
	return m[1]
}

// notices of a person, by phrase.
func (s *stand) told(who audit.Actor, phrase string) int {
	s.Helper()
	return s.count(`SELECT count(*) FROM notice WHERE account = $1 AND phrase = $2`, who.Account, phrase)
}
