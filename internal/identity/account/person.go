package account

import (
	"fmt"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/fold"
)

// A Person is what people may change of themselves (R150).
type Person struct {
	Salutation, Title, GivenName, FamilyName string
	Username                                 string
	Language                                 string // of mails
}

// Personal data of the account.
func (a Account) Personal() Person {
	return Person{a.Salutation, a.Title, a.GivenName, a.FamilyName, a.Username, a.Language}
}

// NameFixed reports whether the name comes from a contract or an eID: a clerk
// corrects it (R217–R220).
func (a Account) NameFixed() bool { return a.NameSource != "self" }

// ChangePerson changes the data of the person who acts. A name that is fixed
// stays as it is, whatever was sent. changed is false if all was so already.
func ChangePerson(tx *db.Tx, by audit.Actor, p Person) (a Account, changed bool, err error) {
	if _, err := tx.Exec(`UPDATE account SET version = version + 1 WHERE id = $1`, by.Account); err != nil {
		return a, false, err
	}
	if a, err = load(tx, by.Account); err != nil {
		return a, false, err
	}
	if a.State != Active {
		return a, false, fault.Forbidden()
	}
	n := New{
		Salutation: p.Salutation, Title: p.Title, GivenName: p.GivenName, FamilyName: p.FamilyName,
		Username: p.Username, Email: a.Email, Language: p.Language,
	}
	if a.NameFixed() {
		n.Title, n.GivenName, n.FamilyName = a.Title, a.GivenName, a.FamilyName
	}
	if err := n.Check(); err != nil {
		return a, false, err
	}
	if n.Username == "" && a.Username != "" {
		return a, false, fault.Invalid("username", "account.username_missing")
	}
	p = Person{n.Salutation, n.Title, n.GivenName, n.FamilyName, n.Username, n.Language}
	fields := p.differs(a.Personal())
	if len(fields) == 0 {
		return a, false, nil
	}
	key := fold.Login(p.Username)
	if key == "" {
		key = a.ID
	}
	if key != fold.Login(a.Username) && p.Username != "" {
		if err := Available(tx, p.Username); err != nil {
			return a, false, err
		}
	}
	a, err = db.One(tx, (*Account).fields, `UPDATE account SET salutation = $1, title = $2, given_name = $3, family_name = $4, name_key = $5,
		username = $6, username_key = $7, language = $8 WHERE id = $9 AND state = 'active' RETURNING `+columns,
		p.Salutation, p.Title, p.GivenName, p.FamilyName, nameKey(p.FamilyName, p.GivenName), p.Username, key, p.Language, a.ID)
	if db.Unique(err) {
		return a, false, fault.Invalid("username", "account.username_taken")
	}
	if err != nil {
		return a, false, fmt.Errorf("change person: %w", err)
	}
	if err := renamed(tx, a); err != nil {
		return a, false, err
	}
	if err := audit.Record(tx, by, audit.Entry{Event: "account.changed", Account: a.ID, Detail: map[string]any{"fields": fields}}); err != nil {
		return a, false, err
	}
	return a, true, tellChanged(tx, a)
}

func (p Person) differs(from Person) (fields []string) {
	for _, f := range []struct{ name, now, was string }{
		{"salutation", p.Salutation, from.Salutation},
		{"title", p.Title, from.Title},
		{"given_name", p.GivenName, from.GivenName},
		{"family_name", p.FamilyName, from.FamilyName},
		{"username", p.Username, from.Username},
		{"language", p.Language, from.Language},
	} {
		if f.now != f.was {
			fields = append(fields, f.name)
		}
	}
	return fields
}

func tellChanged(tx *db.Tx, a Account) error {
	disavow, err := Disavowal(tx, a.ID)
	if err != nil {
		return err
	}
	return texts.Send(tx, a.Person(), "data_changed", struct {
		At      db.Time
		Disavow string
	}{tx.Now(), disavow})
}

// CheckName tidies a name and says what is wrong with it.
func CheckName(title, given, family string) (Person, error) {
	n := New{Title: title, GivenName: given, FamilyName: family, Email: "nobody@example.org"}
	err := n.Check()
	return Person{Title: n.Title, GivenName: n.GivenName, FamilyName: n.FamilyName}, err
}

// CorrectName writes a fixed name as the contract has it (R220). Package
// correction calls it: the person has asked, a clerk has looked.
func CorrectName(tx *db.Tx, by audit.Actor, id, title, given, family string) (Account, error) {
	a, err := db.One(tx, (*Account).fields, `UPDATE account SET title = $1, given_name = $2, family_name = $3, name_key = $4, version = version + 1
		WHERE id = $5 AND state IN ('active', 'locked') RETURNING `+columns, title, given, family, nameKey(family, given), id)
	if err != nil {
		return a, err
	}
	if err := renamed(tx, a); err != nil {
		return a, err
	}
	return a, audit.Record(tx, by, audit.Entry{Event: "account.name_corrected", Account: id})
}

// NameKey sorts people by family name.
func (a Account) NameKey() string { return nameKey(a.FamilyName, a.GivenName) }

// Words are what a person is found by: name and user name, folded.
func (a Account) Words() string { return fold.Text(a.Name() + " " + a.Username) }

// renamed tells a person's memberships what they are sorted and found by: the
// list of a company's members reads one page from one index, however many there are.
func renamed(tx *db.Tx, a Account) error {
	_, err := tx.Exec(`UPDATE membership SET name_key = $1, words = $2 WHERE account = $3 AND ended_at IS NULL`, a.NameKey(), a.Words(), a.ID)
	return err
}

// A Number that belongs to an account: of an apprentice, a trainer, a member.
type Number struct {
	Kind    string
	Number  string
	Chamber string // number of the chamber that gave it
}

// Numbers of an account.
func Numbers(tx *db.Tx, id string) ([]Number, error) {
	return db.All(tx, func(n *Number) []any { return []any{&n.Kind, &n.Number, &n.Chamber} }, `SELECT n.kind, n.number, c.number
		FROM account_number n JOIN chamber c ON c.id = n.chamber WHERE n.account = $1 ORDER BY n.kind, c.number, n.number`, id)
}
