package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/account"
	"zunft/internal/identity/legacy"
	"zunft/internal/identity/session"
)

type accountCommand struct {
	Import accountImportCommand `cmd:"" help:"Carry people over from another product, with their passwords (CSV or JSON)."`
	Lock   accountLockCommand   `cmd:"" help:"Lock an account; all its sessions end."`
	Unlock accountUnlockCommand `cmd:"" help:"End a lock or a pause."`
	Purge  accountPurgeCommand  `cmd:"" help:"Delete accounts that nobody confirmed within seven days. The server does so every hour."`

	Departures accountDeparturesCommand `cmd:"" help:"Delete accounts whose grace has ended, and tell those that nobody uses. The server does so by itself."`
}

type accountImportCommand struct {
	configFlags
	File    string `arg:"" type:"existingfile" help:"CSV with a first row of column names, or JSON. Columns: username, email, given_name, family_name, salutation, title, language, hash, numbers, chamber, policy."`
	Chamber string `help:"Kammernummer for rows that name none."`
	Policy  string `help:"Key of the policy for rows that name none."`
	Skip    bool   `help:"Leave out rows that cannot be taken. Otherwise one of them, and nothing is written."`
	DryRun  bool   `help:"Write nothing, report the same."`
	JSON    bool   `name:"json" help:"Report as JSON."`
}

// Run reports everything that is wrong before it writes the first account.
func (i accountImportCommand) Run(ctx context.Context) error {
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
	options := legacy.Options{DryRun: i.DryRun, Skip: i.Skip, Policy: i.Policy, Chamber: i.Chamber}
	var end func()
	options.Progress, end = progress("accounts written")
	defer end()
	start := time.Now()
	report, err := legacy.Import(ctx, d, audit.Console, file, options)
	if i.JSON {
		if e := json.NewEncoder(os.Stdout).Encode(report); e != nil {
			return e
		}
	} else {
		writeAccounts(os.Stdout, report, i.DryRun, time.Since(start))
	}
	return say(err)
}

func writeAccounts(w io.Writer, r legacy.Report, dry bool, took time.Duration) {
	for _, p := range r.Problems {
		fmt.Fprintf(w, "line %d, %s: %s\n", p.Line, p.Column, word(p.Reason, p.Args...))
	}
	if more := r.Bad - len(r.Problems); more > 0 {
		fmt.Fprintf(w, "… and %d more rows\n", more)
	}
	for _, kind := range slices.Sorted(maps.Keys(r.Hashes)) {
		fmt.Fprintf(w, "password hashes, %s: %d\n", kind, r.Hashes[kind])
	}
	done := fmt.Sprintf("%d written", r.Written)
	if dry {
		done = "nothing written"
	}
	fmt.Fprintf(w, "%d rows: %d can be taken, %d cannot; %s in %s\n", r.Rows, r.Usable, r.Bad, done, took.Round(time.Millisecond))
}

type accountLockCommand struct {
	configFlags
	Account string `arg:"" help:"User name, e-mail address or number."`
}

// Run locks for the chamber: only the chamber opens it again.
func (l accountLockCommand) Run(ctx context.Context) error {
	return l.change(ctx, l.Account, func(tx *db.Tx, a account.Account) error {
		if _, err := account.Lock(tx, audit.Console, a.ID, account.LockedByChamber); err != nil {
			return err
		}
		return session.EndAll(tx, audit.Console, a.ID, "")
	})
}

type accountUnlockCommand struct {
	configFlags
	Account string `arg:"" help:"User name, e-mail address or number."`
}

// Run ends whatever lock or pause there is, but the grace of a deletion.
func (u accountUnlockCommand) Run(ctx context.Context) error {
	return u.change(ctx, u.Account, func(tx *db.Tx, a account.Account) error {
		_, err := account.Release(tx, audit.Console, a.ID)
		return err
	})
}

// change finds an account and does something with it.
func (f configFlags) change(ctx context.Context, login string, do func(tx *db.Tx, a account.Account) error) error {
	d, err := f.identityDB(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	return say(d.Write(ctx, func(tx *db.Tx) error {
		a, err := account.ByLogin(tx, login)
		if err != nil {
			return fmt.Errorf("there is no account %s", login)
		}
		return do(tx, a)
	}))
}

type accountPurgeCommand struct {
	configFlags
	DryRun bool `help:"Only say what would go."`
}

// Run says what goes, then lets it go.
func (p accountPurgeCommand) Run(ctx context.Context) error {
	d, err := p.identityDB(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	var due account.Due
	if err := d.Read(ctx, func(tx *db.Tx) (err error) { due, err = account.PurgeDue(tx); return err }); err != nil {
		return err
	}
	for _, a := range due.First {
		fmt.Printf("%s  %s  %s\n", a.CreatedAt.Format(time.DateTime), cmp.Or(a.Username, "-"), a.Email)
	}
	if more := due.Unconfirmed - len(due.First); more > 0 {
		fmt.Printf("… and %d more\n", more)
	}
	fmt.Printf("unconfirmed accounts: %d, drafts: %d, old links: %d\n", due.Unconfirmed, due.Drafts, due.Links)
	if p.DryRun {
		fmt.Println("nothing deleted")
		return nil
	}
	return account.Purge(ctx, d)
}
