package inviting

import (
	"html/template"
	"net/http"
	"net/url"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/paper"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/application"
	"zunft/internal/identity/invitation"
	"zunft/internal/identity/organization"
)

// listPage is all that list.html may use.
type listPage struct {
	web.Frame
	Form    *web.Form
	Company organization.Organization
	Lines   []line
	State   string // the filter; "ending" is a state of its own here
	Roster  string
	Search  string
	States  []web.Option
	After   string
	More    string // query of the page after
}

const ending = "ending"

// A line is one invitation.
type line struct {
	invitation.Invitation
	Kind  string // of the tag
	Roles []named
}

func (p *Pages) list(w http.ResponseWriter, r *http.Request) error {
	return p.showList(w, r, web.ReadQuery(r))
}

func (p *Pages) showList(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	q := r.URL.Query()
	page := &listPage{Form: f, State: q.Get("state"), Roster: q.Get("roster"), Search: q.Get("q"), After: q.Get("after")}
	filter := invitation.Filter{State: page.State, Roster: page.Roster, Search: page.Search}
	if page.State == ending {
		filter.State, filter.Ending = "", true
	}
	id, lang := r.PathValue("id"), web.Lang(r)
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		all, err := invitation.List(tx, web.Actor(r), id, filter, page.After, invitation.PageMax)
		if err != nil {
			return err
		}
		if page.Company, err = organization.Get(tx, id); err != nil {
			return err
		}
		offers, err := application.AllOffers(tx)
		if err != nil {
			return err
		}
		for _, i := range all {
			page.Lines = append(page.Lines, line{i, kinds[i.State], names(offers, i.Roles, lang)})
		}
		if len(all) == invitation.PageMax { // there may be more; an empty page says that there is not
			page.More = page.query(all[len(all)-1].ID)
		}
		return nil
	})
	if err != nil {
		return err
	}
	page.States = []web.Option{{Text: p.text(r, "inviting.all_states")}, {Value: ending, Text: p.text(r, "inviting.state_ending"), Selected: page.State == ending}}
	for _, s := range invitation.States() {
		page.States = append(page.States, web.Option{Value: s, Text: p.text(r, "inviting.state."+s), Selected: s == page.State})
	}
	page.Back = p.back(page.Company)
	return p.Site.Show(w, r, f.Status(), templates, "list", page)
}

// First is the query of the first page of what is filtered.
func (l *listPage) First() string { return l.query("") }

func (l *listPage) query(after string) string {
	q := url.Values{}
	for name, v := range map[string]string{"after": after, "state": l.State, "roster": l.Roster, "q": l.Search} {
		if v != "" {
			q.Set(name, v)
		}
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}

func (p *Pages) remindAll(w http.ResponseWriter, r *http.Request) error {
	f, id := web.ReadForm(r), r.PathValue("id")
	var n int
	err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		n, err = invitation.RemindAll(tx, web.Actor(r), id, f.Text("roster"))
		return err
	})
	if err != nil {
		return err
	}
	to := "/organizations/" + id + "/invitations"
	if roster := f.Text("roster"); roster != "" {
		to += "?roster=" + url.QueryEscape(roster)
	}
	if n == 0 {
		return p.Site.Done(w, r, to, "inviting.nobody_to_remind")
	}
	return p.Site.Done(w, r, to, "inviting.reminded_all", n)
}

// onePage is all that one.html may use.
type onePage struct {
	web.Frame
	Form    *web.Form
	Company organization.Organization
	It      invitation.Invitation
	Kind    string
	Open    bool // it can still be accepted
	Late    bool // its time is over, and the job has not been there yet
	Roles   []named
	By      string
	Site    string
	Code    string        // of a slip, shown this once
	QR      template.HTML // that leads there
	Link    string
}

func (p *Pages) one(w http.ResponseWriter, r *http.Request) error {
	return p.showOne(w, r, web.NewForm(), "")
}

func (p *Pages) showOne(w http.ResponseWriter, r *http.Request, f *web.Form, code string) error {
	page := &onePage{Form: f, Code: code}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		if page.It, err = p.addressed(tx, r); err != nil {
			return err
		}
		page.Open = page.It.Open(tx.Now())
		page.Late = !page.Open && (page.It.State == invitation.Sent || page.It.State == invitation.Bounced)
		if page.Company, err = organization.Get(tx, page.It.Organization); err != nil {
			return err
		}
		offers, err := application.AllOffers(tx)
		if err != nil {
			return err
		}
		page.Roles = names(offers, page.It.Roles, web.Lang(r))
		if page.It.InvitedBy != "" {
			by, err := account.Get(tx, page.It.InvitedBy)
			if err != nil {
				return err
			}
			page.By = by.Name()
		}
		page.Site, err = invitation.SiteName(tx, page.It.Site)
		return err
	})
	if err != nil {
		return err
	}
	page.Kind = kinds[page.It.State]
	if page.Late {
		page.Kind, page.It.State = kinds[invitation.Expired], invitation.Expired
	}
	if code != "" {
		page.Link = p.Site.Base + "/invitations/code"
		svg, err := paper.QRSVG(p.Site.Base+invitation.SlipPath(code), p.text(r, "inviting.qr_alt"))
		if err != nil {
			return err
		}
		page.QR = template.HTML(svg) //nolint:gosec // made by us: one path and an escaped label
	}
	page.Back = web.Link{Text: p.text(r, "inviting.heading"), Href: "/organizations/" + page.Company.ID + "/invitations"}
	return p.Site.Show(w, r, f.Status(), templates, "one", page)
}

// addressed is the invitation of the address, which must be one of the company
// of the address.
func (p *Pages) addressed(tx *db.Tx, r *http.Request) (invitation.Invitation, error) {
	i, err := invitation.Look(tx, web.Actor(r), r.PathValue("invitation"))
	if err == nil && i.Organization != r.PathValue("id") {
		err = fault.NotFound()
	}
	return i, err
}

func (p *Pages) manage(w http.ResponseWriter, r *http.Request) error {
	f, by := web.ReadForm(r), web.Actor(r)
	do, code := f.Text("do"), ""
	var i invitation.Invitation
	if do == "slip" { // whoever holds the code of an admin's slip becomes one: the link in the mail asked for a proof, too
		err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) { i, err = p.addressed(tx, r); return err })
		if err != nil {
			return err
		}
		if i.Admin {
			if sure, err := p.Door.Sure(w, r); !sure {
				return err
			}
		}
	}
	err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		if i, err = p.addressed(tx, r); err != nil {
			return err
		}
		switch do {
		case "remind":
			return invitation.Remind(tx, by, i.ID)
		case "revoke":
			return invitation.Revoke(tx, by, i.ID)
		case "slip":
			code, err = invitation.Slip(tx, by, i.ID)
			return err
		}
		return fault.Invalid("", "web.form_unreadable")
	})
	if f.Take(err) {
		return p.showOne(w, r, f, "")
	}
	if err != nil {
		return err
	}
	list := "/organizations/" + i.Organization + "/invitations"
	switch do {
	case "remind":
		return p.Site.Done(w, r, list, "inviting.reminded", i.Email)
	case "revoke":
		return p.Site.Done(w, r, list, "inviting.revoked")
	}
	return p.showOne(w, r, f, code) // shown once, kept nowhere: there is no page to go to
}
