package members

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/identity/application"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/organization"
)

const listSize = 50

// listPage is the member list with roles.
type listPage struct {
	web.Frame
	Company  organization.Organization
	Members  []line
	Size     int
	Filter   *web.Form
	Query    string // the filter, to go on with
	All      bool   // nothing is filtered
	Narrowed bool   // by more than a name
	Roles    []web.Option
	Shown    []web.Option
	Sites    []web.Option
	Sort     []web.Option
	After    string // id of the last member of the page before
	More     string // query of the next page
	Failed   string // a conflict that stopped the last step
}

// A line is one member. One line at a time is folded out and carries the forms
// for its roles; with the forms of fifty the page would be ten times as heavy.
type line struct {
	membership.Listed
	Held   []held
	Place  string // query that leads back to this page of the list
	Work   string // name of the site, where it is not the head office
	Open   bool   // folded out: picked, or the last step was here
	Unfold string // where it is
	Apps   []app  // of the one folded out
	Self   bool
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
	f := web.ReadQuery(r)
	page := &listPage{Filter: f, After: f.Text("after"), Failed: failed}
	narrow := filter(f)
	actor, id := web.Actor(r), r.PathValue("id")
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		found, err := membership.List(tx, actor, id, narrow, page.After, listSize+1)
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
		sites, err := siteNames(tx, id)
		if err != nil {
			return err
		}
		page.Query = carriedFilter(f)
		if len(found) > listSize {
			found = found[:listSize]
			page.More = place(page.Query, found[listSize-1].ID)
		}
		open := f.Text("open")
		if open == "" {
			open = r.PathValue("member") // a step that did not work is shown where it was tried
		}
		for _, m := range found {
			l := line{Listed: m, Open: m.ID == open, Self: m.Account == actor.Account, Place: place(page.Query, page.After)}
			l.Held, l.Work = holdings(m, offers, sites, web.Lang(r), tx.Now()), sites.names[m.Site]
			if l.Open {
				l.Apps = apps(m, offers.WithRoles(), web.Lang(r))
			}
			l.Unfold = unfold(id, m.ID, l.Place)
			page.Members = append(page.Members, l)
		}
		page.Roles = append([]web.Option{{Text: p.text(r, "members.any_role")}}, p.roleOptions(r, offers.WithRoles())...)
		page.Sites = sites.options(p.text(r, "members.any_site"), "")
		return nil
	})
	if err != nil {
		return err
	}
	for _, show := range shows {
		page.Shown = append(page.Shown, web.Option{Value: show.value, Text: p.text(r, show.phrase)})
	}
	page.Sort = []web.Option{{Text: p.text(r, "members.sort_name")}, {Value: "new", Text: p.text(r, "members.sort_new")}}
	page.Narrowed = narrow != membership.Filter{Search: narrow.Search}
	page.All = narrow == membership.Filter{Newest: narrow.Newest}
	page.Back = p.back(r, page.Company)
	return p.Site.Show(w, r, status, templates, "list", page)
}

// shows are the filters that narrow by a state.
var shows = []struct{ value, phrase string }{
	{"", "members.show_everybody"}, {"without", "members.show_without"}, {"admins", "members.show_admins"}, {"ending", "members.show_ending"}, {"idle", "members.show_idle"},
}

// filter reads the list's filter from its address.
func filter(f *web.Form) membership.Filter {
	show := f.Text("show")
	return membership.Filter{
		Search: f.Text("q"), Role: roleOf(f.Text("role")), Site: f.Text("site"), Newest: f.Text("sort") == "new",
		Without: show == "without", Admins: show == "admins", Ending: show == "ending", Idle: show == "idle",
	}
}

// carriedFilter is the filter as a query.
func carriedFilter(f *web.Form) string {
	q := url.Values{}
	for _, name := range []string{"q", "role", "show", "site", "sort"} {
		if v := f.Text(name); v != "" {
			q.Set(name, v)
		}
	}
	return q.Encode()
}

// apps are the roles that a member holds or could.
func apps(m membership.Listed, offers application.Offers, lang string) (all []app) {
	for _, o := range offers {
		a := app{Name: o.Application.Name}
		for _, declared := range o.Roles {
			a.Roles = append(a.Roles, role{declared, declared.Name(lang), declared.Description(lang), m.Has(declared.Application, declared.Key)})
		}
		all = append(all, a)
	}
	return all
}

// unfold is where a member is folded out, on the page of the list that place says.
func unfold(organizationID, member, place string) string {
	return "/organizations/" + organizationID + "/members?open=" + member + strings.Replace(place, "?", "&", 1) + "#m-" + member
}

// place is the query of a page of the list.
func place(filter, after string) string {
	if after != "" {
		filter = strings.TrimPrefix(filter+"&after="+url.QueryEscape(after), "&")
	}
	if filter == "" {
		return ""
	}
	return "?" + filter
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
	if r.URL.Query().Get("from") == "member" {
		return p.Site.Done(w, r, "/organizations/"+r.PathValue("id")+"/members/"+member, done)
	}
	back := web.ReadQuery(r)
	return p.Site.Done(w, r, unfold(r.PathValue("id"), member, place(carriedFilter(back), back.Text("after"))), done)
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
	if sure, err := p.sure(w, r, yes); !sure {
		return err
	}
	done := map[bool]string{true: "members.admin_given", false: "members.admin_taken"}[yes]
	return p.step(w, r, done, func(tx *db.Tx, member string) error {
		return membership.SetAdmin(tx, web.Actor(r), member, yes)
	})
}

// sure asks for a proof where the administration is given, or taken from
// somebody else; everybody may step down as they are.
func (p *Pages) sure(w http.ResponseWriter, r *http.Request, gives bool) (bool, error) {
	var m membership.Listed
	if err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) { m, err = addressed(tx, r); return err }); err != nil {
		return false, err
	}
	if !gives && (!m.Admin || m.Account == web.Actor(r).Account) {
		return true, nil
	}
	return p.Door.Sure(w, r)
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
	if sure, err := p.sure(w, r, false); !sure {
		return err
	}
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
