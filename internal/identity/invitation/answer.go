package invitation

import (
	"slices"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/seal"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/fold"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/request"
)

// ByToken is the invitation behind the link of a mail. NotFound: there never
// was one, or it is forgotten.
func ByToken(tx *db.Tx, token string) (Invitation, error) {
	return one(tx, `token_hash = $1`, hash(token))
}

// codeRate bounds how often a stranger may type codes: with 50 bits of a code
// and a million slips around, a year of guessing finds none.
var codeRate = limit.Rate{Burst: 20, Every: 3 * time.Minute}

// ByCode is the invitation behind the code of a slip. A wrong one is counted,
// whatever comes of it. The field is "code".
func ByCode(tx *db.Tx, by audit.Actor, typed string) (Invitation, error) {
	code, err := readCode(typed)
	if err != nil {
		return Invitation{}, err
	}
	key := "invite/code/" + limit.Network(by.IP)
	if err := limit.TakeIn(tx, key, codeRate); err != nil {
		return Invitation{}, err
	}
	i, err := one(tx, `code_mac = $1`, codeMAC(tx, code))
	if fault.Is(err, fault.KindNotFound) || err == nil && !i.Open(tx.Now()) {
		return Invitation{}, db.Keep(fault.Invalid("code", "invitation.code_unknown"))
	}
	if err != nil {
		return i, err
	}
	return i, limit.Return(tx, key, codeRate)
}

// Waiting are the open invitations to the addresses of an account.
func Waiting(tx *db.Tx, account string) ([]Invitation, error) {
	keys, err := owned(tx, account)
	if err != nil || len(keys) == 0 {
		return nil, err
	}
	args := []any{tx.Now()}
	for _, k := range keys {
		args = append(args, k)
	}
	return list(tx, `state = 'sent' AND expires_at > $1 AND email_key IN (`+db.In(2, len(keys))+`) ORDER BY id DESC LIMIT 50`, args...)
}

// Owns reports whether an invitation was sent to an address of an account.
func Owns(tx *db.Tx, account string, i Invitation) (bool, error) {
	keys, err := owned(tx, account)
	return i.Email != "" && slices.Contains(keys, fold.Login(i.Email)), err
}

// Accept makes the person who acts a member as invited: an address of theirs
// was invited. To everybody else the invitation does not exist.
func Accept(tx *db.Tx, by audit.Actor, id string) (Invitation, error) {
	i, err := theirs(tx, by, id)
	if err != nil {
		return i, err
	}
	return accept(tx, by, i)
}

// AcceptSlip is Accept by the code of a slip of paper.
func AcceptSlip(tx *db.Tx, by audit.Actor, typed string) (Invitation, error) {
	if by.Account == "" {
		return Invitation{}, fault.NotFound()
	}
	i, err := ByCode(tx, by, typed)
	if err != nil {
		return i, err
	}
	return accept(tx, by, i)
}

// theirs is an invitation to an address of the person who acts.
func theirs(tx *db.Tx, by audit.Actor, id string) (Invitation, error) {
	i, err := load(tx, id)
	if err != nil {
		return i, err
	}
	yes, err := Owns(tx, by.Account, i)
	if err == nil && !yes {
		err = fault.NotFound()
	}
	return i, err
}

func accept(tx *db.Tx, by audit.Actor, i Invitation) (Invitation, error) {
	o, err := organization.Get(tx, i.Organization)
	if err != nil {
		return i, err
	}
	if o.State != organization.Active {
		return i, fault.Conflict("invitation.closed")
	}
	if i, err = settle(tx, by, i, Accepted); err != nil {
		return i, err
	}
	if i.Admin {
		still, err := membership.IsAdmin(tx, audit.Actor{Account: i.InvitedBy}, i.Organization)
		if err != nil {
			return i, err
		}
		if !still && i.InvitedBy != "" {
			return i, fault.Conflict("invitation.inviter_gone")
		}
	}
	if err := i.record(tx, by, "invitation.accepted", map[string]any{"admin": i.Admin, "roles": i.Roles}); err != nil {
		return i, err
	}
	again, err := confirms(tx, by, o)
	if err != nil {
		return i, err
	}
	if again {
		_, err := request.SubmitInvited(tx, by, o.ID, i.ID, automatic, i.brings())
		return i, err
	}
	if err := membership.Welcome(tx, by, i.Organization, i.brings()); err != nil {
		return i, err
	}
	return i, tellAccepted(tx, by, i, o)
}

