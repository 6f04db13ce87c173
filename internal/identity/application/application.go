// Package application holds the connected applications (Fachanwendungen) and
// the role catalogue that each of them declares.
//
// An application is data, never code (R003): an OpenID Connect client in the
// field names of Dynamic Client Registration, with the roles it knows. Roles
// are its own words: the portal shows them to admins as declared, and an
// organization grants them (package membership). An application with a
// catalogue lets nobody in without one of its roles (R029); one without serves
// every account.
//
// Applications are changed by the operator and at the console only. A role that
// somebody holds, has asked for or is offered cannot be taken out of the
// catalogue: access must end by a decision, not by an import. One that only
// lies in decided requests is retired: nobody is given it any more, and the
// record still names it.
//
// Of client secrets two at most are active ([NewSecret]), and what happens at
// an application's door is kept for its operator ([Log]).
package application

import (
	"embed"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/i18n"
	"zunft/internal/identity/chamber"
)

// Phrases are what people read of this package's faults.
//
//go:embed phrases/*.json
var Phrases embed.FS

// An Application as it is registered. The names are those of OpenID Connect
// Dynamic Client Registration 1.0, section 2.
type Application struct {
	ID                     string
	ClientID               string
	Name                   string // client_name
	ClientURI              string // where people open it
	ManualURI              string // its manual (R007)
	Support                string // who answers questions about it (R223)
	SecretHash             string // HashSecret; only given to Put, never read again
	RedirectURIs           []string
	PostLogoutRedirectURIs []string
	BackchannelLogoutURI   string
	SecurityEventURI       string // where it wants to hear that an account is gone (RFC 8935)
	AuthMethod             string // token_endpoint_auth_method
	IDTokenAlg             string // id_token_signed_response_alg: ES256 or RS256
	RequirePKCE            bool
	State                  string // Active or Disabled
	CreatedAt              db.Time
	Version                int // what [Change] and [Declare] compare
}

// States of an application.
const (
	Active   = "active"
	Disabled = "disabled"
)

// Public reports whether the application has no secret (RFC 6749, section 2.1).
func (a Application) Public() bool { return a.AuthMethod == "none" }

// A Role that an application declares. Its key never changes; its names may.
type Role struct {
	Application                                  string // id
	Key                                          string
	NameDE, NameEN, DescriptionDE, DescriptionEN string
	Position                                     int
	Requires                                     string   // acr that a holder must reach: "", MFA or PHR
	ExclusiveWith                                []string // keys of roles that one person cannot hold beside it in one organization
	Invited                                      bool     // ticked when somebody is invited
}

// What a role may require of its holder's sign-in (acr, OpenID Connect Extended
// Authentication Profile for the second).
const (
	MFA = "mfa" // a second factor
	PHR = "phr" // one that cannot be phished: a passkey
)

// Excludes reports whether two roles of one application cannot be held
// together; it holds both ways, whichever of them says so.
func (r Role) Excludes(other Role) bool {
	return r.Application == other.Application && r.Key != other.Key && (slices.Contains(r.ExclusiveWith, other.Key) || slices.Contains(other.ExclusiveWith, r.Key))
}

// Name of the role in a language.
func (r Role) Name(lang string) string { return choose(lang, r.NameDE, r.NameEN) }

// Word is the name for phrases whose reader is not known yet.
func (r Role) Word() i18n.Word { return i18n.Word{"de": r.NameDE, "en": r.NameEN} }

// Description of what the role may do, in a language.
func (r Role) Description(lang string) string { return choose(lang, r.DescriptionDE, r.DescriptionEN) }

func choose(lang, de, en string) string {
	if lang == "en" && en != "" {
		return en
	}
	return de
}

// Put registers an application or changes the one with the same client id, sets
// its role catalogue, in the order given, and makes a given secret its only one.
// It is how a file or a command says what holds, whatever was before.
func Put(tx *db.Tx, by audit.Actor, a Application, roles []Role) (Application, error) {
	if err := mustOperate(tx, by); err != nil {
		return a, err
	}
	a = withDefaults(a)
	if err := valid(a, roles); err != nil {
		return a, err
	}
	event, err := save(tx, &a)
	if err != nil {
		return a, err
	}
	if err := declare(tx, a.ID, roles); err != nil {
		return a, err
	}
	if err := onlySecret(tx, by, a); err != nil {
		return a, err
	}
	return a, audit.Record(tx, by, audit.Entry{Event: event, Thing: a.ID, Detail: map[string]any{"client_id": a.ClientID, "roles": keys(roles)}})
}

