package home

import (
	"cmp"
	"net/http"
	"slices"

	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/identity/application"
	"zunft/internal/identity/behalf"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/invitation"
	"zunft/internal/identity/letter"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/registration"
	"zunft/internal/identity/request"
	"zunft/internal/identity/visitor"
)

const (
	tasksShown     = 5
	requestsShown  = 5
	companiesShown = 12 // cards; whoever has more chooses among them
	companiesRead  = 60 // that are looked at for cards, tasks and tiles; people may have thousands
	mandatesShown  = 5
	rolesShown     = 5 // that open one application
)

// dashboardPage is S06.
type dashboardPage struct {
	web.Frame
	Visitor      *visitor.Visitor
	Tasks        []task
	Companies    []company
	More         bool          // companies
	Mandates     []represented // companies that the person represents
	MoreMandates bool
	Joins, Roles []section // requests to answer: for admins only (R183)
	Asked        []request.Entry
	Registered   []registered
	Applications []app
	Join         string // the tenant's own word for it (R120)
}

// A task is one thing to do: a verb, a name, a date.
type task struct {
	Text, Detail string
	Last         db.Time // when it was done before
	Href         string
}

// A company card (R135, R144).
type company struct {
	organization.Organization
	Member  string // id of the person's membership
	Chamber string
	Roles   []string
	Admin   bool
}

// A registered company on its way, until the organization is active.
type registered struct {
	registration.Registration
	Letter bool // approved: the letter is on its way
}

// A section of requests that folds out (R129, R130, R132, R134).
type section struct {
	Key     request.Section
	Count   int
	Entries []request.Entry
	Inboxes []company // that hold the rest
}

// A represented company, and the one that named the person for it, if any.
type represented struct {
	behalf.Context
	As string
}

// An app that opens for this person.
type app struct {
	application.Application
	Roles []string // "Ausbilder:in (Bäckerei Brotmann GmbH)", a few of them
	More  int      // further ones
	Acts  bool     // opens by a mandate
}

// known is all that the dashboard reads, each with one or two statements.
type known struct {
	members       []membership.Member
	organizations map[string]organization.Organization
	chambers      map[string]string // names
	offers        application.Offers
	asked         []request.Entry
	registrations []registration.Registration
	registered    []organization.Organization
	desk          registration.Counts // for clerks only
	letters       int                 // that wait for the printer
	mandates      []behalf.Context
	opened        []string // ids of applications that mandates open
	reviews       []membership.DueReview
	ending        map[string]int // invitations that nobody answered, by company
	roleless      map[string]int // members, by company
	counts        request.Counts
	inbox         map[request.Section][]request.Entry
	now           db.Time
}

func load(tx *db.Tx, r *http.Request, v *visitor.Visitor) (k known, err error) {
	actor := web.Actor(r)
	k.now = tx.Now()
	if k.members, err = membership.Of(tx, v.Account.ID); err != nil {
		return k, err
	}
	chambers, err := chamber.All(tx)
	if err != nil {
		return k, err
	}
	k.chambers = map[string]string{}
	for _, c := range chambers {
		k.chambers[c.ID] = c.Name
	}
	if k.offers, err = application.AllOffers(tx); err != nil {
		return k, err
	}
	if k.asked, err = request.Pending(tx, actor, requestsShown); err != nil {
		return k, err
	}
	if k.registrations, err = registration.Registrations(tx, v.Account.ID); err != nil {
		return k, err
	}
	if k.registered, err = organization.RegisteredBy(tx, v.Account.ID); err != nil {
		return k, err
	}
	if v.Chamber != "" {
		if k.desk, err = registration.Count(tx, actor, v.Chamber); err != nil {
			return k, err
		}
		letters, err := letter.Waiting(tx, v.Chamber)
		if err != nil {
			return k, err
		}
		k.letters = len(letters)
	}
	if k.mandates, err = behalf.Contexts(tx, v.Account.ID, behalf.ByMandate, "", "", mandatesShown+1); err != nil {
		return k, err
	}
	if len(k.mandates) > 0 {
		if k.opened, err = behalf.Applications(tx, v.Account.ID); err != nil {
			return k, err
		}
	}
	if len(v.AdminOf) == 0 {
		return k, nil
	}
	some := v.AdminOf[:min(len(v.AdminOf), companiesShown)]
	if k.reviews, err = membership.DueReviews(tx, actor, tasksShown); err != nil {
		return k, err
	}
	if k.ending, err = invitation.Ending(tx, actor, some); err != nil {
		return k, err
	}
	if k.roleless, err = membership.Roleless(tx, actor, some); err != nil {
		return k, err
	}
	only := "" // of all, unless it is one
	if len(v.AdminOf) == 1 {
		only = v.AdminOf[0]
	}
	if k.counts, err = request.CountInbox(tx, actor, only); err != nil {
		return k, err
	}
	k.inbox = map[request.Section][]request.Entry{}
	for _, s := range []request.Section{request.Mine, request.OpenJoins, request.OpenRoles} {
		if k.inbox[s], err = request.Inbox(tx, actor, only, s, "", requestsShown); err != nil {
			return k, err
		}
	}
	return k, nil
}

