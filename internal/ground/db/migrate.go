package db

import (
	"context"
	"io/fs"
	"strings"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

func (d *DB) migrate(ctx context.Context, schema fs.FS) error {
	if d.dialect.name == "sqlite" {
		d.turn.Lock()
		defer d.turn.Unlock()
	}
	p, err := d.provider(schema)
	if err != nil {
		return err
	}
	_, err = p.Up(ctx)
	return err
}

func (d *DB) provider(schema fs.FS) (*goose.Provider, error) {
	options := []goose.ProviderOption{goose.WithDisableGlobalRegistry(true)}
	engine := goose.DialectSQLite3
	if d.dialect.name == "postgres" {
		engine = goose.DialectPostgres
		locker, err := lock.NewPostgresSessionLocker()
		if err != nil {
			return nil, err
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	return goose.NewProvider(engine, d.writer, schema, options...)
}

// Migrations says which steps of the schema are not applied yet.
func (d *DB) Migrations(ctx context.Context, schema fs.FS) (pending []string, err error) {
	p, err := d.provider(schema)
	if err != nil {
		return nil, err
	}
	status, err := p.Status(ctx)
	if err != nil {
		return nil, err
	}
	for _, s := range status {
		if s.State == goose.StatePending {
			pending = append(pending, strings.TrimSuffix(s.Source.Path, ".sql"))
		}
	}
	return pending, nil
}
