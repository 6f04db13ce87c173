package joining

import (
	"net/http"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/application"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/request"
)

// requestPage shows one request, to its applicant or for review (S14, S18).
type requestPage struct {
	web.Frame
	Form      *web.Form
	Request   request.Request
	Applicant account.Account
	Company   organization.Organization
	Chamber   string
	Asked     []string // names of the roles asked for
	Options   []web.Option
	Own       bool   // the reader is the applicant
	Admin     bool   // the reader may answer
	MyClaim   bool   // the reader has taken it on
	MayClaim  bool   // nobody has, or the claim has ended
	Makes     bool   // approving makes an admin: the applicant was invited as one
	Admins    string // who else: the claiming admin
	Decider   string // who decided
	Steps     []request.Step
	Others    []web.Option // admins to hand it over to
	Token     string       // of the company, for a message to its administration
}

func (p *Pages) request(w http.ResponseWriter, r *http.Request) error {
	return p.showRequest(w, r, web.NewForm())
}

func (p *Pages) showRequest(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	page := &requestPage{Form: f}
	actor := web.Actor(r)
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		if page.Request, err = request.Get(tx, actor, r.PathValue("id")); err != nil {
			return err
		}
		q := page.Request
		if page.Admin, err = membership.IsAdmin(tx, actor, q.Organization); err != nil {
			return err
		}
		if page.Company, err = organization.Get(tx, q.Organization); err != nil {
			return err
		}
		c, err := chamber.Get(tx, page.Company.Chamber)
		if err != nil {
			return err
		}
		page.Chamber = c.Name
		people, err := account.GetMany(tx, []string{q.Applicant, q.ClaimedBy, q.DecidedBy})
		if err != nil {
			return err
		}
		page.Applicant = people[q.Applicant]
		page.Own = q.Applicant == actor.Account
		if page.Admin { // to the applicant it is "die Administration"
			page.Admins, page.Decider = people[q.ClaimedBy].Name(), people[q.DecidedBy].Name()
		}
		page.MyClaim = page.Admin && q.State == request.Claimed && q.ClaimedBy == actor.Account
		page.MayClaim = page.Admin && !page.MyClaim && q.MayClaim(tx.Now())
		if q.Undecided() {
			if page.Makes, err = request.MakesAdmin(tx, q); err != nil {
				return err
			}
			settings, err := chamber.SettingsOf(tx, page.Company.Chamber)
			if err != nil {
				return err
			}
			page.Steps = q.Schedule(settings)
		}
		if page.MyClaim {
			if page.Others, err = others(tx, q, actor.Account); err != nil {
				return err
			}
		}
		offers, err := application.AllOffers(tx)
		if err != nil {
			return err
		}
		wanted := map[membership.Role]bool{}
		for _, role := range q.Roles {
			wanted[role] = true
			if _, declared, ok := offers.Role(role.Application, role.Key); ok {
				page.Asked = append(page.Asked, declared.Name(web.Lang(r)))
			}
		}
		page.Options = options(offers, web.Lang(r), func(app application.Application, key string) bool {
			return wanted[membership.Role{Application: app.ID, Key: key}]
		})
		return nil
	})
	if err != nil {
		return err
	}
	if page.Own {
		page.Token = p.sealed(r, page.Company.ID)
	}
	text := func(key string) string { return p.Site.Catalog.Text(web.Lang(r), key) }
	page.Back = web.Link{Text: text("joining.my_requests"), Href: "/requests"}
	if page.Admin {
		page.Back = web.Link{Text: text("joining.to_inbox"), Href: "/organizations/" + page.Company.ID + "/requests"}
	}
	return p.Site.Show(w, r, f.Status(), templates, "request", page)
}

// others are the admins to whom the one who has taken a request on may hand it.
func others(tx *db.Tx, q request.Request, me string) (options []web.Option, err error) {
	ids, err := membership.Admins(tx, q.Organization)
	if err != nil {
		return nil, err
	}
	people, err := account.GetMany(tx, ids)
	for _, id := range ids {
		if id != me && id != q.Applicant {
			options = append(options, web.Option{Value: id, Text: people[id].Name()})
		}
	}
	return options, err
}

func (p *Pages) handOver(w http.ResponseWriter, r *http.Request) error {
	return p.command(w, r, "joining.handed_over", func(tx *db.Tx, f *web.Form) error {
		return request.HandOver(tx, web.Actor(r), r.PathValue("id"), f.Text("to"))
	})
}

func (p *Pages) claim(w http.ResponseWriter, r *http.Request) error {
	return p.command(w, r, "joining.claimed", func(tx *db.Tx, _ *web.Form) error {
		return request.Claim(tx, web.Actor(r), r.PathValue("id"))
	})
}

func (p *Pages) release(w http.ResponseWriter, r *http.Request) error {
	return p.command(w, r, "joining.released", func(tx *db.Tx, _ *web.Form) error {
		return request.Release(tx, web.Actor(r), r.PathValue("id"))
	})
}

// approve lets somebody in. Whoever makes an admin by that proves who they are.
func (p *Pages) approve(w http.ResponseWriter, r *http.Request) error {
	makes := false
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		q, err := request.Get(tx, web.Actor(r), r.PathValue("id"))
		if err == nil && q.Undecided() && q.Applicant != web.Actor(r).Account {
			makes, err = request.MakesAdmin(tx, q)
		}
		return err
	})
	if err != nil {
		return err
	}
	if makes {
		if sure, err := p.Door.Sure(w, r); !sure {
			return err
		}
	}
	return p.command(w, r, "joining.approved", func(tx *db.Tx, f *web.Form) error {
		return request.Approve(tx, web.Actor(r), r.PathValue("id"), chosen(f))
	})
}

func (p *Pages) deny(w http.ResponseWriter, r *http.Request) error {
	return p.command(w, r, "joining.denied", func(tx *db.Tx, f *web.Form) error {
		chosen(f) // keep what was ticked
		return request.Deny(tx, web.Actor(r), r.PathValue("id"), f.Lines("answer"))
	})
}

func (p *Pages) withdraw(w http.ResponseWriter, r *http.Request) error {
	return p.command(w, r, "joining.withdrawn", func(tx *db.Tx, _ *web.Form) error {
		return request.Withdraw(tx, web.Actor(r), r.PathValue("id"))
	})
}

// command runs one rule in one transaction and sends the browser back to the
// request. Bad input and a step that came too late show the request again as
// it is now, with what was typed.
func (p *Pages) command(w http.ResponseWriter, r *http.Request, done string, rule func(*db.Tx, *web.Form) error) error {
	f := web.ReadForm(r)
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error { return rule(tx, f) })
	if f.Take(err) {
		return p.showRequest(w, r, f)
	}
	if fault.Is(err, fault.KindForbidden) {
		return fault.NotFound() // the applicant knocks at the admins' door
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/requests/"+r.PathValue("id"), done)
}
