package invitation

import (
	"fmt"
	"strings"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/fold"
	"zunft/internal/identity/membership"
)

const columns = `id, organization, roster, email, given_name, family_name, language, admin, site, apprentice_number, trainer_number, message,
	state, account, invited_by, failure, created_at, sent_at, expires_at, ended_at, reminders`

func (i *Invitation) fields() []any {
	return []any{
		&i.ID, &i.Organization, &i.Roster, &i.Email, &i.GivenName, &i.FamilyName, &i.Language, &i.Admin, &i.Site, &i.ApprenticeNumber, &i.TrainerNumber, &i.Message,
		&i.State, &i.Account, &i.InvitedBy, &i.Failure, &i.CreatedAt, &i.SentAt, &i.ExpiresAt, &i.EndedAt, &i.Reminders,
	}
}

// key makes an invitation unique among the open ones of an organization: by
// address, or on paper by number or name, so that a list sent twice doubles nobody.
func (i Invitation) key() string {
	switch {
	case i.Email != "":
		return fold.Login(i.Email)
	case i.ApprenticeNumber+i.TrainerNumber != "":
		return "paper/" + fold.Login(i.ApprenticeNumber+"/"+i.TrainerNumber)
	}
	return "paper/" + fold.Login(i.GivenName+"/"+i.FamilyName)
}

// words are what an invitation is found by.
func (i Invitation) words() string {
	return fold.Text(strings.Join([]string{i.GivenName, i.FamilyName, i.Email, i.ApprenticeNumber, i.TrainerNumber}, " "))
}

// save writes an invitation, or changes the one that is open for the person; it
// returns the id of that.
func save(tx *db.Tx, i Invitation, tokenHash string) (id string, err error) {
	id, err = db.Value[string](tx, `INSERT INTO invitation (id, organization, roster, email, email_key, given_name, family_name, language, admin, site,
			apprentice_number, trainer_number, message, state, token_hash, invited_by, created_at, expires_at, words)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 'sent', $14, $15, $16, $17, $18)
		ON CONFLICT (organization, email_key) WHERE state IN ('sent', 'undeliverable') AND email_key <> '' DO UPDATE SET roster = CASE WHEN excluded.roster = '' THEN invitation.roster ELSE excluded.roster END,
			email = excluded.email, given_name = excluded.given_name, family_name = excluded.family_name, language = excluded.language, admin = excluded.admin, site = excluded.site,
			apprentice_number = excluded.apprentice_number, trainer_number = excluded.trainer_number, message = excluded.message, state = 'sent', failure = '',
			invited_by = excluded.invited_by, expires_at = excluded.expires_at, words = excluded.words
		RETURNING id`,
		i.ID, i.Organization, i.Roster, i.Email, i.key(), i.GivenName, i.FamilyName, i.Language, i.Admin, i.Site,
		i.ApprenticeNumber, i.TrainerNumber, i.Message, tokenHash, i.InvitedBy, i.CreatedAt, i.ExpiresAt, i.words())
	if err != nil {
		return "", fmt.Errorf("invite into %s: %w", i.Organization, err)
	}
	if id != i.ID {
		if _, err := tx.Exec(`DELETE FROM invitation_role WHERE invitation = $1`, id); err != nil {
			return "", err
		}
	}
	for _, r := range i.Roles {
		if _, err := tx.Exec(`INSERT INTO invitation_role (invitation, application, role) VALUES ($1, $2, $3)`, id, r.Application, r.Key); err != nil {
			return "", fmt.Errorf("invite into %s: %w", i.Organization, err)
		}
	}
	return id, nil
}

func one(tx *db.Tx, where string, args ...any) (Invitation, error) {
	all, err := list(tx, where, args...)
	if err == nil && len(all) == 0 {
		err = fault.NotFound()
	}
	if err != nil {
		return Invitation{}, err
	}
	return all[0], nil
}

func load(tx *db.Tx, id string) (Invitation, error) { return one(tx, `id = $1`, id) }

// list reads invitations with their roles, in two statements.
func list(tx *db.Tx, where string, args ...any) ([]Invitation, error) {
	all, err := db.All(tx, (*Invitation).fields, `SELECT `+columns+` FROM invitation WHERE `+where, args...)
	if err != nil || len(all) == 0 {
		return all, err
	}
	at, ids := map[string]int{}, make([]any, len(all))
	for n, i := range all {
		at[i.ID], ids[n] = n, i.ID
	}
	return all, tx.Each(`SELECT invitation, application, role FROM invitation_role WHERE invitation IN (`+db.In(1, len(ids))+`) ORDER BY application, role`, ids,
		func(scan func(...any) error) error {
			var id string
			var r membership.Role
			err := scan(&id, &r.Application, &r.Key)
			all[at[id]].Roles = append(all[at[id]].Roles, r)
			return err
		})
}

// end moves an open invitation to another state, once.
func end(tx *db.Tx, id, state, account string) (Invitation, error) {
	i, err := db.One(tx, (*Invitation).fields, `UPDATE invitation SET state = $1, account = $2, ended_at = $3, code_mac = ''
		WHERE id = $4 AND state IN ('sent', 'undeliverable') AND expires_at > $3 RETURNING `+columns, state, account, tx.Now(), id)
	if err != nil {
		return i, err
	}
	i.Roles, err = db.All(tx, func(r *membership.Role) []any { return []any{&r.Application, &r.Key} },
		`SELECT application, role FROM invitation_role WHERE invitation = $1 ORDER BY application, role`, id)
	return i, err
}

// memberBy is the current member of an organization with a main address, as its admins see it.
func memberBy(tx *db.Tx, organizationID, emailKey string) (membership.Member, error) {
	account, err := db.Value[string](tx, `SELECT m.account FROM account a JOIN membership m ON m.account = a.id
		WHERE a.email_key = $1 AND a.state <> 'unconfirmed' AND m.organization = $2 AND m.ended_at IS NULL`, emailKey, organizationID)
	if err != nil {
		return membership.Member{}, err
	}
	return membership.In(tx, organizationID, account)
}

// owned are the confirmed addresses of an account, as they are compared.
func owned(tx *db.Tx, account string) ([]string, error) {
	return db.Values[string](tx, `SELECT email_key FROM account WHERE id = $1 AND state <> 'unconfirmed'
		UNION SELECT email_key FROM account_email WHERE account = $1 AND confirmed_at IS NOT NULL`, account)
}

// SiteName of an invitation's site; empty for the head office.
func SiteName(tx *db.Tx, site string) (string, error) {
	if site == "" {
		return "", nil
	}
	name, err := db.Value[string](tx, `SELECT name FROM site WHERE id = $1`, site)
	if fault.Is(err, fault.KindNotFound) {
		return "", nil
	}
	return name, err
}
