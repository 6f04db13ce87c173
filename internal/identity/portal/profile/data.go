package profile

import (
	"net/http"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/correction"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/visitor"
)

// dataPage is all that data.html may use.
type dataPage struct {
	web.Frame
	Account    account.Account
	Numbers    []account.Number
	Chamber    string                // "meine IHK", if one was chosen
	Answers    []Answer              // to the questions of their sign-up profile
	Correction correction.Correction // the newest; zero: none
}

// data is "Meine persönlichen Daten" (R149, R150).
func (p *Pages) data(w http.ResponseWriter, r *http.Request) error {
	page := &dataPage{Frame: p.back(r, "profile.heading", "/account")}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		if page.Account, err = account.Get(tx, visitor.Of(r).Account.ID); err != nil {
			return err
		}
		if page.Numbers, err = account.Numbers(tx, page.Account.ID); err != nil {
			return err
		}
		if page.Answers, err = p.answers(tx, r, page.Account); err != nil {
			return err
		}
		if id := page.Account.Chamber; id != "" {
			c, err := chamber.Get(tx, id)
			if err != nil && !fault.Is(err, fault.KindNotFound) {
				return err
			}
			page.Chamber = c.Name
		}
		if page.Correction, err = correction.Latest(tx, page.Account.ID); fault.Is(err, fault.KindNotFound) {
			err = nil
		}
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "data", page)
}

// editPage is all that edit.html may use.
type editPage struct {
	web.Frame
	Form        *web.Form
	Account     account.Account
	Salutations []web.Option
	Languages   []web.Option
	Questions   []Question
}

// edit comes after the proof that it is them (R151, R160).
func (p *Pages) edit(w http.ResponseWriter, r *http.Request) error {
	if sure, err := p.Door.Sure(w, r); !sure {
		return err
	}
	a := visitor.Of(r).Account
	f := web.NewForm("salutation", a.Salutation, "title", a.Title, "given_name", a.GivenName, "family_name", a.FamilyName, "username", a.Username, "language", a.Language)
	if err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		given, err := account.AnswersOf(tx, a.ID)
		for name, v := range given.Profile {
			f.Values.Set(name, v)
		}
		return err
	}); err != nil {
		return err
	}
	return p.showEdit(w, r, f)
}

func (p *Pages) showEdit(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	text := func(key string) string { return p.Site.Catalog.Text(web.Lang(r), key) }
	var steps []policy.Step
	if err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) { steps, err = asked(tx, visitor.Of(r).Account); return err }); err != nil {
		return err
	}
	return p.Site.Show(w, r, f.Status(), templates, "edit", &editPage{
		Frame: p.back(r, "profile.data", "/account/profile"), Form: f, Account: visitor.Of(r).Account, Questions: p.questions(r, f, steps),
		Salutations: []web.Option{{Value: "ms", Text: text("profile.ms")}, {Value: "mr", Text: text("profile.mr")}, {Value: "", Text: text("profile.no_salutation")}},
		Languages:   []web.Option{{Value: "de", Text: text("web.language_de")}, {Value: "en", Text: text("web.language_en")}},
	})
}

func (p *Pages) save(w http.ResponseWriter, r *http.Request) error {
	if sure, err := p.Door.Sure(w, r); !sure {
		return err
	}
	f, changed := web.ReadForm(r), false
	err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		_, changed, err = account.ChangePerson(tx, web.Actor(r), account.Person{
			Salutation: f.Text("salutation"), Title: f.Text("title"), GivenName: f.Text("given_name"), FamilyName: f.Text("family_name"),
			Username: f.Text("username"), Language: f.Text("language"),
		})
		if err != nil {
			return err
		}
		answered, err := changeAnswers(tx, r, f.Values)
		changed = changed || answered
		return err
	})
	if f.Take(err) {
		return p.showEdit(w, r, f)
	}
	if err != nil {
		return err
	}
	if !changed {
		return p.Site.Done(w, r, "/account/profile", "profile.nothing_changed")
	}
	return p.Site.Done(w, r, "/account/profile", "profile.data_changed") // R175
}
