package records

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/clerk"
	"zunft/internal/identity/letter"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/search"
	"zunft/internal/identity/site"
)

// stateWords are how people call the states of a company in the search field.
var stateWords = map[string]string{
	"brief": organization.AwaitingLetter, "letter": organization.AwaitingLetter, "aktiv": organization.Active, "active": organization.Active,
	"gesperrt": organization.Locked, "locked": organization.Locked, "geschlossen": organization.Closed, "closed": organization.Closed,
}

// A searchPage has what both searches share.
type searchPage struct {
	web.Frame
	Form        *web.Form
	States      []web.Option
	Asked       string // what was typed
	First, Next string
	Part        bool // the search ended early
	Empty       bool // nothing was asked for
}

// page of the search at path: links to its first and its next page.
func (s *searchPage) page(path string, f *web.Form, found search.Found) {
	v := url.Values{}
	for _, name := range []string{"q", "status", "place"} {
		t := f.Text(name)
		if t == "" {
			continue
		}
		v.Set(name, t)
		if name == "status" { // as the field calls it
			i := slices.IndexFunc(s.States, func(o web.Option) bool { return o.Value == t })
			if i < 0 {
				continue
			}
			t = s.States[i].Text
		}
		s.Asked = strings.TrimSpace(s.Asked + " " + t)
	}
	link := func(after string) string {
		if after != "" {
			v.Set("after", after)
		} else {
			v.Del("after")
		}
		if len(v) == 0 {
			return path
		}
		return path + "?" + v.Encode()
	}
	s.Part = found.Part
	if f.Text("after") != "" {
		s.First = link("")
	}
	if found.Next != "" {
		s.Next = link(found.Next)
	}
}

// states are the options of the filter.
func (p *Pages) states(r *http.Request, prefix string, keys ...string) []web.Option {
	all := []web.Option{{Text: p.text(r, "records.all_states")}}
	for _, k := range keys {
		all = append(all, web.Option{Value: k, Text: p.text(r, prefix+k)})
	}
	return all
}

type organizationsPage struct {
	searchPage
	Items []organization.Organization
}

func (p *Pages) organizations(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadQuery(r)
	page := &organizationsPage{searchPage: searchPage{Frame: web.Frame{Wide: true}, Form: f}}
	page.States = p.states(r, "records.state.", organization.AwaitingLetter, organization.Active, organization.Locked, organization.Closed)
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		c, err := mine(tx, r)
		if err != nil {
			return err
		}
		typed := f.Text("q")
		for _, word := range strings.Fields(f.Text("place")) {
			typed += " ort:" + word
		}
		q := search.Read(typed, c.Number, stateWords)
		if s := f.Text("status"); s != "" && stateWords[s] == s {
			q.State = s
		}
		page.Empty = q.Empty()
		found, err := search.Organizations(tx, web.Actor(r), c.ID, q, f.Text("after"), listSize)
		if err != nil {
			return err
		}
		page.page("/chamber/organizations", f, found)
		companies, err := organization.GetMany(tx, found.IDs)
		for _, id := range found.IDs {
			page.Items = append(page.Items, companies[id])
		}
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "organizations", page)
}

// A Named is a person with a link.
type Named struct{ ID, Name, Email string }

type organizationPage struct {
	web.Frame
	Form        *web.Form
	Company     organization.Organization
	Now         db.Time
	Differences []organization.Difference
	Evidence    []organization.Proof
	Clerks      map[string]string
	Admins      []Named
	Members     int
	Letters     []letter.Letter
	Sites       []site.Site
	Requests    clerk.Waiting
	Deeds       []Deed
	Queued      bool // a letter to its management waits for the printer: no further one
	Locking     bool // the reason is being typed
}

const (
	deedsShown   = 20
	adminsShown  = 20
	lettersShown = 10
)

func (p *Pages) organization(w http.ResponseWriter, r *http.Request) error {
	return p.showOrganization(w, r, web.NewForm())
}

