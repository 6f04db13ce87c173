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
)

// Phrases of this package.
//
//go:embed phrases/*.json
var Phrases embed.FS

// InformationDuties is the kind of the text that R051 shows.
const InformationDuties = "information_duties"

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

// Pending are the required current texts that an account has not accepted.
func Pending(tx *db.Tx, account string) ([]Terms, error) {
	current, err := Current(tx)
	if err != nil {
		return nil, err
	}
	given, err := db.Values[string](tx, `SELECT terms FROM consent WHERE account = $1`, account)
	var pending []Terms
	for _, t := range current {
		if t.Required && !slices.Contains(given, t.ID) {
			pending = append(pending, t)
		}
	}
	return pending, err
}

// Give notes that a person accepts these texts. Giving twice counts once.
func Give(tx *db.Tx, by audit.Actor, account string, ids ...string) error {
	for _, id := range ids {
		n, err := tx.Exec(`INSERT INTO consent (account, terms, given_at) VALUES ($1, $2, $3) ON CONFLICT (account, terms) DO NOTHING`, account, id, tx.Now())
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

//go:embed information_duties.txt
var informationDuties string

// EnsureDefaults makes sure there is a text to accept: only where an
// installation has none of the kind at all.
func EnsureDefaults(tx *db.Tx) error {
	there, err := db.Value[bool](tx, `SELECT EXISTS (SELECT 1 FROM terms WHERE kind = $1)`, InformationDuties)
	if err != nil || there {
		return err
	}
	return Publish(tx, audit.Job, Terms{Kind: InformationDuties, Version: "2026-11", Title: "Informationspflichten", Body: informationDuties, Required: true})
}
