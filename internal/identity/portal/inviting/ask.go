package inviting

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/application"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/invitation"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/site"
)

// askPage is all that new.html may use.
type askPage struct {
	web.Frame
	Form    *web.Form
	Company organization.Organization
	Words   words
	Email   web.Input
	Roles   web.Choice
	Sites   []web.Option
	Langs   []web.Option
	Confirm bool   // the admin approves again (R105)
	Found   string // what "Suchen" found: member, sent, nobody; or empty
	More    bool   // the further fields are folded out
}

// words of the page, ours or the chamber's (R106–R112).
type words struct{ Heading, Find, Next string }

// optional are the fields that fold away.
var optional = []string{"given_name", "family_name", "site", "apprentice_number", "trainer_number", "message", "admin"}

func (p *Pages) ask(w http.ResponseWriter, r *http.Request) error {
	f := web.NewForm("language", web.Lang(r))
	if from := r.URL.Query().Get("from"); from != "" {
		err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
			i, err := invitation.Look(tx, web.Actor(r), from)
			if err == nil && i.Organization != r.PathValue("id") {
				err = fault.NotFound()
			}
			f = again(i)
			return err
		})
		if err != nil {
			return err
		}
	}
	return p.showAsk(w, r, f, "")
}

// again fills the form with an invitation that did not reach its person.
func again(i invitation.Invitation) *web.Form {
	f := web.NewForm("email", i.Email, "given_name", i.GivenName, "family_name", i.FamilyName, "language", i.Language, "site", i.Site,
		"apprentice_number", i.ApprenticeNumber, "trainer_number", i.TrainerNumber, "message", i.Message)
	f.Values["roles"] = []string{}
	for _, role := range i.Roles {
		f.Values.Add("roles", role.Application+" "+role.Key)
	}
	if i.Admin {
		f.Values.Set("admin", "1")
	}
	return f
}

func (p *Pages) showAsk(w http.ResponseWriter, r *http.Request, f *web.Form, found string) error {
	page := &askPage{Form: f, Found: found}
	id, lang := r.PathValue("id"), web.Lang(r)
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		if err = membership.MustAdminister(tx, web.Actor(r), id); err != nil {
			return err
		}
		if page.Company, err = organization.Get(tx, id); err != nil {
			return err
		}
		if page.Company.State != organization.Active {
			return fault.NotFound()
		}
		settings, err := chamber.SettingsOf(tx, page.Company.Chamber)
		if err != nil {
			return err
		}
		page.Confirm = settings.Invitation == chamber.Confirm
		if f.Values["days"] == nil {
			f.Values.Set("days", strconv.Itoa(settings.InvitationDays))
		}
		rules, err := policy.OfChamber(tx, page.Company.Chamber)
		if err != nil {
			return err
		}
		page.word(p, r, rules.Invite)
		offers, err := application.AllOffers(tx)
		if err != nil {
			return err
		}
		page.offer(offers.WithRoles(), lang)
		sites, err := site.Released(tx, id)
		if err != nil || len(sites) == 0 {
			return err
		}
		page.Sites = []web.Option{{Text: p.text(r, "inviting.no_site")}}
		for _, s := range sites {
			page.Sites = append(page.Sites, web.Option{Value: s.ID, Text: s.Name})
		}
		return nil
	})
	if err != nil {
		return err
	}
	page.Langs = []web.Option{{Value: "de", Text: "Deutsch"}, {Value: "en", Text: "English"}}
	for _, name := range optional {
		page.More = page.More || f.Text(name) != ""
	}
	for _, problem := range f.Problems {
		page.More = page.More || problem.Field != "email" && problem.Field != "roles" && problem.Field != ""
	}
	page.Back = web.Link{Text: p.text(r, "inviting.heading"), Href: "/organizations/" + id + "/invitations"}
	return p.Site.Show(w, r, f.Status(), templates, "new", page)
}

