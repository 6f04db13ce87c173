package recovery

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/mail"
	"zunft/internal/ground/seal"
	"zunft/internal/identity/account"
	"zunft/internal/identity/factor"
	"zunft/internal/identity/fold"
	"zunft/internal/identity/link"
	"zunft/internal/identity/session"
)

const (
	tries      = 5 // how often the code on paper may be mistyped
	codeLength = 12
	alphabet   = "34679ACDEFGHJKMNPQRTWXY" // what seal.Letters draws from: 54 bits
	// provedFor is how long the rest of the way may take once the code was typed.
	provedFor   = time.Hour
	mailCodeFor = 10 * time.Minute // ASVS 6.5.5
)

func codeMAC(tx *db.Tx, id, code string) string { return tx.Keys().MAC("recovery.code", id, code) }

// readCode brings a typed code into the form it was made in. What cannot be a
// code is said kindly and costs no try (ux.md 2.9 no. 13).
func readCode(typed string) (string, error) {
	code := seal.Normalize(typed)
	if code == "" {
		return "", fault.Invalid("code", "recovery.code_missing")
	}
	if strings.Trim(code, alphabet) != "" {
		return "", fault.Invalid("code", "recovery.code_characters")
	}
	if n := len(code); n != codeLength {
		return "", fault.Invalid("code", "recovery.code_length", n)
	}
	return code, nil
}

// Prove opens the rest of the way by the code on paper, in the browser that
// gets the secret. The code is spent only when the account is given back, so
// that whoever stops halfway can begin again; the newest browser counts. A wrong
// code is counted whatever comes of it.
func Prove(tx *db.Tx, by audit.Actor, r Recovery, typed string) (secret string, err error) {
	if err := r.running(tx); err != nil {
		return "", err
	}
	code, err := readCode(typed)
	if err != nil {
		return "", err
	}
	if !r.Printed() {
		return "", fault.Conflict("recovery.no_code_yet")
	}
	var want string
	var tried int
	err = tx.Scan(`UPDATE recovery SET tries = tries + 1 WHERE id = $1 AND state IN ('approved', 'released') AND tries < $2 RETURNING code_mac, tries`, []any{r.ID, tries}, &want, &tried)
	if fault.Is(err, fault.KindNotFound) {
		return "", fault.Invalid("code", "recovery.code_burned")
	}
	if err != nil {
		return "", err
	}
	if !seal.Equal(want, codeMAC(tx, r.ID, code)) {
		event, problem := "recovery.wrong_code", fault.Invalid("code", "recovery.code_wrong", tries-tried)
		if tried >= tries {
			event, problem = "recovery.burned", fault.Invalid("code", "recovery.code_burned")
		}
		if err := r.record(tx, by, event, nil); err != nil {
			return "", err
		}
		return "", db.Keep(problem)
	}
	secret = seal.Token()
	if _, err := tx.Exec(`UPDATE recovery SET tries = tries - 1, proof = $1, proved_at = $2, chosen = '' WHERE id = $3`, seal.Hash(secret), tx.Now(), r.ID); err != nil {
		return "", err
	}
	return secret, r.record(tx, by, "recovery.proved", nil)
}

// running says why a request does not lead to the account now.
func (r Recovery) running(tx *db.Tx) error {
	switch {
	case r.State == Done:
		return fault.Conflict("recovery.done_already")
	case !r.Decided() || !r.ExpiresAt.After(tx.Now()):
		return fault.Conflict("recovery.over")
	case r.DueAt.After(tx.Now()):
		return fault.Conflict("recovery.too_early", r.DueAt.In(mail.Berlin).Format("02.01.2006, 15:04"))
	}
	used, err := db.Value[bool](tx, `SELECT EXISTS (SELECT 1 FROM recovery WHERE id = $1 AND `+back+`)`, r.ID)
	if err == nil && used {
		err = fault.Conflict("recovery.used_meanwhile")
	}
	return err
}

// Proved reports whether this browser has typed the code a short time ago.
func (r Recovery) Proved(tx *db.Tx, secret string) bool {
	return secret != "" && r.proof != "" && seal.Equal(r.proof, seal.Hash(secret)) && tx.Now().Sub(r.provedAt) < provedFor && r.Ready(tx.Now())
}

// chosen is what the person set, until the new address is confirmed.
type chosen struct{ Email, Password string }

func place(id string) string { return "recovery/chosen/" + id }

