package web

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"testing/iotest"

	"github.com/jba/templatecheck"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/i18n"
)

func site(t *testing.T, base string) *Site {
	c, err := i18n.Load(Phrases)
	if err != nil {
		t.Fatal(err)
	}
	return &Site{
		Name: "web.language_de", Owner: "Kammer Musterland", Base: base, Cookies: "t", Catalog: c,
		SignIn: func(w http.ResponseWriter, r *http.Request, next string) {
			http.Redirect(w, r, "/login?next="+url.QueryEscape(next), http.StatusSeeOther)
		},
	}
}

func ask(t *testing.T, m *Mux, method, path, body string, headers ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.RemoteAddr = "192.0.2.1:1234"
	if method == "POST" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, r)
	return w.Result()
}

func text(r *http.Response) string { b, _ := io.ReadAll(r.Body); return string(b) }

func TestErrorTemplate(t *testing.T) {
	if err := templatecheck.CheckHTML(errorTemplates.Page("error"), &errorPage{}); err != nil {
		t.Error(err)
	}
}

func TestFaultsBecomePages(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
		says   string
	}{
		{fault.NotFound(), 404, "Diese Seite gibt es nicht"},
		{fault.Forbidden(), 403, "Ihnen fehlt eine Berechtigung"},
		{fault.Conflict("web.forbidden"), 409, "schneller"},
		{fault.Limited("web.too_often", 90e9, 2), 429, "in 2 Minuten"},
		{errors.New("disk full: /var/secret"), 500, "Vorgang"},
	} {
		m := NewMux(site(t, "http://portal.example"))
		m.Open("GET /x", func(http.ResponseWriter, *http.Request) error { return c.err })
		r := ask(t, m, "GET", "/x", "")
		body := text(r)
		if r.StatusCode != c.status || !strings.Contains(body, c.says) || strings.Contains(body, "secret") {
			t.Errorf("%v: %d\n%s", c.err, r.StatusCode, body)
		}
		if c.status == 429 && r.Header.Get("Retry-After") != "91" {
			t.Error("Retry-After", r.Header.Get("Retry-After"))
		}
	}
}

func TestPanicsAreDefects(t *testing.T) {
	m := NewMux(site(t, "http://portal.example"))
	m.Open("GET /x", func(http.ResponseWriter, *http.Request) error { panic("boom") })
	if r := ask(t, m, "GET", "/x", ""); r.StatusCode != 500 || strings.Contains(text(r), "boom") {
		t.Error(r.StatusCode)
	}
}

func TestEveryAnswerCarriesTheSecurityHeaders(t *testing.T) {
	m := NewMux(site(t, "https://portal.example"))
	for _, path := range []string{"/", "/nowhere", "/assets/none.css"} {
		h := ask(t, m, "GET", path, "").Header
		csp := h.Get("Content-Security-Policy")
		if !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "script-src 'none'") || strings.Contains(csp, "unsafe") || strings.Contains(csp, "data:") {
			t.Error(path, csp)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "same-origin" || h.Get("Strict-Transport-Security") == "" {
			t.Error(path, h)
		}
	}
}

// R010: only a page that declares a script may run one, ours, and it may ask
// nobody but this portal.
func TestOnlyAPageThatDeclaresAScriptMayRunOne(t *testing.T) {
	type page struct{ Frame }
	ts := Parse(fstest.MapFS{"templates/x.html": {Data: []byte(`{{define "title"}}x{{end}}{{define "main"}}x{{end}}`)}})
	s := site(t, "http://portal.example")
	m := NewMux(s)
	m.Open("GET /with", func(w http.ResponseWriter, r *http.Request) error {
		AllowForm(w, "https://app.example/cb")
		return s.Show(w, r, 200, ts, "x", &page{Frame{Script: "passkey.js"}})
	})
	m.Open("GET /without", func(w http.ResponseWriter, r *http.Request) error { return s.Show(w, r, 200, ts, "x", &page{}) })
	r := ask(t, m, "GET", "/with", "")
	csp, body := r.Header.Get("Content-Security-Policy"), text(r)
	if !strings.Contains(csp, "; script-src 'self'; connect-src 'self';") || !strings.HasSuffix(csp, "form-action 'self' https://app.example") || strings.Contains(csp, "unsafe") ||
		strings.Count(body, "<script") != 1 || !strings.Contains(body, `<script src="`+Asset("passkey.js")+`" defer></script>`) {
		t.Error(csp, body)
	}
	r = ask(t, m, "GET", "/without", "")
	if csp, body := r.Header.Get("Content-Security-Policy"), text(r); !strings.Contains(csp, "script-src 'none'") || strings.Contains(csp, "connect-src") || strings.Contains(body, "<script") {
		t.Error(csp)
	}
}

