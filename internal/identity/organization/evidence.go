package organization

import (
	"fmt"

	"zunft/internal/ground/db"
	"zunft/internal/identity/chamber"
)

// Methods of evidence.
const (
	ByLetter    = "letter"
	ByCallback  = "callback"
	ByDocuments = "documents"
	ByElster    = "elster"    // the certificate of the tax office (R206, R208)
	ByDirectory = "directory" // what was said agreed with the member directory so far that nobody had to look
)

// Methods are the kinds of evidence a clerk chooses from.
func Methods() []string { return []string{ByLetter, ByCallback, ByDocuments} }

// A Proof is one thing the chamber has seen of a company: how, from what, who
// looked at it, and until when it holds.
type Proof struct {
	Method       string
	Source       string  // what was seen: the number of a letter, a certificate, an extract
	Registration string  // the application it belongs to, if any
	Clerk        string  // who looked; empty: nobody had to
	At, Until    db.Time // Until zero: without end
}

// Evidence are the proofs of an organization, oldest first.
func Evidence(tx *db.Tx, organizationID string) ([]Proof, error) {
	return db.All(tx, func(e *Proof) []any { return []any{&e.Method, &e.Source, &e.Registration, &e.Clerk, &e.At, &e.Until} },
		`SELECT method, source, registration, clerk, at, until FROM evidence WHERE organization = $1 ORDER BY at, id`, organizationID)
}

// AddEvidence keeps a proof; how long it holds is up to the chamber.
func AddEvidence(tx *db.Tx, organizationID string, p Proof) error {
	o, err := load(tx, organizationID)
	if err != nil {
		return err
	}
	settings, err := chamber.SettingsOf(tx, o.Chamber)
	if err != nil {
		return err
	}
	var until any
	if settings.EvidenceMonths > 0 {
		until = tx.Now().AddDate(0, settings.EvidenceMonths, 0)
	}
	_, err = tx.Exec(`INSERT INTO evidence (id, organization, method, source, registration, clerk, at, until) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		db.NewID(), organizationID, p.Method, p.Source, p.Registration, p.Clerk, tx.Now(), until)
	if err != nil {
		return fmt.Errorf("evidence of %s: %w", organizationID, err)
	}
	return nil
}
