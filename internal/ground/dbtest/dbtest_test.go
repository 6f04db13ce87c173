package dbtest

import (
	"context"
	"errors"
	"io"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"zunft/internal/ground/db"
)

var schema = fstest.MapFS{"00001_bread.sql": {Data: []byte(`-- +goose Up
CREATE TABLE bread (id TEXT PRIMARY KEY, name TEXT NOT NULL);
INSERT INTO bread (id, name) VALUES ('1', 'Brötchen');
`)}}

// Every test starts from the schema's own rows, whatever the test before it did.
func TestEachStartsFresh(t *testing.T) {
	for _, round := range []string{"first", "second"} {
		t.Run(round, func(t *testing.T) {
			Each(t, schema, func(t *testing.T, d *db.DB) {
				if got := count(t, d); got != 1 {
					t.Fatalf("%d rows at the start of the %s round, want the one of the schema", got, round)
				}
				err := d.Write(t.Context(), func(tx *db.Tx) error {
					_, err := tx.Exec(`INSERT INTO bread (id, name) VALUES ($1, $2)`, "2", "Brezel")
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
				if got := count(t, d); got != 2 {
					t.Fatalf("%d rows after writing one, want 2", got)
				}
			})
		})
	}
}

func count(t *testing.T, d *db.DB) (n int) {
	t.Helper()
	err := d.Read(t.Context(), func(tx *db.Tx) error { return tx.Scan(`SELECT count(*) FROM bread`, nil, &n) })
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A database from DSN has no tables, and db.Open can migrate it.
func TestDSNIsEmpty(t *testing.T) {
	for _, engine := range Engines {
		t.Run(engine, func(t *testing.T) {
			address := DSN(t, engine)
			d, err := db.Open(context.Background(), address, schema)
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			if got := count(t, d); got != 1 {
				t.Errorf("%d rows, want 1", got)
			}
		})
	}
}

// The server ends with the process that started it, even when that process is killed.
func TestServerEndsWithItsProcess(t *testing.T) {
	if os.Getenv("DBTEST_CHILD") != "" { // we are the process to be killed
		cluster, err := Start(Fast())
		if err != nil {
			os.Stdout.WriteString("error " + err.Error() + "\n")
			os.Exit(1)
		}
		os.Stdout.WriteString(cluster.Address + "\n")
		select {}
	}
	if _, err := programs(); err != nil {
		Unavailable(t, err.Error())
	}
	child := exec.Command(os.Args[0], "-test.run", "^TestServerEndsWithItsProcess$")
	child.Env = append(os.Environ(), "DBTEST_CHILD=1")
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 1000)
	n, _ := io.ReadAtLeast(out, buffer, 20)
	said := strings.TrimSpace(string(buffer[:n]))
	u, err := url.Parse(said)
	if err != nil || u.Query().Get("host") == "" {
		child.Process.Kill()
		t.Fatalf("the child said %q", said)
	}
	child.Process.Kill()
	child.Wait()
	folder := u.Query().Get("host")
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(folder); errors.Is(err, os.ErrNotExist) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is still there 20 s after its process was killed", folder)
		}
	}
}

func BenchmarkFreshDatabase(b *testing.B) {
	for _, engine := range Engines {
		b.Run(engine, func(b *testing.B) {
			for b.Loop() {
				Open(b, engine, schema).Close()
			}
		})
	}
}
