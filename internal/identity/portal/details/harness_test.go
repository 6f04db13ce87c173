package details_test

import (
	"bytes"
	"context"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/seal"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/application"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/clerk"
	"zunft/internal/identity/closing"
	"zunft/internal/identity/directory"
	"zunft/internal/identity/letter"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/notice"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/portal/company"
	"zunft/internal/identity/portal/desk"
	"zunft/internal/identity/portal/details"
	"zunft/internal/identity/portal/portaltest"
	"zunft/internal/identity/portal/records"
	"zunft/internal/identity/recovery"
	"zunft/internal/identity/registration"
	"zunft/internal/identity/schema"
	"zunft/internal/identity/session"
	"zunft/internal/identity/site"
	"zunft/internal/identity/succession"
	"zunft/internal/identity/textblock"
)

const listed = `Identnummer;Firmierung;Rechtsform;Straße;Hausnummer;PLZ;Ort;Registerart;HR-Nummer;Registergericht;Geschäftsführung
4711;Bäckerei Morgenrot GmbH;GmbH;Mehlgasse;4;00999;Musterdorf;HRB;2011;Musterstadt;Greta Grau
4712;Morgenrot Filiale Nord;GmbH;Nordweg;1;00999;Musterdorf;;;;
815;Spiel- und Spaß GmbH;GmbH;Schuteweg;1;00002;Musterhafen;;;;A. Meier
`

// A world has the bakery, which Bert administers and where Lena works; Nora, who
// belongs to nobody; Clara, clerk of the bakery's chamber, and Xenia of another.
type world struct {
	*portaltest.World
	*testing.T
	chamber, bakery string
	ids             map[string]string
	browsers        map[string]*portaltest.Person
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) { f(t, newWorld(t, d)) })
}

func newWorld(t *testing.T, d *db.DB) *world {
	w := &world{World: portaltest.New(t, d), T: t, ids: map[string]string{}, browsers: map[string]*portaltest.Person{}}
	front, door, m := w.Front(web.Phrases, notice.Phrases, account.Phrases, application.Phrases, chamber.Phrases, closing.Phrases, directory.Phrases, letter.Phrases, membership.Phrases,
		organization.Phrases, policy.Phrases, recovery.Phrases, registration.Phrases, site.Phrases, succession.Phrases, textblock.Phrases, company.Phrases, desk.Phrases, details.Phrases, records.Phrases, clerk.Phrases)
	(&details.Pages{DB: d, Site: front, Door: door}).Mount(m)
	(&desk.Pages{DB: d, Site: front, Door: door}).Mount(m)
	(&records.Pages{DB: d, Site: front, Door: door}).Mount(m)
	(&company.Pages{DB: d, Site: front, MakeAdmin: func(tx *db.Tx, by audit.Actor, org, person string) error {
		return membership.Grant(tx, by, org, person, true)
	}}).Mount(m)
	w.Handler = m.Handler()
	w.Write(func(tx *db.Tx) error {
		if err := policy.EnsureDefault(tx); err != nil {
			return err
		}
		c, err := chamber.Create(tx, audit.Console, chamber.Chamber{
			Number: "999", Name: "Kammer Musterland", Street: "Zunftplatz", HouseNumber: "1", Postcode: "00999", Place: "Musterstadt",
			Phone: "0999 1234-0", Email: "post@kammer.example", Postcodes: []string{"00"},
		})
		if err != nil {
			return err
		}
		w.chamber = c.ID
		other, err := chamber.Create(tx, audit.Console, chamber.Chamber{Number: "998", Name: "Kammer Anderswo"})
		if err != nil {
			return err
		}
		for i, p := range [][3]string{{"bert", "Backmann", ""}, {"lena", "Lerche", ""}, {"nora", "Nagel", ""}, {"clara", "Clausen", c.ID}, {"xenia", "Xanten", other.ID}} {
			given := strings.ToUpper(p[0][:1]) + p[0][1:]
			a, err := account.Create(tx, audit.Console, account.New{GivenName: given, FamilyName: p[1], Username: p[0], Email: p[0] + "@example.org", Language: "de", Password: "$argon2id$none", Confirmed: true})
			if err != nil {
				return err
			}
			w.ids[p[0]] = a.ID
			if p[2] != "" {
				if err := chamber.AddStaff(tx, audit.Console, a.ID, p[2], "clerk"); err != nil {
					return err
				}
			}
			w.browsers[p[0]] = w.Person("192.0.2." + string(rune('1'+i)))
		}
		return nil
	})
	w.signIn()
	if _, err := directory.Import(t.Context(), d, audit.Console, w.chamber, strings.NewReader(listed), directory.ImportOptions{Strict: true}); err != nil {
		t.Fatal(err)
	}
	w.Write(func(tx *db.Tx) error {
		e, err := directory.ByIdent(tx, w.chamber, "4711")
		if err != nil {
			return err
		}
		w.bakery = db.NewID()
		o := organization.Organization{ID: w.bakery, Chamber: w.chamber, Company: e.Company, Management: e.Management, State: organization.AwaitingLetter, RegisteredBy: w.ids["bert"], CreatedAt: tx.Now(), Version: 1}
		if created, err := organization.Create(tx, o); err != nil || !created {
			t.Fatal(created, err)
		}
		if err := organization.Open(tx, w.as("bert"), &o); err != nil {
			return err
		}
		if err := membership.Grant(tx, audit.Console, w.bakery, w.ids["bert"], true); err != nil {
			return err
		}
		return membership.Grant(tx, audit.Console, w.bakery, w.ids["lena"], false)
	})
	w.Inbox()
	return w
}

