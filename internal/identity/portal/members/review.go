package members

import (
	"net/http"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/application"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/organization"
)

const reviewSize = 20

// reviewPage asks about each member: still right? (ux.md 4, no. 21)
type reviewPage struct {
	web.Frame
	Form    *web.Form
	Company organization.Organization
	Review  membership.Review
	Members []reviewed
	More    bool
}

type reviewed struct {
	membership.Listed
	Held    []held
	Options []web.Option
}

func (p *Pages) review(w http.ResponseWriter, r *http.Request) error {
	return p.showReview(w, r, web.NewForm())
}

func (p *Pages) showReview(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	page := &reviewPage{Form: f}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		id := r.PathValue("id")
		found, err := membership.ToReview(tx, web.Actor(r), id, reviewSize+1)
		if err != nil {
			return err
		}
		if page.Company, err = organization.Get(tx, id); err != nil {
			return err
		}
		if page.Review, err = membership.ReviewOf(tx, page.Company); err != nil {
			return err
		}
		offers, err := application.AllOffers(tx)
		if err != nil {
			return err
		}
		sites, err := siteNames(tx, id)
		if err != nil {
			return err
		}
		if page.More = len(found) > reviewSize; page.More {
			found = found[:reviewSize]
		}
		for _, m := range found {
			one := reviewed{Listed: m, Held: holdings(m, offers, sites, web.Lang(r), tx.Now())}
			one.Options = []web.Option{{Value: string(membership.Keep), Text: p.text(r, "members.verdict_keep")}}
			if len(one.Held) > 0 {
				one.Options = append(one.Options, web.Option{Value: string(membership.TakeRoles), Text: p.text(r, "members.verdict_roles")})
			}
			if !m.Admin {
				one.Options = append(one.Options, web.Option{Value: string(membership.TakeMember), Text: p.text(r, "members.verdict_remove")})
			}
			for i, o := range one.Options {
				one.Options[i].Selected = f.Text("v-"+m.ID) == o.Value
			}
			page.Members = append(page.Members, one)
		}
		return nil
	})
	if err != nil {
		return err
	}
	page.Back = p.back(r, page.Company)
	return p.Site.Show(w, r, f.Status(), templates, "review", page)
}

func (p *Pages) judge(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	if len(f.All("m")) > reviewSize {
		return fault.NotFound()
	}
	verdicts := map[string]membership.Verdict{}
	for _, id := range f.All("m") {
		switch v := membership.Verdict(f.Text("v-" + id)); v {
		case membership.Keep, membership.TakeRoles, membership.TakeMember:
			verdicts[id] = v
		default:
			if f.Checked("rest") {
				verdicts[id] = membership.Keep
			}
		}
	}
	if len(verdicts) == 0 && len(f.All("m")) > 0 {
		f.Add("v-"+f.All("m")[0], "members.review_choose")
		return p.showReview(w, r, f)
	}
	done := false
	err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		done, err = membership.Judge(tx, web.Actor(r), r.PathValue("id"), verdicts)
		return err
	})
	if f.Take(err) {
		return p.showReview(w, r, f)
	}
	if err != nil {
		return err
	}
	if done {
		return p.Site.Done(w, r, "/organizations/"+r.PathValue("id"), "members.review_done")
	}
	return p.Site.Done(w, r, r.URL.Path, "members.review_saved")
}
