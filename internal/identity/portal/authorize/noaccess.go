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
	"zunft/internal/identity/behalf"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/openid"
	"zunft/internal/identity/request"
	"zunft/internal/identity/visitor"
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
	MoreOthers            bool
	Strong                string   // the acr that all roles held ask for: this sign-in does not reach it
	Represents            []string // names of companies that this person acts for by a mandate, without a role here (R303)
}

func (p *Pages) noAccess(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	return p.showNoAccess(w, r, web.NewForm(), q.Get("client_id"), q.Get("organization"), q.Get("mandate"))
}

func (p *Pages) showNoAccess(w http.ResponseWriter, r *http.Request, f *web.Form, clientID, organizationID, mandateID string) error {
	if !text(organizationID) || !text(mandateID) {
		return fault.NotFound()
	}
	page := &noAccessPage{Form: f, ClientID: clientID}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error { return page.load(tx, r, organizationID, mandateID) })
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, f.Status(), templates, "no_access", page)
}

func (page *noAccessPage) load(tx *db.Tx, r *http.Request, organizationID, mandateID string) error {
	by := web.Actor(r)
	a, roles, err := declaring(tx, page.ClientID)
	if err != nil {
		return err
	}
	page.Application, page.ApplicationHref, page.Needed = a.Name, a.ClientURI, roles
	if page.Strong, err = tooWeak(tx, r, a, organizationID, mandateID); err != nil || page.Strong != "" {
		return err
	}
	if _, page.Open, err = behalf.Only(tx, by.Account, a.ID); err == nil {
		page.Open = true
		return nil
	} else if !fault.Is(err, fault.KindNotFound) {
		return err
	}
	if err := page.represents(tx, by.Account); err != nil {
		return err
	}
	waiting, err := request.Pending(tx, by, 100)
	if err != nil {
		return err
	}
	m, err := page.companies(tx, r, organizationID)
	if page.Join = fault.Is(err, fault.KindNotFound); page.Join {
		for _, e := range waiting {
			if e.Kind == request.Join {
				page.Joining = append(page.Joining, e)
			}
		}
		page.Here, page.Roles = "/authorize/no-access?"+url.Values{"client_id": {page.ClientID}}.Encode(), options(roles, web.Lang(r))
		return nil
	}
	if err != nil {
		return err
	}
	page.ID, page.Organization, page.Here = m.ID, m.Label(), here(page.ClientID, m.ID)
	for i, e := range waiting {
		if e.Kind == request.ForRoles && e.Organization == m.ID {
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
	page.Givers, err = givers(tx, m.ID)
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

// companies finds the one the page is about: the named one, the one the session
// acts for, or the first by name. The others are a link away, up to a page of them.
func (page *noAccessPage) companies(tx *db.Tx, r *http.Request, organizationID string) (m behalf.Context, err error) {
	account := web.Actor(r).Account
	all, err := behalf.Contexts(tx, account, behalf.AsMember, "", "", pageSize+1)
	if err == nil && len(all) == 0 {
		err = fault.NotFound()
	}
	if err != nil {
		return m, err
	}
	m, err = all[0], fault.NotFound()
	for _, id := range []string{organizationID, visitor.Of(r).Session.Organization} {
		if id != "" && fault.Is(err, fault.KindNotFound) {
			var found behalf.Context
			if found, err = behalf.Look(tx, account, behalf.AsMember, id, ""); err == nil {
				m = found
			}
		}
	}
	if fault.Is(err, fault.KindNotFound) {
		err = nil
	}
	if page.MoreOthers = len(all) > pageSize; page.MoreOthers {
		all = all[:pageSize]
	}
	for _, other := range all {
		if other.ID != m.ID {
			page.Others = append(page.Others, web.Link{Text: other.Label(), Href: here(page.ClientID, other.ID)})
		}
	}
	return m, err
}

// represents names the companies that the person acts for by a mandate; none of
// these mandates has a role in this application (R303).
func (page *noAccessPage) represents(tx *db.Tx, account string) error {
	all, err := behalf.Contexts(tx, account, behalf.ByMandate, "", "", 10)
	for _, c := range all {
		page.Represents = append(page.Represents, c.Label())
	}
	return err
}

// tooWeak is the level that the roles held ask for if this sign-in reaches none
// of them; empty: that is not what is missing.
func tooWeak(tx *db.Tx, r *http.Request, a application.Application, organizationID, mandateID string) (level string, err error) {
	if organizationID == "" {
		return "", nil
	}
	held, err := behalf.RolesIn(tx, web.Actor(r).Account, a.ID, organizationID, mandateID)
	if err != nil {
		return "", err
	}
	for _, h := range held {
		if openid.Reaches(visitor.Of(r).Session.AMR, h.Requires) {
			return "", nil
		}
		if level == "" || h.Requires == application.MFA { // the least that opens something
			level = h.Requires
		}
	}
	return level, nil
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
		return p.showNoAccess(w, r, f, clientID, organizationID, "")
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, back, "authorize.asked")
}
