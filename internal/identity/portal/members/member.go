package members

import (
	"net/http"
	"strings"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/mail"
	"zunft/internal/ground/web"
	"zunft/internal/identity/application"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/site"
)

// memberPage is one member as the admins of the company keep them.
type memberPage struct {
	web.Frame
	Form         *web.Form // site, end and numbers
	Give         *web.Form // a role for a time or at a site
	Company      organization.Organization
	Member       membership.Listed
	Self         bool
	Held         []held
	Roles, Sites []web.Option
	WorkSites    []web.Option
	Applications []application.Application
	Now          db.Time
}

// held is a holding as people read it.
type held struct {
	membership.Holding
	Name, App, SiteName string
	Later               bool // begins later
}

func (p *Pages) member(w http.ResponseWriter, r *http.Request) error {
	return p.showMember(w, r, nil, web.NewForm())
}

// showMember shows a member; form and give are what was typed, nil: as it is.
func (p *Pages) showMember(w http.ResponseWriter, r *http.Request, form, give *web.Form) error {
	page := &memberPage{Form: form, Give: give}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		page.Now = tx.Now()
		if page.Member, err = addressed(tx, r); err != nil {
			return err
		}
		m := page.Member
		page.Self = m.Account == web.Actor(r).Account
		if page.Company, err = organization.Get(tx, m.Organization); err != nil {
			return err
		}
		offers, err := application.AllOffers(tx)
		if err != nil {
			return err
		}
		sites, err := siteNames(tx, m.Organization)
		if err != nil {
			return err
		}
		page.Held = holdings(m, offers, sites, web.Lang(r), tx.Now())
		for _, o := range offers {
			page.Applications = append(page.Applications, o.Application)
		}
		page.Roles = p.roleOptions(r, offers.WithRoles())
		page.Sites = sites.options(p.text(r, "members.everywhere"), "")
		page.WorkSites = sites.options(p.text(r, "members.head_office"), m.Site)
		return nil
	})
	if err != nil {
		return err
	}
	if form == nil {
		page.Form = web.NewForm("until", dayOf(page.Member.Until), "apprentice_number", page.Member.ApprenticeNumber, "trainer_number", page.Member.TrainerNumber)
	}
	status := max(page.Form.Status(), page.Give.Status())
	page.Back = web.Link{Text: p.text(r, "members.members"), Href: "/organizations/" + page.Company.ID + "/members"}
	return p.Site.Show(w, r, status, templates, "member", page)
}

// places are the names of a company's sites by id.
type places struct {
	names map[string]string
	order []site.Site
}

func siteNames(tx *db.Tx, organizationID string) (places, error) {
	all, err := site.Released(tx, organizationID)
	s := places{names: map[string]string{}, order: all}
	for _, one := range all {
		s.names[one.ID] = one.Name
	}
	return s, err
}

// options offer them, after the one that means none.
func (s places) options(none, chosen string) (all []web.Option) {
	if len(s.order) == 0 {
		return nil
	}
	all = append(all, web.Option{Text: none, Selected: chosen == ""})
	for _, one := range s.order {
		all = append(all, web.Option{Value: one.ID, Text: one.Name, Selected: one.ID == chosen})
	}
	return all
}

func holdings(m membership.Listed, offers application.Offers, sites places, lang string, now db.Time) (all []held) {
	for _, h := range m.Holdings {
		if app, declared, ok := offers.Role(h.Application, h.Key); ok {
			all = append(all, held{h, declared.Name(lang), app.Name, sites.names[h.Site], !h.From.IsZero() && h.From.After(now)})
		}
	}
	return all
}

// roleOptions are the roles of all applications, with the application's name where there are several.
func (p *Pages) roleOptions(r *http.Request, offers application.Offers) (all []web.Option) {
	for _, o := range offers {
		for _, role := range o.Roles {
			text := role.Name(web.Lang(r))
			if len(offers) > 1 {
				text += " – " + o.Application.Name
			}
			all = append(all, web.Option{Value: role.Application + " " + role.Key, Text: text})
		}
	}
	return all
}

// roleOf is a role named by a form or query: application and key.
func roleOf(v string) membership.Role {
	app, key, _ := strings.Cut(v, " ")
	return membership.Role{Application: app, Key: key}
}

// A date is a day in a form; what holds until a day holds to its end.
func dayOf(t db.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(mail.Berlin).Format(time.DateOnly)
}

func begin(f *web.Form, field string) db.Time { return date(f, field, 0) }
func end(f *web.Form, field string) db.Time   { return date(f, field, 24*time.Hour-time.Second) }

func date(f *web.Form, field string, after time.Duration) db.Time {
	v := f.Text(field)
	if v == "" {
		return db.Time{}
	}
	for _, form := range []string{time.DateOnly, "2.1.2006"} {
		if t, err := time.ParseInLocation(form, v, mail.Berlin); err == nil && t.Year() > 2000 && t.Year() < 2200 {
			return db.At(t.Add(after))
		}
	}
	f.Add(field, "members.date_form")
	return db.Time{}
}

