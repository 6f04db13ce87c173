package profile

import (
	"net/http"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/address"
	"zunft/internal/identity/link"
	"zunft/internal/identity/session"
	"zunft/internal/identity/visitor"
)

// emailsPage is all that emails.html may use.
type emailsPage struct {
	web.Frame
	Form     *web.Form
	Main     string
	Further  []address.Further
	Most     int
	Asked    string         // the new main address that has not answered yet
	Waiting  string         // the address whose code can be typed in this session
	Undoable address.Change // zero: none
}

// More reports whether another address may be added.
func (e *emailsPage) More() bool { return len(e.Further) < e.Most }

func (p *Pages) back(r *http.Request, key, href string) web.Frame {
	return web.Frame{Back: web.Link{Text: p.Site.Catalog.Text(web.Lang(r), key), Href: href}}
}

func (p *Pages) emails(w http.ResponseWriter, r *http.Request) error {
	return p.showEmails(w, r, web.NewForm())
}

func (p *Pages) showEmails(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	page := &emailsPage{Frame: p.back(r, "profile.heading", "/account"), Form: f, Most: account.MaxFurther}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		a, err := account.Get(tx, visitor.Of(r).Account.ID)
		if err != nil {
			return err
		}
		page.Main = a.Email
		if page.Further, err = address.List(tx, a.ID); err != nil {
			return err
		}
		asked, err := address.Asked(tx, a.ID)
		if err != nil && !fault.Is(err, fault.KindNotFound) {
			return err
		}
		page.Asked = asked.NewEmail
		waiting, err := address.Waiting(tx, web.Actor(r).Session)
		if err != nil && !fault.Is(err, fault.KindConflict) {
			return err
		}
		page.Waiting = waiting.Email
		page.Undoable, err = address.Undoable(tx, a.ID)
		if fault.Is(err, fault.KindNotFound) {
			err = nil
		}
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, f.Status(), templates, "emails", page)
}

// changeEmails is what the buttons beside the addresses do.
func (p *Pages) changeEmails(w http.ResponseWriter, r *http.Request) error {
	if sure, err := p.Door.Sure(w, r); !sure {
		return err
	}
	f, by := web.ReadForm(r), web.Actor(r)
	to, phrase := "/account/emails", ""
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		switch f.Text("do") {
		case "remove":
			phrase = "profile.email_removed"
			return address.Remove(tx, by, f.Text("email"))
		case "again":
			to, phrase = "/account/emails/confirm", "profile.code_sent"
			return address.Again(tx, by, f.Text("email"))
		case "main":
			done, err := address.AskChange(tx, by, f.Text("email"))
			phrase = "profile.email_changed"
			if !done {
				to, phrase = "/account/emails/confirm", "profile.code_sent"
			}
			return err
		case "main_again":
			to, phrase = "/account/emails/confirm", "profile.code_sent"
			return address.AskAgain(tx, by)
		case "withdraw":
			phrase = "profile.email_withdrawn"
			return address.Withdraw(tx, by)
		}
		return fault.Invalid("", "web.form_unreadable")
	})
	if f.Take(err) {
		return p.showEmails(w, r, f)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, to, phrase)
}

// emailPage is all that email.html may use.
type emailPage struct {
	web.Frame
	Form *web.Form
	Main bool   // the main address is to change; else a further one is added
	Old  string // main address of now
}

func (p *Pages) askEmail(w http.ResponseWriter, r *http.Request) error {
	if sure, err := p.Door.Sure(w, r); !sure {
		return err
	}
	return p.showEmail(w, r, web.NewForm())
}

func (p *Pages) showEmail(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	return p.Site.Show(w, r, f.Status(), templates, "email", &emailPage{
		Frame: p.back(r, "profile.emails", "/account/emails"), Form: f, Main: r.URL.Path == "/account/emails/main", Old: visitor.Of(r).Account.Email,
	})
}

// addEmail and changeMain take the address; its mailbox has the next word.
func (p *Pages) addEmail(w http.ResponseWriter, r *http.Request) error {
	return p.takeEmail(w, r, func(tx *db.Tx, typed string) (bool, error) { return false, address.Add(tx, web.Actor(r), typed) })
}

func (p *Pages) changeMain(w http.ResponseWriter, r *http.Request) error {
	return p.takeEmail(w, r, func(tx *db.Tx, typed string) (bool, error) { return address.AskChange(tx, web.Actor(r), typed) })
}

