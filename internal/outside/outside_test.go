package outside

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/smtp"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	gomail "github.com/wneessen/go-mail"
	"golang.org/x/net/html"
)

func need(t *testing.T, tool string) {
	t.Helper()
	if _, err := exec.LookPath(tool); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not installed; CI needs it", tool)
		}
		t.Skipf("%s is not installed: install poppler-utils to run this test", tool)
	}
}

func openMailbox(t *testing.T, dir string) (*Mailbox, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := NewMailbox(dir)
	done := make(chan error, 1)
	go func() { done <- m.Serve(l) }()
	t.Cleanup(func() {
		_ = m.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return m, l.Addr().String()
}

func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func get(t *testing.T, h http.Handler, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return w
}

func send(t *testing.T, addr string, change func(*gomail.Msg)) {
	t.Helper()
	host, port, _ := net.SplitHostPort(addr)
	var p int
	_, _ = fmt.Sscan(port, &p)
	c, err := gomail.NewClient(host, gomail.WithPort(p), gomail.WithTLSPolicy(gomail.NoTLS), gomail.WithHELO("localhost"))
	if err != nil {
		t.Fatal(err)
	}
	m := gomail.NewMsg()
	if err := m.FromFormat("Kammer Müsterland", "post@kammer.example"); err != nil {
		t.Fatal(err)
	}
	if err := m.AddToFormat("Anna Ähre", "anna@example.org"); err != nil {
		t.Fatal(err)
	}
	m.Subject("Bestätigen Sie Ihre E-Mail-Adresse – Kammerkonto größer ✓")
	m.SetBodyString(gomail.TypeTextPlain, "Guten Tag Anna Ähre,\n\nöffnen Sie https://id.example/bestaetigen?code=a=b&x=ü.\nOder geben Sie 123456 ein.\n\n= Grüße =\n")
	m.AddAlternativeString(gomail.TypeTextHTML, `<p>Guten Tag <b>Anna</b>, <a href="https://id.example/x">öffnen</a></p><script>alert(1)</script>`)
	if change != nil {
		change(m)
	}
	if err := c.DialAndSendWithContext(soon(t), m); err != nil {
		t.Fatal(err)
	}
}

func TestMailArrivesAsItWasWritten(t *testing.T) {
	dir := t.TempDir()
	box, addr := openMailbox(t, dir)
	send(t, addr, nil)
	got, err := box.Wait(soon(t), "ANNA@example.org", 1)
	if err != nil {
		t.Fatal(err)
	}
	m := got[0]
	if m.Subject != "Bestätigen Sie Ihre E-Mail-Adresse – Kammerkonto größer ✓" {
		t.Errorf("subject %q", m.Subject)
	}
	if len(m.From) != 1 || m.From[0] != (Address{"post@kammer.example", "Kammer Müsterland"}) || len(m.To) != 1 || m.To[0].Name != "Anna Ähre" {
		t.Errorf("from %v to %v", m.From, m.To)
	}
	if want := "Guten Tag Anna Ähre,\n\nöffnen Sie https://id.example/bestaetigen?code=a=b&x=ü.\nOder geben Sie 123456 ein.\n\n= Grüße =\n"; strings.TrimSpace(m.Text) != strings.TrimSpace(want) {
		t.Errorf("text %q", m.Text)
	}
	if !strings.Contains(m.HTML, "<b>Anna</b>") || m.Envelope.From != "post@kammer.example" || m.Date.IsZero() {
		t.Errorf("html %q, envelope %v, date %v", m.HTML, m.Envelope, m.Date)
	}
	if l := m.Links(); len(l) != 1 || l[0] != "https://id.example/bestaetigen?code=a=b&x=ü" {
		t.Errorf("links %q", l)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*.eml"))
	if len(files) != 1 {
		t.Errorf("files %v", files)
	}

	page := get(t, box.Handler(), "/mail/"+m.ID)
	body := page.Body.String()
	if page.Code != 200 || !strings.Contains(body, `<a href="https://id.example/bestaetigen?code=a=b&amp;x=%c3%bc">`) || strings.Contains(body, "<script>") || strings.Contains(body, "target=") {
		t.Errorf("mail page %d:\n%s", page.Code, body)
	}
	if get(t, box.Handler(), "/mail/99").Code != 404 || get(t, box.Handler(), "/email/99").Code != 404 {
		t.Error("a mail that is not there is there")
	}
	list := get(t, box.Handler(), "/mail?to=bert@example.org").Body.String()
	if !strings.Contains(list, "Noch keine Mail an diese Adresse") {
		t.Errorf("filtered list:\n%s", list)
	}
}

func TestMachinesReadMaildevsFields(t *testing.T) {
	box, addr := openMailbox(t, "")
	send(t, addr, nil)
	send(t, addr, func(m *gomail.Msg) {
		m.Subject("zweite")
		_ = m.AddBcc("otto@example.org")
		_ = m.AttachReader("Würfel.txt", strings.NewReader("sechs"))
	})
	if _, err := box.Wait(soon(t), "anna@example.org", 2); err != nil {
		t.Fatal(err)
	}
	var all []struct {
		ID, Time, Date, Subject, Text, HTML string
		From, To                            []struct{ Address, Name string }
		Envelope                            struct {
			From struct{ Address string }
			To   []struct{ Address string }
		}
		Headers     map[string]any
		Attachments []struct{ FileName string }
	}
	if err := json.Unmarshal(get(t, box.Handler(), "/email").Body.Bytes(), &all); err != nil {
		t.Fatal(err)
	}
	if len(all) != 2 || all[1].Subject != "zweite" || all[0].To[0].Address != "anna@example.org" || all[0].Time >= all[1].Time {
		t.Fatalf("mails %+v", all)
	}
	if e := all[1].Envelope; e.From.Address != "post@kammer.example" || len(e.To) != 2 || e.To[1].Address != "otto@example.org" {
		t.Errorf("envelope %+v", e)
	}
	if all[0].Headers["mime-version"] != "1.0" || all[1].Attachments[0].FileName != "Würfel.txt" {
		t.Errorf("headers %v, attachments %v", all[0].Headers, all[1].Attachments)
	}
	source := get(t, box.Handler(), "/email/"+all[0].ID+"/source").Body.String()
	if !strings.Contains(source, "multipart/alternative") {
		t.Errorf("source:\n%s", source)
	}
	if mail, ok := box.Last("otto@example.org"); !ok || mail.Subject != "zweite" {
		t.Errorf("a blind copy was not found: %v", mail.Subject)
	}
	w := httptest.NewRecorder()
	box.Handler().ServeHTTP(w, httptest.NewRequest("DELETE", "/email/all", nil))
	if w.Code != 200 || len(box.Mails("")) != 0 {
		t.Error("the mails are still there")
	}
	if body := get(t, box.Handler(), "/email").Body.String(); strings.TrimSpace(body) != "[]" {
		t.Errorf("an empty mailbox says %q", body)
	}
}

func TestOtherEncodingsAndBrokenMails(t *testing.T) {
	for name, c := range map[string]struct{ raw, subject, text string }{
		"Latin-1":      {"Subject: =?iso-8859-1?Q?Gr=FC=DFe?=\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=DFe", "Grüße", "Grüße"},
		"Windows-1252": {"Subject: =?windows-1252?B?gIQ=?=\r\nContent-Type: text/plain; charset=windows-1252\r\n\r\n\x80", "€„", "€"},
		"base64":       {"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: BASE64\r\n\r\nR3L8w5\r\nzDvMOf", "", ""},
		"HTML only":    {"Content-Type: text/html\r\n\r\n<title>x</title><p>Guten <a href=\"https://a.example\">Tag</a>", "", "Guten  https://a.example Tag"},
		"no header":    {"nur Text", "", "nur Text"},
		"folded":       {"Subject: eins\r\n zwei\r\n\r\nx", "eins zwei", "x"},
		"nested": {"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\ninnen\r\n--b--\r\n--a\r\n" +
			"Content-Type: text/plain\r\nContent-Disposition: attachment; filename=x.txt\r\n\r\naußen\r\n--a--", "", "innen"},
		"no end": {"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n\r\nText", "", ""},
	} {
		m := parseMail([]byte(c.raw))
		if m.Subject != c.subject || c.text != "" && m.Text != c.text {
			t.Errorf("%s: subject %q, text %q", name, m.Subject, m.Text)
		}
	}
}

func TestMailboxHoldsBackWhatIsTooMuch(t *testing.T) {
	box, addr := openMailbox(t, t.TempDir())
	box.keep = 3
	big := append([]byte("Subject: groß\r\n\r\n"), bytes.Repeat([]byte("x\r\n"), maxMailSize/3+10)...)
	if err := smtp.SendMail(addr, nil, "a@example.org", []string{"b@example.org"}, big); err == nil {
		t.Error("a mail of more than 2 MB was taken")
	}
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			raw := fmt.Appendf(nil, "To: b@example.org\r\nSubject: %d\r\n\r\nText", i)
			if err := smtp.SendMail(addr, nil, "a@example.org", []string{"b@example.org"}, raw); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	mails := box.Mails("")
	if len(mails) != 3 || mails[2].ID != "20" {
		t.Errorf("%d mails are kept, want the newest 3", len(mails))
	}
	if files, _ := filepath.Glob(filepath.Join(box.dir, "*.eml")); len(files) != 3 {
		t.Errorf("%d files are kept", len(files))
	}
}

func TestWaitReturnsWhenTheMailComes(t *testing.T) {
	box, addr := openMailbox(t, "")
	type answer struct {
		mails []Mail
		err   error
	}
	answers := make(chan answer, 8)
	for range 8 {
		go func() {
			m, err := box.Wait(soon(t), "anna@example.org", 2)
			answers <- answer{m, err}
		}()
	}
	send(t, addr, nil)
	send(t, addr, nil)
	for range 8 {
		if a := <-answers; a.err != nil || len(a.mails) != 2 {
			t.Errorf("%d mails, %v", len(a.mails), a.err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := box.Wait(ctx, "niemand@example.org", 1); err == nil {
		t.Error("waited for nobody without an error")
	}
}

func demo() Start {
	return Start{
		Identity: "http://127.0.0.1:8080", Training: "http://127.0.0.1:8081", Mailbox: "http://127.0.0.1:8082", PrintShop: "http://127.0.0.1:8083",
		People: []Person{
			{Key: "anna", Username: "anna", Email: "anna@example.org", Password: "Brezel-Ofen-Morgen", Says: "Ich lerne Bäckerin und schreibe jede Woche meinen Ausbildungsnachweis."},
			{Key: "bert", Username: "bert", Email: "bert@baeckerei-gross.example", Password: "Sauerteig-braucht-Zeit", Says: "Ich verwalte das Konto der Bäckerei Groß und bilde aus."},
			{Key: "clara", Username: "clara", Email: "clara@kammer.example", Password: "Akte-Stempel-Kaffee", Says: "Ich bearbeite Anträge in der Kammer Musterland."},
			{Key: "otto", Username: "otto", Email: "otto@kammer.example", Password: "Server-laufen-leise", Says: "Ich betreibe das Portal."},
		},
	}
}

// The pages load nothing from elsewhere, have no script and no inline style,
// and say what they are.
func TestPagesKeepToTheirPolicy(t *testing.T) {
	box, addr := openMailbox(t, "")
	send(t, addr, nil)
	if _, err := box.Wait(soon(t), "", 1); err != nil {
		t.Fatal(err)
	}
	shop := NewPrintShop("geheim", "")
	post(t, shop.Handler(), "geheim", "application/pdf", strings.NewReader(onePage("Brief")), nil)
	for path, h := range map[string]http.Handler{"/mail": box.Handler(), "/mail/1": box.Handler(), "/mail/7": box.Handler(), "/letters": shop.Handler(), "/letters/1": shop.Handler(), "/letters/9": shop.Handler(), "/": demo().Handler()} {
		w := get(t, h, path)
		if got := w.Header().Get("Content-Security-Policy"); got != csp || strings.Contains(got, "unsafe") || strings.Contains(got, "data:") {
			t.Errorf("%s: policy %q", path, got)
		}
		checkPage(t, path, w.Body.String())
		if css := get(t, h, "/outside.css"); css.Code != 200 || !strings.HasPrefix(css.Header().Get("Content-Type"), "text/css") || strings.Contains(css.Body.String(), "url(") {
			t.Errorf("%s: the stylesheet is not there or loads more", path)
		}
	}
	start := get(t, demo().Handler(), "/").Body.String()
	for _, want := range []string{"http://127.0.0.1:8080", "http://127.0.0.1:8082/mail", "Brezel-Ofen-Morgen", "bert@baeckerei-gross.example", "Womit Sie anfangen"} {
		if !strings.Contains(start, want) {
			t.Errorf("the start page lacks %q", want)
		}
	}
	if w := get(t, demo().Handler(), "/anders"); w.Code != 404 {
		t.Errorf("another path: %d", w.Code)
	}
}

func checkPage(t *testing.T, path, body string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		count[n.Data]++
		for _, a := range n.Attr {
			if a.Key == "style" || strings.HasPrefix(a.Key, "on") || a.Key == "target" || n.Data == "img" && a.Key == "src" && !strings.HasPrefix(a.Val, "/") {
				t.Errorf("%s: <%s %s=%q>", path, n.Data, a.Key, a.Val)
			}
		}
	}
	if count["script"]+count["style"] > 0 || count["h1"] != 1 || count["main"] != 1 || count["title"] != 1 {
		t.Errorf("%s: elements %v", path, count)
	}
}

// Whatever comes over SMTP, the mailbox reads it without falling over.
func FuzzParseMail(f *testing.F) {
	f.Add([]byte("Subject: =?utf-8?Q?=C3=A4?=\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Transfer-Encoding: base64\r\n\r\nR3I=\r\n--a--"))
	f.Add([]byte("Content-Type: text/html\r\n\r\n<a href=\"x\">y</a><script>"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m := parseMail(raw)
		if _, err := json.Marshal(forMachines(m)); err != nil {
			t.Error(err)
		}
		var joined strings.Builder
		for _, p := range links(m.Text) {
			joined.WriteString(p.Text)
		}
		if joined.String() != m.Text {
			t.Error("linking lost text")
		}
	})
}
