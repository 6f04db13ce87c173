package desk_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/html"
)

// fieldsOf are the fields of a page's forms that people fill in, as they read
// them: name → label, "(freiwillig)" included.
func fieldsOf(t *testing.T, body string) (fields map[string]string, order []string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	labels, names := map[string]string{}, map[string]string{} // by id
	var walk func(n *html.Node)
	attr := func(n *html.Node, key string) string {
		for _, a := range n.Attr {
			if a.Key == key {
				return a.Val
			}
		}
		return ""
	}
	var words func(n *html.Node) string
	words = func(n *html.Node) string {
		if n.Type == html.TextNode {
			return n.Data
		}
		var b strings.Builder
		for c := range n.ChildNodes() {
			b.WriteString(words(c))
		}
		return b.String()
	}
	walk = func(n *html.Node) {
		if n.Type == html.ElementNode {
			switch n.Data {
			case "label":
				labels[attr(n, "for")] = strings.Join(strings.Fields(words(n)), " ")
			case "input", "select", "textarea":
				if kind := attr(n, "type"); kind != "hidden" && kind != "submit" {
					names[attr(n, "id")] = attr(n, "name")
					order = append(order, attr(n, "name"))
				}
			}
		}
		for c := range n.ChildNodes() {
			walk(c)
		}
	}
	walk(doc)
	fields = map[string]string{}
	for id, name := range names {
		fields[name] = labels[id]
	}
	return fields, order
}

var middle = regexp.MustCompile(`(?s)<main.*</main>`)

// What the form to register a company asks (S07): R074, R075, R076, R077, R078,
// R079 must be given, R080, R082, R083, R084 may be (R085), R081 is not asked;
// R088 says why, in at most 300 characters that are counted (R089). R070 names
// both steps, R071, R072, R073 explain; whoever has no account signs in first (R068).
func TestR074WhatTheFormAsks(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		if to := w.must(w.get("", "/organizations/register"), http.StatusSeeOther); !strings.HasPrefix(to, "/login") {
			t.Error("a stranger gets the form (R068):", to)
		}
		page := w.get("bert", "/organizations/register")
		w.must(page, http.StatusOK, "<h1>Organisationskonto erstellen</h1>", // R070
			`<li aria-current="step">Dateneingabe</li><li>Zusammenfassung</li>`,
			"Bitte füllen Sie dafür das folgende Online-Formular aus.",                                   // R071
			"erfolgt ein Abgleich mit den bei Ihrer zuständigen Kammer gespeicherten Organisationsdaten", // R072
			"erhält die Geschäftsführung Ihrer Organisation postalisch ein Passwort für die Bestätigung", // R071
			"Nach Eingabe dieses Passworts wird das Organisationskonto freigeschaltet.",                  // R073
			"gemäß Impressum", // R074
			"Diese Angaben sind freiwillig, erleichtern aber den Abgleich",         // R085
			"Die Kammer wird automatisch aus der Anschrift ausgefüllt",             // R081
			"Mitgliedsnummer (= Identnummer)", "auf vielen Schreiben Ihrer Kammer", // R086
			"im Impressum Ihrer Unternehmenswebseite oder in Ihrer E-Mail-Signatur", // R087
			"Antrag auf Aufnahme der Organisation", "Handelsregister", "Noch 300 Zeichen verfügbar", "Weiter", "Abbrechen")
		fields, order := fieldsOf(t, middle.FindString(page.Body.String()))
		want := map[string]string{
			"name": "Firmierung", "legal_form": "Rechtsform", "street": "Straße", "house_number": "Hausnummer", "postcode": "PLZ", "place": "Ort",
			"ident_number": "Identnummer (freiwillig)", "register_number": "HR-Nummer (freiwillig)", "register_court": "Registergericht (freiwillig)", "register_kind": "Registerart (freiwillig)",
			"reason": "Bitte begründen Sie Ihren Antrag.",
		}
		for name, label := range want {
			if fields[name] != label {
				t.Errorf("the field %s is called %q, want %q", name, fields[name], label)
			}
		}
		if len(fields) != len(want) {
			t.Errorf("the form asks %q", order)
		}
		if !strings.Contains(page.Body.String(), `<select class="input" id="legal_form"`) { // R075: a list
			t.Error("the legal form is no choice")
		}

		// Each of the seven must be there; each of the four may be left out, one by one.
		without := func(field string) []string {
			form := bakery("check")
			for i := 0; i < len(form); i += 2 {
				if form[i] == field {
					return slices.Delete(slices.Clone(form), i, i+2)
				}
			}
			t.Fatal("no field", field)
			return nil
		}
		for name, label := range want {
			status := http.StatusUnprocessableEntity
			if strings.HasSuffix(label, "(freiwillig)") {
				status = http.StatusOK
			}
			if r := w.post("bert", "/organizations/register", without(name)...); r.Code != status {
				t.Errorf("without %s: %d, want %d", name, r.Code, status)
			} else if status != http.StatusOK && !strings.Contains(r.Body.String(), `id="`+name+`-error"`) {
				t.Errorf("what is missing of %s does not stand at the field", name)
			}
		}
		// R089: what is left is counted, in characters, not in bytes.
		reason := strings.Repeat("ß", 299)
		form := append(without("reason"), "reason", reason)
		form[slices.Index(form, "do")+1] = "edit"
		w.must(w.post("bert", "/organizations/register", form...), http.StatusOK, "Noch 1 Zeichen verfügbar")
		if utf8.RuneCountInString(reason) != 299 {
			t.Fatal("miscounted")
		}
	})
}

