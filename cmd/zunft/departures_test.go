package main

import (
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/account"
	"zunft/internal/identity/departure"
)

// R181: --dry-run says who would go and deletes nobody; without it they go.
func TestAccountDepartures(t *testing.T) {
	flags := configFlags{Config: write(t, strings.Replace(fine(), "[mail]", `database = "sqlite:`+t.TempDir()+`/identity.db"`+"\n[mail]", 1))}
	d, err := flags.identityDB(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	d.Now = func() time.Time { return time.Now().Add(-departure.Grace - time.Hour) }
	if err := d.Write(t.Context(), func(tx *db.Tx) error {
		a, err := account.Create(tx, audit.Console, account.New{GivenName: "Gerda", FamilyName: "Geher", Email: "geht@beispiel.example", Password: "x", Confirmed: true})
		if err != nil {
			return err
		}
		_, err = departure.Ask(tx, audit.Actor{Account: a.ID})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for _, dry := range []bool{true, true, false} {
		out, err := printed(t, func() error { return accountDeparturesCommand{flags, dry}.Run(t.Context()) })
		if err != nil || !strings.Contains(out, "geht@beispiel.example") || !strings.Contains(out, "accounts to delete now: 1, in their grace: 0") || strings.Contains(out, "nothing deleted") != dry {
			t.Error(dry, out, err)
		}
	}
	out, err := printed(t, func() error { return accountDeparturesCommand{flags, true}.Run(t.Context()) })
	if err != nil || !strings.Contains(out, "accounts to delete now: 0") || strings.Contains(out, "geht@") {
		t.Error(out, err)
	}
}
