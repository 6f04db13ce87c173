// Package reminding is where people choose when they are reminded, and where
// calendars read what is due:
//
//	GET  POST /settings/reminders            the weekly mail: day, hour, or none
//	     POST /settings/reminders/calendar   an address for calendars, shown once
//	     POST /settings/reminders/calendar/end
//	GET  POST /company/reminders             after how many weeks trainers hear of silence
//	GET  /calendar/{file}                    TOKEN.ics, for programs: no sign-in
package reminding

import (
	"embed"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/web"
	"zunft/internal/training/calendar"
	"zunft/internal/training/login"
	"zunft/internal/training/outage"
	"zunft/internal/training/person"
	"zunft/internal/training/reminder"
)

// Phrases of these pages.
//
//go:embed phrases/*.json
var Phrases embed.FS

//go:embed all:templates
var files embed.FS

var templates = web.Parse(files)

// Pages of the place.
type Pages struct {
	DB   *db.DB
	Site *web.Site
}

// Mount adds the routes.
func (p *Pages) Mount(m *web.Mux) {
	m.Signed("GET /settings/reminders", p.choices)
	m.Signed("POST /settings/reminders", p.choose)
	m.Signed("POST /settings/reminders/calendar", p.open)
	m.Signed("POST /settings/reminders/calendar/end", p.shut)
	m.Signed("GET /company/reminders", p.weeks)
	m.Signed("POST /company/reminders", p.setWeeks)
	m.Machine("GET /calendar/{file}", http.HandlerFunc(p.calendar))
}

func (p *Pages) text(lang string) func(key string, args ...any) string {
	return func(key string, args ...any) string { return p.Site.Catalog.Text(lang, key, args...) }
}

// choicesPage is all that choices.html may use.
type choicesPage struct {
	web.Frame
	Form    *web.Form
	Kinds   []kindView
	Writes  bool
	Feed    reminder.Feed
	Has     bool   // a calendar
	Address string // of a new one, shown once
	Lost    string // day on which the portal was down
	Admin   bool
}

type kindView struct {
	reminder.Choice
	Days, Hours []web.Option
}

func (p *Pages) choices(w http.ResponseWriter, r *http.Request) error {
	return p.show(w, r, &choicesPage{})
}

func (p *Pages) show(w http.ResponseWriter, r *http.Request, v *choicesPage) error {
	text, s := p.text(web.Lang(r)), login.Of(r)
	v.Writes, v.Admin = s.Writes(), s.Is(person.TrainingAdmin)
	var mine []reminder.Choice
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		if mine, err = reminder.Mine(tx, web.Actor(r)); err != nil {
			return err
		}
		lost, err := outage.Lost(tx)
		if err != nil {
			return err
		}
		if lately := reminder.Lost(lost, calendar.Today(tx.Now())); len(lately) > 0 {
			v.Lost = lately[len(lately)-1].German()
		}
		if v.Writes {
			v.Feed, v.Has, err = reminder.FeedOf(tx, web.Actor(r))
		}
		return err
	})
	if err != nil {
		return err
	}
	given := v.Form != nil
	if !given {
		v.Form = web.NewForm()
	}
	for _, c := range mine {
		k := kindView{Choice: c, Days: []web.Option{{Value: "0", Text: text("reminding.never")}}}
		for i := 1; i <= 7; i++ {
			k.Days = append(k.Days, web.Option{Value: strconv.Itoa(i), Text: text("book.day." + weekdays[i-1])})
		}
		for h := reminder.FirstHour; h <= reminder.LastHour; h++ {
			k.Hours = append(k.Hours, web.Option{Value: strconv.Itoa(h), Text: text("reminding.oclock", strconv.Itoa(h))})
		}
		v.Kinds = append(v.Kinds, k)
		if given {
			continue
		}
		day := c.Weekday
		if !c.Weekly {
			day = 0
		}
		v.Form.Values.Set(c.Kind+"_day", strconv.Itoa(day))
		v.Form.Values.Set(c.Kind+"_hour", strconv.Itoa(c.Hour))
		if c.Quiet {
			v.Form.Values.Set(c.Kind+"_quiet", "yes")
		}
	}
	v.Back = web.Link{Text: text("reminding.reviews"), Href: "/reviews"}
	if v.Writes {
		v.Back = web.Link{Text: text("reminding.settings"), Href: "/settings"}
	}
	return p.Site.Show(w, r, v.Form.Status(), templates, "choices", v)
}

var weekdays = []string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}

