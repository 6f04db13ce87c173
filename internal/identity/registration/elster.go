package registration

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/company"
	"zunft/internal/identity/organization"
)

// A Certificate is what an ELSTER organization certificate says (R206); a clerk
// compares it with the application and the directory (R208).
type Certificate struct {
	company.Company
	Serial string  `json:"serial"` // of the certificate, for the evidence
	Issuer string  `json:"issuer"`
	At     db.Time `json:"at"` // when it was shown
}

const mostCertificate = 4000 // bytes, sealed: what an organization's certificate says is a few hundred

// AttachCertificate keeps what the certificate said that the applicant signed
// in with. The door that checks certificates calls it; what a person types is
// never one. A later one replaces the first, as long as nothing is decided.
func AttachCertificate(tx *db.Tx, by audit.Actor, registrationID string, c Certificate) error {
	r, err := own(tx, by, registrationID)
	if err != nil {
		return err
	}
	if c.Serial == "" || !utf8.ValidString(c.Name) {
		return fault.Invalid("", "registration.certificate_empty")
	}
	c.At = tx.Now()
	body, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if len(body) > mostCertificate {
		return fault.Invalid("", "registration.certificate_empty")
	}
	n, err := tx.Exec(`UPDATE registration SET certificate = $1, version = version + 1 WHERE id = $2 AND way = 'elster' AND state IN ('submitted', 'asked_back')`,
		tx.Keys().Seal(place(r.ID), body), r.ID)
	if err != nil {
		return fmt.Errorf("certificate of registration %s: %w", r.ID, err)
	}
	if n == 0 {
		if r.Way != chamber.ByElster && r.Pending() {
			return fault.Conflict("registration.not_elster")
		}
		return quicker(tx, by, r.ID)
	}
	if err := r.record(tx, by, "registration.certified", map[string]any{"serial": c.Serial}); err != nil {
		return err
	}
	return organization.TellClerks(tx, r.Chamber, r.Clerk, "notice.registration_certified", "/chamber/registrations/"+r.ID, r.Name, r.Reference)
}

// GetCertificate is what the certificate of a registration said, for a clerk of
// its chamber; nil if none was shown.
func GetCertificate(tx *db.Tx, by audit.Actor, id string) (*Certificate, error) {
	if _, err := GetRegistration(tx, by, id); err != nil {
		return nil, err
	}
	return certificate(tx, id)
}

func certificate(tx *db.Tx, id string) (*Certificate, error) {
	sealed, err := db.Value[string](tx, `SELECT certificate FROM registration WHERE id = $1`, id)
	if err != nil || sealed == "" {
		return nil, err
	}
	plain, err := tx.Keys().Open(place(id), sealed)
	if err != nil {
		return nil, fmt.Errorf("certificate of registration %s: %w", id, err)
	}
	c := &Certificate{}
	return c, json.Unmarshal(plain, c)
}

// Certified reports whether a certificate was shown, for the applicant's own page.
func Certified(tx *db.Tx, id string) (bool, error) {
	return db.Value[bool](tx, `SELECT certificate <> '' FROM registration WHERE id = $1`, id)
}

// ByLetterInstead lets the applicant prove the company by letter after all.
func ByLetterInstead(tx *db.Tx, by audit.Actor, id string) error {
	r, err := own(tx, by, id)
	if err != nil {
		return err
	}
	n, err := tx.Exec(`UPDATE registration SET way = 'letter', certificate = '', version = version + 1 WHERE id = $1 AND way = 'elster' AND state IN ('submitted', 'asked_back')`, id)
	if err != nil {
		return err
	}
	if n == 0 {
		return quicker(tx, by, id)
	}
	return r.record(tx, by, "registration.way_changed", nil)
}

func place(id string) string { return "certificate/" + id }
