package review

import (
	"fmt"
	"unicode/utf8"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/training/book"
	"zunft/internal/training/person"
)

// SignOff says that the report was read and is in order (§ 14 BBiG). version
// is the one that was read; the remark is optional (R332).
func SignOff(tx *db.Tx, by audit.Actor, id string, version int, remark string) (book.Report, error) {
	r, err := decider(tx, by, id, person.Trainer, person.Supervisor)
	if err != nil {
		return r, err
	}
	if utf8.RuneCountInString(remark) > MaxReason {
		return r, fault.Invalid("reason", "review.reason_long", MaxReason)
	}
	return decide(tx, by, r, version, book.SignedOff, "signed_off", remark)
}

// Return gives the report back with what is to be mended (R331).
func Return(tx *db.Tx, by audit.Actor, id string, version int, reason string) (book.Report, error) {
	r, err := decider(tx, by, id, person.Trainer, person.Supervisor)
	if err != nil {
		return r, err
	}
	if err := checkReason(reason); err != nil {
		return r, err
	}
	return decide(tx, by, r, version, book.Returned, "returned", reason)
}

func checkReason(reason string) error {
	switch n := utf8.RuneCountInString(reason); {
	case n == 0:
		return fault.Invalid("reason", "review.reason_missing")
	case n > MaxReason:
		return fault.Invalid("reason", "review.reason_long", MaxReason)
	}
	return nil
}

// decide moves a submitted report on; of two people at once one wins.
func decide(tx *db.Tx, by audit.Actor, r book.Report, version int, to book.State, event, text string) (book.Report, error) {
	answer := ""
	if to == book.Returned {
		answer = text
	}
	moved, err := book.Move(tx, &r, `state = $4, decided_at = $3, decided_by = $5, answer = $6`, `state = 'submitted'`, version, to, by.Account, answer)
	if err != nil {
		return r, fmt.Errorf("decide %s: %w", r.ID, err)
	}
	if !moved {
		return r, quicker(tx, r)
	}
	if err := book.Note(tx, by, r, event, text, r.Text.Digest()); err != nil {
		return r, err
	}
	return r, tellApprentice(tx, by, r, event, text)
}

// quicker names what happened to the report meanwhile.
func quicker(tx *db.Tx, r book.Report) error {
	now, err := book.Get(tx, r.ID)
	if err != nil {
		return err
	}
	switch {
	case now.State == book.Draft:
		return fault.Conflict("review.was_taken_back")
	case now.State == book.Submitted:
		return fault.Conflict("review.was_changed")
	case now.DecidedBy == "":
		return fault.Conflict("review.decided")
	}
	p, err := person.Get(tx, now.DecidedBy)
	if err != nil {
		return err
	}
	if now.State == book.Returned {
		return fault.Conflict("review.was_returned", p.Name)
	}
	return fault.Conflict("review.was_signed_off", p.Name)
}

// Reopen returns what was signed off already (R335); trainers only.
func Reopen(tx *db.Tx, by audit.Actor, id string, version int, reason string) (book.Report, error) {
	r, err := decider(tx, by, id, person.Trainer)
	if err != nil {
		return r, err
	}
	if err := checkReason(reason); err != nil {
		return r, err
	}
	moved, err := book.Move(tx, &r, `state = 'returned', decided_at = $3, decided_by = $4, answer = $5`, `state = 'signed_off'`, version, by.Account, reason)
	if err != nil {
		return r, fmt.Errorf("reopen %s: %w", r.ID, err)
	}
	if !moved {
		return r, quicker(tx, r)
	}
	if err := book.Note(tx, by, r, "reopened", reason, ""); err != nil {
		return r, err
	}
	return r, tellApprentice(tx, by, r, "returned", reason)
}

// tellApprentice sends M21 (R330).
func tellApprentice(tx *db.Tx, by audit.Actor, r book.Report, event, text string) error {
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
