// Package registry reads lists of apprenticeships: what the chamber's registry
// (Verzeichnis der Berufsausbildungsverhältnisse, § 34 BBiG) hands over, and what
// a company keeps in its own table.
//
//   - Columns are found by their headings, in German and English, as people
//     write them. Days may be 01.08.2026, 2026-08-01 or what Excel counts.
//   - A row that cannot be used is named with its line and what to mend; the
//     others count.
//   - The same list again changes nothing: a row is found again by its apprentice
//     number, in a company also by name, occupation and first day.
//   - What the registry says of occupation, days and numbers replaces what was
//     there; what a company says never replaces the registry's word.
package registry

import (
	"embed"
	"slices"
	"strconv"
	"strings"
	"time"

	"zunft/internal/ground/fault"
	"zunft/internal/ground/table"
	"zunft/internal/training/apprenticeship"
	"zunft/internal/training/calendar"
	"zunft/internal/training/occupation"
)

// Phrases of this package.
//
//go:embed phrases/*.json
var Phrases embed.FS

// headings of the columns, folded.
var headings = map[string]string{
	"given_name":     "vorname vornamen rufname givenname givennames firstname forename",
	"family_name":    "nachname familienname zuname surname lastname familyname",
	"name":           "name vorundnachname vornamenachname nachnamevorname auszubildende auszubildender azubi fullname apprentice trainee",
	"email":          "email emailadresse mail emailaddress mailadresse",
	"number":         "azubinr azubinummer azubiidentnummer azubiidentnr auszubildendennummer identnummerazubi apprenticenumber traineenumber apprenticeno",
	"ident":          "identnummer identnr ident identnummerbetrieb betriebsidentnummer unternehmensidentnummer mitgliedsnummer betriebsnummer identnumber companynumber",
	"occupation":     "ausbildungsberuf beruf berufsbezeichnung ausbildungals occupation trade profession",
	"starts_on":      "beginn ausbildungsbeginn vertragsbeginn ausbildungvon von start startson begin from",
	"ends_on":        "ende ausbildungsende vertragsende ausbildungbis bis end endson until",
	"trainer_number": "ausbildernr ausbildernummer ausbilderidentnummer ausbilderidentnr identnummerausbilder trainernumber trainerno",
	"trainer":        "ausbilder ausbilderin ausbildende ausbildender zustaendig zustaendigeausbilderin trainer",
	"retraining":     "umschulung art vertragsart retraining kind",
	"site":           "standort betriebsstaette ausbildungsstaette ausbildungsort niederlassung filiale werk site branch location",
	"land":           "bundesland land state",
}

// columnsOf says which column is where; of two with one meaning the first counts.
func columnsOf(header []string) map[string]int {
	at := map[string]int{}
	for i, h := range header {
		folded := table.FoldHeading(h)
		for meaning, all := range headings {
			if _, taken := at[meaning]; !taken && slices.Contains(strings.Fields(all), folded) {
				at[meaning] = i
			}
		}
	}
	// "Name" beside "Vorname" is the family name.
	if i, full := at["name"]; full {
		if _, given := at["given_name"]; given {
			if _, family := at["family_name"]; !family {
				at["family_name"] = i
			}
			delete(at, "name")
		}
	}
	return at
}

// A Row of a list.
type Row struct {
	Line    int
	Ident   string // of the company; registry only
	Trainer string // number, address or name, as it stands there
	Wish    apprenticeship.Wish
	Out     bool     `json:",omitempty"` // the company leaves it out
	Cells   []string `json:",omitempty"`
	Problem []fault.Problem
}

// read makes a row of cells.
func read(line int, cells []string, at map[string]int) Row {
	cell := func(meaning string) string {
		if i, ok := at[meaning]; ok && i < len(cells) {
			return table.Clean(cells[i])
		}
		return ""
	}
	r := Row{Line: line, Ident: cell("ident"), Trainer: cell("trainer_number"), Cells: cells}
	if r.Trainer == "" {
		r.Trainer = cell("trainer")
	}
	w := &r.Wish
	w.GivenName, w.FamilyName, w.Email, w.Number, w.Site = cell("given_name"), cell("family_name"), cell("email"), cell("number"), cell("site")
	if w.GivenName+w.FamilyName == "" {
		w.GivenName, w.FamilyName = table.SplitName(cell("name"))
	}
	if o, ok := occupation.Find(cell("occupation")); ok {
		w.Occupation = o.Key
	} else if typed := cell("occupation"); typed != "" {
		r.say("occupation", "registry.occupation_unknown", typed)
	}
	for _, d := range []struct {
		meaning string
		to      *calendar.Date
	}{{"starts_on", &w.StartsOn}, {"ends_on", &w.EndsOn}} {
		var ok bool
		if *d.to, ok = date(cell(d.meaning)); !ok {
			r.say(d.meaning, "registry.day_form", cell(d.meaning))
		}
	}
	kind := strings.ToLower(cell("retraining"))
	w.Retraining = strings.Contains(kind, "umschul") || strings.Contains(kind, "retrain") || slices.Contains([]string{"ja", "yes", "x", "1"}, kind)
	w.Land = land(cell("land"))
	r.check()
	return r
}

func (r *Row) say(field, key string, args ...any) {
	r.Problem = append(r.Problem, fault.Problem{Field: field, Key: key, Args: args})
}

// check adds what the rule for apprenticeships complains of, one complaint a field.
func (r *Row) check() {
	f := fault.Of(r.Wish.Check())
	if f == nil {
		return
	}
	for _, p := range f.Problems {
		if !slices.ContainsFunc(r.Problem, func(x fault.Problem) bool { return x.Field == p.Field }) {
			r.Problem = append(r.Problem, p)
		}
	}
}

// date reads a day as lists write it; empty is none.
func date(s string) (calendar.Date, bool) {
	if s == "" {
		return "", true
	}
	if n, err := strconv.Atoi(s); err == nil && n > 30000 && n < 75000 { // days since 30.12.1899
		return calendar.DateOf(time.Date(1899, 12, 30+n, 0, 0, 0, 0, time.UTC)), true
	}
	day, _, _ := strings.Cut(s, " ") // "2026-08-01 00:00:00"
	day, _, _ = strings.Cut(day, "T")
	for _, layout := range []string{time.DateOnly, "2.1.2006", "2.1.06", "20060102"} {
		if t, err := time.Parse(layout, day); err == nil {
			return calendar.ParseDate(t.Format(time.DateOnly))
		}
	}
	return "", false
}

var laender = map[string]string{
	"badenwuerttemberg": "BW", "bayern": "BY", "berlin": "BE", "brandenburg": "BB", "bremen": "HB", "hamburg": "HH", "hessen": "HE", "mecklenburgvorpommern": "MV", "niedersachsen": "NI",
	"nordrheinwestfalen": "NW", "rheinlandpfalz": "RP", "saarland": "SL", "sachsen": "SN", "sachsenanhalt": "ST", "schleswigholstein": "SH", "thueringen": "TH",
}

// land is the key of a federal state by its name or key; what is neither stays
// and is complained of.
func land(s string) string {
	if key, ok := laender[table.FoldHeading(s)]; ok {
		return key
	}
	return strings.ToUpper(s)
}
