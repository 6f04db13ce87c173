package recovery

import (
	"embed"
	"strings"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/mail"
	"zunft/internal/ground/seal"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/fold"
	"zunft/internal/identity/letter"
	"zunft/internal/identity/notice"
)

//go:embed mails/*.txt
var mailFiles embed.FS

// Texts are this package's mails.
var Texts = mail.Parse(mailFiles)

var texts = Texts

// letterTo is what the mails may use.
type letterTo struct {
	Reference, Chamber string
	Contact            string // how to reach the chamber
	Cancel             string // path of the page that cancels
	Due, At            db.Time
	Code, Spaced       string
	Disavow            string
}

// cancelToken is the secret of the link that cancels. It is made anew for each
// mail from the installation's key, so that all mails about one account hold
// the same link and nothing but its hash is kept.
func cancelToken(tx *db.Tx, id, accountID string) string {
	return tx.Keys().MAC("recovery.cancel", id, accountID)
}

func cancelPath(tx *db.Tx, r Recovery) string {
	return "/recover/" + r.Reference + "/cancel/" + cancelToken(tx, r.ID, r.Account)
}

// tellOwner writes to every address the account has, and under its bell: one
// of these channels may still reach the owner.
func (r Recovery) tellOwner(tx *db.Tx, a account.Account, text, phrase string) error {
	data, err := r.message(tx)
	if err != nil {
		return err
	}
	data.Cancel, data.Due = cancelPath(tx, r), r.DueAt
	addresses, err := a.Addresses(tx)
	if err != nil {
		return err
	}
	for _, address := range addresses {
		to := a.Person()
		to.Address = address
		if data.Disavow, err = account.Disavowal(tx, a.ID); err != nil {
			return err
		}
		if err := texts.Send(tx, to, text, data); err != nil {
			return err
		}
	}
	return notice.Tell(tx, a.ID, phrase, data.Cancel, r.Reference)
}

// tellDone writes to the new address and to those that were the account's
// before. The old ones get no link that opens anything: somebody else may read
// them now. They get the chamber's phone number.
func (r Recovery) tellDone(tx *db.Tx, a account.Account, lost []string) error {
	data, err := r.message(tx)
	if err != nil {
		return err
	}
	data.At = tx.Now()
	for _, address := range lost {
		if fold.Login(address) == fold.Login(a.Email) {
			continue
		}
		to := a.Person()
		to.Address = address
		if err := texts.Send(tx, to, "recovery_taken", data); err != nil {
			return err
		}
	}
	if data.Disavow, err = account.Disavowal(tx, a.ID); err != nil {
		return err
	}
	if err := texts.Send(tx, a.Person(), "recovery_done", data); err != nil {
		return err
	}
	return notice.Tell(tx, a.ID, "notice.recovery_done", "/account/security", r.Reference)
}

func (r Recovery) message(tx *db.Tx) (letterTo, error) {
	c, err := chamber.Get(tx, r.Chamber)
	return letterTo{Reference: r.Reference, Chamber: c.Name, Contact: contact(c)}, err
}

// contact says how to reach the chamber, a line each.
func contact(c chamber.Chamber) string {
	return strings.Join(lines(c.Name, c.Phone, c.Hours, c.Email), "\n")
}

// lines leaves out the empty ones.
func lines(all ...string) (some []string) {
	for _, l := range all {
		if l = strings.TrimSpace(l); l != "" {
			some = append(some, l)
		}
	}
	return some
}

// Cancellable is the request behind a link of the notices.
func Cancellable(tx *db.Tx, reference, token string) (Recovery, error) {
	r, err := byReference(tx, reference)
	if err == nil && (r.cancelHash == "" || !seal.Equal(r.cancelHash, seal.Hash(token))) {
		return Recovery{}, fault.NotFound()
	}
	return r, err
}

// Cancel ends a request by the link that only the account's old channels know.
func Cancel(tx *db.Tx, by audit.Actor, reference, token string) error {
	r, err := Cancellable(tx, reference, token)
	if err != nil {
		return err
	}
	return r.cancel(tx, by, "link")
}

func (r Recovery) cancel(tx *db.Tx, by audit.Actor, way string) error {
	moved, err := tx.Exec(`UPDATE recovery SET state = 'cancelled', ended_at = $1, code_mac = '', proof = '', chosen = '' WHERE id = $2 AND state IN ('submitted', 'approved', 'released')`, tx.Now(), r.ID)
	if err != nil {
		return err
	}
	if moved == 0 {
		return fault.Conflict("recovery.over")
	}
	if err := r.record(tx, by, "recovery.cancelled", map[string]any{"by": way}); err != nil {
		return err
	}
	return letter.VoidRecovery(tx, by, r.ID, "over")
}
