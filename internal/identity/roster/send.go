package roster

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/job"
	"zunft/internal/identity/account"
	"zunft/internal/identity/invitation"
	"zunft/internal/identity/notice"
	"zunft/internal/identity/organization"
)

const (
	sendKind  = "roster.send"
	batch     = 50               // invitations of one transaction
	longest   = 30 * time.Second // of one job: well within its lease
	pause     = 5 * time.Minute  // when the organization has invited too many for now
	shortWait = time.Minute      // a longer limit is that of an address, not of the organization
)

// order is the body of a job of sendKind.
type order struct {
	Roster string
	By     audit.Actor
	From   int // makes the key of the next job another one
}

// Send invites everybody whose row is fine; the rest stays and can be mended.
// A job does it, a batch to a transaction. version is what the admin saw.
func Send(tx *db.Tx, by audit.Actor, organizationID, id string, version int) (ready int, err error) {
	l, err := editable(tx, by, organizationID, id, version)
	if err != nil {
		return 0, err
	}
	counts, err := Counts(tx, l)
	if err != nil {
		return 0, err
	}
	if ready = counts[OK]; ready == 0 {
		return 0, fault.Conflict("roster.nobody_ready")
	}
	if err := begin(tx, l); err != nil {
		return 0, err
	}
	by.Session = "" // the job outlives it
	if err := job.Enqueue(tx, sendKind, id, order{id, by, 0}); err != nil {
		return 0, err
	}
	return ready, audit.Record(tx, by, audit.Entry{Event: "roster.sent", Organization: l.Organization, Thing: id, Detail: map[string]any{"ready": ready, "left": l.Total - ready - l.Done}})
}

// Work sends lists and forgets old ones.
func Work(r *job.Runner, d *db.DB) {
	r.On(sendKind, sendWork(d))
	r.Every(time.Hour, "roster.sweep", func(ctx context.Context) error { return Sweep(ctx, d) })
}

func sendWork(d *db.DB) job.Work {
	return func(ctx context.Context, body []byte) error {
		var o order
		if err := json.Unmarshal(body, &o); err != nil {
			return fmt.Errorf("%w: send a list: %w", job.ErrGiveUp, err)
		}
		for start := time.Now(); ; {
			more := false
			err := d.Write(ctx, func(tx *db.Tx) (err error) { more, err = sendBatch(tx, &o, time.Since(start) > longest); return err })
			if err != nil || !more {
				return err
			}
		}
	}
}

// sendBatch invites the next rows; more is false when this job is done with
// the list: it has come to its end, or another job goes on.
func sendBatch(tx *db.Tx, o *order, tired bool) (more bool, err error) {
	if err := hold(tx, o.Roster); err != nil {
		return false, err
	}
	l, err := load(tx, o.Roster)
	if fault.Is(err, fault.KindNotFound) || err == nil && l.State != Sending {
		return false, nil // another did it
	}
	if err != nil {
		return false, err
	}
	if tired {
		o.From = l.Done
		return false, job.Enqueue(tx, sendKind, fmt.Sprint(l.ID, "/", l.Done), o)
	}
	next, err := nextRows(tx, l.ID, batch)
	if err != nil {
		return false, err
	}
	if len(next) == 0 {
		return false, finish(tx, o.By, l)
	}
	c, err := l.catalogOf(tx)
	if err != nil {
		return false, err
	}
	wishes := make([]invitation.Wish, len(next))
	for i := range next {
		wishes[i] = l.wish(c, &next[i])
	}
	results, err := invitation.InviteMany(tx, o.By, l.Organization, wishes)
	if fault.Is(err, fault.KindNotFound) || fault.Is(err, fault.KindForbidden) { // the organization has closed, or who sent the list administers it no more
		return false, stop(tx, o.By, l)
	}
	if err != nil {
		return false, err
	}
	done, waits := settle(next, results)
	if err := updateRows(tx, l.ID, done, false); err != nil {
		return false, err
	}
	if _, err := tx.Exec(`UPDATE roster SET done = done + $1 WHERE id = $2`, len(done), l.ID); err != nil {
		return false, err
	}
	if waits {
		return false, job.At(tx, tx.Now().Add(pause), sendKind, fmt.Sprint(l.ID, "/", l.Done+len(done), "/", tx.Now().Unix()), o)
	}
	return true, nil
}

// settle writes down what came of each row; waits reports that some have to
// wait for the organization's limit.
func settle(next []Row, results []invitation.Result) (done []Row, waits bool) {
	for i, r := range next {
		switch f := fault.Of(results[i].Problem); {
		case f != nil && f.Kind == fault.KindLimited && f.Wait <= shortWait:
			waits = true
			continue
		case f != nil:
			r.State, r.Problems = Failed, nil
			for _, p := range f.Problems {
				r.complain(p.Field, p.Key, p.Args...)
			}
		case results[i].Invitation.State == invitation.Member:
			r.State, r.Problems = Sent, nil
			r.warn("", "roster.was_member")
		default:
			r.State, r.Problems, r.Invitation = Sent, nil, results[i].Invitation.ID
		}
		done = append(done, r)
	}
	return done, waits
}

// finish ends the sending and tells who started it, by bell and mail (ux.md 2.5).
func finish(tx *db.Tx, by audit.Actor, l Roster) error {
	n, err := tx.Exec(`UPDATE roster SET state = 'done', done_at = $1, version = version + 1 WHERE id = $2 AND state = 'sending'`, tx.Now(), l.ID)
	if err != nil || n == 0 {
		return err
	}
	counts, err := Counts(tx, l)
	if err != nil {
		return err
	}
	left := counts[Bad] + counts[Failed]
	if err := audit.Record(tx, audit.Job, audit.Entry{Event: "roster.finished", Organization: l.Organization, Thing: l.ID, Detail: map[string]any{"sent": counts[Sent], "left": left}}); err != nil {
		return err
	}
	if by.Account == "" { // a command says so itself
		return nil
	}
	o, err := organization.Get(tx, l.Organization)
	if err != nil {
		return err
	}
	person, err := account.Get(tx, by.Account)
	if fault.Is(err, fault.KindNotFound) { // has left meanwhile
		return nil
	}
	if err != nil {
		return err
	}
	page := "/organizations/" + l.Organization + "/rosters/" + l.ID
	if err := notice.Tell(tx, person.ID, "notice.roster_done", page, fmt.Sprint(counts[Sent]), fmt.Sprint(left), l.Name); err != nil {
		return err
	}
	if yes, err := notice.Mails(tx, person.ID, notice.Requests); err != nil || !yes {
		return err
	}
	return texts.Send(tx, person.Person(), "done", report{person.Name(), o.Name, l.Name, counts[Sent], left, page})
}

// report is what the mail about a list may use.
type report struct {
	Name, Organization, List string
	Sent, Left               int
	Page                     string
}

// stop ends the sending of a list whose sender may not invite any more.
func stop(tx *db.Tx, by audit.Actor, l Roster) error {
	rest, err := rows(tx, l.ID, `state = 'ok'`)
	if err != nil {
		return err
	}
	for i := range rest {
		rest[i].State, rest[i].Problems = Failed, nil
		rest[i].complain("", "roster.stopped")
	}
	if err := updateRows(tx, l.ID, rest, false); err != nil {
		return err
	}
	return finish(tx, by, l)
}
