package story_test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/application"
	"zunft/internal/identity/policy"
	"zunft/internal/story"
)

// decides changes the policy that is the default of the story.
func decides(t testing.TB, w *story.World, change func(*policy.Policy)) {
	t.Helper()
	if err := w.IdentityDB.Write(t.Context(), func(tx *db.Tx) error {
		p, err := policy.Of(tx, "")
		if err != nil {
			return err
		}
		change(&p)
		return policy.Save(tx, audit.Console, p)
	}); err != nil {
		t.Fatal(err)
	}
}

var footLink = regexp.MustCompile(`<li><a href="(/[^"?]*)"[^>]*>([^<]+)</a></li>`)

// foot are the links under a page: "Text address".
func foot(body string) (all []string) {
	_, body, _ = strings.Cut(body, `<footer`)
	for _, m := range footLink.FindAllStringSubmatch(body, -1) {
		all = append(all, m[2]+" "+m[1])
	}
	return all
}

// R010, R011 (W10): the footer has one link "Hilfe und Kontakt", or the two of
// 2020, "Support" and "Kontakt", as the tenant decided: on every page, for
// strangers and for whoever is signed in, and each leads to what it says.
func TestR011TwoFooters(t *testing.T) {
	w := start(t, "sqlite", story.Options{})
	visitors := map[string]*visitor{"a stranger": newVisitor(t), "Lena": as(t, w, "lena"), "Clara": as(t, w, "clara")}
	says := func(want ...string) {
		t.Helper()
		for who, v := range visitors {
			for _, page := range []string{"/", "/help", "/imprint", "/nowhere", "/invitations/code"} {
				_, body := v.get(w.Identity + page)
				if got := foot(body); !slices.Equal(got, want) {
					t.Errorf("%s reads under %s: %q, want %q", who, page, got, want)
				}
			}
		}
	}
	rest := []string{"Datenschutzerklärung /privacy", "Impressum /imprint", "Barrierefreiheit /accessibility"}
	says(append([]string{"Informationspflichten /information-duties", "Nutzungshinweise /terms-of-use", "Hilfe und Kontakt /help"}, rest...)...)
	_, body := visitors["a stranger"].get(w.Identity + "/help")
	if !strings.Contains(body, "<h1>Hilfe und Kontakt</h1>") || !strings.Contains(text(body), "Kammer Musterland") {
		t.Error("help without contact:", text(body))
	}
	decides(t, w, func(p *policy.Policy) {
		p.Words.Support, p.Words.Contact = policy.Text{De: "Support", En: "Support"}, policy.Text{De: "Kontakt", En: "Contact"}
	})
	says(append([]string{"Informationspflichten /information-duties", "Nutzungshinweise /terms-of-use", "Support /help", "Kontakt /contact"}, rest...)...)
	for who, v := range visitors {
		r, support := v.get(w.Identity + "/help")
		r2, contact := v.get(w.Identity + "/contact")
		if r.StatusCode != http.StatusOK || r2.StatusCode != http.StatusOK {
			t.Fatal(who, r.StatusCode, r2.StatusCode)
		}
		if !strings.Contains(support, "<h1>Support</h1>") || !strings.Contains(contact, "<h1>Kontakt</h1>") || strings.Contains(text(support), "Zunftplatz") || !strings.Contains(text(contact), "Kammer Musterland") {
			t.Errorf("%s: support and contact are not told apart\n%s\n%s", who, text(support), text(contact))
		}
	}
	_, body = visitors["a stranger"].get(w.Identity + "/contact?lang=en")
	if got := foot(body); !slices.Contains(got, "Support /help") || !slices.Contains(got, "Contact /contact") || !strings.Contains(body, "<h1>Contact</h1>") {
		t.Errorf("in English: %q", got)
	}
}

// R119, R120 (W01): the way into a company that is registered is the tile
// "Unternehmen beitreten", or "Organisation beitreten" where the tenant has the
// words of 2020; it leads to a page of the same name, and to no other one.
func TestR120TheTileForJoining(t *testing.T) {
	tile := regexp.MustCompile(`<a class="tile" href="/organizations/join"><span class="tile-title">([^<]+)</span>`)
	for _, c := range []struct {
		words          policy.Words
		de, en, absent string
	}{
		{policy.Words{}, "Unternehmen beitreten", "Join a company", "Organisation beitreten"},
		{policy.Words{Join: policy.Text{De: "Organisation beitreten", En: "Join an organization"}}, "Organisation beitreten", "Join an organization", "Unternehmen beitreten"},
	} {
		rule, err := policy.Preset("meine-ihk")
		if err != nil {
			t.Fatal(err)
		}
		rule.Default, rule.Words, rule.Factor.Least = true, c.words, nil
		w := start(t, "sqlite", story.Options{Policy: &rule})
		nora := as(t, w, "nora")
		for _, lang := range []struct{ query, want string }{{"?lang=de", c.de}, {"?lang=en", c.en}} {
			_, body := nora.get(w.Identity + "/" + lang.query)
			if got := tile.FindStringSubmatch(body); got == nil || got[1] != lang.want {
				t.Errorf("the tile says %q, want %q", got, lang.want)
			}
			r, body := nora.get(w.Identity + "/organizations/join")
			if r.StatusCode != http.StatusOK || !strings.Contains(body, "<h1>"+lang.want+"</h1>") || !strings.Contains(body, "<title>"+lang.want+" –") {
				t.Errorf("the page behind the tile is not called %q", lang.want)
			}
			if strings.Contains(body, c.absent) {
				t.Errorf("the page says %q, too", c.absent)
			}
		}
		// It asks a company to be let in, and an administrator meets the request.
		r, body := nora.post(w.Identity+"/organizations/join", url.Values{"name": {"Bäckerei Morgenrot GmbH"}, "street": {"Nirgendweg"}, "house_number": {"1"}, "postcode": {"00999"}})
		if r.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(body, "<h1>"+c.en+"</h1>") {
			t.Errorf("with a mistake the page is called otherwise: %d", r.StatusCode)
		}
	}
}

