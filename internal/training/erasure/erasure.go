// Package erasure forgets people (GDPR Art. 17): who left, and what nobody may
// keep any longer.
//
//		             account deleted (Purged)              the book's time is over       nothing needs the name
//		is here ────────────────────────────▶ gone ──────────────────────────▶ bookless ────────────────────▶ nameless
//		   ▲        asked of the operator (Forget)  │
//		   └────── signs in (only after asked) ─────┘
//
//	  - At once goes what has no ground without its person: sessions, tokens,
//	    roles, the address, drafts that nobody ever decided on, patterns, snippets,
//	    timetables, planned times with their reasons (illness among them), feeds,
//	    reminders, uploads, files made for them, looks that they had granted.
//	  - What was submitted is a record (§ 13 sentence 2 no. 7, § 43 (1) no. 2 BBiG),
//	    of the company and the chamber, too. It stays while the apprenticeship runs
//	    and until the end of so many years after the year in which it ended: the
//	    operator says how many. No law names a time for the report book; what the
//	    contract's text is kept for (three years, BBiG since 1 August 2024) and
//	    claims out of it (§§ 195, 199 BGB) is the default.
//	  - The name of somebody who signed stands beside what they signed for as long
//	    as the longest book could need it; after that it is "N. N.".
//	  - The audit keeps ids only. It tells that a book was erased, and with which
//	    seal it ended: package chain calls such a book erased, not tampered with.
//
// Nobody is asked to wait for it: a nightly job looks again, one person a
// transaction, also for what was being saved in the moment when they left.
package erasure

import (
	"context"
	"fmt"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/training/calendar"
	"zunft/internal/training/chain"
	"zunft/internal/training/person"
)

const (
	// Years is for how many years a book is kept by default, after the end of
	// the year in which the apprenticeship ended.
	Years = 3
	// longest is for how many years a book can go on after somebody signed in
	// it: three and a half, part-time (§ 7a BBiG) half as long again.
	longest = 5
	// again is after which time the job looks again at what waits for its time:
	// the registry may say another end, the operator another number of years.
	again = 30 * 24 * time.Hour
	// atOnce is how many people the job reads at once.
	atOnce = 100
)

// Purged is what follows when the identity portal says that an account is
// deleted for good. Twice is harmless, and so is somebody who was never here.
func Purged(tx *db.Tx, by audit.Actor, sub string, years int) error {
	return leave(tx, by, sub, person.Purged, years)
}

func leave(tx *db.Tx, by audit.Actor, sub, why string, years int) error {
	if _, err := person.Get(tx, sub); fault.Is(err, fault.KindNotFound) {
		return nil
	} else if err != nil {
		return err
	}
	until, err := namedUntil(tx, sub, years)
	if err != nil {
		return err
	}
	first, err := person.Leave(tx, by, sub, why, until)
	if err != nil {
		return err
	}
	if err := forget(tx, by, sub); err != nil || !first {
		return err
	}
	if err := audit.Record(tx, by, audit.Entry{Event: "person.left", Account: sub, Detail: map[string]any{"why": why}}); err != nil {
		return err
	}
	return audit.Forget(tx, sub)
}

// namedUntil is until when the name stands beside what somebody signed; empty
// for an apprentice who never accompanied anybody: theirs goes with the book.
func namedUntil(tx *db.Tx, sub string, years int) (string, error) {
	writes, err := db.Value[bool](tx, `SELECT (EXISTS (SELECT 1 FROM report WHERE apprentice = $1) OR EXISTS (SELECT 1 FROM company_role WHERE person = $1 AND role IN ('apprentice', 'retrainee')))
		AND NOT EXISTS (SELECT 1 FROM company_role WHERE person = $1 AND role NOT IN ('apprentice', 'retrainee')) AND NOT EXISTS (SELECT 1 FROM assignment WHERE person = $1)
		AND NOT EXISTS (SELECT 1 FROM supervisor WHERE account = $1)`, sub)
	if err != nil || writes {
		return "", err
	}
	return lastOf(calendar.Today(tx.Now()), years+longest), nil
}

