package story_test

import (
	"bytes"
	"context"
	"fmt"
	"mime/multipart"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode"

	"zunft/internal/ground/web"
	"zunft/internal/story"
)

// What hostile people put into fields, queries and paths.
var hostileTexts = []string{
	"\x00", "a\x00b", "\xff\xfe\xc0\x80", "a\u202eb\u2066c", "\r\nX-Injected: 1\r\n\r\n<x-attack>", `"><x-attack a='`, "{{.}}${7*7}", "' OR 1=1 --",
	"999999999999999999999999999999", "%00%0d%0a", "𝕏💣\ufeff\u200b\u0301", strings.Repeat("ä", 5000), "-1", "\t\n\v\f",
}

// Every name that any form or query of either portal listens to, and more.
var fieldNames = strings.Fields(`username password password_repeat remember again next login salutation title given_name family_name email email_repeat further_1 further_2 further_3 further_4
	accept terms do code ticket reason roles role application answer yes admin open q after before name street house_number postcode place ident_number legal_form register_number register_court register_kind chamber chamber_number
	letter organization version entry evidence question refusal from page status sort event request ident theme language lang client_id redirect_uri response_type response_mode scope state nonce prompt max_age ui_locales login_hint
	id_token_hint post_logout_redirect_uri code_challenge code_challenge_method claims request_uri grant_type refresh_token token logout_token client_secret code_verifier iss error error_description session_state
	department work instruction school day_1_attendance day_1_text text remark comment year sent form_key
	profile has_code registration_code functional captcha captcha_id accept_2 accept_3 birth_year gender office_work leads_people`)

// No text of the world makes any route of either portal fail: no 500 on either
// engine, nothing of it in a header, and nothing of it as markup.
func TestHostileTexts(t *testing.T) {
	each(t, story.Options{}, func(t *testing.T, w *story.World) {
		h := intrude(t, w)
		people := map[string]*visitor{"stranger": newVisitor(t), "clara": as(t, w, "clara"), "bert": as(t, w, "bert")}
		registration := h.value(`SELECT id FROM registration WHERE state = 'submitted'`)
		request := h.value(`SELECT id FROM request WHERE state = 'open'`)
		real := func(pattern string) string {
			id := h.bakery
			switch {
			case strings.Contains(pattern, "registrations"):
				id = registration
			case strings.Contains(pattern, "requests/{id}"):
				id = request
			}
			return strings.NewReplacer("{id}", id, "{member}", h.members["lena"], "{page}", "roles", "{week}", thisWeek(), "{$}", "").Replace(pattern)
		}
		look := func(what string, r *http.Response, body string) {
			t.Helper()
			if r.StatusCode >= 500 {
				t.Errorf("%.300q: %d\n%s", what, r.StatusCode, text(body))
			}
			if r.Header.Get("X-Injected") != "" {
				t.Errorf("%.300q: a header was injected", what)
			}
			if strings.Contains(body, "<x-attack") {
				t.Errorf("%.300q: markup came back", what)
			}
		}
		portal := func(base string, routes []web.Route, keys ...string) {
			for _, route := range routes {
				method, pattern, ok := strings.Cut(route.Pattern, " ")
				if !ok {
					method, pattern = "GET", route.Pattern
				}
				if strings.Contains(pattern, "logout") || strings.Contains(pattern, "leave") || strings.HasSuffix(pattern, "/end-session/confirmed") || strings.HasSuffix(pattern, "/remove") && method == "POST" {
					continue // the visitors are still needed
				}
				for i, evil := range hostileTexts {
					// All fields hostile; and one after the other, the others plausible.
					form := url.Values{}
					for j, name := range fieldNames {
						form.Set(name, evil)
						if i%2 == 1 && j%len(hostileTexts) != i {
							form.Set(name, map[string]string{"do": "ask", "version": "1", "username": "anna.amsel", "code": "123456", "postcode": "00999", "chamber_number": "999", "ident_number": "100017", "email": "x@example.org"}[name])
						}
					}
					form.Set("password", "short") // hashing is not what is tried here
					for _, key := range keys {
						if route.Open && key == "clara" || !route.Open && key == "stranger" {
							continue // like others
						}
						v := people[key]
						path := base + real(pattern)
						if strings.Contains(path, "{") {
							_, path = fill(route.Pattern)
							path = base + path
						}
						if method == "POST" {
							r, body := v.post(path, form)
							look(route.Pattern+" "+evil, r, body)
							continue
						}
						query := form.Encode()
						if len(query) > 12000 {
							query = query[:12000]
						}
						r, body := v.get(path + "?" + query)
						look(route.Pattern+"?"+evil, r, body)
						if len(evil) > 200 || !strings.Contains(pattern, "{") || key == "clara" {
							continue
						}
						// The text in the path.
						path = base + pattern
						for strings.Contains(path, "{") {
							before, rest, _ := strings.Cut(path, "{")
							_, after, _ := strings.Cut(rest, "}")
							path = before + url.PathEscape(evil) + after
						}
						r, body = v.get(path)
						look(path, r, body)
					}
				}
			}
		}
		portal(w.Identity, w.ID.Mux.Routes, "stranger", "clara", "bert")
		people["lena"], people["murat"] = as(t, w, "lena"), as(t, w, "murat")
		for _, key := range []string{"lena", "murat"} {
			people[key].follow(w.Training + "/reports")
		}
		portal(w.Training, w.Book.Mux.Routes, "stranger", "lena", "murat")
	})
}

