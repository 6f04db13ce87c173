package recovery

import (
	"slices"
	"strings"
	"unicode/utf8"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/seal"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/fold"
	"zunft/internal/identity/letter"
	"zunft/internal/identity/policy"
)

// Evidence that a clerk must have seen.
const (
	ByDesk   = "desk"
	ByLetter = "letter"
	ByEID    = "eid"
)

// Methods are the kinds of evidence, the quickest first.
func Methods() []string { return []string{ByDesk, ByEID, ByLetter} }

// Statuses a queue can be filtered by.
const (
	StatusOpen    = "open"
	StatusWaiting = "waiting"
	StatusDone    = "done"
)

// PageSize is how many rows Queue returns at most; one more means there are more.
const PageSize = 50

// Queue lists a chamber's requests: open ones by age, others newest first.
func Queue(tx *db.Tx, by audit.Actor, chamberID, status string, offset int) ([]Recovery, error) {
	if err := chamber.MustClerk(tx, by, chamberID); err != nil {
		return nil, err
	}
	where, order := `state = 'submitted'`, `submitted_at, id`
	switch status {
	case StatusWaiting:
		where, order = `state IN ('approved', 'released')`, `due_at, id`
	case StatusDone:
		where, order = `state IN ('done', 'refused', 'cancelled', 'expired')`, `submitted_at DESC, id DESC`
	}
	return many(tx, `chamber = $1 AND `+where+` ORDER BY `+order+` LIMIT $2 OFFSET $3`, chamberID, PageSize+1, offset)
}

// Get is a request for a clerk of its chamber.
func Get(tx *db.Tx, by audit.Actor, id string) (Recovery, error) {
	r, err := byID(tx, id)
	if err != nil {
		return r, err
	}
	if clerk, err := chamber.IsClerk(tx, by.Account, r.Chamber); err != nil {
		return Recovery{}, err
	} else if !clerk {
		return Recovery{}, fault.NotFound()
	}
	return r, nil
}

// A Candidate is an account that may be meant, beside what was claimed.
type Candidate struct {
	account.Account
	Addresses  []string // confirmed, the main one first
	Numbers    []string
	Companies  []string
	Ties       bool // something binds it to this chamber: chosen at the sign-up, a number, a company
	Elsewhere  bool // … or to another one
	Staff      bool // of a chamber or the installation: not recovered here
	NameFits   bool
	LoginFits  bool
	NumberFits bool
	UsedSince  bool // somebody signed in after the request came in
}

// MostCandidates is how many are shown.
const MostCandidates = 5

// Candidates finds accounts by what was claimed: by e-mail address, user name
// or number, then people of that name in a company with that ident number. The
// account that is matched comes first; seen is one that a clerk has looked up
// for this request ([Search]): an id alone shows nobody's data.
func Candidates(tx *db.Tx, r Recovery, seen string) ([]Candidate, error) {
	var ids []string
	if r.Account != "" {
		ids = append(ids, r.Account)
	}
	if looked, err := searched(tx, r, seen); err != nil {
		return nil, err
	} else if looked {
		ids = append(ids, seen)
	}
	for _, login := range []string{r.Claim.Login, r.Claim.Number} {
		a, err := account.ByLogin(tx, login)
		if err == nil {
			ids = append(ids, a.ID)
		} else if !fault.Is(err, fault.KindNotFound) {
			return nil, err
		}
	}
	c, err := chamber.Get(tx, r.Chamber)
	if err != nil {
		return nil, err
	}
	if ident, ok := fold.Ident(r.Claim.Number, c.Number); ok {
		more, err := colleagues(tx, r, ident)
		if err != nil {
			return nil, err
		}
		ids = append(ids, more...)
	}
	var once []string
	for _, id := range ids {
		if !slices.Contains(once, id) {
			once = append(once, id)
		}
	}
	return candidates(tx, r, once[:min(len(once), MostCandidates)])
}

// findByClerk bounds how many accounts a clerk may look up by hand.
var findByClerk = limit.Rate{Burst: 20, Every: 3 * 60e9}

