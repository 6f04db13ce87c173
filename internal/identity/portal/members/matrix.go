package members

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/application"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/organization"
)

const matrixSize = 25

// matrixPage is who holds which roles of one application, as a table to tick.
type matrixPage struct {
	web.Frame
	Form         *web.Form
	Company      organization.Organization
	Applications []web.Option
	Application  application.Application
	Columns      []application.Role
	Names        []string // of the columns
	Rows         []row
	Search       string
	More         string // id to go on from
	After        string
}

// A row is one member; Was is what they held when the page was made, so that
// saving changes what was changed here and nothing else.
type row struct {
	membership.Listed
	Cells []cell
	Was   string
}

type cell struct {
	Key, Name string
	Held      bool
	Limited   bool // for a time, or at a site
}

func (p *Pages) matrix(w http.ResponseWriter, r *http.Request) error {
	return p.showMatrix(w, r, web.NewForm())
}

func (p *Pages) showMatrix(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	q := web.ReadQuery(r)
	page := &matrixPage{Form: f, Search: q.Text("q"), After: q.Text("after")}
	page.Wide = true
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		id := r.PathValue("id")
		found, err := membership.List(tx, web.Actor(r), id, membership.Filter{Search: page.Search}, page.After, matrixSize+1)
		if err != nil {
			return err
		}
		if page.Company, err = organization.Get(tx, id); err != nil {
			return err
		}
		offers, err := application.AllOffers(tx)
		if err != nil {
			return err
		}
		offers = offers.WithRoles()
		for i, o := range offers {
			chosen := o.Application.ID == q.Text("application")
			if chosen || i == 0 {
				page.Application, page.Columns = o.Application, o.Roles
			}
			page.Applications = append(page.Applications, web.Option{Value: o.Application.ID, Text: o.Application.Name, Selected: chosen})
		}
		for _, c := range page.Columns {
			page.Names = append(page.Names, c.Name(web.Lang(r)))
		}
		if len(found) > matrixSize {
			found = found[:matrixSize]
			page.More = found[matrixSize-1].ID
		}
		for _, m := range found {
			page.Rows = append(page.Rows, newRow(m, page.Columns, page.Names, f))
		}
		return nil
	})
	if err != nil {
		return err
	}
	page.Back = web.Link{Text: p.text(r, "members.members"), Href: "/organizations/" + page.Company.ID + "/members"}
	return p.Site.Show(w, r, f.Status(), templates, "matrix", page)
}

// newRow ticks what a member holds, or what was ticked before a mistake.
func newRow(m membership.Listed, columns []application.Role, names []string, typed *web.Form) row {
	var was []string
	line := row{Listed: m}
	for i, c := range columns {
		x := cell{Key: c.Key, Name: names[i], Held: m.Has(c.Application, c.Key)}
		if x.Held {
			was = append(was, c.Key)
		}
		for _, h := range m.Holdings {
			x.Limited = x.Limited || h.Role == membership.Role{Application: c.Application, Key: c.Key} && (h.Site != "" || !h.Until.IsZero() || !h.From.IsZero())
		}
		line.Cells = append(line.Cells, x)
	}
	line.Was = strings.Join(was, " ")
	if !typed.OK() && slices.Contains(typed.All("m"), m.ID) {
		line.Was = typed.Text("was-" + m.ID)
		for i := range line.Cells {
			line.Cells[i].Held = slices.Contains(typed.All("r-"+m.ID), line.Cells[i].Key)
		}
	}
	return line
}

func (p *Pages) saveMatrix(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	applicationID, changed := f.Text("application"), 0
	members := f.All("m")
	if len(members) > matrixSize {
		return fault.NotFound()
	}
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		if err := membership.MustAdminister(tx, web.Actor(r), r.PathValue("id")); err != nil {
			return err
		}
		for _, id := range members {
			m, err := membership.LoadMember(tx, web.Actor(r), id)
			if fault.Is(err, fault.KindNotFound) { // has gone meanwhile
				continue
			}
			if err != nil {
				return err
			}
			if m.Organization != r.PathValue("id") {
				return fault.NotFound()
			}
			was, now := strings.Fields(f.Text("was-"+id)), f.All("r-"+id)
			for _, step := range []struct {
				from, to []string
				yes      bool
			}{{now, was, false}, {was, now, true}} { // taken first: roles may exclude each other
				for _, key := range step.to {
					if slices.Contains(step.from, key) {
						continue
					}
					changed++
					if err := membership.SetRole(tx, web.Actor(r), id, applicationID, key, step.yes); err != nil {
						if ft := fault.Of(err); ft != nil && ft.Kind == fault.KindInvalid {
							return fault.Invalid("r-"+id, ft.Key(), ft.Problems[0].Args...)
						}
						return err
					}
				}
			}
		}
		return nil
	})
	if f.Take(err) {
		return p.showMatrix(w, r, f)
	}
	if err != nil {
		return err
	}
	to := r.URL.Path
	if r.URL.RawQuery != "" {
		to += "?" + r.URL.RawQuery
	}
	return p.Site.Done(w, r, to, "members.matrix_saved", strconv.Itoa(changed))
}
