package standing

import (
	"net/http"
	"strconv"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/training/calendar"
	"zunft/internal/training/export"
	"zunft/internal/training/login"
	"zunft/internal/training/share"
)

// sharesPage is all that shares.html may use.
type sharesPage struct {
	web.Frame
	Form                 *web.Form
	Asked, Running, Over []share.Share
	Seen                 []share.Seen
	Taken                []export.Taken // by others, as a PDF
	Days                 []web.Option
}

func (p *Pages) shares(w http.ResponseWriter, r *http.Request) error {
	return p.showShares(w, r, web.NewForm())
}

func (p *Pages) showShares(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	v := &sharesPage{Form: form}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		all, err := share.Mine(tx, web.Actor(r))
		if err != nil {
			return err
		}
		for _, s := range all {
			switch {
			case s.Asked():
				v.Asked = append(v.Asked, s)
			case s.Runs(tx.Now()):
				v.Running = append(v.Running, s)
			case !s.OpenedAt.IsZero():
				v.Over = append(v.Over, s)
			}
		}
		if v.Seen, err = share.Seens(tx, web.Actor(r)); err != nil {
			return err
		}
		v.Taken, err = export.Others(tx, web.Actor(r))
		return err
	})
	if err != nil {
		return err
	}
	for i, seen := range v.Seen {
		if week, ok := calendar.ParseWeek(seen.Week); ok {
			v.Seen[i].Week = week.Name() + "/" + strconv.Itoa(week.Year)
		}
	}
	for _, d := range share.Days {
		v.Days = append(v.Days, web.Option{Value: strconv.Itoa(d), Text: p.text(r)("standing.days", d), Selected: d == share.Days[0]})
	}
	v.Back = web.Link{Text: p.text(r)("standing.year"), Href: "/reports"}
	return p.Site.Show(w, r, form.Status(), templates, "shares", v)
}

// grant lets the chamber look.
func (p *Pages) grant(w http.ResponseWriter, r *http.Request) error {
	form := web.ReadForm(r)
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		_, err := share.Grant(tx, web.Actor(r), form.Number("days"))
		return err
	})
	return p.shared(w, r, form, err, "standing.done_granted")
}

// answer grants or declines a question, or ends a look.
func (p *Pages) answer(w http.ResponseWriter, r *http.Request) error {
	form, id, by := web.ReadForm(r), r.PathValue("id"), web.Actor(r)
	done := map[string]string{"grant": "standing.done_granted", "decline": "standing.done_declined", "end": "standing.done_ended"}[r.PathValue("deed")]
	if done == "" || !login.Of(r).Writes() {
		return fault.NotFound()
	}
	err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		switch r.PathValue("deed") {
		case "grant":
			_, err = share.Allow(tx, by, id, form.Number("days"))
		case "decline":
			err = share.Decline(tx, by, id)
		default:
			err = share.End(tx, by, id)
		}
		return err
	})
	return p.shared(w, r, form, err, done)
}

func (p *Pages) shared(w http.ResponseWriter, r *http.Request, form *web.Form, err error, done string) error {
	if form.Take(err) {
		return p.showShares(w, r, form)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/shares", done)
}
