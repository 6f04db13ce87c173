package invitation

import (
	"context"
	"strings"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/job"
)

// Work enters what happens without anybody: invitations end, remind, and are forgotten.
func Work(jobs *job.Runner, d *db.DB) {
	jobs.On(remindKind, remindRound(d))
	jobs.Every(15*time.Minute, "invitation.expire", func(ctx context.Context) error { return d.Batches(ctx, Expire) })
	jobs.Every(time.Hour, "invitation.early", func(ctx context.Context) error { return d.Batches(ctx, remindEarly) })
	jobs.Every(24*time.Hour, "invitation.forget", func(ctx context.Context) error { return d.Batches(ctx, forget) })
}

// Refused is told by the mail sender which mail a server will never take.
func Refused(d *db.DB) func(ctx context.Context, about, why string) error {
	return func(ctx context.Context, what, why string) error {
		id, ours := strings.CutPrefix(what, about)
		if !ours {
			return nil
		}
		return d.Write(ctx, func(tx *db.Tx) error { return Undeliverable(tx, id, why) })
	}
}

// Expire ends what nobody answered in time, a batch at a time.
func Expire(tx *db.Tx, most int) (int64, error) {
	ended, err := db.All(tx, (*Invitation).fields, `UPDATE invitation SET state = 'expired', ended_at = $1, code_mac = ''
		WHERE id IN (SELECT id FROM invitation WHERE state IN ('sent', 'undeliverable') AND expires_at <= $1 ORDER BY expires_at LIMIT $2)
		AND state IN ('sent', 'undeliverable') AND expires_at <= $1 RETURNING `+columns, tx.Now(), most)
	if err != nil {
		return 0, err
	}
	for _, i := range ended {
		if err := i.record(tx, audit.Job, "invitation.expired", nil); err != nil {
			return 0, err
		}
	}
	return int64(len(ended)), nil
}

// remindEarly reminds once by itself, three days before the end.
func remindEarly(tx *db.Tx, most int) (int64, error) {
	all, err := list(tx, `state IN ('sent', 'undeliverable') AND state = 'sent' AND email <> '' AND reminders = 0
		AND expires_at > $1 AND expires_at <= $2 AND sent_at <= $3 ORDER BY expires_at LIMIT $4`, tx.Now(), tx.Now().Add(early), tx.Now().Add(-between), most)
	if err != nil {
		return 0, err
	}
	hosts := map[string]host{}
	for _, i := range all {
		h, known := hosts[i.Organization]
		if !known {
			if h, err = open(tx, i.Organization); err != nil && !fault.Is(err, fault.KindNotFound) {
				return 0, err
			}
			hosts[i.Organization] = h
		}
		if h.ID == "" { // locked or closed: it says nothing, and does not come again
			if _, err := tx.Exec(`UPDATE invitation SET reminders = reminders + 1 WHERE id = $1`, i.ID); err != nil {
				return 0, err
			}
			continue
		}
		if err := h.remind(tx, audit.Job, i); err != nil {
			return 0, err
		}
	}
	return int64(len(all)), nil
}

// forget removes what has ended half a year ago: it names people who may never
// have come.
func forget(tx *db.Tx, most int) (int64, error) {
	return tx.Exec(`DELETE FROM invitation WHERE id IN (SELECT id FROM invitation WHERE ended_at <= $1 ORDER BY ended_at LIMIT $2)`, tx.Now().Add(-kept), most)
}
