package review

import (
	"fmt"
	"slices"
	"unicode/utf8"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/training/book"
	"zunft/internal/training/person"
)

// decider is For, for those who decide.
func decider(tx *db.Tx, by audit.Actor, id string) (book.Report, May, error) {
	r, v, err := load(tx, by, id)
	if err != nil {
		return r, May{}, err
	}
	if slices.Contains(v.self, r.Apprentice) || !v.pin() && !v.Signs() {
		return r, May{}, fault.Forbidden() // never one's own
	}
	m, err := v.may(tx, r)
	return r, m, err
}

// SignOff says that the report was read and is in order (§ 14 BBiG). version
// is the one that was read; the remark is optional (R332). Of two steps the
// first makes it "checked".
func SignOff(tx *db.Tx, by audit.Actor, id string, version int, remark string) (book.Report, error) {
	return signOff(tx, by, id, version, remark, false)
}

// ConfirmPaper is SignOff for the long report of what was written on paper
// before: it also says that the book was kept properly on paper (R321).
func ConfirmPaper(tx *db.Tx, by audit.Actor, id string, version int, remark string) (book.Report, error) {
	return signOff(tx, by, id, version, remark, true)
}

func signOff(tx *db.Tx, by audit.Actor, id string, version int, remark string, paper bool) (book.Report, error) {
	r, m, err := decider(tx, by, id)
	if err != nil {
		return r, err
	}
	if utf8.RuneCountInString(remark) > MaxReason {
		return r, fault.Invalid("reason", "review.reason_long", MaxReason)
	}
	if r.Kind == book.Paper && !paper {
		return r, fault.Invalid("paper", "review.paper_unconfirmed")
	}
	if !m.Sign {
		return r, refused(tx, m, r, version)
	}
	to, set := book.SignedOff, ``
	if m.First {
		to, set = book.Checked, `, checked_at = $3, checked_by = $5`
	}
	from := r.State
	moved, err := book.Move(tx, &r, `state = $4, decided_at = $3, decided_by = $5, answer = '', undo_until = $6`+set, `state = $7`, version, to, by.Account, tx.Now().Add(UndoFor), from)
	if err != nil {
		return r, fmt.Errorf("sign off %s: %w", r.ID, err)
	}
	if !moved {
		return r, quicker(tx, r)
	}
	if err := decided(tx, by, r, string(to)); err != nil {
		return r, err
	}
	return r, book.Note(tx, by, r, string(to), remark, r.Text.Digest())
}

// Return gives the report back with what is to be mended (R331).
func Return(tx *db.Tx, by audit.Actor, id string, version int, reason string) (book.Report, error) {
	r, m, err := decider(tx, by, id)
	if err != nil {
		return r, err
	}
	if err := checkReason(reason); err != nil {
		return r, err
	}
	if !m.Return {
		return r, refused(tx, m, r, version)
	}
	return giveBack(tx, by, r, version, "returned", reason)
}

// Reopen returns what was signed off already (R335); trainers only.
func Reopen(tx *db.Tx, by audit.Actor, id string, version int, reason string) (book.Report, error) {
	r, m, err := decider(tx, by, id)
	if err != nil {
		return r, err
	}
	s, err := person.Acting(tx, by)
	if err != nil {
		return r, err
	}
	if !s.Is(person.Trainer) {
		return r, fault.Forbidden()
	}
	if err := checkReason(reason); err != nil {
		return r, err
	}
	if !m.Reopen {
		return r, refused(tx, m, r, version)
	}
	return giveBack(tx, by, r, version, "reopened", reason)
}

