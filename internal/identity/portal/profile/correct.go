package profile

import (
	"cmp"
	"net/http"

	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/correction"
	"zunft/internal/identity/visitor"
)

// correctPage is all that correct.html may use.
type correctPage struct {
	web.Frame
	Form     *web.Form
	Account  account.Account
	Chambers []web.Option
}

// askCorrection is for names that come from a contract or an eID (R217–R220).
func (p *Pages) askCorrection(w http.ResponseWriter, r *http.Request) error {
	if sure, err := p.Door.Sure(w, r); !sure {
		return err
	}
	a := visitor.Of(r).Account
	if !a.NameFixed() {
		return web.See(w, r, "/account/profile/edit")
	}
	return p.showCorrection(w, r, web.NewForm("title", a.Title, "given_name", a.GivenName, "family_name", a.FamilyName))
}

func (p *Pages) showCorrection(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	page := &correctPage{Frame: p.back(r, "profile.data", "/account/profile"), Form: f, Account: visitor.Of(r).Account}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		numbers, err := account.Numbers(tx, page.Account.ID)
		if err != nil {
			return err
		}
		all, err := chamber.Current(tx)
		// The chamber that gave a number registered the contract.
		for _, c := range all {
			own := c.ID == page.Account.Chamber || len(all) == 1
			for _, n := range numbers {
				own = own || n.Chamber == c.Number
			}
			page.Chambers = append(page.Chambers, web.Option{Value: c.ID, Text: c.Name, Selected: own})
		}
		return err
	})
	if err != nil {
		return err
	}
	page.Chambers = append([]web.Option{{Text: p.Site.Catalog.Text(web.Lang(r), "profile.choose")}}, page.Chambers...)
	return p.Site.Show(w, r, f.Status(), templates, "correct", page)
}

func (p *Pages) correct(w http.ResponseWriter, r *http.Request) error {
	if sure, err := p.Door.Sure(w, r); !sure {
		return err
	}
	f := web.ReadForm(r)
	var c correction.Correction
	phrase := "profile.correction_sent"
	err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		if id := f.Text("withdraw"); id != "" {
			phrase = "profile.correction_withdrawn"
			return correction.Withdraw(tx, web.Actor(r), id)
		}
		c, err = correction.Submit(tx, web.Actor(r), correction.Wish{
			Chamber: f.Text("chamber"), Title: f.Text("title"), GivenName: f.Text("given_name"), FamilyName: f.Text("family_name"), Reason: f.Lines("reason"),
		})
		return err
	})
	if f.Take(err) {
		return p.showCorrection(w, r, f)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/account/profile", phrase, cmp.Or(c.Reference, f.Text("reference")))
}
