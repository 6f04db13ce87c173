package db

import (
	"context"
	"database/sql"
)

// transaction is what a Tx runs on: database/sql's own, or a pinned one.
type transaction interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	StmtContext(ctx context.Context, s *sql.Stmt) *sql.Stmt
	Commit() error
	Rollback() error
}

// writer is SQLite's one connection that writes, kept for good. BEGIN, COMMIT
// and ROLLBACK are parsed once, and there is no goroutine per transaction:
// together a fifth of what a small transaction cost. db.turn guards it.
type writer struct {
	*sql.Conn
	begin, commit, rollback *sql.Stmt
}

func newWriter(ctx context.Context, pool *sql.DB) (*writer, error) {
	conn, err := pool.Conn(ctx)
	if err != nil {
		return nil, err
	}
	w := &writer{Conn: conn}
	for _, s := range []struct {
		stmt **sql.Stmt
		text string
	}{{&w.begin, "BEGIN IMMEDIATE"}, {&w.commit, "COMMIT"}, {&w.rollback, "ROLLBACK"}} {
		if *s.stmt, err = conn.PrepareContext(ctx, s.text); err != nil {
			conn.Close()
			return nil, err
		}
	}
	return w, nil
}

// start begins a transaction that ends with Commit or Rollback.
func (w *writer) start(ctx context.Context) (*pinned, error) {
	if _, err := w.begin.ExecContext(ctx); err != nil {
		// A canceled BEGIN may have begun after all; a second ROLLBACK does no harm.
		w.rollback.ExecContext(context.WithoutCancel(ctx))
		return nil, err
	}
	return &pinned{writer: w, ctx: ctx}, nil
}

// pinned is one transaction on the pinned connection.
type pinned struct {
	*writer
	ctx   context.Context
	ended bool
}

// StmtContext: statements were prepared on this very connection.
func (p *pinned) StmtContext(_ context.Context, s *sql.Stmt) *sql.Stmt { return s }

// Commit keeps the changes, unless nobody waits for them any more.
func (p *pinned) Commit() error {
	if err := p.ctx.Err(); err != nil {
		return err
	}
	_, err := p.commit.ExecContext(context.WithoutCancel(p.ctx))
	p.ended = err == nil
	return err
}

// Rollback undoes what was not committed.
func (p *pinned) Rollback() error {
	if p.ended {
		return sql.ErrTxDone
	}
	p.ended = true
	_, err := p.rollback.ExecContext(context.WithoutCancel(p.ctx))
	return err
}

// pooled is one transaction of database/sql. Like the pinned one it is undone
// when its context ends, up to the moment it commits: whoever cancels later
// cannot leave it unknown whether it was kept.
type pooled struct {
	*sql.Tx
	ctx  context.Context
	stop func() bool        // the context that began it does not end it any more
	end  context.CancelFunc // of the context it runs on
}

func startPooled(ctx context.Context, pool *sql.DB) (*pooled, error) {
	own, end := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, end)
	tx, err := pool.BeginTx(own, nil)
	if err != nil {
		stop()
		end()
		return nil, err
	}
	return &pooled{Tx: tx, ctx: ctx, stop: stop, end: end}, nil
}

// Commit keeps the changes, unless nobody waits for them any more.
func (p *pooled) Commit() error {
	defer p.end()
	if !p.stop() {
		return p.ctx.Err()
	}
	return p.Tx.Commit()
}

// Rollback undoes what was not committed.
func (p *pooled) Rollback() error {
	defer p.end()
	p.stop()
	return p.Tx.Rollback()
}
