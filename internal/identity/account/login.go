package account

import (
	"regexp"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/fold"
)

// A way in which somebody named an account; policies allow some (W07).
type way int

const (
	byUsername way = iota + 1
	byEmail
	byChamberNumber
	byNumber
)

// policyName is the way as policy.SignIn.By lists it.
func (w way) policyName() string {
	switch w {
	case byUsername:
		return "username"
	case byEmail:
		return "email"
	}
	return "number"
}

// NumberKey is how apprentice and trainer numbers are compared: blanks,
// hyphens, slashes, points and case are gone.
func NumberKey(typed string) string { return numberKey(fold.Login(typed)) }

func numberKey(folded string) string { return signs.ReplaceAllLiteralString(folded, "") }

var (
	signs = regexp.MustCompile(`[^\p{L}\p{N}]+`)
	// prefixed is a number with the chamber before it: "133-1234567".
	prefixed = regexp.MustCompile(`^([0-9]{3})[-/](.+)$`)
)

// ByLogin finds a confirmed account by what people type at the door: user name,
// confirmed e-mail address, or a number (W07, R284). A number opens with its
// chamber before it ("133-1234567"), or alone if only one person has it.
func ByLogin(tx *db.Tx, login string) (Account, error) {
	a, _, err := lookUp(tx, login)
	return a, err
}

func lookUp(tx *db.Tx, login string) (Account, way, error) {
	key := fold.Login(login)
	if key == "" || len(key) > 4*maxEmail {
		return Account{}, 0, fault.NotFound()
	}
	var chamber, rest string
	if p := prefixed.FindStringSubmatch(key); p != nil {
		chamber, rest = p[1], numberKey(p[2])
	}
	var f found
	err := tx.Scan(foundQuery, []any{key, chamber, rest, numberKey(key), !letters(key)}, append(f.fields(), &f.way)...)
	return f.Account, f.way, err
}

type found struct {
	Account
	way way
}

// foundQuery: lookups by index, the first that finds somebody counts; an OR
// over them would read the table. What has no letter ($5) is a number first: a
// chamber gives numbers, but anybody may call themselves by somebody's.
const foundQuery = `SELECT ` + columns + `, way FROM account JOIN (SELECT found, way FROM (
	SELECT id AS found, 1 AS way FROM account WHERE username_key = $1 AND state <> 'unconfirmed'
	UNION ALL SELECT id, 2 FROM account WHERE email_key = $1 AND state <> 'unconfirmed'
	UNION ALL SELECT account, 2 FROM account_email WHERE email_key = $1 AND confirmed_at IS NOT NULL
	UNION ALL SELECT min(n.account), 3 FROM chamber c JOIN account_number n ON n.chamber = c.id WHERE c.number = $2 AND n.number_key = $3
		HAVING count(DISTINCT n.account) = 1
	UNION ALL SELECT min(account), 4 FROM account_number WHERE number_key = $4 HAVING count(DISTINCT account) = 1) AS ways
	ORDER BY CASE WHEN $5 THEN -way ELSE way END LIMIT 1) AS first ON id = found AND state <> 'unconfirmed'`

// AddNumber lets a number that a chamber gave ("apprentice", "trainer",
// "member") open an account. One that opens another is a conflict.
func AddNumber(tx *db.Tx, by audit.Actor, id, kind, chamber, number string) error {
	key := NumberKey(number)
	if key == "" || len(number) > 50 || chamber == "" {
		return fault.Invalid("number", "account.number_form")
	}
	owner, err := db.Value[string](tx, `INSERT INTO account_number (account, kind, chamber, number, number_key, since) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (chamber, kind, number_key) DO UPDATE SET number_key = excluded.number_key RETURNING account`, id, kind, chamber, number, key, tx.Now())
	if err != nil {
		return err
	}
	if owner != id {
		return fault.Conflict("account.number_taken")
	}
	return audit.Record(tx, by, audit.Entry{Event: "account.number_added", Account: id, Chamber: chamber, Detail: map[string]any{"kind": kind}})
}