func TestDenyByDefault(t *testing.T) {
	m := NewMux(site(t, "http://portal.example"))
	m.Signed("GET /mine", func(http.ResponseWriter, *http.Request) error { t.Error("a stranger came in"); return nil })
	m.Signed("POST /mine", func(http.ResponseWriter, *http.Request) error { t.Error("a stranger came in"); return nil })
	r := ask(t, m, "GET", "/mine?a=b", "")
	if r.StatusCode != 303 || r.Header.Get("Location") != "/login?next=%2Fmine%3Fa%3Db" {
		t.Error(r.StatusCode, r.Header.Get("Location"))
	}
	// After a POST one comes back to the page of the form, never to the POST's target.
	r = ask(t, m, "POST", "/mine", "x=y", "Referer", "http://example.com/form")
	if r.Header.Get("Location") != "/login?next=%2Fform" {
		t.Error(r.Header.Get("Location"))
	}
	r = ask(t, m, "POST", "/mine", "x=y", "Referer", "http://evil.example/form")
	if r.Header.Get("Location") != "/login?next=%2F" {
		t.Error(r.Header.Get("Location"))
	}
}

func TestForeignOriginsCannotPost(t *testing.T) {
	m := NewMux(site(t, "http://portal.example"))
	m.Open("POST /x", func(http.ResponseWriter, *http.Request) error { return nil })
	m.Machine("POST /token", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for _, c := range []struct {
		path, header, value string
		status              int
	}{
		{"/x", "Origin", "http://evil.example", 403},
		{"/x", "Sec-Fetch-Site", "cross-site", 403},
		{"/x", "Sec-Fetch-Site", "same-origin", 200},
		{"/x", "Origin", "null", 403},
		{"/token", "Origin", "http://app.example", 200},
	} {
		if r := ask(t, m, "POST", c.path, "a=b", c.header, c.value); r.StatusCode != c.status {
			t.Error(c, r.StatusCode)
		}
	}
}

func TestOversizedAndMalformedRequests(t *testing.T) {
	m := NewMux(site(t, "http://portal.example"))
	m.Open("POST /x", func(http.ResponseWriter, *http.Request) error { t.Error("handled"); return nil })
	if r := ask(t, m, "POST", "/x", "a="+strings.Repeat("x", MaxBody)); r.StatusCode != 413 {
		t.Error("too large", r.StatusCode)
	}
	if r := ask(t, m, "POST", "/x", "a=%zz"); r.StatusCode != 422 {
		t.Error("malformed", r.StatusCode)
	}
	if r := ask(t, m, "GET", "/x?"+strings.Repeat("a", 17<<10), ""); r.StatusCode != 414 {
		t.Error("long address", r.StatusCode)
	}
}

func TestNoticeIsShownOnce(t *testing.T) {
	s := site(t, "http://portal.example")
	m := NewMux(s)
	m.Open("POST /x", func(w http.ResponseWriter, r *http.Request) error { return s.Done(w, r, "/y", "web.defect", "7F3K") })
	m.Open("GET /y", func(w http.ResponseWriter, r *http.Request) error {
		return s.Show(w, r, 200, errorTemplates, "error", &errorPage{Heading: "Y"})
	})
	r := ask(t, m, "POST", "/x", "")
	if r.StatusCode != 303 {
		t.Fatal(r.StatusCode)
	}
	c := r.Header.Get("Set-Cookie")
	if !strings.Contains(c, "HttpOnly") || !strings.Contains(c, "SameSite=Lax") {
		t.Error(c)
	}
	value, _, _ := strings.Cut(c, ";")
	r = ask(t, m, "GET", "/y", "", "Cookie", value)
	if !strings.Contains(text(r), "Vorgang 7F3K") || !strings.Contains(r.Header.Get("Set-Cookie"), "Max-Age=0") {
		t.Error("not shown, or not forgotten", r.Header)
	}
}

// A notice says "1 Nachricht", not "1 Nachrichten", also after the redirect.
func TestNoticeCounts(t *testing.T) {
	s := site(t, "http://portal.example")
	m := NewMux(s)
	m.Open("POST /x/{n}", func(w http.ResponseWriter, r *http.Request) error {
		n, _ := strconv.Atoi(r.PathValue("n"))
		return s.Done(w, r, "/y", "frame.unread", n)
	})
	m.Open("GET /y", func(w http.ResponseWriter, r *http.Request) error {
		return s.Show(w, r, 200, errorTemplates, "error", &errorPage{Heading: "Y"})
	})
	for n, want := range map[string]string{"1": "1 ungelesene Mitteilung<", "1200": "1.200 ungelesene Mitteilungen<"} {
		value, _, _ := strings.Cut(ask(t, m, "POST", "/x/"+n, "").Header.Get("Set-Cookie"), ";")
		if page := text(ask(t, m, "GET", "/y", "", "Cookie", value)); !strings.Contains(page, want) {
			t.Errorf("%s is not on the page", want)
		}
	}
}

func TestCookiesUnderHTTPSAreHostPrefixed(t *testing.T) {
	s := site(t, "https://portal.example")
	w := httptest.NewRecorder()
	s.SetCookie(w, "session", "x", 0)
	if c := w.Header().Get("Set-Cookie"); !strings.HasPrefix(c, "__Host-t_session=x; Path=/") || !strings.Contains(c, "Secure") {
		t.Error(c)
	}
}

func TestLanguage(t *testing.T) {
	s := site(t, "http://portal.example")
	m := NewMux(s)
	for _, c := range []struct{ header, query, lang string }{
		{"en-GB,en;q=0.9", "", "en"}, {"fr", "", "de"}, {"", "", "de"}, {"de-AT", "?lang=en", "en"}, {"en", "?lang=xx", "en"}, {"\x00;;;q=", "", "de"},
	} {
		r := ask(t, m, "GET", "/nowhere"+c.query, "", "Accept-Language", c.header)
		if got := r.Header.Get("Content-Language"); got != c.lang {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

func TestClientAddressBehindProxies(t *testing.T) {
	s := site(t, "http://portal.example")
	s.Proxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	for _, c := range []struct{ remote, forwarded, want string }{
		{"192.0.2.1:1", "203.0.113.9", "192.0.2.1"}, // not from a proxy: not believed
		{"10.0.0.1:1", "203.0.113.9", "203.0.113.9"},
		{"10.0.0.1:1", "6.6.6.6, 203.0.113.9, 10.0.0.2", "203.0.113.9"}, // what the client invented is not reached
		{"10.0.0.1:1", "nonsense", "10.0.0.1"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.remote
		r.Header.Set("X-Forwarded-For", c.forwarded)
		if got := s.clientIP(r); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

func TestNoOpenRedirects(t *testing.T) {
	for next, want := range map[string]string{
		"/requests/1?a=b": "/requests/1?a=b", "//evil.example": "/", "https://evil.example": "/", "/\\evil.example": "/", "javascript:alert(1)": "/",
		"": "/", "/a\nSet-Cookie: x": "/", "evil": "/", "/\tevil.example": "/",
	} {
		if got := LocalPath(next); got != want {
			t.Errorf("%q: %q", next, got)
		}
	}
}

func TestTypedTextIsCleaned(t *testing.T) {
	f := &Form{Values: url.Values{"a": {" Gro\u0308ße \x00\t A\u202e\r\n b "}, "l": {"a\r\nb\x07\rc "}}}
	if got := f.Text("a"); got != "Größe A b" {
		t.Errorf("%q", got)
	}
	if got := f.Lines("l"); got != "a\nb\nc" {
		t.Errorf("%q", got)
	}
}

func TestActorIsTheStrangerWithTheRequestsNumber(t *testing.T) {
	m := NewMux(site(t, "http://portal.example"))
	var a audit.Actor
	m.Open("GET /x", func(w http.ResponseWriter, r *http.Request) error { a = Actor(r); return nil })
	ask(t, m, "GET", "/x", "", "User-Agent", strings.Repeat("a", 1000))
	if a.Account != "" || a.IP != "192.0.2.1" || len(a.Request) != 8 || len(a.Agent) > 200 {
		t.Errorf("%+v", a)
	}
}

// A button pressed twice does its work once, and both presses see the same.
func TestFormSentTwiceIsDoneOnce(t *testing.T) {
	s := site(t, "http://portal.example")
	m := NewMux(s)
	var done atomic.Int32
	begun, go1 := make(chan struct{}, 1), make(chan struct{})
	m.Open("GET /x", func(w http.ResponseWriter, r *http.Request) error {
		return s.Show(w, r, 200, errorTemplates, "error", &errorPage{Frame: Frame{LogoutHref: "/logout", Person: &Person{Name: "A"}}})
	})
	m.Open("POST /x", func(w http.ResponseWriter, r *http.Request) error {
		if r.PostForm.Get("a") == "wrong" {
			done.Add(1)
			return fault.Invalid("a", "web.forbidden")
		}
		begun <- struct{}{}
		<-go1
		return s.Done(w, r, fmt.Sprint("/done/", done.Add(1)), "web.defect", "1")
	})
	key := regexp.MustCompile(`name="form_key" value="([^"]+)"`).FindStringSubmatch(text(ask(t, m, "GET", "/x", "")))
	if key == nil {
		t.Fatal("the page's form has no key")
	}
	m.Handler()
	answers := make(chan *http.Response, 2)
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() { answers <- ask(t, m, "POST", "/x", "a=b&form_key="+key[1]) })
	}
	<-begun
	close(go1)
	both.Wait()
	a, b := <-answers, <-answers
	if done.Load() != 1 || a.Header.Get("Location") != "/done/1" || b.Header.Get("Location") != "/done/1" || b.Header.Get("Set-Cookie") != a.Header.Get("Set-Cookie") {
		t.Error(done.Load(), a.Header, b.Header)
	}
	// Other fields, other cookies, another key: another form.
	for _, other := range [][]string{{"a=c&form_key=" + key[1]}, {"a=b&form_key=" + key[1], "Cookie", "t_session=1"}, {"a=b&form_key=x"}, {"a=b"}} {
		before := done.Load()
		if ask(t, m, "POST", "/x", other[0], other[1:]...); done.Load() != before+1 {
			t.Error(other, "was taken for the same form")
		}
		<-begun
	}
	// A form that came back is handled again.
	before := done.Load()
	for range 2 {
		ask(t, m, "POST", "/x", "a=wrong&form_key="+key[1])
	}
	if done.Load() != before+2 {
		t.Error("a form with complaints was not handled again")
	}
}

// What no text is gets no further than the door; who stops in the middle of a
// form is no defect of ours.
func TestNoText(t *testing.T) {
	m := NewMux(site(t, "http://t.example"))
	m.Open("GET /x", func(w http.ResponseWriter, r *http.Request) error { return nil })
	m.Open("POST /x", func(w http.ResponseWriter, r *http.Request) error {
		_, err := io.ReadAll(r.Body)
		return err
	})
	for path, want := range map[string]int{"/x?a=%C3%A4": 200, "/x?a=%00": 400, "/x?%ff=1": 400, "/%00": 400, "/x?a=1&a=%c0%80": 400, "/x?a=%zz": 200} {
		r := httptest.NewRecorder()
		m.Handler().ServeHTTP(r, httptest.NewRequest("GET", path, nil))
		if r.Code != want {
			t.Errorf("%s: %d, want %d", path, r.Code, want)
		}
	}
	request := httptest.NewRequest("POST", "/x", io.MultiReader(strings.NewReader("half"), iotest.ErrReader(io.ErrUnexpectedEOF)))
	request.Header.Set("Content-Type", "multipart/form-data; boundary=x")
	r := httptest.NewRecorder()
	m.Handler().ServeHTTP(r, request)
	if r.Code != http.StatusUnprocessableEntity {
		t.Error(r.Code)
	}
}

// A proxy that adds a line of its own is believed, not the line above it.
func TestForwardedLines(t *testing.T) {
	s := site(t, "http://t.example")
	s.Proxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")}
	m := NewMux(s)
	got := ""
	m.Open("GET /x", func(w http.ResponseWriter, r *http.Request) error { got = Actor(r).IP; return nil })
	for _, c := range []struct {
		lines []string
		want  string
	}{{[]string{"203.0.113.9", "198.51.100.7"}, "198.51.100.7"}, {[]string{"203.0.113.9, 198.51.100.7"}, "198.51.100.7"}, {[]string{"x", "198.51.100.7, 192.0.2.1"}, "198.51.100.7"}, {[]string{"nonsense"}, "192.0.2.1"}, {nil, "192.0.2.1"}} {
		r := httptest.NewRequest("GET", "/x", nil)
		r.RemoteAddr = "192.0.2.1:4711"
		for _, l := range c.lines {
			r.Header.Add("X-Forwarded-For", l)
		}
		m.Handler().ServeHTTP(httptest.NewRecorder(), r)
		if got != c.want {
			t.Errorf("%v: %s, want %s", c.lines, got, c.want)
		}
	}
}

// A number that is none, or more than any column holds, is 0.
func TestNumber(t *testing.T) {
	for typed, want := range map[string]int{"7": 7, " 12 ": 12, "999999999": 999_999_999, "": 0, "-1": 0, "1e9": 0, "x": 0, "2147483648": 0, "99999999999999999999": 0} {
		if got := NewForm("n", typed).Number("n"); got != want {
			t.Errorf("%q: %d, want %d", typed, got, want)
		}
	}
}
