package inviting_test

import (
	"regexp"
	"strings"
	"testing"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/address"
	"zunft/internal/identity/application"
	"zunft/internal/identity/fold"
	"zunft/internal/identity/invitation"
	"zunft/internal/identity/link"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/notice"
	"zunft/internal/identity/password"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/portal/inviting"
	"zunft/internal/identity/portal/portaltest"
	"zunft/internal/identity/request"
	"zunft/internal/identity/schema"
	"zunft/internal/identity/session"
	"zunft/internal/identity/terms"
)

// A world is the pages of this place with a bakery that Bert administers, Lena
// as its member, and Anna, who has an account and belongs to nobody.
type world struct {
	*testing.T
	*portaltest.World
	people map[string]*portaltest.Person
	ids    map[string]string
	app    string
}

const invitations = "/organizations/bakery/invitations"

func each(t *testing.T, preset string, f func(w *world)) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := &world{T: t, World: portaltest.New(t, d), people: map[string]*portaltest.Person{}, ids: map[string]string{}}
		site, door, m := w.Front(web.Phrases, account.Phrases, address.Phrases, application.Phrases, invitation.Phrases, inviting.Phrases, link.Phrases, membership.Phrases,
			notice.Phrases, password.Phrases, policy.Phrases, request.Phrases, session.Phrases, terms.Phrases)
		(&inviting.Pages{DB: d, Site: site, Door: door, Hasher: w.Hasher}).Mount(m)
		w.Handler = m.Handler()
		invitation.Work(w.Jobs, d)
		w.Write(func(tx *db.Tx) error { return w.settle(tx, preset) })
		f(w)
	})
}

func (w *world) settle(tx *db.Tx, preset string) error {
	rules, err := policy.Preset(preset)
	if err != nil {
		return err
	}
	rules.Default = true
	if err := policy.Save(tx, audit.Console, rules); err != nil {
		return err
	}
	if err := terms.EnsureDefaults(tx); err != nil {
		return err
	}
	if _, err := tx.Exec(`INSERT INTO chamber (id, number, name, short_name, created_at) VALUES ('c', '999', 'Kammer Musterland', 'Musterland', $1)`, tx.Now()); err != nil {
		return err
	}
	for _, name := range []string{"Anna", "Bert", "Lena"} {
		key := strings.ToLower(name)
		a, err := account.Create(tx, audit.Console, account.New{GivenName: name, FamilyName: "Beispiel", Username: key, Email: key + "@example.org", Password: "x", Confirmed: true})
		if err != nil {
			return err
		}
		w.ids[key] = a.ID
	}
	if _, err := tx.Exec(`INSERT INTO organization (id, chamber, ident_number, name, legal_form, street, house_number, postcode, place, register_kind, register_number, register_court,
		management, company_key, name_key, state, registered_by, created_at) VALUES ('bakery', 'c', '1', 'Bäckerei Morgenrot GmbH', '', 'Mehlgasse', '4', '00999', 'Musterstadt', '', '', '', '', $1, 'b', 'active', $2, $3)`,
		fold.CompanyKey("Bäckerei Morgenrot GmbH", "Mehlgasse", "4", "00999"), w.ids["bert"], tx.Now()); err != nil {
		return err
	}
	a, err := application.Put(tx, audit.Console, application.Application{ClientID: "training", Name: "Berichtsheft", RedirectURIs: []string{"https://t.example/cb"}, SecretHash: "x"}, []application.Role{
		{Key: "apprentice", NameDE: "Auszubildende:r", DescriptionDE: "Schreibt Nachweise und reicht sie ein.", Invited: true}, {Key: "trainer", NameDE: "Ausbilder:in", DescriptionDE: "Zeichnet Nachweise ab."},
	})
	if err != nil {
		return err
	}
	w.app = a.ID
	if err := membership.Grant(tx, audit.Console, "bakery", w.ids["bert"], true); err != nil {
		return err
	}
	if err := membership.Grant(tx, audit.Console, "bakery", w.ids["lena"], false); err != nil {
		return err
	}
	for name := range w.ids {
		if err := w.signIn(tx, name, "pwd"); err != nil {
			return err
		}
	}
	return nil
}

// signIn opens a browser in which somebody is signed in.
func (w *world) signIn(tx *db.Tx, name, amr string) error {
	token, _, err := session.Start(tx, audit.Actor{Account: w.ids[name]}, w.ids[name], amr)
	p := w.Person("192.0.2.1")
	p.Cookies["t_session"] = token
	w.people[name] = p
	return err
}

// proves is somebody who has shown a second factor a moment ago.
func (w *world) proves(name string) *portaltest.Person {
	w.Helper()
	w.Write(func(tx *db.Tx) error { return w.signIn(tx, name, "pwd otp") })
	return w.people[name]
}

// invite is Bert's invitation; it returns the path of the link.
func (w *world) invite(wish invitation.Wish) (i invitation.Invitation, path string) {
	w.Helper()
	w.Write(func(tx *db.Tx) (err error) {
		i, err = invitation.Invite(tx, audit.Actor{Account: w.ids["bert"]}, "bakery", wish)
		return err
	})
	if wish.Email == "" {
		return i, ""
	}
	got := w.Inbox(wish.Email)
	if len(got) != 1 {
		w.Fatalf("mails to %s: %+v", wish.Email, got)
	}
	return i, links.FindString(got[0].Body)
}

func (w *world) state(id string) (state string) {
	w.Helper()
	w.Write(func(tx *db.Tx) (err error) {
		state, err = db.Value[string](tx, `SELECT state FROM invitation WHERE id = $1`, id)
		return err
	})
	return state
}

func (w *world) member(account string) bool {
	w.Helper()
	return w.Count(`SELECT count(*) FROM membership WHERE organization = 'bakery' AND account = $1 AND ended_at IS NULL`, account) == 1
}

func (w *world) role(key string) membership.Role {
	return membership.Role{Application: w.app, Key: key}
}

var links = regexp.MustCompile(`/invitations/[\w-]{43}`)

// terms are the hidden fields that say which texts a page has shown.
func termsOf(body string) (pairs []string) {
	for _, m := range regexp.MustCompile(`name="terms" value="([^"]+)"`).FindAllStringSubmatch(body, -1) {
		pairs = append(pairs, "terms", m[1])
	}
	return pairs
}