// Register adds an application; its secrets and roles come after it.
func Register(tx *db.Tx, by audit.Actor, a Application) (Application, error) {
	if err := mustOperate(tx, by); err != nil {
		return a, err
	}
	a.SecretHash = ""
	a = withDefaults(a)
	if err := valid(a, nil); err != nil {
		return a, err
	}
	err := insert(tx, &a)
	if db.Unique(err) || fault.Is(err, fault.KindNotFound) {
		return a, fault.Invalid("client_id", "application.client_id_taken")
	}
	if err != nil {
		return a, err
	}
	return a, audit.Record(tx, by, audit.Entry{Event: "application.registered", Thing: a.ID, Detail: map[string]any{"client_id": a.ClientID}})
}

// Change sets everything but client id, state and roles. a.Version is what was
// seen; Conflict if somebody was quicker.
func Change(tx *db.Tx, by audit.Actor, a Application) error {
	if err := mustOperate(tx, by); err != nil {
		return err
	}
	was, err := Get(tx, a.ID)
	if err != nil {
		return err
	}
	a.ClientID, a.State, a.SecretHash = was.ClientID, was.State, ""
	a = withDefaults(a)
	if err := valid(a, nil); err != nil {
		return err
	}
	if err := change(tx, a); err != nil {
		return err
	}
	if a.Public() { // a public client has none (RFC 6749, section 2.1)
		if _, err := tx.Exec(`UPDATE application_secret SET revoked_at = $1 WHERE application = $2 AND revoked_at IS NULL`, tx.Now(), a.ID); err != nil {
			return err
		}
	}
	return audit.Record(tx, by, audit.Entry{Event: "application.changed", Thing: a.ID, Detail: map[string]any{"client_id": a.ClientID, "fields": differs(was, a)}})
}

// SetState lets people in again, or nobody any more.
func SetState(tx *db.Tx, by audit.Actor, id, state string) error {
	if err := mustOperate(tx, by); err != nil {
		return err
	}
	if state != Active && state != Disabled {
		return fault.Invalid("state", "application.state_form")
	}
	n, err := tx.Exec(`UPDATE application SET state = $1, version = version + 1 WHERE id = $2 AND state <> $1`, state, id)
	if err != nil {
		return fmt.Errorf("set state of application %s: %w", id, err)
	}
	if n == 0 { // it is so already, or there is none
		_, err := Get(tx, id)
		return err
	}
	event := map[string]string{Active: "application.enabled", Disabled: "application.disabled"}[state]
	return audit.Record(tx, by, audit.Entry{Event: event, Thing: id})
}

// Declare makes the catalogue what is given. version is what was seen of the
// application; Conflict if somebody was quicker.
func Declare(tx *db.Tx, by audit.Actor, id string, version int, roles []Role) error {
	if err := mustOperate(tx, by); err != nil {
		return err
	}
	var p fault.Problems
	validRoles(&p, roles)
	if err := p.Err(); err != nil {
		return err
	}
	if err := raise(tx, id, version); err != nil {
		return err
	}
	if err := declare(tx, id, roles); err != nil {
		return err
	}
	return audit.Record(tx, by, audit.Entry{Event: "application.roles_changed", Thing: id, Detail: map[string]any{"roles": keys(roles)}})
}

func keys(roles []Role) (keys []string) {
	for _, r := range roles {
		keys = append(keys, r.Key)
	}
	return keys
}

