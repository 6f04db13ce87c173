package members

import (
	"net/http"
	"net/url"
	"strconv"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/application"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/organization"
)

const listSize = 50

// listPage is the member list with roles.
type listPage struct {
	web.Frame
	Company organization.Organization
	Members []line
	Size    int
	Search  string
	After   string // id of the last member of the page before
	More    string // id to go on from
	Failed  string // a conflict that stopped the last step
}

// A line is one member; its roles fold out.
type line struct {
	membership.Listed
	Held  []string // names of roles, in short
	Apps  []app
	Open  bool // folded out: the last step was here
	Self  bool
	Place string // query that leads back to this page of the list
}

// An app with its roles, each held or not.
type app struct {
	Name  string
	Roles []role
}

type role struct {
	application.Role
	Name, Description string
	Held              bool
}

func (p *Pages) list(w http.ResponseWriter, r *http.Request) error {
	return p.showList(w, r, http.StatusOK, "")
}

func (p *Pages) showList(w http.ResponseWriter, r *http.Request, status int, failed string) error {
	q := r.URL.Query()
	page := &listPage{Search: web.ReadQuery(r).Text("q"), After: q.Get("after"), Failed: failed}
	actor, id := web.Actor(r), r.PathValue("id")
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		found, err := membership.List(tx, actor, id, membership.Filter{Search: page.Search}, page.After, listSize+1)
		if err != nil {
			return err
		}
		if page.Company, err = organization.Get(tx, id); err != nil {
			return err
		}
		if page.Size, err = membership.Size(tx, id); err != nil {
			return err
		}
		offers, err := application.AllOffers(tx)
		if err != nil {
			return err
		}
		if len(found) > listSize {
			found = found[:listSize]
			page.More = found[listSize-1].ID
		}
		open := q.Get("open")
		if open == "" {
			open = r.PathValue("member") // a step that did not work is shown where it was tried
		}
		for _, m := range found {
			page.Members = append(page.Members, newLine(m, offers.WithRoles(), web.Lang(r), m.ID == open, m.Account == actor.Account, place(page.Search, page.After)))
		}
		return nil
	})
	if err != nil {
		return err
	}
	page.Back = p.back(r, page.Company)
	return p.Site.Show(w, r, status, templates, "list", page)
}

func newLine(m membership.Listed, offers application.Offers, lang string, open, self bool, place string) line {
	l := line{Listed: m, Open: open, Self: self, Place: place}
	for _, o := range offers {
		a := app{Name: o.Application.Name}
		for _, declared := range o.Roles {
			x := role{declared, declared.Name(lang), declared.Description(lang), m.Has(declared.Application, declared.Key)}
			if x.Held {
				l.Held = append(l.Held, x.Name)
			}
			a.Roles = append(a.Roles, x)
		}
		l.Apps = append(l.Apps, a)
	}
	return l
}

// place is the query of a page of the list.
func place(search, after string) string {
	q := url.Values{}
	if search != "" {
		q.Set("q", search)
	}
	if after != "" {
		q.Set("after", after)
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
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

// step runs a rule on one member and returns to where the member is in the list.
func (p *Pages) step(w http.ResponseWriter, r *http.Request, done string, rule func(tx *db.Tx, member string) error) error {
	member := r.PathValue("member")
	admin := false
	err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		if _, err = addressed(tx, r); err != nil {
			return err
		}
		if err = rule(tx, member); err == nil {
			admin, err = membership.IsAdmin(tx, web.Actor(r), r.PathValue("id"))
		}
		return err
	})
	f := web.ReadForm(r)
	if f.Take(err) {
		return p.showList(w, r, f.Status(), p.text(r, f.Problems[0].Key, f.Problems[0].Args...))
	}
	if err != nil {
		return err
	}
	if !admin { // by this very step
		return p.Site.Done(w, r, "/organizations/"+r.PathValue("id"), done)
	}
	q := r.URL.Query()
	back := url.Values{"open": {member}}
	for _, name := range []string{"q", "after"} {
		if v := q.Get(name); v != "" {
			back.Set(name, v)
		}
	}
	return p.Site.Done(w, r, "/organizations/"+r.PathValue("id")+"/members?"+back.Encode()+"#m-"+member, done)
}

func (p *Pages) setRole(w http.ResponseWriter, r *http.Request) error {
	yes, _ := strconv.ParseBool(r.PostForm.Get("yes"))
	done := map[bool]string{true: "members.role_given", false: "members.role_taken"}[yes]
	return p.step(w, r, done, func(tx *db.Tx, member string) error {
		return membership.SetRole(tx, web.Actor(r), member, r.PostForm.Get("application"), r.PostForm.Get("role"), yes)
	})
}

func (p *Pages) setAdmin(w http.ResponseWriter, r *http.Request) error {
	yes, _ := strconv.ParseBool(r.PostForm.Get("yes"))
	done := map[bool]string{true: "members.admin_given", false: "members.admin_taken"}[yes]
	return p.step(w, r, done, func(tx *db.Tx, member string) error {
		return membership.SetAdmin(tx, web.Actor(r), member, yes)
	})
}

// removePage asks whether to end a membership.
type removePage struct {
	web.Frame
	Form    *web.Form
	Company organization.Organization
	Member  membership.Listed
}

func (p *Pages) remove(w http.ResponseWriter, r *http.Request) error {
	return p.showRemove(w, r, web.NewForm())
}

func (p *Pages) showRemove(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	page := &removePage{Form: f}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		if page.Member, err = addressed(tx, r); err != nil {
			return err
		}
		page.Company, err = organization.Get(tx, page.Member.Organization)
		return err
	})
	if err != nil {
		return err
	}
	page.Back = web.Link{Text: p.text(r, "members.members"), Href: "/organizations/" + page.Company.ID + "/members"}
	return p.Site.Show(w, r, f.Status(), templates, "remove", page)
}

func (p *Pages) doRemove(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	var m membership.Listed
	err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		if m, err = addressed(tx, r); err != nil {
			return err
		}
		return membership.Remove(tx, web.Actor(r), m.ID)
	})
	if f.Take(err) {
		return p.showRemove(w, r, f)
	}
	if err != nil {
		return err
	}
	if m.Account == web.Actor(r).Account {
		return p.Site.Done(w, r, "/", "members.removed", m.Name)
	}
	return p.Site.Done(w, r, "/organizations/"+m.Organization+"/members", "members.removed", m.Name)
}