// Search finds an account by what the clerk knows from the chamber's own
// records. Who was looked up stays in the record.
func Search(tx *db.Tx, by audit.Actor, id, login string) (account.Account, error) {
	r, err := deciding(tx, by, id)
	if err != nil {
		return account.Account{}, err
	}
	if strings.TrimSpace(login) == "" {
		return account.Account{}, fault.Invalid("find", "recovery.find_missing")
	}
	if err := limit.TakeIn(tx, "recovery/clerk/"+by.Account, findByClerk); err != nil {
		return account.Account{}, err
	}
	a, err := account.ByLogin(tx, login)
	if fault.Is(err, fault.KindNotFound) {
		return account.Account{}, db.Keep(fault.Invalid("find", "recovery.find_nobody"))
	}
	if err != nil {
		return account.Account{}, err
	}
	r.Account = a.ID
	return a, r.record(tx, by, "recovery.searched", nil)
}

// searched reports whether somebody has looked an account up for a request.
func searched(tx *db.Tx, r Recovery, accountID string) (bool, error) {
	if accountID == "" {
		return false, nil
	}
	looks, err := audit.List(tx, audit.Filter{Account: accountID, Event: "recovery.searched"})
	return slices.ContainsFunc(looks, func(l audit.Row) bool { return l.Entry.Thing == r.ID }), err
}

// Match says which account is meant. From now on its owner is told on every
// channel the account has, with a link that cancels.
func Match(tx *db.Tx, by audit.Actor, id, accountID string) error {
	r, err := deciding(tx, by, id)
	if err != nil {
		return err
	}
	a, err := account.Get(tx, accountID)
	if fault.Is(err, fault.KindNotFound) {
		return fault.Invalid("account", "recovery.account_missing")
	}
	if err != nil {
		return err
	}
	if err := recoverable(tx, by, a); err != nil {
		return err
	}
	if err := r.responsible(tx, a); err != nil {
		return err
	}
	token := cancelToken(tx, r.ID, a.ID)
	moved, err := tx.Exec(`UPDATE recovery SET account = $1, clerk = $2, cancel_hash = $3 WHERE id = $4 AND state = 'submitted' AND account = $5`,
		a.ID, by.Account, seal.Hash(token), id, r.Account)
	if err != nil {
		return err
	}
	if moved == 0 || r.Account == a.ID {
		return quicker(tx, id)
	}
	r.Account = a.ID
	if err := r.record(tx, by, "recovery.matched", nil); err != nil {
		return err
	}
	return r.tellOwner(tx, a, "recovery_asked", "notice.recovery_asked")
}

// recoverable refuses accounts that a clerk must not be able to take over, and
// those that are gone.
func recoverable(tx *db.Tx, by audit.Actor, a account.Account) error {
	if a.ID == by.Account {
		return &fault.Fault{Kind: fault.KindForbidden, Problems: []fault.Problem{{Key: "recovery.own"}}}
	}
	staff, err := isStaff(tx, a.ID)
	if err != nil {
		return err
	}
	switch {
	case staff:
		return fault.Conflict("recovery.staff")
	case a.State != account.Active && a.State != account.Locked, !a.DeleteAt.IsZero(), a.LockReason == account.LockedForLeaving:
		return fault.Conflict("recovery.account_gone")
	}
	return nil
}

// responsible refuses people who belong to other chambers and not to this one: a
// clerk there must not be able to take them over. Who belongs to none is helped
// by the chamber they ask.
func (r Recovery) responsible(tx *db.Tx, a account.Account) error {
	all, err := candidates(tx, r, []string{a.ID})
	if err == nil && len(all) == 1 && all[0].Elsewhere && !all[0].Ties {
		err = fault.Conflict("recovery.elsewhere")
	}
	return err
}

