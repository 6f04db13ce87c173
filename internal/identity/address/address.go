// Package address keeps the e-mail addresses of a person: one main address,
// and up to four further ones for the case that the main one is lost (R043,
// R044).
//
//	           Add                 code or link
//	(nothing) ─────▶ unconfirmed ───────────────▶ further ──▶ (Remove)
//	                                                │  ▲
//	             AskChange, code or link            ▼  │ AskChange
//	(nothing) ──────────────────────────────────▶  main
//	                                                │ 7 days: Undo, by a link to the old one
//	                                                ▼
//	                                              the old one is main again
//
// An address counts when its mailbox has answered: with the code of the mail,
// typed in the session that asked, or by the button behind its link (R293). The
// newest mail is the only one that counts (R294).
//
// Until it is confirmed an address reserves nothing. One that belongs to
// somebody else is answered like a free one; its owner is told by mail, and the
// mail that would confirm it is never sent (W12). The old main address stays
// reserved as long as the change can be undone.
//
// Several may try to confirm one address at the same moment: [account.Turn]
// makes them come one after the other, and exactly one has it afterwards.
package address

import (
	"embed"
	"fmt"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/mail"
	"zunft/internal/identity/account"
	"zunft/internal/identity/fold"
	"zunft/internal/identity/link"
)

// Phrases are what people read of this package's faults.
//
//go:embed phrases/*.json
var Phrases embed.FS

//go:embed mails
var mailFiles embed.FS

var texts = mail.Parse(mailFiles)

const (
	confirmFor  = 24 * time.Hour
	passwordFor = 2 * time.Hour
	// UndoFor is how long the old main address can take a change back (ux.md, task 8).
	UndoFor = 7 * 24 * time.Hour
)

// mainTarget is the target of the link that confirms a new main address; for a
// further one it is the address itself, folded.
const mainTarget = "main"

var (
	mailboxRate = limit.Rate{Burst: 4, Every: 15 * time.Minute}  // mails that one mailbox gets this way
	personRate  = limit.Rate{Burst: 12, Every: 10 * time.Minute} // and that one person sends this way
)

// A Further address.
type Further struct {
	Email       string
	ConfirmedAt db.Time
}

// Confirmed reports whether its mailbox has answered.
func (f Further) Confirmed() bool { return !f.ConfirmedAt.IsZero() }

func (f *Further) fields() []any { return []any{&f.Email, &f.ConfirmedAt} }

// List are the further addresses of an account, in the order they were added.
func List(tx *db.Tx, accountID string) ([]Further, error) {
	return db.All(tx, (*Further).fields, `SELECT email, confirmed_at FROM account_email WHERE account = $1 ORDER BY created_at, email_key`, accountID)
}

func get(tx *db.Tx, accountID, key string) (Further, error) {
	return db.One(tx, (*Further).fields, `SELECT email, confirmed_at FROM account_email WHERE account = $1 AND email_key = $2`, accountID, key)
}

// begin locks the row of the person who acts, so that what they do in two tabs
// at once comes one after the other.
func begin(tx *db.Tx, by audit.Actor) (account.Account, error) {
	n, err := tx.Exec(`UPDATE account SET version = version + 1 WHERE id = $1 AND state = 'active'`, by.Account)
	if err != nil {
		return account.Account{}, err
	}
	if n == 0 {
		return account.Account{}, fault.Forbidden()
	}
	return account.Get(tx, by.Account)
}

