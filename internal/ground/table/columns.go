package table

import (
	"slices"
	"strings"

	"zunft/internal/ground/plain"
)

// What a column holds.
const (
	Email            = "email"
	GivenName        = "given_name"
	FamilyName       = "family_name"
	FullName         = "full_name"
	RoleName         = "role"
	SiteName         = "site"
	ApprenticeNumber = "apprentice_number"
	TrainerNumber    = "trainer_number"
	Number           = "number" // of an apprentice or a trainer, as the role says
	Language         = "language"
	Unused           = ""  // of no interest
	ignored          = "-" // a heading we know and do not use
)

// Meanings in the order of the page.
func Meanings() []string {
	return []string{GivenName, FamilyName, FullName, Email, RoleName, SiteName, ApprenticeNumber, TrainerNumber, Number, Language}
}

// headings that people write, folded and without blanks, in both languages.
var headings = map[string]string{
	Email:            "email emails emailadresse mail mailadresse emailaddress epost eadresse emailgeschaeftlich geschaeftlicheemail emaildienstlich dienstlicheemail emailprivat privateemail emailbetrieb firmenemail emailadressegeschaeftlich kontakt",
	GivenName:        "vorname vornamen rufname givenname givennames firstname forename",
	FamilyName:       "nachname familienname zuname surname lastname familyname",
	FullName:         "name vollername vollstaendigername vorundnachname vornameundnachname vornamenachname nachnamevorname namevorname vornamename fullname person mitarbeiter mitarbeiterin mitarbeitername auszubildendername namedesauszubildenden azubiname employee employeename",
	RoleName:         "rolle rollen role roles funktion funktionen berechtigung berechtigungen rolleimunternehmen rolleninderanwendung",
	SiteName:         "standort betriebsstaette betriebsstaetten ausbildungsstaette ausbildungsort niederlassung filiale zweigstelle werk site branch location trainingsite",
	ApprenticeNumber: "azubinr azubinummer azubiidentnummer azubiidentnr azubiident auszubildendennummer auszubildendenidentnummer identnummerazubi identnummerauszubildende apprenticenumber apprenticeno apprenticeid traineenumber",
	TrainerNumber:    "ausbildernr ausbildernummer ausbilderidentnummer ausbilderidentnr ausbilderident identnummerausbilder trainernumber trainerno trainerid",
	Number:           "identnummer identnr ident ihkidentnummer kammeridentnummer identnumber",
	Language:         "sprache language lang korrespondenzsprache",
	ignored:          "hinweis hinweise bemerkung bemerkungen note notes remark remarks comment kommentar anrede titel salutation title nr lfdnr no telefon telefonnummer phone geburtsdatum abteilung department ausbilder trainer ausbildungsberuf beruf occupation",
}

// known is headings the other way round.
var known = func() map[string]string {
	m := map[string]string{}
	for meaning, all := range headings {
		for h := range strings.FieldsSeq(all) {
			m[h] = meaning
		}
	}
	return m
}()

// FoldHeading is how words of a list are compared: folded, without blanks.
func FoldHeading(s string) string { return strings.ReplaceAll(plain.Text(s), " ", "") }

// meaningOf is what a heading says, or Unused.
func meaningOf(heading string) string {
	if heading == "" || strings.Contains(heading, "@") {
		return Unused
	}
	f := FoldHeading(heading)
	if m, ok := known[f]; ok {
		return m
	}
	has := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(f, p) })
	}
	numbered := has("nr", "nummer", "ident", "number")
	switch {
	case len(f) > 60: // a sentence
		return Unused
	case has("mailadr", "emailadr") || strings.HasSuffix(f, "email"):
		return Email
	case numbered && has("azubi", "auszubild", "lehrling", "apprentice", "trainee", "umschul"):
		return ApprenticeNumber
	case numbered && has("ausbild", "trainer"):
		return TrainerNumber
	case strings.HasPrefix(f, "vorname"):
		return GivenName
	case strings.HasPrefix(f, "nachname"), strings.HasPrefix(f, "familienname"):
		return FamilyName
	}
	return Unused
}

// isHeader reports whether the first row names columns: it knows at least one
// of them, and holds no address.
func isHeader(cells []string) bool {
	return slices.ContainsFunc(cells, func(c string) bool { return meaningOf(c) != Unused }) &&
		!slices.ContainsFunc(cells, func(c string) bool { return strings.Contains(c, "@") })
}

// Guess says what each column holds, by its heading and else by its cells.
func Guess(t Table) []string {
	width := len(t.Header)
	if len(t.Lines) > 0 {
		width = len(t.Lines[0].Cells)
	}
	columns := make([]string, width)
	taken := map[string]bool{}
	take := func(i int, meaning string) {
		if meaning != Unused && meaning != ignored && !taken[meaning] {
			columns[i], taken[meaning] = meaning, true
		}
	}
	ignore := make([]bool, width)
	for i, h := range t.Header {
		m := meaningOf(h)
		ignore[i] = m == ignored
		take(i, m)
	}
	// "Name" beside "Vorname" is the family name.
	if taken[FullName] && taken[GivenName] && !taken[FamilyName] {
		columns[slices.Index(columns, FullName)] = FamilyName
		taken[FamilyName] = true
	}
	if !taken[Email] {
		if i := slices.IndexFunc(columnsOf(t), mostly(func(c string) bool { return strings.Contains(c, "@") })); i >= 0 && columns[i] == Unused {
			take(i, Email)
		}
	}
	if t.Header == nil { // names stand where there are letters only: first one, then the other, or both in one
		var named []int
		for i, cells := range columnsOf(t) {
			if columns[i] == Unused && !ignore[i] && mostly(isWords)(cells) {
				named = append(named, i)
			}
		}
		switch {
		case len(named) == 0:
		case len(named) == 1, mostly(func(c string) bool { return strings.Contains(c, " ") })(columnsOf(t)[named[0]]):
			take(named[0], FullName)
		default:
			take(named[0], GivenName)
			take(named[1], FamilyName)
		}
	}
	return columns
}

func columnsOf(t Table) [][]string {
	if len(t.Lines) == 0 {
		return nil
	}
	all := make([][]string, len(t.Lines[0].Cells))
	for _, l := range t.Lines[:min(len(t.Lines), 50)] {
		for i, c := range l.Cells {
			if c != "" {
				all[i] = append(all[i], c)
			}
		}
	}
	return all
}

// mostly reports whether more than half of the cells are so.
func mostly(is func(string) bool) func([]string) bool {
	return func(cells []string) bool {
		n := 0
		for _, c := range cells {
			if is(c) {
				n++
			}
		}
		return 2*n > len(cells)
	}
}

func isWords(c string) bool { return !strings.ContainsAny(c, "@0123456789") }

// particles begin a family name: "Lena von der Leyen".
var particles = map[string]bool{
	"von": true, "vom": true, "van": true, "zu": true, "zum": true, "zur": true, "de": true, "der": true, "den": true, "del": true, "della": true, "di": true, "da": true, "dos": true, "ter": true, "el": true, "al": true, "ben": true, "bin": true, "le": true, "la": true,
}

// SplitName parts "Lena Marie von Berger" and "Berger, Lena Marie".
func SplitName(s string) (given, family string) {
	if f, g, comma := strings.Cut(s, ","); comma {
		return strings.TrimSpace(g), strings.TrimSpace(f)
	}
	words := strings.Fields(s)
	if len(words) < 2 {
		return "", s
	}
	at := len(words) - 1
	for at > 1 && particles[strings.ToLower(words[at-1])] {
		at--
	}
	return strings.Join(words[:at], " "), strings.Join(words[at:], " ")
}