func (p *Pages) choose(w http.ResponseWriter, r *http.Request) error {
	form := web.ReadForm(r)
	var all []reminder.Choice
	for _, kind := range []string{reminder.Writing, reminder.Reviewing} {
		day := form.Text(kind + "_day")
		if day == "" {
			continue // not on the page of who does not do that
		}
		all = append(all, reminder.Choice{
			Kind: kind, Weekly: day != "0", Moment: reminder.Moment{Weekday: form.Number(kind + "_day"), Hour: form.Number(kind + "_hour")}, Quiet: form.Checked(kind + "_quiet"),
		})
	}
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error { return reminder.Choose(tx, web.Actor(r), all...) })
	if form.Take(err) {
		return p.show(w, r, &choicesPage{Form: form})
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/settings/reminders", "reminding.done")
}

// open answers with the page itself: the address is shown this once.
func (p *Pages) open(w http.ResponseWriter, r *http.Request) error {
	v := &choicesPage{}
	var secret string
	err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		secret, err = reminder.Open(tx, web.Actor(r))
		return err
	})
	if err != nil {
		return err
	}
	v.Address = p.Site.Base + "/calendar/" + secret + ".ics"
	return p.show(w, r, v)
}

func (p *Pages) shut(w http.ResponseWriter, r *http.Request) error {
	if err := p.DB.Write(r.Context(), func(tx *db.Tx) error { return reminder.Shut(tx, web.Actor(r)) }); err != nil {
		return err
	}
	return p.Site.Done(w, r, "/settings/reminders", "reminding.done_calendar")
}

// weeksPage is all that weeks.html may use.
type weeksPage struct {
	web.Frame
	Form  *web.Form
	Weeks []web.Option
}

func (p *Pages) weeks(w http.ResponseWriter, r *http.Request) error {
	return p.showWeeks(w, r, nil)
}

func (p *Pages) showWeeks(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	text := p.text(web.Lang(r))
	v := &weeksPage{Form: form}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		n, err := reminder.WeeksOf(tx, web.Actor(r))
		if form == nil {
			v.Form = web.NewForm("weeks", strconv.Itoa(n))
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, n := range reminder.Weeks {
		o := web.Option{Value: strconv.Itoa(n), Text: text("reminding.after_weeks", n)}
		if n == 0 {
			o.Text = text("reminding.not_at_all")
		}
		v.Weeks = append(v.Weeks, o)
	}
	v.Back = web.Link{Text: text("reminding.company"), Href: "/company/settings"}
	return p.Site.Show(w, r, v.Form.Status(), templates, "weeks", v)
}

func (p *Pages) setWeeks(w http.ResponseWriter, r *http.Request) error {
	form := web.ReadForm(r)
	weeks, err := strconv.Atoi(form.Text("weeks"))
	if err != nil {
		weeks = -1
	}
	err = p.DB.Write(r.Context(), func(tx *db.Tx) error { return reminder.SetWeeks(tx, web.Actor(r), weeks) })
	if form.Take(err) {
		return p.showWeeks(w, r, form)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/company/reminders", "reminding.done")
}

// Programs ask every few hours; strangers who try addresses wait.
var (
	reads     = limit.Rate{Burst: 30, Every: time.Minute}
	strangers = limit.Rate{Burst: 20, Every: 10 * time.Second}
)

func (p *Pages) calendar(w http.ResponseWriter, r *http.Request) {
	err := p.sendCalendar(w, r)
	switch {
	case err == nil:
	case fault.Is(err, fault.KindNotFound):
		http.NotFound(w, r)
	case fault.Is(err, fault.KindLimited):
		w.Header().Set("Retry-After", "60")
		http.Error(w, "429", http.StatusTooManyRequests)
	default:
		slog.ErrorContext(r.Context(), "calendar", "request", web.Actor(r).Request, "err", err)
		http.Error(w, "500", http.StatusInternalServerError)
	}
}

func (p *Pages) sendCalendar(w http.ResponseWriter, r *http.Request) error {
	secret, is := strings.CutSuffix(r.PathValue("file"), ".ics")
	if !is {
		return fault.NotFound()
	}
	var (
		feed  reminder.Feed
		owner person.Person
		weeks []reminder.Due
		now   db.Time
	)
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		now = tx.Now()
		feed, owner, weeks, err = reminder.ReadFeed(tx, secret)
		return err
	})
	if fault.Is(err, fault.KindNotFound) {
		if err := limit.Take(r.Context(), p.DB, "calendar/"+limit.Network(web.Actor(r).IP), strangers); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	if err := limit.Take(r.Context(), p.DB, "calendar/"+feed.ID, reads); err != nil {
		return err
	}
	if feed.Stale(now) {
		if err := p.DB.Write(r.Context(), func(tx *db.Tx) error { return reminder.Used(tx, feed) }); err != nil {
			return err
		}
	}
	h := w.Header()
	h.Set("Content-Type", "text/calendar; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="zunft.ics"`)
	h.Set("Cache-Control", "private, max-age=3600")
	_, err = w.Write([]byte(reminder.ICS(feed, weeks, now, p.Site.Base, p.text(owner.Language))))
	return err
}
