package operator

import (
	"net/http"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/clerk"
)

// usersPage is all that users.html may use.
type usersPage struct {
	web.Frame
	Form      *web.Form
	Operators []operatorLine
}

type operatorLine struct {
	Account, Name, Username string
	Since                   db.Time
	Self                    bool
}

func (p *Pages) users(w http.ResponseWriter, r *http.Request) error {
	return p.showUsers(w, r, web.NewForm())
}

func (p *Pages) showUsers(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	page := &usersPage{Frame: p.back(p.text(r, "operator.title"), "/admin"), Form: f}
	by := web.Actor(r)
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		all, err := chamber.Operators(tx, by)
		if err != nil {
			return err
		}
		var ids []string
		for _, e := range all {
			ids = append(ids, e.Account)
		}
		people, err := account.GetMany(tx, ids)
		for _, e := range all {
			a := people[e.Account]
			page.Operators = append(page.Operators, operatorLine{e.Account, a.Name(), a.Username, e.Since, e.Account == by.Account})
		}
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, f.Status(), templates, "users", page)
}

// find is the active account that somebody typed a name or address of.
func find(tx *db.Tx, login string) (account.Account, error) {
	a, err := account.ByLogin(tx, login)
	if fault.Is(err, fault.KindNotFound) || err == nil && a.State == account.Deleted {
		err = fault.Invalid("login", "operator.nobody")
	}
	return a, err
}

func (p *Pages) changeUsers(w http.ResponseWriter, r *http.Request) error {
	f, by := web.ReadForm(r), web.Actor(r)
	var a account.Account
	done := "operator.user_added"
	err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		if f.Text("do") == "remove" {
			done = "operator.user_removed"
			if a, err = account.Get(tx, f.Text("account")); err != nil {
				return err
			}
			return clerk.RemoveOperator(tx, by, a)
		}
		if a, err = find(tx, f.Text("login")); err != nil {
			return err
		}
		if a.State != account.Active { // locked, or on its way out: nobody to run the installation
			return fault.Invalid("login", "operator.nobody")
		}
		return clerk.AddOperator(tx, by, a)
	})
	if f.Take(err) {
		return p.showUsers(w, r, f)
	}
	if err != nil {
		return err
	}
	to := "/admin/users"
	if f.Text("do") == "remove" && a.ID == by.Account {
		to = "/"
	}
	return p.Site.Done(w, r, to, done, a.Name())
}