// word takes the chamber's own words, or ours.
func (a *askPage) word(p *Pages, r *http.Request, theirs policy.Invite) {
	lang := web.Lang(r)
	or := func(t policy.Text, key string) string {
		if own := t.In(lang); own != "" {
			return own
		}
		return p.text(r, key)
	}
	a.Words = words{or(theirs.Heading, "inviting.new"), theirs.Find.In(lang), or(theirs.Next, "inviting.send")}
	a.Email = web.Input{
		ID: "email", Name: "email", Label: or(theirs.Email, "inviting.email"), Value: a.Form.Values.Get("email"), Type: "email",
		Autocomplete: "off", Inputmode: "email", Width: 40, Hint: p.text(r, "inviting.email_hint"), Error: p.complaint(r, a.Form, "email"),
	}
	a.Roles = web.Choice{ID: "roles", Name: "roles", Legend: or(theirs.Roles, "inviting.which_roles"), Kind: "checkbox", Error: p.complaint(r, a.Form, "roles")}
	if theirs.OneRole {
		a.Roles.Kind = "radio"
	}
}

// offer lists the roles as their applications name and explain them.
func (a *askPage) offer(offers application.Offers, lang string) {
	chosen, given := a.Form.Values["roles"]
	for _, o := range offers {
		for _, role := range o.Roles {
			text, value := role.Name(lang), role.Application+" "+role.Key
			if len(offers) > 1 {
				text += " – " + o.Application.Name
			}
			selected := role.Invited
			if given {
				selected = slices.Contains(chosen, value)
			}
			a.Roles.Options = append(a.Roles.Options, web.Option{Value: value, Text: text, Hint: role.Description(lang), Selected: selected})
		}
	}
}

// wish reads the form.
func wish(f *web.Form) invitation.Wish {
	w := invitation.Wish{
		Email: f.Text("email"), GivenName: f.Text("given_name"), FamilyName: f.Text("family_name"), Language: f.Text("language"), Admin: f.Checked("admin"),
		Site: f.Text("site"), ApprenticeNumber: f.Text("apprentice_number"), TrainerNumber: f.Text("trainer_number"), Message: f.Lines("message"),
	}
	if typed := f.Text("days"); typed != "" {
		n, err := strconv.Atoi(typed)
		if err != nil || n == 0 {
			n = -1 // no number of days
		}
		w.Days = n
	}
	for _, v := range f.All("roles") {
		app, key, _ := strings.Cut(v, " ")
		w.Roles = append(w.Roles, membership.Role{Application: app, Key: key})
	}
	if f.Values["roles"] == nil {
		f.Values["roles"] = []string{} // nothing ticked is an answer, too
	}
	return w
}

func (p *Pages) invite(w http.ResponseWriter, r *http.Request) error {
	f, by, id := web.ReadForm(r), web.Actor(r), r.PathValue("id")
	wanted := wish(f)
	if f.Text("do") == "find" {
		return p.find(w, r, f, wanted)
	}
	if wanted.Admin { // who makes admins proves who they are
		if err := p.DB.Read(r.Context(), func(tx *db.Tx) error { return membership.MustAdminister(tx, by, id) }); err != nil {
			return err
		}
		if sure, err := p.Door.Sure(w, r); !sure {
			return err
		}
	}
	var made invitation.Invitation
	err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		made, err = invitation.Invite(tx, by, id, wanted)
		return err
	})
	if f.Take(err) {
		return p.showAsk(w, r, f, "")
	}
	if err != nil {
		return err
	}
	list := "/organizations/" + id + "/invitations"
	switch {
	case made.State == invitation.Member:
		return p.Site.Done(w, r, "/organizations/"+id+"/members", "inviting.was_member", made.Email)
	case made.Email == "":
		return p.Site.Done(w, r, list+"/"+made.ID, "inviting.ready_for_slip")
	}
	return p.Site.Done(w, r, list, "inviting.sent", made.Email)
}

// find is "Suchen" (R110): it tells what the organization itself knows of an
// address, and nothing about accounts.
func (p *Pages) find(w http.ResponseWriter, r *http.Request, f *web.Form, wanted invitation.Wish) error {
	var found string
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		found, err = invitation.Find(tx, web.Actor(r), r.PathValue("id"), wanted.Email)
		return err
	})
	if err != nil && !f.Take(err) {
		return err
	}
	if err == nil && found == "" {
		found = "nobody"
	}
	return p.showAsk(w, r, f, found)
}
