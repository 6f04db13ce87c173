package document

import (
	"slices"
	"strings"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/training/assignment"
	"zunft/internal/training/calendar"
	"zunft/internal/training/person"
)

func (d *Document) fields() []any {
	return []any{&d.ID, &d.ChamberNumber, &d.Apprenticeship, &d.Kind, &d.Title, &d.Name, &d.Company, &d.Size, &d.CreatedAt, &d.WithdrawnAt, &d.Read, &d.ReadCompany, &d.ReadBy, &d.Mine}
}

// documents reads lists; sub is the parameter with who asks.
func documents(sub string) string {
	return `SELECT d.id, d.chamber_number, COALESCE(d.apprenticeship, ''), d.kind, d.title, COALESCE(p.name, a.given_name || ' ' || a.family_name, ''), COALESCE(c.name, ''), d.size, d.created_at, d.withdrawn_at,
		(SELECT min(x.at) FROM document_reading x WHERE x.document = d.id AND x.side = 'apprentice'),
		(SELECT min(x.at) FROM document_reading x WHERE x.document = d.id AND x.side = 'company'),
		COALESCE((SELECT q.name FROM document_reading x JOIN person q ON q.sub = x.person WHERE x.document = d.id AND x.side = 'company' ORDER BY x.id LIMIT 1), ''),
		COALESCE(a.person = ` + sub + `, FALSE)
		FROM document d LEFT JOIN apprenticeship a ON a.id = d.apprenticeship LEFT JOIN person p ON p.sub = a.person LEFT JOIN company c ON c.id = COALESCE(d.company, a.company) `
}

// visible is the condition under which somebody reads the documents of the
// apprenticeship a: their own, or as their company's.
func visible(tx *db.Tx, s person.Session) (condition string, args []any) {
	today := calendar.Today(tx.Now())
	args = []any{s.Person.Sub, s.Company.ID, today}
	switch {
	case s.Is(person.TrainingAdmin):
		return `(a.person = $1 OR a.company = $2) AND $3 <> ''`, args
	case s.Is(person.Trainer):
		return `(a.person = $1 OR a.company = $2 AND ` + assignment.Accompanies("$1", "$3") + `)`, args
	}
	return `a.person = $1 AND $2 <> '' AND $3 <> ''`, args
}

// List are the newest documents of the actor, or of their company.
func List(tx *db.Tx, by audit.Actor) ([]Document, error) {
	s, err := person.Acting(tx, by)
	if err != nil {
		return nil, err
	}
	condition, args := visible(tx, s)
	all, err := db.All(tx, (*Document).fields, documents("$1")+`WHERE d.withdrawn_at IS NULL AND `+condition+` ORDER BY d.id DESC LIMIT $4`, append(args, Page)...)
	if err != nil || !s.Is(person.TrainingAdmin) {
		return all, err
	}
	// What the company got for itself: a question of its own, for an index of its own.
	own, err := db.All(tx, (*Document).fields, documents("$1")+`WHERE d.withdrawn_at IS NULL AND d.company = $2 ORDER BY d.id DESC LIMIT $3`, s.Person.Sub, s.Company.ID, Page)
	all = append(all, own...)
	slices.SortFunc(all, func(a, b Document) int { return strings.Compare(b.ID, a.ID) })
	return all[:min(len(all), Page)], err
}

// Unread counts documents that the actor's side has not opened (R308).
func Unread(tx *db.Tx, s person.Session) (int, error) {
	if !s.Writes() && !s.Is(person.Trainer, person.TrainingAdmin) {
		return 0, nil
	}
	condition, args := visible(tx, s)
	n, err := db.Value[int](tx, `SELECT count(*) FROM apprenticeship a JOIN document d ON d.apprenticeship = a.id
		WHERE d.withdrawn_at IS NULL AND `+condition+` AND NOT EXISTS (SELECT 1 FROM document_reading x WHERE x.document = d.id
			AND x.side = CASE WHEN a.person = $1 THEN 'apprentice' ELSE 'company' END)`, args...)
	if err != nil || !s.Is(person.TrainingAdmin) {
		return n, err
	}
	own, err := db.Value[int](tx, `SELECT count(*) FROM document d WHERE d.company = $1 AND d.withdrawn_at IS NULL
		AND NOT EXISTS (SELECT 1 FROM document_reading x WHERE x.document = d.id AND x.side = 'company')`, s.Company.ID)
	return n + own, err
}