// signIn gives everybody a session in which they proved themselves just now.
func (w *world) signIn() {
	w.T.Helper()
	for name, browser := range w.browsers {
		w.Write(func(tx *db.Tx) (err error) {
			browser.Cookies["t_session"], _, err = session.Start(tx, w.as(name), w.ids[name], "pwd otp")
			return err
		})
	}
}

func (w *world) as(name string) audit.Actor {
	return audit.Actor{Kind: audit.Person, Account: w.ids[name], IP: "192.0.2.9"}
}

func (w *world) at(path string) string { return "/organizations/" + w.bakery + path }

// try runs a command; its fault's key is what counts in tests.
func (w *world) try(f func(tx *db.Tx) error) string {
	w.T.Helper()
	err := w.D.Write(w.T.Context(), f)
	if f := fault.Of(err); f != nil {
		return f.Key()
	}
	if err != nil {
		w.T.Fatal(err)
	}
	return ""
}

func (w *world) look(f func(tx *db.Tx) error) {
	w.T.Helper()
	if err := w.D.Read(w.T.Context(), f); err != nil {
		w.T.Fatal(err)
	}
}

var codes = regexp.MustCompile(`\b[34679ACDEFGHJKMNPQRTWXY]{4}[- ][34679ACDEFGHJKMNPQRTWXY]{4}[- ][34679ACDEFGHJKMNPQRTWXY]{4}\b`)

// print lets Clara print what waits; it returns the batch, what pdftotext reads,
// and the codes in their order.
func (w *world) print() (letter.Batch, string, []string) {
	w.T.Helper()
	batch, pdf, err := letter.Print(w.T.Context(), w.D, w.as("clara"), w.chamber, portaltest.Base, recovery.Papers)
	if err != nil {
		w.T.Fatal(err)
	}
	text := readPDF(w.T, pdf)
	var plain []string
	for _, c := range codes.FindAllString(text, -1) {
		plain = append(plain, seal.Normalize(c))
	}
	return batch, text, plain
}

func readPDF(t *testing.T, pdf []byte) string {
	t.Helper()
	if _, err := exec.LookPath("pdftotext"); err != nil {
		dbtest.Unavailable(t, "pdftotext (poppler-utils) is needed to read letters")
	}
	read := exec.Command("pdftotext", "-layout", "-", "-")
	read.Stdin = bytes.NewReader(pdf)
	text, err := read.Output()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for line := range strings.Lines(string(text)) {
		if words := strings.Fields(line); len(words) > 0 {
			b.WriteString(strings.Join(words, " ") + "\n")
		}
	}
	return b.String()
}

// race runs commands at once and returns how many succeed; what fails must be a fault.
func (w *world) race(all ...func(tx *db.Tx) error) (won int) {
	w.T.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	begin := make(chan bool)
	for _, f := range all {
		wg.Go(func() {
			<-begin
			err := w.D.Write(context.WithoutCancel(w.T.Context()), f)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
			} else if fault.Of(err) == nil {
				w.T.Error(err)
			}
		})
	}
	close(begin)
	wg.Wait()
	return won
}

// repeat is the same command many times, for races.
func repeat(n int, f func(tx *db.Tx) error) (all []func(tx *db.Tx) error) {
	for range n {
		all = append(all, f)
	}
	return all
}

func (w *world) state() (s string) {
	w.look(func(tx *db.Tx) error {
		o, err := organization.Get(tx, w.bakery)
		s = o.State
		return err
	})
	return s
}