func (p *Pages) dashboard(w http.ResponseWriter, r *http.Request, v *visitor.Visitor) error {
	var k known
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		if k, err = load(tx, r, v); err != nil {
			return err
		}
		k.organizations, err = organization.GetMany(tx, k.named())
		return err
	})
	if err != nil {
		return err
	}
	lang := web.Lang(r)
	page := &dashboardPage{Visitor: v, Asked: k.asked, Join: v.Words.Join.In(lang)}
	var inboxes []company
	for _, m := range k.some() {
		c := company{Organization: k.organizations[m.Organization], Member: m.ID, Admin: m.Admin}
		c.Chamber = k.chambers[c.Organization.Chamber]
		for _, role := range m.Roles {
			if _, declared, ok := k.offers.Role(role.Application, role.Key); ok {
				c.Roles = append(c.Roles, declared.Name(lang))
			}
		}
		page.Companies = append(page.Companies, c)
		if m.Admin && len(inboxes) < companiesShown {
			inboxes = append(inboxes, c)
		}
	}
	if len(v.AdminOf) > 0 {
		part := func(s request.Section) section { return section{s, k.counts.Of(s), k.inbox[s], inboxes} }
		page.Joins, page.Roles = []section{part(request.Mine), part(request.OpenJoins)}, []section{part(request.OpenRoles)}
	}
	page.Applications, page.Registered = k.applications(lang), k.onTheWay()
	page.Tasks = p.tasks(r, v, k, page)
	page.More, page.Companies = len(k.members) > companiesShown, page.Companies[:min(len(page.Companies), companiesShown)]
	page.MoreMandates = len(k.mandates) > mandatesShown
	for _, c := range k.mandates[:min(len(k.mandates), mandatesShown)] {
		page.Mandates = append(page.Mandates, represented{c, k.organizations[c.Via].Name}) // one acts for the other only while one belongs to it
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "dashboard", page)
}

// some are the memberships whose companies are looked at, the oldest ones.
func (k known) some() []membership.Member { return k.members[:min(len(k.members), companiesRead)] }

// named are the companies that the page speaks of.
func (k known) named() (ids []string) {
	for _, m := range k.some() {
		ids = append(ids, m.Organization)
	}
	for _, d := range k.reviews {
		ids = append(ids, d.Organization)
	}
	for _, c := range k.mandates {
		ids = append(ids, c.Via)
	}
	return ids
}

// age says since when the oldest request waits.
func (p *Pages) age(r *http.Request, now, oldest db.Time) string {
	if days := int(now.Sub(oldest).Hours() / 24); days > 0 {
		return p.Site.Catalog.Text(web.Lang(r), "home.oldest", days)
	}
	return p.Site.Catalog.Text(web.Lang(r), "home.oldest_today")
}

// onTheWay are the person's registrations that somebody still has to do with.
func (k known) onTheWay() (all []registered) {
	awaited := map[string]bool{}
	for _, o := range k.registered {
		awaited[o.ID] = o.State == organization.AwaitingLetter
	}
	for _, r := range k.registrations {
		if r.Pending() || awaited[r.Organization] {
			all = append(all, registered{r, !r.Pending()})
		}
	}
	return all
}

// applications are those that would let the person in: a role in an active
// organization (R029), also by a mandate, or no catalogue at all.
func (k known) applications(lang string) (all []app) {
	for _, o := range k.offers {
		a := app{Application: o.Application, Acts: slices.Contains(k.opened, o.Application.ID)}
		for _, m := range k.members {
			org, read := k.organizations[m.Organization]
			if read && org.State != organization.Active {
				continue
			}
			for _, role := range o.Roles {
				if !m.Has(role.Application, role.Key) {
					continue
				}
				if !read || len(a.Roles) == rolesShown { // what was not looked at is counted
					a.More++
				} else {
					a.Roles = append(a.Roles, role.Name(lang)+" ("+org.Name+")")
				}
			}
		}
		if a.ClientURI != "" && (len(a.Roles) > 0 || a.More > 0 || a.Acts || len(o.Roles) == 0) {
			all = append(all, a)
		}
	}
	return all
}

