package recovering_test

import (
	"bytes"
	"encoding/json"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/i18n"
	"zunft/internal/ground/mail"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/link"
	"zunft/internal/identity/notice"
	"zunft/internal/identity/password"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/portal/recovering"
	"zunft/internal/identity/recovery"
	"zunft/internal/identity/schema"
)

// A world is the pages of recovery, a chamber with Clara, and Lena.
type world struct {
	t       *testing.T
	d       *db.DB
	handler http.Handler
	hasher  *password.Hasher
	clock   atomic.Int64
	chamber string
	lena    string
	clara   audit.Actor
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := &world{t: t, d: d}
		w.clock.Store(time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC).UnixMicro())
		d.Now = func() time.Time { return time.UnixMicro(w.clock.Load()).UTC() }
		w.write(func(tx *db.Tx) error {
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
		catalog, err := i18n.Load(web.Phrases, notice.Phrases, account.Phrases, link.Phrases, password.Phrases, chamber.Phrases, recovery.Phrases, recovering.Phrases)
		if err != nil {
			t.Fatal(err)
		}
		site := &web.Site{Name: "Kammerkonto", Owner: "Kammer Musterland", Base: "http://portal.example", Cookies: "t", Catalog: catalog}
		w.hasher = password.NewHasher(2)
		w.hasher.Cost = password.Cost{KiB: 64, Passes: 1, Lanes: 1} // the tests are about the way, not about its price
		m := web.NewMux(site)
		(&recovering.Pages{DB: d, Site: site, Hasher: w.hasher}).Mount(m)
		w.handler = m.Handler()
		f(t, w)
	})
}

func (w *world) write(f func(tx *db.Tx) error) {
	w.t.Helper()
	if err := w.d.Write(w.t.Context(), f); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) count(query string, args ...any) (n int) {
	w.t.Helper()
	w.write(func(tx *db.Tx) (err error) { n, err = db.Value[int](tx, query, args...); return err })
	return n
}

// A person has a browser.
type person struct {
	w       *world
	cookies map[string]string
	ip      string
}

func (w *world) person(ip string) *person { return &person{w, map[string]string{}, ip} }

type page struct {
	status   int
	to, text string
	header   http.Header
	body     string
}

var tags = regexp.MustCompile(`<[^>]*>`)

func (p *person) do(method, path string, form url.Values) page {
	p.w.t.Helper()
	r := httptest.NewRequest(method, "http://portal.example"+path, strings.NewReader(form.Encode()))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.RemoteAddr = p.ip + ":40000"
	for name, value := range p.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	rec := httptest.NewRecorder()
	p.w.handler.ServeHTTP(rec, r)
	for _, c := range rec.Result().Cookies() {
		if c.MaxAge < 0 {
			delete(p.cookies, c.Name)
		} else {
			p.cookies[c.Name] = c.Value
		}
	}
	body := rec.Body.String()
	return page{rec.Code, rec.Header().Get("Location"), html.UnescapeString(tags.ReplaceAllString(body, "")), rec.Header(), body}
}

func (p *person) get(path string) page { p.w.t.Helper(); return p.do(http.MethodGet, path, nil) }

func (p *person) post(path string, pairs ...string) page {
	p.w.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return p.do(http.MethodPost, path, form)
}

func (g page) want(t *testing.T, status int, texts ...string) page {
	t.Helper()
	if g.status != status {
		t.Fatalf("status %d, want %d; to %q\n%s", g.status, status, g.to, g.text)
	}
	for _, s := range texts {
		if !strings.Contains(g.text, s) {
			t.Fatalf("page lacks %q:\n%s", s, g.text)
		}
	}
	return g
}

// asks sends the request; it returns where the state is.
func (p *person) asks(login string) string {
	p.w.t.Helper()
	g := p.post("/recover/assisted", "given_name", "Lena", "family_name", "Lerche", "login", login, "contact", "0999 4711", "chamber", p.w.chamber)
	return g.want(p.w.t, http.StatusSeeOther).to
}

var onPaper = regexp.MustCompile(`[34679ACDEFGHJKMNPQRTWXY]{4}-[34679ACDEFGHJKMNPQRTWXY]{4}-[34679ACDEFGHJKMNPQRTWXY]{4}`)

