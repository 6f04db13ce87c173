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
	"zunft/internal/ground/seal"
	"zunft/internal/identity/account"
	"zunft/internal/identity/application"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/directory"
	identityschema "zunft/internal/identity/schema"
	"zunft/internal/identity/session"
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
	Add    chamberAddCommand    `cmd:"" help:"Add a chamber."`
	List   chamberListCommand   `cmd:"" help:"List the chambers of this installation."`
	Import chamberImportCommand `cmd:"" help:"Import a chamber's member directory from a CSV file."`
	Codes  chamberCodesCommand  `cmd:"" help:"Make registration codes for numbers of a chamber: who types one has the number."`
}

type chamberAddCommand struct {
	configFlags
	Number    string `arg:"" help:"Kammernummer, three digits."`
	Name      string `arg:"" help:"Full name."`
	ShortName string `help:"Short name."`
	Postcodes string `help:"Postcode prefixes it serves beyond the public list, comma separated."`
	Place     string
	Street    string
	House     string
	Postcode  string
	Phone     string
	Email     string
}

// Run adds the chamber.
func (a chamberAddCommand) Run(ctx context.Context) error {
	d, err := a.identityDB(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Write(ctx, func(tx *db.Tx) error {
		short := a.ShortName
		if short == "" {
			short = a.Name
		}
		_, err := chamber.Create(tx, audit.Console, chamber.Chamber{
			Number: a.Number, Name: a.Name, ShortName: short, Street: a.Street, HouseNumber: a.House,
			Postcode: a.Postcode, Place: a.Place, Phone: a.Phone, Email: a.Email, Postcodes: strings.FieldsFunc(a.Postcodes, func(r rune) bool { return r == ',' || r == ' ' }),
		})
		return err
	})
}

type chamberListCommand struct{ configFlags }

// Run lists number and name.
func (l chamberListCommand) Run(ctx context.Context) error {
	d, err := l.identityDB(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Read(ctx, func(tx *db.Tx) error {
		all, err := chamber.All(tx)
		for _, c := range all {
			fmt.Printf("%s\t%s\n", c.Number, c.Name)
		}
		return err
	})
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
		id := ""
		if s.Role == "clerk" {
			c, err := chamber.ByNumber(tx, s.Chamber)
			if err != nil {
				return fmt.Errorf("--chamber: there is no chamber %q", s.Chamber)
			}
			id = c.ID
		}
		if err := chamber.AddStaff(tx, audit.Console, a.ID, id, s.Role); err != nil {
			return err
		}
		// A sign-in asks for the second factor that the role needs; so the one that was does not count.
		return session.EndAll(tx, audit.Console, a.ID, "")
	})
}

type appCommand struct {
	Add appAddCommand `cmd:"" help:"Connect an application, or change it; prints a new secret."`
}

type appAddCommand struct {
	configFlags
	ClientID   string   `arg:""`
	Name       string   `arg:""`
	Redirect   []string `required:"" help:"Redirect URI, compared exactly. May be repeated." sep:"none"`
	PostLogout []string `help:"Post-logout redirect URI. May be repeated." sep:"none"`
	Logout     string   `help:"Back-channel logout URI."`
	Home       string   `help:"Where people open the application."`
	Training   bool     `help:"Give it the role catalogue of the training portal."`
}

// Run prints the client secret: it is stored as a hash and cannot be read again.
func (a appAddCommand) Run(ctx context.Context) error {
	d, err := a.identityDB(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	secret := seal.Token()
	app := application.Application{
		ClientID: a.ClientID, Name: a.Name, ClientURI: a.Home, SecretHash: seal.Hash(secret), RedirectURIs: a.Redirect,
		PostLogoutRedirectURIs: a.PostLogout, BackchannelLogoutURI: a.Logout, AuthMethod: "client_secret_basic", IDTokenAlg: "ES256", State: "active",
	}
	var roles []application.Role
	if a.Training {
		roles = trainingRoles()
	}
	if err := d.Write(ctx, func(tx *db.Tx) error { _, err := application.Put(tx, audit.Console, app, roles); return err }); err != nil {
		return say(err)
	}
	fmt.Println(secret)
	return nil
}
