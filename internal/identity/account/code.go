package account

import (
	"encoding/json"
	"fmt"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/seal"
)

// Answers is what a sign-up profile asked beyond the columns of an account. It
// is kept with the account and goes with it.
type Answers struct {
	Profile map[string]string `json:"profile,omitempty"` // to its own questions (R245–R247)
	Code    string            `json:"code,omitempty"`    // id of the registration code that was typed
}

// String is what New.Answers takes.
func (a Answers) String() string {
	b, err := json.Marshal(a)
	if err != nil {
		panic(err) // texts always can
	}
	return string(b)
}

// A Code that a chamber hands out: who types it at the sign-up has the number
// behind it once the address is confirmed (R187).
type Code struct {
	ID      string
	Chamber string // its id
	Kind    string // "apprentice", "trainer", "member"
	Number  string
	Typed   string // in clear only when it is made
}

// codeFor is how long a registration code waits to be typed: a letter may lie
// through a summer before the training begins.
const codeFor = 180 * 24 * time.Hour

// NewCode makes the registration code of a number; an older one of the same
// number that nobody used is void. Commands may.
func NewCode(tx *db.Tx, by audit.Actor, chamber, kind, number string) (Code, error) {
	if by.Kind != audit.Command {
		return Code{}, fault.Forbidden()
	}
	c := Code{ID: db.NewID(), Chamber: chamber, Kind: kind, Number: number}
	if kind != "apprentice" && kind != "trainer" && kind != "member" || NumberKey(number) == "" {
		return Code{}, fault.Invalid("number", "account.code_number")
	}
	if _, err := tx.Exec(`DELETE FROM registration_code WHERE chamber = $1 AND kind = $2 AND number = $3 AND used_at IS NULL`, chamber, kind, number); err != nil {
		return Code{}, err
	}
	raw := seal.Letters(12)
	c.Typed = raw[:4] + "-" + raw[4:8] + "-" + raw[8:]
	if _, err := tx.Exec(`INSERT INTO registration_code (id, code_mac, chamber, kind, number, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		c.ID, codeMAC(tx, raw), chamber, kind, number, tx.Now(), tx.Now().Add(codeFor)); err != nil {
		return Code{}, fmt.Errorf("registration code: %w", err)
	}
	return c, audit.Record(tx, by, audit.Entry{Event: "registration_code.made", Thing: c.ID, Chamber: chamber})
}

func codeMAC(tx *db.Tx, typed string) string {
	return tx.Keys().MAC("account.registration_code", "", typed)
}

// LookCode finds the code that somebody typed, without using it. The field is
// "registration_code". Which codes there are is not told: one that is used or
// too old reads like one that never was.
func LookCode(tx *db.Tx, typed string) (Code, error) {
	normal := seal.Normalize(typed)
	if normal == "" {
		return Code{}, fault.Invalid("registration_code", "account.code_missing")
	}
	c, err := db.One(tx, func(c *Code) []any { return []any{&c.ID, &c.Chamber, &c.Kind, &c.Number} },
		`SELECT id, chamber, kind, number FROM registration_code WHERE code_mac = $1 AND used_at IS NULL AND expires_at > $2`, codeMAC(tx, normal), tx.Now())
	if fault.Is(err, fault.KindNotFound) {
		return Code{}, fault.Invalid("registration_code", "account.code_unknown")
	}
	return c, err
}

// redeem gives a confirmed account the number of the code it signed up with.
// Of several accounts with one code the first that confirms gets it; the
// others are accounts without the number.
func redeem(tx *db.Tx, by audit.Actor, id string) error {
	text, err := db.Value[string](tx, `SELECT answers FROM account WHERE id = $1`, id)
	if err != nil || text == "" {
		return err
	}
	var a Answers
	if err := json.Unmarshal([]byte(text), &a); err != nil || a.Code == "" {
		return err
	}
	var c Code
	err = tx.Scan(`UPDATE registration_code SET account = $1, used_at = $2 WHERE id = $3 AND used_at IS NULL AND expires_at > $2 RETURNING chamber, kind, number`,
		[]any{id, tx.Now(), a.Code}, &c.Chamber, &c.Kind, &c.Number)
	if fault.Is(err, fault.KindNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := AddNumber(tx, by, id, c.Kind, c.Chamber, c.Number); err != nil && !fault.Is(err, fault.KindConflict) { // it may open another account already
		return err
	}
	return audit.Record(tx, by, audit.Entry{Event: "registration_code.used", Account: id, Thing: a.Code, Chamber: c.Chamber})
}

// purgeCodes forgets codes that were used or left long ago.
func purgeCodes(tx *db.Tx, most int) (int64, error) {
	return tx.Exec(`DELETE FROM registration_code WHERE id IN (SELECT id FROM registration_code WHERE expires_at <= $1 LIMIT $2)`, tx.Now().Add(-linksKept), most)
}
