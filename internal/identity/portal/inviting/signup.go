package inviting

import (
	"net/http"
	"slices"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/fold"
	"zunft/internal/identity/invitation"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/session"
	"zunft/internal/identity/terms"
)

// signUp makes an account, a member and a session in one transaction: the link
// came by mail, so the mailbox is proved (R021, R215).
func (p *Pages) signUp(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	by, ctx := web.Actor(r), r.Context()
	var i invitation.Invitation
	var company organization.Organization
	var rules policy.Policy
	var open bool
	err := p.DB.Read(ctx, func(tx *db.Tx) (err error) {
		if i, err = invitation.ByToken(tx, r.PathValue("token")); err != nil {
			return err
		}
		open = i.Open(tx.Now())
		if company, err = organization.Get(tx, i.Organization); err != nil {
			return err
		}
		rules, err = rulesFor(tx, company, i.Email)
		return err
	})
	if fault.Is(err, fault.KindNotFound) {
		return p.unknown(w, r)
	}
	if err != nil {
		return err
	}
	if !open {
		return p.showAnswer(w, r, f)
	}
	n := account.New{
		GivenName: f.Text("given_name"), FamilyName: f.Text("family_name"), Username: f.Text("username"), Email: i.Email,
		Language: web.Lang(r), Policy: rules.Key, Confirmed: true,
	}
	if rules.SignUp.Asks("chamber") {
		n.Chamber = company.Chamber
	}
	f.Take(n.Check())
	if needsUsername(rules) && n.Username == "" {
		f.Add("username", "account.username_missing")
	}
	f.Take(rules.Password.Check(f.Raw("password"), n.Username, n.Email, n.GivenName+" "+n.FamilyName))
	if err := p.ticked(r, f, rules); err != nil {
		return err
	}
	if !f.OK() {
		return p.showAnswer(w, r, f)
	}
	if err := limit.Take(ctx, p.DB, "hash/ip/"+limit.Network(by.IP), hashRate); err != nil {
		if f.Take(err) {
			return p.showAnswer(w, r, f)
		}
		return err
	}
	if n.Password, err = p.Hasher.Hash(ctx, f.Raw("password")); err != nil { // outside of the transaction: it takes a while
		if f.Take(err) {
			return p.showAnswer(w, r, f)
		}
		return err
	}
	var token, to, phrase, name string
	var s session.Session
	err = p.DB.Write(ctx, func(tx *db.Tx) error {
		if err := account.Turn(tx, fold.Login(n.Email)); err != nil {
			return err
		}
		a, err := account.Create(tx, by, n)
		if err != nil {
			return err
		}
		by := by
		by.Account = a.ID
		if err := agree(tx, by, f, rules); err != nil {
			return err
		}
		if i, err = invitation.Accept(tx, by, i.ID); err != nil {
			return err
		}
		if to, phrase, name, err = arrived(tx, i); err != nil {
			return err
		}
		// Whatever the first sign-in has to settle, its dispatcher does: a second
		// factor for admins, one that is offered.
		token, s, err = session.StartPending(tx, by, a.ID, "otp", to)
		return err
	})
	if f.Take(err) {
		return p.showAnswer(w, r, f)
	}
	if err != nil {
		return err
	}
	p.Door.SignIn(w, r, token, s)
	return p.Site.Done(w, r, "/login/next", phrase, name)
}

// ticked notes what must be accepted and is not (R051, R250).
func (p *Pages) ticked(r *http.Request, f *web.Form, rules policy.Policy) error {
	return p.DB.Read(r.Context(), func(tx *db.Tx) error {
		asked, err := terms.Asked(tx, rules.SignUp)
		for n, c := range asked {
			if c.Must && !f.Checked(boxName(n)) {
				f.Add(boxName(n), "inviting.accept_missing", c.Title)
			}
		}
		return err
	})
}

// agree notes what was accepted: what was shown, even if a newer version came
// meanwhile.
func agree(tx *db.Tx, by audit.Actor, f *web.Form, rules policy.Policy) error {
	asked, err := terms.Asked(tx, rules.SignUp)
	if err != nil {
		return err
	}
	for n, c := range asked {
		if !slices.Contains(f.All("terms"), c.ID) {
			return fault.Conflict("inviting.terms_changed")
		}
		if c.Box != (policy.Text{}) && f.Checked(boxName(n)) {
			if err := terms.Give(tx, by, by.Account, c.ID); err != nil {
				return err
			}
		}
	}
	return nil
}
