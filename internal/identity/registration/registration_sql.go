package registration

import (
	"fmt"
	"strings"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
)

const registrationColumns = `r.id, r.reference, r.chamber, r.applicant, r.ident_number, r.name, r.legal_form, r.street, r.house_number, r.postcode, r.place,
	r.register_kind, r.register_number, r.register_court, r.reason, r.state, r.score, r.entry, r.clerk, r.answer, r.evidence, r.organization, r.submitted_at, r.decided_at, r.version`

func (r *Registration) fields() []any {
	all := []any{&r.ID, &r.Reference, &r.Chamber, &r.Applicant, &r.IdentNumber, &r.Name, &r.LegalForm, &r.Street, &r.HouseNumber, &r.Postcode, &r.Place, &r.RegisterKind, &r.RegisterNumber, &r.RegisterCourt}
	return append(all, &r.Reason, &r.State, &r.Score, &r.Entry, &r.Clerk, &r.Answer, &r.Evidence, &r.Organization, &r.SubmittedAt, &r.DecidedAt, &r.Version)
}

func loadRegistration(tx *db.Tx, id string) (Registration, error) {
	return db.One(tx, (*Registration).fields, `SELECT `+registrationColumns+` FROM registration r WHERE r.id = $1`, id)
}

func registrationsOf(tx *db.Tx, accountID string) ([]Registration, error) {
	return db.All(tx, (*Registration).fields, `SELECT `+registrationColumns+` FROM registration r WHERE r.applicant = $1 ORDER BY r.id DESC LIMIT 100`, accountID)
}

// insertRegistration reports false if a unique index stopped it.
func insertRegistration(tx *db.Tx, r Registration) (bool, error) {
	n, err := tx.Exec(`INSERT INTO registration (id, reference, chamber, applicant, ident_number, name, legal_form, street, house_number, postcode, place,
			register_kind, register_number, register_court, reason, company_key, state, score, entry, submitted_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20) ON CONFLICT DO NOTHING`,
		r.ID, r.Reference, r.Chamber, r.Applicant, r.IdentNumber, r.Name, r.LegalForm, r.Street, r.HouseNumber, r.Postcode, r.Place,
		r.RegisterKind, r.RegisterNumber, r.RegisterCourt, r.Reason, r.Key(), r.State, r.Score, r.Entry, r.SubmittedAt)
	if err != nil {
		return false, fmt.Errorf("insert registration: %w", err)
	}
	return n == 1, nil
}

func resubmit(tx *db.Tx, r Registration, version int) (bool, error) {
	n, err := tx.Exec(`UPDATE registration SET chamber = $1, ident_number = $2, name = $3, legal_form = $4, street = $5, house_number = $6, postcode = $7, place = $8,
			register_kind = $9, register_number = $10, register_court = $11, reason = $12, company_key = $13, score = $14, entry = $15, clerk = $16, state = 'submitted', version = version + 1
		WHERE id = $17 AND state = 'asked_back' AND version = $18`,
		r.Chamber, r.IdentNumber, r.Name, r.LegalForm, r.Street, r.HouseNumber, r.Postcode, r.Place,
		r.RegisterKind, r.RegisterNumber, r.RegisterCourt, r.Reason, r.Key(), r.Score, r.Entry, r.Clerk, r.ID, version)
	if err != nil {
		return false, fmt.Errorf("resubmit registration %s: %w", r.ID, err)
	}
	return n == 1, nil
}

func pendingLike(tx *db.Tx, r Registration) (Registration, error) {
	return db.One(tx, (*Registration).fields, `SELECT `+registrationColumns+` FROM registration r
		WHERE r.chamber = $1 AND r.state IN ('submitted', 'asked_back') AND r.id <> $2 AND (r.company_key = $3 OR r.ident_number = $4 AND r.ident_number <> '') ORDER BY r.id LIMIT 1`,
		r.Chamber, r.ID, r.Key(), r.IdentNumber)
}

// passTo moves a case between clerks; empty is nobody.
func passTo(tx *db.Tx, id, from, to string) (bool, error) {
	n, err := tx.Exec(`UPDATE registration SET clerk = $1 WHERE id = $2 AND clerk = $3 AND state IN ('submitted', 'asked_back')`, to, id, from)
	if err != nil {
		return false, fmt.Errorf("pass registration %s: %w", id, err)
	}
	return n == 1, nil
}

type decision struct {
	id                            string
	version                       int // 0: any
	state                         string
	clerk                         string
	anyClerk                      bool // it is not a clerk who decides
	entry, evidence, organization string
	answer                        string
}

