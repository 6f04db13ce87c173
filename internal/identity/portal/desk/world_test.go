package desk_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"regexp"
	"strings"
	"sync"
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
	"zunft/internal/identity/correction"
	"zunft/internal/identity/directory"
	"zunft/internal/identity/letter"
	"zunft/internal/identity/link"
	"zunft/internal/identity/notice"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/password"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/portal/company"
	"zunft/internal/identity/portal/desk"
	"zunft/internal/identity/recovery"
	"zunft/internal/identity/registration"
	"zunft/internal/identity/schema"
	"zunft/internal/identity/session"
	"zunft/internal/identity/visitor"
)

// A world is a portal of these pages with a chamber, a directory and people.
type world struct {
	t       *testing.T
	d       *db.DB
	handler http.Handler
	chamber string
	desk    *desk.Pages
	people  map[string]string // key → account
	admins  []string          // organization/account, as MakeAdmin was called
	mu      sync.Mutex
	tokens  map[string]token // of sessions, by account
}

// A token of a session in which somebody has proved themselves a moment ago.
type token struct {
	text string
	at   time.Time
}

const listed = `Identnummer;Firmierung;Rechtsform;Straße;Hausnummer;PLZ;Ort;Registerart;HR-Nummer;Registergericht;Geschäftsführung
4711;Bäckerei Bert GmbH;GmbH;Karl-Marx-Straße;12 a;00001;Musterstadt;HRB;2011;Musterstadt;Berta Bäcker
4712;Bäckerei Bert & Söhne KG;KG;Karl-Marx-Straße;14;00001;Musterstadt;HRA;77;Musterstadt;
815;Spiel- und Spaß GmbH;GmbH;Schuteweg;1;00002;Musterdorf;;;;A. Meier
`

