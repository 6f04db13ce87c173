// Package account keeps people: one account per human, whatever company they
// work for (R002).
//
//	           SignUp                 Confirm (24 h)
//	(nobody) ─────────▶ unconfirmed ────────────────▶ active ◀──▶ locked
//	                       │    ▲ SignUp again: the newest data and link win
//	                       ▼ 7 days (R257)              │ package departure
//	                     purged                         ▼
//	                                                 deleted: a row that names nobody
//
// An unconfirmed account reserves nothing: neither its address nor its user
// name. So it may stand beside an active account with the same address, and
// whoever signs up with a known address meets the same answers, in the same
// time, as with an unknown one; only the mail differs, and its owner alone
// reads it (W12).
//
// A sign-in ([Authenticate], then [Accept]) takes what opens the account: user
// name, address or number, as its policy says. Refusals cost the same for everybody,
// and many of them make pauses or a lock (W11, W12, R287). What else belongs to
// an account has packages of its own: link, password, policy, session, factor,
// address, and those that end or regain one, departure and recovery.
//
// Passwords are hashed and compared outside of transactions, behind the gate
// of a [password.Hasher]; the transaction that acts on the result checks once more that
// nothing has changed since.
package account

import (
	"embed"
	"strings"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/mail"
	"zunft/internal/identity/link"
)

// Phrases are what people read of this package's faults.
//
//go:embed phrases/*.json
var Phrases embed.FS

//go:embed mails
var mailFiles embed.FS

var texts = mail.Parse(mailFiles)

// States of an account.
const (
	Unconfirmed = "unconfirmed"
	Active      = "active"
	Locked      = "locked"
	Deleted     = "deleted"
)

// Account is one person.
type Account struct {
	ID          string
	Salutation  string // "mr", "ms" or empty (R039)
	Title       string // academic title (R040)
	GivenName   string
	FamilyName  string
	Username    string // may be empty: the e-mail address always opens too
	Email       string // the main address
	State       string
	LockReason  string // why it is locked: self, chamber, leaving, disavowed
	Language    string
	Policy      string // key of the policy it signed up under; empty: the default
	Chamber     string // chosen at the sign-up ("meine IHK"), or empty
	NameSource  string // "self"; "contract" and "eid" are corrected by a clerk (R217–R220)
	CreatedAt   db.Time
	ConfirmedAt db.Time
	UsedAt      db.Time // last sign-in
	PasswordAt  db.Time // when the password was replaced
	DeleteAt    db.Time // when the grace of a deletion ends

	password    string // PHC, or a hash of another product
	pausedUntil db.Time
}

// Name as people write it: "Dr. Anna Beispiel".
func (a Account) Name() string {
	return strings.TrimSpace(a.Title + " " + a.GivenName + " " + a.FamilyName)
}

// Person is to whom mails go.
func (a Account) Person() mail.Person {
	return mail.Person{Name: a.Name(), Address: a.Email, Lang: a.Language}
}

// Get reads an account.
func Get(tx *db.Tx, id string) (Account, error) { return load(tx, id) }

// GetMany reads accounts by id; ids that do not exist are left out.
func GetMany(tx *db.Tx, ids []string) (map[string]Account, error) {
	found := make(map[string]Account, len(ids))
	for len(ids) > 0 {
		n := min(len(ids), 500)
		all, err := loadMany(tx, ids[:n])
		if err != nil {
			return nil, err
		}
		for _, a := range all {
			found[a.ID] = a
		}
		ids = ids[n:]
	}
	return found, nil
}

// Disavowal makes the link that ends every mail about security: "Das waren
// nicht Sie?" (ux.md 2.5). The text writes {{url}}/report-activity/{{.Disavow}}.
func Disavowal(tx *db.Tx, id string) (token string, err error) {
	return DisavowalOf(tx, id, db.NewID())
}

// DisavowalOf is the link in a mail about one thing, which is taken back with
// it: [DisavowChange] or [DisavowFactor] and the id of that.
func DisavowalOf(tx *db.Tx, id, what string) (token string, err error) {
	token, _, err = link.Issue(tx, id, link.Disavow, what, "", disavowFor)
	return token, err
}

// What a link "Das waren nicht Sie?" may be about.
const (
	DisavowChange = "change/" // of the main address; the mail went to the old one
	DisavowFactor = "factor/" // that was added
)

// disavowFor: such a mail may lie unread through a holiday.
const disavowFor = 30 * 24 * time.Hour
