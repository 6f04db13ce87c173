package application

import (
	"encoding/json"
	"fmt"
	"strings"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
)

const columns = `id, client_id, client_name, client_uri, manual_uri, support, redirect_uris, post_logout_redirect_uris,
	backchannel_logout_uri, security_event_uri, token_endpoint_auth_method, id_token_signed_response_alg, require_pkce, state, created_at, version`

// list is a JSON array of strings in a column.
type list []string

func (l *list) Scan(src any) error {
	switch v := src.(type) {
	case string:
		return json.Unmarshal([]byte(v), (*[]string)(l))
	case []byte:
		return json.Unmarshal(v, (*[]string)(l))
	}
	return fmt.Errorf("no list: %T", src)
}

func text(l []string) string {
	if l == nil {
		l = []string{}
	}
	b, _ := json.Marshal(l) // strings always marshal
	return string(b)
}

func (a *Application) fields() []any {
	return []any{
		&a.ID, &a.ClientID, &a.Name, &a.ClientURI, &a.ManualURI, &a.Support, (*list)(&a.RedirectURIs), (*list)(&a.PostLogoutRedirectURIs),
		&a.BackchannelLogoutURI, &a.SecurityEventURI, &a.AuthMethod, &a.IDTokenAlg, &a.RequirePKCE, &a.State, &a.CreatedAt, &a.Version,
	}
}

// Get loads an application by id.
func Get(tx *db.Tx, id string) (Application, error) {
	return db.One(tx, (*Application).fields, `SELECT `+columns+` FROM application WHERE id = $1`, id)
}

// ByClientID loads an application by its client id, active or not.
func ByClientID(tx *db.Tx, clientID string) (Application, error) {
	return db.One(tx, (*Application).fields, `SELECT `+columns+` FROM application WHERE client_id = $1`, clientID)
}

// All applications, by name.
func All(tx *db.Tx) ([]Application, error) {
	return db.All(tx, (*Application).fields, `SELECT `+columns+` FROM application ORDER BY client_name, id`)
}

func active(tx *db.Tx) ([]Application, error) {
	return db.All(tx, (*Application).fields, `SELECT `+columns+` FROM application WHERE state = 'active' ORDER BY client_name, id`)
}

const roleColumns = `application, role, name_de, name_en, description_de, description_en, position, requires, exclusive_with, invited`

func (r *Role) fields() []any {
	return []any{&r.Application, &r.Key, &r.NameDE, &r.NameEN, &r.DescriptionDE, &r.DescriptionEN, &r.Position, &r.Requires, (*words)(&r.ExclusiveWith), &r.Invited}
}

// words are blank separated in a column.
type words []string

func (w *words) Scan(src any) error {
	switch v := src.(type) {
	case string:
		*w = strings.Fields(v)
	case []byte:
		*w = strings.Fields(string(v))
	default:
		return fmt.Errorf("no words: %T", src)
	}
	return nil
}

// Catalogue is what an application declares, in its order; empty: it serves every account.
func Catalogue(tx *db.Tx, applicationID string) ([]Role, error) {
	return db.All(tx, (*Role).fields, `SELECT `+roleColumns+` FROM application_role WHERE application = $1 AND retired_at IS NULL ORDER BY position, role`, applicationID)
}

func rolesOfActive(tx *db.Tx) ([]Role, error) {
	return db.All(tx, (*Role).fields, `SELECT `+roleColumns+` FROM application_role
		WHERE application IN (SELECT id FROM application WHERE state = 'active') AND retired_at IS NULL ORDER BY application, position, role`)
}

func (a *Application) values() []any {
	return []any{
		a.ID, a.ClientID, a.Name, a.ClientURI, a.ManualURI, a.Support, text(a.RedirectURIs), text(a.PostLogoutRedirectURIs),
		a.BackchannelLogoutURI, a.SecurityEventURI, a.AuthMethod, a.IDTokenAlg, a.RequirePKCE, a.State, a.CreatedAt,
	}
}

