package registration

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
)

const registrationColumns = `r.id, r.reference, r.chamber, r.applicant, r.ident_number, r.name, r.legal_form, r.street, r.house_number, r.postcode, r.place,
	r.register_kind, r.register_number, r.register_court, r.reason, r.state, r.way, r.deviates, r.score, r.entry, r.risk, r.forwarded_from, r.first_clerk, r.automatic, r.sampled, r.sampled_at, r.clerk, r.answer, r.evidence, r.organization, r.submitted_at, r.decided_at, r.version`

func (r *Registration) fields() []any {
	all := []any{&r.ID, &r.Reference, &r.Chamber, &r.Applicant, &r.IdentNumber, &r.Name, &r.LegalForm, &r.Street, &r.HouseNumber, &r.Postcode, &r.Place, &r.RegisterKind, &r.RegisterNumber, &r.RegisterCourt}
	return append(all, &r.Reason, &r.State, &r.Way, list{&r.Deviates}, &r.Score, &r.Entry, &r.Risk, &r.ForwardedFrom, &r.FirstClerk, &r.Automatic, &r.Sampled, &r.SampledAt, &r.Clerk, &r.Answer, &r.Evidence, &r.Organization, &r.SubmittedAt, &r.DecidedAt, &r.Version)
}

// list reads a comma separated column.
type list struct{ to *[]string }

