package planning_test

import (
	"slices"
	"strings"
	"testing"

	"zunft/internal/training/planning"
)

// Sentences as apprentices of ten occupations write them, with what German does
// to words: compounds, endings, umlauts, participles. A suggestion that is missing
// costs a tap, and one too many as well.
func TestSuggestionsKnowGermanWords(t *testing.T) {
	plan := func(list string) (sections []planning.Section) {
		for line := range strings.Lines(list) {
			number, keywords, _ := strings.Cut(strings.TrimSpace(line), ": ")
			sections = append(sections, planning.Section{ID: number, Number: number, Keywords: keywords})
		}
		return sections
	}
	for _, c := range []struct{ occupation, plan, text, want string }{
		{"Bäckerin", "brot: weizen roggen brotteig\nofen: ofen backofen\ntorte: torte sahne", "Weizenmischbrote und Roggenteige angesetzt, danach die Öfen gereinigt.", "brot ofen"},
		{"Anlagenmechaniker", "schweissen: schweissen loeten\nrohr: rohrleitung biegen\nkunde: kunde uebergabe", "Kupferrohre gelötet, Halterungen geschweißt und die Heizungsrohrleitungen auf Dichtheit geprüft", "rohr schweissen"},
		{"Kauffrau für Büromanagement", "rechnung: rechnung mahnung buchung\npost: posteingang brief\ntermin: termin besprechung", "Eingangsrechnungen gebucht, zwei Mahnungen geschrieben und Besprechungstermine abgestimmt; der Rechner war langsam", "rechnung termin"},
		{"Fachinformatiker", "netz: netzwerk switch\ncode: programmieren testen\nhilfe: ticket anwender", "Im Support Anwendertickets bearbeitet, ein Skript programmiert und getestet, Netzwerkdosen beschriftet", "code hilfe netz"},
		{"Tischler", "holz: saegen hobeln holz\nflaeche: oberflaeche lackieren schleifen\nmontage: montieren", "Massivholz zugesägt, Kanten gehobelt, Flächen geschliffen und Türen lackiert", "flaeche holz"},
		{"Koch", "gemuese: gemuese schneiden\nfisch: fisch\nhygiene: hygiene temperatur", "Gemüse geschnitten, Fischfilets gebraten, Kühltemperaturen ins HACCP-Blatt eingetragen", "fisch gemuese hygiene"},
		{"Medizinische Fachangestellte", "labor: blutentnahme urin labor\nempfang: patient anmeldung\nabrechnung: abrechnung", "Patientinnen und Patienten angemeldet, bei Blutentnahmen assistiert, Urinproben untersucht", "empfang labor"},
		{"Fachkraft für Lagerlogistik", "annahme: wareneingang annehmen entladen\nlagern: einlagern kommissionieren\ninventur: inventur zaehlen", "LKW entladen, Ware eingelagert und 40 Aufträge kommissioniert, Bestände gezählt", "annahme lagern"},
		{"Gärtner", "boden: boden duenger\npflanzen: pflanzen aussaat\nbaum: baum gehoelz", "Böden gelockert und gedüngt, Gehölze geschnitten, Stauden gepflanzt", "baum boden pflanzen"},
		{"Mechatroniker", "messen: messen pruefen\nschaltschrank: schaltschrank verdrahten\nhydraulik: hydraulik pneumatik", "Schaltschränke verdrahtet, Isolationswiderstand gemessen, Pneumatikzylinder getauscht", "hydraulik messen schaltschrank"},
	} {
		var got []string
		for _, s := range planning.Suggest(plan(c.plan), c.text) {
			got = append(got, s.Number)
		}
		slices.Sort(got)
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q suggests %v, wanted %s", c.occupation, c.text, got, c.want)
		}
	}
	// Those for which more words speak come first; of as many, in the plan's order.
	order := plan("torte: torte\nbrot: weizen roggen teig\nofen: ofen\nkunde: kunde beratung")
	var got []string
	for _, s := range planning.Suggest(order, "Weizen und Roggen zu Teig, in den Ofen, eine Torte, Kundenberatung") {
		got = append(got, s.Number)
	}
	if strings.Join(got, " ") != "brot kunde torte ofen" {
		t.Errorf("in the order %v", got)
	}
	// What comes close, and is none.
	for _, c := range [][2]string{{"rechnung", "der Rechner war langsam"}, {"ofen", "offen gesprochen"}} {
		if s := planning.Suggest([]planning.Section{{ID: "x", Keywords: c[0]}}, c[1]); len(s) > 0 {
			t.Errorf("%q suggests %s", c[1], c[0])
		}
	}
}
