package main

import (
	"context"
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
	if err := d.Write(ctx, func(tx *db.Tx) error { return planning.PutPlan(tx, audit.Console, c.Chamber, key, sections) }); err != nil {
		return sayBy(err, trainingWord)
	}
	fmt.Printf("%d sections\n", len(sections))
	return nil
}
