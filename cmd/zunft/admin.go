package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/clerk"
	"zunft/internal/identity/directory"
	identityschema "zunft/internal/identity/schema"
	trainingschema "zunft/internal/training/schema"
)

func openDB(ctx context.Context, key, address string, schema fs.FS) (*db.DB, error) {
	d, err := db.Open(ctx, address, schema)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	return d, nil
}

// identityDB opens the identity portal's database for a command.
func (f configFlags) identityDB(ctx context.Context) (*db.DB, error) {
	c, err := f.load()
	if err != nil {
		return nil, err
	}
	d, err := openDB(ctx, "identity.database", c.Identity.Database, identityschema.Files)
	if err == nil {
		d.Keys, _ = c.keys()
	}
	return d, err
}

type migrateCommand struct {
	configFlags
	Plan bool `help:"Only say what is missing."`
}

// Run brings both databases up to date.
func (m migrateCommand) Run(ctx context.Context) error {
	c, err := m.load()
	if err != nil {
		return err
	}
	for _, p := range []struct {
		key, address string
		schema       fs.FS
	}{{"identity.database", c.Identity.Database, identityschema.Files}, {"training.database", c.Training.Database, trainingschema.Files}} {
		d, err := db.Connect(ctx, p.address)
		if err != nil {
			return fmt.Errorf("%s: %w", p.key, err)
		}
		pending, err := d.Migrations(ctx, p.schema)
		d.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", p.key, err)
		}
		if len(pending) == 0 {
			fmt.Printf("%s: up to date\n", p.key)
			continue
		}
		fmt.Printf("%s: missing %s\n", p.key, strings.Join(pending, ", "))
		if m.Plan {
			continue
		}
		if d, err = openDB(ctx, p.key, p.address, p.schema); err != nil {
			return err
		}
		d.Close()
		fmt.Printf("%s: applied\n", p.key)
	}
	return nil
}

type chamberCommand struct {
	Add       chamberAddCommand       `cmd:"" help:"Add a chamber."`
	List      chamberListCommand      `cmd:"" help:"List the chambers of this installation."`
	Change    chamberSetCommand       `cmd:"" name:"set" help:"Change a chamber: what is not given stays."`
	Successor chamberSuccessorCommand `cmd:"" help:"Say when a chamber ends and who takes over."`
	Takeover  chamberTakeoverCommand  `cmd:"" help:"Hand the companies and clerks of a chamber that has ended to its successor."`
	Import    chamberImportCommand    `cmd:"" help:"Import a chamber's member directory from a CSV file."`
	Codes     chamberCodesCommand     `cmd:"" help:"Make registration codes for numbers of a chamber: who types one has the number."`
}

type chamberImportCommand struct {
	configFlags
	File    string `arg:"" type:"existingfile" help:"CSV, UTF-8 or Windows-1252, separated by ; or ,"`
	Chamber string `required:"" help:"Kammernummer."`
	Strict  bool   `help:"One bad row, and nothing is written."`
	DryRun  bool   `help:"Write nothing, report the same."`
	JSON    bool   `name:"json" help:"Report as JSON."`
}

// Run imports and reports; bad rows make the exit status 1 only with --strict.
func (i chamberImportCommand) Run(ctx context.Context) error {
	d, err := i.identityDB(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	file, err := os.Open(i.File)
	if err != nil {
		return err
	}
	defer file.Close()
	var c chamber.Chamber
	if err := d.Read(ctx, func(tx *db.Tx) error { c, err = chamber.ByNumber(tx, i.Chamber); return err }); err != nil {
		return fmt.Errorf("there is no chamber %s; `zunft chamber add` makes one", i.Chamber)
	}
	options := directory.ImportOptions{Strict: i.Strict, DryRun: i.DryRun}
	var end func()
	options.Progress, end = progress("rows read")
	defer end()
	start := time.Now()
	report, err := directory.Import(ctx, d, audit.Console, c.ID, file, options)
	if err != nil && len(report.Bad) == 0 {
		return say(err)
	}
	if i.JSON {
		if e := json.NewEncoder(os.Stdout).Encode(report); e != nil {
			return e
		}
	} else {
		writeImport(os.Stdout, report, time.Since(start))
	}
	return say(err)
}

// progress counts for a person at a terminal; for anything else tell is nil.
func progress(what string) (tell func(done int), end func()) {
	info, err := os.Stderr.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return nil, func() {}
	}
	return func(done int) { fmt.Fprintf(os.Stderr, "\r%d %s", done, what) }, func() { fmt.Fprintln(os.Stderr) }
}

func writeImport(w io.Writer, r directory.ImportReport, took time.Duration) {
	for _, b := range r.Bad {
		fmt.Fprintf(w, "line %d, column %d %s: %s\n", b.Line, b.Column, b.Header, word(b.Reason, b.Args...))
	}
	for _, ch := range r.Changes {
		fmt.Fprintf(w, "%s %s: %q becomes %q\n", ch.Ident, ch.Field, ch.Was, ch.Now)
	}
	verb := "written"
	if !r.Written {
		verb = "nothing written"
	}
	fmt.Fprintf(w, "%d rows: %d new, %d changed, %d unchanged, %d bad; %d in the directory but not in the file; %s in %s\n",
		r.Rows, r.Created, r.Updated, r.Unchanged, r.BadRows, r.Missing, verb, took.Round(time.Millisecond))
}

type staffCommand struct {
	Add staffAddCommand `cmd:"" help:"Make an account a clerk of a chamber, or an operator."`
}

type staffAddCommand struct {
	configFlags
	Account string `arg:"" help:"User name or e-mail address."`
	Role    string `arg:"" enum:"clerk,operator" help:"clerk or operator."`
	Chamber string `help:"Kammernummer, for a clerk."`
}

// Run adds the role.
func (s staffAddCommand) Run(ctx context.Context) error {
	d, err := s.identityDB(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Write(ctx, func(tx *db.Tx) error {
		a, err := account.ByLogin(tx, s.Account)
		if err != nil {
			return fmt.Errorf("there is no account %s", s.Account)
		}
		if s.Role == chamber.Operator {
			return clerk.AddOperator(tx, audit.Console, a)
		}
		c, err := chamber.ByNumber(tx, s.Chamber)
		if err != nil {
			return fmt.Errorf("--chamber: there is no chamber %q", s.Chamber)
		}
		return clerk.AddClerk(tx, audit.Console, a, c.ID)
	})
}
