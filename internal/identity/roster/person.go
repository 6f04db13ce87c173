package roster

import (
	"regexp"
	"slices"
	"strings"

	"zunft/internal/ground/table"
	"zunft/internal/identity/application"
	"zunft/internal/identity/fold"
	"zunft/internal/identity/invitation"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/site"
)

// A Problem is what is wrong with a row, or what one should know before it is
// sent. Field is a meaning of a column, or empty.
type Problem struct {
	Field   string `json:"f,omitempty"`
	Key     string `json:"k"`
	Args    []any  `json:"a,omitempty"`
	Warning bool   `json:"w,omitempty"`
}

func (r *Row) complain(field, key string, args ...any) {
	r.Problems = append(r.Problems, Problem{Field: field, Key: key, Args: args})
}

func (r *Row) warn(field, key string, args ...any) {
	r.Problems = append(r.Problems, Problem{field, key, args, true})
}

// Bad reports whether the row cannot be sent as it is.
func (r Row) Bad() bool {
	return slices.ContainsFunc(r.Problems, func(p Problem) bool { return !p.Warning })
}

// Cell is what the row says under a meaning.
func (l Roster) Cell(r Row, meaning string) string {
	if i := slices.Index(l.Columns, meaning); i >= 0 && i < len(r.Cells) {
		return r.Cells[i]
	}
	return ""
}

// catalog is what the words of a list can mean in one organization.
type catalog struct {
	offers application.Offers
	roles  map[string][]membership.Role // by folded name
	places map[string][]string          // by folded name, number or town
}

func newCatalog(offers application.Offers, places []site.Site) catalog {
	c := catalog{offers: offers, roles: map[string][]membership.Role{}, places: map[string][]string{}}
	for _, o := range offers {
		for _, r := range o.Roles {
			role := membership.Role{Application: r.Application, Key: r.Key}
			names := []string{r.Key, r.NameDE, r.NameEN, o.Application.Name + r.NameDE, o.Application.Name + r.NameEN}
			names = append(names, strings.Fields(synonyms[r.Key])...)
			for _, n := range names {
				for _, f := range []string{roleKey(n), table.FoldHeading(n)} {
					if f != "" && !slices.Contains(c.roles[f], role) {
						c.roles[f] = append(c.roles[f], role)
					}
				}
			}
		}
	}
	for _, p := range places {
		for _, n := range []string{p.Name, p.IdentNumber, p.Place} {
			if f := table.FoldHeading(n); f != "" && !slices.Contains(c.places[f], p.ID) {
				c.places[f] = append(c.places[f], p.ID)
			}
		}
	}
	return c
}

// synonyms are what people call the roles of the glossary, folded.
var synonyms = map[string]string{
	"apprentice":     "azubi azubis auszubildende auszubildender auszubildenden lehrling lehrlinge trainee apprentices",
	"retrainee":      "umschueler umschuelerin umzuschulende umzuschulender umschuelerinnen",
	"trainer":        "ausbilder ausbilderin ausbildende ausbildender ausbildendeperson instructor",
	"supervisor":     "ausbildungsbeauftragte ausbildungsbeauftragter ausbildungsbetreuer ausbildungsbetreuerin betreuer betreuerin beauftragte beauftragter",
	"training_admin": "ausbildungsadministrator ausbildungsadministratorin ausbildungsadministration ausbildungsverwaltung",
}

var administration = []string{"administrator", "administratorin", "administration", "admin", "unternehmensadministrator", "unternehmensadministratorin", "unternehmensadministration", "organizationadmin", "companyadmin"}

// endings of German words that name everybody: Auszubildende/r, Ausbilder(in), Ausbilder*in.
var endings = regexp.MustCompile(`(?i)[/*_:(]-?(?:innen|in|r|n|frau)\)?([^\pL]|$)`)

func roleKey(s string) string { return table.FoldHeading(endings.ReplaceAllString(s, "$1")) }

// rolesOf reads the roles in a cell, one or several.
func (c catalog) rolesOf(r *Row, cell string) (roles []membership.Role) {
	if found, ok := c.role(r, cell); ok {
		return found
	}
	for _, word := range strings.FieldsFunc(endings.ReplaceAllString(cell, "$1"), func(r rune) bool { return strings.ContainsRune(",;/|+&\n", r) }) {
		if word = strings.TrimSpace(word); word == "" {
			continue
		}
		found, ok := c.role(r, word)
		if !ok {
			r.complain(table.RoleName, "roster.role_unknown", word)
		}
		roles = append(roles, found...)
	}
	return roles
}

func (c catalog) role(r *Row, word string) (found []membership.Role, ok bool) {
	for _, f := range []string{table.FoldHeading(word), roleKey(word)} {
		switch roles := c.roles[f]; {
		case len(roles) == 1:
			return roles, true
		case len(roles) > 1: // two applications call it so; who gives power says which
			a, _, _ := c.offers.Role(roles[0].Application, roles[0].Key)
			r.complain(table.RoleName, "roster.role_ambiguous", word, a.Name+": "+word)
			return nil, true
		case slices.Contains(administration, f):
			r.complain(table.RoleName, "roster.role_admin")
			return nil, true
		}
	}
	return nil, false
}