func (p *Pages) takeEmail(w http.ResponseWriter, r *http.Request, take func(*db.Tx, string) (done bool, err error)) error {
	if sure, err := p.Door.Sure(w, r); !sure {
		return err
	}
	f, done := web.ReadForm(r), false
	err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		done, err = take(tx, f.Text("email"))
		return err
	})
	if f.Take(err) {
		return p.showEmail(w, r, f)
	}
	if err != nil {
		return err
	}
	if done {
		return p.Site.Done(w, r, "/account/emails", "profile.email_changed")
	}
	return web.See(w, r, "/account/emails/confirm")
}

// codePage is all that code.html may use.
type codePage struct {
	web.Frame
	Form  *web.Form
	Email string // empty: nothing waits in this session
	Main  bool
}

func (p *Pages) askCode(w http.ResponseWriter, r *http.Request) error {
	return p.showCode(w, r, web.NewForm())
}

func (p *Pages) showCode(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	page := &codePage{Frame: p.back(r, "profile.emails", "/account/emails"), Form: f}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		q, err := address.Waiting(tx, web.Actor(r).Session)
		page.Email, page.Main = q.Email, q.Main
		return err
	})
	if err != nil && fault.Of(err) == nil {
		return err
	}
	return p.Site.Show(w, r, f.Status(), templates, "code", page)
}

func (p *Pages) code(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	var q address.Request
	err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		q, err = address.ConfirmByCode(tx, web.Actor(r), f.Text("code"))
		return err
	})
	if f.Take(err) {
		f.Values.Del("code")
		return p.showCode(w, r, f)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/account/emails", confirmed(q))
}

func confirmed(q address.Request) string {
	if q.Main {
		return "profile.email_changed"
	}
	return "profile.email_confirmed"
}

// linkPage is all that link.html may use.
type linkPage struct {
	web.Frame
	Form   *web.Form
	State  link.State
	UsedAt db.Time
	Email  string
	Main   bool
	Name   string
	Token  string
}

// askLink shows what the link of a mail is for; it changes nothing (mail scanners).
func (p *Pages) askLink(w http.ResponseWriter, r *http.Request) error {
	return p.showLink(w, r, web.NewForm())
}

func (p *Pages) showLink(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	var q address.Request
	if err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		q, err = address.Look(tx, r.PathValue("token"))
		return err
	}); err != nil {
		return err
	}
	if q.State == link.Open && (q.Email == "" || q.Account.State != account.Active) {
		q.State = link.Void
	}
	page := &linkPage{Form: f, State: q.State, UsedAt: q.UsedAt, Token: r.PathValue("token")}
	if q.State == link.Open {
		page.Email, page.Main, page.Name = q.Email, q.Main, q.Account.Name()
	}
	return p.Site.Show(w, r, visitor.LinkStatus(f, q.State), templates, "link", page)
}

func (p *Pages) useLink(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	var q address.Request
	err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		q, err = address.Confirm(tx, web.Actor(r), r.PathValue("token"))
		return err
	})
	if f.Take(err) {
		return p.showLink(w, r, f)
	}
	if err != nil {
		return err
	}
	to := "/login"
	if v := visitor.Of(r); v != nil {
		to = "/"
		if v.Account.ID == q.Account.ID {
			to = "/account/emails"
		}
	}
	return p.Site.Done(w, r, to, confirmed(q))
}

// undoPage is all that undo.html may use.
type undoPage struct {
	web.Frame
	Form     *web.Form
	State    link.State
	UsedAt   db.Time
	Old, New string
	At       db.Time
	Token    string
}

func (p *Pages) askUndo(w http.ResponseWriter, r *http.Request) error {
	return p.showUndo(w, r, web.NewForm())
}

func (p *Pages) showUndo(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	var u address.Undoing
	if err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		u, err = address.LookUndo(tx, r.PathValue("token"))
		return err
	}); err != nil {
		return err
	}
	return p.Site.Show(w, r, visitor.LinkStatus(f, u.State), templates, "undo", &undoPage{
		Form: f, State: u.State, UsedAt: u.UsedAt, Old: u.Change.OldEmail, New: u.Change.NewEmail, At: u.Change.DoneAt, Token: r.PathValue("token"),
	})
}

// undo takes the change back; who holds the link has proved the old mailbox, so
// the form for a new password comes next.
func (p *Pages) undo(w http.ResponseWriter, r *http.Request) error {
	f, password := web.ReadForm(r), ""
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		by := web.Actor(r)
		a, token, err := address.Undo(tx, by, r.PathValue("token"))
		if err != nil {
			return err
		}
		password = token
		by.Account = a.ID
		return session.EndAll(tx, by, a.ID, "")
	})
	if f.Take(err) {
		return p.showUndo(w, r, f)
	}
	if err != nil {
		return err
	}
	if password == "" {
		return p.Site.Done(w, r, "/login", "profile.email_undone_locked")
	}
	return p.Site.Done(w, r, "/recover/password/"+password, "profile.email_undone")
}
