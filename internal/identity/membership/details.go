package membership

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
)

// Details are what an organization keeps about its member beside the roles.
type Details struct {
	Until            db.Time // the membership ends by itself
	Site             string
	ApprenticeNumber string // Azubi-Identnummer (R216): told to applications, opens no account
	TrainerNumber    string // Ausbilder-Identnummer (R216)
}

// NumberMax is how long a number may be.
const NumberMax = 30

// SetDetails changes them. Who administers has no end date: an organization
// does not lose its admins by mere time.
func SetDetails(tx *db.Tx, by audit.Actor, membershipID string, d Details) error {
	m, err := gate(tx, by, membershipID)
	if err != nil {
		return err
	}
	var p fault.Problems
	for field, number := range map[string]string{"apprentice_number": d.ApprenticeNumber, "trainer_number": d.TrainerNumber} {
		if utf8.RuneCountInString(number) > NumberMax || strings.ContainsFunc(number, func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(" -/.", r)
		}) {
			p.Add(field, "membership.number_form", NumberMax)
		}
	}
	if !d.Until.IsZero() && !d.Until.After(tx.Now()) {
		p.Add("until", "membership.until_past")
	}
	if err := p.Err(); err != nil {
		return err
	}
	if err := released(tx, m.Organization, d.Site); err != nil && d.Site != m.Site { // one that has closed meanwhile may stay
		return err
	}
	if err := hold(tx, m.ID); err != nil {
		return err
	}
	if m, err = load(tx, m.ID); err != nil { // again: what we read before holding it may be over
		return err
	}
	if m.Admin && !d.Until.IsZero() {
		return fault.Invalid("until", "membership.until_admin")
	}
	var changed []string
	for field, differs := range map[string]bool{
		"until": !m.Until.Equal(d.Until.Time), "site": m.Site != d.Site,
		"apprentice_number": m.ApprenticeNumber != d.ApprenticeNumber, "trainer_number": m.TrainerNumber != d.TrainerNumber,
	} {
		if differs {
			changed = append(changed, field)
		}
	}
	if len(changed) == 0 {
		return nil
	}
	if _, err := tx.Exec(`UPDATE membership SET until = $1, told_at = NULL, site = $2, apprentice_number = $3, trainer_number = $4 WHERE id = $5`,
		d.Until, d.Site, d.ApprenticeNumber, d.TrainerNumber, m.ID); err != nil {
		return err
	}
	return record(tx, by, "membership.changed", m, map[string]any{"fields": changed})
}

// Numbers are a person's apprentice and trainer number in an organization, as
// applications are told them (R216); empty without.
func Numbers(tx *db.Tx, organizationID, accountID string) (apprentice, trainer string, err error) {
	err = tx.Scan(`SELECT apprentice_number, trainer_number FROM membership WHERE organization = $1 AND account = $2 AND ended_at IS NULL`, []any{organizationID, accountID}, &apprentice, &trainer)
	if fault.Is(err, fault.KindNotFound) {
		err = nil
	}
	return apprentice, trainer, err
}
