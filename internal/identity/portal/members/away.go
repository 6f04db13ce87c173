package members

import (
	"net/http"

	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/request"
)

// awayPage is an admin's absence, and who stands in.
type awayPage struct {
	web.Frame
	Form     *web.Form
	Company  organization.Organization
	Away     request.Absence
	Deputies []web.Option
}

func (p *Pages) away(w http.ResponseWriter, r *http.Request) error { return p.showAway(w, r, nil) }

func (p *Pages) showAway(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	page := &awayPage{Form: f}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		by, id := web.Actor(r), r.PathValue("id")
		if err = membership.MustAdminister(tx, by, id); err != nil {
			return err
		}
		if page.Company, err = organization.Get(tx, id); err != nil {
			return err
		}
		if page.Away, err = request.AwayOf(tx, id, by.Account); err != nil {
			return err
		}
		page.Deputies, err = otherAdmins(tx, id, by.Account, p.text(r, "members.all_others"), page.Away.Deputy)
		return err
	})
	if err != nil {
		return err
	}
	if f == nil {
		page.Form = web.NewForm("from", dayOf(page.Away.From), "until", dayOf(page.Away.Until))
	}
	page.Back = p.back(r, page.Company)
	return p.Site.Show(w, r, page.Form.Status(), templates, "away", page)
}

// otherAdmins offers the admins beside one, after the option that means none of them.
func otherAdmins(tx *db.Tx, organizationID, but, none, chosen string) ([]web.Option, error) {
	ids, err := membership.Admins(tx, organizationID)
	if err != nil {
		return nil, err
	}
	people, err := account.GetMany(tx, ids)
	options := []web.Option{{Text: none, Selected: chosen == ""}}
	for _, id := range ids {
		if id != but {
			options = append(options, web.Option{Value: id, Text: people[id].Name(), Selected: id == chosen})
		}
	}
	return options, err
}

func (p *Pages) setAway(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	a := request.Absence{From: begin(f, "from"), Until: end(f, "until"), Deputy: f.Text("deputy")}
	if !f.OK() {
		return p.showAway(w, r, f)
	}
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error { return request.SetAway(tx, web.Actor(r), r.PathValue("id"), a) })
	if f.Take(err) {
		return p.showAway(w, r, f)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/organizations/"+r.PathValue("id"), "members.away_saved")
}

func (p *Pages) endAway(w http.ResponseWriter, r *http.Request) error {
	if err := p.DB.Write(r.Context(), func(tx *db.Tx) error { return request.EndAway(tx, web.Actor(r), r.PathValue("id")) }); err != nil {
		return err
	}
	return p.Site.Done(w, r, "/organizations/"+r.PathValue("id"), "members.back_again")
}