// decide is the one statement that ends or rests a case: pending, as it was
// seen, and taken on by nobody else.
func decide(tx *db.Tx, d decision) (bool, error) {
	decided := tx.Now()
	if d.state == AskedBack {
		decided = db.Time{}
	}
	n, err := tx.Exec(`UPDATE registration SET state = $1, clerk = $2, answer = CASE WHEN $3 <> '' THEN $3 ELSE answer END, evidence = $4, organization = $5,
			entry = CASE WHEN $6 <> '' THEN $6 ELSE entry END, decided_at = $7, version = version + 1
		WHERE id = $8 AND state IN ('submitted', 'asked_back') AND (version = $9 OR $9 = 0) AND (clerk IN ('', $2) OR $10)`,
		d.state, d.clerk, d.answer, d.evidence, d.organization, d.entry, decided, d.id, d.version, d.anyClerk)
	if err != nil {
		return false, fmt.Errorf("decide registration %s: %w", d.id, err)
	}
	return n == 1, nil
}

const flagColumns = `,
	EXISTS (SELECT 1 FROM organization o WHERE o.chamber = r.chamber AND o.state <> 'closed' AND o.id <> r.organization
		AND (o.company_key = r.company_key OR o.ident_number = (SELECT e.ident_number FROM directory_entry e WHERE e.id = r.entry)))
	OR EXISTS (SELECT 1 FROM registration d WHERE d.chamber = r.chamber AND d.id <> r.id AND d.entry = r.entry AND r.entry <> '' AND d.state IN ('submitted', 'asked_back')),
	EXISTS (SELECT 1 FROM registration e WHERE e.chamber = r.chamber AND e.id <> r.id AND e.submitted_at < r.submitted_at AND e.company_key = r.company_key)
	FROM registration r`

func (i *Item) fields() []any {
	return append(i.Registration.fields(), &i.Duplicate, &i.Again)
}

func item(tx *db.Tx, id string) (Item, error) {
	return db.One(tx, (*Item).fields, `SELECT `+registrationColumns+flagColumns+` WHERE r.id = $1`, id)
}

func queue(tx *db.Tx, by audit.Actor, chamberID string, f Filter) ([]Item, error) {
	args := []any{chamberID, PageSize + 1, f.Offset}
	where := `r.state = 'submitted'`
	switch f.Status {
	case StatusMine:
		where = `r.state IN ('submitted', 'asked_back') AND r.clerk = $4`
		args = append(args, by.Account)
	case StatusAskedBack:
		where = `r.state = 'asked_back'`
	case StatusDone:
		where = `r.state IN ('approved', 'refused', 'withdrawn')`
	}
	order := `r.submitted_at, r.id`
	if f.Status == StatusDone {
		order = `r.decided_at DESC, r.id DESC`
	}
	switch f.Sort {
	case "score":
		order = `r.score, r.submitted_at, r.id`
	case "name":
		order = `r.company_key, r.id`
	}
	return db.All(tx, (*Item).fields, strings.Join([]string{`SELECT `, registrationColumns, flagColumns, ` WHERE r.chamber = $1 AND `, where, ` ORDER BY `, order, ` LIMIT $2 OFFSET $3`}, ""), args...)
}

func next(tx *db.Tx, by audit.Actor, r Registration) (string, error) {
	id, err := db.Value[string](tx, `SELECT id FROM registration WHERE chamber = $1 AND state = 'submitted' AND id <> $2 AND clerk IN ('', $3) AND applicant <> $3
		ORDER BY CASE WHEN submitted_at > $4 OR submitted_at = $4 AND id > $2 THEN 0 ELSE 1 END, submitted_at, id LIMIT 1`, r.Chamber, r.ID, by.Account, r.SubmittedAt)
	if fault.Is(err, fault.KindNotFound) {
		return "", nil
	}
	return id, err
}

func counts(tx *db.Tx, by audit.Actor, chamberID string) (c Counts, err error) {
	err = tx.Scan(`SELECT count(*) FILTER (WHERE state = 'submitted'), count(*) FILTER (WHERE state = 'submitted' AND submitted_at < $2),
			count(*) FILTER (WHERE clerk = $3), count(*) FILTER (WHERE state = 'asked_back')
		FROM registration WHERE chamber = $1 AND state IN ('submitted', 'asked_back')`,
		[]any{chamberID, tx.Now().Add(-3 * 24 * time.Hour), by.Account}, &c.Open, &c.Old, &c.Mine, &c.AskedBack)
	return c, err
}
