package visitor

import (
	"net/http"
	"net/url"

	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/session"
)

// Sure reports whether the person has proved a moment ago that it is them, as
// their policy asks for it before changes (R151–R160): with a second factor,
// or with the password where the policy asks for nothing more. If not, it sends
// them to prove it and the caller returns; what was posted is parked and sent
// again after that.
//
//	if sure, err := p.Door.Sure(w, r); !sure {
//		return err
//	}
func (d *Door) Sure(w http.ResponseWriter, r *http.Request) (bool, error) {
	v := Of(r)
	var now db.Time
	var rule policy.Policy
	if err := d.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		now = tx.Now()
		rule, err = policy.Of(tx, v.Account.Policy)
		return err
	}); err != nil {
		return false, err
	}
	proved := v.Session.ProvedAt
	if rule.Factor.Ask == "never" && v.Session.AuthTime.After(proved) {
		proved = v.Session.AuthTime
	}
	if !proved.IsZero() && now.Sub(proved) < session.Fresh {
		return true, nil
	}
	next, err := d.keep(w, r, v.Account.ID)
	if err != nil {
		return false, err
	}
	return false, web.See(w, r, "/account/confirm?next="+url.QueryEscape(next))
}

// keep parks what was posted; it returns where to go on.
func (d *Door) keep(w http.ResponseWriter, r *http.Request, account string) (next string, err error) {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return r.URL.RequestURI(), nil
	}
	kept, err := d.park(w, r, account)
	if kept || err != nil {
		return ParkedPath, err
	}
	return r.URL.Path, nil
}
