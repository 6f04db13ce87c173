package records

import (
	"net/http"

	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/identity/request"
)

type overduePage struct {
	web.Frame
	Items []request.Entry
	Next  string
	Now   db.Time
}

// overdue are requests that no administration has answered for so long that
// the chamber was told: the desk calls the company, or sends it a letter. To
// decide stays with the company.
func (p *Pages) overdue(w http.ResponseWriter, r *http.Request) error {
	page := &overduePage{Frame: web.Frame{Wide: true, Back: web.Link{Text: p.text(r, "records.desk"), Href: "/chamber"}}}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		c, err := mine(tx, r)
		if err != nil {
			return err
		}
		page.Now = tx.Now()
		if page.Items, err = request.Overdue(tx, web.Actor(r), c.ID, r.URL.Query().Get("after"), listSize+1); err != nil {
			return err
		}
		if len(page.Items) > listSize {
			page.Items = page.Items[:listSize]
			page.Next = "/chamber/requests?after=" + page.Items[listSize-1].ID
		}
		return nil
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "overdue", page)
}
