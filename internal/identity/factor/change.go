package factor

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/account"
	"zunft/internal/identity/notice"
	"zunft/internal/identity/policy"
)

// The caller has made sure a moment ago that it is them (visitor.Door.Sure):
// R163, R176; ASVS 7.5.1.

const (
	maxName  = 60
	maxEach  = 10 // of a kind
	relogins = "relogin"
)

// mayAdd says whether a kind may be added in this session: the policy allows it
// (or a role needs it), there are not too many, and under the policy "relogin" a
// change was wanted in an earlier session (R165, R167, R179).
func mayAdd(tx *db.Tx, a account.Account, sessionID, kind string) (policy.Policy, error) {
	n, err := Ways(tx, a)
	if err != nil {
		return n.Policy, err
	}
	if !n.Policy.Factor.Allows(kind) && n.Least != kind {
		return n.Policy, fault.Forbidden()
	}
	if n.Policy.Factor.Switch == relogins && (n.Has.Mail || n.Has.TOTP) && kind != Passkey && (n.Has.Wanted != kind || n.Has.wantedIn == sessionID) {
		return n.Policy, fault.Conflict("factor.relogin")
	}
	many, err := db.Value[int](tx, `SELECT count(*) FROM factor WHERE account = $1 AND kind = $2 AND state = 'active'`, a.ID, kind)
	if err == nil && many >= maxEach {
		err = fault.Conflict("factor.many", maxEach)
	}
	return n.Policy, err
}

// added ends what belongs to every new factor: what was wanted is done, under
// "relogin" the one before goes now, and the owner is told.
func added(tx *db.Tx, by audit.Actor, a account.Account, p policy.Policy, f Factor) error {
	if _, err := tx.Exec(`DELETE FROM factor WHERE account = $1 AND kind = $2 AND state = 'wanted'`, a.ID, f.Kind); err != nil {
		return err
	}
	if p.Factor.Switch == relogins && f.Kind != Passkey {
		gone, err := db.Values[string](tx, `DELETE FROM factor WHERE account = $1 AND id <> $2 AND state = 'active' AND kind <> 'passkey' RETURNING kind`, a.ID, f.ID)
		if err != nil {
			return err
		}
		for _, kind := range gone {
			if err := audit.Record(tx, by, audit.Entry{Event: "factor.removed", Account: a.ID, Detail: map[string]any{"kind": kind, "by": f.Kind}}); err != nil {
				return err
			}
		}
	}
	return tell(tx, by, a, "factor.added", "factor_added", "notice.factor_added_", f)
}

func tell(tx *db.Tx, by audit.Actor, a account.Account, event, text, phrase string, f Factor) error {
	if err := audit.Record(tx, by, audit.Entry{Event: event, Account: a.ID, Thing: f.ID, Detail: map[string]any{"kind": f.Kind}}); err != nil {
		return err
	}
	if err := notice.Tell(tx, a.ID, phrase+f.Kind, "/account/security"); err != nil {
		return err
	}
	if event != "factor.added" {
		return send(tx, a, text, f.Kind, 0)
	}
	disavow, err := account.DisavowalOf(tx, a.ID, account.DisavowFactor+f.ID)
	if err != nil {
		return err
	}
	return sendWith(tx, a, text, f.Kind, 0, disavow)
}

// UseMail makes codes by mail a factor of their own choice: they are asked for at
// every sign-in from now on.
func UseMail(tx *db.Tx, by audit.Actor, a account.Account, sessionID string) (Factor, error) {
	by = acting(by, a.ID)
	if err := lock(tx, a.ID); err != nil {
		return Factor{}, err
	}
	p, err := mayAdd(tx, a, sessionID, Mail)
	if err != nil {
		return Factor{}, err
	}
	f, err := db.One(tx, (*Factor).fields, `INSERT INTO factor (id, account, kind, name, state, created_at, confirmed_at) VALUES ($1, $2, 'mail', '', 'active', $3, $3)
		ON CONFLICT (account) WHERE kind = 'mail' DO UPDATE SET state = 'active', session = '', confirmed_at = excluded.confirmed_at
		WHERE factor.state <> 'active' RETURNING `+columns, db.NewID(), a.ID, tx.Now())
	if fault.Is(err, fault.KindNotFound) {
		return Factor{}, fault.Conflict("factor.mail_already")
	}
	if err != nil {
		return Factor{}, err
	}
	return f, added(tx, by, a, p, f)
}

