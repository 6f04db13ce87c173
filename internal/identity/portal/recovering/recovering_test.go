package recovering_test

import (
	"bytes"
	"encoding/json"
	"html"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/mail"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/link"
	"zunft/internal/identity/notice"
	"zunft/internal/identity/password"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/portal/portaltest"
	"zunft/internal/identity/portal/recovering"
	"zunft/internal/identity/recovery"
	"zunft/internal/identity/schema"
)

// A world is the pages of recovery, a chamber with Clara, and Lena.
type world struct {
	*portaltest.World
	chamber string
	lena    string
	clara   audit.Actor
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := &world{World: portaltest.New(t, d)}
		w.Write(func(tx *db.Tx) error {
			if err := policy.EnsureDefault(tx); err != nil {
				return err
			}
			c, err := chamber.Create(tx, audit.Console, chamber.Chamber{Number: "999", Name: "Kammer Musterland", Street: "Zunftplatz", HouseNumber: "1", Postcode: "00999", Place: "Musterstadt", Phone: "0999 1234-0"})
			if err != nil {
				return err
			}
			w.chamber = c.ID
			for key, id := range map[string]*string{"lena": &w.lena, "clara": &w.clara.Account} {
				a, err := account.Create(tx, audit.Console, account.New{GivenName: strings.ToUpper(key[:1]) + key[1:], FamilyName: "Lerche", Username: key, Email: key + "@example.org", Language: "de", Password: "$argon2id$none", Confirmed: true})
				if err != nil {
					return err
				}
				*id = a.ID
			}
			return chamber.AddStaff(tx, audit.Console, w.clara.Account, c.ID, chamber.Clerk)
		})
		site, _, m := w.Front(web.Phrases, notice.Phrases, account.Phrases, link.Phrases, password.Phrases, chamber.Phrases, recovery.Phrases, recovering.Phrases)
		(&recovering.Pages{DB: d, Site: site, Hasher: w.Hasher}).Mount(m)
		w.Handler = m.Handler()
		f(t, w)
	})
}

// A person has a browser.
type person struct {
	*portaltest.Person
	w *world
}

func (w *world) person(ip string) *person { return &person{w.Person(ip), w} }

// asks sends the request; it returns where the state is.
func (p *person) asks(login string) string {
	p.w.T.Helper()
	g := p.Post("/recover/assisted", "given_name", "Lena", "family_name", "Lerche", "login", login, "contact", "0999 4711", "chamber", p.w.chamber)
	return g.Want(p.w.T, http.StatusSeeOther).To
}

var onPaper = regexp.MustCompile(`[34679ACDEFGHJKMNPQRTWXY]{4}-[34679ACDEFGHJKMNPQRTWXY]{4}-[34679ACDEFGHJKMNPQRTWXY]{4}`)

// approved lets Clara approve and print, and 73 hours pass; it returns the code.
func (w *world) approved(at string) string {
	w.T.Helper()
	var id string
	w.Write(func(tx *db.Tx) (err error) {
		if id, err = db.Value[string](tx, `SELECT id FROM recovery WHERE reference = $1`, strings.TrimPrefix(at, "/recover/")); err != nil {
			return err
		}
		if err := recovery.Match(tx, w.clara, id, w.lena); err != nil {
			return err
		}
		return recovery.Approve(tx, w.clara, id, w.lena, recovery.ByDesk, "")
	})
	_, pdf, err := recovery.Print(w.T.Context(), w.D, w.clara, id, "http://portal.example/recover")
	if err != nil {
		w.T.Fatal(err)
	}
	w.Pass(73 * time.Hour)
	return onPaper.FindString(pdfText(w.T, pdf))
}

