package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/application"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/openid"
	"zunft/internal/identity/organization"
)

type appTestCommand struct {
	appFlags
	URI string `arg:"" help:"The redirect URI as the application sends it."`
}

// Run is content with what is registered, and says what differs otherwise.
func (t appTestCommand) Run(ctx context.Context) error {
	d, a, err := t.find(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	difference, ok := application.Explain(a.RedirectURIs, t.URI)
	if !ok {
		return fmt.Errorf("not registered: %s (nearest: %s)", word(difference.Phrase, difference.Args...), difference.Near)
	}
	fmt.Println("registered")
	return nil
}

type appClaimsCommand struct {
	appFlags
	Login        string   `arg:"" help:"User name or e-mail address."`
	Organization string   `help:"Ident number of one of the person's organizations; else the only one."`
	Scope        []string `default:"profile,email,organization,roles"`
}

// Run prints ID token and userinfo.
func (c appClaimsCommand) Run(ctx context.Context) error {
	conf, err := c.load()
	if err != nil {
		return err
	}
	d, a, err := c.find(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	p := &openid.Provider{DB: d, Site: &web.Site{Base: conf.Identity.Base}}
	var v openid.Preview
	err = d.Write(ctx, func(tx *db.Tx) error {
		person, err := account.ByLogin(tx, c.Login)
		if err != nil {
			return fmt.Errorf("there is no account %s", c.Login)
		}
		of, err := chosen(tx, person.ID, c.Organization)
		if err != nil {
			return err
		}
		v, err = p.Preview(tx, audit.Console, a, person.ID, of, strings.Join(c.Scope, " "))
		return err
	})
	if err != nil {
		return say(err)
	}
	if v.Refused {
		fmt.Println("no role, no code, no token")
	} else {
		fmt.Println("id_token", v.IDToken)
	}
	fmt.Println("userinfo", v.UserInfo)
	return nil
}

// chosen is the id of a person's organization by its ident number; without one the only one, if so.
func chosen(tx *db.Tx, accountID, ident string) (id string, err error) {
	members, err := membership.Of(tx, accountID)
	if err != nil || len(members) == 0 && ident == "" {
		return "", err
	}
	for _, m := range members {
		o, err := organization.Get(tx, m.Organization)
		if err != nil {
			return "", err
		}
		if o.IdentNumber == ident || ident == "" && len(members) == 1 {
			return o.ID, nil
		}
	}
	return "", fmt.Errorf("--organization: the person belongs to %d organizations; name one by its ident number", len(members))
}

type appLogCommand struct {
	appFlags
	Failed bool `help:"Only what went wrong."`
}

// Run prints the last hundred events, oldest first.
func (l appLogCommand) Run(ctx context.Context) error {
	d, a, err := l.find(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Read(ctx, func(tx *db.Tx) error {
		all, err := application.Events(tx, audit.Console, a.ID, l.Failed, "")
		for _, e := range slices.Backward(all) {
			args := make([]any, len(e.Args))
			for i, s := range e.Args {
				args[i] = s
			}
			why := ""
			if e.Reason != "" {
				why = word(e.Reason, args...)
			}
			fmt.Printf("%s\t%s\t%d×\t%s\t%s\n", e.At.Format(time.DateTime), e.Outcome, e.Times, why, e.Sent)
		}
		return err
	})
}
