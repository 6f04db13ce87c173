package joining_test

import (
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
)

func v(pairs ...string) url.Values {
	f := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		f.Add(pairs[i], pairs[i+1])
	}
	return f
}

var bakeryData = v("name", "BÄCKEREI Brotmann G.m.b.H.", "street", "Hauptstr.", "house_number", "01", "postcode", "99999")

// asks goes both steps of joining and returns the request's path.
func (w *world) asks(who, reason string, roles ...string) string {
	w.Helper()
	step2 := w.post(who, "/organizations/join", bakeryData).to
	done := w.post(who, step2, url.Values{"reason": {reason}, "roles": roles}).to
	return strings.TrimSuffix(done, "/sent")
}

// The whole story of step 7: R018, R062, R118 to R144 (R138, R140).
func TestJoinStory(t *testing.T) {
	each(t, func(w *world) {
		w.get("", "/").shows("Anmelden", "Jetzt registrieren", "So funktioniert es")
		w.get("anna", "/").shows("Jetzt zu tun", "Ihrem Unternehmen beitreten", "Funktionen", "Unternehmen beitreten", "Neue Organisation anlegen", "Organisation aktivieren"). // R069, R094, R119
																							hides("Offene Anfragen") // R183
		w.get("anna", "/organizations/join").shows("Firmierung", "Straße", "Hausnummer", "PLZ", "Identnummer", "freiwillig", // R124
			"Impressum", "Hauptsitzes") // R122, R123

		step2 := w.post("anna", "/organizations/join?next=%2Foauth2%2Fauthorize%3Fx%3D1", bakeryData).to // W06: exact after normalization
		w.get("anna", step2).shows("Bäckerei Brotmann GmbH", "Hauptstraße 1, 99999 Musterstadt", "Noch 300 Zeichen", "Ausbilder:in", "Zeichnet Nachweise ab").
			hides("Bert Beispiel") // who administers is for members only
		if w.raw("carl", "GET", step2, nil).Code != 404 {
			t.Error("somebody else's find opens for Carl")
		}
		apprentice := w.app.ID + " apprentice"
		w.do("anna", "POST", step2, v("roles", apprentice), 422).shows("Geben Sie eine Begründung ein", "checked")
		sent := w.post("anna", step2, v("reason", "Ich bin <Azubi>.", "roles", apprentice)).to
		w.get("anna", sent).shows("Anfrage gesendet", "So geht es weiter", `href="/oauth2/authorize?x=1"`)
		path, _, _ := strings.Cut(sent, "/sent")
		w.get("anna", path).shows("Offen", "Anfrage zurückziehen").hides("Bert", "genehmigen")
		w.get("anna", "/requests").shows("Beitritt zu Bäckerei Brotmann GmbH", "Offen")
		w.do("anna", "POST", w.post("anna", "/organizations/join", bakeryData).to, v("reason", "noch einmal"), 409).shows("schon eine Anfrage")

		// R129–R133: dashboard, sections with counts, the line.
		if body := w.get("bert", "/").body; !strings.Contains(body, "<details><summary>Offene Anfragen (1)</summary>") {
			t.Error("the open requests do not unfold (R130)")
		}
		w.get("bert", "/").shows("Offene Anfragen (1)", "Meine Anfragen (0)", "Rollenanfragen (0)", "anna → Bäckerei Brotmann GmbH", "Anfrageinformationen", "Mir zuweisen", "1 offene Anfrage beantworten", "Seit heute")
		w.get("bert", "/notifications").shows("Anna Beispiel möchte Bäckerei Brotmann GmbH beitreten.", "Alle als gelesen markieren")
		w.post("bert", "/notifications/read", nil)
		w.get("bert", "/notifications").shows(path).hides("Alle als gelesen markieren")
		w.get("bert", "/organizations/bakery/requests").shows("Offene Anfragen (1)", "anna → Bäckerei Brotmann GmbH", "Anfrageinformationen", "Mir zuweisen")

		// Nobody else sees anything of it.
		for _, p := range []string{path, "/organizations/bakery", "/organizations/bakery/requests", "/organizations/bakery/members", "/organizations/bakery/roles", "/organizations/bakery/leave"} {
			w.do("carl", "GET", p, nil, 404)
		}
		for _, step := range []string{"claim", "release", "approve", "deny", "withdraw"} {
			w.do("carl", "POST", path+"/"+step, v("answer", "x"), 404)
		}
		w.do("anna", "POST", path+"/claim", nil, 404)
		w.do("", "GET", path, nil, 303)

		// R131, R132, R136–R141.
		w.get("bert", path).shows("Mir zuweisen", "genehmigen")
		w.post("bert", path+"/claim", nil)
		w.get("bert", path).shows("Beitrittsanfrage", "vom ", "Benutzername anna", "Vorname Anna", "Nachname Beispiel", "Firmierung Bäckerei Brotmann GmbH", "Identnummer 4711b", "Kammer Kammer Musterland",
			"Beantragte Rollen Auszubildende:r", "Beitrittsgrund Ich bin &lt;Azubi&gt;.", "Grund bei Ablehnung", "Noch 500 Zeichen verfügbar", "Abbrechen", "ablehnen", "genehmigen")
		w.get("bert", "/").shows("Meine Anfragen (1)", "Offene Anfragen (0)")
		w.get("berta", path).shows("bearbeitet gerade Bert Beispiel").hides("genehmigen")
		w.get("berta", "/organizations/bakery/requests").shows("In Bearbeitung bei anderen (1)", "bei Bert Beispiel")
		w.do("berta", "POST", path+"/claim", nil, 409).shows("inzwischen jemand anderes")
		w.do("berta", "POST", path+"/approve", nil, 409)

		// L09: denied only with a reason; what was typed and ticked stays.
		w.do("bert", "POST", path+"/deny", v("answer", strings.Repeat("x", 501), "roles", w.app.ID+" trainer"), 422).shows("höchstens 500 Zeichen", "xxxxx", "checked")
		w.do("bert", "POST", path+"/deny", v("answer", " "), 422).shows("Geben Sie einen Grund für die Ablehnung ein")

		// R022, R127: accepted, with the role at once.
		w.post("bert", path+"/approve", v("roles", apprentice))
		w.get("bert", path).shows("Diese Anfrage hat Bert Beispiel bereits angenommen.")
		w.do("berta", "POST", path+"/deny", v("answer", "nein"), 409).shows("Diese Anfrage hat Bert Beispiel bereits angenommen.")
		w.get("anna", path).shows("Ihre Anfrage wurde angenommen").hides("Bert")
		w.get("anna", "/").shows("Meine Unternehmen", "Bäckerei Brotmann GmbH", "Hauptstraße 1, 99999 Musterstadt", "Kammer Musterland", "Auszubildende:r", // R135, R144
			"Rolle beantragen", "Aus Organisation austreten", "Berichtsheft", `<a href="https://training.example/help">Handbuch</a>`). // R007, R204
			hides(">Administration<")
		w.get("anna", "/organizations/bakery").shows("Bert Beispiel")  // members may know
		w.do("anna", "GET", "/organizations/bakery/members", nil, 403) // admins only
		w.do("anna", "POST", "/join/x", v("reason", ""), 404)          // no id opens anything
		w.do("anna", "POST", w.post("anna", "/organizations/join", bakeryData).to, v("reason", "noch einmal"), 409).shows("gehören schon")
	})
}