func pdfText(t testing.TB, pdf []byte) string {
	t.Helper()
	if _, err := exec.LookPath("pdftotext"); err != nil {
		dbtest.Unavailable(t, "pdftotext (poppler-utils) is needed to read the letter")
	}
	cmd := exec.Command("pdftotext", "-layout", "-", "-")
	cmd.Stdin = bytes.NewReader(pdf)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// lastMail is the newest to an address.
func (w *world) lastMail(to string) (last mail.Message) {
	w.T.Helper()
	w.Write(func(tx *db.Tx) error {
		bodies, err := db.Values[string](tx, `SELECT body FROM job WHERE kind = $1 ORDER BY id`, mail.Kind)
		for _, b := range bodies {
			var s struct{ ID, Mail string }
			var m mail.Message
			if err := json.Unmarshal([]byte(b), &s); err != nil {
				return err
			}
			plain, err := tx.Keys().Open("mail/"+s.ID, s.Mail)
			if err != nil {
				return err
			}
			if err := json.Unmarshal(plain, &m); err != nil {
				return err
			}
			if m.To == to {
				last = m
			}
		}
		return err
	})
	return last
}

var six = regexp.MustCompile(`\b\d{6}\b`)

// Each answer to "Was haben Sie noch?" has its way; what is typed survives a
// mistake; hostile values are text.
func TestAskingForHelp(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.person("192.0.2.1")
		p.Get("/recover").Want(t, http.StatusOK, "Was haben Sie noch?", "Nichts davon")
		p.Get("/recover?have=code").Want(t, http.StatusOK, "Wiederherstellungscode", "Zur Anmeldung")
		p.Get("/recover?have=device").Want(t, http.StatusOK, "Passkey")
		p.Get("/recover?have=mail").Want(t, http.StatusOK, "Neues Passwort anfordern")
		p.Get("/recover?have=<script>").Want(t, http.StatusOK, "Was haben Sie noch?")
		if g := p.Get("/recover?have=nothing"); g.To != "/recover/assisted" {
			t.Error(g.To)
		}
		for _, evil := range []string{`"><script>alert(1)</script>`, "{{.}}", "\u202eanel", "' OR 1=1 --", strings.Repeat("ä", 5000)} {
			g := p.Post("/recover/assisted", "given_name", evil, "family_name", "", "login", evil, "number", evil, "contact", evil, "story", evil, "chamber", evil)
			g.Want(t, http.StatusUnprocessableEntity, "Geben Sie Ihren Nachnamen ein", "Wählen Sie Ihre Kammer aus")
			if strings.Contains(g.Body, "<script>alert") || !strings.Contains(g.Body, html.EscapeString(strings.Trim(evil, "\u202e"))[:4]) {
				t.Errorf("%.20q is not kept as text", evil)
			}
		}
		g := p.Post("/recover/assisted", "given_name", strings.Repeat("x", 1<<20))
		if g.Status < 400 || g.Status >= 500 {
			t.Error("a megabyte:", g.Status)
		}
		if n := w.Count(`SELECT count(*) FROM recovery`); n != 0 {
			t.Error(n)
		}
		p.Get("/recover/assisted?lang=en").Want(t, http.StatusOK, "With the chamber's help")
	})
}

// Known and unknown people see the same, byte for byte but the reference
// (W12, ASVS 6.3.8).
func TestTheAnswerIsTheSame(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var pages []string
		for _, login := range []string{"lena", "niemand"} {
			p := w.person("192.0.2.1")
			at := p.asks(login)
			g := p.Get(at).Want(t, http.StatusOK, "Eingegangen", "Personalausweis", "0999 1234-0")
			pages = append(pages, strings.ReplaceAll(g.Body, strings.TrimPrefix(at, "/recover/"), "W"))
			pdf := p.Get(at+"/receipt/"+strings.TrimPrefix(at, "/recover/")+".pdf").Want(t, http.StatusOK)
			if pdf.Header.Get("Content-Type") != "application/pdf" || !strings.Contains(pdfText(t, []byte(pdf.Body)), "Das bringen Sie mit") {
				t.Error("no sheet to take along")
			}
		}
		if plain := regexp.MustCompile(`value="[\w-]{20,}"`); plain.ReplaceAllString(pages[0], "") != plain.ReplaceAllString(pages[1], "") {
			t.Error("the pages differ")
		}
	})
}

// Another browser names reference and family name; without them it learns
// nothing, and no step can be done from there (security 3.3: bound to who asked).
func TestOtherBrowsers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p, other := w.person("192.0.2.1"), w.person("192.0.2.2")
		at := p.asks("lena")
		code := w.approved(at)
		known, unknown := other.Get(at), other.Get("/recover/W-AAAA-AAA")
		known.Want(t, http.StatusOK, "Vorgang öffnen")
		if known.Status != unknown.Status || strings.Contains(known.Text, "Freigegeben") {
			t.Error("a reference alone tells something")
		}
		if g := other.Get(at + "/receipt/x.pdf"); g.To != at {
			t.Error(g.Status, g.To)
		}
		for _, step := range []string{"code", "choose", "confirm", "again", "other"} {
			g := other.Post(at, "do", step, "code", code, "email", "x@example.org", "password", "Roggen Dinkel Emmer 8", "password_repeat", "Roggen Dinkel Emmer 8", "mail_code", "123456")
			if g.Status != http.StatusSeeOther || g.To != at {
				t.Errorf("%s from elsewhere: %d %s", step, g.Status, g.To)
			}
		}
		if n := w.Count(`SELECT count(*) FROM recovery WHERE proof <> '' OR tries > 0`); n != 0 {
			t.Error("a step was done from elsewhere")
		}
		other.Post("/recover", "reference", strings.TrimPrefix(at, "/recover/"), "family_name", "Lärche").Want(t, http.StatusUnprocessableEntity, "finden wir keinen Vorgang")
		if g := other.Post("/recover", "reference", strings.ToLower(strings.TrimPrefix(at, "/recover/")), "family_name", "LERCHE"); g.To != at {
			t.Error(g.Status, g.To)
		}
		other.Get(at).Want(t, http.StatusOK, "Code von der Kammer")
		other.Get("/recover").Want(t, http.StatusOK, "In diesem Browser gestellt")
	})
}