const insertion = `INSERT INTO application (` + columns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 1) `

// insert adds an application; NotFound if the client id is taken.
func insert(tx *db.Tx, a *Application) error {
	a.ID, a.CreatedAt = db.NewID(), tx.Now()
	return tx.Scan(insertion+`ON CONFLICT (client_id) DO NOTHING RETURNING version`, a.values(), &a.Version)
}

// save inserts or updates by client id and says which event that was.
func save(tx *db.Tx, a *Application) (event string, err error) {
	id := db.NewID()
	a.ID, a.CreatedAt = id, tx.Now()
	err = tx.Scan(insertion+`ON CONFLICT (client_id) DO UPDATE SET client_name = excluded.client_name, client_uri = excluded.client_uri, manual_uri = excluded.manual_uri,
			support = excluded.support, redirect_uris = excluded.redirect_uris, post_logout_redirect_uris = excluded.post_logout_redirect_uris,
			backchannel_logout_uri = excluded.backchannel_logout_uri, security_event_uri = excluded.security_event_uri, token_endpoint_auth_method = excluded.token_endpoint_auth_method,
			id_token_signed_response_alg = excluded.id_token_signed_response_alg, require_pkce = excluded.require_pkce, state = excluded.state, version = application.version + 1
		RETURNING id, created_at, version`, a.values(), &a.ID, &a.CreatedAt, &a.Version)
	if err != nil {
		return "", fmt.Errorf("save application %s: %w", a.ClientID, err)
	}
	if a.ID == id {
		return "application.registered", nil
	}
	return "application.changed", nil
}

func change(tx *db.Tx, a Application) error {
	n, err := tx.Exec(`UPDATE application SET client_name = $3, client_uri = $4, manual_uri = $5, support = $6, redirect_uris = $7, post_logout_redirect_uris = $8,
		backchannel_logout_uri = $9, security_event_uri = $10, token_endpoint_auth_method = $11, id_token_signed_response_alg = $12, require_pkce = $13, version = version + 1 WHERE id = $1 AND version = $2`,
		a.ID, a.Version, a.Name, a.ClientURI, a.ManualURI, a.Support, text(a.RedirectURIs), text(a.PostLogoutRedirectURIs),
		a.BackchannelLogoutURI, a.SecurityEventURI, a.AuthMethod, a.IDTokenAlg, a.RequirePKCE)
	if err != nil {
		return fmt.Errorf("change application %s: %w", a.ClientID, err)
	}
	if n == 0 {
		return fault.Conflict("application.changed_meanwhile")
	}
	return nil
}

// raise takes the next version, which also keeps others from it until the end of the transaction.
func raise(tx *db.Tx, id string, version int) error {
	n, err := tx.Exec(`UPDATE application SET version = version + 1 WHERE id = $1 AND version = $2`, id, version)
	if err != nil {
		return err
	}
	if n > 0 {
		return nil
	}
	if _, err := Get(tx, id); err != nil {
		return err
	}
	return fault.Conflict("application.changed_meanwhile")
}

// declare makes the catalogue what is given.
func declare(tx *db.Tx, id string, roles []Role) error {
	keep := []any{id}
	for i, r := range roles {
		_, err := tx.Exec(`INSERT INTO application_role (`+roleColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
			ON CONFLICT (application, role) DO UPDATE SET name_de = excluded.name_de, name_en = excluded.name_en,
				description_de = excluded.description_de, description_en = excluded.description_en, position = excluded.position,
				requires = excluded.requires, exclusive_with = excluded.exclusive_with, invited = excluded.invited, retired_at = NULL`,
			id, r.Key, r.NameDE, r.NameEN, r.DescriptionDE, r.DescriptionEN, i, r.Requires, strings.Join(r.ExclusiveWith, " "), r.Invited)
		if err != nil {
			return fmt.Errorf("declare role %s: %w", r.Key, err)
		}
		keep = append(keep, r.Key)
	}
	gone := ""
	if len(roles) > 0 {
		gone = ` AND role NOT IN (` + db.In(2, len(roles)) + `)`
	}
	used, err := db.Values[string](tx, `SELECT role FROM application_role r WHERE application = $1 AND retired_at IS NULL`+gone+`
		AND (EXISTS (SELECT 1 FROM role_grant g JOIN membership m ON m.id = g.membership WHERE g.application = r.application AND g.role = r.role AND m.ended_at IS NULL)
		  OR EXISTS (SELECT 1 FROM request_role q JOIN request ON request.id = q.request WHERE q.application = r.application AND q.role = r.role AND request.state IN ('open', 'claimed'))
		  OR EXISTS (SELECT 1 FROM invitation_role q JOIN invitation i ON i.id = q.invitation WHERE q.application = r.application AND q.role = r.role AND i.state IN ('sent', 'undeliverable'))
		  OR EXISTS (SELECT 1 FROM mandate_role q JOIN mandate m ON m.id = q.mandate WHERE q.application = r.application AND q.role = r.role AND m.state IN ('proposed', 'accepted', 'active'))) LIMIT 1`, keep...)
	if err != nil {
		return err
	}
	if len(used) > 0 {
		return fault.Conflict("application.role_in_use", used[0])
	}
	if _, err := tx.Exec(`UPDATE application_role SET retired_at = $`+fmt.Sprint(len(keep)+1)+` WHERE application = $1 AND retired_at IS NULL`+gone, append(keep, tx.Now())...); err != nil {
		return err
	}
	// What nothing refers to is gone.
	_, err = tx.Exec(`DELETE FROM application_role WHERE application = $1`+gone+`
		AND NOT EXISTS (SELECT 1 FROM role_grant q WHERE q.application = application_role.application AND q.role = application_role.role)
		AND NOT EXISTS (SELECT 1 FROM request_role q WHERE q.application = application_role.application AND q.role = application_role.role)
		AND NOT EXISTS (SELECT 1 FROM invitation_role q WHERE q.application = application_role.application AND q.role = application_role.role)
		AND NOT EXISTS (SELECT 1 FROM mandate_role q WHERE q.application = application_role.application AND q.role = application_role.role)`, keep...)
	return err
}
