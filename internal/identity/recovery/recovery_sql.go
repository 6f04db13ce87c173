package recovery

import (
	"encoding/json"
	"fmt"
	"strings"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/seal"
	"zunft/internal/identity/account"
	"zunft/internal/identity/fold"
)

const columns = `id, reference, chamber, account, browser, claimed, state, clerk, evidence, answer, address, code_mac, tries, cancel_hash,
	proof, proved_at, chosen, submitted_at, decided_at, printed_at, due_at, expires_at, ended_at`

func (r *Recovery) fields() []any {
	return []any{
		&r.ID, &r.Reference, &r.Chamber, &r.Account, &r.browser, &r.claimed, &r.State, &r.Clerk, &r.Evidence, &r.Answer, &r.address, &r.codeMAC, &r.Tries, &r.cancelHash,
		&r.proof, &r.provedAt, &r.chosen, &r.SubmittedAt, &r.DecidedAt, &r.PrintedAt, &r.DueAt, &r.ExpiresAt, &r.EndedAt,
	}
}

// back: since the approval somebody has signed in with all steps, set a new
// password by mail, or locked the account ("Das waren nicht Sie?"), so access is
// not lost; or a chamber locked it, which a recovery approved before must not
// end. A password alone, where more is asked, is no sign-in.
const back = `(EXISTS (SELECT 1 FROM session s WHERE s.account = recovery.account AND NOT s.pending AND s.auth_time > recovery.decided_at)
	OR EXISTS (SELECT 1 FROM account a WHERE a.id = recovery.account AND (a.password_at > recovery.decided_at
		OR a.lock_reason IN ('self', 'disavowed', 'chamber') AND a.locked_at > recovery.decided_at)))`

// open reads what is sealed.
func (r *Recovery) open(tx *db.Tx) error {
	if r.claimed == "" { // its account is gone, and with it what was said
		return nil
	}
	plain, err := tx.Keys().Open("recovery/claimed/"+r.ID, r.claimed)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(plain, &r.Claim); err != nil {
		return fmt.Errorf("recovery %s: %w", r.ID, err)
	}
	if r.address != "" {
		plain, err := tx.Keys().Open("recovery/address/"+r.ID, r.address)
		if err != nil {
			return err
		}
		r.Address = string(plain)
	}
	return nil
}

func one(tx *db.Tx, where string, args ...any) (Recovery, error) {
	r, err := db.One(tx, (*Recovery).fields, `SELECT `+columns+` FROM recovery WHERE `+where, args...)
	if err != nil {
		return Recovery{}, err
	}
	return r, r.open(tx)
}

func many(tx *db.Tx, where string, args ...any) ([]Recovery, error) {
	all, err := db.All(tx, (*Recovery).fields, `SELECT `+columns+` FROM recovery WHERE `+where, args...)
	for i := range all {
		if err := all[i].open(tx); err != nil {
			return nil, err
		}
	}
	return all, err
}

func byID(tx *db.Tx, id string) (Recovery, error) { return one(tx, `id = $1`, id) }

// byReference takes it as people type it: "w-7f3k 22m", with or without the W.
func byReference(tx *db.Tx, typed string) (Recovery, error) {
	s := seal.Normalize(typed)
	if len(s) == 8 {
		s = strings.TrimPrefix(s, "W")
	}
	if len(s) != 7 {
		return Recovery{}, fault.NotFound()
	}
	return one(tx, `reference = $1`, "W-"+s[:4]+"-"+s[4:])
}

func ofBrowser(tx *db.Tx, hash string) ([]Recovery, error) {
	return many(tx, `browser = $1 AND ended_at IS NULL ORDER BY id DESC LIMIT 5`, hash)
}

// insert reports false if the reference is taken.
func insert(tx *db.Tx, r Recovery) (bool, error) {
	n, err := tx.Exec(`INSERT INTO recovery (id, reference, chamber, browser, claimed, state, submitted_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (reference) DO NOTHING`,
		r.ID, r.Reference, r.Chamber, r.browser, r.claimed, r.State, r.SubmittedAt, r.ExpiresAt)
	return n == 1, err
}

