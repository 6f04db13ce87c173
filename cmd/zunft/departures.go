package main

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"zunft/internal/identity/departure"
)

type accountDeparturesCommand struct {
	configFlags
	DryRun bool `help:"Only say who would go and who would be told."`
}

// Run says who goes, then carries it out as the server does every hour.
func (c accountDeparturesCommand) Run(ctx context.Context) error {
	d, err := c.identityDB(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	p, err := departure.Look(ctx, d, 10)
	if err != nil {
		return err
	}
	for _, a := range p.Due {
		fmt.Printf("%s  %s  %s\n", a.DeleteAt.Format(time.DateTime), cmp.Or(a.Username, "-"), a.Email)
	}
	if more := p.All - len(p.Due); more > 0 {
		fmt.Printf("… and %d more\n", more)
	}
	fmt.Printf("accounts to delete now: %d, in their grace: %d\n", p.All, p.Going)
	fmt.Printf("unused accounts to tell: %d, to tell again: %d\n", p.Unused, p.Again)
	if c.DryRun {
		fmt.Println("nothing deleted, nobody told")
		return nil
	}
	if err := departure.TellUnused(ctx, d); err != nil {
		return err
	}
	return departure.CarryOut(ctx, d)
}
