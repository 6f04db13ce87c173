// Package review is how reports are read, signed off or returned, by trainers,
// supervisors and those who came with a PIN.
package review

import (
	"embed"
	"slices"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/mail"
	"zunft/internal/training/book"
	"zunft/internal/training/person"
	"zunft/internal/training/supervisor"
)

// Phrases of this package.
//
//go:embed phrases/*.json
var Phrases embed.FS

//go:embed mails
var mailFiles embed.FS

var texts = mail.Parse(mailFiles)

// Limits, in characters.
const (
	MaxReason  = 500 // of a return, and a remark at signing off
	MaxComment = 2000
)

// For is a report as the actor may see it: the apprentice sees their own, who
// comes with a PIN what was sent to their address,
// trainers, supervisors and training admins those of their company that were
// submitted once. Of a report that is back with the apprentice they see no text.
// Everything else is not found.
func For(tx *db.Tx, by audit.Actor, id string) (book.Report, error) {
	if supervisor.Is(by) {
		return sentTo(tx, by, id)
	}
	s, err := person.Acting(tx, by)
	if err != nil {
		return book.Report{}, err
	}
	r, err := book.Get(tx, id)
	if err != nil {
		return r, err
	}
	mine := r.Apprentice == s.Person.Sub && s.Writes()
	if r.Company != s.Company.ID || !mine && (!s.Reads() || r.SubmittedAt.IsZero()) {
		return book.Report{}, fault.NotFound()
	}
	if !mine && r.Open() {
		r.Text = book.Text{}
	}
	return r, nil
}

// decider is For, for those who decide.
func decider(tx *db.Tx, by audit.Actor, id string, roles ...string) (book.Report, error) {
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

// sentTo is a report that was sent to the address of the supervisor who acts.
// While it is back with the apprentice they see no text.
func sentTo(tx *db.Tx, by audit.Actor, id string) (book.Report, error) {
	s, err := supervisor.Acting(tx, by)
	if err != nil {
		return book.Report{}, err
	}
	r, err := book.Get(tx, id)
	if err != nil {
		return r, err
	}
	if r.Approver != s.Person || r.SubmittedAt.IsZero() {
		return book.Report{}, fault.NotFound()
	}
	if r.Open() {
		r.Text = book.Text{}
	}
	return r, nil
}