// The steps in their order, in two tabs and with the back button; the code from
// the new mailbox works only where it was asked for.
func TestStepByStep(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.person("192.0.2.1")
		at := p.asks("lena")
		p.Post(at, "do", "code", "code", "AAAA-AAAA-AAAA").Want(t, http.StatusConflict, "beendet")
		code := w.approved(at)
		choose := []string{"do", "choose", "email", "lena@neu.example", "password", "Roggen Dinkel Emmer 8", "password_repeat", "Roggen Dinkel Emmer 8"}
		p.Post(at, choose...).Want(t, http.StatusConflict, "Geben Sie ihn noch einmal ein") // without the code on paper
		p.Post(at, "do", "code", "code", "").Want(t, http.StatusUnprocessableEntity, "Geben Sie den Code ein")
		if g := p.Post(at, "do", "code", "code", code); g.To != at {
			t.Fatal(g.Status, g.Text)
		}
		p.Get(at).Want(t, http.StatusOK, "Neue E-Mail-Adresse", "Ihr Benutzername bleibt: lena")
		g := p.Post(at, "do", "choose", "email", "kein@", "password", "Lena Lerche 2026", "password_repeat", "anders").Want(t, http.StatusUnprocessableEntity, "E-Mail-Adresse mit @")
		if !strings.Contains(g.Body, `value="kein@"`) || strings.Contains(g.Body, "Lena Lerche 2026") {
			t.Error("the address is lost, or the password shown")
		}
		p.Post(at, "do", "choose", "email", "lena@neu.example", "password", "Roggen Dinkel Emmer 8", "password_repeat", "anders").Want(t, http.StatusUnprocessableEntity, "nicht gleich")
		p.Post(at, "do", "choose", "email", "lena@neu.example", "password", strings.Repeat("a", 200<<10), "password_repeat", "").Want(t, http.StatusUnprocessableEntity)
		if g := p.Post(at, choose...); g.To != at {
			t.Fatal(g.Status, g.Text)
		}
		p.Get(at).Want(t, http.StatusOK, "lena@neu.example", "Code aus der E-Mail")
		first := six.FindString(w.lastMail("lena@neu.example").Body)
		if g := p.Post(at, "do", "again"); g.To != at {
			t.Fatal(g.Status, g.Text)
		}
		second := six.FindString(w.lastMail("lena@neu.example").Body)
		if first != second {
			p.Post(at, "do", "confirm", "mail_code", first).Want(t, http.StatusUnprocessableEntity)
		}
		p.Post(at, "do", "other").Want(t, http.StatusOK, "Neue E-Mail-Adresse")
		if g := p.Post(at, "do", "confirm", "mail_code", second); g.To != at {
			t.Fatal(g.Status, g.Text)
		}
		p.Get(at).Want(t, http.StatusOK, "Sie haben Ihr Konto zurück")
		for _, again := range [][]string{choose, {"do", "confirm", "mail_code", second}, {"do", "code", "code", code}, {"do", "again"}} { // the back button
			p.Post(at, again...).Want(t, http.StatusConflict)
		}
		p.Post(at, "do", "anything").Want(t, http.StatusUnprocessableEntity)
		if n := w.Count(`SELECT count(*) FROM audit WHERE event = 'recovery.done'`); n != 1 {
			t.Error(n)
		}
		var phc string
		w.Write(func(tx *db.Tx) (err error) {
			phc, err = db.Value[string](tx, `SELECT password FROM account WHERE id = $1`, w.lena)
			return err
		})
		if ok, err := w.Hasher.Verify(t.Context(), phc, "Roggen Dinkel Emmer 8"); !ok || err != nil {
			t.Error("the password is another", err)
		}
	})
}

// Mail scanners open links: only the button cancels; used, foreign and made-up
// links say what is so.
func TestTheLinkThatCancels(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p, owner := w.person("192.0.2.1"), w.person("192.0.2.2")
		at := p.asks("lena")
		w.approved(at)
		path := regexp.MustCompile(`/recover/[\w-]+/cancel/[\w-]+`).FindString(w.lastMail("lena@example.org").Body)
		for _, method := range []string{http.MethodHead, http.MethodGet, http.MethodGet} {
			if g := owner.Do(method, path, nil); g.Status != http.StatusOK {
				t.Error(method, g.Status)
			}
		}
		if n := w.Count(`SELECT count(*) FROM recovery WHERE state = 'approved'`); n != 1 {
			t.Fatal("opening the link cancels")
		}
		for _, strange := range []string{at + "/cancel/guessed", "/recover/W-AAAA-AAA/cancel/" + path[strings.LastIndex(path, "/")+1:]} {
			if g := owner.Get(strange); g.Status != http.StatusNotFound {
				t.Error(strange, g.Status)
			}
			if g := owner.Post(strange); g.Status != http.StatusNotFound {
				t.Error(strange, g.Status)
			}
		}
		if g := owner.Post(path); g.To != path {
			t.Fatal(g.Status, g.Text)
		}
		owner.Get(path).Want(t, http.StatusOK, "wurde am", "abgebrochen")
		if g := owner.Post(path); g.To != path { // twice
			t.Error(g.Status, g.To)
		}
		p.Get(at).Want(t, http.StatusOK, "Abgebrochen", "Neuen Antrag stellen")
	})
}
