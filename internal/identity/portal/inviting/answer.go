package inviting

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/address"
	"zunft/internal/identity/application"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/fold"
	"zunft/internal/identity/invitation"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/session"
	"zunft/internal/identity/terms"
	"zunft/internal/identity/visitor"
)

// What the page behind a link offers.
const (
	accept  = "accept"  // the person is signed in, and it is theirs
	other   = "other"   // signed in, but the address is not theirs
	signIn  = "signin"  // the address has an account
	signUp  = "signup"  // it has none
	choose  = "choose"  // a slip, and nobody is signed in
	nothing = "nothing" // it has ended
)

// answerPage is all that answer.html may use.
type answerPage struct {
	web.Frame
	Form    *web.Form
	It      invitation.Invitation
	Company organization.Organization
	Chamber string
	Roles   []named
	By      string
	Site    string
	Offer   string
	Confirm bool   // the admin approves after it (R105)
	Action  string // where the forms go
	Here    string // comes back to this page after signing in
	Code    string // of the slip
	Me, To  string // signed in with; invited as, masked
	Free    bool   // the address may become one of the person's

	AskName, AskUsername bool // at the sign-up
	Password             web.Input
	Terms                []terms.Choice
	Boxes                []web.Check
}

func (p *Pages) look(w http.ResponseWriter, r *http.Request) error {
	return p.showAnswer(w, r, web.NewForm())
}

// unknown is the page for a link that never was, or is forgotten.
func (p *Pages) unknown(w http.ResponseWriter, r *http.Request) error {
	return p.Site.Show(w, r, http.StatusNotFound, templates, "answer", &answerPage{Form: web.NewForm(), Offer: nothing})
}

func (p *Pages) showAnswer(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	page := &answerPage{Form: f, Action: r.URL.EscapedPath()}
	page.Here = page.Action
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		if page.It, err = invitation.ByToken(tx, r.PathValue("token")); err != nil {
			return err
		}
		if err := page.fill(tx, r); err != nil || page.Offer == nothing {
			return err
		}
		return page.offer(tx, p, r)
	})
	if fault.Is(err, fault.KindNotFound) {
		return p.unknown(w, r)
	}
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, page.status(), templates, "answer", page)
}

// status: a link that opens nothing any more is gone.
func (a *answerPage) status() int {
	if a.Offer == nothing && a.Form.OK() {
		return http.StatusGone
	}
	return a.Form.Status()
}

// fill says who invites into what.
func (a *answerPage) fill(tx *db.Tx, r *http.Request) (err error) {
	if a.Company, err = organization.Get(tx, a.It.Organization); err != nil {
		return err
	}
	c, err := chamber.Get(tx, a.Company.Chamber)
	if err != nil {
		return err
	}
	a.Chamber = c.Name
	if !a.It.Open(tx.Now()) || a.Company.State != organization.Active {
		a.Offer = nothing
		if a.It.State == invitation.Sent || a.It.State == invitation.Bounced {
			a.It.State = invitation.Expired
		}
		return nil
	}
	offers, err := application.AllOffers(tx)
	if err != nil {
		return err
	}
	a.Roles = names(offers, a.It.Roles, web.Lang(r))
	if a.It.InvitedBy != "" {
		by, err := account.Get(tx, a.It.InvitedBy)
		if err != nil {
			return err
		}
		a.By = by.Name()
	}
	if a.Site, err = invitation.SiteName(tx, a.It.Site); err != nil {
		return err
	}
	settings, err := chamber.SettingsOf(tx, a.Company.Chamber)
	a.Confirm = settings.Invitation == chamber.Confirm
	return err
}

// offer says what the person can do with a link.
func (a *answerPage) offer(tx *db.Tx, p *Pages, r *http.Request) error {
	owner, err := account.Owner(tx, fold.Login(a.It.Email))
	none := fault.Is(err, fault.KindNotFound)
	if err != nil && !none {
		return err
	}
	v := visitor.Of(r)
	switch {
	case v != nil && !none && owner.ID == v.Account.ID:
		a.Offer = accept
		mine, err := invitation.Owns(tx, v.Account.ID, a.It)
		if err == nil && !mine { // the old address of a change that can still be taken back
			a.Offer, a.Me, a.To = other, v.Account.Email, masked(a.It.Email)
		}
		return err
	case v != nil:
		a.Offer, a.Me, a.To, a.Free = other, v.Account.Email, masked(a.It.Email), none
		return nil
	case !none:
		a.Offer = signIn
		return nil
	}
	a.Offer = signUp
	return a.signUp(tx, p, r)
}