// giveBack returns a report from the state it is in, and keeps what it was.
func giveBack(tx *db.Tx, by audit.Actor, r book.Report, version int, event, reason string) (book.Report, error) {
	from := r.State
	moved, err := book.Move(tx, &r, `state = 'returned', decided_at = $3, decided_by = $4, answer = $5, undo_until = NULL, checked_at = NULL, checked_by = ''`,
		`state = $6`, version, by.Account, reason, from)
	if err != nil {
		return r, fmt.Errorf("return %s: %w", r.ID, err)
	}
	if !moved {
		return r, quicker(tx, r)
	}
	if err := keep(tx, r); err != nil {
		return r, err
	}
	if err := decided(tx, by, r, event); err != nil {
		return r, err
	}
	if err := book.Note(tx, by, r, event, reason, r.Text.Digest()); err != nil {
		return r, err
	}
	return r, tellApprentice(tx, r, "returned", reason)
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

// refused says why a report cannot be decided now.
func refused(tx *db.Tx, m May, r book.Report, version int) error {
	switch {
	case r.Version != version, r.State != book.Submitted && r.State != book.Checked:
		return quicker(tx, r)
	case r.Kind == book.Paper && r.State == book.Submitted && m.Return:
		return fault.Conflict("review.paper_trainer")
	case m.Unknown && !m.Confirm:
		return fault.Conflict("review.unknown_address")
	case r.State == book.Checked && m.Return: // a trainer, who did the first step
		return fault.Conflict("review.other_eyes")
	case r.State == book.Checked:
		return fault.Conflict("review.waits_trainer")
	}
	return fault.Conflict("review.waits_first")
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
	switch now.State {
	case book.Returned:
		return fault.Conflict("review.was_returned", p.Name)
	case book.Checked:
		return fault.Conflict("review.was_checked", p.Name)
	}
	return fault.Conflict("review.was_signed_off", p.Name)
}

// Undo takes back what the actor signed off, while that is possible. Pressing
// twice is harmless.
func Undo(tx *db.Tx, by audit.Actor, id string, version int) (book.Report, error) {
	r, m, err := decider(tx, by, id)
	if err != nil {
		return r, err
	}
	if !m.Undo {
		return undone(tx, by, id, version)
	}
	moved, err := book.Move(tx, &r, `state = CASE WHEN state = 'signed_off' AND checked_by <> '' THEN 'checked' ELSE 'submitted' END, decided_at = NULL, decided_by = '', undo_until = NULL,
		checked_at = CASE WHEN state = 'checked' THEN NULL ELSE checked_at END, checked_by = CASE WHEN state = 'checked' THEN '' ELSE checked_by END`,
		`state IN ('signed_off', 'checked') AND decided_by = $4 AND undo_until > $3`, version, by.Account)
	if err != nil {
		return r, fmt.Errorf("take back the sign-off of %s: %w", r.ID, err)
	}
	if !moved {
		return undone(tx, by, id, version)
	}
	if _, err := tx.Exec(`DELETE FROM decision WHERE report = $1 AND person = $2 AND at > $3`, r.ID, by.Account, tx.Now().Add(-UndoFor)); err != nil {
		return r, err
	}
	return r, book.Note(tx, by, r, "undone", "", "")
}

// undone looks again: who pressed twice has what they wanted, everybody else
// comes too late.
func undone(tx *db.Tx, by audit.Actor, id string, version int) (book.Report, error) {
	r, _, err := decider(tx, by, id)
	if err == nil && (r.Version != version+1 || r.DecidedBy != "") {
		err = fault.Conflict("review.undo_late")
	}
	return r, err
}

// decided keeps what the actor did, for "Erledigt".
func decided(tx *db.Tx, by audit.Actor, r book.Report, kind string) error {
	_, err := tx.Exec(`INSERT INTO decision (id, person, report, at, kind) VALUES ($1, $2, $3, $4, $5)`, db.NewID(), by.Account, r.ID, tx.Now(), kind)
	return err
}

// tellApprentice sends M21 (R330).
func tellApprentice(tx *db.Tx, r book.Report, mail, text string) error {
	p, err := person.Get(tx, r.Apprentice)
	if err != nil || p.Email == "" {
		return err
	}
	who, err := person.Get(tx, r.DecidedBy)
	if err != nil {
		return err
	}
	return texts.Send(tx, p.Mail(), "report_"+mail, map[string]any{
		"Name": p.Name, "Trainer": who.Name,
		"Week": r.Week.Name(), "Dates": r.Dates(), "Path": r.Week.String(), "Text": text,
	})
}