func (p *Pages) saveMember(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	d := membership.Details{Until: end(f, "until"), Site: f.Text("site"), ApprenticeNumber: f.Text("apprentice_number"), TrainerNumber: f.Text("trainer_number")}
	if !f.OK() {
		return p.showMember(w, r, f, web.NewForm())
	}
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		m, err := addressed(tx, r)
		if err != nil {
			return err
		}
		return membership.SetDetails(tx, web.Actor(r), m.ID, d)
	})
	if f.Take(err) {
		return p.showMember(w, r, f, web.NewForm())
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, r.URL.Path, "members.saved")
}

func (p *Pages) give(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	h := membership.Holding{Role: roleOf(f.Text("role")), Site: f.Text("role_site"), From: begin(f, "from"), Until: end(f, "role_until")}
	if h.Key == "" {
		f.Add("role", "members.choose_role")
	}
	if !f.OK() {
		return p.showMember(w, r, nil, f)
	}
	return p.change(w, r, f, "members.role_given", func(tx *db.Tx, id string) error { return membership.Give(tx, web.Actor(r), id, h) })
}

func (p *Pages) take(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	return p.change(w, r, f, "members.role_taken", func(tx *db.Tx, id string) error {
		return membership.Take(tx, web.Actor(r), id, roleOf(f.Text("role")), f.Text("site"))
	})
}

// change runs a rule on the member and comes back to their page.
func (p *Pages) change(w http.ResponseWriter, r *http.Request, f *web.Form, done string, rule func(tx *db.Tx, id string) error) error {
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		m, err := addressed(tx, r)
		if err != nil {
			return err
		}
		return rule(tx, m.ID)
	})
	if f.Take(err) {
		for i, problem := range f.Problems { // the rule's words, where this page has two of a name
			if field, ok := map[string]string{"roles": "role", "site": "role_site", "until": "role_until"}[problem.Field]; ok {
				f.Problems[i].Field = field
			}
		}
		return p.showMember(w, r, nil, f)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/organizations/"+r.PathValue("id")+"/members/"+r.PathValue("member"), done)
}

// whyPage says why a member can, or cannot, use an application.
type whyPage struct {
	web.Frame
	Company     organization.Organization
	Name        string
	Self, Admin bool
	MemberID    string
	Application string
	Reasons     []reason
	Works       bool
}

// A reason as people read it.
type reason struct {
	membership.Reason
	Roles []string // names
	Stops bool
}

func (p *Pages) why(w http.ResponseWriter, r *http.Request) error {
	page := &whyPage{Works: true, MemberID: r.PathValue("member")}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		by, id := web.Actor(r), r.PathValue("id")
		m, err := membership.Of(tx, by.Account)
		if err != nil {
			return err
		}
		for _, own := range m {
			if own.ID == page.MemberID && own.Organization == id {
				page.Self = true
			}
		}
		if page.Admin, err = membership.IsAdmin(tx, by, id); err != nil {
			return err
		}
		if !page.Self {
			other, err := addressed(tx, r)
			if err != nil {
				return err
			}
			page.Name = other.Name
		}
		if page.Company, err = organization.Get(tx, id); err != nil {
			return err
		}
		reasons, err := membership.Explain(tx, by, page.MemberID, r.URL.Query().Get("application"))
		if err != nil {
			return err
		}
		offers, err := application.AllOffers(tx)
		if err != nil {
			return err
		}
		for _, x := range reasons {
			one := reason{Reason: x, Stops: x.State == membership.Not || x.State == membership.Missing || x.State == membership.Later || x.About == "role" && x.State == membership.Asked}
			for _, role := range x.Roles {
				one.Roles = append(one.Roles, membership.RoleName(offers, role, web.Lang(r)))
			}
			if x.About == "application" {
				page.Application = x.Name
			}
			page.Works = page.Works && !one.Stops
			page.Reasons = append(page.Reasons, one)
		}
		return nil
	})
	if err != nil {
		return err
	}
	page.Back = p.back(r, page.Company)
	if page.Admin && !page.Self {
		page.Back = web.Link{Text: page.Name, Href: "/organizations/" + page.Company.ID + "/members/" + page.MemberID}
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "why", page)
}

// addressed is the member of the address, who must be one of the company of
// the address: a member of another is none here, even to their own admin.
func addressed(tx *db.Tx, r *http.Request) (membership.Listed, error) {
	m, err := membership.LoadMember(tx, web.Actor(r), r.PathValue("member"))
	if err == nil && m.Organization != r.PathValue("id") {
		return membership.Listed{}, fault.NotFound()
	}
	return m, err
}