// signUp fills the shortest form there is: what is known already is not asked.
func (a *answerPage) signUp(tx *db.Tx, p *Pages, r *http.Request) error {
	rules, err := rulesFor(tx, a.Company, a.It.Email)
	if err != nil {
		return err
	}
	for name, known := range map[string]string{"given_name": a.It.GivenName, "family_name": a.It.FamilyName} {
		if a.Form.Values[name] == nil {
			a.Form.Values.Set(name, known)
		}
	}
	a.AskName = a.It.GivenName == "" || a.It.FamilyName == "" || slices.ContainsFunc(a.Form.Problems, func(x fault.Problem) bool { return x.Field == "given_name" || x.Field == "family_name" })
	a.AskUsername = needsUsername(rules)
	a.Password = web.Input{
		ID: "password", Name: "password", Label: p.text(r, "inviting.password"), Type: "password", Autocomplete: "new-password", Width: 30, Required: true,
		Hint: p.text(r, rules.Password.Hint()), Error: p.complaint(r, a.Form, "password"),
	}
	a.Terms, err = terms.Asked(tx, rules.SignUp)
	for n, c := range a.Terms {
		if says := c.Box.In(web.Lang(r)); says != "" {
			name := boxName(n)
			a.Boxes = append(a.Boxes, web.Check{ID: name, Name: name, Label: says, Checked: a.Form.Checked(name), Error: p.complaint(r, a.Form, name)})
		}
	}
	return err
}

// rulesFor is the policy under which the invited person signs up: that of the
// company's chamber, unless it keeps strangers' addresses out (R243): whom a
// company invites is no stranger.
func rulesFor(tx *db.Tx, company organization.Organization, email string) (policy.Policy, error) {
	rules, err := policy.OfChamber(tx, company.Chamber)
	if err != nil || rules.SignUp.MailAllowed(email) == nil {
		return rules, err
	}
	return policy.Of(tx, "")
}

// needsUsername: nothing else opens an account there.
func needsUsername(rules policy.Policy) bool { return !slices.Contains(rules.SignIn.By, "email") }

// answer is what the buttons behind the link do.
func (p *Pages) answer(w http.ResponseWriter, r *http.Request) error {
	f, by, token := web.ReadForm(r), web.Actor(r), r.PathValue("token")
	v := visitor.Of(r)
	switch do := f.Text("do"); {
	case do == "signup" && v == nil:
		return p.signUp(w, r, f)
	case do == "decline":
		err := p.DB.Write(r.Context(), func(tx *db.Tx) error { return invitation.DeclineByToken(tx, by, token) })
		if f.Take(err) {
			return p.showAnswer(w, r, f)
		}
		if err != nil {
			return err
		}
		return p.Site.Done(w, r, "/", "inviting.declined")
	case v == nil:
		return web.See(w, r, "/login?next="+url.QueryEscape(r.URL.EscapedPath()))
	case do == "switch":
		if err := p.DB.Write(r.Context(), func(tx *db.Tx) error { return session.End(tx, by, v.Session.ID) }); err != nil {
			return err
		}
		p.Door.SignOut(w)
		return web.See(w, r, "/login?next="+url.QueryEscape(r.URL.EscapedPath()))
	case do == "add":
		if sure, err := p.Door.Sure(w, r); !sure { // an address opens the account
			return err
		}
	}
	return p.joined(w, r, f, func(tx *db.Tx) (invitation.Invitation, error) {
		i, err := invitation.ByToken(tx, token)
		if err != nil {
			return i, err
		}
		if f.Text("do") == "add" {
			if !i.Open(tx.Now()) { // a link that has ended proves no mailbox
				return invitation.Accept(tx, by, i.ID)
			}
			if err := address.AddProved(tx, by, i.Email); err != nil {
				return i, err
			}
		}
		return invitation.Accept(tx, by, i.ID)
	}, p.showAnswer)
}

// joined runs an acceptance and goes where the person now belongs.
func (p *Pages) joined(w http.ResponseWriter, r *http.Request, f *web.Form, take func(tx *db.Tx) (invitation.Invitation, error), again func(http.ResponseWriter, *http.Request, *web.Form) error) error {
	var to, phrase, name string
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		i, err := take(tx)
		if err != nil {
			return err
		}
		to, phrase, name, err = arrived(tx, i)
		return err
	})
	if f.Take(err) {
		return again(w, r, f)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, to, phrase, name)
}

// arrived is where somebody goes who has accepted, and what they read there.
func arrived(tx *db.Tx, i invitation.Invitation) (to, phrase, company string, err error) {
	o, err := organization.Get(tx, i.Organization)
	if err != nil {
		return "", "", "", err
	}
	settled, err := invitation.Settled(tx, i)
	if !settled {
		return "/", "inviting.accepted_confirm", o.Name, err
	}
	return "/organizations/" + o.ID, "inviting.accepted", o.Name, err
}

// boxName is the field of the n-th text of a profile.
func boxName(n int) string { return "accept_" + strconv.Itoa(n+1) }