// lastOf is the last day of the year that is so many years after that of day.
func lastOf(day calendar.Date, years int) string {
	return fmt.Sprintf("%04d-12-31", day.Time().Year()+years)
}

// forgotten is what goes at once, row by row. What is not named here and refers
// to people stays for a reason, goes with the book or by its own time; a test
// holds the list of all.
var forgotten = []string{
	`DELETE FROM report WHERE apprentice = $1 AND state = 'draft' AND NOT EXISTS (SELECT 1 FROM report_seal s WHERE s.report = report.id)
		AND NOT EXISTS (SELECT 1 FROM report_event e WHERE e.report = report.id AND e.event NOT IN ('submitted', 'taken_back', 'comment'))`,
	`DELETE FROM week_pattern WHERE person = $1`,
	`DELETE FROM planned_time WHERE person = $1`,
	`DELETE FROM lesson WHERE person = $1`,
	`DELETE FROM snippet WHERE person = $1`,
	`DELETE FROM api_token WHERE person = $1`,
	`DELETE FROM calendar_feed WHERE person = $1`,
	`DELETE FROM reminder WHERE person = $1`,
	`DELETE FROM reminder_sent WHERE person = $1`,
	`DELETE FROM silence WHERE person = $1`,
	`DELETE FROM intake WHERE person = $1`,
	`DELETE FROM decision WHERE person = $1`,
	`UPDATE apprenticeship SET email = '' WHERE person = $1 AND email <> ''`,
	// Who signed by PIN under the same address was the same person.
	sameName,
	`DELETE FROM supervisor_known WHERE person IN (SELECT person FROM supervisor WHERE account = $1)`,
}

// sameName: until then they were called by their address.
const sameName = `UPDATE person SET email = '', (name, given_name, family_name, name_key) = (SELECT p.name, p.given_name, p.family_name, p.name_key FROM person p WHERE p.sub = $1)
	WHERE sub IN (SELECT person FROM supervisor WHERE account = $1)`

// ended is what ends now: it names the person by an id, and is part of what
// happened to others.
var ended = []string{
	`UPDATE substitute SET ended_at = $2 WHERE person = $1 AND ended_at IS NULL`,
	`UPDATE substitute SET ended_at = $2 WHERE deputy = $1 AND ended_at IS NULL`,
	// The files go with the next sweep.
	`UPDATE export SET expires_at = $2 WHERE ordered_by = $1 AND state <> 'gone' AND expires_at > $2`,
	// By law the chamber looks on; a consent ended with the person.
	`UPDATE share SET state = 'ended', ended_at = $2 WHERE person = $1 AND (state = 'asked' OR state = 'open' AND ground = 'consent')`,
	`UPDATE supervisor_session SET ended_at = $2 WHERE person IN (SELECT person FROM supervisor WHERE account = $1) AND ended_at IS NULL`,
	// Nobody knows a PIN that gives this.
	`UPDATE supervisor SET email_key = person, pin_mac = '', paused_until = $2 WHERE account = $1 AND email_key <> person`,
}

// forget takes what has no ground to stay.
func forget(tx *db.Tx, by audit.Actor, sub string) error {
	for _, statement := range forgotten {
		if _, err := tx.Exec(statement, sub); err != nil {
			return fmt.Errorf("forget %s: %w", sub, err)
		}
	}
	for _, statement := range ended {
		if _, err := tx.Exec(statement, sub, tx.Now()); err != nil {
			return fmt.Errorf("forget %s: %w", sub, err)
		}
	}
	today := string(calendar.Today(tx.Now()))
	if _, err := tx.Exec(`DELETE FROM assignment WHERE person = $1 AND from_day > $2`, sub, today); err != nil {
		return fmt.Errorf("forget %s: %w", sub, err)
	}
	if _, err := tx.Exec(`UPDATE assignment SET until_day = $2 WHERE person = $1 AND (until_day = '' OR until_day > $2)`, sub, today); err != nil {
		return fmt.Errorf("forget %s: %w", sub, err)
	}
	// What waited for them alone waits for all who accompany the apprentice.
	if _, err := tx.Exec(`UPDATE report SET approver = '' WHERE approver <> '' AND state IN ('submitted', 'checked')
		AND approver IN (SELECT CAST($1 AS TEXT) UNION ALL SELECT person FROM supervisor WHERE account = $1)`, sub); err != nil {
		return fmt.Errorf("forget %s: %w", sub, err)
	}
	return nil
}

