package review

import (
	"time"
	"unicode/utf8"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/training/book"
	"zunft/internal/training/person"
)

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
		return fault.Invalid("comment", "review.comment_missing")
	case n > MaxComment:
		return fault.Invalid("comment", "review.comment_long", MaxComment)
	}
	again, err := db.Value[bool](tx, `SELECT EXISTS (SELECT 1 FROM report_event WHERE report = $1 AND person = $2 AND event = 'comment' AND text = $3 AND at > $4)`,
		r.ID, by.Account, text, tx.Now().Add(-time.Minute))
	if err != nil || again { // a second press of the button
		return err
	}
	return book.Note(tx, by, r, "comment", text, "")
}
