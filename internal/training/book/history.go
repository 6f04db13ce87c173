package book

import (
	"slices"
	"strings"

	"zunft/internal/ground/db"
)

// An Event of a report's history.
type Event struct {
	At         db.Time
	Kind       string // submitted, taken_back, checked, returned, signed_off, undone, reopened, comment
	Person     string // name
	Text       string
	Apprentice bool // done by the apprentice
}

// Lines of the text, for pages.
func (e Event) Lines() []string { return strings.Split(e.Text, "\n") }

// History is what happened to a report, newest first. A sign-off that its author
// does not see yet (Seen) is not told.
func History(tx *db.Tx, r Report) ([]Event, error) {
	all, err := db.All(tx, func(e *Event) []any { return []any{&e.At, &e.Kind, &e.Person, &e.Text, &e.Apprentice} },
		`SELECT e.at, e.event, p.name, e.text, e.person = $2 FROM report_event e JOIN person p ON p.sub = e.person WHERE e.report = $1 ORDER BY e.id DESC`,
		r.ID, r.Apprentice)
	return r.told(all, r.State == Checked), err
}

// told leaves out a sign-off that is pending: it can still be taken back.
func (r Report) told(all []Event, pending bool) []Event {
	if !pending {
		return all
	}
	return slices.DeleteFunc(all, func(e Event) bool { return e.Kind == string(SignedOff) && !e.At.Before(r.DecidedAt) })
}
