package activity

import (
	"net/http"
	"slices"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/identity/notice"
	"zunft/internal/identity/visitor"
)

// choicesPage is all that choices.html may use.
type choicesPage struct {
	web.Frame
	Form   *web.Form
	Email  string
	Topics []web.Option
}

func (p *Pages) choices(w http.ResponseWriter, r *http.Request) error {
	page := &choicesPage{Frame: p.frame(r), Form: web.NewForm(), Email: visitor.Of(r).Account.Email}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		chosen, err := notice.Choices(tx, web.Actor(r).Account)
		for _, t := range notice.Topics() {
			key := "activity.topic." + string(t)
			page.Topics = append(page.Topics, web.Option{Value: string(t), Text: p.text(r, key), Hint: p.text(r, key+"_hint"), Selected: chosen[t]})
		}
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "choices", page)
}

// choose needs no proof: nothing that concerns security can be switched off here.
func (p *Pages) choose(w http.ResponseWriter, r *http.Request) error {
	ticked := web.ReadForm(r).All("topics")
	chosen := map[notice.Topic]bool{}
	for _, t := range notice.Topics() {
		chosen[t] = slices.Contains(ticked, string(t))
	}
	by := web.Actor(r)
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		if err := notice.Choose(tx, by.Account, chosen); err != nil {
			return err
		}
		return audit.Record(tx, by, audit.Entry{Event: "account.mails_chosen", Account: by.Account})
	})
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/account/notifications", "activity.choices_saved")
}
