package signin

import (
	"net/http"
	"unicode/utf8"

	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/identity/chamber"
)

// finderPage is all that chambers.html may use.
type finderPage struct {
	web.Frame
	Form  *web.Form
	Asked bool
	Many  bool
	Found []chamber.Found
}

// finder is the IHK-Finder: a place or a postcode leads to the chamber that is
// responsible (R282, S51).
func (p *Pages) finder(w http.ResponseWriter, r *http.Request) error {
	page := &finderPage{Form: web.ReadQuery(r)}
	query := page.Form.Text("q")
	page.Asked = r.URL.Query().Has("q")
	switch n := utf8.RuneCountInString(query); {
	case !page.Asked:
	case n < 2:
		page.Form.Add("q", "signin.finder_missing")
	case n > 100:
		page.Form.Add("q", "signin.finder_long")
	default:
		if err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
			page.Found, page.Many, err = chamber.Find(tx, query)
			return err
		}); err != nil {
			return err
		}
	}
	return p.Site.Show(w, r, page.Form.Status(), templates, "chambers", page)
}
