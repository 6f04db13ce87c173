package acting_test

import (
	"fmt"
	"regexp"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/application"
	"zunft/internal/identity/behalf"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/mandate"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/notice"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/portal/acting"
	"zunft/internal/identity/portal/portaltest"
	"zunft/internal/identity/schema"
	"zunft/internal/identity/session"
)

// A world is the pages of this place: Bert runs the bakery, Lena works there;
// Zoe runs a tax office, Max works there; Anna belongs to nobody; Clara is clerk
// of the chamber.
type world struct {
	*testing.T
	*portaltest.World
	people map[string]*portaltest.Person
	ids    map[string]string
	app    string
}

func each(t *testing.T, f func(w *world)) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := &world{T: t, World: portaltest.New(t, d), people: map[string]*portaltest.Person{}, ids: map[string]string{}}
		site, door, m := w.Front(web.Phrases, acting.Phrases, mandate.Phrases, membership.Phrases, session.Phrases, application.Phrases, account.Phrases, notice.Phrases, policy.Phrases)
		(&acting.Pages{DB: d, Site: site, Door: door}).Mount(m)
		w.Handler = m.Handler()
		mandate.Work(w.Jobs, d)
		w.Write(w.settle)
		f(w)
	})
}

func (w *world) settle(tx *db.Tx) error {
	if err := policy.EnsureDefault(tx); err != nil {
		return err
	}
	if _, err := tx.Exec(`INSERT INTO chamber (id, number, name, short_name, created_at) VALUES ('c', '999', 'Kammer Musterland', 'Musterland', $1)`, tx.Now()); err != nil {
		return err
	}
	for _, name := range []string{"anna", "bert", "lena", "zoe", "max", "clara"} {
		a, err := account.Create(tx, audit.Console, account.New{GivenName: map[string]string{"anna": "Anna", "bert": "Bert", "lena": "Lena", "zoe": "Zoe", "max": "Max", "clara": "Clara"}[name], FamilyName: "Beispiel", Username: name, Email: name + "@example.org", Password: "x", Confirmed: true})
		if err != nil {
			return err
		}
		w.ids[name] = a.ID
	}
	if err := chamber.AddStaff(tx, audit.Console, w.ids["clara"], "c", chamber.Clerk); err != nil {
		return err
	}
	a, err := application.Put(tx, audit.Console, application.Application{ClientID: "training", Name: "Berichtsheft", RedirectURIs: []string{"https://t.example/cb"}, SecretHash: "x"}, []application.Role{
		{Key: "training_admin", NameDE: "Ausbildungsverwaltung"}, {Key: "trainer", NameDE: "Ausbilder:in"}, {Key: "auditor", NameDE: "Prüfende Person", ExclusiveWith: []string{"trainer"}},
	})
	if err != nil {
		return err
	}
	w.app = a.ID
	if err := w.company(tx, "bakery", "100063", "Bäckerei Brotmann GmbH", "bert", "lena"); err != nil {
		return err
	}
	if err := w.company(tx, "office", "200001", "Steuerkanzlei Zahl", "zoe", "max"); err != nil {
		return err
	}
	for name := range w.ids {
		if err := w.signIn(tx, name, "pwd otp"); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) company(tx *db.Tx, id, ident, name, admin string, members ...string) error {
	if _, err := tx.Exec(`INSERT INTO organization (id, chamber, ident_number, name, legal_form, street, house_number, postcode, place, register_kind, register_number, register_court,
		management, company_key, name_key, state, registered_by, created_at) VALUES ($1, 'c', $2, $3, '', 'Mehlgasse', '4', '00999', 'Musterstadt', '', '', '', '', $1, $3, 'active', $4, $5)`,
		id, ident, name, w.ids[admin], tx.Now()); err != nil {
		return err
	}
	for _, m := range members {
		if err := membership.Grant(tx, audit.Console, id, w.ids[m], false); err != nil {
			return err
		}
	}
	return membership.Grant(tx, audit.Console, id, w.ids[admin], true)
}

// signIn opens a browser in which somebody is signed in.
func (w *world) signIn(tx *db.Tx, name, amr string) error {
	token, _, err := session.Start(tx, audit.Actor{Account: w.ids[name]}, w.ids[name], amr)
	p := w.Person("192.0.2.1")
	p.Cookies["t_session"] = token
	w.people[name] = p
	return err
}

func (w *world) as(name string) audit.Actor {
	return audit.Actor{Account: w.ids[name], Kind: audit.Person}
}

func (w *world) wish() mandate.Wish {
	now := w.D.Now()
	return mandate.Wish{Roles: []membership.Role{{Application: w.app, Key: "training_admin"}}, First: db.At(now), Last: db.At(now.AddDate(0, 6, 0))}
}

// propose lets a mandate be proposed by rule; by an admin of the bakery to a person.
func (w *world) propose(name, email string) (m mandate.Mandate) {
	w.Helper()
	wish := w.wish()
	wish.Email = email
	w.Write(func(tx *db.Tx) (err error) {
		m, err = mandate.Propose(tx, w.as(name), mandate.ForPrincipal, "bakery", wish)
		return err
	})
	return m
}

// held is a mandate of the bakery that a person has accepted.
func (w *world) held(person string) (m mandate.Mandate) {
	w.Helper()
	m = w.propose("bert", person+"@example.org")
	w.Write(func(tx *db.Tx) (err error) { m, err = mandate.Accept(tx, w.as(person), m.ID); return err })
	return m
}

func (w *world) state(id string) (state string) {
	w.Helper()
	w.Write(func(tx *db.Tx) (err error) {
		state, err = db.Value[string](tx, `SELECT state FROM mandate WHERE id = $1`, id)
		return err
	})
	return state
}

// rolesBy are what somebody holds in the application by a mandate.
func (w *world) rolesBy(name, mandateID string) string {
	w.Helper()
	var held []behalf.Held
	w.Write(func(tx *db.Tx) (err error) {
		held, err = behalf.RolesIn(tx, w.ids[name], w.app, "bakery", mandateID)
		return err
	})
	all := ""
	for _, h := range held {
		all += h.Role + " "
	}
	return all
}

var (
	links = regexp.MustCompile(`/representation/[\w-]{43}`)
	ids   = regexp.MustCompile(`/mandates/([0-9a-f-]{36})`)
)

// form is the proposal as a browser sends it.
func (w *world) form(pairs ...string) []string {
	now := w.D.Now()
	return append([]string{"roles", w.app + "/training_admin", "first", now.Format(time.DateOnly), "last", now.AddDate(0, 6, 0).Format(time.DateOnly)}, pairs...)
}

func (w *world) settings(change func(*chamber.Settings)) {
	w.Helper()
	w.Write(func(tx *db.Tx) error {
		s, err := chamber.SettingsOf(tx, "c")
		if err != nil {
			return err
		}
		change(&s)
		return chamber.SaveSettings(tx, audit.Console, "c", s)
	})
}

func (w *world) events(mandateID string) (all string) {
	w.Helper()
	w.Write(func(tx *db.Tx) error {
		return tx.Each(`SELECT event, actor, organization, detail FROM audit WHERE thing = $1 ORDER BY id`, []any{mandateID}, func(scan func(...any) error) error {
			var event, actor, organization, detail string
			err := scan(&event, &actor, &organization, &detail)
			all += fmt.Sprintln(event, organization, detail)
			return err
		})
	})
	return all
}
