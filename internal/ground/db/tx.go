package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"

	"zunft/internal/ground/fault"
	"zunft/internal/ground/seal"
)

// Tx is one transaction. It was begun with the request's context, so a
// cancelled request rolls back by itself and no context is passed on.
type Tx struct {
	tx      transaction
	ctx     context.Context
	now     Time
	keys    *seal.Keys
	dialect *dialect
	work    bool
	asked   map[any]any // answers of Once; nil where something may be written

	statements *statements
	unknown    []string       // queries that had to be parsed
	reading    map[string]int // queries whose rows are being read
}

// Now is the transaction's moment.
func (t *Tx) Now() Time { return t.now }

// Keys are the installation's sealing keys.
func (t *Tx) Keys() *seal.Keys { return t.keys }

// Once asks f, and where the transaction only reads keeps its answer for whoever
// asks by the same key again: one view of the data has one answer, however many
// rules want to know it. Where something may be written it asks each time. The
// answer is shared: nobody may change what it points to.
func Once[K comparable, T any](t *Tx, key K, f func() (T, error)) (T, error) {
	if answer, known := t.asked[key]; known {
		return answer.(T), nil
	}
	answer, err := f()
	if err == nil && t.asked != nil {
		t.asked[key] = answer
	}
	return answer, err
}

// LeavesWork says that somebody should look for jobs once this is committed.
func (t *Tx) LeavesWork() { t.work = true }

// SkipLocked is appended to a SELECT that takes a row others may be taking.
func (t *Tx) SkipLocked() string { return t.dialect.skipLocked }

// Exec runs a statement and returns how many rows it touched.
func (t *Tx) Exec(query string, args ...any) (int64, error) {
	result, err := t.exec(query, args)
	if err != nil {
		return 0, fmt.Errorf("%w in %s", err, short(query))
	}
	return result.RowsAffected()
}

// Scan reads a single row into dest. No row is [fault.NotFound].
func (t *Tx) Scan(query string, args []any, dest ...any) error {
	err := t.queryRow(query, args).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return fault.NotFound()
	}
	if err != nil {
		return fmt.Errorf("%w in %s", err, short(query))
	}
	return nil
}

// Each calls f once per row.
func (t *Tx) Each(query string, args []any, f func(scan func(...any) error) error) error {
	rows, err := t.query(query, args)
	if err != nil {
		return fmt.Errorf("%w in %s", err, short(query))
	}
	defer t.read(query)()
	defer rows.Close()
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			return fmt.Errorf("%w in %s", err, short(query))
		}
	}
	return rows.Err()
}

// One reads a single row into a T whose fields are named by fields in the
// order of the query's columns. No row is [fault.NotFound].
func One[T any](t *Tx, fields func(*T) []any, query string, args ...any) (T, error) {
	var v T
	err := t.Scan(query, args, fields(&v)...)
	return v, err
}

// All reads every row.
func All[T any](t *Tx, fields func(*T) []any, query string, args ...any) ([]T, error) {
	var all []T
	err := t.Each(query, args, func(scan func(...any) error) error {
		var v T
		if err := scan(fields(&v)...); err != nil {
			return err
		}
		all = append(all, v)
		return nil
	})
	return all, err
}

// Value reads a single value, e.g. a count. No row is [fault.NotFound].
func Value[T any](t *Tx, query string, args ...any) (T, error) {
	var v T
	err := t.Scan(query, args, &v)
	return v, err
}

// Values reads one column.
func Values[T any](t *Tx, query string, args ...any) ([]T, error) {
	return All(t, func(v *T) []any { return []any{v} }, query, args...)
}

// NewID is a fresh opaque id (UUIDv7): sorted by time, unique everywhere.
func NewID() string { return uuid.Must(uuid.NewV7()).String() }

// Unique reports whether err says that a unique index was violated.
func Unique(err error) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code == "23505"
	}
	return err != nil && strings.Contains(err.Error(), "UNIQUE constraint failed")
}

// In writes "$n, $n+1, …" for an IN list; the caller appends the values to args.
func In(first, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "$%d", first+i)
	}
	return b.String()
}

// Rows writes "($1, $2), ($3, $4), …": rows of so many values for an INSERT.
// Neither engine takes more than 32,766 values in a statement.
func Rows(rows, values int) string {
	var b strings.Builder
	for i := range rows {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("(" + In(1+i*values, values) + ")")
	}
	return b.String()
}

func short(query string) string {
	query = strings.Join(strings.Fields(query), " ")
	if len(query) > 120 {
		query = query[:120] + "…"
	}
	return query
}
