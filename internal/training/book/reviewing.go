package book

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/training/person"
	"zunft/internal/training/supervisor"
)

// For is a report as the actor may see it: the apprentice sees their own, who
// comes with a PIN what was sent to their address,
// trainers, supervisors and training admins those of their company that were
// submitted once. Of a report that is back with the apprentice they see no text.
// Everything else is not found.
func For(tx *db.Tx, by audit.Actor, id string) (Report, error) {
	if supervisor.Is(by) {
		return sentTo(tx, by, id)
	}
	s, err := person.Acting(tx, by)
	if err != nil {
		return Report{}, err
	}
	r, err := byID(tx, id)
	if err != nil {
		return r, err
	}
	mine := r.Apprentice == s.Person.Sub && s.Writes()
	if r.Company != s.Company.ID || !mine && (!s.Reads() || r.SubmittedAt.IsZero()) {
		return Report{}, fault.NotFound()
	}
	if !mine && r.Open() {
		r.Text = Text{}
	}
	return r, nil
}

// decider is For, for those who decide.
func decider(tx *db.Tx, by audit.Actor, id string, roles ...string) (Report, error) {
	r, err := For(tx, by, id)
	if err != nil {
		return r, err
	}
	if supervisor.Is(by) { // For has looked whether it is theirs
		if !slices.Contains(roles, person.Supervisor) {
			err = fault.Forbidden()
		}
		return r, err
	}
	s, err := person.Acting(tx, by)
	if err == nil && (r.Apprentice == s.Person.Sub || !s.Is(roles...)) {
		err = fault.Forbidden() // never one's own
	}
	return r, err
}

// SignOff says that the report was read and is in order (§ 14 BBiG). version
// is the one that was read; the remark is optional (R332).
func SignOff(tx *db.Tx, by audit.Actor, id string, version int, remark string) (Report, error) {
	r, err := decider(tx, by, id, person.Trainer, person.Supervisor)
	if err != nil {
		return r, err
	}
	if utf8.RuneCountInString(remark) > MaxReason {
		return r, fault.Invalid("reason", "book.reason_long", MaxReason)
	}
	return decide(tx, by, r, version, SignedOff, "signed_off", remark)
}

// Return gives the report back with what is to be mended (R331).
func Return(tx *db.Tx, by audit.Actor, id string, version int, reason string) (Report, error) {
	r, err := decider(tx, by, id, person.Trainer, person.Supervisor)
	if err != nil {
		return r, err
	}
	if err := checkReason(reason); err != nil {
		return r, err
	}
	return decide(tx, by, r, version, Returned, "returned", reason)
}

func checkReason(reason string) error {
	switch n := utf8.RuneCountInString(reason); {
	case n == 0:
		return fault.Invalid("reason", "book.reason_missing")
	case n > MaxReason:
		return fault.Invalid("reason", "book.reason_long", MaxReason)
	}
	return nil
}

// decide moves a submitted report on; of two people at once one wins.
func decide(tx *db.Tx, by audit.Actor, r Report, version int, to State, event, text string) (Report, error) {
	answer := ""
	if to == Returned {
		answer = text
	}
	moved, err := move(tx, &r, `state = $4, decided_at = $3, decided_by = $5, answer = $6`, `state = 'submitted'`, version, to, by.Account, answer)
	if err != nil {
		return r, fmt.Errorf("decide %s: %w", r.ID, err)
	}
	if !moved {
		return r, quicker(tx, r)
	}
	if err := note(tx, by, r, event, text, r.Text.digest()); err != nil {
		return r, err
	}
	return r, tellApprentice(tx, by, r, event, text)
}

