package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/table"
	"zunft/internal/identity/application"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/roster"
)

type organizationCommand struct {
	Invite organizationInviteCommand `cmd:"" help:"Invite the people of a list (XLSX or CSV) into an organization. The server sends the mails."`
}

type organizationInviteCommand struct {
	configFlags
	File         string   `arg:"" type:"existingfile" help:"XLSX, or CSV in UTF-8, UTF-16 or Windows-1252, separated by ; or , or tab."`
	Organization string   `required:"" help:"Identnummer of the organization."`
	Chamber      string   `required:"" help:"Kammernummer."`
	Role         []string `help:"Role of people whose row names none: client-id:role. May be repeated."`
	Days         int      `help:"How long the invitations hold; otherwise as the chamber has settled."`
	Language     string   `default:"de" enum:"de,en" help:"Language of people whose row names none."`
	Rest         string   `type:"path" help:"File for the rows that cannot be sent, with the reasons (CSV)."`
	DryRun       bool     `help:"Invite nobody, report the same."`
}

// Run reads, reports row by row, and asks the server to send what is fine. Rows
// that cannot be sent make the exit status 1 only if none could.
func (c organizationInviteCommand) Run(ctx context.Context) error {
	file, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	t, err := table.Read(file)
	if err != nil {
		return say(err)
	}
	d, err := c.identityDB(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	ready := 0
	err = d.Write(ctx, func(tx *db.Tx) error {
		o, err := organization.ByNumbers(tx, c.Organization, c.Chamber)
		if err != nil {
			return fmt.Errorf("there is no organization %s at chamber %s", c.Organization, c.Chamber)
		}
		l, err := roster.Make(tx, audit.Console, o.ID, filepath.Base(c.File), c.Language, t)
		if err != nil {
			return err
		}
		defaults, err := c.defaults(tx, l)
		if err != nil {
			return err
		}
		if err := roster.SetDefaults(tx, audit.Console, o.ID, l.ID, l.Version, defaults); err != nil {
			return err
		}
		if l, err = roster.Get(tx, audit.Console, o.ID, l.ID); err != nil {
			return err
		}
		if err := c.report(tx, l); err != nil {
			return err
		}
		counts, err := roster.Counts(tx, l)
		if err != nil {
			return err
		}
		if ready = counts[roster.OK]; ready == 0 || c.DryRun {
			return errUndone
		}
		_, err = roster.Send(tx, audit.Console, o.ID, l.ID, l.Version)
		return err
	})
	switch {
	case errors.Is(err, errUndone) && ready == 0:
		return errors.New("nobody can be invited")
	case errors.Is(err, errUndone):
		fmt.Printf("%d would be invited; nobody was\n", ready)
		return nil
	case err != nil:
		return say(err)
	}
	fmt.Printf("%d invited\n", ready)
	return nil
}

// errUndone takes a trial back.
var errUndone = errors.New("only tried")

func (c organizationInviteCommand) defaults(tx *db.Tx, l roster.Roster) (roster.Defaults, error) {
	d := l.Defaults
	d.Days = cmp.Or(c.Days, d.Days)
	for _, r := range c.Role {
		client, key, ok := strings.Cut(r, ":")
		app, err := application.ByClientID(tx, client)
		if err != nil || !ok {
			return d, fmt.Errorf("--role %s: write client-id:role, for example training:apprentice", r)
		}
		d.Roles = append(d.Roles, membership.Role{Application: app.ID, Key: key})
	}
	return d, nil
}

// report prints what is wrong, and writes the rest into a file if one is wanted.
func (c organizationInviteCommand) report(tx *db.Tx, l roster.Roster) error {
	rows, err := roster.Rows(tx, l, "", 0, table.MaxRows)
	if err != nil {
		return err
	}
	for _, r := range rows {
		for _, p := range r.Problems {
			kind := "error"
			if p.Warning {
				kind = "warning"
			}
			fmt.Printf("line %d, %s %s: %s\n", r.Number, kind, p.Field, word(p.Key, p.Args...))
		}
	}
	if c.Rest == "" {
		return nil
	}
	return written(c.Rest, func(w io.Writer) error { return roster.WriteRemaining(tx, w, l, word) })
}

func written(name string, write func(io.Writer) error) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600) // names and addresses of people
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
