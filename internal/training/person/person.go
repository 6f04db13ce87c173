// Package person keeps what the training portal knows of people and companies:
// what the ID token of their last sign-in said, and nothing else (decision 1).
// The identity portal is a stranger here; its database is never asked.
//
//   - Learn replaces the person's name and address, the company's name, and the
//     roles of that person in that company. Roles in other companies stay as
//     their own last token said.
//   - A session belongs to one person and one company, the one chosen for that
//     sign-in. What may be done in it are the roles that the newest token gave in
//     that company: a role taken away is gone at the next sign-in anywhere.
//   - The cookie holds 256 random bits of which only the hash is stored. A
//     session idles 30 minutes and lives 12 hours; the identity portal ends it
//     earlier by its sid (OpenID Connect Back-Channel Logout 1.0).
package person

import (
	"embed"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/i18n"
	"zunft/internal/ground/mail"
)

// Phrases of this package's faults.
//
//go:embed phrases/*.json
var Phrases embed.FS

// The roles this application knows (glossary). The identity portal shows them
// to admins as portal.Roles describes them.
const (
	Apprentice    = "apprentice"
	Retrainee     = "retrainee"
	Trainer       = "trainer"
	Supervisor    = "supervisor"
	TrainingAdmin = "training_admin"
	ChamberClerk  = "chamber_clerk" // counts in a chamber's own office only, see Office
)

var known = []string{Apprentice, Retrainee, Trainer, Supervisor, TrainingAdmin, ChamberClerk}

// A Person as the last token described them.
type Person struct {
	Sub, Name, GivenName, FamilyName, Email, Language string
	SeenAt                                            db.Time
}

// Mail is the person as whom a mail is for.
func (p Person) Mail() mail.Person {
	return mail.Person{Name: p.Name, Address: p.Email, Lang: p.Language}
}

func (p *Person) fields() []any {
	return []any{&p.Sub, &p.Name, &p.GivenName, &p.FamilyName, &p.Email, &p.Language, &p.SeenAt}
}

const columns = `sub, name, given_name, family_name, email, language, seen_at`

// A Company as the last token described it.
type Company struct {
	ID, Name, IdentNumber, ChamberNumber string
	SeenAt                               db.Time
}

// Claims are what an ID token said (decision 10).
type Claims struct {
	Person  Person
	Company Company
	Roles   []string
	SID     string // session of the identity portal

	ApprenticeNumber, TrainerNumber string // of the person in the company (R216)
}

// ByAddress is somebody who is known by an address only and never signs in
// with an account. sub begins as no subject of an identity portal does.
func ByAddress(tx *db.Tx, sub, email, lang string) (Person, error) {
	p := Person{Sub: sub, Name: email, FamilyName: email, Email: email, Language: lang}
	_, err := tx.Exec(`INSERT INTO person (sub, name, given_name, family_name, name_key, email, language, seen_at) VALUES ($1, $2, '', $2, $3, $2, $4, $5)`,
		p.Sub, p.Name, nameKey(p), p.Language, tx.Now())
	return p, err
}

// Learn keeps what a token said. Without a company or a role that we know,
// nobody comes in (R029).
func Learn(tx *db.Tx, by audit.Actor, c Claims) error {
	if c.Person.Sub == "" || c.Company.ID == "" {
		return fault.Invalid("", "person.company_missing")
	}
	var roles []string
	for _, r := range known {
		if slices.Contains(c.Roles, r) {
			roles = append(roles, r)
		}
	}
	if slices.Contains(roles, ChamberClerk) {
		chamber, err := officeOf(tx, c.Company.ID)
		if err != nil {
			return err
		}
		if chamber == "" { // a company cannot make its people clerks of its chamber
			roles = slices.DeleteFunc(roles, func(r string) bool { return r == ChamberClerk })
		}
	}
	if err := keep(tx, c); err != nil {
		return fmt.Errorf("learn person: %w", err)
	}
	before, err := rolesIn(tx, c.Company.ID, c.Person.Sub)
	if err != nil {
		return fmt.Errorf("learn roles: %w", err)
	}
	if err := keepRoles(tx, c.Company.ID, c.Person.Sub, roles); err != nil {
		return fmt.Errorf("learn roles: %w", err)
	}
	if !slices.Equal(before, roles) {
		err := audit.Record(tx, by, audit.Entry{
			Event: "person.roles_learned", Account: c.Person.Sub, Organization: c.Company.ID,
			Detail: map[string]any{"before": before, "roles": roles},
		})
		if err != nil {
			return err
		}
	}
	if len(roles) == 0 {
		// The loss of the last role must stay, although nobody comes in.
		return db.Keep(fault.Invalid("", "person.role_missing"))
	}
	return nil
}