// quicker names what happened to the report meanwhile.
func quicker(tx *db.Tx, r Report) error {
	now, err := byID(tx, r.ID)
	if err != nil {
		return err
	}
	switch {
	case now.State == Draft:
		return fault.Conflict("book.was_taken_back")
	case now.State == Submitted:
		return fault.Conflict("book.was_changed")
	case now.DecidedBy == "":
		return fault.Conflict("book.decided")
	}
	p, err := person.Get(tx, now.DecidedBy)
	if err != nil {
		return err
	}
	if now.State == Returned {
		return fault.Conflict("book.was_returned", p.Name)
	}
	return fault.Conflict("book.was_signed_off", p.Name)
}

// Reopen returns what was signed off already (R335); trainers only.
func Reopen(tx *db.Tx, by audit.Actor, id string, version int, reason string) (Report, error) {
	r, err := decider(tx, by, id, person.Trainer)
	if err != nil {
		return r, err
	}
	if err := checkReason(reason); err != nil {
		return r, err
	}
	moved, err := move(tx, &r, `state = 'returned', decided_at = $3, decided_by = $4, answer = $5`, `state = 'signed_off'`, version, by.Account, reason)
	if err != nil {
		return r, fmt.Errorf("reopen %s: %w", r.ID, err)
	}
	if !moved {
		return r, quicker(tx, r)
	}
	if err := note(tx, by, r, "reopened", reason, ""); err != nil {
		return r, err
	}
	return r, tellApprentice(tx, by, r, "returned", reason)
}

// tellApprentice sends M21 (R330).
func tellApprentice(tx *db.Tx, by audit.Actor, r Report, event, text string) error {
	p, err := person.Get(tx, r.Apprentice)
	if err != nil || p.Email == "" {
		return err
	}
	who, err := person.Get(tx, by.Account)
	if err != nil {
		return err
	}
	return texts.Send(tx, p.Mail(), "report_"+event, map[string]any{
		"Name": p.Name, "Trainer": who.Name,
		"Week": r.Week.Name(), "Dates": r.Week.Dates(), "Path": r.Week.String(), "Text": text,
	})
}

// Comment adds to the dialog about a report (R229): its apprentice, and those
// who may sign it off.
func Comment(tx *db.Tx, by audit.Actor, id, text string) error {
	s, err := person.Acting(tx, by)
	if err != nil {
		return err
	}
	r, err := For(tx, by, id)
	if err != nil {
		return err
	}
	if r.Apprentice != s.Person.Sub && !s.Signs() {
		return fault.Forbidden()
	}
	switch n := utf8.RuneCountInString(text); {
	case n == 0:
		return fault.Invalid("comment", "book.comment_missing")
	case n > MaxComment:
		return fault.Invalid("comment", "book.comment_long", MaxComment)
	}
	again, err := db.Value[bool](tx, `SELECT EXISTS (SELECT 1 FROM report_event WHERE report = $1 AND person = $2 AND event = 'comment' AND text = $3 AND at > $4)`,
		r.ID, by.Account, text, tx.Now().Add(-time.Minute))
	if err != nil || again { // a second press of the button
		return err
	}
	return note(tx, by, r, "comment", text, "")
}

// An Event of a report's history.
type Event struct {
	At         db.Time
	Kind       string // submitted, taken_back, returned, signed_off, reopened, comment
	Person     string // name
	Text       string
	Apprentice bool // done by the apprentice
}

// Lines of the text, for pages.
func (e Event) Lines() []string { return strings.Split(e.Text, "\n") }

// History is what happened to a report, newest first.
func History(tx *db.Tx, r Report) ([]Event, error) {
	return db.All(tx, func(e *Event) []any { return []any{&e.At, &e.Kind, &e.Person, &e.Text, &e.Apprentice} },
		`SELECT e.at, e.event, p.name, e.text, e.person = $2 FROM report_event e JOIN person p ON p.sub = e.person WHERE e.report = $1 ORDER BY e.id DESC`,
		r.ID, r.Apprentice)
}

// An Item of a queue or list.
type Item struct {
	ID, Apprentice, Name string
	Week                 Week
	State                State
	SubmittedAt          db.Time
}