// readable is a document that the actor may read, and on whose side.
func readable(tx *db.Tx, s person.Session, id string) (d Document, side string, err error) {
	condition, args := visible(tx, s)
	side = "company"
	if s.Is(person.TrainingAdmin) {
		condition = `(d.company = $2 OR ` + condition + `)`
	}
	if s.Chamber() != "" {
		condition, args = `d.chamber_number = $2 AND $1 <> '' AND $3 <> ''`, []any{s.Person.Sub, s.Chamber(), "-"}
		side = "chamber"
	}
	d, err = db.One(tx, (*Document).fields, documents("$1")+`WHERE d.id = $4 AND d.withdrawn_at IS NULL AND `+condition, append(args, id)...)
	if d.Mine {
		side = "apprentice"
	}
	return d, side, err
}

// OfChamber are the documents of the clerk's chamber, the newest first, a page
// at a time.
func OfChamber(tx *db.Tx, by audit.Actor, before string) ([]Document, error) {
	s, err := person.Clerk(tx, by)
	if err != nil {
		return nil, err
	}
	return ofChamber(tx, s.Chamber(), s.Person.Sub, before)
}

// Sent are the documents of a chamber for the operator, as OfChamber.
func Sent(tx *db.Tx, by audit.Actor, chamber, before string) ([]Document, error) {
	if by.Kind != audit.Command {
		return nil, fault.Forbidden()
	}
	return ofChamber(tx, chamber, "", before)
}

func ofChamber(tx *db.Tx, chamber, sub, before string) ([]Document, error) {
	if before == "" {
		before = "~" // after every id
	}
	return db.All(tx, (*Document).fields, documents("$4")+`WHERE d.chamber_number = $1 AND d.id < $2 ORDER BY d.id DESC LIMIT $3`, chamber, before, Page, sub)
}

// A Company that documents may go to.
type Company struct{ ID, Name, Number string }

// Companies are those of the clerk's chamber with a number (Identnummer), or with
// a name that begins so; only who was here at least once can read anything.
func Companies(tx *db.Tx, by audit.Actor, text string) ([]Company, error) {
	s, err := person.Clerk(tx, by)
	text = strings.TrimSpace(text)
	if err != nil || text == "" || len(text) > 200 {
		return nil, err
	}
	return db.All(tx, (*Company).fields, `SELECT id, name, ident_number FROM company WHERE chamber_number = $1 AND (ident_number = $2 OR lower(name) LIKE $3) ORDER BY name, id LIMIT 20`,
		s.Chamber(), text, strings.NewReplacer("%", "", "_", "").Replace(strings.ToLower(text))+"%")
}

// CompanyOf is one company of the clerk's chamber.
func CompanyOf(tx *db.Tx, by audit.Actor, id string) (c Company, err error) {
	s, err := person.Clerk(tx, by)
	if err != nil {
		return c, err
	}
	return db.One(tx, (*Company).fields, `SELECT id, name, ident_number FROM company WHERE chamber_number = $1 AND id = $2`, s.Chamber(), id)
}

func (c *Company) fields() []any { return []any{&c.ID, &c.Name, &c.Number} }

// Find is to whom a number of a chamber belongs, for the operator: an apprentice's
// (the newest apprenticeship of it), or else a company's.
func Find(tx *db.Tx, by audit.Actor, chamber, number string) (to To, err error) {
	if by.Kind != audit.Command {
		return to, fault.Forbidden()
	}
	found, err := db.Values[string](tx, `SELECT id FROM apprenticeship WHERE chamber_number = $1 AND number = $2 AND number <> '' ORDER BY starts_on DESC, id LIMIT 1`, chamber, number)
	if err == nil && len(found) == 1 {
		return To{Apprenticeship: found[0]}, nil
	}
	if err == nil {
		to.Company, err = db.Value[string](tx, `SELECT id FROM company WHERE chamber_number = $1 AND ident_number = $2 AND ident_number <> '' ORDER BY id LIMIT 1`, chamber, number)
	}
	if fault.Is(err, fault.KindNotFound) {
		err = fault.Invalid("to", "document.nobody", number)
	}
	return to, err
}

// A Reading is one opening of a document.
type Reading struct {
	At         db.Time
	Name, Side string
}

// Readings are the openings of a document, the newest first, for its chamber.
func Readings(tx *db.Tx, by audit.Actor, id string) (Document, []Reading, error) {
	s, err := person.Clerk(tx, by)
	if err != nil {
		return Document{}, nil, err
	}
	d, err := db.One(tx, (*Document).fields, documents("$2")+`WHERE d.id = $1`, id, s.Person.Sub)
	if err == nil && d.ChamberNumber != s.Chamber() {
		err = fault.NotFound()
	}
	if err != nil {
		return Document{}, nil, err
	}
	all, err := db.All(tx, func(r *Reading) []any { return []any{&r.At, &r.Name, &r.Side} },
		`SELECT x.at, p.name, x.side FROM document_reading x JOIN person p ON p.sub = x.person WHERE x.document = $1 ORDER BY x.id DESC LIMIT $2`, id, Page)
	return d, all, err
}
