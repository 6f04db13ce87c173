package departure

import (
	"context"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/account"
	"zunft/internal/identity/policy"
)

// Accounts nobody uses go, too (GDPR Art. 5(1)(e)): after as many days as the
// policy of each says, told twice before. Who works for a chamber or administers
// a company is left alone: others rely on them.

const candidate = `SELECT id, used_at, policy, COALESCE(used_at, confirmed_at) FROM account WHERE state = 'active' AND told_at IS NULL AND delete_at IS NULL
	AND NOT EXISTS (SELECT 1 FROM staff WHERE staff.account = account.id)
	AND NOT EXISTS (SELECT 1 FROM membership m WHERE m.account = account.id AND m.admin AND m.ended_at IS NULL)`

type unused struct {
	id, policy  string
	used, since db.Time
}

func (u *unused) fields() []any { return []any{&u.id, &u.used, &u.policy, &u.since} }

// terms says after how many days without a sign-in an account of a policy goes;
// 0: never.
type terms struct {
	days     map[string]int
	standard int
	least    int // of those that ever end one
}

func readTerms(tx *db.Tx) (t terms, err error) {
	all, err := policy.All(tx)
	t.days = map[string]int{}
	for _, p := range all {
		t.days[p.Key] = p.UnusedAfter
		if p.Default {
			t.standard = p.UnusedAfter
		}
		if p.UnusedAfter > 0 && (t.least == 0 || p.UnusedAfter < t.least) {
			t.least = p.UnusedAfter
		}
	}
	return t, err
}

func (t terms) of(key string) int {
	if days, ok := t.days[key]; ok {
		return days
	}
	return t.standard
}

// walkUnused calls f with accounts nobody has used for as long as their policy
// says, the longest unused first, page by page.
func walkUnused(ctx context.Context, d *db.DB, f func(u unused, days int) error) error {
	var t terms
	if err := d.Read(ctx, func(tx *db.Tx) (err error) { t, err = readTerms(tx); return err }); err != nil || t.least == 0 {
		return err
	}
	after := unused{used: db.At(time.Unix(0, 0))}
	for _, ever := range []bool{true, false} { // used once, and never since it was confirmed: one index, two ranges
		after.id = ""
		for {
			var page []unused
			var now db.Time
			err := d.Read(ctx, func(tx *db.Tx) (err error) {
				now = tx.Now()
				before := now.Add(-days(t.least))
				if ever {
					page, err = db.All(tx, (*unused).fields, candidate+` AND used_at <= $1 AND (used_at > $2 OR used_at = $2 AND id > $3) ORDER BY used_at, id LIMIT $4`,
						before, after.used, after.id, dueAtOnce)
				} else {
					page, err = db.All(tx, (*unused).fields, candidate+` AND used_at IS NULL AND confirmed_at <= $1 AND id > $2 ORDER BY id LIMIT $3`, before, after.id, dueAtOnce)
				}
				return err
			})
			if err != nil {
				return err
			}
			for _, u := range page {
				if n := t.of(u.policy); n > 0 && !u.since.After(now.Add(-days(n))) {
					if err := f(u, n); err != nil {
						return err
					}
				}
				after = u
			}
			if len(page) < dueAtOnce {
				break
			}
		}
	}
	return nil
}

func days(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }

// TellUnused announces twice, 30 days apart, that an unused account goes; 14
// days after the second time [CarryOut] does it. A sign-in or the link of either
// mail ends it. A periodic job calls it.
func TellUnused(ctx context.Context, d *db.DB) error {
	err := walkUnused(ctx, d, func(u unused, days int) error {
		return d.Write(ctx, func(tx *db.Tx) error {
			n, err := tx.Exec(`UPDATE account SET told_at = $1, version = version + 1 WHERE id = $2 AND state = 'active' AND told_at IS NULL AND delete_at IS NULL
				AND COALESCE(used_at, confirmed_at) = $3`, tx.Now(), u.id, u.since)
			if err != nil || n == 0 { // came back a moment ago
				return err
			}
			return announce(tx, u.id, letter{At: tx.Now().Add(again + last), Days: days}, again+last)
		})
	})
	if err != nil {
		return err
	}
	for {
		var due []string
		err := d.Read(ctx, func(tx *db.Tx) (err error) {
			due, err = db.Values[string](tx, `SELECT id FROM account WHERE told_at IS NOT NULL AND delete_at IS NULL AND told_at <= $1 AND state = 'active'
				ORDER BY told_at, id LIMIT $2`, tx.Now().Add(-again), dueAtOnce)
			return err
		})
		if err != nil || len(due) == 0 {
			return err
		}
		for _, id := range due {
			err := d.Write(ctx, func(tx *db.Tx) error {
				n, err := tx.Exec(`UPDATE account SET delete_at = $1, version = version + 1 WHERE id = $2 AND state = 'active' AND told_at <= $3 AND delete_at IS NULL`,
					tx.Now().Add(last), id, tx.Now().Add(-again))
				if err != nil || n == 0 {
					return err
				}
				return announce(tx, id, letter{At: tx.Now().Add(last), Again: true}, last)
			})
			if err != nil {
				return err
			}
		}
	}
}

func announce(tx *db.Tx, id string, l letter, lasts time.Duration) (err error) {
	a, err := account.Get(tx, id)
	if err != nil {
		return err
	}
	if l.Token, err = keepLink(tx, id, lasts); err != nil {
		return err
	}
	if err := audit.Record(tx, audit.Job, audit.Entry{Event: "account.told_unused", Account: id, Detail: map[string]any{"again": l.Again}}); err != nil {
		return err
	}
	l.Name = a.Name()
	return texts.Send(tx, a.Person(), "unused", l)
}

// A Preview is what the jobs of this package would do now.
type Preview struct {
	Due    []account.Account // would be deleted, the first few
	All    int               // how many would
	Going  int               // in their grace
	Unused int               // would be told for the first time
	Again  int               // would be told for the second time
}

// Look says what would go, and changes nothing.
func Look(ctx context.Context, d *db.DB, few int) (p Preview, err error) {
	err = d.Read(ctx, func(tx *db.Tx) error {
		err := tx.Scan(`SELECT (SELECT count(*) FROM account WHERE delete_at IS NOT NULL AND delete_at <= $1),
			(SELECT count(*) FROM account WHERE delete_at IS NOT NULL AND delete_at > $1),
			(SELECT count(*) FROM account WHERE told_at IS NOT NULL AND told_at <= $2 AND delete_at IS NULL AND state = 'active')`,
			[]any{tx.Now(), tx.Now().Add(-again)}, &p.All, &p.Going, &p.Again)
		if err != nil {
			return err
		}
		ids, err := db.Values[string](tx, `SELECT id FROM account WHERE delete_at IS NOT NULL AND delete_at <= $1 ORDER BY delete_at, id LIMIT $2`, tx.Now(), few)
		if err != nil {
			return err
		}
		found, err := account.GetMany(tx, ids)
		for _, id := range ids {
			p.Due = append(p.Due, found[id])
		}
		return err
	})
	if err != nil {
		return p, err
	}
	return p, walkUnused(ctx, d, func(unused, int) error { p.Unused++; return nil })
}