// Bodies of the wrong kind or size get a 4xx at every form, before anything is done.
func TestHostileBodies(t *testing.T) {
	w := start(t, "sqlite", story.Options{})
	clara := as(t, w, "clara")
	var bomb bytes.Buffer
	m := multipart.NewWriter(&bomb)
	for i := range 5000 {
		part, _ := m.CreateFormField(fmt.Sprint("field", i))
		part.Write([]byte("x"))
	}
	m.Close()
	huge := bytes.Repeat([]byte("a=b&"), 10<<20/4)
	kinds := []struct {
		name, kind string
		body       []byte
	}{
		{"10 MB", "application/x-www-form-urlencoded", huge},
		{"multipart bomb", m.FormDataContentType(), bomb.Bytes()},
		{"multipart without parts", "multipart/form-data; boundary=x", []byte("nothing")},
		{"multipart without boundary", "multipart/form-data", []byte("x")},
		{"JSON", "application/json", []byte(`{"a":1}`)},
		{"no kind", "", []byte("a=b")},
		{"broken escapes", "application/x-www-form-urlencoded", []byte("a=%zz&%=%&=")},
		{"semicolons", "application/x-www-form-urlencoded", []byte("a;b;c")},
		{"gzip", "application/x-www-form-urlencoded", []byte("\x1f\x8b\x08\x00")},
		{"100,000 fields", "application/x-www-form-urlencoded", []byte(strings.Repeat("a&", 100_000))},
	}
	check := func(base string, routes []web.Route, v *visitor) {
		for _, route := range routes {
			method, path := fill(route.Pattern)
			if method != "POST" || signsOut(path) {
				continue
			}
			for _, k := range kinds {
				header := http.Header{}
				if k.kind != "" {
					header.Set("Content-Type", k.kind)
				}
				if k.name == "gzip" {
					header.Set("Content-Encoding", "gzip")
				}
				r, body := v.send("POST", base+path, header, bytes.NewReader(k.body))
				if r.StatusCode >= 500 {
					t.Errorf("%s, %s: %d %s", route.Pattern, k.name, r.StatusCode, text(body))
				}
				if k.name == "10 MB" && r.StatusCode < 400 && base == w.Identity && !machine(route.Pattern) && r.Header.Get("Location") == "" {
					t.Errorf("%s takes 10 MB: %d", route.Pattern, r.StatusCode)
				}
			}
		}
	}
	check(w.Identity, w.ID.Mux.Routes, clara)
	check(w.Training, w.Book.Mux.Routes, newVisitor(t))
	// Headers and addresses without end.
	for _, c := range []struct {
		path   string
		header http.Header
		want   []int
	}{
		{"/login", http.Header{"X-Long": {strings.Repeat("x", 200<<10)}}, []int{431}},
		{"/login", http.Header{"Cookie": {"zunft_session=" + strings.Repeat("x", 30<<10)}}, []int{200}},
		{"/login?next=" + strings.Repeat("x", 20<<10), nil, []int{414}},
		{"/" + strings.Repeat("x", 3<<10), nil, []int{414, 404}},
		{"/login", http.Header{"Accept-Language": {strings.Repeat("de-x-y,", 4000)}}, []int{200}},
		{"/login", http.Header{"User-Agent": {"\xff\xfe" + strings.Repeat("x", 10<<10)}}, []int{200}},
		{"/login", http.Header{"Cookie": {"zunft_lang=xx; zunft_theme=<x>; zunft_notice=" + strings.Repeat("A", 4000) + "; zunft_username=\xff; zunft_device=x; zunft_next=//evil.example"}}, []int{200}},
	} {
		r, body := newVisitor(t).send("GET", w.Identity+c.path, c.header, nil)
		if !contains(c.want, r.StatusCode) {
			t.Errorf("%.60s: %d, want %v: %s", c.path, r.StatusCode, c.want, text(body))
		}
	}
	// HEAD is GET without a body; other methods do nothing, whatever they pretend.
	for _, method := range []string{"OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "BREW"} {
		for _, path := range []string{"/", "/login", "/logout", "/account/preferences", "/chamber/letters"} {
			if r, _ := clara.send(method, w.Identity+path, nil, nil); r.StatusCode < 400 || r.StatusCode >= 500 {
				t.Errorf("%s %s: %d", method, path, r.StatusCode)
			}
		}
	}
	for _, header := range []http.Header{{"X-Http-Method-Override": {"POST"}}, {"X-Method-Override": {"POST"}}, {"X-Original-Url": {"/logout"}}, {"X-Rewrite-Url": {"/logout"}}} {
		if r, _ := clara.send("GET", w.Identity+"/logout?_method=POST", header, nil); r.StatusCode < 400 {
			t.Error(header, r.StatusCode)
		}
	}
	if r, _ := clara.get(w.Identity + "/chamber"); r.StatusCode != http.StatusOK {
		t.Error("a GET signed her out", r.StatusCode)
	}
	if r, body := clara.send("HEAD", w.Identity+"/chamber", nil, nil); r.StatusCode != http.StatusOK || body != "" {
		t.Error("HEAD", r.StatusCode, len(body))
	}
}

