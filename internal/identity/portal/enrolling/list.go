package enrolling

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/table"
	"zunft/internal/ground/web"
	"zunft/internal/identity/application"
	"zunft/internal/identity/invitation"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/roster"
	"zunft/internal/identity/site"
)

const (
	pageSize   = 50 // rows of the table
	mendAtOnce = 10 // rows to mend on one page
)

// listPage is all that list.html may use.
type listPage struct {
	web.Frame
	Form    *web.Form
	Company organization.Organization
	List    roster.Roster
	// How many rows: can be sent, must be mended (Refused: once they were sent), left out, sent.
	Ready, Bad, Refused, Out, Sent int
	Answers                        []count // of the people who were invited
	Open                           int     // have not answered
	Slips                          int
	Columns                        []column
	Sorted                         bool // the columns are clear: they fold
	Mend                           []line
	Editing                        bool // of rows that were picked
	Roles, Sites                   []web.Option
	RolesOpen, MessageOpen         bool // unfolded
	Lines                          []line
	Views                          []view
	View                           string
	After, More                    int
	Now                            db.Time
}

// A count of invitations in a state.
type count struct {
	State string
	Count int
}

// A view narrows the table.
type view struct {
	Key     string
	Count   int
	Current bool
}

// A column of the file with what it holds.
type column struct {
	Choice  web.Choice
	Heading string
}

// A line of the list.
type line struct {
	roster.Row
	Name, Email string
	Roles       []string
	Site        string
	Numbers     []string
	Fields      []web.Input // to mend it
	Says        []saying
	State       string // as a tag
	Kind        string
}

// A saying about a row, in words.
type saying struct {
	Text    string
	Warning bool
}

func (p *Pages) show(w http.ResponseWriter, r *http.Request) error {
	return p.showList(w, r, web.NewForm(), nil)
}

// showList shows the list; typed are rows as they were sent, where that did not work.
func (p *Pages) showList(w http.ResponseWriter, r *http.Request, f *web.Form, typed []roster.Change) error {
	q := r.URL.Query()
	page := &listPage{Form: f, View: q.Get("show"), After: number(q.Get("after"))}
	if page.View != "" && !slices.Contains(roster.Views(), page.View) {
		return fault.NotFound()
	}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		page.Now = tx.Now()
		if page.List, err = list(tx, r); err != nil {
			return err
		}
		if page.Company, err = organization.Get(tx, page.List.Organization); err != nil {
			return err
		}
		c, err := p.words(tx, r, page.List)
		if err != nil {
			return err
		}
		if err := page.counts(tx); err != nil {
			return err
		}
		if err := page.table(tx, c); err != nil {
			return err
		}
		if !page.List.Editable() {
			return nil
		}
		page.columns(c)
		if err := page.examples(tx); err != nil {
			return err
		}
		if err := page.mending(tx, c, number(q.Get("edit")), typed); err != nil {
			return err
		}
		page.everybody(c)
		return nil
	})
	if err != nil {
		return err
	}
	if page.List.State == roster.Sending {
		page.Refresh = 5
	}
	page.Wide = true
	page.Back = web.Link{Text: p.text(r, "enrolling.lists"), Href: "/organizations/" + page.Company.ID + "/rosters"}
	return p.Site.Show(w, r, f.Status(), templates, "list", page)
}

// words are what names stand for on these pages.
type words struct {
	text   func(string, ...any) string
	lang   string
	offers application.Offers
	sites  []site.Site
	roles  []string
}

func (p *Pages) words(tx *db.Tx, r *http.Request, l roster.Roster) (c words, err error) {
	c.text, c.lang = p.say(r), web.Lang(r)
	if c.offers, err = application.AllOffers(tx); err != nil {
		return c, err
	}
	if c.sites, err = site.Released(tx, l.Organization); err != nil {
		return c, err
	}
	c.roles, err = roster.RoleNames(tx, c.lang)
	return c, err
}

func (c words) role(r membership.Role) string {
	_, role, ok := c.offers.Role(r.Application, r.Key)
	if !ok {
		return r.Key
	}
	return role.Name(c.lang)
}

func (c words) site(id string) string {
	for _, s := range c.sites {
		if s.ID == id {
			return s.Name
		}
	}
	return ""
}

// counts says how many rows and people are where.
func (page *listPage) counts(tx *db.Tx) error {
	rows, err := roster.Counts(tx, page.List)
	if err != nil {
		return err
	}
	page.Ready, page.Refused, page.Out, page.Sent = rows[roster.OK], rows[roster.Failed], rows[roster.LeftOut], rows[roster.Sent]
	page.Bad = rows[roster.Bad] + page.Refused
	for _, key := range []string{roster.Bad, roster.OK, roster.LeftOut, roster.Failed} {
		if rows[key] > 0 {
			page.Views = append(page.Views, view{key, rows[key], key == page.View})
		}
	}
	if page.Sent == 0 {
		return nil
	}
	answers, err := roster.Answers(tx, page.List)
	if err != nil {
		return err
	}
	for _, state := range invitation.States() {
		if n := answers[state]; n > 0 {
			page.Answers = append(page.Answers, count{state, n})
			page.Views = append(page.Views, view{state, n, state == page.View})
		}
	}
	page.Open = answers[invitation.Sent]
	slips, err := roster.SlipsOf(tx, page.List)
	page.Slips = len(slips)
	return err
}

