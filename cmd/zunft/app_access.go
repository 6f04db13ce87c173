package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/application"
)

type appRoleCommand struct {
	List    appRoleListCommand    `cmd:"" help:"List the roles in their order."`
	Change  appRoleSetCommand     `cmd:"" name:"set" help:"Add a role or change it: what is not given stays."`
	Remove  appRoleRemoveCommand  `cmd:"" help:"Take a role out that nobody holds."`
	Holders appRoleHoldersCommand `cmd:"" help:"Count who has a role, by organization."`
}

type appRoleListCommand struct{ appFlags }

// Run lists key, German name and what is special.
func (l appRoleListCommand) Run(ctx context.Context) error {
	d, a, err := l.find(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Read(ctx, func(tx *db.Tx) error {
		roles, err := application.Catalogue(tx, a.ID)
		out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
		for _, r := range roles {
			fmt.Fprintf(out, "%s\t%s\t%s\t%s", r.Key, r.NameDE, r.NameEN, r.Requires)
			if len(r.ExclusiveWith) > 0 {
				fmt.Fprintf(out, "\tnot with %s", strings.Join(r.ExclusiveWith, " "))
			}
			if r.Invited {
				fmt.Fprint(out, "\tticked in invitations")
			}
			fmt.Fprintln(out)
		}
		out.Flush()
		return err
	})
}

type appRoleSetCommand struct {
	appFlags
	Key       string   `arg:""`
	NameDE    *string  `name:"name-de" help:"German name."`
	NameEN    *string  `name:"name-en" help:"English name."`
	TextDE    *string  `name:"text-de" help:"What it may do, in German."`
	TextEN    *string  `name:"text-en" help:"What it may do, in English."`
	Requires  *string  `help:"mfa, phr or nothing."`
	Exclusive []string `help:"Keys of roles that nobody may hold beside it; - for none."`
	Invited   *bool    `negatable:"" help:"Ticked when somebody is invited."`
}

// Run sets the role.
func (s appRoleSetCommand) Run(ctx context.Context) error {
	return s.declare(ctx, func(a application.Application, roles []application.Role) ([]application.Role, error) {
		i := slices.IndexFunc(roles, func(r application.Role) bool { return r.Key == s.Key })
		if i < 0 {
			i, roles = len(roles), append(roles, application.Role{Key: s.Key})
		}
		r := &roles[i]
		for given, field := range map[*string]*string{s.NameDE: &r.NameDE, s.NameEN: &r.NameEN, s.TextDE: &r.DescriptionDE, s.TextEN: &r.DescriptionEN, s.Requires: &r.Requires} {
			if given != nil {
				*field = *given
			}
		}
		if s.Exclusive != nil {
			r.ExclusiveWith = slices.DeleteFunc(s.Exclusive, func(key string) bool { return key == "-" })
		}
		if s.Invited != nil {
			r.Invited = *s.Invited
		}
		return roles, nil
	})
}

// declare changes the role catalogue of the application that is named.
func (f appFlags) declare(ctx context.Context, change func(application.Application, []application.Role) ([]application.Role, error)) error {
	d, a, err := f.find(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	return say(d.Write(ctx, func(tx *db.Tx) error {
		roles, err := application.Catalogue(tx, a.ID)
		if err != nil {
			return err
		}
		if roles, err = change(a, roles); err != nil {
			return err
		}
		return application.Declare(tx, audit.Console, a.ID, a.Version, roles)
	}))
}

type appRoleRemoveCommand struct {
	appFlags
	Key string `arg:""`
}

// Run takes the role out.
func (m appRoleRemoveCommand) Run(ctx context.Context) error {
	return m.declare(ctx, func(a application.Application, roles []application.Role) ([]application.Role, error) {
		left := slices.DeleteFunc(slices.Clone(roles), func(r application.Role) bool { return r.Key == m.Key })
		if len(left) == len(roles) {
			return nil, fmt.Errorf("%s declares no role %s", a.ClientID, m.Key)
		}
		return left, nil
	})
}

type appRoleHoldersCommand struct {
	appFlags
	Key string `arg:""`
}

// Run prints people and organization, one a line.
func (h appRoleHoldersCommand) Run(ctx context.Context) error {
	d, a, err := h.find(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	for after := ""; ; {
		var page application.Holders
		err := d.Read(ctx, func(tx *db.Tx) (err error) {
			page, err = application.HoldersOf(tx, audit.Console, a.ID, h.Key, after)
			return err
		})
		if err != nil {
			return say(err)
		}
		for _, o := range page.Organizations {
			fmt.Printf("%d\t%s\n", o.People, o.Name)
		}
		if after = page.Next; after == "" {
			return nil
		}
	}
}

type appSecretCommand struct {
	New    appSecretNewCommand    `cmd:"" help:"Make a secret and print it, this once."`
	List   appSecretListCommand   `cmd:"" help:"List secrets by their ends."`
	Revoke appSecretRevokeCommand `cmd:"" help:"Revoke a secret."`
}

type appSecretNewCommand struct {
	appFlags
	Days int `default:"365" help:"Days until it expires; 0: never."`
}

// Run prints the secret.
func (n appSecretNewCommand) Run(ctx context.Context) error {
	d, a, err := n.find(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	var plain string
	err = d.Write(ctx, func(tx *db.Tx) (err error) {
		plain, _, err = application.NewSecret(tx, audit.Console, a.ID, n.Days)
		return err
	})
	if err == nil {
		fmt.Println(plain)
	}
	return say(err)
}

type appSecretListCommand struct{ appFlags }

// Run lists id, end, state and use.
func (l appSecretListCommand) Run(ctx context.Context) error {
	d, a, err := l.find(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Read(ctx, func(tx *db.Tx) error {
		all, err := application.Secrets(tx, audit.Console, a.ID)
		for _, s := range all {
			state := "expired " + s.ExpiresAt.Format(time.DateOnly)
			switch {
			case !s.RevokedAt.IsZero():
				state = "revoked " + s.RevokedAt.Format(time.DateOnly)
			case s.ExpiresAt.IsZero():
				state = "active"
			case s.Active(tx.Now()):
				state = "active until " + s.ExpiresAt.Format(time.DateOnly)
			}
			used := "not used"
			if !s.UsedAt.IsZero() {
				used = "used " + s.UsedAt.Format(time.DateOnly)
			}
			fmt.Printf("%s\t…%s\t%s\t%s\n", s.ID, s.Hint, state, used)
		}
		return err
	})
}

type appSecretRevokeCommand struct {
	appFlags
	Secret string `arg:"" help:"Its id, or its last four characters."`
}

// Run revokes it.
func (v appSecretRevokeCommand) Run(ctx context.Context) error {
	d, a, err := v.find(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	return say(d.Write(ctx, func(tx *db.Tx) error {
		all, err := application.Secrets(tx, audit.Console, a.ID)
		if err != nil {
			return err
		}
		for _, s := range all {
			if s.ID == v.Secret || s.Hint == v.Secret && s.RevokedAt.IsZero() {
				return application.RevokeSecret(tx, audit.Console, a.ID, s.ID)
			}
		}
		return fmt.Errorf("%s has no such secret; `zunft app secret list %s` lists them", a.ClientID, a.ClientID)
	}))
}
