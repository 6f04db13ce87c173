package joining

import (
	"net/http"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/web"
	"zunft/internal/identity/company"
	"zunft/internal/identity/organization"
)

// hintRate bounds how often one person is told what deviates: enough for
// somebody who copies from an imprint, too little for a list of companies.
var hintRate = limit.Rate{Burst: 5, Every: 2 * time.Hour}

// unknown says what is to be said of data that meet no company: which fields
// deviate, if it is beyond doubt which one is meant, else nothing in particular.
// Whoever has had their share of hints reads the same as for an unknown company.
func (p *Pages) unknown(r *http.Request, f *web.Form) error {
	var fields []string
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		fields, err = organization.Deviates(tx, company.Company{
			Name: f.Text("name"), Street: f.Text("street"), HouseNumber: f.Text("house_number"), Postcode: f.Text("postcode"), IdentNumber: f.Text("ident_number"),
		})
		return err
	})
	if err == nil && len(fields) > 0 {
		err = limit.Take(r.Context(), p.DB, "join/hint/"+web.Actor(r).Account, hintRate)
		if fault.Is(err, fault.KindLimited) {
			fields, err = nil, nil
		}
	}
	for _, field := range fields {
		f.Add(field, "joining.deviates."+field)
	}
	if len(fields) == 0 {
		f.Add("name", "joining.company_unknown")
	}
	return err
}
