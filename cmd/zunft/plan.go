package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/table"
	"zunft/internal/training/occupation"
	"zunft/internal/training/planning"
)

type trainingPlanCommand struct {
	configFlags
	File       string `arg:"" type:"existingfile" help:"CSV or XLSX with the columns number, title, weeks and keywords."`
	Occupation string `required:"" help:"Which occupation: its key or its name in any spelling; all: what all occupations have in common."`
	Chamber    string `help:"Kammernummer, if the plan is this chamber's alone."`
	DryRun     bool   `help:"Keep nothing, show what would change."`
}

// Run makes the list the plan of an occupation. Reports keep the sections they name.
func (c trainingPlanCommand) Run(ctx context.Context) error {
	key := ""
	if c.Occupation != "all" {
		o, ok := occupation.Find(c.Occupation)
		if !ok {
			return fmt.Errorf("there is no occupation %q", c.Occupation)
		}
		key = o.Key
	}
	file, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	list, err := table.Read(file)
	if err != nil {
		return sayBy(err, trainingWord)
	}
	sections, err := planning.ReadPlan(list)
	if err != nil {
		return sayBy(err, trainingWord)
	}
	d, err := c.trainingDB(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	errTried := errors.New("only tried")
	var change planning.Difference
	err = d.Write(ctx, func(tx *db.Tx) (err error) {
		if change, err = planning.Compare(tx, c.Chamber, key, sections); err == nil {
			err = planning.PutPlan(tx, audit.Console, c.Chamber, key, sections)
		}
		if err == nil && c.DryRun {
			err = errTried
		}
		return err
	})
	if err != nil && !errors.Is(err, errTried) {
		return sayBy(err, trainingWord)
	}
	for _, part := range []struct {
		sign     string
		sections []planning.Section
	}{{"+", change.New}, {"~", change.Changed}, {"-", change.Gone}} {
		for _, s := range part.sections {
			fmt.Printf("%s %s, %d weeks: %s\n", part.sign, s.Name(), s.Weeks, s.Keywords)
		}
	}
	fmt.Printf("%d sections: %d new, %d changed, %d not offered any more\n", len(sections), len(change.New), len(change.Changed), len(change.Gone))
	return nil
}