// R121, W06: near misses are as unknown as nonsense, and tries are counted.
func TestFind(t *testing.T) {
	each(t, func(w *world) {
		w.do("anna", "POST", "/organizations/join", v("name", "Bäckerei"), 422).shows("Geben Sie die Straße ein", "Geben Sie die PLZ ein", `value="Bäckerei"`)
		miss := func(change ...string) string {
			form := url.Values{}
			for k, x := range bakeryData {
				form[k] = x
			}
			for i := 0; i < len(change); i += 2 {
				form.Set(change[i], change[i+1])
			}
			body := w.do("anna", "POST", "/organizations/join", form, 422).shows("finden wir kein hier registriertes Unternehmen").body
			return body[strings.Index(body, `class="summary"`):strings.Index(body, "<form class=")]
		}
		first := miss("name", "Gibt es nicht")
		for _, change := range [][]string{{"name", "Bäckerei Brotmann"}, {"house_number", "2"}, {"postcode", "99998"}, {"ident_number", "1"}} {
			if miss(change...) != first {
				t.Errorf("%v: the answer tells more", change)
			}
		}
		w.write(func(tx *tx) error {
			_, err := tx.Exec(`UPDATE organization SET state = 'letter' WHERE id = 'bakery'`)
			return err
		})
		if miss() != first {
			t.Error("a company that is not active is told apart")
		}
		limited := false
		for range 20 {
			limited = limited || w.raw("anna", "POST", "/organizations/join", bakeryData).Code == 429
		}
		if !limited {
			t.Error("companies can be tried without limit")
		}
	})
}

