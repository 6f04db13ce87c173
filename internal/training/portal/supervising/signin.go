package supervising

import (
	"net/http"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/training/supervisor"
)

// startPage is the form (S45).
type startPage struct {
	web.Frame
	Form   *web.Form
	Report string // id of the one that a mail led to
}

func (p *Pages) showStart(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	return p.Site.Show(w, r, f.Status(), templates, "start", &startPage{Form: f, Report: f.Text("report")})
}

func (p *Pages) signIn(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	if f.Text("email") == "" {
		f.Add("email", "supervisor.email_missing")
	}
	if f.Text("pin") == "" {
		f.Add("pin", "supervising.pin_missing")
	}
	if !f.OK() {
		return p.showStart(w, r, f)
	}
	token := ""
	err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		token, err = supervisor.SignIn(tx, web.Actor(r), f.Text("email"), f.Text("pin"))
		return err
	})
	if f.Take(err) {
		f.Values.Del("pin")
		return p.showStart(w, r, f)
	}
	if err != nil {
		return err
	}
	p.Site.SetCookie(w, cookie, token, 0)
	to := "/supervisor"
	if id := f.Text("report"); isID(id) {
		to += "/reports/" + id
	}
	return web.See(w, r, to)
}

func (p *Pages) leave(w http.ResponseWriter, r *http.Request, _ supervisor.Session, by audit.Actor) error {
	if err := p.DB.Write(r.Context(), func(tx *db.Tx) error { return supervisor.End(tx, by) }); err != nil {
		return err
	}
	p.Site.SetCookie(w, cookie, "", -1)
	return p.Site.Done(w, r, "/supervisor", "supervising.left")
}

// pinPage asks for the address a new PIN goes to.
type pinPage struct {
	web.Frame
	Form *web.Form
}

func (p *Pages) askPIN(w http.ResponseWriter, r *http.Request) error {
	return p.showPIN(w, r, web.NewForm())
}

func (p *Pages) showPIN(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	v := &pinPage{Form: f}
	v.Back = web.Link{Text: p.text(r)("supervising.title"), Href: "/supervisor"}
	return p.Site.Show(w, r, f.Status(), templates, "pin", v)
}

func (p *Pages) newPIN(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error { return supervisor.NewPIN(tx, web.Actor(r), f.Text("email")) })
	if f.Take(err) {
		return p.showPIN(w, r, f)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/supervisor", "supervising.pin_sent")
}
