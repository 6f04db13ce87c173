package info_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/application"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/clerk"
	"zunft/internal/identity/factor"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/openid"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/portal/info"
	"zunft/internal/identity/portal/office"
	"zunft/internal/identity/portal/operator"
	"zunft/internal/identity/portal/portaltest"
	"zunft/internal/identity/schema"
	"zunft/internal/identity/session"
	"zunft/internal/identity/textblock"
)

// A world has a chamber that Clara leads, Otto who runs the installation, Lena
// who works for a company of the chamber, and somebody unknown.
type world struct {
	*portaltest.World
	chamber, app                string
	ids                         map[string]string
	clara, otto, lena, somebody *portaltest.Person
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := &world{World: portaltest.New(t, d), ids: map[string]string{}}
		site, door, m := w.Front(web.Phrases, account.Phrases, application.Phrases, chamber.Phrases, clerk.Phrases, factor.Phrases, membership.Phrases, openid.Phrases, policy.Phrases, session.Phrases, textblock.Phrases,
			info.Phrases, office.Phrases, operator.Phrases)
		(&info.Pages{DB: d, Site: site}).Mount(m)
		(&office.Pages{DB: d, Site: site, Door: door}).Mount(m)
		(&operator.Pages{DB: d, Site: site, Door: door, OpenID: &openid.Provider{DB: d, Site: site, Door: door}}).Mount(m)
		w.Handler = m.Handler()
		w.Write(w.settle)
		w.clara, w.otto, w.lena, w.somebody = w.signIn("clara"), w.signIn("otto"), w.signIn("lena"), w.Person("192.0.2.66")
		f(t, w)
	})
}

func (w *world) settle(tx *db.Tx) error {
	if err := policy.EnsureDefault(tx); err != nil {
		return err
	}
	c, err := chamber.Create(tx, audit.Console, chamber.Chamber{Number: "999", Name: "Kammer Musterland", Street: "Zunftplatz", HouseNumber: "1", Postcode: "00999", Place: "Musterstadt"})
	if err != nil {
		return err
	}
	w.chamber = c.ID
	for _, name := range []string{"clara", "otto", "lena"} {
		a, err := account.Create(tx, audit.Console, account.New{GivenName: name, FamilyName: "Beispiel", Username: name, Email: name + "@example.org", Password: "x", Confirmed: true})
		if err != nil {
			return err
		}
		w.ids[name] = a.ID
	}
	if err := chamber.AddStaff(tx, audit.Console, w.ids["clara"], c.ID, chamber.Clerk); err != nil {
		return err
	}
	if err := chamber.AddStaff(tx, audit.Console, w.ids["otto"], "", chamber.Operator); err != nil {
		return err
	}
	a, err := application.Put(tx, audit.Console, application.Application{ClientID: "book", Name: "Berichtsheft", AuthMethod: "client_secret_basic", RedirectURIs: []string{"https://book.example/cb"}}, nil)
	w.app = a.ID
	return err
}

// company makes one of a chamber, where Lena works.
func (w *world) company(chamberID string) {
	w.T.Helper()
	w.Write(func(tx *db.Tx) error {
		id := db.NewID()
		if _, err := tx.Exec(`INSERT INTO organization (id, chamber, ident_number, name, legal_form, street, house_number, postcode, place, register_kind, register_number, register_court, management, company_key, name_key, state, registered_by, created_at)
			VALUES ($1, $2, '100017', 'Bäckerei Morgenrot', '', '', '', '', '', '', '', '', '', $1, '', 'active', $3, $4)`, id, chamberID, w.ids["lena"], tx.Now()); err != nil {
			return err
		}
		return membership.Grant(tx, audit.Console, id, w.ids["lena"], false)
	})
}

// signIn opens a browser in which somebody has just proved that it is them.
func (w *world) signIn(name string) *portaltest.Person {
	p := w.Person("192.0.2.7")
	w.Write(func(tx *db.Tx) (err error) {
		p.Cookies["t_session"], _, err = session.Start(tx, audit.Actor{Account: w.ids[name]}, w.ids[name], "pwd otp")
		return err
	})
	return p
}

// decide changes the policy that is the default.
func (w *world) decide(change func(*policy.Policy)) {
	w.T.Helper()
	w.Write(func(tx *db.Tx) error {
		p, err := policy.Of(tx, "")
		if err != nil {
			return err
		}
		change(&p)
		return policy.Save(tx, audit.Console, p)
	})
}

