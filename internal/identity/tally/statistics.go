package tally

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/job"
	"zunft/internal/ground/mail"
	"zunft/internal/identity/chamber"
)

// Work makes the figures.
func Work(r *job.Runner, d *db.DB) {
	r.Every(time.Hour, "tally.count", func(ctx context.Context) error { return Count(ctx, d) })
}

const (
	months = 13 // a year and the month in which it began

	monthly = "2006-01"
	now     = "now" // figures of today stand under this month
)

// figures of a month: $1 is the chamber, from $2 to before $3.
var figures = []struct{ key, count string }{
	{"submitted", `SELECT count(*) FROM registration WHERE chamber = $1 AND submitted_at >= $2 AND submitted_at < $3`},
	{"approved", `SELECT count(*) FROM registration WHERE chamber = $1 AND decided_at >= $2 AND decided_at < $3 AND state = 'approved'`},
	{"automatic", `SELECT count(*) FROM registration WHERE chamber = $1 AND decided_at >= $2 AND decided_at < $3 AND state = 'approved' AND automatic`},
	{"refused", `SELECT count(*) FROM registration WHERE chamber = $1 AND decided_at >= $2 AND decided_at < $3 AND state = 'refused'`},
	{"letters", `SELECT count(*) FROM letter WHERE chamber = $1 AND printed_at >= $2 AND printed_at < $3`},
	{"returned", `SELECT count(*) FROM letter WHERE chamber = $1 AND printed_at >= $2 AND printed_at < $3 AND state = 'returned'`},
	{"activated", `SELECT count(*) FROM organization WHERE chamber = $1 AND activated_at >= $2 AND activated_at < $3`},
}

// states of organizations that are counted as of today.
var states = []string{"letter", "active", "locked", "closed"}

// Count makes the figures of this month and the one before anew, and those of
// a year where there are none yet.
func Count(ctx context.Context, d *db.DB) error {
	var ids []string
	if err := d.Read(ctx, func(tx *db.Tx) (err error) {
		ids, err = db.Values[string](tx, `SELECT id FROM chamber ORDER BY id`)
		return err
	}); err != nil {
		return err
	}
	for _, id := range ids {
		back := 2
		if err := d.Read(ctx, func(tx *db.Tx) error {
			known, err := db.Value[bool](tx, `SELECT EXISTS (SELECT 1 FROM tally WHERE chamber = $1 AND month <> 'now')`, id)
			if !known {
				back = months
			}
			return err
		}); err != nil {
			return err
		}
		for i := range back {
			if err := countMonth(ctx, d, id, i); err != nil {
				return fmt.Errorf("figures of chamber %s: %w", id, err)
			}
		}
		if err := countNow(ctx, d, id); err != nil {
			return fmt.Errorf("figures of chamber %s: %w", id, err)
		}
	}
	return nil
}

// monthOf begins i months ago, in the time of the chambers.
func monthOf(t db.Time, i int) time.Time {
	in := t.In(mail.Berlin)
	return time.Date(in.Year(), in.Month()-time.Month(i), 1, 0, 0, 0, 0, mail.Berlin)
}

func countMonth(ctx context.Context, d *db.DB, chamberID string, ago int) error {
	found := map[string]int{}
	month := ""
	err := d.Read(ctx, func(tx *db.Tx) error {
		from := monthOf(tx.Now(), ago)
		month = from.Format(monthly)
		term := []any{chamberID, db.At(from), db.At(from.AddDate(0, 1, 0))}
		for _, f := range figures {
			n, err := db.Value[int](tx, f.count, term...)
			if err != nil {
				return err
			}
			found[f.key] = n
		}
		// Of the first 5,000 decisions of a month a median is made: enough for any month that people decide in.
		type decided struct{ submitted, at db.Time }
		all, err := db.All(tx, func(d *decided) []any { return []any{&d.submitted, &d.at} }, `SELECT submitted_at, decided_at FROM registration
			WHERE chamber = $1 AND decided_at >= $2 AND decided_at < $3 AND state IN ('approved', 'refused') AND NOT automatic ORDER BY decided_at, id LIMIT 5000`, term...)
		if err != nil || len(all) == 0 {
			return err
		}
		slices.SortFunc(all, func(a, b decided) int { return cmp.Compare(a.at.Sub(a.submitted), b.at.Sub(b.submitted)) })
		hours := func(i int) int { return int(all[i].at.Sub(all[i].submitted).Round(time.Hour) / time.Hour) }
		found["median"], found["slow"] = hours(len(all)/2), hours(len(all)*9/10)
		return nil
	})
	if err != nil {
		return err
	}
	return keep(ctx, d, chamberID, month, found)
}