// Want notes that a kind is to be set up at the next sign-in, in place of what
// is there (R165, R167, R179). What is there holds until then.
func Want(tx *db.Tx, by audit.Actor, a account.Account, sessionID, kind string) error {
	by = acting(by, a.ID)
	if err := lock(tx, a.ID); err != nil {
		return err
	}
	n, err := Ways(tx, a)
	switch {
	case err != nil:
		return err
	case kind != Mail && kind != TOTP || !n.Policy.Factor.Allows(kind):
		return fault.Invalid("kind", "factor.kind")
	case kind == Mail && n.Has.Mail:
		return fault.Conflict("factor.mail_already")
	case kind == Mail && rank[n.Least] > rank[Mail]:
		return fault.Conflict("factor.needed")
	}
	if _, err := tx.Exec(`DELETE FROM factor WHERE account = $1 AND state = 'wanted'`, a.ID); err != nil {
		return err
	}
	id := db.NewID()
	if _, err := tx.Exec(`INSERT INTO factor (id, account, kind, name, state, session, created_at) VALUES ($1, $2, $3, '', 'wanted', $4, $5)`,
		id, a.ID, kind, sessionID, tx.Now()); err != nil {
		return err
	}
	return tell(tx, by, a, "factor.wanted", "factor_wanted", "notice.factor_wanted_", Factor{ID: id, Kind: kind})
}

// Rename a factor. The field is "name".
func Rename(tx *db.Tx, by audit.Actor, a account.Account, id, name string) error {
	name, err := readName(name)
	if err != nil {
		return err
	}
	n, err := tx.Exec(`UPDATE factor SET name = $1 WHERE id = $2 AND account = $3 AND state = 'active'`, name, id, a.ID)
	if err == nil && n == 0 {
		err = fault.NotFound()
	}
	if err != nil {
		return err
	}
	return audit.Record(tx, acting(by, a.ID), audit.Entry{Event: "factor.renamed", Account: a.ID, Thing: id})
}

func readName(name string) (string, error) {
	name = strings.TrimSpace(strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) {
			return -1
		}
		return r
	}, name))
	if utf8.RuneCountInString(name) > maxName {
		return "", fault.Invalid("name", "factor.name_long", maxName)
	}
	return name, nil
}

// Remove a factor, or take back a wish. Conflict: a role of theirs needs it.
// With the last factor the recovery codes go, which stand in for one.
func Remove(tx *db.Tx, by audit.Actor, a account.Account, id string) error {
	by = acting(by, a.ID)
	if err := lock(tx, a.ID); err != nil { // two last ones at once: one stays
		return err
	}
	f, err := db.One(tx, (*Factor).fields, `DELETE FROM factor WHERE id = $1 AND account = $2 RETURNING `+columns, id, a.ID)
	if err != nil {
		return err
	}
	if f.State != "active" {
		return audit.Record(tx, by, audit.Entry{Event: "factor.unwanted", Account: a.ID, Thing: id, Detail: map[string]any{"kind": f.Kind}})
	}
	n, err := Ways(tx, a)
	if err != nil {
		return err
	}
	if !n.Has.Satisfies(n.Least) {
		return fault.Conflict("factor.needed")
	}
	if !n.Has.Any() {
		if _, err := tx.Exec(`DELETE FROM recovery_code WHERE account = $1`, a.ID); err != nil {
			return err
		}
	}
	return tell(tx, by, a, "factor.removed", "factor_removed", "notice.factor_removed_", f)
}

// RemoveAll takes all factors, codes and recovery codes away, when an account was
// recovered with the chamber's help. The caller tells the owner.
func RemoveAll(tx *db.Tx, by audit.Actor, account string) error {
	n, err := tx.Exec(`DELETE FROM factor WHERE account = $1`, account)
	if err != nil {
		return err
	}
	for _, q := range []string{
		`DELETE FROM recovery_code WHERE account = $1`,
		`DELETE FROM factor_code WHERE account = $1`,
		`UPDATE account SET code_failures = 0, code_paused_until = NULL WHERE id = $1`,
	} {
		if _, err := tx.Exec(q, account); err != nil {
			return err
		}
	}
	return audit.Record(tx, by, audit.Entry{Event: "factor.all_removed", Account: account, Detail: map[string]any{"factors": n}})
}