// R061, R063, R064, R127, R128, R142, R143: a member without a role; roles by yes and no in the member list.
func TestMembers(t *testing.T) {
	each(t, func(w *world) {
		path := w.asks("anna", "Ich bin Azubi.")
		w.post("bert", path+"/claim", nil)
		w.post("bert", path+"/approve", nil)
		w.get("anna", "/").shows("noch keine", "Rolle bei Bäckerei Brotmann GmbH beantragen").hides("training.example")
		list := w.get("bert", "/organizations/bakery/members").shows("Organisationsmitglieder", "3 Mitglieder", "Anna Beispiel", "ohne Rolle")
		w.get("bert", "/organizations/bakery/members?q=ANN%20beisp").shows("Anna Beispiel").hides("Berta")
		w.get("bert", "/organizations/bakery/members?q=zz").shows("Keine Treffer für „zz“")
		anna := w.member("anna", "bakery")
		if strings.Contains(list.body, "<form class=\"split\"") || !strings.Contains(list.body, "/members?open="+anna+"#m-"+anna) {
			t.Error("every line carries its forms, or none leads to them")
		}
		one := w.get("bert", "/organizations/bakery/members?open="+anna).shows("<details open>", "Berichtsheft", "Ja", "Nein")
		if strings.Count(one.body, "<details open>") != 1 || !strings.Contains(one.body, "/members/"+anna+"/roles") || strings.Contains(one.body, "/members/"+w.member("bert", "bakery")+"/roles") {
			t.Error("not Anna's forms, or not hers alone")
		}
		set := v("application", w.app.ID, "role", "apprentice", "yes", "1")
		w.do("carl", "POST", "/organizations/bakery/members/"+anna+"/roles", set, 404)
		w.do("anna", "POST", "/organizations/bakery/members/"+anna+"/roles", set, 403)
		back := w.post("bert", "/organizations/bakery/members/"+anna+"/roles?q=anna", set).to
		w.get("bert", strings.SplitN(back, "#", 2)[0]).shows("<details open>", `aria-pressed="true"`, "Auszubildende:r")
		w.get("anna", "/").shows("https://training.example/")
		set.Set("yes", "0")
		w.post("bert", "/organizations/bakery/members/"+anna+"/roles", set)
		w.get("anna", "/").hides("https://training.example/")
		bell := w.get("anna", "/notifications").shows("jetzt die Rolle „Auszubildende:r“", "nicht mehr")
		notice := regexp.MustCompile(`action="(/notifications/[0-9a-f-]{36})"`).FindAllStringSubmatch(bell.body, -1)
		w.do("carl", "POST", notice[0][1], nil, 404) // somebody else's
		if to := w.post("anna", notice[0][1], nil).to; !strings.HasPrefix(to, "/") {
			t.Errorf("a notice leads to %q", to)
		}
		if rest := w.get("anna", "/notifications").body; strings.Contains(rest, notice[0][1]) || strings.Count(rest, `action="/notifications/`) != strings.Count(bell.body, `action="/notifications/`)-1 {
			t.Error("a notice that was opened is not read, or others are")
		}

		// Admins: yes, no, and never none (L06).
		w.post("bert", "/organizations/bakery/members/"+anna+"/admin", v("yes", "1"))
		w.get("anna", "/organizations/bakery/members").shows("Unternehmensadministration")
		w.post("anna", "/organizations/bakery/members/"+w.member("bert", "bakery")+"/admin", v("yes", "0"))
		w.get("anna", "/organizations/bakery/members/"+w.member("berta", "bakery")+"/remove").shows("Berta Beispiel entfernen?")
		w.post("anna", "/organizations/bakery/members/"+w.member("berta", "bakery")+"/remove", nil)
		w.do("berta", "GET", "/organizations/bakery", nil, 404)
		w.do("anna", "POST", "/organizations/bakery/members/"+anna+"/admin", v("yes", "0"), 409).shows("mindestens eine Person in der Administration", "<details open>")
		w.get("anna", "/organizations/bakery/leave").shows("einzige Person").hides("<button class=\"button-danger\"")
		w.do("anna", "POST", "/organizations/bakery/leave", nil, 409)
		w.post("bert", "/organizations/bakery/leave", nil)
		w.get("bert", "/").hides("Bäckerei")
	})
}