// R095, R096, R097, R099: three fields, none of them optional; each that is
// missing is said, and a chamber's number that is none.
func TestR095WhatActivatingAsks(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		page := w.get("bert", "/organizations/activate")
		w.must(page, http.StatusOK, "<h1>Organisation aktivieren</h1>", "Zum Aktivieren der Organisation füllen Sie bitte folgendes Formular aus.", ">Aktivieren</button>", ">Abbrechen</a>", "steht im Aktivierungsbrief und auf vielen Schreiben Ihrer Kammer")
		fields, order := fieldsOf(t, middle.FindString(page.Body.String()))
		if !slices.Equal(order, []string{"ident_number", "chamber_number", "code"}) || fields["ident_number"] != "Identnummer" || fields["chamber_number"] != "Kammernummer" || fields["code"] != "Passwort" {
			t.Errorf("the form asks %q: %q", order, fields)
		}
		w.must(w.post("bert", "/organizations/activate"), http.StatusUnprocessableEntity, `id="ident_number-error"`, `id="chamber_number-error"`, `id="code-error"`)
		w.must(w.post("bert", "/organizations/activate", "ident_number", "4711", "chamber_number", "99", "code", "3467-9ACD-EFGH"), http.StatusUnprocessableEntity, `id="chamber_number-error"`, `value="4711"`)
	})
}

// R207, R212: as long as a verification is only asked for, there is no company,
// nobody belongs to it, and nothing is sent.
func TestR207NothingBeforeTheRelease(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		none := func(when string) {
			t.Helper()
			for _, table := range []string{"organization", "membership", "letter", "evidence"} {
				if n := value[int](w, `SELECT count(*) FROM `+table); n != 0 {
					t.Errorf("%s: %d rows of %s", when, n, table)
				}
			}
		}
		id := w.submit("bert")
		none("asked for")
		w.must(w.post("clara", "/chamber/registrations/"+id, "do", "claim"), http.StatusSeeOther)
		w.must(w.post("clara", "/chamber/registrations/"+id, "do", "ask", "version", w.version(id), "question", "Wer sind Sie?"), http.StatusSeeOther)
		none("asked back")
		w.must(w.post("clara", "/chamber/registrations/"+id, "do", "refuse", "version", w.version(id), "refusal", "Nein."), http.StatusSeeOther)
		none("refused")
	})
}
