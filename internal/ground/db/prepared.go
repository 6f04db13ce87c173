package db

import (
	"context"
	"database/sql"
	"sync"
)

// statements keeps what SQLite has parsed: parsing costs it more than running
// (half of the processor time of a code exchange). PostgreSQL's driver does the
// same by itself, so there the pointer is nil.
//
// A statement is prepared when it is seen for the second time, and only after
// its transaction has ended: the one connection that writes is busy before.
type statements struct {
	mu    sync.RWMutex
	pool  preparer
	known map[string]*sql.Stmt
	seen  map[string]bool
}

const (
	maxKnown = 300  // enough for every statement of the portals; lists of varying length beyond it are parsed each time
	maxSeen  = 3000 // then we forget what was seen once
)

// preparer is a pool, or the pinned connection.
type preparer interface {
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
}

func newStatements(pool preparer) *statements {
	return &statements{pool: pool, known: map[string]*sql.Stmt{}, seen: map[string]bool{}}
}

func (s *statements) get(query string) *sql.Stmt {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.known[query]
}

// learn prepares what a transaction had to have parsed. Failing to is no harm.
func (s *statements) learn(ctx context.Context, queries []string) {
	for _, q := range queries {
		s.mu.Lock()
		_, known := s.known[q]
		again := s.seen[q]
		if len(s.seen) >= maxSeen {
			clear(s.seen)
		}
		s.seen[q] = true
		full := len(s.known) >= maxKnown
		s.mu.Unlock()
		if known || !again || full {
			continue
		}
		stmt, err := s.pool.PrepareContext(context.WithoutCancel(ctx), q)
		if err != nil {
			continue
		}
		s.mu.Lock()
		if s.known[q] == nil {
			s.known[q] = stmt
			stmt = nil
		}
		s.mu.Unlock()
		if stmt != nil {
			stmt.Close()
		}
	}
}

// prepared is the query as a parsed statement of this transaction, or nil. One
// whose rows are being read cannot be run a second time before they are through.
func (t *Tx) prepared(query string) *sql.Stmt {
	if t.statements == nil || t.reading[query] > 0 {
		return nil
	}
	if s := t.statements.get(query); s != nil {
		return t.tx.StmtContext(t.ctx, s)
	}
	t.unknown = append(t.unknown, query)
	return nil
}

// read notes that rows of a query are being read, until the returned function is called.
func (t *Tx) read(query string) func() {
	if t.reading == nil {
		t.reading = map[string]int{}
	}
	t.reading[query]++
	return func() { t.reading[query]-- }
}

func (t *Tx) exec(query string, args []any) (sql.Result, error) {
	if s := t.prepared(query); s != nil {
		return s.ExecContext(t.ctx, args...)
	}
	return t.tx.ExecContext(t.ctx, query, args...)
}

func (t *Tx) queryRow(query string, args []any) *sql.Row {
	if s := t.prepared(query); s != nil {
		return s.QueryRowContext(t.ctx, args...)
	}
	return t.tx.QueryRowContext(t.ctx, query, args...)
}

func (t *Tx) query(query string, args []any) (*sql.Rows, error) {
	if s := t.prepared(query); s != nil {
		return s.QueryContext(t.ctx, args...)
	}
	return t.tx.QueryContext(t.ctx, query, args...)
}
