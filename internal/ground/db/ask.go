package db

import (
	"context"
	"database/sql"
	"errors"
	"strings"
)

// Ask runs f for a single question, without a transaction around it: one SELECT
// is one consistent view by itself, and to begin and end a transaction are two
// more ways to PostgreSQL and back. Who asks a second time, or writes, is a
// defect and panics: that is what Read and Write are for.
func (d *DB) Ask(ctx context.Context, f func(*Tx) error) error {
	t := d.tx(ctx, &alone{pool: d.reader}, d.reads)
	defer t.done()
	return f(t)
}

// alone is the transaction of one question.
type alone struct {
	pool  *sql.DB
	asked bool
}

func (a *alone) once(query string) {
	if a.asked || query != "" && !strings.HasPrefix(query, "SELECT") {
		panic("db: Ask is for one question")
	}
	a.asked = true
}

func (a *alone) ExecContext(context.Context, string, ...any) (sql.Result, error) {
	return nil, errors.New("db: Ask only reads")
}

func (a *alone) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	a.once(query)
	return a.pool.QueryContext(ctx, query, args...)
}

func (a *alone) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	a.once(query)
	return a.pool.QueryRowContext(ctx, query, args...)
}

// StmtContext: SQLite's readers run what was parsed before; they cannot write.
func (a *alone) StmtContext(_ context.Context, s *sql.Stmt) *sql.Stmt {
	a.once("")
	return s
}

func (a *alone) Commit() error   { return nil }
func (a *alone) Rollback() error { return nil }