func catalog(t testing.TB) *i18n.Catalog {
	c, err := i18n.Load(web.Phrases, notice.Phrases, account.Phrases, link.Phrases, password.Phrases, policy.Phrases, chamber.Phrases, directory.Phrases, letter.Phrases, recovery.Phrases, correction.Phrases, organization.Phrases, registration.Phrases, company.Phrases, desk.Phrases,
		named("portal.name"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// newWorld: Clara and Carl are clerks of chamber 999, Otto's clerk Xenia of
// chamber 998; Bert and Anna are people.
func newWorld(t *testing.T, d *db.DB) *world {
	t.Helper()
	w := &world{t: t, d: d, people: map[string]string{}, tokens: map[string]token{}}
	for _, p := range [][3]string{{"bert", "Bert", "Bäcker"}, {"anna", "Anna", "Beispiel"}, {"clara", "Clara", "Kammer"}, {"carl", "Carl", "Kollege"}, {"xenia", "Xenia", "Anderswo"}} {
		w.person(p[0], p[1], p[2])
	}
	w.write(func(tx *db.Tx) error {
		rule, err := policy.Preset(policy.Standard)
		if err != nil {
			return err
		}
		rule.Default = true
		return policy.Save(tx, audit.Console, rule)
	})
	w.write(func(tx *db.Tx) error {
		c, err := chamber.Create(tx, audit.Console, chamber.Chamber{
			Number: "999", Name: "Kammer Musterland", Street: "Am Markt", HouseNumber: "1", Postcode: "00001", Place: "Musterstadt",
			Phone: "01234 5678-0", Hours: "Mo–Fr 8–16 Uhr", Email: "hilfe@kammer.example", LetterSigner: "Clara Kammer", Postcodes: []string{"00"},
		})
		if err != nil {
			return err
		}
		w.chamber = c.ID
		other, err := chamber.Create(tx, audit.Console, chamber.Chamber{Number: "998", Name: "Kammer Anderswo", Postcodes: []string{"0009"}})
		if err != nil {
			return err
		}
		for who, at := range map[string]string{"clara": c.ID, "carl": c.ID, "xenia": other.ID} {
			if err := chamber.AddStaff(tx, audit.Console, w.people[who], at, chamber.Clerk); err != nil {
				return err
			}
		}
		return nil
	})
	if _, err := directory.Import(t.Context(), d, audit.Console, w.chamber, strings.NewReader(listed), directory.ImportOptions{Strict: true}); err != nil {
		t.Fatal(err)
	}
	site := &web.Site{
		Name: "portal.name", Owner: "Kammer Musterland", Base: "http://id.example", Cookies: "t", Catalog: catalog(t),
		SignIn: func(w http.ResponseWriter, r *http.Request, next string) {
			http.Redirect(w, r, "/login", http.StatusSeeOther)
		},
	}
	door := &visitor.Door{DB: d, Site: site}
	site.Who = door.Who
	m := web.NewMux(site)
	(&company.Pages{DB: d, Site: site, MakeAdmin: func(tx *db.Tx, by audit.Actor, o, a string) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.admins = append(w.admins, o+"/"+a)
		return nil
	}}).Mount(m)
	w.desk = &desk.Pages{DB: d, Site: site, Door: door}
	w.desk.Mount(m)
	w.handler = m.Handler()
	return w
}

func (w *world) person(key, given, family string) string {
	w.t.Helper()
	w.write(func(tx *db.Tx) error {
		a, err := account.Create(tx, audit.Console, account.New{GivenName: given, FamilyName: family, Username: key, Email: key + "@example.org", Language: "de", Password: "$argon2id$none", Confirmed: true})
		w.people[key] = a.ID
		return err
	})
	return w.people[key]
}

func (w *world) write(f func(*db.Tx) error) {
	w.t.Helper()
	if err := w.d.Write(w.t.Context(), f); err != nil {
		w.t.Fatal(err)
	}
}

// A reply of the portal.
type reply struct {
	*httptest.ResponseRecorder
	who, path string
}

func (w *world) send(who, method, path string, values url.Values) reply {
	var r *http.Request
	if method == http.MethodPost {
		r = httptest.NewRequest(method, path, strings.NewReader(values.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	} else {
		r = httptest.NewRequest(method, path, nil)
	}
	if id := w.people[who]; id != "" {
		r.AddCookie(&http.Cookie{Name: "t_session", Value: w.session(id)})
	}
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r.WithContext(w.t.Context()))
	return reply{rec, who, path}
}

// session is one in which the person has just proved that it is them.
func (w *world) session(account string) string {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	k := w.tokens[account]
	if now := w.d.Now(); k.text == "" || now.Sub(k.at) > session.Fresh/2 {
		k.at = now
		w.write(func(tx *db.Tx) (err error) {
			k.text, _, err = session.Start(tx, audit.Actor{Kind: audit.Person, Account: account}, account, "pwd otp")
			return err
		})
		w.tokens[account] = k
	}
	return k.text
}

func (w *world) get(who, path string) reply { return w.send(who, http.MethodGet, path, nil) }

func (w *world) post(who, path string, pairs ...string) reply {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	return w.send(who, http.MethodPost, path, v)
}

// must checks the status and that the page says what it must; it returns where it leads.
func (w *world) must(r reply, status int, says ...string) string {
	w.t.Helper()
	body := html.UnescapeString(r.Body.String())
	if r.Code != status {
		w.t.Fatalf("%s %s: %d, want %d\n%s", r.who, r.path, r.Code, status, text(body))
	}
	for _, s := range says {
		if !strings.Contains(body, s) {
			w.t.Errorf("%s %s does not say %q:\n%s", r.who, r.path, s, text(body))
		}
	}
	return r.Header().Get("Location")
}

func (w *world) never(r reply, says ...string) {
	w.t.Helper()
	for _, s := range says {
		if strings.Contains(html.UnescapeString(r.Body.String()), s) {
			w.t.Errorf("%s %s says %q", r.who, r.path, s)
		}
	}
}

var tags = regexp.MustCompile(`(?s)<head>.*</head>|<footer.*</footer>|<[^>]*>`)

func text(body string) string {
	return strings.Join(strings.Fields(tags.ReplaceAllString(body, " ")), " ")
}

// mails that wait, by address: subject and text.
func (w *world) mails(address string) (all []string) {
	w.t.Helper()
	err := w.d.Read(w.t.Context(), func(tx *db.Tx) error {
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
			if m.To == address {
				all = append(all, m.Subject+"\n"+m.Body)
			}
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

func (w *world) lastMail(address, subject string) string {
	w.t.Helper()
	all := w.mails(address)
	if len(all) == 0 || !strings.HasPrefix(all[len(all)-1], subject) {
		w.t.Fatalf("last mail to %s is not %q: %q", address, subject, all)
	}
	return all[len(all)-1]
}

func value[T any](w *world, query string, args ...any) (v T) {
	w.t.Helper()
	err := w.d.Read(w.t.Context(), func(tx *db.Tx) (err error) { v, err = db.Value[T](tx, query, args...); return err })
	if err != nil {
		w.t.Fatalf("%s: %v", query, err)
	}
	return v
}

func (w *world) events() string {
	w.t.Helper()
	var all []string
	err := w.d.Read(w.t.Context(), func(tx *db.Tx) (err error) {
		all, err = db.Values[string](tx, `SELECT event FROM audit WHERE actor_kind = 'person' AND event <> 'session.started' ORDER BY id`)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return strings.Join(all, " ")
}

// bakery is what Bert types, spelled as people do.
func bakery(do string) []string {
	return []string{
		"name", "Bäckerei Bert Gesellschaft mit beschränkter Haftung", "legal_form", "gmbh", "street", "Karl-Marx-Str.", "house_number", "12A", "postcode", "00001", "place", "Musterstadt",
		"ident_number", "", "register_number", "HRB 20 11", "register_court", "", "register_kind", "HRB", "reason", "Ich leite die Ausbildung in diesem Unternehmen.", "do", do,
	}
}

// submit registers the bakery and returns the registration's id.
func (w *world) submit(who string, pairs ...string) string {
	w.t.Helper()
	if pairs == nil {
		pairs = bakery("submit")
	}
	to := w.must(w.post(who, "/organizations/register", pairs...), http.StatusSeeOther)
	return strings.TrimSuffix(strings.TrimPrefix(to, "/registrations/"), "/done")
}

func (w *world) entry(ident string) string {
	return value[string](w, `SELECT id FROM directory_entry WHERE chamber = $1 AND ident_number = $2`, w.chamber, ident)
}

func (w *world) version(id string) string {
	return fmt.Sprint(value[int](w, `SELECT version FROM registration WHERE id = $1`, id))
}

// approve lets Clara approve, and returns the organization's id.
func (w *world) approve(id string) string {
	w.t.Helper()
	w.must(w.post("clara", "/chamber/registrations/"+id, "do", "approve", "version", w.version(id), "entry", w.entry("4711"), "evidence", "callback"), http.StatusSeeOther)
	return value[string](w, `SELECT organization FROM registration WHERE id = $1`, id)
}

var codeOnPaper = regexp.MustCompile(`[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}`)

// printed lets Clara print and returns the text of the PDF and the codes in it.
func (w *world) printed() (text string, codes []string) {
	w.t.Helper()
	r := w.post("clara", "/chamber/letters", "do", "download")
	w.must(r, http.StatusOK)
	if got := r.Header().Get("Content-Type"); got != "application/pdf" {
		w.t.Fatalf("the batch is %s", got)
	}
	text = pdfText(w.t, r.Body.Bytes())
	return text, codeOnPaper.FindAllString(text, -1)
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
		t.Fatalf("pdftotext: %v", err)
	}
	return string(out)
}

// wrong is a code that could be one and is not the given one.
func wrong(code string) string {
	const alphabet = "34679ACDEFGHJKMNPQRTWXY"
	body := []byte(strings.ReplaceAll(code, "-", ""))[:11]
	for i := range body { // another first character, then the check character that fits
		if i == 0 {
			body[0] = alphabet[(strings.IndexByte(alphabet, body[0])+1)%len(alphabet)]
		}
	}
	for _, c := range alphabet {
		if try := string(body) + string(c); readable(try) {
			return try
		}
	}
	panic("no check character fits " + string(body))
}

func readable(code string) bool { _, err := letter.ReadCode(code); return err == nil }

// race runs f in n goroutines that begin together.
func race(n int, f func(i int)) {
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-start
			f(i)
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) { f(t, newWorld(t, d)) })
}
