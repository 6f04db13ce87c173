package enrolling

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/mail"
	"zunft/internal/ground/paper"
	"zunft/internal/ground/table"
	"zunft/internal/ground/web"
	"zunft/internal/identity/invitation"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/roster"
)

// step runs a rule on the list and goes on; what stands in its way is said on
// the list's page.
func (p *Pages) step(w http.ResponseWriter, r *http.Request, typed []roster.Change, to, done string, rule func(tx *db.Tx) error) error {
	err := p.DB.Write(r.Context(), rule)
	f := web.ReadForm(r)
	if f.Take(err) {
		return p.showList(w, r, f, typed)
	}
	if err != nil {
		return err
	}
	if done == "" {
		return web.See(w, r, to)
	}
	return p.Site.Done(w, r, to, done)
}

// columns settles which column is what.
func (p *Pages) columns(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	return p.step(w, r, nil, here(r), "enrolling.columns_saved", func(tx *db.Tx) error {
		l, err := list(tx, r)
		if err != nil {
			return err
		}
		var columns []string
		for i := range l.Columns {
			columns = append(columns, f.Text(columnField(i)))
		}
		return roster.SetColumns(tx, web.Actor(r), l.Organization, l.ID, f.Number("version"), columns)
	})
}

// mend changes rows where they stand.
func (p *Pages) mend(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	var changes []roster.Change
	for _, n := range f.All("line") {
		c := roster.Change{Line: number(n), Cells: map[string]string{}, LeftOut: f.Checked("out-" + n)}
		for _, m := range table.Meanings() {
			if f.Values.Has(m + "-" + n) {
				c.Cells[m] = f.Text(m + "-" + n)
			}
		}
		if len(changes) < 2*mendAtOnce {
			changes = append(changes, c)
		}
	}
	return p.step(w, r, changes, here(r), "enrolling.rows_saved", func(tx *db.Tx) error {
		return roster.Mend(tx, web.Actor(r), r.PathValue("id"), r.PathValue("roster"), changes)
	})
}

func columnField(i int) string { return fmt.Sprintf("column-%d", i) }

func days(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }

// defaults keeps what holds for all and goes on to the last look.
func (p *Pages) defaults(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	if !f.Values.Has("roles") { // none is ticked, and that stays so when the page comes back
		f.Values["roles"] = []string{}
	}
	return p.step(w, r, nil, here(r)+"/send", "", func(tx *db.Tx) error {
		l, err := list(tx, r)
		if err != nil {
			return err
		}
		d := l.Defaults
		d.Site, d.Days, d.Message, d.Roles = f.Text("site"), f.Number("days"), f.Lines("message"), nil
		for _, v := range f.All("roles") {
			app, key, _ := strings.Cut(v, " ")
			d.Roles = append(d.Roles, membership.Role{Application: app, Key: key})
		}
		return roster.SetDefaults(tx, web.Actor(r), l.Organization, l.ID, f.Number("version"), d)
	})
}

// sendPage is all that send.html may use.
type sendPage struct {
	web.Frame
	Form    *web.Form
	Company organization.Organization
	List    roster.Roster
	Sum     roster.Summary
	Ready   int
	Left    int
	Roles   []named
	Site    string
	Until   db.Time
}

// A named role with how many get it.
type named struct {
	Name  string
	Count int
}

// check is the last look before everybody gets mail.
func (p *Pages) check(w http.ResponseWriter, r *http.Request) error {
	return p.showSend(w, r, web.NewForm())
}

func (p *Pages) showSend(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	page := &sendPage{Form: f}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
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
		rows, err := roster.Counts(tx, page.List)
		if err != nil {
			return err
		}
		page.Ready, page.Left = rows[roster.OK], rows[roster.Bad]+rows[roster.LeftOut]+rows[roster.Failed]
		page.Sum, err = roster.Sum(tx, page.List)
		for _, x := range page.Sum.Roles {
			page.Roles = append(page.Roles, named{x.Role.Name(c.lang), x.Count})
		}
		page.Site, page.Until = c.site(page.List.Defaults.Site), tx.Now().Add(days(page.List.Defaults.Days))
		return err
	})
	if err != nil {
		return err
	}
	if page.List.State == roster.Sending || page.Ready == 0 && f.OK() {
		return web.See(w, r, here(r))
	}
	page.Back = web.Link{Text: page.List.Name, Href: here(r)}
	return p.Site.Show(w, r, f.Status(), templates, "send", page)
}