// colleagues are members of a company of the chamber whose name is the claimed one.
func colleagues(tx *db.Tx, r Recovery, ident string) (ids []string, err error) {
	err = tx.Each(`SELECT a.id, a.given_name, a.family_name FROM organization o JOIN membership m ON m.organization = o.id AND m.ended_at IS NULL JOIN account a ON a.id = m.account
		WHERE o.chamber = $1 AND o.ident_number = $2 AND o.state <> 'closed' ORDER BY m.id LIMIT 1000`, []any{r.Chamber, ident}, func(scan func(...any) error) error {
		var id, g, f string
		if err := scan(&id, &g, &f); err != nil {
			return err
		}
		if fold.People(g, f, r.Claim.GivenName, r.Claim.FamilyName) != fold.Other {
			ids = append(ids, id)
		}
		return nil
	})
	return ids, err
}

func isStaff(tx *db.Tx, accountID string) (bool, error) {
	return db.Value[bool](tx, `SELECT EXISTS (SELECT 1 FROM staff WHERE account = $1)`, accountID)
}

// candidates reads what a clerk compares, in the order of the ids: a handful of
// statements however many there are.
func candidates(tx *db.Tx, r Recovery, ids []string) ([]Candidate, error) {
	people, err := account.GetMany(tx, ids)
	if err != nil || len(people) == 0 {
		return nil, err
	}
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	in := db.In(2, len(ids))
	args = append([]any{r.Chamber}, args...)
	more := map[string]*Candidate{}
	for id, a := range people {
		c := &Candidate{
			Account: a, Addresses: []string{a.Email}, Ties: a.Chamber == r.Chamber, Elsewhere: a.Chamber != "" && a.Chamber != r.Chamber, UsedSince: a.UsedAt.After(r.SubmittedAt) || a.PasswordAt.After(r.SubmittedAt) || a.LockReason == account.LockedByDisavowal,
			NameFits: fold.People(a.GivenName, a.FamilyName, r.Claim.GivenName, r.Claim.FamilyName) != fold.Other,
		}
		login := fold.Login(r.Claim.Login)
		c.LoginFits = login != "" && (fold.Login(a.Email) == login || fold.Login(a.Username) == login)
		more[id] = c
	}
	err = tx.Each(`SELECT kind, account, text, ident, at_chamber FROM (
		SELECT 'address' AS kind, account, email AS text, '' AS ident, FALSE AS at_chamber FROM account_email WHERE account IN (`+in+`) AND confirmed_at IS NOT NULL
		UNION ALL SELECT 'number', account, number, '', chamber = $1 FROM account_number WHERE account IN (`+in+`)
		UNION ALL SELECT 'company', m.account, o.name, o.ident_number, o.chamber = $1 FROM membership m JOIN organization o ON o.id = m.organization WHERE m.account IN (`+in+`) AND m.ended_at IS NULL
		UNION ALL SELECT 'staff', account, '', '', FALSE FROM staff WHERE account IN (`+in+`)) AS facts ORDER BY kind, text`, args, func(scan func(...any) error) error {
		var kind, id, text, ident string
		var here bool
		if err := scan(&kind, &id, &text, &ident, &here); err != nil {
			return err
		}
		c := more[id]
		switch kind {
		case "address":
			c.Addresses = append(c.Addresses, text)
			c.LoginFits = c.LoginFits || fold.Login(text) == fold.Login(r.Claim.Login)
		case "number":
			c.Numbers = append(c.Numbers, text)
			c.NumberFits = c.NumberFits || account.NumberKey(text) == account.NumberKey(r.Claim.Number)
		case "company":
			c.Companies = append(c.Companies, text)
			if number, ok := fold.Ident(r.Claim.Number, ""); ok {
				c.NumberFits = c.NumberFits || number == ident
			}
		case "staff":
			c.Staff = true
		}
		c.Ties = c.Ties || here
		c.Elsewhere = c.Elsewhere || !here && (kind == "number" || kind == "company")
		return nil
	})
	var all []Candidate
	for _, id := range ids {
		if c := more[id]; c != nil {
			all = append(all, *c)
		}
	}
	return all, err
}