// Add notes a further address and sends the mail that confirms it.
func Add(tx *db.Tx, by audit.Actor, typed string) error {
	email, err := account.ReadEmail("email", typed)
	if err != nil {
		return err
	}
	a, err := begin(tx, by)
	if err != nil {
		return err
	}
	key := fold.Login(email)
	if key == fold.Login(a.Email) {
		return fault.Invalid("email", "address.is_main")
	}
	all, err := List(tx, a.ID)
	if err != nil {
		return err
	}
	for _, f := range all {
		if fold.Login(f.Email) != key {
			continue
		}
		if f.Confirmed() {
			return fault.Invalid("email", "address.is_further")
		}
		return ask(tx, by, a, f.Email, key)
	}
	if len(all) >= account.MaxFurther {
		return fault.Conflict("address.many", account.MaxFurther)
	}
	if _, err := tx.Exec(`INSERT INTO account_email (account, email, email_key, created_at) VALUES ($1, $2, $3, $4)`, a.ID, email, key, tx.Now()); err != nil {
		return fmt.Errorf("add address: %w", err)
	}
	if err := audit.Record(tx, by, audit.Entry{Event: "address.added", Account: a.ID}); err != nil {
		return err
	}
	return ask(tx, by, a, email, key)
}

// Again sends the mail that confirms a further address once more.
func Again(tx *db.Tx, by audit.Actor, email string) error {
	a, err := begin(tx, by)
	if err != nil {
		return err
	}
	f, err := get(tx, a.ID, fold.Login(email))
	if fault.Is(err, fault.KindNotFound) || err == nil && f.Confirmed() {
		return fault.Conflict("address.changed_meanwhile")
	}
	if err != nil {
		return err
	}
	return ask(tx, by, a, f.Email, fold.Login(f.Email))
}

// message is what the mails may use.
type message struct {
	Token, Code, Spaced string
	Address             string // the one it is about
	Main                bool   // it becomes the main address
	At, Until           db.Time
	Disavow             string
}

// ask sends the mail that confirms an address; target is what the link is for.
func ask(tx *db.Tx, by audit.Actor, a account.Account, email, target string) error {
	if err := limit.TakeIn(tx, "address/person/"+a.ID, personRate); err != nil {
		return err
	}
	if err := limit.TakeIn(tx, "mail/"+fold.Login(email), mailboxRate); err != nil {
		return err
	}
	token, code, err := link.Issue(tx, a.ID, link.Email, target, by.Session, confirmFor)
	if err != nil {
		return fmt.Errorf("confirm address: %w", err)
	}
	to := a.Person()
	to.Address = email
	owner, err := account.Owner(tx, fold.Login(email))
	if err != nil && !fault.Is(err, fault.KindNotFound) {
		return err
	}
	if err == nil && owner.ID != a.ID { // W12: only the owner learns of it
		to = owner.Person()
		to.Address = email
		return texts.Send(tx, to, "address_taken", message{})
	}
	return texts.Send(tx, to, "address_confirm", message{Token: token, Code: code, Spaced: code[:3] + " " + code[3:], Main: target == mainTarget, Address: email})
}

// tell writes to the main address that something about security has changed.
func tell(tx *db.Tx, a account.Account, text string, m message) error {
	var err error
	if m.Disavow, err = account.Disavowal(tx, a.ID); err != nil {
		return err
	}
	m.At = tx.Now()
	return texts.Send(tx, a.Person(), text, m)
}

// Remove takes a further address away. It opens nothing any more, at once.
func Remove(tx *db.Tx, by audit.Actor, email string) error {
	a, err := begin(tx, by)
	if err != nil {
		return err
	}
	key := fold.Login(email)
	f, err := db.One(tx, (*Further).fields, `DELETE FROM account_email WHERE account = $1 AND email_key = $2 RETURNING email, confirmed_at`, a.ID, key)
	if fault.Is(err, fault.KindNotFound) {
		return fault.Conflict("address.changed_meanwhile")
	}
	if err != nil {
		return err
	}
	if err := void(tx, a.ID, key); err != nil {
		return err
	}
	if err := audit.Record(tx, by, audit.Entry{Event: "address.removed", Account: a.ID}); err != nil || !f.Confirmed() {
		return err
	}
	return tell(tx, a, "address_removed", message{Address: f.Email})
}

// void ends the open link of one target.
func void(tx *db.Tx, accountID, target string) error {
	_, err := tx.Exec(`UPDATE account_link SET state = 'void' WHERE account = $1 AND purpose = 'email' AND target = $2 AND state = 'open'`, accountID, target)
	return err
}
