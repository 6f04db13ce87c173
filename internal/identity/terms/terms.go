// Package terms keeps the texts that people accept, each with a kind and a
// version, and who accepted which of them when.
//
// A text is never changed once it is there: a correction is a new version, and
// consents name the version they were given to (R254). What is required must
// be accepted before an account is made (R051, R053). Consent can be withdrawn
// for the future (R054).
//
// The default text speaks for any operator; they publish their own as a newer
// version of the same kind with [Publish].
package terms

import (
	"embed"
	"fmt"
	"slices"
	"strings"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/policy"
)

// Phrases of this package.
//
//go:embed phrases/*.json
var Phrases embed.FS

// Kinds of texts that are shipped; a chamber may add its own.
const (
	InformationDuties = "information_duties" // R051
	TermsOfUse        = "terms_of_use"       // R249, W16
	Privacy           = "privacy"            // R249, R254: shown
	EmailUse          = "email_use"          // R250: voluntary
)

// Terms is one version of one text.
type Terms struct {
	ID        string
	Kind      string
	Version   string
	Title     string
	Body      string // paragraphs parted by empty lines; "# " begins a heading, "- " a list item
	Required  bool
	ValidFrom db.Time
}

const columns = `id, kind, version, title, body, required, valid_from`

func (t *Terms) fields() []any {
	return []any{&t.ID, &t.Kind, &t.Version, &t.Title, &t.Body, &t.Required, &t.ValidFrom}
}

// Current is the newest valid version of each kind.
func Current(tx *db.Tx) ([]Terms, error) {
	all, err := db.All(tx, (*Terms).fields, `SELECT `+columns+` FROM terms WHERE valid_from <= $1 ORDER BY kind, valid_from DESC, id DESC`, tx.Now())
	var newest []Terms
	for i, t := range all {
		if i == 0 || all[i-1].Kind != t.Kind {
			newest = append(newest, t)
		}
	}
	return newest, err
}

// Give notes that a person accepts these texts. Giving twice counts once; what
// was taken back can be given again.
func Give(tx *db.Tx, by audit.Actor, account string, ids ...string) error {
	for _, id := range ids {
		n, err := tx.Exec(`INSERT INTO consent (account, terms, given_at) VALUES ($1, $2, $3) ON CONFLICT (account, terms)
			DO UPDATE SET given_at = excluded.given_at, withdrawn_at = NULL WHERE consent.withdrawn_at IS NOT NULL`, account, id, tx.Now())
		if err != nil {
			return fmt.Errorf("give consent: %w", err)
		}
		if n == 0 {
			continue
		}
		if err := audit.Record(tx, by, audit.Entry{Event: "consent.given", Account: account, Thing: id}); err != nil {
			return err
		}
	}
	return nil
}

// GiveByAll notes that everybody who has an account accepted what the default
// profile requires: for the story, and for accounts that come from a system
// where they did.
func GiveByAll(tx *db.Tx, by audit.Actor) error {
	if by.Kind != audit.Command && by.Kind != audit.System {
		return fault.Forbidden()
	}
	p, err := policy.Of(tx, "")
	if err != nil {
		return err
	}
	all, err := Asked(tx, p.SignUp)
	if err != nil {
		return err
	}
	for _, c := range all {
		if !c.Must {
			continue
		}
		n, err := tx.Exec(`INSERT INTO consent (account, terms, given_at) SELECT id, $1, $2 FROM account WHERE state <> 'unconfirmed'
			ON CONFLICT (account, terms) DO NOTHING`, c.ID, tx.Now())
		if err != nil {
			return err
		}
		if err := audit.Record(tx, by, audit.Entry{Event: "consent.imported", Thing: c.ID, Detail: map[string]any{"accounts": n}}); err != nil {
			return err
		}
	}
	return nil
}

// Publish adds a version. The same kind and version a second time is no error
// and changes nothing.
func Publish(tx *db.Tx, by audit.Actor, t Terms) error {
	if t.ValidFrom.IsZero() {
		t.ValidFrom = tx.Now()
	}
	t.ID = db.NewID()
	n, err := tx.Exec(`INSERT INTO terms (`+columns+`) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (kind, version) DO NOTHING`,
		t.ID, t.Kind, t.Version, t.Title, strings.TrimSpace(t.Body), t.Required, t.ValidFrom)
	if err != nil {
		return fmt.Errorf("publish terms: %w", err)
	}
	if n == 0 {
		return nil
	}
	return audit.Record(tx, by, audit.Entry{Event: "terms.published", Thing: t.ID, Detail: map[string]any{"kind": t.Kind, "version": t.Version}})
}

//go:embed texts/*.txt
var texts embed.FS

// shipped are the texts that speak for any operator: kind, title, required.
var shipped = []Terms{
	{Kind: InformationDuties, Title: "Informationspflichten", Required: true},
	{Kind: TermsOfUse, Title: "Nutzungsbedingungen", Required: true},
	{Kind: Privacy, Title: "Datenschutzinformationen"},
	{Kind: EmailUse, Title: "Verwendung Ihrer E-Mail-Adresse"},
}

// EnsureDefaults makes sure there is a text to accept: only where an
// installation has none of the kind at all.
func EnsureDefaults(tx *db.Tx) error {
	there, err := db.Values[string](tx, `SELECT DISTINCT kind FROM terms`)
	if err != nil {
		return err
	}
	for _, t := range shipped {
		if slices.Contains(there, t.Kind) {
			continue
		}
		body, err := texts.ReadFile("texts/" + t.Kind + ".txt")
		if err != nil {
			return err
		}
		t.Version, t.Body = "2026-11", string(body)
		if err := Publish(tx, audit.Job, t); err != nil {
			return err
		}
	}
	return nil
}
