package review

import (
	"time"
	"unicode/utf8"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/training/book"
	"zunft/internal/training/person"
	"zunft/internal/training/supervisor"
)

// quiet is how long one side gets no second mail about comments on a report.
const quiet = time.Hour

// comments bound how much one person writes: more is no dialog.
var comments = limit.Rate{Burst: 30, Every: time.Minute}

// Comment adds to the dialog about a report (R228, R229): its apprentice, and
// those who may decide on it. The other side is told by mail, once in an hour.
func Comment(tx *db.Tx, by audit.Actor, id, text string) error {
	r, v, err := load(tx, by, id)
	if err != nil {
		return err
	}
	own := r.Apprentice == v.sub
	if !own && !v.pin() && !v.Signs() {
		return fault.Forbidden()
	}
	switch n := utf8.RuneCountInString(text); {
	case n == 0:
		return fault.Invalid("comment", "review.comment_missing")
	case n > MaxComment:
		return fault.Invalid("comment", "review.comment_long", MaxComment)
	}
	var last struct {
		text string
		told bool
	}
	err = tx.Scan(`SELECT COALESCE(max(CASE WHEN person = $2 AND text = $3 AND at > $4 THEN text END), ''), COALESCE(max(CASE WHEN (person = $6) = $7 THEN 1 END), 0) = 1
		FROM report_event WHERE report = $1 AND event = 'comment' AND at > $5`,
		[]any{r.ID, by.Account, text, tx.Now().Add(-time.Minute), tx.Now().Add(-quiet), r.Apprentice, own}, &last.text, &last.told)
	if err != nil || last.text != "" { // a second press of the button
		return err
	}
	if err := limit.TakeIn(tx, "comment/"+v.sub, comments); err != nil {
		return err
	}
	if err := book.Note(tx, by, r, "comment", text, ""); err != nil || last.told {
		return err
	}
	return tellOfComment(tx, by, r, own)
}

// tellOfComment writes to the apprentice, or to who spoke or decided last on
// the other side; when nobody has yet, or they do not read it any more, nobody is
// told: whoever reads the report reads it there.
func tellOfComment(tx *db.Tx, by audit.Actor, r book.Report, own bool) error {
	to := r.Apprentice
	if own {
		var err error
		to, err = db.Value[string](tx, `SELECT person FROM report_event WHERE report = $1 AND person <> $2 ORDER BY id DESC LIMIT 1`, r.ID, r.Apprentice)
		if fault.Is(err, fault.KindNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if reads, err := readsNow(tx, to, r); err != nil || !reads {
			return err
		}
	}
	p, err := person.Get(tx, to)
	if err != nil || p.Email == "" {
		return err
	}
	who, err := person.Get(tx, by.Account)
	if err != nil {
		return err
	}
	path := "/reports/" + r.Week.String()
	switch {
	case own && supervisor.Is(audit.Actor{Account: to}):
		path = "/supervisor/reports/" + r.ID
	case own:
		path = "/reviews/" + r.ID
	}
	return texts.Send(tx, p.Mail(), "comment", map[string]any{"Name": p.Name, "Who": who.Name, "Week": r.Week.Name(), "Dates": r.Dates(), "Page": path})
}

// readsNow reports whether somebody who read a report once still does: people
// leave, and reports are sent to others.
func readsNow(tx *db.Tx, sub string, r book.Report) (bool, error) {
	if supervisor.Is(audit.Actor{Account: sub}) {
		return r.Approver == sub, nil
	}
	all, err := ReadableTo(tx, sub, r.Company, r.Apprentice)
	return all[r.ID], err
}