// whole is what goes with the report book.
var whole = []string{
	`DELETE FROM report WHERE apprentice = $1`, // with events, versions, files, decisions, seals
	`DELETE FROM share WHERE person = $1`,
	// Whoever still holds a print of it can no more ask /verify about it.
	`DELETE FROM export WHERE person = $1 AND ordered_by <> person`,
	`DELETE FROM export WHERE ordered_by = $1 AND person = $1`,
	`UPDATE apprenticeship SET previous = NULL WHERE previous IN (SELECT id FROM apprenticeship WHERE person = $1)`,
	`DELETE FROM apprenticeship WHERE person = $1`, // with assignments, exam steps, documents
}

// eraseBook takes the report book of a person, with all that hangs on it, and
// keeps in the audit that it was so, and with which seal it ended.
func eraseBook(tx *db.Tx, by audit.Actor, sub string) error {
	head, err := chain.Head(tx, sub)
	if err != nil {
		return err
	}
	reports, err := db.Value[int](tx, `SELECT count(*) FROM report WHERE apprentice = $1`, sub)
	if err != nil {
		return err
	}
	for _, statement := range whole {
		if _, err := tx.Exec(statement, sub); err != nil {
			return fmt.Errorf("erase the book of %s: %w", sub, err)
		}
	}
	return audit.Record(tx, by, audit.Entry{Event: chain.ErasedEvent, Account: sub, Detail: map[string]any{"reports": reports, "number": head.Number, "sha256": head.Digest}})
}

// Run looks again at who is gone, and erases what is due. A nightly job calls it.
func Run(ctx context.Context, d *db.DB, years int) error {
	for {
		var due []string
		err := d.Read(ctx, func(tx *db.Tx) (err error) {
			due, err = db.Values[string](tx, `SELECT sub FROM person WHERE look_at <= $1 ORDER BY look_at, sub LIMIT $2`, tx.Now(), atOnce)
			return err
		})
		if err != nil {
			return err
		}
		if len(due) == 0 {
			break
		}
		for _, sub := range due {
			if err := d.Write(ctx, func(tx *db.Tx) error { return look(tx, audit.Job, sub, years, false) }); err != nil {
				return err
			}
		}
	}
	return d.Batches(ctx, func(tx *db.Tx, most int) (int64, error) { return eraseUnknown(tx, years, most) })
}

// look erases what is due of a person who is gone, or, if now, whatever is kept
// of them, and says when to look again.
func look(tx *db.Tx, by audit.Actor, sub string, years int, now bool) error {
	n, err := tx.Exec(`UPDATE person SET look_at = $2 WHERE sub = $1 AND gone <> ''`, sub, tx.Now().Add(again))
	if err != nil || n == 0 { // came back a moment ago
		return err
	}
	if err := person.Strip(tx, by, sub); err != nil {
		return err
	}
	if err := forget(tx, by, sub); err != nil {
		return err
	}
	k, err := Look(tx, sub, years)
	if err != nil {
		return err
	}
	today := string(calendar.Today(tx.Now()))
	if k.Book && (now || today > k.Until) {
		if err := eraseBook(tx, by, sub); err != nil {
			return err
		}
		k.Book = false
	}
	if k.Book || k.NamedUntil != "" && today <= k.NamedUntil {
		return nil
	}
	if err := person.Unname(tx, sub); err != nil {
		return err
	}
	if _, err := tx.Exec(sameName, sub); err != nil {
		return err
	}
	return audit.Record(tx, by, audit.Entry{Event: "person.erased", Account: sub})
}