func (i *Item) fields() []any {
	return []any{&i.ID, &i.Apprentice, &i.Name, &i.Week.Year, &i.Week.Number, &i.State, &i.SubmittedAt}
}

const items = `SELECT r.id, r.apprentice, p.name, r.year, r.week, r.state, r.submitted_at FROM report r JOIN person p ON p.sub = r.apprentice `

// QueueSize is how many reports a queue shows at once.
const QueueSize = 200

// Queue is what waits for a decision in the actor's company, oldest first,
// without the actor's own.
func Queue(tx *db.Tx, by audit.Actor) ([]Item, error) {
	s, err := reader(tx, by)
	if err != nil {
		return nil, err
	}
	return db.All(tx, (*Item).fields, items+`WHERE r.company = $1 AND r.state = 'submitted' AND r.apprentice <> $2
		ORDER BY r.submitted_at, r.id LIMIT $3`, s.Company.ID, s.Person.Sub, QueueSize)
}

// Waiting counts the queue and says since when the oldest waits.
func Waiting(tx *db.Tx, by audit.Actor) (n int, oldest db.Time, err error) {
	s, err := reader(tx, by)
	if err != nil {
		return 0, oldest, err
	}
	err = tx.Scan(`SELECT count(*), min(submitted_at) FROM report WHERE company = $1 AND state = 'submitted' AND apprentice <> $2`,
		[]any{s.Company.ID, s.Person.Sub}, &n, &oldest)
	return n, oldest, err
}

func reader(tx *db.Tx, by audit.Actor) (person.Session, error) {
	s, err := person.Acting(tx, by)
	if err == nil && !s.Reads() {
		err = fault.Forbidden()
	}
	return s, err
}

// A Trainee is an apprentice of the company, with counts.
type Trainee struct {
	Sub, Name                      string
	Submitted, Returned, SignedOff int
	Last                           db.Time // submitted at
}

// Trainees are the apprentices of the actor's company, by name.
func Trainees(tx *db.Tx, by audit.Actor) ([]Trainee, error) {
	s, err := reader(tx, by)
	if err != nil {
		return nil, err
	}
	return db.All(tx, func(t *Trainee) []any {
		return []any{&t.Sub, &t.Name, &t.Submitted, &t.Returned, &t.SignedOff, &t.Last}
	}, `SELECT p.sub, p.name, count(r.id) FILTER (WHERE r.state = 'submitted'), count(r.id) FILTER (WHERE r.state = 'returned'),
			count(r.id) FILTER (WHERE r.state = 'signed_off'), max(r.submitted_at)
		FROM person p LEFT JOIN report r ON r.apprentice = p.sub AND r.company = $1
		WHERE p.sub IN (SELECT person FROM company_role WHERE company = $1 AND role IN ('apprentice', 'retrainee')
			UNION SELECT apprentice FROM report WHERE company = $1 AND submitted_at IS NOT NULL)
		GROUP BY p.sub, p.name, p.name_key ORDER BY p.name_key, p.sub`, s.Company.ID)
}

// ReportsOf are the reports of one apprentice of the actor's company that were
// submitted once, newest week first.
func ReportsOf(tx *db.Tx, by audit.Actor, sub string) (person.Person, []Item, error) {
	all, err := Trainees(tx, by)
	if err != nil {
		return person.Person{}, nil, err
	}
	for _, t := range all {
		if t.Sub != sub {
			continue
		}
		p, err := person.Get(tx, sub)
		if err != nil {
			return p, nil, err
		}
		s, err := reader(tx, by)
		if err != nil {
			return p, nil, err
		}
		reports, err := db.All(tx, (*Item).fields, items+`WHERE r.company = $1 AND r.apprentice = $2 AND r.submitted_at IS NOT NULL
			ORDER BY r.year DESC, r.week DESC`, s.Company.ID, sub)
		return p, reports, err
	}
	return person.Person{}, nil, fault.NotFound()
}
