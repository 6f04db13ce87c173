package main

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/account"
	"zunft/internal/identity/application"
)

// A console types commands as somebody at a shell would.
type console struct {
	*testing.T
	config string
}

func (c console) types(args ...string) (string, error) {
	c.Helper()
	return printed(c.T, func() error {
		var all commands
		flag := slices.Index(args, "--") // what follows is no flag, though a secret may look like one
		if flag < 0 {
			flag = len(args)
		}
		parser, err := kong.New(&all, kong.Name("zunft"), kong.BindTo(c.Context(), (*context.Context)(nil)))
		if err != nil {
			return err
		}
		k, err := parser.Parse(slices.Insert(args, flag, "--config", c.config))
		if err != nil {
			return err
		}
		return k.Run()
	})
}

// works types a command that must succeed, and wants texts in what it prints.
func (c console) works(line string, texts ...string) string {
	c.Helper()
	out, err := c.types(strings.Fields(line)...)
	if err != nil {
		c.Fatalf("%s: %v\n%s", line, err, out)
	}
	for _, s := range texts {
		if !strings.Contains(out, s) {
			c.Errorf("%s lacks %q:\n%s", line, s, out)
		}
	}
	return strings.TrimSpace(out)
}

// fails types one that must not, and wants a text in what it complains of.
func (c console) fails(line, text string) {
	c.Helper()
	if out, err := c.types(strings.Fields(line)...); err == nil || !strings.Contains(err.Error(), text) {
		c.Errorf("%s: %v, want %q\n%s", line, err, text, out)
	}
}

func newConsole(t *testing.T) (console, *db.DB) {
	c := console{t, write(t, strings.Replace(fine(), "[mail]", `database = "sqlite:`+t.TempDir()+`/identity.db"`+"\n[mail]", 1))}
	d, err := configFlags{Config: c.config}.identityDB(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return c, d
}

// R003: an application is connected, changed and looked after without a program and without a page.
func TestAppCommands(t *testing.T) {
	c, d := newConsole(t)
	first := c.works("app add book Berichtsheft --redirect https://book.example/cb --training")
	c.works("app list", "book", "Berichtsheft", "1 secrets", "0 failures")
	c.works("app set book --support help@book.example --manual https://book.example/help --redirect https://book.example/a --redirect https://book.example/b --no-pkce --name Heft")
	c.works("app show book", "client_name: Heft", "support: help@book.example", "redirect_uris: https://book.example/a https://book.example/b", "require_pkce: false")
	c.fails("app set book --home nowhere", "complete address")
	c.fails("app show nobody", "there is no application nobody")

	c.works("app role list book", "apprentice", "trainer")
	c.works("app role set book examiner --name-de Prüfer:in --requires phr --exclusive apprentice --exclusive trainer --invited")
	c.works("app role list book", "examiner", "phr", "not with apprentice trainer", "ticked in invitations")
	c.works("app role set book examiner --exclusive -")
	c.works("app role set book examiner --no-invited --name-en Examiner")
	if out := c.works("app role list book", "Examiner", "phr"); strings.Contains(out, "ticked") || strings.Contains(out, "not with") {
		t.Error(out)
	}
	c.fails("app role set book examiner --requires gold", "requires")
	c.fails("app role remove book ghost", "declares no role ghost")
	c.works("app role remove book examiner")
	c.works("app role holders book trainer")

	second := c.works("app secret new book --days 30")
	if len(first) != 43 || len(second) != 43 || first == second {
		t.Fatal(first, second)
	}
	c.fails("app secret new book", "Two secrets are active already")
	c.works("app secret list book", "…"+first[39:], "…"+second[39:], "not used", "active until")
	c.works("app secret revoke book -- " + first[39:])
	c.works("app secret list book", "revoked")
	c.fails("app secret revoke book -- "+first[39:], "has no such secret")

	c.works("app test-redirect book https://book.example/a", "registered")
	c.fails("app test-redirect book https://book.example/a/", "“/” is too much")

	if err := d.Write(t.Context(), func(tx *db.Tx) error {
		if _, err := account.Create(tx, audit.Console, account.New{GivenName: "Lena", FamilyName: "Lerche", Username: "lena", Email: "lena@example.org", Password: "x", Confirmed: true}); err != nil {
			return err
		}
		a, err := application.ByClientID(tx, "book")
		if err != nil {
			return err
		}
		return application.Log(tx, []application.Event{{Application: a.ID, At: tx.Now(), Outcome: "authorize.redirect_uri", Reason: "application.differs_slash_extra", Sent: "https://book.example/a/"}})
	}); err != nil {
		t.Fatal(err)
	}
	c.works("app claims book lena", "no role, no code, no token", `"email": "lena@example.org"`)
	c.fails("app claims book nobody", "there is no account nobody")
	c.fails("app claims book lena --organization 4711", "name one by its ident number")
	c.works("app log book --failed", "authorize.redirect_uri", "“/” is too much", "https://book.example/a/")

	// Once more: a new secret, the only one; the roles stay.
	third := c.works("app add book Berichtsheft --redirect https://book.example/cb")
	c.works("app role list book", "apprentice")
	c.works("app list", "1 secrets")
	c.works("app set book --state disabled")
	c.works("app show book", "state: disabled")
	if err := d.Read(t.Context(), func(tx *db.Tx) error {
		a, err := application.ByClientID(tx, "book")
		if err != nil {
			return err
		}
		living, err := application.Living(tx, a.ID)
		if _, ok := application.Opens(living, third, tx.Now()); !ok || len(living) != 1 {
			t.Error("the printed secret is not the only one:", living)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// Chambers with validity and successor, by commands.
func TestChamberCommands(t *testing.T) {
	c, _ := newConsole(t)
	c.works("chamber add 999 Musterland --place Musterstadt --postcodes 00,01")
	c.works("chamber add 998 Nachbarland")
	c.works("chamber set 999 --phone 0999-1234 --hours 8-12")
	c.works("chamber successor 999 998 --until 2027-12-31")
	c.works("chamber list", "999  Musterland  until 2027-12-31  then 998", "998  Nachbarland")
	c.works("chamber set 999 --until 2028-06-30")
	c.works("chamber list", "until 2028-06-30")
	c.fails("chamber add 99 Kurz", "3 digits")
	c.fails("chamber set 997 --phone 1", "there is no chamber 997")
	c.fails("chamber successor 999 999 --until 2027-12-31", "successor")
	c.fails("chamber set 999 --until morgen", "is no day")
}
