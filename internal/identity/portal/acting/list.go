package acting

import (
	"net/http"
	"net/url"

	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/identity/application"
	"zunft/internal/identity/behalf"
	"zunft/internal/identity/mandate"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/visitor"
)

// listPage shows mandates: of a company, or of a person (Company is empty).
type listPage struct {
	web.Frame
	Company organization.Organization
	Items   []line
	Past    bool
	Here    string // without a query
	More    string
}

// A line is one mandate in a list.
type line struct {
	mandate.Item
	Roles []string
}

func lines(offers application.Offers, items []mandate.Item, lang string) (all []line) {
	for _, i := range items {
		all = append(all, line{i, roleNames(offers, i.Mandate, lang)})
	}
	return all
}

// query is a path with name, value pairs that are not empty.
func query(path string, pairs ...string) string {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			v.Set(pairs[i], pairs[i+1])
		}
	}
	if len(v) == 0 {
		return path
	}
	return path + "?" + v.Encode()
}

// names of the representing organizations of a page of contexts.
func names(tx *db.Tx, page []behalf.Context) (map[string]string, error) {
	var ids []string
	for _, c := range page {
		if c.Via != "" {
			ids = append(ids, c.Via)
		}
	}
	found, err := organization.GetMany(tx, ids)
	all := map[string]string{}
	for id, o := range found {
		all[id] = o.Label()
	}
	return all, err
}

func (p *Pages) mine(w http.ResponseWriter, r *http.Request) error {
	page := &listPage{Here: "/account/mandates"}
	page.Back = web.Link{Text: p.text(r, "acting.account"), Href: "/account"}
	return p.showList(w, r, page, func(tx *db.Tx, past bool, after string) ([]mandate.Item, error) {
		return mandate.Of(tx, web.Actor(r), past, after, pageSize+1)
	})
}

func (p *Pages) ofCompany(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	page := &listPage{Here: "/organizations/" + id + "/mandates"}
	return p.showList(w, r, page, func(tx *db.Tx, past bool, after string) (items []mandate.Item, err error) {
		if items, err = mandate.OfOrganization(tx, web.Actor(r), id, past, after, pageSize+1); err != nil {
			return nil, err
		}
		page.Company, err = organization.Get(tx, id)
		page.Back = web.Link{Text: page.Company.Label(), Href: "/organizations/" + id}
		return items, err
	})
}

func (p *Pages) showList(w http.ResponseWriter, r *http.Request, page *listPage, read func(tx *db.Tx, past bool, after string) ([]mandate.Item, error)) error {
	q := r.URL.Query()
	page.Past = q.Get("show") == "past"
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		items, err := read(tx, page.Past, q.Get("after"))
		if err != nil {
			return err
		}
		if len(items) > pageSize {
			items = items[:pageSize]
			page.More = query(page.Here, "show", q.Get("show"), "after", items[pageSize-1].ID)
		}
		offers, err := application.AllOffers(tx)
		page.Items = lines(offers, items, web.Lang(r))
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "list", page)
}

// linkPage is what the link of a mail shows: who asks whom for what.
type linkPage struct {
	web.Frame
	Item     mandate.Item
	Roles    []string
	Gone     bool   // answered, taken back or over
	Stranger bool   // nobody is signed in
	Mismatch bool   // signed in with another address
	Signed   string // that of the account, hidden
	Next     string // this page
}

// link leads who has the address to the mandate; anybody else reads what it is
// about and how to go on. The link gives nothing by itself.
func (p *Pages) link(w http.ResponseWriter, r *http.Request) error {
	page := &linkPage{Next: r.URL.Path}
	v, lang, addressed := visitor.Of(r), web.Lang(r), false
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		if page.Item, err = mandate.ByToken(tx, r.PathValue("token")); err != nil {
			return err
		}
		if v != nil {
			if addressed, err = mandate.Addressed(tx, web.Actor(r), page.Item.Mandate); err != nil {
				return err
			}
		}
		offers, err := application.AllOffers(tx)
		page.Roles = roleNames(offers, page.Item.Mandate, lang)
		return err
	})
	status := http.StatusOK
	if gone(err) {
		page.Gone, err, status = true, nil, http.StatusGone
	}
	if err != nil {
		return err
	}
	if addressed {
		return web.See(w, r, "/mandates/"+page.Item.ID)
	}
	if page.Stranger = v == nil; !page.Stranger {
		page.Mismatch, page.Signed = !page.Gone, v.Account.Email
	}
	return p.Site.Show(w, r, status, templates, "link", page)
}
