package review

import (
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/training/assignment"
	"zunft/internal/training/book"
	"zunft/internal/training/calendar"
	"zunft/internal/training/person"
)

// An Item of a queue or list.
type Item struct {
	ID, Apprentice, Name string
	Week                 book.Week
	Kind                 string
	State                book.State
	SubmittedAt          db.Time
	Again                bool // it was returned before
	DecidedAt, UndoUntil db.Time
	Version              int
}

func (i *Item) fields() []any {
	return []any{&i.ID, &i.Apprentice, &i.Name, &i.Week.Year, &i.Week.Number, &i.Kind, &i.State, &i.SubmittedAt, &i.Again, &i.DecidedAt, &i.UndoUntil, &i.Version}
}

const items = `SELECT r.id, r.apprentice, p.name, r.year, r.week, r.kind, r.state, r.submitted_at, EXISTS (SELECT 1 FROM report_version b WHERE b.report = r.id), r.decided_at, r.undo_until, r.version
	FROM report r JOIN person p ON p.sub = r.apprentice JOIN apprenticeship a ON a.id = r.apprenticeship `

// QueueSize is how many reports a queue shows at once.
const QueueSize = 200

// shown is how long decisions are listed.
const shown = 90 * 24 * time.Hour

// waiting is the condition for reports r, of apprenticeships a, that wait for
// the reader. Training admins, who do not sign, see what waits for anybody.
func (v reader) waiting(tx *db.Tx, a *args) (string, error) {
	company, self := a.add(v.Company.ID), a.list(v.self)
	where := `WHERE r.company = ` + company + ` AND r.state IN ('submitted', 'checked') AND r.apprentice NOT IN (` + self + `)`
	if !v.Signs() {
		return where, nil
	}
	two, err := db.Value[bool](tx, `SELECT EXISTS (SELECT 1 FROM company_setting WHERE company = $1 AND steps = 2)`, v.Company.ID)
	if err != nil {
		return "", err
	}
	where += ` AND ` + v.accompanied(tx, a)
	first := `r.state = 'submitted' AND (r.approver = '' OR r.approver IN (` + a.list(v.addressed) + `))`
	const steps = `COALESCE((SELECT c.steps FROM company_setting c WHERE c.company = r.company AND c.occupation IN ('', a.occupation) ORDER BY c.occupation DESC LIMIT 1), 1)`
	switch {
	case !v.Is(person.Trainer): // R321: the paper time is for trainers, but for the first of two steps
		return where + ` AND ` + first + ` AND (r.kind = 'week' OR 2 = ` + steps + `)`, nil
	case two && !v.Is(person.Supervisor):
		day := a.add(calendar.Today(tx.Now()))
		first += ` AND (r.approver <> '' OR 2 <> ` + steps + `
			OR NOT EXISTS (SELECT 1 FROM assignment x WHERE x.apprenticeship = a.id AND x.role = 'supervisor' AND x.from_day <= ` + day + ` AND (x.until_day = '' OR x.until_day >= ` + day + `)
			AND ` + assignment.During + ` AND EXISTS (SELECT 1 FROM company_role k WHERE k.company = r.company AND k.person = x.person AND k.role IN ('trainer', 'supervisor'))))`
	}
	return where + ` AND (` + first + ` OR r.state = 'checked' AND r.checked_by NOT IN (` + self + `))`, nil
}

func readers(tx *db.Tx, by audit.Actor) (reader, error) {
	v, err := readerOf(tx, by)
	if err == nil && !v.Reads() {
		err = fault.Forbidden()
	}
	return v, err
}

// Queue is what waits for the actor, oldest first: R333, only those they
// accompany, and never their own.
func Queue(tx *db.Tx, by audit.Actor) ([]Item, error) {
	v, err := readers(tx, by)
	if err != nil {
		return nil, err
	}
	var a args
	where, err := v.waiting(tx, &a)
	if err != nil {
		return nil, err
	}
	return db.All(tx, (*Item).fields, items+where+` ORDER BY r.submitted_at, r.id LIMIT `+a.add(QueueSize), a...)
}

// Waiting counts the queue, up to its size, and says since when the oldest waits.
func Waiting(tx *db.Tx, by audit.Actor) (n int, oldest db.Time, err error) {
	v, err := readers(tx, by)
	if err != nil {
		return 0, oldest, err
	}
	var a args
	where, err := v.waiting(tx, &a)
	if err != nil {
		return 0, oldest, err
	}
	err = tx.Scan(`SELECT count(*), min(submitted_at) FROM (SELECT r.submitted_at FROM report r JOIN apprenticeship a ON a.id = r.apprenticeship `+where+`
		ORDER BY r.submitted_at, r.id LIMIT `+a.add(QueueSize)+`) AS q`, a, &n, &oldest)
	return n, oldest, err
}

// A Pile is what waits of one apprentice.
type Pile struct {
	Name   string
	Count  int
	Oldest db.Time
}

