package application

import (
	"encoding/json"
	"fmt"
	"strings"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
)

const columns = `id, client_id, client_name, client_uri, manual_uri, secret_hash, redirect_uris, post_logout_redirect_uris,
	backchannel_logout_uri, token_endpoint_auth_method, id_token_signed_response_alg, require_pkce, state, created_at`

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
		&a.ID, &a.ClientID, &a.Name, &a.ClientURI, &a.ManualURI, &a.SecretHash, (*list)(&a.RedirectURIs), (*list)(&a.PostLogoutRedirectURIs),
		&a.BackchannelLogoutURI, &a.AuthMethod, &a.IDTokenAlg, &a.RequirePKCE, &a.State, &a.CreatedAt,
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
	return db.All(tx, (*Role).fields, `SELECT `+roleColumns+` FROM application_role WHERE application = $1 ORDER BY position, role`, applicationID)
}

func rolesOfActive(tx *db.Tx) ([]Role, error) {
	return db.All(tx, (*Role).fields, `SELECT `+roleColumns+` FROM application_role
		WHERE application IN (SELECT id FROM application WHERE state = 'active') ORDER BY application, position, role`)
}

// save inserts or updates by client id and says which event that was.
func save(tx *db.Tx, a *Application) (event string, err error) {
	id := db.NewID()
	err = tx.Scan(`INSERT INTO application (`+columns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
		ON CONFLICT (client_id) DO UPDATE SET client_name = excluded.client_name, client_uri = excluded.client_uri, manual_uri = excluded.manual_uri,
			secret_hash = excluded.secret_hash, redirect_uris = excluded.redirect_uris, post_logout_redirect_uris = excluded.post_logout_redirect_uris,
			backchannel_logout_uri = excluded.backchannel_logout_uri, token_endpoint_auth_method = excluded.token_endpoint_auth_method,
			id_token_signed_response_alg = excluded.id_token_signed_response_alg, require_pkce = excluded.require_pkce, state = excluded.state
		RETURNING id, created_at`,
		[]any{
			id, a.ClientID, a.Name, a.ClientURI, a.ManualURI, a.SecretHash, text(a.RedirectURIs), text(a.PostLogoutRedirectURIs),
			a.BackchannelLogoutURI, a.AuthMethod, a.IDTokenAlg, a.RequirePKCE, a.State, tx.Now(),
		}, &a.ID, &a.CreatedAt)
	if err != nil {
		return "", fmt.Errorf("save application %s: %w", a.ClientID, err)
	}
	if a.ID == id {
		return "application.registered", nil
	}
	return "application.changed", nil
}

// declare makes the catalogue what is given.
func declare(tx *db.Tx, id string, roles []Role) error {
	keep := []any{id}
	for i, r := range roles {
		_, err := tx.Exec(`INSERT INTO application_role (`+roleColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
			ON CONFLICT (application, role) DO UPDATE SET name_de = excluded.name_de, name_en = excluded.name_en,
				description_de = excluded.description_de, description_en = excluded.description_en, position = excluded.position,
				requires = excluded.requires, exclusive_with = excluded.exclusive_with, invited = excluded.invited`,
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
	used, err := db.Values[string](tx, `SELECT role FROM application_role WHERE application = $1`+gone+`
		AND (EXISTS (SELECT 1 FROM role_grant g WHERE g.application = application_role.application AND g.role = application_role.role)
		  OR EXISTS (SELECT 1 FROM request_role q WHERE q.application = application_role.application AND q.role = application_role.role)) LIMIT 1`, keep...)
	if err != nil {
		return err
	}
	if len(used) > 0 {
		return fault.Conflict("application.role_in_use", used[0])
	}
	_, err = tx.Exec(`DELETE FROM application_role WHERE application = $1`+gone, keep...)
	return err
}
