package main

import (
	"context"
	"fmt"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/training/erasure"
	"zunft/internal/training/person"
)

type trainingEraseCommand struct {
	configFlags
	Person         string `xor:"whom" required:"" help:"Subject (sub) of the person, as the identity portal tells it to applications."`
	Apprenticeship string `xor:"whom" required:"" help:"Apprentice number (Azubi-Identnummer) of the person; needs --chamber."`
	Chamber        string `help:"Kammernummer of the apprenticeship."`
	BeforeTime     bool   `help:"Erase the report book now, also if its time is not over: the controller's decision (Art. 17 GDPR)."`
	DryRun         bool   `help:"Erase nothing, only say what is kept and until when."`
}

// Run says what is kept, then erases what may go.
func (c trainingEraseCommand) Run(ctx context.Context) error {
	config, err := c.load()
	if err != nil {
		return err
	}
	if c.Apprenticeship != "" && c.Chamber == "" {
		return fmt.Errorf("--apprenticeship needs --chamber: numbers are a chamber's own")
	}
	years := config.Training.KeepYears
	return c.training(ctx, !c.DryRun, func(tx *db.Tx) error {
		sub, row := c.Person, ""
		if c.Apprenticeship != "" {
			if row, sub, err = erasure.Find(tx, c.Chamber, c.Apprenticeship); fault.Is(err, fault.KindNotFound) {
				return fmt.Errorf("chamber %s has no apprenticeship with the number %s here", c.Chamber, c.Apprenticeship)
			} else if err != nil {
				return err
			}
		}
		if sub == "" {
			fmt.Println("nobody came for this apprenticeship yet: there is no report book, only what the registry or the company said")
			if c.DryRun {
				return nil
			}
			until, err := erasure.ForgetUnknown(tx, audit.Console, row, years, c.BeforeTime)
			if err == nil && until == "" {
				fmt.Println("erased")
			} else if err == nil {
				fmt.Printf("kept until %s\n", until)
			}
			return err
		}
		k, err := erasure.Look(tx, sub, years)
		if fault.Is(err, fault.KindNotFound) {
			return fmt.Errorf("nobody with the subject %s was ever here", sub)
		}
		if err != nil {
			return err
		}
		fmt.Printf("%s  %s\nreports: %d, drafts among them: %d\n", k.Sub, k.Name, k.Reports, k.Drafts)
		if k.Book {
			fmt.Printf("the apprenticeship ends on %s; its report book is kept until %s\n", k.Ends, k.Until)
		}
		if c.DryRun {
			fmt.Println("nothing erased")
			return nil
		}
		if k, err = erasure.Forget(tx, audit.Console, sub, years, c.BeforeTime); err != nil {
			return err
		}
		switch {
		case k.Book:
			fmt.Printf("erased but for the report book: %d reports stay until %s\n", k.Reports, k.Until)
		case k.Name != person.Nameless:
			fmt.Printf("erased but for the name, which stands beside what they signed until %s\n", k.NamedUntil)
		default:
			fmt.Println("erased")
		}
		return nil
	})
}
