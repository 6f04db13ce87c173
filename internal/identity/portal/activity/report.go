package activity

import (
	"net/http"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/departure"
	"zunft/internal/identity/link"
	"zunft/internal/identity/visitor"
)

// reportPage is all that report.html may use.
type reportPage struct {
	web.Frame
	Form   *web.Form
	State  link.State
	UsedAt db.Time
	Token  string
	Locked bool // there is nothing to secure: it is locked already
	Mailed bool // secured; the link for a new password went to the address of today
}

func (p *Pages) askReport(w http.ResponseWriter, r *http.Request) error {
	page := &reportPage{Form: web.NewForm(), Token: r.PathValue("token")}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		l, err := link.Look(tx, link.Disavow, page.Token)
		if err != nil || l.State == link.Unknown {
			page.State = l.State
			return err
		}
		page.State, page.UsedAt = l.State, l.UsedAt
		a, err := account.Get(tx, l.Account)
		page.Locked = !departure.Disavowable(a)
		return err
	})
	if err != nil {
		return err
	}
	return p.showReport(w, r, page)
}

func (p *Pages) showReport(w http.ResponseWriter, r *http.Request, page *reportPage) error {
	status := visitor.LinkStatus(page.Form, page.State)
	if page.Mailed { // used a moment ago, by this very press
		status = http.StatusOK
	}
	return p.Site.Show(w, r, status, templates, "report", page)
}

// report secures the account and leads straight to the new password.
func (p *Pages) report(w http.ResponseWriter, r *http.Request) error {
	var done departure.Secured
	err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		done, err = departure.Disavow(tx, web.Actor(r), r.PathValue("token"))
		return err
	})
	if fault.Is(err, fault.KindConflict) { // used, expired, or locked meanwhile: the page says which
		return p.askReport(w, r)
	}
	if err != nil {
		return err
	}
	if v := visitor.Of(r); v != nil && v.Account.ID == done.Account.ID {
		p.Door.SignOut(w)
	}
	if done.Token == "" {
		return p.showReport(w, r, &reportPage{Form: web.NewForm(), Mailed: true})
	}
	return p.Site.Done(w, r, "/recover/password/"+done.Token, "activity.secured")
}