// R015, R016: whoever is registered, with or without a company to administer,
// looks after their own account: every page of it opens for them, a change is
// kept; somebody without an account is asked to sign in, and changes nothing.
func TestR016OnesOwnAccount(t *testing.T) {
	w := start(t, "sqlite", story.Options{})
	stranger, members := newVisitor(t), map[string]*visitor{"anna": as(t, w, "anna"), "lena": as(t, w, "lena"), "bert": as(t, w, "bert")}
	if err := w.IdentityDB.Write(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(`UPDATE session SET proved_at = $1 WHERE NOT pending`, tx.Now())
		return err
	}); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, route := range w.ID.Mux.Routes {
		method, path, _ := strings.Cut(route.Pattern, " ")
		if !strings.HasPrefix(path, "/account") || strings.Contains(path, "{") || route.Open {
			continue
		}
		if method == "GET" {
			seen++
			for key, v := range members {
				if r, body := v.get(w.Identity + path); r.StatusCode != http.StatusOK && (r.StatusCode != http.StatusSeeOther || strings.Contains(r.Header.Get("Location"), "/login")) {
					t.Errorf("%s at %s: %d\n%s", key, path, r.StatusCode, text(body))
				}
			}
			if r, _ := stranger.get(w.Identity + path); r.StatusCode != http.StatusSeeOther || !strings.HasPrefix(r.Header.Get("Location"), "/login?next="+url.QueryEscape(path)) {
				t.Errorf("a stranger at %s: %d to %s", path, r.StatusCode, r.Header.Get("Location"))
			}
		} else if r, _ := stranger.post(w.Identity+path, url.Values{"title": {"Dr."}}); r.StatusCode != http.StatusSeeOther || !strings.HasPrefix(r.Header.Get("Location"), "/login") {
			t.Errorf("a stranger posts to %s: %d to %s", path, r.StatusCode, r.Header.Get("Location"))
		}
	}
	if seen < 15 {
		t.Errorf("only %d pages about the account", seen)
	}
	for key, v := range members {
		of := func(column string) string {
			return value(t, w.IdentityDB, `SELECT `+column+` FROM account WHERE username = '`+w.Person(key).Username+`'`)
		}
		given, family := of("given_name"), of("family_name")
		form := url.Values{"salutation": {""}, "title": {"Dr."}, "given_name": {given}, "family_name": {family}, "username": {w.Person(key).Username}, "language": {"de"}}
		r, body := v.post(w.Identity+"/account/profile/edit", form)
		if r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "/account/profile" {
			t.Fatalf("%s: %d to %s\n%s", key, r.StatusCode, r.Header.Get("Location"), text(body))
		}
		if _, body := v.get(w.Identity + "/account/profile"); !strings.Contains(text(body), "Dr.") || !strings.Contains(text(body), "Ihre persönlichen Daten wurden geändert") {
			t.Errorf("%s: the change is not there", key)
		}
		stranger.post(w.Identity+"/account/profile/edit", url.Values{"title": {"Prof."}, "given_name": {given}, "family_name": {family}, "username": {w.Person(key).Username}})
		if title := of("title"); title != "Dr." {
			t.Errorf("%s is called %q", key, title)
		}
	}
}

// Help and contact in all their states.
func TestGalleryHelp(t *testing.T) {
	t.Parallel() // they meet nobody: two look at once, on two cores
	w := start(t, "sqlite", story.Options{})
	if err := w.IdentityDB.Write(t.Context(), func(tx *db.Tx) error {
		a, err := application.ByClientID(tx, "training")
		if err != nil {
			return err
		}
		a.Support, a.ManualURI = "berichtsheft@beispiel.example", "https://training.example/hilfe"
		return application.Change(tx, audit.Console, a)
	}); err != nil {
		t.Fatal(err)
	}
	decides(t, w, func(p *policy.Policy) {
		p.Guides = []policy.Guide{
			{Title: policy.Text{De: "Rollen vergeben", En: "Giving roles"}, URL: "https://video.example/1", Video: true},
			{Title: policy.Text{De: "Nutzungshandbuch", En: "Manual"}, URL: "https://kammer-musterland.example/handbuch.pdf"},
		}
	})
	p := walks(t, w, "stranger")
	look := func(name, path string) {
		t.Helper()
		p.Open(w.Identity + path)
		p.Inspect("help-" + name)
	}
	look("one", "/help")
	look("contact", "/contact")
	decides(t, w, func(p *policy.Policy) {
		p.Words = policy.Words{Support: policy.Text{De: "Support", En: "Support"}, Contact: policy.Text{De: "Kontakt", En: "Contact"}}
	})
	look("support", "/help")
	if err := w.IdentityDB.Write(t.Context(), func(tx *db.Tx) error {
		for _, number := range []string{"901", "902", "903"} {
			if _, err := tx.Exec(`INSERT INTO chamber (id, number, name, short_name, phone, hours, created_at) VALUES ($1, $1, $2, $2, '0901 1', 'Mo–Fr 8–12 Uhr', $3)`, number, "Kammer "+number, tx.Now()); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	look("many", "/contact")
	look("english", "/contact?lang=en")
}