// R222: each chamber says when it answers the phone and where it is; everybody
// reads it on the help page, and nobody else changes it.
func TestR222TheChambersHoursAndAddress(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, p := range []*portaltest.Person{w.lena, w.otto} {
			p.Post("/chamber/settings/contact", "phone", "0190", "version", "1").Want(t, http.StatusForbidden)
		}
		w.clara.Post("/chamber/settings/contact", "version", "1", "phone", "0999 3107-546", "hours", "Montag bis Freitag, 8 bis 12 Uhr", "email", "keine", "website", "java script:1").
			Want(t, http.StatusUnprocessableEntity, "mit @", "www.kammer.example")
		w.clara.Post("/chamber/settings/contact", "version", "1", "phone", "0999 3107-546", "hours", "Montag bis Freitag, 8 bis 12 Uhr", "email", "post@kammer.example", "website", "www.kammer.example").
			Goes(t, "/chamber/settings/contact")
		for _, p := range []*portaltest.Person{w.somebody, w.lena} {
			for _, path := range []string{"/help", "/contact"} {
				page := p.Get(path).Want(t, http.StatusOK, "Kammer Musterland", "0999 3107-546", "Montag bis Freitag, 8 bis 12 Uhr", "Zunftplatz 1", "00999 Musterstadt")
				for _, link := range []string{`href="mailto:post@kammer.example"`, `href="https://www.kammer.example"`} {
					if !strings.Contains(page.Body, link) {
						t.Errorf("%s lacks %s", path, link)
					}
				}
			}
		}
		w.somebody.Get("/contact?lang=en").Want(t, http.StatusOK, "Contact", "Your chamber", "Phone", "Montag bis Freitag")
	})
}

// Where there are many chambers one's own stand there in full, the others fold
// out, and who does not know theirs finds it.
func TestContactsOfManyChambers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		own := ""
		w.Write(func(tx *db.Tx) error {
			for _, number := range []string{"901", "902", "903"} {
				c, err := chamber.Create(tx, audit.Console, chamber.Chamber{Number: number, Name: "Kammer " + number, Phone: "0" + number + " 1"})
				if own = c.ID; err != nil {
					return err
				}
			}
			_, err := chamber.Create(tx, audit.Console, chamber.Chamber{Number: "800", Name: "Kammer von gestern", ValidUntil: tx.Now()})
			return err
		})
		card, folded := `<h3>Kammer 903</h3>`, `<details><summary>Kammer 903</summary>`
		if body := w.somebody.Get("/contact").Want(t, http.StatusOK, "Welche Kammer ist für mich zuständig?").Body; strings.Contains(body, card) || !strings.Contains(body, folded) || strings.Contains(body, "gestern") {
			t.Error(body)
		}
		w.company(own)
		if body := w.lena.Get("/contact").Want(t, http.StatusOK, "0903 1").Body; !strings.Contains(body, card) || strings.Contains(body, folded) || !strings.Contains(body, "<details><summary>Kammer 901</summary>") {
			t.Error(body)
		}
	})
}

// R223: questions about an application go to whoever runs it, not to the
// chamber; R007: beside it stands its manual. Ordinary people read both.
func TestR223TheSecondDesk(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		if page := w.somebody.Get("/help").Want(t, http.StatusOK, "Kammer Musterland"); strings.Contains(page.Text, "Fragen zu einer Anwendung") {
			t.Error("there is a heading without anything below it")
		}
		w.otto.Post("/admin/apps/"+w.app+"/edit", "version", "1", "client_name", "Berichtsheft", "redirect_uris", "https://book.example/cb", "auth_method", "client_secret_basic", "alg", "ES256",
			"support", "kontakt@book.example", "manual_uri", "https://book.example/handbuch").Goes(t, "/admin/apps/"+w.app)
		for _, p := range []*portaltest.Person{w.somebody, w.lena} {
			for _, path := range []string{"/help", "/contact"} {
				page := p.Get(path).Want(t, http.StatusOK, "Fragen zu einer Anwendung", "Berichtsheft")
				for _, link := range []string{`<a href="mailto:kontakt@book.example">kontakt@book.example</a>`, `<a href="https://book.example/handbuch">Handbuch<span class="visually-hidden">: Berichtsheft</span></a>`} {
					if !strings.Contains(page.Body, link) {
						t.Errorf("%s lacks %s", path, link)
					}
				}
			}
		}
		for _, says := range []string{"0999 12345", "https://book.example/hilfe", "javascript:alert(1)"} { // a phone, a page, and what is no address
			w.Exec(`UPDATE application SET support = $1`, says)
			if body := w.somebody.Get("/help").Want(t, http.StatusOK, says).Body; strings.Contains(body, `href="`+says) != strings.HasPrefix(says, "https:") {
				t.Errorf("%s is the wrong kind of link", says)
			}
		}
		w.otto.Post("/admin/apps/"+w.app, "do", "disable").Goes(t, "/admin/apps/"+w.app)
		if page := w.somebody.Get("/help"); strings.Contains(page.Text, "Berichtsheft") && strings.Contains(page.Text, "Fragen zu einer Anwendung") {
			t.Error("an application that nobody can use is listed")
		}
	})
}

