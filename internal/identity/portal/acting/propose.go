package acting

import (
	"net/http"
	"strings"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/mail"
	"zunft/internal/ground/web"
	"zunft/internal/identity/application"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/mandate"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/organization"
)

// Ways to propose a mandate.
const (
	toPerson  = "person"  // let a person act
	toCompany = "company" // let another company act
	offer     = "offer"   // act for another company oneself
)

// proposePage is the form for all three.
type proposePage struct {
	web.Frame
	Form    *web.Form
	Company organization.Organization // empty: a person offers themselves
	To      string
	Here    string
	Roles   []web.Option
	Approve bool // the chamber looks at it before it holds
}

func (p *Pages) propose(w http.ResponseWriter, r *http.Request) error {
	to := r.URL.Query().Get("to")
	if to != offer && r.PathValue("id") != "" { // to give power, prove who you are before you fill anything in
		if sure, err := p.Door.Sure(w, r); !sure {
			return err
		}
	}
	now := p.DB.Now().In(mail.Berlin)
	return p.showPropose(w, r, web.NewForm("first", now.Format(time.DateOnly), "last", now.AddDate(1, 0, -1).Format(time.DateOnly)), to)
}

func (p *Pages) showPropose(w http.ResponseWriter, r *http.Request, f *web.Form, to string) error {
	id := r.PathValue("id")
	page := &proposePage{Form: f, To: to, Here: r.URL.Path}
	if to != toCompany && to != offer {
		page.To = toPerson
	}
	if id == "" {
		page.To = offer
		page.Back = web.Link{Text: p.text(r, "acting.mandates"), Href: "/account/mandates"}
	} else {
		page.Back = web.Link{Text: p.text(r, "acting.mandates"), Href: "/organizations/" + id + "/mandates"}
	}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		if id != "" {
			if err := membership.MustAdminister(tx, web.Actor(r), id); err != nil {
				return err
			}
			if page.Company, err = organization.Get(tx, id); err != nil {
				return err
			}
			s, err := chamber.SettingsOf(tx, page.Company.Chamber)
			if err != nil {
				return err
			}
			page.Approve = s.MandateApproval && page.To != offer
		}
		offers, err := application.AllOffers(tx)
		if err != nil {
			return err
		}
		for _, o := range offers.WithRoles() {
			for _, role := range o.Roles {
				page.Roles = append(page.Roles, web.Option{Value: o.Application.ID + "/" + role.Key, Text: role.Name(web.Lang(r)) + " (" + o.Application.Name + ")", Hint: role.Description(web.Lang(r))})
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, f.Status(), templates, "propose", page)
}

// day reads a date as a date field sends it, or as people write it.
func day(typed string) db.Time {
	for _, layout := range []string{time.DateOnly, "2.1.2006", "2/1/2006"} {
		if t, err := time.Parse(layout, strings.ReplaceAll(typed, " ", "")); err == nil && t.Year() > 2000 && t.Year() < 2200 {
			return mandate.Day(t.Year(), t.Month(), t.Day())
		}
	}
	return db.Time{}
}

func (p *Pages) doPropose(w http.ResponseWriter, r *http.Request) error {
	f, id := web.ReadForm(r), r.PathValue("id")
	to := f.Text("to")
	if to != offer && id != "" { // it gives power
		if sure, err := p.Door.Sure(w, r); !sure {
			return err
		}
	}
	wish := mandate.Wish{Note: f.Lines("note"), First: day(f.Text("first")), Last: day(f.Text("last"))}
	side := mandate.ForPrincipal
	switch {
	case to == offer || id == "":
		side = mandate.ForRepresentative
		wish.IdentNumber, wish.ChamberNumber = f.Text("ident_number"), f.Text("chamber_number")
	case to == toCompany:
		wish.Company, wish.IdentNumber, wish.ChamberNumber = true, f.Text("ident_number"), f.Text("chamber_number")
	default:
		wish.Email = f.Text("email")
	}
	for _, value := range f.All("roles") {
		applicationID, key, _ := strings.Cut(value, "/")
		wish.Roles = append(wish.Roles, membership.Role{Application: applicationID, Key: key})
	}
	var m mandate.Mandate
	err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		m, err = mandate.Propose(tx, web.Actor(r), side, id, wish)
		return err
	})
	if f.Take(err) {
		return p.showPropose(w, r, f, to)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/mandates/"+m.ID, "acting.proposed")
}