// Approve says that the clerk has seen who the person is. The waiting time
// begins. address is where the letter goes, from the chamber's own records.
func Approve(tx *db.Tx, by audit.Actor, id, accountID, evidence, address string) error {
	r, err := deciding(tx, by, id)
	if err != nil {
		return err
	}
	if r.Account == "" || r.Account != accountID {
		return quicker(tx, id)
	}
	a, err := account.Get(tx, r.Account)
	if err != nil {
		return err
	}
	if err := recoverable(tx, by, a); err != nil {
		return err
	}
	if !slices.Contains(Methods(), evidence) {
		return fault.Invalid("evidence", "recovery.evidence_missing")
	}
	sealed := ""
	if evidence == ByLetter {
		lines, err := readAddress(address)
		if err != nil {
			return err
		}
		sealed = tx.Keys().Seal("recovery/address/"+id, []byte(lines))
	}
	if err := r.responsible(tx, a); err != nil { // they may have moved since
		return err
	}
	rule, err := policy.Of(tx, a.Policy)
	if err != nil {
		return err
	}
	due := tx.Now().Add(rule.RecoveryWait.Duration())
	moved, err := tx.Exec(`UPDATE recovery SET state = 'approved', clerk = $1, evidence = $2, address = $3, decided_at = $4, due_at = $5, expires_at = $6
		WHERE id = $7 AND state = 'submitted' AND account = $8`,
		by.Account, evidence, sealed, tx.Now(), due, due.Add(usableFor), id, r.Account)
	if db.Unique(err) {
		return fault.Conflict("recovery.other_runs")
	}
	if err != nil {
		return err
	}
	if moved == 0 {
		return quicker(tx, id)
	}
	r.DueAt = due
	if err := r.record(tx, by, "recovery.approved", map[string]any{"evidence": evidence}); err != nil {
		return err
	}
	if evidence == ByLetter {
		if err := letter.QueueRecovery(tx, by, r.Chamber, r.ID); err != nil {
			return err
		}
	}
	return r.tellOwner(tx, a, "recovery_approved", "notice.recovery_approved")
}

// readAddress takes up to six lines, as a window envelope has room for.
func readAddress(typed string) (string, error) {
	var lines []string
	for line := range strings.Lines(typed) {
		if line = strings.Join(strings.Fields(line), " "); line != "" {
			lines = append(lines, line)
		}
		if utf8.RuneCountInString(line) > 60 {
			return "", fault.Invalid("address", "recovery.address_long")
		}
	}
	if len(lines) < 3 || len(lines) > 6 {
		return "", fault.Invalid("address", "recovery.address_lines")
	}
	return strings.Join(lines, "\n"), nil
}

// Refuse ends a request with the reason that the person reads; after approval
// too, as long as it has not come to its end (the letter came back).
func Refuse(tx *db.Tx, by audit.Actor, id, reason string) error {
	r, err := Get(tx, by, id)
	if err != nil {
		return err
	}
	reason = strings.TrimSpace(reason)
	if reason == "" {
		return fault.Invalid("refusal", "recovery.refusal_missing")
	}
	if n := utf8.RuneCountInString(reason); n > mostAnswer {
		return fault.Invalid("refusal", "recovery.refusal_long", n)
	}
	moved, err := tx.Exec(`UPDATE recovery SET state = 'refused', clerk = $1, answer = $2, decided_at = $3, ended_at = $3, code_mac = '', proof = '', chosen = ''
		WHERE id = $4 AND state IN ('submitted', 'approved', 'released')`, by.Account, reason, tx.Now(), id)
	if err != nil {
		return err
	}
	if moved == 0 {
		return quicker(tx, id)
	}
	if err := r.record(tx, by, "recovery.refused", nil); err != nil {
		return err
	}
	return letter.VoidRecovery(tx, by, r.ID, "over")
}

func deciding(tx *db.Tx, by audit.Actor, id string) (Recovery, error) {
	r, err := Get(tx, by, id)
	if err == nil && r.State != Submitted {
		err = quicker(tx, id)
	}
	return r, err
}

// quicker says what happened to a request in the meantime.
func quicker(tx *db.Tx, id string) error {
	r, err := byID(tx, id)
	if err != nil {
		return err
	}
	switch {
	case r.State == Submitted:
		return fault.Conflict("recovery.changed_meanwhile")
	case r.State == Cancelled || r.State == Expired:
		return fault.Conflict("recovery.over_meanwhile")
	}
	clerk, err := account.GetMany(tx, []string{r.Clerk})
	if err != nil {
		return err
	}
	return fault.Conflict("recovery.decided_meanwhile", clerk[r.Clerk].Name())
}
