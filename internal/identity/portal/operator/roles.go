package operator

import (
	"cmp"
	"net/http"
	"slices"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/application"
)

// rolesPage is all that roles.html may use.
type rolesPage struct {
	web.Frame
	App   application.Application
	Roles []roleLine
}

type roleLine struct {
	application.Role
	Name, Description string
	Excludes          []string // names
}

// catalogue is an application and what it declares.
func (p *Pages) catalogue(r *http.Request) (a application.Application, roles []application.Role, err error) {
	err = p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		if a, err = application.Get(tx, r.PathValue("id")); err == nil {
			roles, err = application.Catalogue(tx, a.ID)
		}
		return err
	})
	return a, roles, err
}

func at(roles []application.Role, key string) int {
	return slices.IndexFunc(roles, func(r application.Role) bool { return r.Key == key })
}

func (p *Pages) roles(w http.ResponseWriter, r *http.Request) error {
	page := &rolesPage{}
	var roles []application.Role
	var err error
	if page.App, roles, err = p.catalogue(r); err != nil {
		return err
	}
	page.Frame = p.back(page.App.Name, "/admin/apps/"+page.App.ID)
	for _, one := range roles {
		l := roleLine{Role: one, Name: one.Name(web.Lang(r)), Description: one.Description(web.Lang(r))}
		for _, other := range roles {
			if one.Excludes(other) {
				l.Excludes = append(l.Excludes, other.Name(web.Lang(r)))
			}
		}
		page.Roles = append(page.Roles, l)
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "roles", page)
}

// changeRoles moves a role up or down, or takes it out.
func (p *Pages) changeRoles(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	id, done := r.PathValue("id"), "operator.role_moved"
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		roles, err := application.Catalogue(tx, id)
		if err != nil {
			return err
		}
		i := at(roles, f.Text("role"))
		switch do := f.Text("do"); {
		case i < 0:
			return fault.NotFound()
		case do == "up" && i > 0:
			roles[i-1], roles[i] = roles[i], roles[i-1]
		case do == "down" && i < len(roles)-1:
			roles[i], roles[i+1] = roles[i+1], roles[i]
		case do == "remove":
			done, roles = "operator.role_removed", without(roles, roles[i].Key)
		}
		return application.Declare(tx, web.Actor(r), id, f.Number("version"), roles)
	})
	if f.Take(err) { // back to the role, with what it is
		now, fill := p.fill(r, f.Text("role"))
		if fill != nil {
			return fill
		}
		now.Take(err)
		return p.showRole(w, r, now, f.Text("role"))
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/admin/apps/"+id+"/roles", done)
}

// without takes a role out, also of what others exclude.
func without(roles []application.Role, key string) []application.Role {
	roles = slices.DeleteFunc(roles, func(r application.Role) bool { return r.Key == key })
	for i := range roles {
		roles[i].ExclusiveWith = slices.DeleteFunc(roles[i].ExclusiveWith, func(other string) bool { return other == key })
	}
	return roles
}

// rolePage is all that role.html may use.
type rolePage struct {
	web.Frame
	Form     *web.Form
	App      application.Application
	Key      string // empty: a new one
	First    bool
	Last     bool
	Requires []web.Option
	Others   []web.Option
}

func (p *Pages) role(w http.ResponseWriter, r *http.Request) error {
	key := web.ReadQuery(r).Text("key")
	f, err := p.fill(r, key)
	if err != nil {
		return err
	}
	return p.showRole(w, r, f, key)
}

// fill is the form of a role as it is; without a key an empty one.
func (p *Pages) fill(r *http.Request, key string) (*web.Form, error) {
	if key == "" {
		return web.NewForm(), nil
	}
	_, roles, err := p.catalogue(r)
	if err != nil {
		return nil, err
	}
	i := at(roles, key)
	if i < 0 {
		return nil, fault.NotFound()
	}
	one := roles[i]
	f := web.NewForm("name_de", one.NameDE, "name_en", one.NameEN, "description_de", one.DescriptionDE, "description_en", one.DescriptionEN, "requires", one.Requires)
	f.Values["exclusive_with"] = one.ExclusiveWith
	if one.Invited {
		f.Values.Set("invited", "1")
	}
	return f, nil
}

func (p *Pages) showRole(w http.ResponseWriter, r *http.Request, f *web.Form, key string) error {
	a, roles, err := p.catalogue(r)
	if err != nil {
		return err
	}
	i := at(roles, key)
	page := &rolePage{Form: f, App: a, Key: key, First: i == 0, Last: i == len(roles)-1}
	page.Frame = p.back(p.text(r, "operator.roles_of", a.Name), "/admin/apps/"+a.ID+"/roles")
	for _, level := range []string{"", application.MFA, application.PHR} {
		page.Requires = append(page.Requires, web.Option{Value: level, Text: p.text(r, "operator.requires_"+cmp.Or(level, "none")), Selected: level == ""})
	}
	for _, other := range roles {
		if other.Key != page.Key {
			page.Others = append(page.Others, web.Option{Value: other.Key, Text: other.Name(web.Lang(r))})
		}
	}
	return p.Site.Show(w, r, f.Status(), templates, "role", page)
}

func (p *Pages) saveRole(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	id, key := r.PathValue("id"), web.ReadQuery(r).Text("key")
	one := application.Role{
		Key: key, NameDE: f.Text("name_de"), NameEN: f.Text("name_en"), DescriptionDE: f.Text("description_de"), DescriptionEN: f.Text("description_en"),
		Requires: f.Text("requires"), ExclusiveWith: f.All("exclusive_with"), Invited: f.Checked("invited"),
	}
	if key == "" {
		one.Key = f.Text("role")
	}
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		roles, err := application.Catalogue(tx, id)
		if err != nil {
			return err
		}
		switch i := at(roles, one.Key); {
		case i < 0 && key != "":
			return fault.NotFound()
		case i >= 0 && key == "":
			return fault.Invalid("role", "operator.role_taken")
		case i < 0:
			roles = append(roles, one)
		default:
			roles[i] = one
		}
		return application.Declare(tx, web.Actor(r), id, f.Number("version"), roles)
	})
	if f.Take(err) {
		for i, problem := range f.Problems { // the rule speaks of the whole catalogue
			if problem.Field == "roles" {
				f.Problems[i].Field = "role"
				if key != "" {
					f.Problems[i].Field = "name_de"
				}
			}
		}
		return p.showRole(w, r, f, key)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/admin/apps/"+id+"/roles", "operator.role_saved", one.Name(web.Lang(r)))
}

// holdersPage is all that holders.html may use.
type holdersPage struct {
	web.Frame
	App     application.Application
	Role    application.Role
	Name    string
	Holders application.Holders
	Many    int
	After   string
}

func (p *Pages) holders(w http.ResponseWriter, r *http.Request) error {
	q := web.ReadQuery(r)
	page := &holdersPage{Many: application.ManyHolders, After: q.Text("after")}
	a, roles, err := p.catalogue(r)
	if err != nil {
		return err
	}
	i := at(roles, q.Text("role"))
	if i < 0 {
		return fault.NotFound()
	}
	page.App, page.Role, page.Name = a, roles[i], roles[i].Name(web.Lang(r))
	page.Frame = p.back(p.text(r, "operator.roles_of", a.Name), "/admin/apps/"+a.ID+"/roles")
	err = p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		page.Holders, err = application.HoldersOf(tx, web.Actor(r), a.ID, page.Role.Key, page.After)
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "holders", page)
}
