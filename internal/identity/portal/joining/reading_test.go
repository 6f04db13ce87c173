package joining_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/membership"
)

var when = regexp.MustCompile(`<time class="number" datetime="\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ">[^<]*\d\d\.\d\d\.\d{4}, \d\d:\d\d</time>`)

// R124: what the form to join asks, and what it does not: no place, no reason
// yet (W24). R123 says of which seat. R120 has its own test (package story).
func TestR124WhatTheFormAsks(t *testing.T) {
	each(t, func(w *world) {
		page := w.get("anna", "/organizations/join").shows("immer die Daten des Hauptsitzes", "Identnummer (freiwillig)")
		_, form, _ := strings.Cut(page.body, `<form class="form"`)
		form, _, _ = strings.Cut(form, "</form>")
		var asked []string
		for _, m := range regexp.MustCompile(`<(?:input|select|textarea)[^>]*\bname="([^"]+)"[^>]*>`).FindAllStringSubmatch(form, -1) {
			if m[1] != "form_key" {
				asked = append(asked, m[1])
			}
		}
		if got := strings.Join(asked, " "); got != "name street house_number postcode ident_number" {
			t.Errorf("the form asks %q", got)
		}
	})
}

// R114, R133, R136 (W23): where a request is listed and where it is decided stand
// day and time as people here read them, and as machines do. R126, R139: whoever
// decides reads why, and which roles, as they were asked for.
func TestR136WhenAndWhy(t *testing.T) {
	each(t, func(w *world) {
		path := w.asks("anna", "Hallo, bitte fürs Unternehmen freischalten.\nIch bin <b>Azubi</b>.", w.app.ID+" apprentice", w.app.ID+" trainer")
		for place, page := range map[string]string{"dashboard (R114)": "/", "list (R133)": "/organizations/bakery/requests", "request (R136)": path} {
			if body := w.get("bert", page).body; !when.MatchString(body) {
				t.Errorf("%s: no day and time", place)
			}
		}
		w.get("bert", "/").shows("<h2>Beitrittsanfragen</h2>", "<h2>Rollenanfragen</h2>") // R114, R134
		w.get("bert", path).shows("vom ", "Hallo, bitte fürs Unternehmen freischalten. Ich bin &lt;b&gt;Azubi&lt;/b&gt;.", "Auszubildende:r", "Ausbilder:in")
	})
}

// R025, R030, R214: an administrator is no user of any application; the first
// page suggests to take a role oneself, until there is one. Whoever administers
// nothing is led to ask for one (R058, R059 begin there).
func TestR214OnesOwnRole(t *testing.T) {
	each(t, func(w *world) {
		own, ask := "Sich selbst eine Rolle bei Bäckerei Brotmann GmbH geben", "Rolle bei Bäckerei Brotmann GmbH beantragen"
		w.get("bert", "/").shows(own).hides(ask, "https://training.example/\"")
		w.write(func(tx *db.Tx) error { return membership.Grant(tx, audit.Console, w.bakery, w.ids["anna"], false) })
		w.get("anna", "/").shows(ask).hides(own)
		w.post("bert", "/organizations/bakery/members/"+w.member("bert", "bakery")+"/roles", url.Values{"application": {w.app.ID}, "role": {"trainer"}, "yes": {"1"}})
		w.get("bert", "/").shows(`href="https://training.example/"`, "Ausbilder:in").hides(own)
		w.get("berta", "/").shows(own) // each for themselves
	})
}