var languages = map[string]string{
	"de": "de", "deutsch": "de", "german": "de", "deu": "de", "ger": "de", "dede": "de",
	"en": "en", "englisch": "en", "english": "en", "eng": "en", "engb": "en", "enus": "en",
}

var angled = regexp.MustCompile(`^"?([^"<]*?)"?\s*<([^<>]+)>$`)

// wish reads a row as an invitation. What the row leaves open the defaults say.
func (l Roster) wish(c catalog, r *Row) invitation.Wish {
	r.Problems = nil
	w := invitation.Wish{
		Email: strings.Trim(l.Cell(*r, table.Email), " ;,"), GivenName: l.Cell(*r, table.GivenName), FamilyName: l.Cell(*r, table.FamilyName),
		ApprenticeNumber: l.Cell(*r, table.ApprenticeNumber), TrainerNumber: l.Cell(*r, table.TrainerNumber),
		Language: l.Defaults.Language, Site: l.Defaults.Site, Roles: l.Defaults.Roles, Message: l.Defaults.Message, Days: l.Defaults.Days, Roster: l.ID,
	}
	name := l.Cell(*r, table.FullName)
	if m := angled.FindStringSubmatch(w.Email); m != nil { // Lena Berger <lena@x.de>
		w.Email = strings.TrimSpace(m[2])
		if name == "" {
			name = strings.TrimSpace(m[1])
		}
	}
	w.Email = strings.TrimPrefix(w.Email, "mailto:")
	if strings.Count(w.Email, "@") > 1 {
		r.complain(table.Email, "roster.email_several")
	}
	if name != "" && w.GivenName+w.FamilyName == "" && !strings.Contains(name, "@") {
		w.GivenName, w.FamilyName = table.SplitName(name)
	}
	if cell := l.Cell(*r, table.RoleName); cell != "" {
		w.Roles = c.rolesOf(r, cell)
	}
	if cell := l.Cell(*r, table.SiteName); cell != "" {
		switch ids := c.places[table.FoldHeading(cell)]; len(ids) {
		case 0:
			r.complain(table.SiteName, "roster.site_unknown", cell)
		case 1:
			w.Site = ids[0]
		default:
			r.complain(table.SiteName, "roster.site_ambiguous", cell)
		}
	}
	if cell := l.Cell(*r, table.Number); cell != "" {
		if slices.ContainsFunc(w.Roles, func(r membership.Role) bool { return r.Key == "trainer" }) {
			w.TrainerNumber = cell
		} else {
			w.ApprenticeNumber = cell
		}
	}
	if cell := l.Cell(*r, table.Language); cell != "" {
		if lang := languages[table.FoldHeading(cell)]; lang != "" {
			w.Language = lang
		} else {
			r.warn(table.Language, "roster.language_unknown", cell)
		}
	}
	if len(w.Roles) == 0 && !r.Bad() {
		r.warn(table.RoleName, "roster.without_role")
	}
	l.look(r, w)
	return w
}

// look warns of what is allowed and seldom meant.
func (l Roster) look(r *Row, w invitation.Wish) {
	for field, s := range map[string]string{table.GivenName: w.GivenName, table.FamilyName: w.FamilyName} {
		switch {
		case strings.Contains(s, "\uFFFD"):
			r.complain(field, "roster.letters_lost")
		case garbled.MatchString(s):
			r.complain(field, "roster.letters_garbled", s)
		}
	}
	if w.Email == "" && w.GivenName+w.FamilyName != "" {
		r.warn(table.Email, "roster.on_paper")
	}
	if _, domain, ok := strings.Cut(fold.Login(w.Email), "@"); ok {
		if meant := typos[domain]; meant != "" {
			r.warn(table.Email, "roster.email_typo", domain, meant)
		}
	}
	slices.SortFunc(r.Problems, func(a, b Problem) int {
		return slices.Index(table.Meanings(), a.Field) - slices.Index(table.Meanings(), b.Field)
	})
}

// garbled is UTF-8 that somebody read as Windows-1252: "MÃ¼ller".
var garbled = regexp.MustCompile(`Ã[\x{80}-\x{BF}¤¶¼ŸœŒžŽ„–]|â€`)

// typos of the mail providers that nearly everybody has.
var typos = map[string]string{
	"gmial.com": "gmail.com", "gmai.com": "gmail.com", "gmail.de": "gmail.com", "gmail.con": "gmail.com", "gmal.com": "gmail.com", "googelmail.com": "googlemail.com",
	"gmx.d": "gmx.de", "gmx.dee": "gmx.de", "gmx.ed": "gmx.de", "gxm.de": "gmx.de", "web.d": "web.de", "wep.de": "web.de", "web.ed": "web.de", "t-online.d": "t-online.de", "tonline.de": "t-online.de", "t-onlin.de": "t-online.de",
	"hotmial.com": "hotmail.com", "outlok.com": "outlook.com", "outlook.d": "outlook.de", "iclou.com": "icloud.com",
}