// Target is the address that waits for its code, or empty.
func (r Recovery) Target(tx *db.Tx) (string, error) {
	if r.chosen == "" {
		return "", nil
	}
	c, err := r.choice(tx)
	return c.Email, err
}

func (r Recovery) choice(tx *db.Tx) (c chosen, err error) {
	b, err := tx.Keys().Open(place(r.ID), r.chosen)
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	return c, err
}

var codeRate = limit.Rate{Burst: 5, Every: 10 * time.Minute}

// Choose takes the new address and password (PHC), and sends a code to the
// address (ASVS 6.4.6: the person chooses, nobody else). Whether the address
// belongs to another account is told to its owner alone, who can read the code.
func Choose(tx *db.Tx, by audit.Actor, r Recovery, secret, email, phc string) error {
	if err := r.running(tx); err != nil {
		return err
	}
	if !r.Proved(tx, secret) {
		return fault.Conflict("recovery.proof_gone")
	}
	email, err := account.ReadEmail("email", email)
	if err != nil {
		return err
	}
	b, err := json.Marshal(chosen{email, phc})
	if err != nil {
		return err
	}
	r.chosen = tx.Keys().Seal(place(r.ID), b)
	moved, err := tx.Exec(`UPDATE recovery SET chosen = $1 WHERE id = $2 AND proof = $3 AND state IN ('approved', 'released')`, r.chosen, r.ID, seal.Hash(secret))
	if err != nil {
		return err
	}
	if moved == 0 {
		return fault.Conflict("recovery.proof_gone")
	}
	return SendCode(tx, by, r, secret)
}

// SendCode sends the code to the new address, again if need be.
func SendCode(tx *db.Tx, by audit.Actor, r Recovery, secret string) error {
	if !r.Proved(tx, secret) || r.chosen == "" {
		return fault.Conflict("recovery.proof_gone")
	}
	c, err := r.choice(tx)
	if err != nil {
		return err
	}
	if err := limit.TakeIn(tx, "mail/"+fold.Login(c.Email), codeRate); err != nil {
		return err
	}
	_, code, err := link.Issue(tx, r.Account, link.Email, "recovery/"+r.ID, secret, mailCodeFor)
	if err != nil {
		return err
	}
	if err := r.record(tx, by, "recovery.code_sent", nil); err != nil {
		return err
	}
	return texts.Send(tx, mail.Person{Address: c.Email, Lang: r.Claim.Lang}, "recovery_code", letterTo{Code: code, Spaced: code[:3] + " " + code[3:], Reference: r.Reference})
}

// Complete gives the account back: the code from the new mailbox ends the way.
// Of many at once, and of cancelling beside it, exactly one counts.
func Complete(tx *db.Tx, by audit.Actor, r Recovery, secret, code string) error {
	if err := r.running(tx); err != nil {
		return err
	}
	if !r.Proved(tx, secret) || r.chosen == "" {
		return fault.Conflict("recovery.proof_gone")
	}
	if _, _, err := link.UseCode(tx, link.Email, secret, code); err != nil {
		return err
	}
	c, err := r.choice(tx)
	if err != nil {
		return err
	}
	old, err := account.Get(tx, r.Account)
	if err != nil {
		return err
	}
	if staff, err := isStaff(tx, old.ID); err != nil || staff { // since the approval
		return cmp.Or(err, fault.Conflict("recovery.over"))
	}
	lost, err := old.Addresses(tx)
	if err != nil {
		return err
	}
	moved, err := tx.Exec(`UPDATE recovery SET state = 'done', ended_at = $1, code_mac = '', proof = '', chosen = '' WHERE id = $2 AND proof = $3 AND chosen = $4 AND state IN ('approved', 'released')`,
		tx.Now(), r.ID, seal.Hash(secret), r.chosen)
	if err != nil {
		return err
	}
	if moved == 0 {
		return fault.Conflict("recovery.over")
	}
	by.Account = r.Account // who came this far has proved it
	a, err := account.Regain(tx, by, r.Account, c.Email, c.Password)
	if err != nil {
		return err
	}
	if err := factor.RemoveAll(tx, by, a.ID); err != nil {
		return fmt.Errorf("recover %s: %w", r.ID, err)
	}
	if err := session.EndAll(tx, by, a.ID, ""); err != nil {
		return err
	}
	if err := r.record(tx, by, "recovery.done", map[string]any{"evidence": r.Evidence}); err != nil {
		return err
	}
	return r.tellDone(tx, a, lost)
}
