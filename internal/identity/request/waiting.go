package request

import (
	"context"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/job"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/notice"
)

// Nobody waits for ever. A request that is not answered calls itself to mind:
//
//	RemindDays    the admins are reminded; if one of them has taken it on, that one
//	DeputyDays    all admins are, those away, too
//	ChamberDays   the chamber is told that this company does not answer
//	RequestDays   it ends, and the applicant may ask again
//
// (chamber.Settings). The applicant sees all of these dates from the first day.
// The moment of the next step is kept with the request, so that the job asks for
// what is due and nothing else.

// Work is what happens without anybody asking.
func Work(r *job.Runner, d *db.DB) {
	r.Every(15*time.Minute, "request.leases", func(ctx context.Context) error { return d.Write(ctx, ExpireLeases) })
	r.Every(15*time.Minute, "request.absences", func(ctx context.Context) error { return d.Batches(ctx, PassOn) })
	r.Every(time.Hour, "request.waiting", func(ctx context.Context) error { return d.Batches(ctx, Wait) })
}

// A Step of waiting.
type Step struct {
	What string // "reminded", "deputies", "chamber", "expired"
	At   db.Time
	Done bool
}

// Schedule is what happens, or has happened, while nobody answers.
func (r Request) Schedule(s chamber.Settings) []Step {
	steps := []Step{{"reminded", r.RemindedAt, false}, {"deputies", r.DeputiesAt, false}, {"chamber", r.ChamberAt, false}, {What: "expired"}}
	days := []int{s.RemindDays, s.DeputyDays, s.ChamberDays, s.RequestDays}
	for i := range steps {
		if steps[i].Done = !steps[i].At.IsZero(); !steps[i].Done {
			steps[i].At = r.SubmittedAt.Add(time.Duration(days[i]) * 24 * time.Hour)
		}
	}
	return steps
}

// next is the first step that has not happened.
func (r Request) next(s chamber.Settings) (at db.Time, what string) {
	for _, step := range r.Schedule(s) {
		if !step.Done {
			return step.At, step.What
		}
	}
	return db.Time{}, ""
}

// Wait carries out what is due, some requests at a time; each step happens once.
func Wait(tx *db.Tx, most int) (int64, error) {
	due, err := db.Values[string](tx, `SELECT id FROM request WHERE due_at <= $1 AND due_at IS NOT NULL AND state IN ('open', 'claimed') ORDER BY due_at LIMIT $2`, tx.Now(), most)
	if err != nil {
		return 0, err
	}
	settings := map[string]chamber.Settings{}
	for _, id := range due {
		r, err := request(tx, id)
		if err != nil {
			return 0, err
		}
		s, err := set(tx, r)
		if err != nil {
			return 0, err
		}
		rules, known := settings[s.company.Chamber]
		if !known {
			if rules, err = chamber.SettingsOf(tx, s.company.Chamber); err != nil {
				return 0, err
			}
			settings[s.company.Chamber] = rules
		}
		if err := s.wait(tx, rules); err != nil {
			return 0, err
		}
	}
	return int64(len(due)), nil
}

// stamps keep when a step happened.
var stamps = map[string]string{"reminded": "reminded_at", "deputies": "deputies_at", "chamber": "chamber_at"}

func (s stage) wait(tx *db.Tx, rules chamber.Settings) error {
	r := s.request
	at, what := r.next(rules)
	if at.After(tx.Now()) { // the chamber gives more time by now
		_, err := tx.Exec(`UPDATE request SET due_at = $1 WHERE id = $2`, at, r.ID)
		return err
	}
	if what == "expired" {
		return s.expire(tx)
	}
	then := r
	switch what {
	case "reminded":
		then.RemindedAt = tx.Now()
	case "deputies":
		then.DeputiesAt = tx.Now()
	default:
		then.ChamberAt = tx.Now()
	}
	next, _ := then.next(rules)
	ok, err := step(tx, `UPDATE request SET `+stamps[what]+` = $1, due_at = $2 WHERE id = $3 AND `+stamps[what]+` IS NULL AND state IN ('open', 'claimed')`, tx.Now(), next, r.ID)
	if err != nil || !ok {
		return err
	}
	if err := note(tx, audit.Job, r, what, nil); err != nil {
		return err
	}
	switch {
	case what == "reminded" && r.State == Claimed && r.ClaimedUntil.After(tx.Now()):
		return s.remind(tx, r.ClaimedBy)
	case what == "chamber":
		clerks, err := chamber.Clerks(tx, s.company.Chamber)
		if err != nil {
			return err
		}
		for _, id := range clerks {
			if err := notice.Tell(tx, id, "notice.request_overdue", "/chamber/requests", s.company.Name); err != nil {
				return err
			}
		}
		return nil
	}
	return s.call(tx, "reminder", "notice.request_reminder", what == "deputies")
}

// expire ends a request that nobody answered.
func (s stage) expire(tx *db.Tx) error {
	ok, err := step(tx, `UPDATE request SET state = 'expired', decided_at = $1, due_at = NULL WHERE id = $2 AND state IN ('open', 'claimed')`, tx.Now(), s.request.ID)
	if err != nil || !ok {
		return err
	}
	if err := note(tx, audit.Job, s.request, Expired, nil); err != nil {
		return err
	}
	if err := s.answer(tx, "expired"); err != nil {
		return err
	}
	return notice.Tell(tx, s.applicant.ID, "notice.request_expired", "/requests/"+s.request.ID, s.company.Name)
}

// Overdue lists undecided requests of which a chamber was told, the longest
// waiting first, for its clerks. after is the id of the last of the page before.
func Overdue(tx *db.Tx, by audit.Actor, chamberID, after string, limit int) ([]Entry, error) {
	if err := chamber.MustClerk(tx, by, chamberID); err != nil {
		return nil, err
	}
	query, args := entries+`WHERE r.chamber_at IS NOT NULL AND r.state IN ('open', 'claimed') AND o.chamber = $1`, []any{chamberID, limit}
	if after != "" {
		query += ` AND (r.chamber_at, r.id) > (SELECT p.chamber_at, p.id FROM request p WHERE p.id = $3)`
		args = append(args, after)
	}
	return db.All(tx, (*Entry).fields, query+` ORDER BY r.chamber_at, r.id LIMIT $2`, args...)
}

// CountOverdue counts them up to a hundred, and says since when the first has waited.
func CountOverdue(tx *db.Tx, chamberID string) (n int, oldest db.Time, err error) {
	err = tx.Scan(`SELECT count(*), min(submitted_at) FROM (SELECT r.submitted_at FROM request r JOIN organization o ON o.id = r.organization
		WHERE r.chamber_at IS NOT NULL AND r.state IN ('open', 'claimed') AND o.chamber = $1 ORDER BY r.chamber_at LIMIT 100) AS overdue`, []any{chamberID}, &n, &oldest)
	if fault.Is(err, fault.KindNotFound) {
		err = nil
	}
	return n, oldest, err
}
