package leaving

import (
	"net/http"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/mail"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/departure"
	"zunft/internal/identity/factor"
	"zunft/internal/identity/link"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/openid"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/visitor"
)

// deletePage is all that delete.html may use.
type deletePage struct {
	web.Frame
	Form   *web.Form
	Only   []organization.Organization // that would be left without an admin (L06)
	Member []string                    // names of the others
	At     db.Time                     // when it would be done
}

// askDelete shows what stands in the way, or what will happen, before any proof
// is asked: reading about it changes nothing.
func (p *Pages) askDelete(w http.ResponseWriter, r *http.Request) error {
	return p.showDelete(w, r, web.NewForm())
}

func (p *Pages) showDelete(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	page := &deletePage{Frame: p.account(r), Form: f}
	person := web.Actor(r).Account
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		page.At = tx.Now().Add(departure.Grace)
		only, err := membership.OnlyAdminOf(tx, person)
		if err != nil {
			return err
		}
		all, err := membership.Of(tx, person)
		if err != nil {
			return err
		}
		var ids []string
		for _, m := range all {
			ids = append(ids, m.Organization)
		}
		names, err := organization.GetMany(tx, ids)
		for _, id := range only {
			page.Only = append(page.Only, names[id])
			delete(names, id)
		}
		for _, id := range ids {
			if o, ok := names[id]; ok {
				page.Member = append(page.Member, o.Name)
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, f.Status(), templates, "delete", page)
}

func (p *Pages) delete(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	if !f.Checked("sure") {
		f.Add("sure", "leaving.sure_missing")
		return p.showDelete(w, r, f)
	}
	if sure, err := p.Door.Sure(w, r); !sure {
		return err
	}
	var at db.Time
	err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		by := web.Actor(r)
		if at, err = departure.Ask(tx, by); err != nil {
			return err
		}
		return openid.DisconnectAll(tx, by, by.Account, "leaving")
	})
	if f.Take(err) {
		return p.showDelete(w, r, f)
	}
	if err != nil {
		return err
	}
	p.Door.SignOut(w)
	return p.Site.Done(w, r, "/logged-out", "leaving.going", at.In(mail.Berlin).Format("02.01.2006"))
}

// keepPage is all that keep.html may use.
type keepPage struct {
	web.Frame
	Form     *web.Form
	State    link.State
	Token    string
	DeleteAt db.Time // zero: it was announced, and has no day yet
	Back     bool    // signing in; no link
}

func (p *Pages) askKeep(w http.ResponseWriter, r *http.Request) error {
	page := &keepPage{Form: web.NewForm(), Token: r.PathValue("token")}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		l, at, err := departure.KeepLink(tx, page.Token)
		page.State, page.DeleteAt = l.State, at
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, visitor.LinkStatus(nil, page.State), templates, "keep", page)
}

func (p *Pages) keep(w http.ResponseWriter, r *http.Request) error {
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		_, err := departure.Keep(tx, web.Actor(r), r.PathValue("token"))
		return err
	})
	if fault.Is(err, fault.KindConflict) { // used or too late: the page says which
		return p.askKeep(w, r)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/login", "leaving.kept")
}

// askBack is a step of the sign-in: whoever signs in while their account is
// going may have thought better of it.
func (p *Pages) askBack(w http.ResponseWriter, r *http.Request) error {
	v := visitor.Pending(r)
	if v == nil || v.Account.DeleteAt.IsZero() {
		return web.See(w, r, "/login/next")
	}
	if p.AllowNext != nil {
		p.AllowNext(w, r, v.Session.Next)
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "keep", &keepPage{Form: web.NewForm(), State: link.Open, DeleteAt: v.Account.DeleteAt, Back: true})
}

func (p *Pages) back(w http.ResponseWriter, r *http.Request) error {
	v := visitor.Pending(r)
	if v == nil {
		return web.See(w, r, "/login/next")
	}
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		by := web.Actor(r)
		by.Account, by.Session = v.Account.ID, v.Session.ID
		a, err := account.Get(tx, by.Account)
		if err != nil || a.DeleteAt.IsZero() { // kept in another tab
			return err
		}
		// A second factor comes first, as the dispatcher orders it.
		if need, err := factor.Due(tx, a, v.Session); err != nil || need.Prove || need.SetUp {
			return err
		}
		_, err = departure.KeepOwn(tx, by)
		return err
	})
	if err != nil {
		return err
	}
	return web.See(w, r, "/login/next")
}
