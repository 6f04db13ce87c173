package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/application"
)

type appCommand struct {
	Add          appAddCommand    `cmd:"" help:"Connect an application, or change it; prints a new secret, the only one from then on."`
	List         appListCommand   `cmd:"" help:"List the connected applications."`
	Show         appShowCommand   `cmd:"" help:"Print what is registered of an application."`
	Change       appSetCommand    `cmd:"" name:"set" help:"Change an application: what is not given stays."`
	Role         appRoleCommand   `cmd:"" help:"The roles that an application declares."`
	Secret       appSecretCommand `cmd:"" help:"Client secrets: two at most are active."`
	TestRedirect appTestCommand   `cmd:"" help:"Say whether a redirect URI is registered, and if not, what differs."`
	Claims       appClaimsCommand `cmd:"" help:"Print what an application would read of a person. Each look is recorded."`
	Log          appLogCommand    `cmd:"" help:"Print what happened at an application's door."`
}

// appFlags name one application; every command of it begins the same way.
type appFlags struct {
	configFlags
	ClientID string `arg:"" help:"client_id"`
}

// find opens the database and reads the application.
func (f appFlags) find(ctx context.Context) (d *db.DB, a application.Application, err error) {
	if d, err = f.identityDB(ctx); err != nil {
		return nil, a, err
	}
	err = d.Read(ctx, func(tx *db.Tx) error { a, err = application.ByClientID(tx, f.ClientID); return err })
	if fault.Is(err, fault.KindNotFound) {
		err = fmt.Errorf("there is no application %s; `zunft app list` lists them", f.ClientID)
	}
	if err != nil {
		d.Close()
	}
	return d, a, err
}

type appAddCommand struct {
	configFlags
	ClientID   string   `arg:""`
	Name       string   `arg:""`
	Redirect   []string `required:"" help:"Redirect URI, compared exactly. May be repeated." sep:"none"`
	PostLogout []string `help:"Post-logout redirect URI. May be repeated." sep:"none"`
	Logout     string   `help:"Back-channel logout URI."`
	Events     string   `help:"Where the application hears that an account is gone (RFC 8935)."`
	Home       string   `help:"Where people open the application."`
	Training   bool     `help:"Give it the role catalogue of the training portal; else its roles stay."`
}

// Run prints the client secret: it is stored as a hash and cannot be read again.
func (a appAddCommand) Run(ctx context.Context) error {
	d, err := a.identityDB(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	var secret string
	if err := d.Write(ctx, func(tx *db.Tx) error {
		app, err := application.ByClientID(tx, a.ClientID)
		if err != nil && !fault.Is(err, fault.KindNotFound) {
			return err
		}
		roles, err := application.Catalogue(tx, app.ID)
		if err != nil {
			return err
		}
		if a.Training {
			roles = trainingRoles()
		}
		app.ClientID, app.Name, app.ClientURI, app.RedirectURIs, app.PostLogoutRedirectURIs, app.BackchannelLogoutURI, app.SecurityEventURI = a.ClientID, a.Name, a.Home, a.Redirect, a.PostLogout, a.Logout, a.Events
		app.AuthMethod, app.IDTokenAlg, app.State = "client_secret_basic", "ES256", application.Active
		if app, err = application.Put(tx, audit.Console, app, roles); err != nil {
			return err
		}
		living, err := application.Living(tx, app.ID)
		if err != nil {
			return err
		}
		for _, s := range living {
			if err := application.RevokeSecret(tx, audit.Console, app.ID, s.ID); err != nil {
				return err
			}
		}
		secret, _, err = application.NewSecret(tx, audit.Console, app.ID, 0)
		return err
	}); err != nil {
		return say(err)
	}
	fmt.Println(secret)
	return nil
}

type appListCommand struct{ configFlags }

// Run lists one application a line.
func (l appListCommand) Run(ctx context.Context) error {
	d, err := l.identityDB(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Read(ctx, func(tx *db.Tx) error {
		all, err := application.All(tx)
		if err != nil {
			return err
		}
		failed, err := application.Failures(tx)
		if err != nil {
			return err
		}
		secrets, err := application.LastSecrets(tx)
		out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
		for _, a := range all {
			fmt.Fprintf(out, "%s\t%s\t%s\t%d secrets\t%d failures in 24 hours\n", a.ClientID, a.Name, a.State, secrets[a.ID].Count, failed[a.ID])
		}
		out.Flush()
		return err
	})
}

type appShowCommand struct{ appFlags }

// Run prints the fields by their names in Dynamic Client Registration.
func (s appShowCommand) Run(ctx context.Context) error {
	d, a, err := s.find(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	for _, f := range [][2]string{
		{"client_id", a.ClientID},
		{"client_name", a.Name},
		{"state", a.State},
		{"client_uri", a.ClientURI},
		{"manual_uri", a.ManualURI},
		{"support", a.Support},
		{"redirect_uris", strings.Join(a.RedirectURIs, " ")},
		{"post_logout_redirect_uris", strings.Join(a.PostLogoutRedirectURIs, " ")},
		{"backchannel_logout_uri", a.BackchannelLogoutURI},
		{"security_event_uri", a.SecurityEventURI},
		{"token_endpoint_auth_method", a.AuthMethod},
		{"id_token_signed_response_alg", a.IDTokenAlg},
		{"require_pkce", fmt.Sprint(a.RequirePKCE)},
	} {
		fmt.Printf("%s: %s\n", f[0], f[1])
	}
	return nil
}

type appSetCommand struct {
	appFlags
	Name       *string
	Home       *string  `help:"Where people open the application."`
	Manual     *string  `help:"Its manual."`
	Support    *string  `help:"Who answers questions about it."`
	Redirect   []string `help:"Redirect URIs from now on; repeat for each." sep:"none"`
	PostLogout []string `help:"Post-logout redirect URIs from now on; repeat for each." sep:"none"`
	Logout     *string  `help:"Back-channel logout URI."`
	Events     *string  `help:"Where the application hears that an account is gone (RFC 8935)."`
	Auth       *string  `help:"client_secret_basic, client_secret_post or none."`
	Alg        *string  `help:"ES256 or RS256."`
	PKCE       *bool    `name:"pkce" negatable:"" help:"Require PKCE."`
	State      *string  `help:"active or disabled."`
}

// Run changes what was given.
func (s appSetCommand) Run(ctx context.Context) error {
	d, a, err := s.find(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	for given, field := range map[*string]*string{s.Name: &a.Name, s.Home: &a.ClientURI, s.Manual: &a.ManualURI, s.Support: &a.Support, s.Logout: &a.BackchannelLogoutURI, s.Events: &a.SecurityEventURI, s.Auth: &a.AuthMethod, s.Alg: &a.IDTokenAlg} {
		if given != nil {
			*field = *given
		}
	}
	if s.Redirect != nil {
		a.RedirectURIs = s.Redirect
	}
	if s.PostLogout != nil {
		a.PostLogoutRedirectURIs = s.PostLogout
	}
	if s.PKCE != nil {
		a.RequirePKCE = *s.PKCE
	}
	return say(d.Write(ctx, func(tx *db.Tx) error {
		if err := application.Change(tx, audit.Console, a); err != nil || s.State == nil {
			return err
		}
		return application.SetState(tx, audit.Console, a.ID, *s.State)
	}))
}