// upkeep is what the admins of companies should look at, beside what people
// ask them: reviews that are due, invitations that end, members without a role.
// Whoever administers several companies reads which.
func (k known) upkeep(text func(string, ...any) string, companies []company, several bool) (all []task) {
	for _, d := range k.reviews {
		all = append(all, task{Text: text("home.task_review", k.organizations[d.Organization].Name), Last: d.Last, Href: "/organizations/" + d.Organization + "/review"})
	}
	for _, c := range companies {
		which := ""
		if several {
			which = c.Name
		}
		if n := k.ending[c.ID]; n > 0 {
			all = append(all, task{Text: text("home.task_ending", n), Detail: which, Href: "/organizations/" + c.ID + "/invitations?state=ending"})
		}
		if n := k.roleless[c.ID]; n > 0 && len(k.offers.WithRoles()) > 0 {
			all = append(all, task{Text: text("home.task_roleless", n), Detail: cmp.Or(which, text("home.task_role_detail")), Href: "/organizations/" + c.ID + "/members?show=without"})
		}
	}
	return all
}

// tasks is "Jetzt zu tun", the most pressing first.
func (p *Pages) tasks(r *http.Request, v *visitor.Visitor, k known, page *dashboardPage) (all []task) {
	text := func(key string, args ...any) string { return p.Site.Catalog.Text(web.Lang(r), key, args...) }
	pending := false
	for _, reg := range k.registrations {
		pending = pending || reg.Pending()
		if reg.State == registration.AskedBack {
			all = append(all, task{Text: text("home.task_asked_back", reg.Name), Detail: reg.Reference, Href: "/registrations/" + reg.ID})
		}
	}
	if n := k.desk.Mine; n > 0 {
		all = append(all, task{Text: text("home.task_desk_mine", n), Href: "/chamber/registrations?status=mine"})
	}
	if n := k.desk.Open; n > 0 {
		detail := ""
		if k.desk.Old > 0 {
			detail = text("home.task_desk_old", k.desk.Old)
		}
		all = append(all, task{Text: text("home.task_desk", n), Detail: detail, Href: "/chamber/registrations"})
	}
	if k.letters > 0 {
		all = append(all, task{Text: text("home.task_letters", k.letters), Href: "/chamber/letters"})
	}
	inbox := "#requests"
	if len(v.AdminOf) == 1 {
		inbox = "/organizations/" + v.AdminOf[0] + "/requests"
	}
	if n := k.counts.Mine; n > 0 {
		all = append(all, task{Text: text("home.task_mine", n), Href: inbox})
	}
	if n := k.counts.Waiting(); n > 0 {
		all = append(all, task{Text: text("home.task_open", n), Detail: p.age(r, k.now, k.counts.Oldest), Href: inbox})
	}
	for _, o := range k.registered {
		if o.State == organization.AwaitingLetter {
			pending = true
			all = append(all, task{Text: text("home.task_activate", o.Name), Detail: text("home.task_activate_detail"), Href: "/organizations/activate"})
		}
	}
	all = append(all, k.upkeep(text, page.Companies, len(v.AdminOf) > 1)...)
	waiting := map[string]bool{}
	for _, e := range k.asked {
		waiting[e.Organization] = true
		pending = pending || e.Kind == request.Join
	}
	for _, c := range page.Companies {
		switch {
		case len(c.Roles) > 0 || len(k.offers.WithRoles()) == 0 || waiting[c.ID]:
		case c.Admin: // not by itself a user of any application (R030)
			all = append(all, task{Text: text("home.task_own_role", c.Name), Detail: text("home.task_role_detail"), Href: "/organizations/" + c.ID + "/members/" + c.Member})
		default:
			all = append(all, task{Text: text("home.task_role", c.Name), Detail: text("home.task_role_detail"), Href: "/organizations/" + c.ID + "/roles"})
		}
	}
	if len(k.members) == 0 && len(k.mandates) == 0 && !pending && v.Chamber == "" && !v.Operator {
		all = append(all,
			task{Text: text("home.task_join"), Detail: text("home.task_join_detail"), Href: "/organizations/join"},
			task{Text: text("home.task_register"), Detail: text("home.task_register_detail"), Href: "/organizations/register"})
	}
	return all[:min(len(all), tasksShown)]
}