// countNow counts what there is; only this reads a whole chamber.
func countNow(ctx context.Context, d *db.DB, chamberID string) error {
	found := map[string]int{}
	err := d.Read(ctx, func(tx *db.Tx) (err error) {
		for _, s := range states {
			if found[s], err = db.Value[int](tx, `SELECT count(*) FROM organization WHERE chamber = $1 AND state = $2`, chamberID, s); err != nil {
				return err
			}
		}
		if found["people"], err = db.Value[int](tx, `SELECT count(*) FROM chamber_person WHERE chamber = $1`, chamberID); err != nil {
			return err
		}
		found["at"] = int(tx.Now().Unix())
		return nil
	})
	if err != nil {
		return err
	}
	return keep(ctx, d, chamberID, now, found)
}

func keep(ctx context.Context, d *db.DB, chamberID, month string, found map[string]int) error {
	return d.Write(ctx, func(tx *db.Tx) error {
		for figure, n := range found {
			if _, err := tx.Exec(`INSERT INTO tally (chamber, month, figure, amount) VALUES ($1, $2, $3, $4) ON CONFLICT (chamber, month, figure) DO UPDATE SET amount = excluded.amount`,
				chamberID, month, figure, n); err != nil {
				return err
			}
		}
		return nil
	})
}

// A Month in figures; hours are zero where nothing was decided.
type Month struct {
	Year, Number                                                          int // of the month
	Submitted, Approved, Automatic, Refused, Letters, Returned, Activated int
	Median, Slow                                                          int // hours from application to decision: half, and nine of ten, were quicker
}

// Statistics of a chamber.
type Statistics struct {
	At                                     db.Time // when they were made; zero: not yet
	Letter, Active, Locked, Closed, People int
	Months                                 []Month // the newest first
}

// Of reads the figures of a year.
func Of(tx *db.Tx, by audit.Actor, chamberID string) (s Statistics, err error) {
	if err := chamber.MustClerk(tx, by, chamberID); err != nil {
		return s, err
	}
	found := map[string]map[string]int{}
	err = tx.Each(`SELECT month, figure, amount FROM tally WHERE chamber = $1 AND month >= $2`, []any{chamberID, monthOf(tx.Now(), months-1).Format(monthly)}, func(scan func(...any) error) error {
		var month, figure string
		var n int
		if err := scan(&month, &figure, &n); err != nil {
			return err
		}
		if found[month] == nil {
			found[month] = map[string]int{}
		}
		found[month][figure] = n
		return nil
	})
	if err != nil {
		return s, err
	}
	if today := found[now]; today != nil {
		s.At = db.At(time.Unix(int64(today["at"]), 0))
		s.Letter, s.Active, s.Locked, s.Closed, s.People = today["letter"], today["active"], today["locked"], today["closed"], today["people"]
	}
	for i := range months {
		begins := monthOf(tx.Now(), i)
		f := found[begins.Format(monthly)]
		if f == nil {
			continue
		}
		s.Months = append(s.Months, Month{
			Year: begins.Year(), Number: int(begins.Month()), Submitted: f["submitted"], Approved: f["approved"], Automatic: f["automatic"], Refused: f["refused"],
			Letters: f["letters"], Returned: f["returned"], Activated: f["activated"], Median: f["median"], Slow: f["slow"],
		})
	}
	return s, nil
}