func contains(all []int, n int) bool {
	for _, a := range all {
		if a == n {
			return true
		}
	}
	return false
}

// Somebody who sends slowly holds up nobody: forms and files are read before
// the one writer of SQLite is asked for, and connections are many.
func TestSlowSenders(t *testing.T) {
	w := start(t, "sqlite", story.Options{})
	clara, bert := as(t, w, "clara"), as(t, w, "bert")
	proved(t, w)
	address := strings.TrimPrefix(w.Identity, "http://")
	for i := range 60 {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		switch i % 3 {
		case 0:
			fmt.Fprintf(c, "POST /login HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nusername=", address)
		case 1:
			fmt.Fprintf(c, "POST /chamber/directory HTTP/1.1\r\nHost: %s\r\nCookie: zunft_session=%s\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 100000\r\n\r\n--x\r\nContent-Disposition: form-data; name=\"mode\"\r\n\r\nwrite\r\n--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n%s",
				address, clara.cookie(w.Identity, "zunft_session"), story.Directory[:1000])
		case 2:
			fmt.Fprintf(c, "GET /login HTTP/1.1\r\nHost: ")
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for range 3 {
		r, _ := http.NewRequestWithContext(ctx, "POST", w.Identity+"/notifications/read", nil)
		answer, err := bert.http.Do(r)
		if err != nil {
			t.Fatal("others wait for slow senders:", err)
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusSeeOther {
			t.Error(answer.StatusCode)
		}
	}
}

// Nobody is sent elsewhere by an address that looks like ours.
func TestRedirects(t *testing.T) {
	w := start(t, "sqlite", story.Options{Clients: []story.Client{{ClientID: "kit", ClientSecret: "secret", RedirectURIs: []string{"https://app.example/cb"}, PostLogoutRedirectURIs: []string{"https://app.example/out"}}}})
	tricks := []string{
		"//evil.example", "///evil.example", "\\\\evil.example", "/\\evil.example", "/\t/evil.example", "/%09/evil.example", "https://evil.example", "https:evil.example", "http:///evil.example", "javascript:alert(1)", "data:text/html,x",
		"//evil.example@" + strings.TrimPrefix(w.Identity, "http://"), w.Identity + "@evil.example/", w.Identity + ".evil.example/", "/%0d%0aLocation:%20https://evil.example", "/\r\nLocation: https://evil.example", "/．evil.example", "//evil。example", "/%2f%2fevil.example", "/..//evil.example", "/.//evil.example",
		" //evil.example", "\x00//evil.example", "/\u2028/evil.example", "?//evil.example", "#", "http://[::1", "/a\x7f",
	}
	lands := func(what string, r *http.Response) {
		t.Helper()
		to := r.Header.Get("Location")
		if to == "" {
			return
		}
		u, err := r.Request.URL.Parse(to)
		if err != nil || u.Scheme+"://"+u.Host != w.Identity || strings.HasPrefix(to, "//") || strings.ContainsAny(to, "\\\r\n\t") || len(r.Header.Values("Location")) != 1 {
			t.Errorf("%s leads to %q", what, to)
		}
	}
	for _, next := range tricks {
		v := newVisitor(t)
		r, _ := v.post(w.Identity+"/login", url.Values{"username": {"bert.backmann"}, "password": {story.Password}, "next": {next}})
		if r.StatusCode != http.StatusSeeOther {
			t.Fatal(r.StatusCode)
		}
		lands("login next="+next, r)
		r, _ = v.get(w.Identity + "/login?next=" + url.QueryEscape(next)) // signed in already
		lands("login?next="+next, r)
		r, _ = v.get(w.Identity + "/organizations/join?next=" + url.QueryEscape(next))
		lands("join?next="+next, r)
		r, body := newVisitor(t).get(w.Identity + "/login?next=" + url.QueryEscape(next))
		if strings.Contains(body, "evil.example\"") && strings.Contains(body, `href="//`) {
			t.Errorf("next=%q is a link", next)
		}
		lands("login page", r)
		r, _ = v.post(w.Identity+"/account/preferences", url.Values{"theme": {"dark"}, "next": {next}, "back": {next}})
		lands("preferences", r)
		if !strings.ContainsFunc(next, unicode.IsControl) {
			r, _ = newVisitor(t).send("POST", w.Identity+"/notifications/read", http.Header{"Referer": {w.Identity + next}}, nil)
			lands("Referer", r)
		}
	}
	// Only an address that is entered, exactly.
	for _, uri := range []string{
		"https://app.example/cb/", "https://app.example/cb?x=1", "https://app.example/cb#x", "https://app.example/CB", "https://APP.example/cb", "https://app.example:443/cb", "https://app.example/cb/../cb", "https://app.example%2fcb", "https://app.example@evil.example/cb",
		"https://evil.example/cb", "http://app.example/cb", "https://app.example\\@evil.example/cb", "https://app.example.evil.example/cb", "https://app.example/cb\x00", "https://app.example/c%62", "//app.example/cb", "", "https://app.example/cb\r\nX: y", "javascript:alert(1)",
	} {
		for _, v := range []*visitor{newVisitor(t)} {
			r, body := v.get(w.Identity + "/oauth2/authorize?" + url.Values{"client_id": {"kit"}, "response_type": {"code"}, "scope": {"openid"}, "state": {"s"}, "redirect_uri": {uri}, "code_challenge": {strings.Repeat("a", 43)}, "code_challenge_method": {"S256"}}.Encode())
			if to := r.Header.Get("Location"); to != "" || r.StatusCode < 400 || r.StatusCode >= 500 {
				t.Errorf("redirect_uri %q: %d to %q %s", uri, r.StatusCode, to, text(body))
			}
			r, _ = v.get(w.Identity + "/oauth2/end-session?" + url.Values{"client_id": {"kit"}, "post_logout_redirect_uri": {uri}}.Encode())
			if to := r.Header.Get("Location"); strings.Contains(to, "example") {
				t.Errorf("post_logout_redirect_uri %q: to %q", uri, to)
			}
		}
	}
	// Cookies that lead somewhere.
	v := newVisitor(t)
	r, _ := v.send("POST", w.Identity+"/login", http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Cookie": {"zunft_next=//evil.example"}},
		strings.NewReader(url.Values{"username": {"bert.backmann"}, "password": {story.Password}}.Encode()))
	lands("cookie next", r)
}

// Links in mails and addresses in documents come from the configuration, never
// from the request (Host header poisoning).
func TestHostHeader(t *testing.T) {
	w := start(t, "sqlite", story.Options{})
	for _, header := range []http.Header{{"Host": {"evil.example"}}, {"X-Forwarded-Host": {"evil.example"}}, {"Forwarded": {"host=evil.example;proto=https"}}, {"X-Forwarded-Proto": {"https"}, "X-Forwarded-Port": {"444"}, "X-Forwarded-For": {"203.0.113.9"}}} {
		h := header.Clone()
		h.Set("Content-Type", "application/x-www-form-urlencoded")
		r, body := newVisitor(t).send("POST", w.Identity+"/recover/password", h, strings.NewReader("login=lena.lerche"))
		if r.StatusCode != http.StatusSeeOther {
			t.Errorf("%v: %d %s", header, r.StatusCode, text(body))
		}
		for _, path := range []string{"/.well-known/openid-configuration", "/login", "/chamber", "/nowhere"} {
			r, body := newVisitor(t).send("GET", w.Identity+path, header.Clone(), nil)
			if strings.Contains(body+r.Header.Get("Location"), "evil.example") {
				t.Errorf("%v: %s writes the Host header: %s", header, path, r.Header.Get("Location"))
			}
		}
	}
	for i := 1; i <= 3; i++ {
		mails, err := w.Mail.Wait(t.Context(), "lena@example.org", i)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range mails[len(mails)-1].Links() {
			if !strings.HasPrefix(l, w.Identity+"/") {
				t.Error("a mail links to", l)
			}
		}
	}
	if n := count(t, w.IdentityDB, `SELECT count(*) FROM audit WHERE ip <> '127.0.0.1' AND ip <> ''`); n != 0 {
		t.Error("an address that a stranger made up is on record")
	}
}

// What is somebody's is kept nowhere on the way; errors tell nothing of the inside.
func TestPagesAreNotKept(t *testing.T) {
	w := start(t, "sqlite", story.Options{})
	h := intrude(t, w)
	v := as(t, w, "bert")
	lena := as(t, w, "lena")
	lena.follow(w.Training + "/reports")
	for _, path := range []string{"/", "/account", "/requests", "/notifications", "/organizations/" + h.bakery, "/organizations/" + h.bakery + "/members", "/organizations/register", "/nowhere", "/chamber", "/login", "/register", "/recover/password", "/confirm/x"} {
		r, body := v.get(w.Identity + path)
		if !strings.Contains(r.Header.Get("Cache-Control"), "no-store") {
			t.Errorf("%s: Cache-Control %q", path, r.Header.Get("Cache-Control"))
		}
		for _, inside := range []string{"goroutine ", ".go:", "SQL", "sqlite", "postgres", "runtime error", "zunft/internal"} {
			if strings.Contains(body, inside) {
				t.Errorf("%s tells of the inside: %s", path, inside)
			}
		}
	}
	for _, path := range []string{"/", "/reports", "/reports/" + thisWeek(), "/nowhere"} {
		if r, _ := lena.get(w.Training + path); !strings.Contains(r.Header.Get("Cache-Control"), "no-store") {
			t.Errorf("training %s: Cache-Control %q", path, r.Header.Get("Cache-Control"))
		}
	}
	for _, name := range []string{"Server", "X-Powered-By"} {
		if r, _ := v.get(w.Identity + "/"); r.Header.Get(name) != "" {
			t.Error(name, r.Header.Get(name))
		}
	}
}