// R019, R145–R148, S17, S18: asking for a role that an application misses.
func TestRoleRequest(t *testing.T) {
	each(t, func(w *world) {
		path := w.asks("anna", "Ich bin Azubi.")
		w.post("bert", path+"/claim", nil)
		w.post("bert", path+"/approve", nil)
		ask := "/organizations/bakery/roles?application=training&role=trainer&next=%2Foauth2%2Fauthorize"
		page := w.get("anna", ask).shows("Rolle beantragen", "Ausbilder:in", "Zeichnet Nachweise ab", "Begründung", "Beantragen", "Bert Beispiel")
		if strings.Count(page.body, " checked") != 1 {
			t.Error("the wanted role is not preselected")
		}
		w.do("anna", "POST", ask, v("reason", "bleibt stehen"), 422).shows("Wählen Sie mindestens eine Rolle", "bleibt stehen").hides(" checked")
		w.do("anna", "POST", ask, v("roles", w.app.ID+" boss", "reason", "x"), 422)
		sent := w.post("anna", ask, url.Values{"roles": {w.app.ID + " trainer", w.app.ID + " apprentice"}, "reason": {"Ich bilde aus."}}).to // R146: several
		w.get("anna", sent).shows("Rollenanfrage", `href="/oauth2/authorize"`)
		w.get("anna", "/organizations/bakery/roles").shows("schon Rollen beantragt")
		w.get("bert", "/").shows("Rollenanfragen (1)") // R134
		request := strings.SplitN(sent, "/sent", 2)[0]
		w.post("bert", request+"/claim", nil)
		w.get("bert", request).shows("Rollenanfrage", "Begründung Ich bilde aus.", "ablehnen", "genehmigen")
		w.do("bert", "POST", request+"/approve", nil, 422).shows("Wählen Sie mindestens eine Rolle, die Sie vergeben")
		w.get("anna", "/").hides("https://training.example/") // R148: not before
		w.post("bert", request+"/approve", v("roles", w.app.ID+" trainer"))
		w.get("anna", "/").shows("https://training.example/", "Ausbilder:in")
	})
}

// R131: 64 browsers claim one request; one of them gets it.
func TestClaimRace(t *testing.T) {
	each(t, func(w *world) {
		path := w.asks("anna", "Ich bin Azubi.")
		if won := w.race(64, func(i int) int { return w.raw([]string{"bert", "berta"}[i%2], "POST", path+"/claim", nil).Code }); won[303] != 1 || won[409] != 63 {
			t.Errorf("claims: %v", won)
		}
	})
}

// Approve, deny and withdraw from 64 browsers: one final state.
func TestDecisionRace(t *testing.T) {
	each(t, func(w *world) {
		path := w.asks("anna", "Ich bin Azubi.")
		w.post("bert", path+"/claim", nil)
		won := w.race(64, func(i int) int {
			switch i % 3 {
			case 0:
				return w.raw("bert", "POST", path+"/approve", nil).Code
			case 1:
				return w.raw("bert", "POST", path+"/deny", v("answer", "nein")).Code
			}
			return w.raw("anna", "POST", path+"/withdraw", nil).Code
		})
		decided := w.count(`SELECT count(*) FROM audit WHERE event IN ('join.approved', 'join.denied', 'join.withdrawn')`)
		if won[303] != 1 || won[409] != 63 || decided != 1 {
			t.Errorf("answers %v, decisions %d", won, decided)
		}
	})
}

func (w *world) race(n int, step func(i int) int) map[int]int {
	start, codes := make(chan struct{}), make(chan int, n)
	var ready sync.WaitGroup
	for i := range n {
		ready.Add(1)
		go func() {
			ready.Done()
			<-start
			codes <- step(i)
		}()
	}
	ready.Wait()
	close(start)
	counts := map[int]int{}
	for range n {
		counts[<-codes]++
	}
	return counts
}

func (w *world) member(who, org string) (id string) {
	w.Helper()
	w.write(func(tx *tx) (err error) { id, err = membershipID(tx, w.ids[who], org); return err })
	return id
}
