// Package db opens a database and hands out transactions.
//
// Two engines run the same SQL text: SQLite (embedded, the default) and
// PostgreSQL. Placeholders are $1, $2 … in any order; what differs between the
// engines lives in the dialect struct and nowhere else.
//
// Every request that changes something does so in one [DB.Write]. A
// transaction knows its moment ([Tx.Now]) and the installation's keys
// ([Tx.Keys]): deadlines, code expiry and audit agree on "now", and a test can
// choose it. Nothing slow belongs inside: no hashing, no HTTP, no PDF.
package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // the embedded engine

	"zunft/internal/ground/seal"
)

// DB is an open database with the schema of its application.
type DB struct {
	Keys *seal.Keys       // sealing keys; random until set
	Now  func() time.Time // the clock; tests may set it

	dialect dialect
	writer  *sql.DB
	reader  *sql.DB
	pool    *pgxpool.Pool // PostgreSQL: under writer and reader, and closed by us: closing those leaves it open
	writes  *statements   // SQLite: parsed statements of the writer
	reads   *statements   // and of the readers
	pinned  *writer       // SQLite: the one connection that writes
	turn    sync.Mutex    // SQLite: one writer at a time waits here, not in the engine's busy loop
	address string
	onWork  atomic.Pointer[func()] // see OnWork
}

// OnWork says what to do when a transaction that left work was committed.
func (d *DB) OnWork(f func()) { d.onWork.Store(&f) }

// dialect is all that differs between the engines.
type dialect struct {
	name       string
	skipLocked string // appended to SELECT … LIMIT when taking a job
	retryable  func(error) bool
}

var sqlite = dialect{name: "sqlite", retryable: func(err error) bool {
	return err != nil && (strings.Contains(err.Error(), "SQLITE_BUSY") || strings.Contains(err.Error(), "database is locked"))
}}

var postgres = dialect{name: "postgres", skipLocked: " FOR UPDATE SKIP LOCKED", retryable: func(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (e.Code == "40001" || e.Code == "40P01") // serialization failure, deadlock
}}

// Open connects to "sqlite:PATH" (durable; see [Quick]) or "postgres://…" and applies what is missing
// of the schema (numbered goose files, *.sql). Several processes may do so at
// once; each step is applied once.
func Open(ctx context.Context, address string, schema fs.FS) (*DB, error) {
	d, err := Connect(ctx, address)
	if err != nil {
		return nil, err
	}
	if err := d.migrate(ctx, schema); err != nil {
		d.Close()
		return nil, fmt.Errorf("migrate: %w", err)
	}
	return d, nil
}

// Connect opens a database without touching its schema.
func Connect(ctx context.Context, address string) (*DB, error) {
	d := &DB{Now: time.Now, Keys: seal.Random(), address: address}
	scheme, rest, _ := strings.Cut(address, ":")
	switch scheme {
	case "sqlite":
		return d, d.openSQLite(ctx, strings.TrimPrefix(rest, "//"))
	case "postgres", "postgresql":
		return d, d.openPostgres(ctx, address)
	}
	return nil, fmt.Errorf("database address must start with sqlite: or postgres://")
}

// Quick at the end of a SQLite address: the last moments may be lost when the
// power fails, never the database; a commit costs a twentieth.
const Quick = "?synchronous=normal"

func (d *DB) openSQLite(ctx context.Context, path string) (err error) {
	if path == "" {
		return errors.New("database address sqlite: needs a path")
	}
	d.dialect = sqlite
	// What was acknowledged survives a power cut, unless the address says
	// otherwise ("sqlite:PATH?synchronous=normal": tests and the demo).
	synchronous := "FULL"
	if p, quick := strings.CutSuffix(path, Quick); quick {
		path, synchronous = p, "NORMAL"
	}
	const pragmas = "_pragma=journal_mode(WAL)&_pragma=busy_timeout(10000)&_pragma=foreign_keys(1)&_pragma=cache_size(-16000)&_time_format=sqlite"
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + pragmas + "&_pragma=synchronous(" + synchronous + ")"
	if d.writer, err = sql.Open("sqlite", dsn+"&_txlock=immediate"); err != nil {
		return err
	}
	d.writer.SetMaxOpenConns(2) // the one that writes, and one for migrations and signs of life
	if d.reader, err = sql.Open("sqlite", dsn+"&_pragma=query_only(1)"); err != nil {
		return err
	}
	n := max(4, runtime.GOMAXPROCS(0))
	d.reader.SetMaxOpenConns(n)
	d.reader.SetMaxIdleConns(n)
	if d.pinned, err = newWriter(ctx, d.writer); err != nil {
		return err
	}
	d.writes, d.reads = newStatements(d.pinned), newStatements(d.reader)
	return nil
}