var loaded = regexp.MustCompile(`(?i)\b(?:src|poster|data)="https?:|<(?:iframe|video|object|embed|img)\b|<link[^>]+href="https?:|url\(\s*['"]?https?:`)

// R221: videos and manuals are links that say where they lead; nothing is
// loaded from there before somebody clicks, and the page could not.
func TestR221GuidesAreLinks(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		if page := w.somebody.Get("/help"); strings.Contains(page.Text, "Anleitungen") {
			t.Error("a heading without guides")
		}
		w.decide(func(p *policy.Policy) {
			p.Guides = []policy.Guide{
				{Title: policy.Text{De: "Rollen vergeben", En: "Giving roles"}, URL: "https://video.example/watch?v=1&t=2", Video: true},
				{Title: policy.Text{De: "Nutzungshandbuch"}, URL: "https://kammer.example/handbuch.pdf"},
			}
		})
		page := w.somebody.Get("/help").Want(t, http.StatusOK, "Anleitungen", "Erst mit dem Klick wird eine Verbindung dorthin aufgebaut", "Rollen vergeben", "Video bei video.example", "Nutzungshandbuch", "Handbuch bei kammer.example")
		for _, link := range []string{`<a href="https://video.example/watch?v=1&amp;t=2" rel="noreferrer noopener">`, `<a href="https://kammer.example/handbuch.pdf" rel="noreferrer noopener">`} {
			if !strings.Contains(page.Body, link) {
				t.Error("no link", link)
			}
		}
		_, main, _ := strings.Cut(page.Body, "<main")
		if got := loaded.FindString(main); got != "" {
			t.Error("the page loads something by itself:", got)
		}
		if csp := page.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "video.example") {
			t.Error("the page may load from elsewhere:", csp)
		}
		w.somebody.Get("/help?lang=en").Want(t, http.StatusOK, "Giving roles", "Video at video.example", "Nutzungshandbuch")
	})
}

// What a policy may not say: a guide without a title, over plain HTTP, or that
// would run; one half of the footer's two words.
func TestWordsThatArePutWrong(t *testing.T) {
	standard, err := policy.Preset(policy.Standard)
	if err != nil {
		t.Fatal(err)
	}
	title := policy.Text{De: "x"}
	for name, change := range map[string]func(*policy.Policy){
		"no title": func(p *policy.Policy) { p.Guides = []policy.Guide{{URL: "https://a.example/"}} },
		"http":     func(p *policy.Policy) { p.Guides = []policy.Guide{{Title: title, URL: "http://a.example/"}} },
		"script":   func(p *policy.Policy) { p.Guides = []policy.Guide{{Title: title, URL: "javascript:alert(1)"}} },
		"user": func(p *policy.Policy) {
			p.Guides = []policy.Guide{{Title: title, URL: "https://bank.example@evil.example/"}}
		},
		"half":    func(p *policy.Policy) { p.Words.Support = title },
		"English": func(p *policy.Policy) { p.Words.Support, p.Words.Contact = policy.Text{En: "Support"}, title },
	} {
		p := standard
		if change(&p); p.Check() == nil {
			t.Error(name, "is taken")
		}
	}
	standard.Words = policy.Words{Join: title, Support: title, Contact: title}
	standard.Guides = []policy.Guide{{Title: title, URL: "https://a.example/x"}}
	if err := standard.Check(); err != nil {
		t.Error(err)
	}
}