// automatic is the reason of a request that came of an invitation (R115): kept
// as the source writes it, like a reason that the person typed.
const automatic = "Diese Beitrittsanfrage entstand durch die Bestätigung eines Einladungslinks, der durch einen Organisationsmitarbeiter erstellt wurde."

// confirms reports whether the admin approves again (R103, R105): where the
// chamber has it so, and the person is no member yet.
func confirms(tx *db.Tx, by audit.Actor, o organization.Organization) (bool, error) {
	s, err := chamber.SettingsOf(tx, o.Chamber)
	if err != nil || s.Invitation != chamber.Confirm {
		return false, err
	}
	_, err = membership.In(tx, o.ID, by.Account)
	if fault.Is(err, fault.KindNotFound) {
		return true, nil
	}
	return false, err
}

func (i Invitation) brings() membership.Invited {
	return membership.Invited{By: i.InvitedBy, Admin: i.Admin, Site: i.Site, ApprenticeNumber: i.ApprenticeNumber, TrainerNumber: i.TrainerNumber, Roles: i.Roles}
}

// Settled reports whether who accepted is a member; if not, an admin approves
// again.
func Settled(tx *db.Tx, i Invitation) (bool, error) {
	_, err := membership.In(tx, i.Organization, i.Account)
	if fault.Is(err, fault.KindNotFound) {
		return false, nil
	}
	return err == nil, err
}

// settle ends an open invitation for the person who acts; who comes second
// reads what happened.
func settle(tx *db.Tx, by audit.Actor, i Invitation, state string) (Invitation, error) {
	done, err := end(tx, i.ID, state, by.Account)
	if fault.Is(err, fault.KindNotFound) {
		return i, tooLate(tx, i.ID)
	}
	return done, err
}

// tooLate says what became of an invitation that is not open any more.
func tooLate(tx *db.Tx, id string) error {
	i, err := load(tx, id)
	if err != nil {
		return err
	}
	switch i.State {
	case Accepted:
		return fault.Conflict("invitation.already_accepted")
	case Declined:
		return fault.Conflict("invitation.already_declined")
	case Revoked:
		return fault.Conflict("invitation.already_revoked")
	}
	return fault.Conflict("invitation.already_expired")
}

// Decline turns an invitation down for the owner of its address.
func Decline(tx *db.Tx, by audit.Actor, id string) error {
	i, err := theirs(tx, by, id)
	if err != nil {
		return err
	}
	return decline(tx, by, i)
}

// DeclineByToken does so for the holder of the link, who may have no account.
func DeclineByToken(tx *db.Tx, by audit.Actor, token string) error {
	i, err := ByToken(tx, token)
	if err != nil {
		return err
	}
	return decline(tx, by, i)
}

func decline(tx *db.Tx, by audit.Actor, i Invitation) error {
	n, err := settle(tx, audit.Actor{}, i, Declined) // who declines leaves no account behind
	if err != nil {
		return err
	}
	if err := n.record(tx, by, "invitation.declined", nil); err != nil {
		return err
	}
	return tellDeclined(tx, n)
}

// A slip's code: twelve characters as on other paper of ours.
const codeLength = 12

// readCode brings a typed code into the form it was made in.
func readCode(typed string) (string, error) {
	code := seal.Normalize(typed)
	if code == "" {
		return "", fault.Invalid("code", "invitation.code_missing")
	}
	if n := len([]rune(code)); n != codeLength {
		return "", fault.Invalid("code", "invitation.code_length", n)
	}
	return code, nil
}

func codeMAC(tx *db.Tx, code string) string { return tx.Keys().MAC("invitation.code", "", code) }
