package standing

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/training/calendar"
	"zunft/internal/training/login"
	"zunft/internal/training/occupation"
	"zunft/internal/training/person"
	"zunft/internal/training/review"
	"zunft/internal/training/standing"
)

// traineesPage is all that trainees.html may use.
type traineesPage struct {
	web.Frame
	Form          *web.Form
	Search        bool // there are so many that one looks for somebody
	Shows, Orders []web.Option
	Narrowed      bool
	Stretch       int // how many were looked at, if there are more: 0 else
	Stands        []traineeLine
	Unplaced      []string // nobody has said what they learn
	After         string   // there was a page before
	More          string   // address of the next page
	Admin         bool
}

// searchFrom is from how many apprentices on a page offers to look for one.
const searchFrom = 12

type traineeLine struct {
	standing.Stand
	Occupation string
}

func (p *Pages) trainees(w http.ResponseWriter, r *http.Request) error {
	form := web.ReadQuery(r)
	c := standing.Choice{Search: form.Text("q"), Show: form.Text("show"), Order: form.Text("order"), After: form.Raw("after")}
	v := &traineesPage{Form: form, After: c.After, Admin: login.Of(r).Is(person.TrainingAdmin), Narrowed: c.Search != "" || c.Show != ""}
	for _, x := range []string{"", standing.WithOpen, standing.WithWaiting} {
		v.Shows = append(v.Shows, web.Option{Value: x, Text: p.text(r)("standing.show." + cmp.Or(x, "all"))})
	}
	for _, x := range []string{standing.Behind, standing.ByName} {
		v.Orders = append(v.Orders, web.Option{Value: x, Text: p.text(r)("standing.order." + x)})
	}
	if !slices.ContainsFunc(v.Shows, func(o web.Option) bool { return o.Value == c.Show }) {
		return fault.NotFound()
	}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		l, err := standing.Company(tx, web.Actor(r), c)
		if err != nil {
			return err
		}
		for _, s := range l.Stands {
			v.Stands = append(v.Stands, traineeLine{s, occupation.Name(s.Apprenticeship.Occupation)})
		}
		if login.Of(r).Signs() {
			waiting, _, err := review.Waiting(tx, web.Actor(r))
			if err != nil {
				return err
			}
			v.Counted = map[string]int{"/reviews": waiting}
		}
		form.Values.Set("order", l.Order)
		if l.Next != "" {
			v.More = "?" + url.Values{"q": {c.Search}, "show": {c.Show}, "order": {c.Order}, "after": {l.Next}}.Encode()
			if l.Order == standing.Behind || c.Show != "" {
				v.Stretch = standing.Stretch
			}
		}
		v.Search = v.More != "" || v.After != "" || v.Narrowed || len(l.Stands) > searchFrom
		if v.After == "" && !v.Narrowed {
			v.Unplaced, err = standing.Unplaced(tx, web.Actor(r))
		}
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "trainees", v)
}

// traineePage is all that trainee.html may use.
type traineePage struct {
	web.Frame
	Form       *web.Form
	Trainee    standing.Trainee
	Occupation string
	Points     []pointView
	Year       string
	Prev, Next string
	Months     []month
	Day        bool // the registration can be said
	Kinds      bool // why somebody was away is for who trains them (Art. 5 (1) c, Art. 9 GDPR), not for a supervisor of some weeks
	readable   map[string]bool
	Review     string // id of the oldest report that waits for the reader, or empty
}

func (p *Pages) trainee(w http.ResponseWriter, r *http.Request) error {
	return p.showTrainee(w, r, web.NewForm())
}

func (p *Pages) showTrainee(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	v := &traineePage{Form: form, Kinds: login.Of(r).Is(person.Trainer)}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		if v.Trainee, err = standing.TraineeOf(tx, web.Actor(r), r.PathValue("id")); err != nil {
			return err
		}
		if v.readable, err = review.Readable(tx, web.Actor(r), v.Trainee.Stand.Apprenticeship.Person); err != nil {
			return err
		}
		v.fill(p, r, calendar.WeekOf(tx.Now()))
		queue, err := review.Queue(tx, web.Actor(r))
		v.Counted = map[string]int{"/reviews": len(queue)}
		for _, x := range queue {
			if login.Of(r).Signs() && x.Apprentice == v.Trainee.Stand.Apprenticeship.Person {
				v.Review = x.ID
				break
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	v.Back = web.Link{Text: p.text(r)("standing.trainees"), Href: "/trainees"}
	return p.Site.Show(w, r, form.Status(), templates, "trainee", v)
}

func (v *traineePage) fill(p *Pages, r *http.Request, now calendar.Week) {
	b, a := v.Trainee.Book, v.Trainee.Stand.Apprenticeship
	v.Occupation = occupation.Name(a.Occupation)
	year := now.Year
	if n, err := strconv.Atoi(r.URL.Query().Get("year")); err == nil && n >= 2000 && n < year {
		year = n
	}
	v.Year = strconv.Itoa(year)
	if b.First.Year != 0 && b.First.Year < year {
		v.Prev = strconv.Itoa(year - 1)
	}
	if year < now.Year {
		v.Next = strconv.Itoa(year + 1)
	}
	v.Months = months(p.text(r), year, func(w calendar.Week) weekView {
		c := b.Cell(w)
		if !v.readable[c.Report] { // sent to somebody else, or not of their time
			return view(c, "")
		}
		return view(c, "/reviews/"+c.Report)
	})
	for _, x := range v.Trainee.Exam {
		v.Points = append(v.Points, p.point(r, x, false))
		v.Day = v.Day || x.Key == standing.Registered && x.State != "done" && login.Of(r).Is(person.TrainingAdmin)
	}
}

// registered is the company's word that the contract is in the register.
func (p *Pages) registered(w http.ResponseWriter, r *http.Request) error {
	form := web.ReadForm(r)
	day, _ := calendar.ParseDate(form.Text("day"))
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		t, err := standing.TraineeOf(tx, web.Actor(r), r.PathValue("id"))
		if err != nil {
			return err
		}
		return standing.Say(tx, web.Actor(r), t.Stand.Apprenticeship.ID, standing.Registered, day)
	})
	if form.Take(err) {
		return p.showTrainee(w, r, form)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/trainees/"+r.PathValue("id"), "standing.done_said")
}