func (d *DB) openPostgres(ctx context.Context, address string) error {
	d.dialect = postgres
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		return fmt.Errorf("database address: %w", err)
	}
	if !strings.Contains(address, "pool_max_conns") {
		config.MaxConns = 16
	}
	// A schema named in the address (search_path) is made when missing, so that
	// both portals can live in one PostgreSQL database without sharing a table.
	if path := config.ConnConfig.RuntimeParams["search_path"]; path != "" {
		conn, err := sql.Open("pgx", stdlib.RegisterConnConfig(config.ConnConfig))
		if err != nil {
			return err
		}
		_, err = conn.ExecContext(ctx, `CREATE SCHEMA IF NOT EXISTS "`+strings.ReplaceAll(path, `"`, `""`)+`"`)
		conn.Close()
		if err != nil {
			return fmt.Errorf("create schema %s: %w", path, err)
		}
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return err
	}
	d.pool = pool
	d.writer = stdlib.OpenDBFromPool(pool)
	d.writer.SetMaxIdleConns(0) // the pool below keeps them
	d.reader = d.writer
	return d.writer.PingContext(ctx)
}

// Close waits for running transactions only; callers stop their servers first.
func (d *DB) Close() error {
	var errs []error
	if d.pinned != nil {
		errs = append(errs, d.pinned.Close())
	}
	if d.reader != nil && d.reader != d.writer {
		errs = append(errs, d.reader.Close())
	}
	if d.writer != nil {
		errs = append(errs, d.writer.Close())
	}
	if d.pool != nil {
		d.pool.Close()
	}
	return errors.Join(errs...)
}

// Engine is "sqlite" or "postgres".
func (d *DB) Engine() string { return d.dialect.name }

// Ping asks the database for a sign of life.
func (d *DB) Ping(ctx context.Context) error { return d.writer.PingContext(ctx) }

// keep marks a fault whose transaction is committed all the same.
type keep struct{ error }

func (k keep) Unwrap() error { return k.error }

// Keep lets Write commit although err is returned: a failed try must be
// counted even while the person reads that it failed.
func Keep(err error) error {
	if err == nil {
		return nil
	}
	return keep{err}
}

const attempts = 8 // of a transaction that lost against another one

// Write runs f in one transaction and commits if f returns nil (or Keep).
// A transaction that the engine aborts in favor of another is run again.
func (d *DB) Write(ctx context.Context, f func(*Tx) error) error {
	for i := 1; ; i++ {
		err := d.write(ctx, f)
		if err == nil || i == attempts || !d.dialect.retryable(err) {
			return err
		}
		select {
		case <-time.After(time.Duration(rand.IntN(10*i)+1) * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (d *DB) write(ctx context.Context, f func(*Tx) error) error {
	tx, err := d.begin(ctx)
	if err != nil {
		return err
	}
	t := d.tx(ctx, tx, d.writes)
	if d.pinned != nil {
		defer d.turn.Unlock()
	}
	defer t.done()
	err = f(t)
	if k, ok := errors.AsType[keep](err); ok {
		if err := tx.Commit(); err != nil {
			return err
		}
		t.committed(d)
		return k.error
	}
	if err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	t.committed(d)
	return nil
}

func (t *Tx) committed(d *DB) {
	if f := d.onWork.Load(); t.work && f != nil {
		(*f)()
	}
}

// begin takes its turn on SQLite; who gets no error gives the turn back.
func (d *DB) begin(ctx context.Context) (transaction, error) {
	if d.pinned == nil {
		return startPooled(ctx, d.writer)
	}
	d.turn.Lock()
	tx, err := d.pinned.start(ctx)
	if err != nil {
		d.turn.Unlock()
		return nil, err
	}
	return tx, nil
}

// batch is how many rows one transaction of Batches may take away.
const batch = 500

// Batches runs f in transaction after transaction until one has found less
// than the most it may take: sweeping takes its time, and nobody waits for it.
func (d *DB) Batches(ctx context.Context, f func(tx *Tx, most int) (int64, error)) error {
	for n := int64(batch); n >= batch; {
		if err := d.Write(ctx, func(tx *Tx) (err error) { n, err = f(tx, batch); return err }); err != nil {
			return err
		}
	}
	return nil
}

// Weigh has PostgreSQL count what lies in a table that has just been filled: it
// does so by itself after a minute, and until then reads the whole table where
// an index would do. SQLite plans without.
func (d *DB) Weigh(ctx context.Context, table string) error {
	if d.Engine() != "postgres" {
		return nil
	}
	return d.Write(ctx, func(tx *Tx) error {
		_, err := tx.Exec(`ANALYZE ` + table)
		return err
	})
}

// Read runs f in a read-only transaction: one consistent view.
func (d *DB) Read(ctx context.Context, f func(*Tx) error) error {
	options := &sql.TxOptions{ReadOnly: d.writer == d.reader}
	if d.writer == d.reader {
		options.Isolation = sql.LevelRepeatableRead
	}
	tx, err := d.reader.BeginTx(ctx, options)
	if err != nil {
		return err
	}
	t := d.tx(ctx, tx, d.reads)
	t.asked = map[any]any{}
	defer t.done()
	return f(t)
}

func (d *DB) tx(ctx context.Context, tx transaction, s *statements) *Tx {
	return &Tx{tx: tx, ctx: ctx, now: Time{d.Now().UTC().Truncate(time.Microsecond)}, keys: d.Keys, dialect: &d.dialect, statements: s}
}

// done ends the transaction, without effect if it was committed.
func (t *Tx) done() {
	t.tx.Rollback()
	if len(t.unknown) > 0 {
		t.statements.learn(t.ctx, t.unknown)
	}
}
