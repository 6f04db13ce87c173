package dbtest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"zunft/internal/ground/db"
)

// fingerprint names a schema by the content of its files.
func fingerprint(schema fs.FS) (string, error) {
	h := sha256.New()
	err := fs.WalkDir(schema, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(schema, path)
		fmt.Fprintf(h, "%s\x00%d\x00%s", path, len(content), content)
		return err
	})
	return hex.EncodeToString(h.Sum(nil)[:8]), err
}

// migrate opens a database once, which migrates it, and closes it.
func migrate(address string, schema fs.FS) error {
	d, err := db.Open(context.Background(), address, schema)
	if err != nil {
		return err
	}
	d.Close()
	return nil
}

// The SQLite templates of this process, one file's bytes for each schema.
var sqliteTemplates struct {
	sync.Mutex
	files map[string][]byte
}

func sqliteTemplate(name string, schema fs.FS) ([]byte, error) {
	t := &sqliteTemplates
	t.Lock()
	defer t.Unlock()
	if file, ok := t.files[name]; ok {
		return file, nil
	}
	dir, err := os.MkdirTemp("", "zunft-sqlite-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "template.db")
	if err := migrate("sqlite:"+path+db.Quick, schema); err != nil {
		return nil, err
	}
	if wal, err := os.Stat(path + "-wal"); err == nil && wal.Size() > 0 {
		return nil, errors.New("db.Close left a write-ahead log, so a copy of the file is not the database")
	}
	file, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if t.files == nil {
		t.files = map[string][]byte{}
	}
	t.files[name] = file
	return file, nil
}

// A server is PostgreSQL as the tests of this process use it.
type server struct {
	address   *url.URL // of the maintenance database
	cluster   *Cluster // if it is our own: the leash must outlive the garbage collector
	pool      *sql.DB
	templates sync.Map // fingerprint → func() (name string, err error)
}

var (
	theServer *server
	noServer  error
	serverUp  sync.Once
)

// postgres connects to the server of this test process, starting it if need be.
func postgres(t testing.TB) *server {
	t.Helper()
	serverUp.Do(func() { theServer, noServer = connect() })
	switch {
	case errors.Is(noServer, ErrMissing):
		Unavailable(t, noServer.Error())
	case noServer != nil:
		t.Fatalf("start PostgreSQL for tests: %v", noServer)
	}
	return theServer
}

func connect() (*server, error) {
	var cluster *Cluster
	address := os.Getenv("ZUNFT_TEST_POSTGRES")
	if address == "" {
		var err error
		cluster, err = Start(Fast()) // never stopped here: it ends with this process
		if err != nil {
			return nil, err
		}
		address = cluster.Address
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("read ZUNFT_TEST_POSTGRES: %w", err)
	}
	pool, err := sql.Open("pgx", address) // the driver is registered by package db, its one door
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(4)
	return &server{address: u, cluster: cluster, pool: pool}, pool.Ping()
}

// template returns the name of a database that holds the schema, migrating it
// if no test process has done so yet. An advisory lock lets one do the work
// while the others wait; the name appears only when the work is complete.
func (s *server) template(fingerprint string, schema fs.FS) (string, error) {
	once := sync.OnceValues(func() (string, error) { return s.makeTemplate("zunft_template_"+fingerprint, schema) })
	first, _ := s.templates.LoadOrStore(fingerprint, once)
	return first.(func() (string, error))()
}

func (s *server) makeTemplate(name string, schema fs.FS) (string, error) {
	ctx := context.Background()
	conn, err := s.pool.Conn(ctx)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock(hashtext($1))`, name); err != nil {
		return "", err
	}
	defer conn.ExecContext(ctx, `SELECT pg_advisory_unlock(hashtext($1))`, name)
	var there bool
	err = conn.QueryRowContext(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, name).Scan(&there)
	if err != nil || there {
		return name, err
	}
	draft := name + "_" + random()
	if _, err := conn.ExecContext(ctx, `CREATE DATABASE `+draft+` TEMPLATE template0`); err != nil {
		return "", err
	}
	err = migrate(s.in(draft), schema)
	if err == nil {
		err = patiently(func() error {
			_, err := conn.ExecContext(ctx, `ALTER DATABASE `+draft+` RENAME TO `+name)
			return err
		})
	}
	if err != nil {
		conn.ExecContext(ctx, `DROP DATABASE `+draft+` WITH (FORCE)`)
		return "", err
	}
	return name, nil
}

// create copies a template and returns the address of the copy, which is
// dropped when the test ends.
func (s *server) create(t testing.TB, template string) string {
	t.Helper()
	name := "zunft_test_" + random()
	err := patiently(func() error {
		_, err := s.pool.Exec(`CREATE DATABASE ` + name + ` TEMPLATE ` + template + ` STRATEGY file_copy`)
		return err
	})
	if err != nil {
		t.Fatalf("create a database: %v", err)
	}
	t.Cleanup(func() {
		if _, err := s.pool.Exec(`DROP DATABASE ` + name + ` WITH (FORCE)`); err != nil {
			t.Errorf("drop the test's database: %v", err)
		}
	})
	return s.in(name)
}

// in is the address of another database on the same server.
func (s *server) in(database string) string {
	u := *s.address
	u.Path = "/" + database
	return u.String()
}

// patiently tries again while PostgreSQL still sees the last session of a
// database that was just closed (SQLSTATE 55006), for two seconds at most.
func patiently(f func() error) error {
	for deadline := time.Now().Add(2 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		err := f()
		if err == nil || !strings.Contains(err.Error(), "55006") || time.Now().After(deadline) {
			return err
		}
	}
}

func random() string { return strings.ToLower(rand.Text()[:12]) }