func (p *Pages) showOrganization(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	page := &organizationPage{Frame: web.Frame{Wide: true, Back: web.Link{Text: p.text(r, "records.organizations"), Href: "/chamber/organizations"}}, Form: f}
	page.Locking = !f.OK() && (f.Text("do") == "lock" || f.Text("do") == "take_back")
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		c, err := mine(tx, r)
		if err != nil {
			return err
		}
		return page.read(tx, p, r, c)
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, f.Status(), templates, "organization", page)
}

// read is everything about one company of the chamber.
func (page *organizationPage) read(tx *db.Tx, p *Pages, r *http.Request, c chamber.Chamber) (err error) {
	id := r.PathValue("id")
	if page.Company, err = addressed(tx, c, id); err != nil {
		return err
	}
	page.Now = tx.Now()
	if page.Differences, err = organization.Differences(tx, page.Company); err != nil {
		return err
	}
	if page.Evidence, err = organization.Evidence(tx, id); err != nil {
		return err
	}
	admins, err := membership.Admins(tx, id)
	if err != nil {
		return err
	}
	admins = admins[:min(len(admins), adminsShown)]
	ids := admins
	for _, e := range page.Evidence {
		ids = append(ids, e.Clerk)
	}
	people, err := account.GetMany(tx, ids)
	if err != nil {
		return err
	}
	for _, a := range admins {
		page.Admins = append(page.Admins, Named{a, people[a].Name(), people[a].Email})
	}
	page.Clerks = map[string]string{}
	for key, a := range people {
		page.Clerks[key] = a.Name()
	}
	if page.Members, err = membership.Size(tx, id); err != nil {
		return err
	}
	if page.Letters, err = letter.Of(tx, id); err != nil {
		return err
	}
	page.Queued = slices.ContainsFunc(page.Letters, func(l letter.Letter) bool { return l.State == letter.Queued && l.Kind != letter.Revocation })
	page.Letters = page.Letters[:min(len(page.Letters), lettersShown)]
	if page.Sites, err = site.Released(tx, id); err != nil {
		return err
	}
	if page.Requests, err = clerk.Requests(tx, web.Actor(r), id); err != nil {
		return err
	}
	rows, err := audit.List(tx, audit.Filter{Chamber: c.ID, Organization: id, Limit: deedsShown})
	if err != nil {
		return err
	}
	page.Deeds, err = p.deeds(tx, r, rows)
	return err
}

// addressed is the company of the address, if it is one of the chamber.
func addressed(tx *db.Tx, c chamber.Chamber, id string) (organization.Organization, error) {
	o, err := organization.Get(tx, id)
	if err == nil && o.Chamber != c.ID {
		err = fault.NotFound()
	}
	return o, err
}

func (p *Pages) changeOrganization(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	by, id, done := web.Actor(r), r.PathValue("id"), ""
	if f.Text("do") != "letter" { // a lock, and its end, are for clerks who have just proved that it is them
		if sure, err := p.Door.Sure(w, r); !sure {
			return err
		}
	}
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		c, err := mine(tx, r)
		if err != nil {
			return err
		}
		if _, err := addressed(tx, c, id); err != nil {
			return err
		}
		switch f.Text("do") {
		case "lock":
			done = "records.locked"
			return organization.Lock(tx, by, id, f.Lines("reason"))
		case "take_back":
			done = "records.taken_back"
			return organization.TakeBack(tx, by, id, f.Lines("reason"))
		case "unlock":
			done = "records.unlocked"
			return organization.Unlock(tx, by, id)
		case "letter":
			done = "records.letter_queued"
			return clerk.SendLetter(tx, by, id)
		}
		return fault.Invalid("", "web.form_unreadable")
	})
	if f.Take(err) {
		return p.showOrganization(w, r, f)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/chamber/organizations/"+id, done)
}
