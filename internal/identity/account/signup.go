package account

import (
	"fmt"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/mail"
	"zunft/internal/identity/fold"
	"zunft/internal/identity/link"
)

// mailRate bounds how many mails a stranger can make us send to one address.
var mailRate = limit.Rate{Burst: 4, Every: 15 * time.Minute}

// confirmMail is what the texts confirm and exists may use.
type confirmMail struct{ Token, Code, Spaced string } // Code in one piece can be copied, Spaced can be read aloud

// SignUp makes an unconfirmed account and sends the mail that confirms it
// (R056, M01). browser is the secret of the browser that asks: there the code
// of the mail can be typed. Signing up again replaces the data; for an address
// that has an account, its owner is told so instead (W12). Whether a user name
// is needed is a matter of the sign-up profile.
func SignUp(tx *db.Tx, by audit.Actor, n New, browser string) (Account, error) {
	n.Confirmed = false
	if err := n.Check(); err != nil {
		return Account{}, err
	}
	if err := Available(tx, n.Username); err != nil {
		return Account{}, err
	}
	if err := limit.TakeIn(tx, "mail/"+fold.Login(n.Email), mailRate); err != nil {
		return Account{}, err
	}
	a, err := insert(tx, n, true)
	if err != nil {
		return Account{}, fmt.Errorf("sign up: %w", err)
	}
	if err := replaceFurther(tx, a.ID, n.Further); err != nil {
		return Account{}, fmt.Errorf("sign up: %w", err)
	}
	if err := audit.Record(tx, by, audit.Entry{Event: "account.registered", Account: a.ID}); err != nil {
		return Account{}, err
	}
	return a, sendConfirmation(tx, a, browser)
}

func sendConfirmation(tx *db.Tx, a Account, browser string) error {
	token, code, err := link.Issue(tx, a.ID, link.Confirm, "", browser, confirmFor)
	if err != nil {
		return fmt.Errorf("confirmation link: %w", err)
	}
	owner, err := ownerOf(tx, fold.Login(a.Email))
	if err == nil {
		to := owner.Person()
		to.Address = a.Email
		return texts.Send(tx, to, "exists", confirmMail{})
	}
	if !fault.Is(err, fault.KindNotFound) {
		return err
	}
	// The name was typed by somebody who has proved nothing: it stays out of the mail.
	return texts.Send(tx, mail.Person{Address: a.Email, Lang: a.Language}, "confirm", confirmMail{Token: token, Code: code, Spaced: code[:3] + " " + code[3:]})
}

// Confirm makes the account active by the link of the mail (R057).
func Confirm(tx *db.Tx, by audit.Actor, token string) (Account, error) {
	id, _, err := link.Use(tx, link.Confirm, token)
	if err != nil {
		return Account{}, err
	}
	return confirm(tx, by, id, "link")
}

// ConfirmByCode is Confirm by the code of the mail, in the browser that asked.
func ConfirmByCode(tx *db.Tx, by audit.Actor, browser, code string) (Account, error) {
	id, _, err := link.UseCode(tx, link.Confirm, browser, code)
	if err != nil {
		return Account{}, err
	}
	return confirm(tx, by, id, "code")
}

func confirm(tx *db.Tx, by audit.Actor, id, way string) (Account, error) {
	waiting, err := load(tx, id)
	if err == nil {
		err = Turn(tx, fold.Login(waiting.Email))
	}
	if err != nil {
		return Account{}, link.Spent(err)
	}
	a, err := activate(tx, id)
	if db.Unique(err) {
		return Account{}, fault.Conflict("account.try_again")
	}
	if err != nil {
		return Account{}, link.Spent(err)
	}
	if err := redeem(tx, by, a.ID); err != nil {
		return Account{}, fmt.Errorf("registration code: %w", err)
	}
	return a, audit.Record(tx, by, audit.Entry{Event: "account.confirmed", Account: a.ID, Detail: map[string]any{"by": way}})
}

// resend sends a new confirmation mail; the link before is superseded.
func resend(tx *db.Tx, by audit.Actor, a Account, browser string) error {
	if a.State != Unconfirmed {
		return fault.Conflict("account.already_confirmed")
	}
	if err := limit.TakeIn(tx, "mail/"+fold.Login(a.Email), mailRate); err != nil {
		return err
	}
	if err := audit.Record(tx, by, audit.Entry{Event: "account.confirmation_sent", Account: a.ID}); err != nil {
		return err
	}
	return sendConfirmation(tx, a, browser)
}

// ResendByBrowser sends a new confirmation mail to whoever signed up in this browser.
func ResendByBrowser(tx *db.Tx, by audit.Actor, browser string) error {
	a, err := Waiting(tx, browser)
	if err != nil {
		return err
	}
	return resend(tx, by, a, browser)
}

// ResendByLink does so for the holder of an old link: it came by mail, too.
func ResendByLink(tx *db.Tx, by audit.Actor, token, browser string) error {
	l, err := look(tx, link.Confirm, token)
	if err != nil {
		return err
	}
	if l.State == link.Unknown {
		return fault.Conflict("link.spent")
	}
	return resend(tx, by, l.Account, browser)
}

// ResendByTicket does so for somebody who just proved the password.
func ResendByTicket(tx *db.Tx, by audit.Actor, sealed, browser string) error {
	id, err := openTicket(tx, sealed)
	if err != nil {
		return fault.Conflict("account.ticket_old")
	}
	a, err := load(tx, id)
	if err != nil {
		return link.Spent(err)
	}
	return resend(tx, by, a, browser)
}

// Waiting is the account that signed up in this browser most recently.
func Waiting(tx *db.Tx, browser string) (Account, error) {
	id, _, err := link.Waiting(tx, link.Confirm, browser)
	if err != nil {
		return Account{}, err
	}
	return load(tx, id)
}
