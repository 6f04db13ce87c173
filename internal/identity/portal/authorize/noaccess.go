package authorize

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/application"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/request"
)

// noAccessPage explains what is missing. Exactly one of Open, Join, Waiting,
// Alone and Roles is what the person can do next.
type noAccessPage struct {
	web.Frame
	Form                  *web.Form
	Application, ClientID string
	ApplicationHref       string // its start; may be empty
	Open                  bool   // a role is there by now
	Joining               []request.Entry
	Join                  bool   // belongs to no organization
	Organization, ID      string // the organization it is about
	Here                  string // this page: the way back from joining and for the language on what comes back
	Waiting               *request.Entry
	WaitingRoles          string
	Alone                 bool // administers the organization and can give the role themselves (R030)
	Needed                []application.Role
	Roles                 []web.Option
	Givers                string
	Others                []web.Link
}

func (p *Pages) noAccess(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	return p.showNoAccess(w, r, web.NewForm(), q.Get("client_id"), q.Get("organization"))
}

func (p *Pages) showNoAccess(w http.ResponseWriter, r *http.Request, f *web.Form, clientID, organizationID string) error {
	page := &noAccessPage{Form: f, ClientID: clientID}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error { return page.load(tx, r, organizationID) })
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, f.Status(), templates, "no_access", page)
}

func (page *noAccessPage) load(tx *db.Tx, r *http.Request, organizationID string) error {
	by := web.Actor(r)
	a, roles, err := declaring(tx, page.ClientID)
	if err != nil {
		return err
	}
	page.Application, page.ApplicationHref, page.Needed = a.Name, a.ClientURI, roles
	held, err := membership.RolesFor(tx, by.Account, a.ID)
	if err != nil {
		return err
	}
	if page.Open = len(held) > 0; page.Open {
		return nil
	}
	members, orgs, err := activeMemberships(tx, by.Account)
	if err != nil {
		return err
	}
	waiting, err := request.Pending(tx, by, 100)
	if err != nil {
		return err
	}
	if page.Join = len(members) == 0; page.Join {
		for _, e := range waiting {
			if e.Kind == request.Join {
				page.Joining = append(page.Joining, e)
			}
		}
		page.Here, page.Roles = "/authorize/no-access?"+url.Values{"client_id": {page.ClientID}}.Encode(), options(roles, web.Lang(r))
		return nil
	}
	m := members[0]
	for _, other := range members {
		if other.Organization == organizationID {
			m = other
		}
	}
	page.ID, page.Organization, page.Here = m.Organization, orgs[m.Organization].Name, here(page.ClientID, m.Organization)
	for _, other := range members {
		if other.ID != m.ID {
			page.Others = append(page.Others, web.Link{Text: orgs[other.Organization].Name, Href: here(page.ClientID, other.Organization)})
		}
	}
	for i, e := range waiting {
		if e.Kind == request.ForRoles && e.Organization == m.Organization {
			page.Waiting = &waiting[i]
			asked, err := request.Get(tx, by, e.ID) // lists come without roles
			if err != nil {
				return err
			}
			page.WaitingRoles, err = names(tx, asked.Roles, web.Lang(r))
			return err
		}
	}
	if page.Alone = m.Admin; page.Alone {
		return nil
	}
	page.Roles = options(roles, web.Lang(r))
	page.Givers, err = givers(tx, m.Organization)
	return err
}

func options(roles []application.Role, lang string) (all []web.Option) {
	for _, role := range roles {
		all = append(all, web.Option{Value: role.Key, Text: role.Name(lang), Hint: role.Description(lang), Selected: len(roles) == 1})
	}
	return all
}

func here(clientID, organizationID string) string {
	return "/authorize/no-access?" + url.Values{"client_id": {clientID}, "organization": {organizationID}}.Encode()
}

// activeMemberships are the person's memberships in active organizations, by
// the organizations' names.
func activeMemberships(tx *db.Tx, accountID string) (active []membership.Member, orgs map[string]organization.Organization, err error) {
	all, err := membership.Of(tx, accountID)
	if err != nil {
		return nil, nil, err
	}
	var ids []string
	for _, m := range all {
		ids = append(ids, m.Organization)
	}
	if orgs, err = organization.GetMany(tx, ids); err != nil {
		return nil, nil, err
	}
	for _, m := range all {
		if orgs[m.Organization].State == "active" {
			active = append(active, m)
		}
	}
	slices.SortStableFunc(active, func(a, b membership.Member) int {
		return strings.Compare(orgs[a.Organization].Name, orgs[b.Organization].Name)
	})
	return active, orgs, nil
}

// givers are the names of the admins; only members of the organization come here.
func givers(tx *db.Tx, organizationID string) (string, error) {
	ids, err := membership.Admins(tx, organizationID)
	if err != nil {
		return "", err
	}
	people, err := account.GetMany(tx, ids)
	if err != nil {
		return "", err
	}
	var list []string
	for _, id := range ids {
		if person, ok := people[id]; ok && person.State == account.Active {
			list = append(list, person.Name())
		}
	}
	return strings.Join(list, ", "), nil
}

// names of asked-for roles, of whichever application.
func names(tx *db.Tx, roles []membership.Role, lang string) (string, error) {
	offers, err := application.AllOffers(tx)
	if err != nil {
		return "", err
	}
	var list []string
	for _, r := range roles {
		if a, role, ok := offers.Role(r.Application, r.Key); ok {
			list = append(list, role.Name(lang)+" ("+a.Name+")")
		}
	}
	return strings.Join(list, ", "), nil
}

// ask sends the wish for roles to the organization's admins (R145–R147). The
// message is optional on this page: what the role is for is known.
func (p *Pages) ask(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	clientID, organizationID, reason := f.Text("client_id"), f.Text("organization"), f.Lines("reason")
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		a, declared, err := declaring(tx, clientID)
		if err != nil {
			return err
		}
		if reason == "" {
			reason = p.Site.Catalog.Text(web.Lang(r), "authorize.reason_default", a.Name)
		}
		var roles []membership.Role
		for _, role := range declared {
			if slices.Contains(f.All("roles"), role.Key) {
				roles = append(roles, membership.Role{Application: a.ID, Key: role.Key})
			}
		}
		_, err = request.SubmitRole(tx, web.Actor(r), organizationID, reason, roles)
		return err
	})
	back := here(clientID, organizationID)
	if fault.Is(err, fault.KindConflict) { // asked already, or given meanwhile: the page says so
		return web.See(w, r, back)
	}
	if f.Take(err) {
		return p.showNoAccess(w, r, f, clientID, organizationID)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, back, "authorize.asked")
}