// approved lets Clara approve and print, and 73 hours pass; it returns the code.
func (w *world) approved(at string) string {
	w.t.Helper()
	var id string
	w.write(func(tx *db.Tx) (err error) {
		if id, err = db.Value[string](tx, `SELECT id FROM recovery WHERE reference = $1`, strings.TrimPrefix(at, "/recover/")); err != nil {
			return err
		}
		if err := recovery.Match(tx, w.clara, id, w.lena); err != nil {
			return err
		}
		return recovery.Approve(tx, w.clara, id, w.lena, recovery.ByDesk, "")
	})
	_, pdf, err := recovery.Print(w.t.Context(), w.d, w.clara, id, "http://portal.example/recover")
	if err != nil {
		w.t.Fatal(err)
	}
	w.clock.Add((73 * time.Hour).Microseconds())
	return onPaper.FindString(pdfText(w.t, pdf))
}

func pdfText(t *testing.T, pdf []byte) string {
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
	w.t.Helper()
	w.write(func(tx *db.Tx) error {
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
		p.get("/recover").want(t, http.StatusOK, "Was haben Sie noch?", "Nichts davon")
		p.get("/recover?have=code").want(t, http.StatusOK, "Wiederherstellungscode", "Zur Anmeldung")
		p.get("/recover?have=device").want(t, http.StatusOK, "Passkey")
		p.get("/recover?have=mail").want(t, http.StatusOK, "Neues Passwort anfordern")
		p.get("/recover?have=<script>").want(t, http.StatusOK, "Was haben Sie noch?")
		if g := p.get("/recover?have=nothing"); g.to != "/recover/assisted" {
			t.Error(g.to)
		}
		for _, evil := range []string{`"><script>alert(1)</script>`, "{{.}}", "\u202eanel", "' OR 1=1 --", strings.Repeat("ä", 5000)} {
			g := p.post("/recover/assisted", "given_name", evil, "family_name", "", "login", evil, "number", evil, "contact", evil, "story", evil, "chamber", evil)
			g.want(t, http.StatusUnprocessableEntity, "Geben Sie Ihren Nachnamen ein", "Wählen Sie Ihre Kammer aus")
			if strings.Contains(g.body, "<script>alert") || !strings.Contains(g.body, html.EscapeString(strings.Trim(evil, "\u202e"))[:4]) {
				t.Errorf("%.20q is not kept as text", evil)
			}
		}
		g := p.post("/recover/assisted", "given_name", strings.Repeat("x", 1<<20))
		if g.status < 400 || g.status >= 500 {
			t.Error("a megabyte:", g.status)
		}
		if n := w.count(`SELECT count(*) FROM recovery`); n != 0 {
			t.Error(n)
		}
		p.get("/recover/assisted?lang=en").want(t, http.StatusOK, "With the chamber's help")
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
			g := p.get(at).want(t, http.StatusOK, "Eingegangen", "Personalausweis", "0999 1234-0")
			pages = append(pages, strings.ReplaceAll(g.body, strings.TrimPrefix(at, "/recover/"), "W"))
			pdf := p.get(at+"/receipt/"+strings.TrimPrefix(at, "/recover/")+".pdf").want(t, http.StatusOK)
			if pdf.header.Get("Content-Type") != "application/pdf" || !strings.Contains(pdfText(t, []byte(pdf.body)), "Das bringen Sie mit") {
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
		known, unknown := other.get(at), other.get("/recover/W-AAAA-AAA")
		known.want(t, http.StatusOK, "Vorgang öffnen")
		if known.status != unknown.status || strings.Contains(known.text, "Freigegeben") {
			t.Error("a reference alone tells something")
		}
		if g := other.get(at + "/receipt/x.pdf"); g.to != at {
			t.Error(g.status, g.to)
		}
		for _, step := range []string{"code", "choose", "confirm", "again", "other"} {
			g := other.post(at, "do", step, "code", code, "email", "x@example.org", "password", "Roggen Dinkel Emmer 8", "password_repeat", "Roggen Dinkel Emmer 8", "mail_code", "123456")
			if g.status != http.StatusSeeOther || g.to != at {
				t.Errorf("%s from elsewhere: %d %s", step, g.status, g.to)
			}
		}
		if n := w.count(`SELECT count(*) FROM recovery WHERE proof <> '' OR tries > 0`); n != 0 {
			t.Error("a step was done from elsewhere")
		}
		other.post("/recover", "reference", strings.TrimPrefix(at, "/recover/"), "family_name", "Lärche").want(t, http.StatusUnprocessableEntity, "finden wir keinen Vorgang")
		if g := other.post("/recover", "reference", strings.ToLower(strings.TrimPrefix(at, "/recover/")), "family_name", "LERCHE"); g.to != at {
			t.Error(g.status, g.to)
		}
		other.get(at).want(t, http.StatusOK, "Code von der Kammer")
		other.get("/recover").want(t, http.StatusOK, "In diesem Browser gestellt")
	})
}

// The steps in their order, in two tabs and with the back button; the code from
// the new mailbox works only where it was asked for.
func TestStepByStep(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.person("192.0.2.1")
		at := p.asks("lena")
		p.post(at, "do", "code", "code", "AAAA-AAAA-AAAA").want(t, http.StatusConflict, "beendet")
		code := w.approved(at)
		choose := []string{"do", "choose", "email", "lena@neu.example", "password", "Roggen Dinkel Emmer 8", "password_repeat", "Roggen Dinkel Emmer 8"}
		p.post(at, choose...).want(t, http.StatusConflict, "Geben Sie ihn noch einmal ein") // without the code on paper
		p.post(at, "do", "code", "code", "").want(t, http.StatusUnprocessableEntity, "Geben Sie den Code ein")
		if g := p.post(at, "do", "code", "code", code); g.to != at {
			t.Fatal(g.status, g.text)
		}
		p.get(at).want(t, http.StatusOK, "Neue E-Mail-Adresse", "Ihr Benutzername bleibt: lena")
		g := p.post(at, "do", "choose", "email", "kein@", "password", "Lena Lerche 2026", "password_repeat", "anders").want(t, http.StatusUnprocessableEntity, "E-Mail-Adresse mit @")
		if !strings.Contains(g.body, `value="kein@"`) || strings.Contains(g.body, "Lena Lerche 2026") {
			t.Error("the address is lost, or the password shown")
		}
		p.post(at, "do", "choose", "email", "lena@neu.example", "password", "Roggen Dinkel Emmer 8", "password_repeat", "anders").want(t, http.StatusUnprocessableEntity, "nicht gleich")
		p.post(at, "do", "choose", "email", "lena@neu.example", "password", strings.Repeat("a", 200<<10), "password_repeat", "").want(t, http.StatusUnprocessableEntity)
		if g := p.post(at, choose...); g.to != at {
			t.Fatal(g.status, g.text)
		}
		p.get(at).want(t, http.StatusOK, "lena@neu.example", "Code aus der E-Mail")
		first := six.FindString(w.lastMail("lena@neu.example").Body)
		if g := p.post(at, "do", "again"); g.to != at {
			t.Fatal(g.status, g.text)
		}
		second := six.FindString(w.lastMail("lena@neu.example").Body)
		if first != second {
			p.post(at, "do", "confirm", "mail_code", first).want(t, http.StatusUnprocessableEntity)
		}
		p.post(at, "do", "other").want(t, http.StatusOK, "Neue E-Mail-Adresse")
		if g := p.post(at, "do", "confirm", "mail_code", second); g.to != at {
			t.Fatal(g.status, g.text)
		}
		p.get(at).want(t, http.StatusOK, "Sie haben Ihr Konto zurück")
		for _, again := range [][]string{choose, {"do", "confirm", "mail_code", second}, {"do", "code", "code", code}, {"do", "again"}} { // the back button
			p.post(at, again...).want(t, http.StatusConflict)
		}
		p.post(at, "do", "anything").want(t, http.StatusUnprocessableEntity)
		if n := w.count(`SELECT count(*) FROM audit WHERE event = 'recovery.done'`); n != 1 {
			t.Error(n)
		}
		var phc string
		w.write(func(tx *db.Tx) (err error) {
			phc, err = db.Value[string](tx, `SELECT password FROM account WHERE id = $1`, w.lena)
			return err
		})
		if ok, err := w.hasher.Verify(t.Context(), phc, "Roggen Dinkel Emmer 8"); !ok || err != nil {
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
			if g := owner.do(method, path, nil); g.status != http.StatusOK {
				t.Error(method, g.status)
			}
		}
		if n := w.count(`SELECT count(*) FROM recovery WHERE state = 'approved'`); n != 1 {
			t.Fatal("opening the link cancels")
		}
		for _, strange := range []string{at + "/cancel/guessed", "/recover/W-AAAA-AAA/cancel/" + path[strings.LastIndex(path, "/")+1:]} {
			if g := owner.get(strange); g.status != http.StatusNotFound {
				t.Error(strange, g.status)
			}
			if g := owner.post(strange); g.status != http.StatusNotFound {
				t.Error(strange, g.status)
			}
		}
		if g := owner.post(path); g.to != path {
			t.Fatal(g.status, g.text)
		}
		owner.get(path).want(t, http.StatusOK, "wurde am", "abgebrochen")
		if g := owner.post(path); g.to != path { // twice
			t.Error(g.status, g.to)
		}
		p.get(at).want(t, http.StatusOK, "Abgebrochen", "Neuen Antrag stellen")
	})
}