// table is one page of all rows.
func (page *listPage) table(tx *db.Tx, c words) error {
	rows, err := roster.Rows(tx, page.List, page.View, page.After, pageSize+1)
	if err != nil {
		return err
	}
	if len(rows) > pageSize {
		rows = rows[:pageSize]
		page.More = rows[pageSize-1].Number
	}
	page.Lines, err = page.lines(tx, c, rows)
	return err
}

// lines says rows in words.
func (page *listPage) lines(tx *db.Tx, c words, rows []roster.Row) ([]line, error) {
	wishes, err := roster.Wishes(tx, page.List, rows)
	if err != nil {
		return nil, err
	}
	lines := make([]line, len(rows))
	for i, row := range rows {
		w := wishes[i]
		l := line{Row: row, Name: strings.TrimSpace(w.GivenName + " " + w.FamilyName), Email: w.Email, Site: c.site(w.Site)}
		for _, r := range w.Roles {
			l.Roles = append(l.Roles, c.role(r))
		}
		for _, n := range []string{w.ApprenticeNumber, w.TrainerNumber} {
			if n != "" {
				l.Numbers = append(l.Numbers, n)
			}
		}
		for _, x := range row.Problems {
			l.Says = append(l.Says, saying{c.text(x.Key, x.Args...), x.Warning})
		}
		l.State, l.Kind = stateOf(row)
		lines[i] = l
	}
	return lines, nil
}

// stateOf is the tag of a row: its own state, or what came of its invitation.
func stateOf(r roster.Row) (state, kind string) {
	kinds := map[string]string{
		roster.Bad: "danger", roster.LeftOut: "neutral", roster.Failed: "danger", roster.OK: "success",
		invitation.Sent: "info", invitation.Bounced: "danger", invitation.Accepted: "success", invitation.Declined: "warning", invitation.Expired: "neutral", invitation.Revoked: "neutral",
	}
	state = r.State
	switch {
	case r.State == roster.Sent && r.Answer.State != "":
		state = r.Answer.State
	case r.State == roster.Sent:
		return "done", "success"
	case r.State == roster.OK && len(r.Problems) > 0:
		return "warning", "warning"
	}
	return state, kinds[state]
}

// columns are the choices of what each column holds.
func (page *listPage) columns(c words) {
	page.Sorted = page.List.State != roster.Draft || len(page.List.Header) > 0 && slices.Contains(page.List.Columns, table.Email)
	for i, meaning := range page.List.Columns {
		id := columnField(i)
		heading := c.text("enrolling.column", i+1)
		if i < len(page.List.Header) && page.List.Header[i] != "" {
			heading = page.List.Header[i]
		}
		ch := web.Choice{ID: id, Name: id, Legend: heading, Kind: "select", Options: []web.Option{{Value: "", Text: c.text("enrolling.unused")}}}
		chosen := meaning
		if v, given := page.Form.Values[id]; given {
			chosen = v[0]
		}
		for _, m := range table.Meanings() {
			ch.Options = append(ch.Options, web.Option{Value: m, Text: c.text("roster.column." + m), Selected: m == chosen})
		}
		for _, x := range page.Form.Problems {
			if x.Field == id {
				ch.Error, page.Sorted = c.text(x.Key, x.Args...), false
			}
		}
		page.Columns = append(page.Columns, column{Choice: ch, Heading: heading})
	}
}

// examples are the first cells of each column.
func (page *listPage) examples(tx *db.Tx) error {
	rows, err := roster.Rows(tx, page.List, "", 0, 20)
	if err != nil {
		return err
	}
	for i := range page.Columns {
		var seen []string
		for _, r := range rows {
			if i < len(r.Cells) && r.Cells[i] != "" && !slices.Contains(seen, r.Cells[i]) && len(seen) < 3 {
				seen = append(seen, shortened(r.Cells[i], 40))
			}
		}
		page.Columns[i].Choice.Hint = strings.Join(seen, ", ")
	}
	return nil
}

func shortened(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

// everybody is what holds for rows that say nothing.
func (page *listPage) everybody(c words) {
	d, f := page.List.Defaults, page.Form
	for _, o := range c.offers.WithRoles() {
		for _, r := range o.Roles {
			page.Roles = append(page.Roles, web.Option{
				Value: r.Application + " " + r.Key, Text: r.Name(c.lang), Hint: r.Description(c.lang),
				Selected: slices.Contains(d.Roles, membership.Role{Application: r.Application, Key: r.Key}),
			})
			if len(c.offers.WithRoles()) > 1 {
				page.Roles[len(page.Roles)-1].Text = o.Application.Name + ": " + r.Name(c.lang)
			}
		}
	}
	if len(c.sites) > 0 {
		page.Sites = append(page.Sites, web.Option{Text: c.text("enrolling.no_site")})
		for _, s := range c.sites {
			page.Sites = append(page.Sites, web.Option{Value: s.ID, Text: s.Name, Selected: s.ID == d.Site})
		}
	}
	wrong := func(field string) bool {
		return slices.ContainsFunc(f.Problems, func(x fault.Problem) bool { return x.Field == field })
	}
	page.RolesOpen = !slices.Contains(page.List.Columns, table.RoleName) || wrong("roles") || wrong("site")
	page.MessageOpen = d.Message != "" || wrong("message")
	if f.Values["days"] == nil {
		f.Values.Set("days", strconv.Itoa(d.Days))
		f.Values.Set("message", d.Message)
	}
}