func (l list) Scan(src any) error {
	switch s := src.(type) {
	case string:
		*l.to = strings.FieldsFunc(s, func(r rune) bool { return r == ',' })
		return nil
	case []byte:
		return l.Scan(string(s))
	}
	return fmt.Errorf("registration: a list is %T", src)
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
			register_kind, register_number, register_court, reason, company_key, state, score, entry, submitted_at, way, deviates, risk)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23) ON CONFLICT DO NOTHING`,
		r.ID, r.Reference, r.Chamber, r.Applicant, r.IdentNumber, r.Name, r.LegalForm, r.Street, r.HouseNumber, r.Postcode, r.Place,
		r.RegisterKind, r.RegisterNumber, r.RegisterCourt, r.Reason, r.Key(), r.State, r.Score, r.Entry, r.SubmittedAt, r.Way, strings.Join(r.Deviates, ","), r.Risk)
	if err != nil {
		return false, fmt.Errorf("insert registration: %w", err)
	}
	return n == 1, nil
}

func resubmit(tx *db.Tx, r Registration, version int) (bool, error) {
	n, err := tx.Exec(`UPDATE registration SET chamber = $1, ident_number = $2, name = $3, legal_form = $4, street = $5, house_number = $6, postcode = $7, place = $8,
			register_kind = $9, register_number = $10, register_court = $11, reason = $12, company_key = $13, score = $14, entry = $15, clerk = $16, deviates = $17, state = 'submitted', version = version + 1
		WHERE id = $18 AND state = 'asked_back' AND version = $19`,
		r.Chamber, r.IdentNumber, r.Name, r.LegalForm, r.Street, r.HouseNumber, r.Postcode, r.Place,
		r.RegisterKind, r.RegisterNumber, r.RegisterCourt, r.Reason, r.Key(), r.Score, r.Entry, r.Clerk, strings.Join(r.Deviates, ","), r.ID, version)
	if err != nil {
		return false, fmt.Errorf("resubmit registration %s: %w", r.ID, err)
	}
	return n == 1, nil
}

// pendingLike is another pending registration of the company: by its key, else
// by its ident number; each is one look into a unique index.
func pendingLike(tx *db.Tx, r Registration) (Registration, error) {
	const pending = `SELECT ` + registrationColumns + ` FROM registration r WHERE r.chamber = $1 AND r.id <> $2 AND r.state IN ('submitted', 'asked_back', 'second') AND `
	found, err := db.One(tx, (*Registration).fields, pending+`r.company_key = $3`, r.Chamber, r.ID, r.Key())
	if r.IdentNumber == "" || !fault.Is(err, fault.KindNotFound) {
		return found, err
	}
	return db.One(tx, (*Registration).fields, pending+`r.ident_number = $3 AND r.ident_number <> ''`, r.Chamber, r.ID, r.IdentNumber)
}

// passTo moves a case between clerks; empty is nobody.
func passTo(tx *db.Tx, id, from, to string) (bool, error) {
	n, err := tx.Exec(`UPDATE registration SET clerk = $1 WHERE id = $2 AND clerk = $3 AND state IN ('submitted', 'asked_back', 'second')`, to, id, from)
	if err != nil {
		return false, fmt.Errorf("pass registration %s: %w", id, err)
	}
	return n == 1, nil
}

type decision struct {
	id                            string
	version                       int // 0: any
	state                         string
	by                            string // who decides
	clerk                         string // who has it afterwards
	anyClerk                      bool   // it is not a clerk who decides
	first                         string // who said yes first
	automatic, sampled            bool
	entry, evidence, organization string
	source                        string // of the evidence
	answer                        string
}

// decide is the one statement that ends or rests a case: pending, as it was
// seen, and taken on by nobody else.
func decide(tx *db.Tx, d decision) (bool, error) {
	decided := tx.Now()
	if d.state == AskedBack || d.state == Second {
		decided = db.Time{}
	}
	n, err := tx.Exec(`UPDATE registration SET state = $1, clerk = $2, answer = CASE WHEN $3 <> '' THEN $3 ELSE answer END, evidence = $4, organization = $5,
			entry = CASE WHEN $6 <> '' THEN $6 ELSE entry END, decided_at = $7, first_clerk = CASE WHEN $1 = 'approved' THEN first_clerk ELSE $8 END,
			automatic = $9, sampled = $10, version = version + 1
		WHERE id = $11 AND state IN ('submitted', 'asked_back', 'second') AND (version = $12 OR $12 = 0) AND (clerk IN ('', $13) OR $14)`,
		d.state, d.clerk, d.answer, d.evidence, d.organization, d.entry, decided, d.first, d.automatic, d.sampled, d.id, d.version, d.by, d.anyClerk)
	if err != nil {
		return false, fmt.Errorf("decide registration %s: %w", d.id, err)
	}
	return n == 1, nil
}

// forward moves a case to another chamber: pending, as it was seen, and taken
// on by nobody else.
func forward(tx *db.Tx, r Registration, from, by string, version int, reason string) (bool, error) {
	n, err := tx.Exec(`UPDATE registration SET chamber = $1, forwarded_from = $2, clerk = '', first_clerk = '', state = 'submitted', answer = $3, ident_number = $4,
			score = $5, entry = $6, deviates = $7, version = version + 1
		WHERE id = $8 AND chamber = $2 AND state IN ('submitted', 'asked_back', 'second') AND version = $9 AND clerk IN ('', $10)`,
		r.Chamber, from, reason, r.IdentNumber, r.Score, r.Entry, strings.Join(r.Deviates, ","), r.ID, version, by)
	if err != nil {
		return false, fmt.Errorf("forward registration %s: %w", r.ID, err)
	}
	return n == 1, nil
}

// pendingFor are the other pending registrations for an entry of the directory.
func pendingFor(tx *db.Tx, chamberID, entryID, not string) ([]Registration, error) {
	return db.All(tx, (*Registration).fields, `SELECT `+registrationColumns+` FROM registration r
		WHERE r.chamber = $1 AND r.entry = $2 AND r.id <> $3 AND r.state IN ('submitted', 'asked_back', 'second') ORDER BY r.id LIMIT 20`, chamberID, entryID, not)
}

// flagColumns look each along an index of its own: one OR over two indexes is
// read by neither engine without going through a chamber's companies.
const flagColumns = `,
	EXISTS (SELECT 1 FROM organization o WHERE o.company_key = r.company_key AND o.chamber = r.chamber AND o.state <> 'closed' AND o.id <> r.organization)
	OR EXISTS (SELECT 1 FROM directory_entry e JOIN organization o ON o.chamber = e.chamber AND o.ident_number = e.ident_number AND o.state <> 'closed' WHERE e.id = r.entry AND o.id <> r.organization)
	OR EXISTS (SELECT 1 FROM registration d WHERE d.chamber = r.chamber AND d.entry = r.entry AND r.entry <> '' AND d.state IN ('submitted', 'asked_back', 'second') AND d.id <> r.id),
	EXISTS (SELECT 1 FROM registration e WHERE e.chamber = r.chamber AND e.company_key = r.company_key AND e.id < r.id)
	FROM registration r`

func (i *Item) fields() []any {
	return append(i.Registration.fields(), &i.Duplicate, &i.Again)
}

func item(tx *db.Tx, id string) (Item, error) {
	return db.One(tx, (*Item).fields, `SELECT `+registrationColumns+flagColumns+` WHERE r.id = $1`, id)
}

// An order is the columns that an index holds behind chamber and state, and
// where a registration stands in it.
type order struct {
	columns string
	of      func(Registration) any
	down    bool
}

var orders = map[string]order{
	ByAge:  {columns: "submitted_at", of: func(r Registration) any { return r.SubmittedAt }},
	ByRisk: {columns: "risk", of: func(r Registration) any { return r.Risk }, down: true},
	ByName: {columns: "company_key", of: func(r Registration) any { return r.Key() }},
}

var done = order{columns: "decided_at", of: func(r Registration) any { return r.DecidedAt }, down: true}

func (o order) direction() (than, way string) {
	if o.down {
		return "<", " DESC"
	}
	return ">", ""
}

// queue reads one page along an index, whatever lies before it.
func queue(tx *db.Tx, by audit.Actor, chamberID string, f Filter) ([]Item, error) {
	if f.Status == StatusSamples {
		return samples(tx, chamberID, f.After, f.Limit)
	}
	o, ok := orders[f.Sort]
	if !ok {
		o = orders[ByAge]
	}
	where := `r.chamber = $1 AND r.state = 'submitted'`
	args := []any{chamberID, limitOf(f.Limit)}
	switch f.Status {
	case StatusMine:
		args = append(args, by.Account)
		// what one clerk has is little: by its ids, or SQLite goes through the chamber's
		where = `r.id IN (SELECT id FROM registration WHERE clerk = $3 AND chamber = $1 AND state IN ('submitted', 'asked_back', 'second'))`
	case StatusSecond, StatusAskedBack:
		where = `r.chamber = $1 AND r.state = '` + f.Status + `'`
	case StatusDone:
		where, o = `r.chamber = $1 AND r.decided_at IS NOT NULL`, done
	}
	than, way := o.direction()
	if f.After != "" {
		last, err := loadRegistration(tx, f.After)
		if err != nil || last.Chamber != chamberID {
			return nil, cmp.Or(err, fault.NotFound())
		}
		n := len(args)
		where += fmt.Sprintf(` AND (r.%s, r.id) %s ($%d, $%d)`, o.columns, than, n+1, n+2)
		args = append(args, o.of(last), last.ID)
	}
	return db.All(tx, (*Item).fields, strings.Join([]string{
		`SELECT `, registrationColumns, flagColumns, ` WHERE `, where,
		` ORDER BY r.`, o.columns, way, `, r.id`, way, ` LIMIT $2`,
	}, ""), args...)
}

func limitOf(n int) int {
	if n <= 0 || n > PageSize {
		return PageSize + 1
	}
	return n
}

func samples(tx *db.Tx, chamberID, after string, limit int) ([]Item, error) {
	return db.All(tx, (*Item).fields, `SELECT `+registrationColumns+flagColumns+` WHERE r.chamber = $1 AND r.sampled AND r.sampled_at IS NULL AND r.id > $2 ORDER BY r.id LIMIT $3`,
		chamberID, after, limitOf(limit))
}

func next(tx *db.Tx, by audit.Actor, r Registration, sort string) (string, error) {
	o, ok := orders[sort]
	if !ok {
		o = orders[ByAge]
	}
	than, way := o.direction()
	find := func(where string, args ...any) (string, error) {
		id, err := db.Value[string](tx, `SELECT id FROM registration WHERE chamber = $1 AND state = 'submitted' AND id <> $2 AND clerk IN ('', $3) AND applicant <> $3`+where+
			` ORDER BY `+o.columns+way+`, id`+way+` LIMIT 1`, append([]any{r.Chamber, r.ID, by.Account}, args...)...)
		if fault.Is(err, fault.KindNotFound) {
			return "", nil
		}
		return id, err
	}
	if id, err := find(` AND (`+o.columns+`, id) `+than+` ($4, $2)`, o.of(r)); id != "" || err != nil {
		return id, err
	}
	return find("")
}

// counts looks only into indexes: nothing of a case is read to be counted.
func counts(tx *db.Tx, by audit.Actor, chamberID string) (c Counts, err error) {
	err = tx.Scan(`SELECT (SELECT count(*) FROM registration WHERE chamber = $1 AND state = 'submitted'),
			(SELECT count(*) FROM registration WHERE chamber = $1 AND state = 'submitted' AND submitted_at < $2),
			(SELECT count(*) FROM registration WHERE clerk = $3 AND state IN ('submitted', 'asked_back', 'second')),
			(SELECT count(*) FROM registration WHERE chamber = $1 AND state = 'asked_back'),
			(SELECT count(*) FROM registration WHERE chamber = $1 AND state = 'second'),
			(SELECT count(*) FROM registration WHERE chamber = $1 AND sampled AND sampled_at IS NULL AND id > '')`,
		[]any{chamberID, tx.Now().Add(-3 * 24 * time.Hour), by.Account}, &c.Open, &c.Old, &c.Mine, &c.AskedBack, &c.Second, &c.Samples)
	return c, err
}
