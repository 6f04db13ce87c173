package request

import (
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
	"zunft/internal/ground/plain"
	"zunft/internal/identity/account"
	"zunft/internal/identity/application"
	"zunft/internal/identity/fold"
	"zunft/internal/identity/membership"
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
			if err = membership.Grant(tx, audit.Console, who, org.Account, true); err != nil {
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

func (s *stand) role(key string) membership.Role {
	return membership.Role{Application: s.app, Key: key}
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

func (s *stand) asks(who audit.Actor, org string, roles ...membership.Role) (id string) {
	s.Helper()
	s.must(func(tx *db.Tx) error {
		r, err := Submit(tx, who, org, "Ich bin Azubi.", roles)
		id = r.ID
		return err
	})
	return id
}

func (s *stand) in(who audit.Actor, org string) (m membership.Member, is bool) {
	s.Helper()
	err := s.Read(s.Context(), func(tx *db.Tx) (err error) { m, err = membership.In(tx, org, who.Account); return err })
	return m, err == nil
}

func (s *stand) state(id string) (state string) {
	s.must(func(tx *db.Tx) (err error) {
		state, err = db.Value[string](tx, `SELECT state FROM request WHERE id = $1`, id)
		return err
	})
	return state
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

// R118, R125–R128, R131, R139, R147: the whole way of a join request.
func TestJoin(t *testing.T) {
	each(t, func(s *stand) {
		trainer := s.role("trainer")
		mails := s.count(`SELECT count(*) FROM job WHERE kind = 'mail'`)
		s.wants(fault.KindInvalid, "request.reason_required", func(tx *db.Tx) error { _, err := Submit(tx, s.anna, s.bakery, " ", nil); return err }) // L03
		s.wants(fault.KindInvalid, "request.reason_long", func(tx *db.Tx) error {
			_, err := Submit(tx, s.anna, s.bakery, strings.Repeat("ä", 301), nil)
			return err
		})
		s.wants(fault.KindInvalid, "membership.role_unknown", func(tx *db.Tx) error {
			_, err := Submit(tx, s.anna, s.bakery, "x", []membership.Role{s.role("boss")})
			return err
		})
		id := s.asks(s.anna, s.bakery, trainer, trainer)
		if n := s.count(`SELECT count(*) FROM job WHERE kind = 'mail'`) - mails; n != 3 { // M04: Anna and two admins
			t.Errorf("%d mails after asking", n)
		}
		if n := s.count(`SELECT count(*) FROM notice`); n != 2 {
			t.Errorf("%d notices after asking", n)
		}
		s.wants(fault.KindConflict, "request.already_asked", func(tx *db.Tx) error { _, err := Submit(tx, s.anna, s.bakery, "noch einmal", nil); return err })
		s.wants(fault.KindConflict, "request.already_member", func(tx *db.Tx) error { _, err := Submit(tx, s.bert, s.bakery, "x", nil); return err })
		s.wants(0, "", func(tx *db.Tx) error {
			_, err := Submit(tx, s.bert, s.butcher, "W04: admins may ask elsewhere", nil)
			return err
		})

		s.wants(fault.KindNotFound, "", func(tx *db.Tx) error { return Claim(tx, s.carl, id) }) // another company's admin
		s.wants(fault.KindForbidden, "", func(tx *db.Tx) error { return Claim(tx, s.anna, id) })
		s.wants(fault.KindConflict, "request.claim_first", func(tx *db.Tx) error { return Release(tx, s.bert, id) })
		s.wants(0, "", func(tx *db.Tx) error { return Claim(tx, s.bert, id) })
		s.wants(fault.KindConflict, "request.claimed_by_other", func(tx *db.Tx) error { return Claim(tx, s.berta, id) })
		s.wants(fault.KindConflict, "request.claimed_by_other", func(tx *db.Tx) error { return Approve(tx, s.berta, id, nil) })
		s.wants(0, "", func(tx *db.Tx) error { return Release(tx, s.bert, id) })
		s.wants(0, "", func(tx *db.Tx) error { return Claim(tx, s.berta, id) })
		s.wants(fault.KindInvalid, "request.answer_required", func(tx *db.Tx) error { return Deny(tx, s.berta, id, " ") }) // L09
		s.wants(fault.KindInvalid, "request.answer_long", func(tx *db.Tx) error { return Deny(tx, s.berta, id, strings.Repeat("x", 501)) })
		s.wants(0, "", func(tx *db.Tx) error { return Approve(tx, s.berta, id, nil) }) // R127: a member without a role
		if m, is := s.in(s.anna, s.bakery); !is || m.Admin || len(m.Roles) != 0 {
			t.Errorf("after approval: %+v %v", m, is)
		}
		s.wants(fault.KindConflict, "request.already_decided", func(tx *db.Tx) error { return Deny(tx, s.berta, id, "doch nicht") })
		s.wants(fault.KindConflict, "request.already_decided", func(tx *db.Tx) error { return Withdraw(tx, s.anna, id) })
		if n := s.count(`SELECT count(*) FROM audit WHERE thing = $1`, id); n != 5 { // submitted, claimed, released, claimed, approved
			t.Errorf("%d audit rows", n)
		}
		// R029: a member without a role gets into no application.
		if err := s.Read(t.Context(), func(tx *db.Tx) error {
			roles, err := membership.RolesFor(tx, s.anna.Account, s.app)
			if len(roles) != 0 {
				t.Errorf("roles %v", roles)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	})
}

// R023, M05: denied with a reason; the applicant may ask again.
func TestDenyAndAskAgain(t *testing.T) {
	each(t, func(s *stand) {
		id := s.asks(s.anna, s.bakery)
		s.must(func(tx *db.Tx) error { return Claim(tx, s.bert, id) })
		s.must(func(tx *db.Tx) error { return Deny(tx, s.bert, id, "Wir kennen Sie nicht.") })
		if _, is := s.in(s.anna, s.bakery); is || s.state(id) != Denied {
			t.Error("denied, and yet a member")
		}
		again := s.asks(s.anna, s.bakery)
		s.wants(fault.KindNotFound, "", func(tx *db.Tx) error { return Withdraw(tx, s.carl, again) })
		s.must(func(tx *db.Tx) error { return Withdraw(tx, s.anna, again) })
		s.asks(s.anna, s.bakery)
	})
}

// R131: a claim is a lease; when it has ended another admin may take over.
func TestLease(t *testing.T) {
	each(t, func(s *stand) {
		start := time.Now()
		s.Now = func() time.Time { return start }
		id := s.asks(s.anna, s.bakery)
		s.must(func(tx *db.Tx) error { return Claim(tx, s.bert, id) })
		s.Now = func() time.Time { return start.Add(Lease - time.Second) }
		s.wants(fault.KindConflict, "request.claimed_by_other", func(tx *db.Tx) error { return Claim(tx, s.berta, id) })
		s.Now = func() time.Time { return start.Add(Lease) }
		s.must(func(tx *db.Tx) error { return Claim(tx, s.berta, id) })
		s.wants(fault.KindConflict, "request.claimed_by_other", func(tx *db.Tx) error { return Approve(tx, s.bert, id, nil) })
		s.Now = func() time.Time { return start.Add(3 * Lease) }
		s.must(ExpireLeases)
		if s.state(id) != Open {
			t.Error("an old lease was not given back")
		}
	})
}

// R145–R148, R146: several roles, a reason, the same review.
func TestRoleRequest(t *testing.T) {
	each(t, func(s *stand) {
		trainer, apprentice := s.role("trainer"), s.role("apprentice")
		s.wants(fault.KindNotFound, "", func(tx *db.Tx) error {
			_, err := SubmitRole(tx, s.anna, s.bakery, "x", []membership.Role{trainer})
			return err
		})
		s.must(func(tx *db.Tx) error {
			return membership.Grant(tx, audit.Console, s.bakery, s.anna.Account, false, apprentice)
		})
		s.wants(fault.KindInvalid, "request.roles_required", func(tx *db.Tx) error { _, err := SubmitRole(tx, s.anna, s.bakery, "x", nil); return err })
		s.wants(fault.KindConflict, "request.roles_held", func(tx *db.Tx) error {
			_, err := SubmitRole(tx, s.anna, s.bakery, "x", []membership.Role{apprentice})
			return err
		})
		var id string
		s.must(func(tx *db.Tx) error {
			r, err := SubmitRole(tx, s.anna, s.bakery, "Ich bilde aus.", []membership.Role{trainer, apprentice})
			id = r.ID
			if len(r.Roles) != 1 {
				t.Errorf("asked for %v", r.Roles)
			}
			return err
		})
		s.must(func(tx *db.Tx) error { return Claim(tx, s.bert, id) })
		s.wants(fault.KindInvalid, "request.approve_roles_required", func(tx *db.Tx) error { return Approve(tx, s.bert, id, nil) })
		s.must(func(tx *db.Tx) error { return Approve(tx, s.bert, id, []membership.Role{trainer}) })
		m, _ := s.in(s.anna, s.bakery)
		if !m.Has(s.app, "trainer") || !m.Has(s.app, "apprentice") {
			t.Errorf("roles %v", m.Roles)
		}
		err := s.Read(t.Context(), func(tx *db.Tx) error {
			roles, err := membership.RolesFor(tx, s.anna.Account, s.app)
			if fmt.Sprint(roles) != "map[bakery:[apprentice trainer]]" {
				t.Errorf("roles for tokens: %v", roles)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// L08: who leaves loses the roles at once, open role requests end; who has
// left does not come back by an approved role request.
func TestLeave(t *testing.T) {
	each(t, func(s *stand) {
		trainer := s.role("trainer")
		s.must(func(tx *db.Tx) error {
			return membership.Grant(tx, audit.Console, s.bakery, s.anna.Account, false, s.role("apprentice"))
		})
		var id string
		s.must(func(tx *db.Tx) error {
			r, err := SubmitRole(tx, s.anna, s.bakery, "x", []membership.Role{trainer})
			id = r.ID
			return err
		})
		s.must(func(tx *db.Tx) error { return Claim(tx, s.bert, id) })
		s.must(func(tx *db.Tx) error { return membership.Leave(tx, s.anna, s.bakery) })
		if n := s.count(`SELECT count(*) FROM role_grant`); n != 0 || s.state(id) != Withdrawn {
			t.Errorf("%d grants left, request %s", n, s.state(id))
		}
		s.wants(fault.KindConflict, "request.already_decided", func(tx *db.Tx) error { return Approve(tx, s.bert, id, []membership.Role{trainer}) })
		s.wants(fault.KindNotFound, "", func(tx *db.Tx) error { return membership.Leave(tx, s.anna, s.bakery) })
		if n := s.count(`SELECT count(*) FROM audit WHERE event IN ('membership.left', 'role.withdrawn')`); n != 2 {
			t.Errorf("%d audit rows", n)
		}
	})
}

// R131: 64 at once claim a request; one gets it.
func TestClaimRace(t *testing.T) {
	each(t, func(s *stand) {
		admins := make([]audit.Actor, 8)
		s.must(func(tx *db.Tx) (err error) {
			for i := range admins {
				if admins[i], err = person(tx, fmt.Sprintf("Admin%c", 'a'+i)); err != nil {
					return err
				}
				if err = membership.Grant(tx, audit.Console, s.bakery, admins[i].Account, true); err != nil {
					return err
				}
			}
			return nil
		})
		id := s.asks(s.anna, s.bakery)
		if won := s.race(64, func(i int, tx *db.Tx) error { return Claim(tx, admins[i%8], id) }); won != 1 {
			t.Errorf("%d claims", won)
		}
		if n := s.count(`SELECT count(*) FROM audit WHERE event = 'join.claimed'`); n != 1 {
			t.Errorf("%d audit rows", n)
		}
	})
}

// Asked 64 times at once is asked once.
func TestSubmitRace(t *testing.T) {
	each(t, func(s *stand) {
		won := s.race(64, func(_ int, tx *db.Tx) error { _, err := Submit(tx, s.anna, s.bakery, "x", nil); return err })
		if n := s.count(`SELECT count(*) FROM request`); won != 1 || n != 1 {
			t.Errorf("%d won, %d requests", won, n)
		}
	})
}

// Approve, deny and withdraw at once: one of them happens, and fully.
func TestDecisionRace(t *testing.T) {
	each(t, func(s *stand) {
		for round := range 10 {
			var who audit.Actor
			s.must(func(tx *db.Tx) (err error) { who, err = person(tx, fmt.Sprintf("Person%c", 'a'+round)); return err })
			id := s.asks(who, s.bakery)
			s.must(func(tx *db.Tx) error { return Claim(tx, s.bert, id) })
			won := s.race(64, func(i int, tx *db.Tx) error {
				switch i % 3 {
				case 0:
					return Approve(tx, s.bert, id, []membership.Role{s.role("apprentice")})
				case 1:
					return Deny(tx, s.bert, id, "nein")
				}
				return Withdraw(tx, who, id)
			})
			_, is := s.in(who, s.bakery)
			if state := s.state(id); won != 1 || is != (state == Approved) {
				t.Fatalf("round %d: %d winners, state %s, member %v", round, won, state, is)
			}
		}
	})
}

// What cannot be recorded is not done.
func TestNoRecordNoDeed(t *testing.T) {
	each(t, func(s *stand) {
		id := s.asks(s.anna, s.bakery)
		s.must(func(tx *db.Tx) error { return Claim(tx, s.bert, id) })
		s.must(func(tx *db.Tx) error { _, err := tx.Exec(`DROP TABLE audit`); return err })
		if err := s.Write(t.Context(), func(tx *db.Tx) error { return Approve(tx, s.bert, id, nil) }); err == nil {
			t.Error("approved without a record")
		}
		if s.state(id) != Claimed {
			t.Error("the state changed without a record")
		}
	})
}

// Every fault and notice has a phrase; every mail subject is short enough (ux.md 7.8).
func TestPhrasesAndMails(t *testing.T) {
	if _, err := i18n.Load(Phrases, notice.Phrases); err != nil {
		t.Fatal(err)
	}
	l := letter{
		Name: "Bert Backmann", Organization: "Bäckerei Brotmann und Söhne Lieferservice GmbH & Co. KG", Short: plain.Short("Bäckerei Brotmann und Söhne Lieferservice GmbH & Co. KG", 28),
		Applicant: "Anna Beispiel", Initial: "Anna B.", Username: "anna", Reason: "Ich bin Azubi.", Answer: "Wir kennen Sie nicht.", Roles: []string{"Auszubildende:r"}, Request: "r", ID: "o", Other: "Berta Beispiel", Email: "anna@example.org", Days: 14,
	}
	for _, name := range []string{"join_sent", "join_received", "join_approved", "join_denied", "role_sent", "role_received", "role_approved", "role_denied", "reminder", "expired", "handed", "deputy", "relay"} {
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
