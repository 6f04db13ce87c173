package story_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/story"
)

// fill puts ids of nothing into a route's pattern.
func fill(pattern string) (method, path string) {
	method, path, _ = strings.Cut(pattern, " ")
	if path == "" {
		method, path = "GET", method
	}
	path = strings.TrimSuffix(path, "{$}")
	for strings.Contains(path, "{") {
		before, rest, _ := strings.Cut(path, "{")
		_, after, _ := strings.Cut(rest, "}")
		path = before + db.NewID() + after
	}
	return method, path
}

// signsOut: a POST there ends the session of whoever sends it.
func signsOut(path string) bool {
	return strings.Contains(path, "logout") || strings.Contains(path, "end-session") || path == "/account/lock"
}

// Every route of both portals, from the route tables: strangers are sent to
// sign in wherever a route is not open; nobody gets a defect or somebody
// else's thing for a made-up id; nothing is done across origins.
func TestEveryRoute(t *testing.T) {
	w := start(t, "sqlite", story.Options{})
	people := map[string]*visitor{"stranger": newVisitor(t)}
	for _, p := range w.People {
		people[p.Key] = as(t, w, p.Key)
	}
	check := func(base string, routes []web.Route, signedIn bool) {
		for i, route := range routes {
			if i%50 == 0 { // so many sign-ins begun from one address would have to wait
				if err := w.TrainingDB.Write(t.Context(), func(tx *db.Tx) error { _, err := tx.Exec(`DELETE FROM limit_bucket`); return err }); err != nil {
					t.Fatal(err)
				}
			}
			method, path := fill(route.Pattern)
			for key, v := range people {
				if !signedIn && key != "stranger" || signsOut(path) {
					continue
				}
				var r *http.Response
				var body string
				if method == "POST" {
					r, body = v.post(base+path, url.Values{})
				} else {
					r, body = v.get(base + path)
				}
				if r.StatusCode >= 500 {
					t.Errorf("%s, %s: %d\n%s", route.Pattern, key, r.StatusCode, body)
				}
				toLogin := r.StatusCode == http.StatusSeeOther && (strings.Contains(r.Header.Get("Location"), "/login") || strings.HasPrefix(r.Header.Get("Location"), w.Identity+"/oauth2/authorize"))
				if key == "stranger" && !route.Open && !toLogin {
					t.Errorf("%s lets a stranger in: %d", route.Pattern, r.StatusCode)
				}
				if strings.Contains(route.Pattern, "{id}") && !route.Open && key != "stranger" && r.StatusCode == http.StatusOK {
					t.Errorf("%s, %s: 200 for an id that does not exist", route.Pattern, key)
				}
				for _, h := range []string{"Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy"} {
					// Documents for machines need but the one that keeps them from being taken for pages.
					if html := strings.HasPrefix(r.Header.Get("Content-Type"), "text/html"); r.Header.Get(h) == "" && (html || h == "X-Content-Type-Options") {
						t.Errorf("%s: no %s", route.Pattern, h)
					}
				}
			}
			if method == "POST" && !machine(route.Pattern) {
				request, _ := http.NewRequest("POST", base+path, strings.NewReader("a=b"))
				request.Header.Set("Origin", "https://evil.example")
				request.Header.Set("Sec-Fetch-Site", "cross-site")
				r, err := http.DefaultClient.Do(request)
				if err != nil {
					t.Fatal(err)
				}
				r.Body.Close()
				if r.StatusCode != http.StatusForbidden {
					t.Errorf("%s takes a form from another origin: %d", route.Pattern, r.StatusCode)
				}
			}
		}
	}
	check(w.Identity, w.ID.Mux.Routes, true)
	check(w.Training, w.Book.Mux.Routes, false)
}

// machine names what is called across origins by design.
func machine(pattern string) bool {
	for _, p := range []string{"/oauth2/", "/oidc/", "/.well-known/"} {
		if strings.Contains(pattern, p) {
			return true
		}
	}
	return false
}

// The desk belongs to clerks of the chamber, and to nobody else.
func TestDeskIsForClerks(t *testing.T) {
	w := start(t, "sqlite", story.Options{})
	for _, p := range w.People {
		v := as(t, w, p.Key)
		for _, path := range []string{"/chamber", "/chamber/registrations", "/chamber/letters", "/chamber/directory", "/chamber/audit"} {
			r, _ := v.get(w.Identity + path)
			if in := r.StatusCode == http.StatusOK; in != (p.Key == "clara") {
				t.Errorf("%s at %s: %d", p.Key, path, r.StatusCode)
			}
		}
	}
}
