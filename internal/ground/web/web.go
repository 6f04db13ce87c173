// Package web turns handlers that return errors into HTTP handlers, and pages
// (Go structs) into HTML. It knows no chamber and no rule; both portals stand
// on it.
//
// The contract with every page (ux.md 3.5): real forms, POST then 303 then
// GET, the same page again with what was typed when something is wrong, and
// nothing that needs a script. A handler returns an error; one place here
// turns faults into pages and everything else into "Vorgang 7F3K-22M".
package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"strings"
	"time"
	"unicode/utf8"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/i18n"
	"zunft/internal/ground/seal"
)

// A Handler answers a request or returns why it could not.
type Handler func(w http.ResponseWriter, r *http.Request) error

// A Site is one portal as HTTP sees it.
type Site struct {
	Name    string // of the portal, as a phrase key
	Owner   string // chamber or operator, shown beside the name
	Base    string // base URL without a slash at the end, e.g. "https://id.kammer.example"
	Cookies string // prefix of cookie names: portals on one host must not share them
	Catalog *i18n.Catalog
	Proxies []netip.Prefix // reverse proxies whose X-Forwarded-For is believed

	// Who resolves the request's session. Actor.Account stays empty for a stranger.
	Who func(r *http.Request) (*http.Request, error)
	// Fill completes the frame: person, bell, navigation.
	Fill func(r *http.Request, f *Frame) error
	// SignIn sends a stranger to where one signs in and comes back to next.
	SignIn func(w http.ResponseWriter, r *http.Request, next string)

	repeated onces // forms sent a moment ago
}

// A Mux is a route table. Deny by default: a route is open to strangers only
// if it says so.
type Mux struct {
	Site   *Site
	Routes []Route
	mux    *http.ServeMux
	exempt *http.CrossOriginProtection
	whole  http.Handler

	documents map[string]http.Handler
}

// A Route as a test of the whole table sees it.
type Route struct {
	Pattern string
	Open    bool
}

// NewMux makes an empty route table.
func NewMux(s *Site) *Mux {
	return &Mux{Site: s, mux: http.NewServeMux(), exempt: http.NewCrossOriginProtection()}
}

// Open mounts a handler that strangers may use.
func (m *Mux) Open(pattern string, h Handler) {
	m.Routes = append(m.Routes, Route{pattern, true})
	m.mux.Handle(pattern, m.Site.handler(h, false))
}

// Signed mounts a handler for people who are signed in.
func (m *Mux) Signed(pattern string, h Handler) {
	m.Routes = append(m.Routes, Route{pattern, false})
	m.mux.Handle(pattern, m.Site.handler(h, true))
}

// Machine mounts an endpoint that is called across origins by design
// (OAuth token endpoint, back-channel logout …): no session, no cross-origin check.
func (m *Mux) Machine(pattern string, h http.Handler) {
	m.Routes = append(m.Routes, Route{pattern, true})
	m.mux.Handle(pattern, h)
	path := pattern
	if _, p, ok := strings.Cut(pattern, " "); ok {
		path = p
	}
	m.exempt.AddInsecureBypassPattern(path)
}

// Document mounts a public document that machines read by GET or HEAD and that
// lies ready in memory: it is served before anything a page needs is made.
// Every other method goes the way of Machine.
func (m *Mux) Document(path string, h http.Handler) {
	m.Machine(path, h)
	if m.documents == nil {
		m.documents = map[string]http.Handler{}
	}
	m.documents[path] = h
}

// Handler is the whole portal: the route table behind everything that is the
// same for each request.
func (m *Mux) Handler() http.Handler {
	if m.whole != nil {
		return m.whole
	}
	m.mux.Handle("GET /assets/", http.HandlerFunc(serveAsset))
	m.mux.Handle("GET /favicon.ico", http.RedirectHandler(Asset("favicon.svg"), http.StatusFound))
	m.Open("/", func(http.ResponseWriter, *http.Request) error { return fault.NotFound() })
	m.exempt.SetDenyHandler(m.Site.handler(func(http.ResponseWriter, *http.Request) error { return fault.Forbidden() }, false))
	pages := m.Site.around(m.exempt.Handler(m.mux))
	m.whole = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if d := m.documents[r.URL.Path]; d != nil && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
			d.ServeHTTP(w, r)
			return
		}
		pages.ServeHTTP(w, r)
	})
	return m.whole
}

// MaxBody is the size limit of a form; uploads set their own with http.MaxBytesReader.
const MaxBody = 256 << 10

const policy = "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; script-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"

// allowScript lets a page that declares a script run what we have built, and
// nothing else; the script may ask this portal only.
func allowScript(h http.Header) {
	h.Set("Content-Security-Policy", strings.Replace(h.Get("Content-Security-Policy"), "script-src 'none'", "script-src 'self'; connect-src 'self'", 1))
}

// AllowForm lets forms of this page be redirected to another origin: Chromium
// applies form-action to the redirect after a POST.
func AllowForm(w http.ResponseWriter, address string) {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		h := w.Header()
		h.Set("Content-Security-Policy", h.Get("Content-Security-Policy")+" "+u.Scheme+"://"+u.Host)
	}
}

type requestKey struct{}

// request is what is known of a request beside the request itself.
type request struct {
	number string
	actor  audit.Actor
	lang   string
	more   map[any]any
	wait   time.Duration // a form was refused for so long
	broken bool          // the body did not come to its end
}

func of(r *http.Request) *request {
	q, _ := r.Context().Value(requestKey{}).(*request)
	if q == nil {
		q = &request{lang: i18n.Languages()[0]}
	}
	return q
}

