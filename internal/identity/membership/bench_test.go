package membership

import (
	"testing"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/identity/schema"
)

// benchmarkList measures the list's pages in a company of a size, on both engines.
func benchmarkList(b *testing.B, size int) {
	for _, engine := range []string{"sqlite", "postgres"} {
		b.Run(engine, func(b *testing.B) {
			d := dbtest.Open(b, engine, schema.Files)
			var admin audit.Actor
			var app string
			if err := d.Write(b.Context(), func(tx *db.Tx) (err error) { admin, app, err = crowd(tx, size); return err }); err != nil {
				b.Fatal(err)
			}
			for name, f := range map[string]Filter{"first": {}, "search": {Search: "namen42 beispiel"}, "role": {Role: Role{app, "trainer"}}, "none": {Search: "nobody at all"}} {
				b.Run(name, func(b *testing.B) {
					for b.Loop() {
						if err := d.Read(b.Context(), func(tx *db.Tx) error { _, err := List(tx, admin, "bakery", f, "", 51); return err }); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		})
	}
}

// crowd makes a company with an admin and many members, by plain statements.
func crowd(tx *db.Tx, size int) (admin audit.Actor, app string, err error) {
	if _, err = tx.Exec(`INSERT INTO chamber (id, number, name, short_name, created_at) VALUES ('c', '999', 'Kammer', 'K', $1)`, tx.Now()); err != nil {
		return admin, app, err
	}
	if admin, err = person(tx, "Bert"); err != nil {
		return admin, app, err
	}
	if err = company(tx, "bakery", "Bäckerei", admin.Account); err != nil {
		return admin, app, err
	}
	if err = Grant(tx, audit.Console, "bakery", admin.Account, true); err != nil {
		return admin, app, err
	}
	if _, err = tx.Exec(`INSERT INTO application (id, client_id, client_name, client_uri, manual_uri, redirect_uris, post_logout_redirect_uris, backchannel_logout_uri,
			token_endpoint_auth_method, id_token_signed_response_alg, require_pkce, state, created_at) VALUES ('app', 'app', 'App', '', '', '[]', '[]', '', 'client_secret_basic', 'RS256', FALSE, 'active', $1)`, tx.Now()); err != nil {
		return admin, app, err
	}
	if _, err = tx.Exec(`INSERT INTO application_role (application, role, position, name_de, name_en, description_de, description_en) VALUES ('app', 'trainer', 1, 'A', 'A', '', '')`); err != nil {
		return admin, app, err
	}
	const numbers = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1) `
	if _, err = tx.Exec(numbers+`INSERT INTO account (id, salutation, title, given_name, family_name, name_key, username, username_key, email, email_key, password, state, created_at)
		SELECT 'a' || i, '', '', 'Namen' || i, 'Beispiel', 'beispiel ' || i, 'u' || i, 'u' || i, 'u' || i, 'u' || i, '', 'active', $2 FROM n`, size, tx.Now()); err != nil {
		return admin, app, err
	}
	if _, err = tx.Exec(numbers+`INSERT INTO membership (id, organization, account, since, name_key, words) SELECT 'm' || i, 'bakery', 'a' || i, $2, 'beispiel ' || i, 'namen' || i || ' beispiel u' || i FROM n`, size, tx.Now()); err != nil {
		return admin, app, err
	}
	_, err = tx.Exec(numbers+`INSERT INTO role_grant (membership, application, role, granted_by, granted_at) SELECT 'm' || i, 'app', 'trainer', 'x', $2 FROM n`, size, tx.Now())
	return admin, "app", err
}