// differs names the fields that two versions do not share, as the record keeps them.
func differs(a, b Application) (fields []string) {
	for _, f := range []struct {
		name string
		same bool
	}{
		{"client_name", a.Name == b.Name},
		{"client_uri", a.ClientURI == b.ClientURI},
		{"manual_uri", a.ManualURI == b.ManualURI},
		{"support", a.Support == b.Support},
		{"redirect_uris", slices.Equal(a.RedirectURIs, b.RedirectURIs)},
		{"post_logout_redirect_uris", slices.Equal(a.PostLogoutRedirectURIs, b.PostLogoutRedirectURIs)},
		{"backchannel_logout_uri", a.BackchannelLogoutURI == b.BackchannelLogoutURI},
		{"token_endpoint_auth_method", a.AuthMethod == b.AuthMethod},
		{"id_token_signed_response_alg", a.IDTokenAlg == b.IDTokenAlg},
		{"require_pkce", a.RequirePKCE == b.RequirePKCE},
	} {
		if !f.same {
			fields = append(fields, f.name)
		}
	}
	return fields
}

// mustOperate: the console and jobs may, a person only as operator.
func mustOperate(tx *db.Tx, by audit.Actor) error {
	if by.Kind == audit.Command || by.Kind == audit.System {
		return nil
	}
	yes, err := chamber.IsOperator(tx, by.Account)
	if err == nil && !yes {
		err = fault.Forbidden()
	}
	return err
}

func withDefaults(a Application) Application {
	if a.AuthMethod == "" {
		a.AuthMethod = "client_secret_basic"
		if a.SecretHash == "" {
			a.AuthMethod = "none"
		}
	}
	if a.IDTokenAlg == "" {
		a.IDTokenAlg = "RS256" // the default of OpenID Connect Registration 1.0
	}
	if a.State == "" {
		a.State = Active
	}
	a.RequirePKCE = a.RequirePKCE || a.AuthMethod == "none" // RFC 9700, section 2.1.1
	return a
}

func valid(a Application, roles []Role) error {
	var p fault.Problems
	if a.ClientID == "" || strings.ContainsFunc(a.ClientID, func(r rune) bool { return r <= ' ' || r > '~' }) {
		p.Add("client_id", "application.client_id_form")
	}
	if a.Name == "" {
		p.Add("client_name", "application.name_required")
	}
	if !slices.Contains([]string{"client_secret_basic", "client_secret_post", "none"}, a.AuthMethod) || a.Public() && a.SecretHash != "" {
		p.Add("token_endpoint_auth_method", "application.auth_method")
	}
	if a.IDTokenAlg != "ES256" && a.IDTokenAlg != "RS256" {
		p.Add("id_token_signed_response_alg", "application.alg")
	}
	for _, f := range []struct {
		field   string
		private bool
		uris    []string
	}{
		{"redirect_uris", true, a.RedirectURIs},
		{"post_logout_redirect_uris", true, a.PostLogoutRedirectURIs},
		{"client_uri", false, []string{a.ClientURI}},
		{"manual_uri", false, []string{a.ManualURI}},
		{"backchannel_logout_uri", false, []string{a.BackchannelLogoutURI}},
		{"security_event_uri", false, []string{a.SecurityEventURI}},
	} {
		for _, u := range f.uris {
			if (u != "" || f.private) && !address(u, f.private) {
				p.Add(f.field, "application.uri_form", u)
			}
		}
	}
	validRoles(&p, roles)
	return p.Err()
}

func validRoles(p *fault.Problems, roles []Role) {
	seen := map[string]bool{}
	for _, r := range roles {
		if r.Key == "" || r.NameDE == "" || seen[r.Key] || strings.ContainsFunc(r.Key, func(c rune) bool { return c <= ' ' || c > '~' }) {
			p.Add("roles", "application.role_form", r.Key)
		}
		if r.Requires != "" && r.Requires != MFA && r.Requires != PHR {
			p.Add("roles", "application.role_requires", r.Key)
		}
		seen[r.Key] = true
	}
	for _, r := range roles {
		for _, other := range r.ExclusiveWith {
			if other == r.Key || !seen[other] {
				p.Add("roles", "application.role_exclusive", r.Key, other)
			}
		}
	}
}

// address: an absolute URI without fragment (RFC 6749, section 3.1.2); for
// redirects also one with a private scheme in reverse-domain form (RFC 8252, section 7.1).
func address(s string, private bool) bool {
	u, err := url.Parse(s)
	if err != nil || u.Fragment != "" || strings.Contains(s, "#") {
		return false
	}
	if u.Scheme == "https" || u.Scheme == "http" {
		return u.Host != "" && u.User == nil
	}
	return private && strings.Contains(u.Scheme, ".")
}