// Actor is who acts in this request.
func Actor(r *http.Request) audit.Actor { return of(r).actor }

// SetActor says who acts; only Site.Who calls it.
func SetActor(r *http.Request, a audit.Actor) { of(r).actor = a }

// Lang is the language of this request.
func Lang(r *http.Request) string { return of(r).lang }

// Set keeps a value for the rest of the request; Get reads it.
func Set(r *http.Request, key, value any) {
	q := of(r)
	if q.more == nil {
		q.more = map[any]any{}
	}
	q.more[key] = value
}

// Get reads what Set kept.
func Get(r *http.Request, key any) any { return of(r).more[key] }

// around does what every request needs, page or machine.
func (s *Site) around(next http.Handler) http.Handler {
	secure := strings.HasPrefix(s.Base, "https://")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin") // no-referrer would make Chromium send Origin: null
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
		if secure {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		q := &request{number: seal.Reference()}
		q.actor = audit.Actor{Kind: audit.Person, IP: s.clientIP(r), Agent: cut(r.UserAgent(), 200), Request: q.number}
		q.lang = s.language(w, r)
		r = r.WithContext(context.WithValue(r.Context(), requestKey{}, q))
		if len(r.URL.RawQuery) > 16<<10 || len(r.URL.Path) > 2<<10 {
			s.refuse(w, r, http.StatusRequestURITooLong)
			return
		}
		if !isText(r.URL.Path) || !areTexts(r.URL.Query()) { // no id and no search of ours; PostgreSQL would refuse it as text
			s.refuse(w, r, http.StatusBadRequest)
			return
		}
		r.Body = &body{http.MaxBytesReader(w, r.Body, 32<<20), q} // no request is larger; forms are smaller still
		next.ServeHTTP(w, r)
	})
}

// body notes when a request ended before its end: that is no defect of ours.
type body struct {
	io.ReadCloser
	of *request
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		b.of.broken = true
	}
	return n, err
}

func isText(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

func areTexts(q url.Values) bool {
	for name, all := range q {
		if !isText(name) || !isText(strings.Join(all, "")) {
			return false
		}
	}
	return true
}

func cut(s string, n int) string {
	if len(s) > n {
		s = strings.ToValidUTF8(s[:n], "")
	}
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "")
}

// clientIP is the address of the person: the connection's, or what a trusted
// reverse proxy says.
func (s *Site) clientIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	// Proxies append: to the header's line, or a line of their own below what the person sent.
	for list := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ","); len(list) > 0; list = list[:len(list)-1] {
		ip, err := netip.ParseAddr(host)
		if err != nil || !s.trusted(ip) {
			break
		}
		if next, err := netip.ParseAddr(strings.TrimSpace(list[len(list)-1])); err == nil {
			host = next.String()
		} else {
			break
		}
	}
	return host
}

func (s *Site) trusted(ip netip.Addr) bool {
	for _, p := range s.Proxies {
		if p.Contains(ip.Unmap()) {
			return true
		}
	}
	return false
}

// language: what the person chose (?lang=, kept in a cookie), else what the browser prefers.
func (s *Site) language(w http.ResponseWriter, r *http.Request) string {
	if chosen := r.URL.Query().Get("lang"); chosen != "" {
		for _, l := range i18n.Languages() {
			if l == chosen {
				s.SetCookie(w, "lang", l, 365*24*time.Hour)
				return l
			}
		}
	}
	if l := s.Cookie(r, "lang"); l != "" {
		return i18n.Match(l)
	}
	return i18n.Match(r.Header.Get("Accept-Language"))
}

// handler wraps one page handler.
func (s *Site) handler(h Handler, signed bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler {
					panic(p)
				}
				s.fail(w, r, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
			}
		}()
		if s.Who != nil {
			known, err := s.Who(r)
			if err != nil {
				s.fail(w, r, err)
				return
			}
			r = known
		}
		if signed && Actor(r).Account == "" {
			s.SignIn(w, r, s.comeBack(r))
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		if err := s.parse(r); err != nil {
			s.fail(w, r, err)
			return
		}
		s.once(w, r, func(w http.ResponseWriter) {
			if err := h(w, r); err != nil {
				s.fail(w, r, err)
			}
		})
	})
}

// comeBack is the page to return to after signing in: never the target of a POST.
func (s *Site) comeBack(r *http.Request) string {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return r.URL.RequestURI()
	}
	if from, err := url.Parse(r.Referer()); err == nil && from.Host == r.Host {
		return from.RequestURI()
	}
	return "/"
}

// parse reads a form once, size-limited. Multipart forms are read by their handler.
func (s *Site) parse(r *http.Request) error {
	if r.Method != http.MethodPost || strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
		return nil
	}
	r.Body = http.MaxBytesReader(nil, r.Body, MaxBody)
	if err := r.ParseForm(); err != nil {
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			return &fault.Fault{Kind: fault.KindInvalid, Problems: []fault.Problem{{Key: "web.too_large"}}}
		}
		return fault.Invalid("", "web.form_unreadable")
	}
	return nil
}

// See sends the browser on after a POST.
func See(w http.ResponseWriter, r *http.Request, to string) error {
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// Done is See with a notice that the next page shows once.
func (s *Site) Done(w http.ResponseWriter, r *http.Request, to, phrase string, args ...any) error {
	s.notify(w, phrase, args)
	return See(w, r, to)
}

// LocalPath is next if it is a path of this site, else "/": no open redirects.
func LocalPath(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") {
		return "/"
	}
	return next
}
