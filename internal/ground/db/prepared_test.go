package db_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/fstest"

	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
)

var numbers = fstest.MapFS{"0001_n.sql": {Data: []byte("-- +goose Up\nCREATE TABLE n (n INTEGER PRIMARY KEY, t TEXT NOT NULL);\n")}}

// A statement that is kept parsed must be as good the hundredth time as the
// first: inside its own rows, from many goroutines, after an error.
func TestStatementsAreKept(t *testing.T) {
	dbtest.Each(t, numbers, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		const insert, all, one = `INSERT INTO n (n, t) VALUES ($1, $2)`, `SELECT n FROM n WHERE n > $1 ORDER BY n`, `UPDATE n SET t = $1 WHERE n = $2 RETURNING t`
		for i := range 10 {
			if err := d.Write(ctx, func(tx *db.Tx) error { _, err := tx.Exec(insert, i, fmt.Sprint(i)); return err }); err != nil {
				t.Fatal(err)
			}
		}
		if err := d.Write(ctx, func(tx *db.Tx) error { _, err := tx.Exec(insert, 1, "twice"); return err }); !db.Unique(err) {
			t.Fatalf("want a unique violation, got %v", err)
		}
		read := func(tx *db.Tx) error {
			// PostgreSQL cannot ask again while rows are open; SQLite can, even the same.
			if d.Engine() == "sqlite" {
				outer := 0
				err := tx.Each(all, []any{3}, func(scan func(...any) error) error {
					outer++
					inner, err := db.Values[int](tx, all, 7)
					if err == nil && len(inner) != 2 {
						err = fmt.Errorf("inner rows %v", inner)
					}
					var n int
					if err == nil {
						err = scan(&n)
					}
					if err == nil && n != outer+3 {
						err = fmt.Errorf("outer row %d is %d", outer, n)
					}
					return err
				})
				if err == nil && outer != 6 {
					err = fmt.Errorf("%d outer rows", outer)
				}
				if err != nil {
					return err
				}
			}
			got, err := db.Values[int](tx, all, 3)
			if err == nil && (len(got) != 6 || got[0] != 4 || got[5] != 9) {
				err = fmt.Errorf("rows %v", got)
			}
			return err
		}
		var group sync.WaitGroup
		for i := range 16 {
			group.Go(func() {
				for j := range 20 {
					if err := d.Read(ctx, read); err != nil {
						t.Error(err)
					}
					want := fmt.Sprint(i, j)
					err := d.Write(ctx, func(tx *db.Tx) error {
						got, err := db.Value[string](tx, one, want, 5)
						if err == nil && got != want {
							err = fmt.Errorf("wrote %s, got %s", want, got)
						}
						return err
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		group.Wait()
		// A cancelled request leaves the statement usable.
		gone, cancel := context.WithCancel(ctx)
		cancel()
		for range 3 {
			if d.Read(gone, read) == nil || d.Write(gone, read) == nil {
				t.Error("ran for a request that was gone")
			}
			if err := d.Write(ctx, read); err != nil {
				t.Error(err)
			}
		}
	})
}
