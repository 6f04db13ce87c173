package db

import (
	"database/sql/driver"
	"fmt"
	"time"
)

// Time is a moment as both engines keep it: UTC, microseconds. The zero Time
// is NULL. It is written as fixed-width text, so SQLite sorts and compares it
// as PostgreSQL does, and it is read back from time or text (SQLite's
// aggregates lose the column's type).
type Time struct{ time.Time }

// At makes a Time.
func At(t time.Time) Time { return Time{t.UTC().Truncate(time.Microsecond)} }

const layout = "2006-01-02 15:04:05.000000+00:00"

// Value implements driver.Valuer.
func (t Time) Value() (driver.Value, error) {
	if t.IsZero() {
		return nil, nil
	}
	return t.UTC().Format(layout), nil
}

// Scan implements sql.Scanner.
func (t *Time) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*t = Time{}
		return nil
	case time.Time:
		*t = At(v)
		return nil
	case []byte:
		return t.Scan(string(v))
	case string:
		for _, l := range []string{layout, "2006-01-02 15:04:05.999999999-07:00", time.RFC3339Nano, "2006-01-02 15:04:05-07", "2006-01-02"} {
			if p, err := time.Parse(l, v); err == nil {
				*t = At(p)
				return nil
			}
		}
	}
	return fmt.Errorf("no time: %T %v", src, src)
}

// Add is the moment d later.
func (t Time) Add(d time.Duration) Time { return Time{t.Time.Add(d)} }

// Before reports whether t is before u.
func (t Time) Before(u Time) bool { return t.Time.Before(u.Time) }

// After reports whether t is after u.
func (t Time) After(u Time) bool { return t.Time.After(u.Time) }

// Sub is the duration from u to t.
func (t Time) Sub(u Time) time.Duration { return t.Time.Sub(u.Time) }
