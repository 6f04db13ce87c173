package main

import (
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/i18n"
	"zunft/internal/ground/seal"
	"zunft/internal/ground/web"
	"zunft/internal/identity/application"
	identity "zunft/internal/identity/portal"
	identityschema "zunft/internal/identity/schema"
	training "zunft/internal/training/portal"
	trainingschema "zunft/internal/training/schema"
)

type checkCommand struct{ configFlags }

// Run tries everything the configuration names and says what to mend.
func (k checkCommand) Run(ctx context.Context) error {
	c, err := k.load()
	if err != nil {
		return err
	}
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	failed := 0
	say := func(what string, err error, fine string) {
		if err != nil {
			failed++
			fmt.Fprintf(out, "%s\tNOT OK\t%s\n", what, strings.ReplaceAll(err.Error(), "\n", " "))
			return
		}
		fmt.Fprintf(out, "%s\tok\t%s\n", what, fine)
	}
	keys, err := c.keys()
	say("secret.key", err, "")
	for _, p := range []struct {
		key, address string
		schema       fs.FS
	}{{"identity.database", c.Identity.Database, identityschema.Files}, {"training.database", c.Training.Database, trainingschema.Files}} {
		fine, err := checkDB(ctx, p.address, p.schema, keys)
		say(p.key, err, fine)
	}
	if c.Password.List != "" {
		known, err := readPasswordList(c.Password.List)
		fine := ""
		if err == nil {
			fine = fmt.Sprintf("%d MB", known.Size()>>20)
		}
		say("password.list", err, fine)
	}
	probe, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	say("mail", c.sender(nil, c.Identity.Base).Check(probe), fmt.Sprintf("%s:%d answers", c.Mail.Host, c.Mail.Port))
	fine, err := checkClock(probe, c.Identity.Base)
	say("clock", err, fine)
	_, err = identity.Catalog()
	say("phrases", err, strings.Join(i18n.Languages(), ", "))
	if !web.HasLook() {
		err = fmt.Errorf("built without styles; run make build")
	}
	say("look", err, "")
	out.Flush()
	if failed > 0 {
		return fmt.Errorf("%d of the checks failed", failed)
	}
	return nil
}

func checkDB(ctx context.Context, address string, schema fs.FS, keys *seal.Keys) (string, error) {
	d, err := db.Connect(ctx, address)
	if err != nil {
		return "", err
	}
	defer d.Close()
	pending, err := d.Migrations(ctx, schema)
	if err != nil {
		return "", err
	}
	if len(pending) > 0 {
		return "", fmt.Errorf("%d steps of the schema are missing: run zunft migrate", len(pending))
	}
	// Sealed keys that cannot be opened mean another secret.key than before.
	var kid, private string
	err = d.Read(ctx, func(tx *db.Tx) error {
		return tx.Scan(`SELECT kid, private FROM signing_key LIMIT 1`, nil, &kid, &private)
	})
	if err == nil && keys != nil {
		if _, err := keys.Open("signing_key/"+kid, private); err != nil {
			return "", fmt.Errorf("its signing keys were sealed with another secret.key")
		}
	}
	return d.Engine() + ", schema up to date", nil
}

// checkClock compares our clock with the portal's own answer, if it runs.
func checkClock(ctx context.Context, base string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, base+"/healthz", nil)
	if err != nil {
		return "", err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return "the portal does not answer yet at " + base, nil
	}
	answer.Body.Close()
	theirs, err := http.ParseTime(answer.Header.Get("Date"))
	if err != nil {
		return "", fmt.Errorf("%s sends no date", base)
	}
	if off := time.Since(theirs).Abs(); off > 5*time.Second {
		return "", fmt.Errorf("this machine and %s differ by %s: set up time synchronisation", base, off.Round(time.Second))
	}
	return "agrees with " + base, nil
}

// say translates a fault for the console.
func say(err error) error { return sayBy(err, word) }

// sayBy says it with the phrases of one of the portals.
func sayBy(err error, word func(string, ...any) string) error {
	f := fault.Of(err)
	if f == nil {
		return err
	}
	var lines []string
	for _, p := range f.Problems {
		lines = append(lines, word(p.Key, p.Args...))
	}
	return fmt.Errorf("%s", strings.Join(lines, "; "))
}

func word(key string, args ...any) string {
	c, err := identity.Catalog()
	if err != nil {
		return key
	}
	return c.Text("en", key, args...)
}

// trainingRoles is the catalogue that the training portal declares, as the
// identity portal keeps it.
func trainingRoles() (all []application.Role) {
	for i, r := range training.Roles {
		all = append(all, application.Role{Key: r.Key, Position: i, NameDE: r.NameDE, NameEN: r.NameEN, DescriptionDE: r.DescriptionDE, DescriptionEN: r.DescriptionEN})
	}
	return all
}