func (p *Pages) send(w http.ResponseWriter, r *http.Request) error {
	f, ready := web.ReadForm(r), 0
	err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		ready, err = roster.Send(tx, web.Actor(r), r.PathValue("id"), r.PathValue("roster"), f.Number("version"))
		return err
	})
	if f.Take(err) {
		return p.showSend(w, r, f)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, here(r), "enrolling.sending", ready)
}

// remaining is what was not sent, as a file with the reasons.
func (p *Pages) remaining(w http.ResponseWriter, r *http.Request) error {
	var file bytes.Buffer
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		l, err := list(tx, r)
		if err != nil {
			return err
		}
		file.Reset()
		return roster.WriteRemaining(tx, &file, l, p.say(r))
	})
	if err != nil {
		return err
	}
	attach(w, "text/csv; charset=utf-8", p.text(r, "enrolling.remaining_file")+".csv")
	_, err = w.Write(file.Bytes())
	return err
}

func (p *Pages) remind(w http.ResponseWriter, r *http.Request) error {
	f, n := web.ReadForm(r), 0
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		l, err := list(tx, r)
		if err != nil {
			return err
		}
		n, err = invitation.RemindAll(tx, web.Actor(r), l.Organization, l.ID)
		return err
	})
	if f.Take(err) {
		return p.showList(w, r, f, nil)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, here(r), "enrolling.reminded", n)
}

// askPage is all that slips.html and drop.html may use.
type askPage struct {
	web.Frame
	Form    *web.Form
	Company organization.Organization
	List    roster.Roster
	Slips   int
	Most    int
}

func (p *Pages) showAsk(w http.ResponseWriter, r *http.Request, f *web.Form, name string) error {
	page := &askPage{Form: f, Most: roster.MostSlips}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		if page.List, err = list(tx, r); err != nil {
			return err
		}
		if page.Company, err = organization.Get(tx, page.List.Organization); err != nil {
			return err
		}
		slips, err := roster.SlipsOf(tx, page.List)
		page.Slips = len(slips)
		return err
	})
	if err != nil {
		return err
	}
	page.Back = web.Link{Text: page.List.Name, Href: here(r)}
	return p.Site.Show(w, r, f.Status(), templates, name, page)
}

func (p *Pages) slips(w http.ResponseWriter, r *http.Request) error {
	return p.showAsk(w, r, web.NewForm(), "slips")
}

// makeSlips makes new codes and the file that alone holds them.
func (p *Pages) makeSlips(w http.ResponseWriter, r *http.Request) error {
	var slips []roster.Slip
	var o organization.Organization
	var now db.Time
	f := web.ReadForm(r)
	err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		now = tx.Now()
		if slips, err = roster.Slips(tx, web.Actor(r), r.PathValue("id"), r.PathValue("roster")); err != nil {
			return err
		}
		o, err = organization.Get(tx, r.PathValue("id"))
		return err
	})
	if f.Take(err) {
		return p.showAsk(w, r, f, "slips")
	}
	if err != nil {
		return err
	}
	var sheets []paper.Slip
	for _, s := range slips {
		lang := s.Invitation.Language
		say := func(key string, args ...any) string { return p.Site.Catalog.Text(lang, key, args...) }
		sheets = append(sheets, paper.Slip{
			From: o.Name, To: s.Invitation.Name(), Title: say("enrolling.slip_title", o.Name),
			Steps: []string{say("enrolling.slip_scan", strings.TrimPrefix(strings.TrimPrefix(p.Site.Base, "https://"), "http://")+"/invitations/code"), say("enrolling.slip_type"), say("enrolling.slip_account")},
			Code:  paper.Group(s.Code, 4), QR: p.Site.Base + invitation.SlipPath(s.Code),
			Caption: say("enrolling.slip_caption", s.Invitation.ExpiresAt.In(mail.Berlin).Format("02.01.2006")),
		})
	}
	var file bytes.Buffer
	if err := paper.WriteSlips(&file, p.text(r, "enrolling.slips"), o.Name, web.Lang(r), now.In(mail.Berlin), sheets); err != nil {
		return err
	}
	attach(w, "application/pdf", p.text(r, "enrolling.slips_file")+".pdf")
	_, err = w.Write(file.Bytes())
	return err
}

func (p *Pages) drop(w http.ResponseWriter, r *http.Request) error {
	return p.showAsk(w, r, web.NewForm(), "drop")
}

func (p *Pages) doDrop(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		return roster.Drop(tx, web.Actor(r), r.PathValue("id"), r.PathValue("roster"))
	})
	if f.Take(err) {
		return p.showAsk(w, r, f, "drop")
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/organizations/"+r.PathValue("id")+"/rosters", "enrolling.dropped")
}