func keep(tx *db.Tx, c Claims) error {
	p, o := c.Person, c.Company
	apprentice, trainer := line(c.ApprenticeNumber), line(c.TrainerNumber)
	for _, text := range []*string{&p.Name, &p.GivenName, &p.FamilyName, &p.Email, &o.Name, &o.IdentNumber, &o.ChamberNumber} {
		*text = line(*text)
	}
	if p.Language == "" {
		p.Language = i18n.Languages()[0]
	}
	if p.Name == "" {
		p.Name = strings.TrimSpace(p.GivenName + " " + p.FamilyName)
	}
	if p.Name == "" {
		p.Name = p.Sub
	}
	if o.Name == "" {
		o.Name = o.ID
	}
	n, err := tx.Exec(`INSERT INTO person (sub, name, given_name, family_name, name_key, email, language, seen_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (sub) DO UPDATE SET name = $2, given_name = $3, family_name = $4, name_key = $5, email = $6, language = $7, seen_at = $8,
			gone = '', gone_at = NULL, named_until = '', look_at = NULL
			WHERE person.gone <> 'purged'`,
		p.Sub, p.Name, p.GivenName, p.FamilyName, nameKey(p), p.Email, p.Language, tx.Now())
	if err != nil {
		return err
	}
	if n == 0 { // the account is deleted: a token from before does not bring anybody back
		return fault.Conflict("person.gone")
	}
	_, err = tx.Exec(`INSERT INTO company (id, name, ident_number, chamber_number, seen_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (id) DO UPDATE SET name = $2, ident_number = $3, chamber_number = $4, seen_at = $5`,
		o.ID, o.Name, o.IdentNumber, o.ChamberNumber, tx.Now())
	if err != nil {
		return err
	}
	if apprentice+trainer == "" {
		_, err = tx.Exec(`DELETE FROM company_number WHERE company = $1 AND person = $2`, o.ID, p.Sub)
		return err
	}
	_, err = tx.Exec(`INSERT INTO company_number (company, person, apprentice_number, trainer_number) VALUES ($1, $2, $3, $4)
		ON CONFLICT (company, person) DO UPDATE SET apprentice_number = $3, trainer_number = $4`, o.ID, p.Sub, apprentice, trainer)
	return err
}

// keepRoles keeps what a sign-in said: since when somebody has a role, and when
// they were here with it last.
func keepRoles(tx *db.Tx, company, sub string, roles []string) error {
	if len(roles) == 0 {
		_, err := tx.Exec(`DELETE FROM company_role WHERE company = $1 AND person = $2`, company, sub)
		return err
	}
	args, rows := []any{company, sub}, []string{}
	for i, r := range roles {
		args, rows = append(args, r), append(rows, fmt.Sprintf("($1, $2, $%d, $%d, $%[2]d)", 3+i, 3+len(roles)))
	}
	if _, err := tx.Exec(`DELETE FROM company_role WHERE company = $1 AND person = $2 AND role NOT IN (`+db.In(3, len(roles))+`)`, args...); err != nil {
		return err
	}
	_, err := tx.Exec(`INSERT INTO company_role (company, person, role, since, seen_at) VALUES `+strings.Join(rows, ", ")+`
		ON CONFLICT (company, person, role) DO UPDATE SET seen_at = excluded.seen_at`, append(args, tx.Now())...)
	return err
}

// line makes one short line of what somebody else's server wrote.
func line(s string) string {
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, ""), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
	}), " ")
	if all := []rune(s); len(all) > 200 {
		s = string(all[:200])
	}
	return s
}

// nameKey sorts Ä beside A on both engines.
func nameKey(p Person) string {
	name := strings.TrimSpace(p.FamilyName + " " + p.GivenName)
	if name == "" {
		name = p.Name
	}
	return NameKey(name)
}

// NameKey is what names sort by: the family name comes first.
func NameKey(name string) string {
	return fmt.Sprintf("%x", collate.New(language.German).KeyFromString(&collate.Buffer{}, name))
}

func rolesIn(tx *db.Tx, company, sub string) ([]string, error) {
	has, err := db.Values[string](tx, `SELECT role FROM company_role WHERE company = $1 AND person = $2`, company, sub)
	return inOrder(has), err
}

// inOrder are those of some roles that we know, in the order of known.
func inOrder(has []string) (roles []string) {
	for _, r := range known {
		if slices.Contains(has, r) {
			roles = append(roles, r)
		}
	}
	return roles
}

// Get reads a person.
func Get(tx *db.Tx, sub string) (Person, error) {
	return db.One(tx, (*Person).fields, `SELECT `+columns+` FROM person WHERE sub = $1`, sub)
}

// CompanyOf reads a company.
func CompanyOf(tx *db.Tx, id string) (c Company, err error) {
	return c, tx.Scan(`SELECT id, name, ident_number, chamber_number, seen_at FROM company WHERE id = $1`, []any{id},
		&c.ID, &c.Name, &c.IdentNumber, &c.ChamberNumber, &c.SeenAt)
}

// With are the people with one of the roles in a company, by name.
func With(tx *db.Tx, company string, roles ...string) ([]Person, error) {
	args := []any{company}
	for _, r := range roles {
		args = append(args, r)
	}
	return db.All(tx, (*Person).fields, `SELECT `+columns+` FROM person
		WHERE sub IN (SELECT person FROM company_role WHERE company = $1 AND role IN (`+db.In(2, len(roles))+`)) ORDER BY name_key, sub`, args...)
}

// These are some people, by name; unknown ones are left out.
func These(tx *db.Tx, subs []string) ([]Person, error) {
	if len(subs) == 0 {
		return nil, nil
	}
	args := make([]any, len(subs))
	for i, s := range subs {
		args[i] = s
	}
	return db.All(tx, (*Person).fields, `SELECT `+columns+` FROM person WHERE sub IN (`+db.In(1, len(subs))+`) ORDER BY name_key, sub`, args...)
}
