package inviting

import (
	"net/http"
	"net/url"

	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/identity/application"
	"zunft/internal/identity/invitation"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/visitor"
)

// lookCode asks for the code of a slip, or shows what it opens.
func (p *Pages) lookCode(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadQuery(r)
	if f.Text("code") == "" {
		return p.showCode(w, r, web.NewForm())
	}
	return p.showSlip(w, r, f)
}

// codePage is all that code.html may use.
type codePage struct {
	web.Frame
	Form *web.Form
}

func (p *Pages) showCode(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	return p.Site.Show(w, r, f.Status(), templates, "code", &codePage{Form: f})
}

func (p *Pages) showSlip(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	page := &answerPage{Form: f, Action: "/invitations/code", Offer: choose, Code: f.Text("code")}
	page.Here = invitation.SlipPath(url.QueryEscape(page.Code))
	err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) { // a code that opens nothing is counted
		if page.It, err = invitation.ByCode(tx, web.Actor(r), page.Code); err != nil {
			return err
		}
		return page.fill(tx, r)
	})
	if err != nil && f.Take(err) {
		return p.showCode(w, r, f)
	}
	if err != nil {
		return err
	}
	if visitor.Of(r) != nil && page.Offer == choose {
		page.Offer = accept
	}
	return p.Site.Show(w, r, page.status(), templates, "answer", page)
}

func (p *Pages) answerCode(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	switch v := visitor.Of(r); {
	case f.Text("do") != "accept":
		return web.See(w, r, invitation.SlipPath(url.QueryEscape(f.Text("code"))))
	case v == nil:
		return web.See(w, r, "/login?next="+url.QueryEscape(invitation.SlipPath(url.QueryEscape(f.Text("code")))))
	}
	return p.joined(w, r, f, func(tx *db.Tx) (invitation.Invitation, error) {
		return invitation.AcceptSlip(tx, web.Actor(r), f.Text("code"))
	}, p.showCode)
}

// minePage is all that mine.html may use.
type minePage struct {
	web.Frame
	Form *web.Form
	Open []waiting
}

// waiting is an invitation to the person who is signed in.
type waiting struct {
	invitation.Invitation
	Company string
	Roles   []named
}

func (p *Pages) mine(w http.ResponseWriter, r *http.Request) error {
	return p.showMine(w, r, web.NewForm())
}

func (p *Pages) showMine(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	page := &minePage{Form: f}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		all, err := invitation.Waiting(tx, web.Actor(r).Account)
		if err != nil {
			return err
		}
		offers, err := application.AllOffers(tx)
		if err != nil {
			return err
		}
		var ids []string
		for _, i := range all {
			ids = append(ids, i.Organization)
		}
		companies, err := organization.GetMany(tx, ids)
		for _, i := range all {
			page.Open = append(page.Open, waiting{i, companies[i.Organization].Name, names(offers, i.Roles, web.Lang(r))})
		}
		return err
	})
	if err != nil {
		return err
	}
	page.Back = web.Link{Text: p.text(r, "inviting.account"), Href: "/account"}
	return p.Site.Show(w, r, f.Status(), templates, "mine", page)
}

func (p *Pages) answerMine(w http.ResponseWriter, r *http.Request) error {
	f, by, id := web.ReadForm(r), web.Actor(r), r.PathValue("invitation")
	if f.Text("do") == "decline" {
		err := p.DB.Write(r.Context(), func(tx *db.Tx) error { return invitation.Decline(tx, by, id) })
		if f.Take(err) {
			return p.showMine(w, r, f)
		}
		if err != nil {
			return err
		}
		return p.Site.Done(w, r, "/account/invitations", "inviting.declined")
	}
	return p.joined(w, r, f, func(tx *db.Tx) (invitation.Invitation, error) { return invitation.Accept(tx, by, id) }, p.showMine)
}
