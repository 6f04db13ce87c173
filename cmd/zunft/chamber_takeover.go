package main

import (
	"context"
	"fmt"
	"os"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/takeover"
)

type chamberTakeoverCommand struct {
	configFlags
	Number string `arg:"" help:"Kammernummer of the chamber that has ended."`
	DryRun bool   `help:"Say what would be done, and do nothing."`
}

// Run hands over, or says what would be.
func (t chamberTakeoverCommand) Run(ctx context.Context) error {
	d, err := t.identityDB(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	var p takeover.Plan
	step, done := takeover.Do, "handed over"
	if t.DryRun {
		step, done = takeover.Look, "would be handed over"
	}
	err = say(d.Write(ctx, func(tx *db.Tx) error {
		c, err := chamberOf(tx, t.Number)
		if err == nil {
			p, err = step(tx, audit.Console, c.ID)
		}
		return err
	}))
	for _, c := range p.Clashes {
		fmt.Fprintf(os.Stdout, "ident number %s: %s here, %s there\n", c.Number, c.Name, c.There)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stdout, "%s %s to %s %s: %d companies, %d open registrations, %d entries of the directory, %d staff %s\n",
		p.From.Number, p.From.Name, p.To.Number, p.To.Name, p.Companies, p.Open, p.Listings, p.Clerks, done)
	return nil
}
