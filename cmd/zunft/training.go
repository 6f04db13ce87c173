package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/training/person"
	training "zunft/internal/training/portal"
	"zunft/internal/training/registry"
	trainingschema "zunft/internal/training/schema"
)

type trainingCommand struct {
	Import   trainingImportCommand   `cmd:"" help:"Bring apprenticeships up to the list of a chamber's registry (CSV)."`
	Plan     trainingPlanCommand     `cmd:"" help:"Make a list the training plan of an occupation (Ausbildungsrahmenplan)."`
	Erase    trainingEraseCommand    `cmd:"" help:"Forget a person (GDPR Art. 17): what has no ground to stay at once, the report book when its time is over."`
	Verify   trainingVerifyCommand   `cmd:"" help:"Check the seals of all report books: whether anything signed off was changed since."`
	Document trainingDocumentCommand `cmd:"" help:"Documents of a chamber for apprentices and companies."`
	Office   trainingOfficeCommand   `cmd:"" help:"Organizations that are a chamber's own office: their chamber_clerk works for it."`
}

// trainingDB opens the training portal's database for a command.
func (f configFlags) trainingDB(ctx context.Context) (*db.DB, error) {
	c, err := f.load()
	if err != nil {
		return nil, err
	}
	d, err := openDB(ctx, "training.database", c.Training.Database, trainingschema.Files)
	if err == nil {
		d.Keys, _ = c.keys()
	}
	return d, err
}

// trainingWord is a phrase of the training portal in English.
func trainingWord(key string, args ...any) string {
	c, err := training.Catalog()
	if err != nil {
		return key
	}
	return c.Text("en", key, args...)
}

type trainingImportCommand struct {
	configFlags
	File    string `arg:"" type:"existingfile" help:"CSV with apprentice number, names, the company's Identnummer, occupation, start, end, trainer number; separated by ; or , or tab."`
	Chamber string `required:"" help:"Kammernummer."`
	Strict  bool   `help:"One bad row, and nothing is kept."`
	DryRun  bool   `help:"Keep nothing, report the same."`
}

// Run reports row by row what cannot be used. The exit status is 1 if no row
// could be used, with --strict if one could not.
func (c trainingImportCommand) Run(ctx context.Context) error {
	if len(c.Chamber) != 3 || strings.Trim(c.Chamber, "0123456789") != "" {
		return fmt.Errorf("--chamber: %s", trainingWord("person.chamber_number"))
	}
	file, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer file.Close()
	d, err := c.trainingDB(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	r, err := registry.Import(ctx, d, audit.Console, registry.Options{Chamber: c.Chamber, DryRun: c.DryRun, Strict: c.Strict}, file)
	if err != nil && r.BadRows == 0 {
		return sayBy(err, trainingWord)
	}
	for _, b := range r.Bad {
		fmt.Printf("line %d, %s: %s\n", b.Line, b.Field, trainingWord(b.Key, b.Args...))
	}
	verb := "were"
	if c.DryRun || err != nil {
		verb = "would be"
	}
	fmt.Printf("%d rows: %d %s created, %d changed, %d unchanged, %d cannot be used\n", r.Rows, r.Created, verb, r.Changed, r.Unchanged, r.BadRows)
	if err != nil {
		return sayBy(err, trainingWord)
	}
	if r.Rows > 0 && r.BadRows == r.Rows {
		return fmt.Errorf("no row can be used")
	}
	return nil
}

type trainingOfficeCommand struct {
	Add    officeAddCommand    `cmd:"" help:"Let an organization be the office of a chamber."`
	List   officeListCommand   `cmd:"" help:"List the offices."`
	Remove officeRemoveCommand `cmd:"" help:"Take that back."`
}

type officeAddCommand struct {
	configFlags
	Organization string `arg:"" help:"Id of the organization, as the identity portal tells it to applications."`
	Chamber      string `required:"" help:"Kammernummer."`
}

func (c officeAddCommand) Run(ctx context.Context) error {
	return c.training(ctx, true, func(tx *db.Tx) error { return person.AddOffice(tx, audit.Console, c.Organization, c.Chamber) })
}

type officeListCommand struct{ configFlags }

func (c officeListCommand) Run(ctx context.Context) error {
	return c.training(ctx, true, func(tx *db.Tx) error {
		all, err := person.Offices(tx)
		for _, o := range all {
			fmt.Printf("%s  %s  %s\n", o.ChamberNumber, o.Company, o.Name)
		}
		return err
	})
}

type officeRemoveCommand struct {
	configFlags
	Organization string `arg:"" help:"Id of the organization."`
}

func (c officeRemoveCommand) Run(ctx context.Context) error {
	return c.training(ctx, true, func(tx *db.Tx) error { return person.RemoveOffice(tx, audit.Console, c.Organization) })
}