// Piles are what waits for somebody with roles in a company, by apprentice, the
// longest waiting first: as Waiting counts it, for a mail, without a sign-in.
func Piles(tx *db.Tx, s person.Session) ([]Pile, error) {
	v, err := signedIn(tx, s)
	if err != nil || !v.Signs() {
		return nil, err
	}
	var a args
	where, err := v.waiting(tx, &a)
	if err != nil {
		return nil, err
	}
	return db.All(tx, func(p *Pile) []any { return []any{&p.Name, &p.Count, &p.Oldest} },
		`SELECT p.name, count(*), min(q.submitted_at) FROM (SELECT r.apprentice, r.submitted_at FROM report r JOIN apprenticeship a ON a.id = r.apprenticeship `+where+`
			ORDER BY r.submitted_at, r.id LIMIT `+a.add(QueueSize)+`) AS q JOIN person p ON p.sub = q.apprentice GROUP BY p.sub, p.name ORDER BY min(q.submitted_at), p.name`, a...)
}

// Texts reads some reports of the queue in full, oldest first.
func Texts(tx *db.Tx, by audit.Actor, most int) ([]book.Report, error) {
	v, err := readers(tx, by)
	if err != nil {
		return nil, err
	}
	if !v.Signs() {
		return nil, fault.Forbidden()
	}
	var a args
	where, err := v.waiting(tx, &a)
	if err != nil {
		return nil, err
	}
	return book.Some(tx, `SELECT r.id FROM report r JOIN apprenticeship a ON a.id = r.apprenticeship `+where+` AND r.kind = 'week' ORDER BY r.submitted_at, r.id LIMIT `+a.add(most), a...)
}

// A Done thing is what the actor decided.
type Done struct {
	Item
	ID, Did string
	At      db.Time
}

func (d *Done) fields() []any { return append(d.Item.fields(), &d.ID, &d.Did, &d.At) }

const done = `SELECT r.id, r.apprentice, p.name, r.year, r.week, r.kind, r.state, r.submitted_at, FALSE, r.decided_at, r.undo_until, r.version, x.id, x.kind, x.at
	FROM decision x JOIN report r ON r.id = x.report JOIN person p ON p.sub = r.apprentice WHERE x.person = $1 `

// Decisions are what the actor decided in the last ninety days, newest first, in
// the company they act for: what was another's stays there. before is the id of the last one of the page before.
func Decisions(tx *db.Tx, by audit.Actor, before string, most int) ([]Done, error) {
	v, err := readerOf(tx, by)
	if err != nil {
		return nil, err
	}
	if !v.pin() && !v.Signs() {
		return nil, fault.Forbidden()
	}
	if before == "" {
		before = "g" // after every id
	}
	return db.All(tx, (*Done).fields, done+`AND x.id < $2 AND x.at > $3 AND ($5 = '' OR r.company = $5) ORDER BY x.id DESC LIMIT $4`, v.sub, before, tx.Now().Add(-shown), most, v.Company.ID)
}

// Undoable is what the actor signed off last, if it can be taken back. It is
// looked for among the actor's decisions: COALESCE keeps SQLite from going
// through what everybody signed off in the last ten minutes (report_undo).
func Undoable(tx *db.Tx, by audit.Actor) (Done, bool, error) {
	v, err := readerOf(tx, by)
	if err != nil {
		return Done{}, false, err
	}
	d, err := db.One(tx, (*Done).fields, done+`AND x.at > $2 AND COALESCE(r.undo_until, $3) > $3 AND r.decided_by = $1 AND ($4 = '' OR r.company = $4) ORDER BY x.id DESC LIMIT 1`, v.sub, tx.Now().Add(-UndoFor), tx.Now(), v.Company.ID)
	if fault.Is(err, fault.KindNotFound) {
		return d, false, nil
	}
	return d, err == nil, err
}

// Sent lists what was sent to the address of the supervisor who acts,
// whosoever wrote it (R269, R329); of two lists the first is what waits,
// oldest first.
func Sent(tx *db.Tx, by audit.Actor) (waiting, decided []Item, err error) {
	v, err := readerOf(tx, by)
	if err != nil {
		return nil, nil, err
	}
	if !v.pin() {
		return nil, nil, fault.Forbidden()
	}
	if waiting, err = db.All(tx, (*Item).fields, items+`WHERE r.approver = $1 AND r.state = 'submitted' ORDER BY r.submitted_at, r.id LIMIT $2`, v.sub, QueueSize); err != nil {
		return nil, nil, err
	}
	decided, err = db.All(tx, (*Item).fields, items+`WHERE r.approver = $1 AND r.submitted_at IS NOT NULL AND r.state IN ('checked', 'signed_off', 'returned')
		ORDER BY r.submitted_at DESC, r.id LIMIT $2`, v.sub, sentShown)
	return waiting, decided, err
}

const sentShown = 50
