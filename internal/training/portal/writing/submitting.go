package writing

import (
	"cmp"
	"net/http"
	"strings"

	"zunft/internal/ground/db"
	"zunft/internal/ground/diff"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/training/book"
	"zunft/internal/training/review"
	"zunft/internal/training/standing"
)

func (p *Pages) check(w http.ResponseWriter, r *http.Request) error {
	return p.showCheck(w, r, web.NewForm())
}

func (p *Pages) showCheck(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	week, err := weekOf(r)
	if err != nil {
		return err
	}
	var v *weekPage
	err = p.DB.Read(r.Context(), func(tx *db.Tx) error {
		report, a, _, err := book.Desk(tx, web.Actor(r), week)
		if err != nil {
			return err
		}
		v = p.view(r, report)
		if err := v.more(tx); err != nil {
			return err
		}
		if err := v.suggest(tx, a); err != nil {
			return err
		}
		if err := v.compare(tx, p.text(r)); err != nil {
			return err
		}
		v.Early = book.WeekOf(tx.Now()).Before(week)
		if v.Trainers, err = book.Signers(tx, web.Actor(r), report); err != nil || len(form.Values) > 0 {
			return err
		}
		last, err := book.LastApprover(tx, web.Actor(r))
		form.Values.Set("approver", last)
		return err
	})
	if err != nil {
		return err
	}
	if !v.Report.Open() && form.OK() {
		return web.See(w, r, "/reports/"+week.String())
	}
	v.Form = form
	_, v.Missing = v.Report.Lacks()
	if n := v.Report.Text.Length(); n > 0 && n < short {
		v.Short = n
	}
	v.Back = web.Link{Text: p.text(r)("writing.week", week.Name()), Href: "/reports/" + week.String()}
	return p.Site.Show(w, r, form.Status(), templates, "check", v)
}

// compare says what was changed since the report came back, so that nobody
// sends it again as it was.
func (v *weekPage) compare(tx *db.Tx, text func(key string, args ...any) string) error {
	reading, err := review.Read(tx, v.Report, text)
	if err != nil || !reading.Again {
		return err
	}
	v.Again = true
	for _, part := range reading.Texts {
		if diff.Changed(part.Pieces) {
			v.Changes = append(v.Changes, part)
		}
	}
	for _, day := range reading.Days {
		pieces := day.Pieces
		if day.Was != "" {
			pieces = append([]diff.Piece{{Kind: "del", Text: day.Was}, {Kind: "ins", Text: day.Said}, {Kind: "same", Text: "\n"}}, pieces...)
		}
		if diff.Changed(pieces) {
			v.Changes = append(v.Changes, review.Part{Heading: day.Name, Pieces: pieces})
		}
	}
	return nil
}

// next is the week to go on with after one is handed in.
func (v *weekPage) next(tx *db.Tx) error {
	b, err := standing.Read(tx, v.Report.Apprentice, true)
	if open := b.OpenWeeks(); err == nil && len(open) > 0 {
		v.Open = open[0].Week
	}
	return err
}

func (p *Pages) submit(w http.ResponseWriter, r *http.Request) error {
	week, err := weekOf(r)
	if err != nil {
		return err
	}
	form := web.ReadForm(r)
	err = p.DB.Write(r.Context(), func(tx *db.Tx) error {
		_, err := book.SubmitWith(tx, web.Actor(r), week, version(form), form.Text("approver"), strings.Join(form.All("sections"), " "))
		return err
	})
	if f := fault.Of(err); f != nil && (f.Problems[0].Field == "work" || f.Problems[0].Field == "school") {
		form.Add("", f.Key()) // the box is on the page before
		return p.showCheck(w, r, form)
	}
	if form.Take(err) {
		return p.showCheck(w, r, form)
	}
	if err != nil {
		return err
	}
	return web.See(w, r, "/reports/"+week.String()+"/submitted")
}

func (p *Pages) submitted(w http.ResponseWriter, r *http.Request) error {
	week, err := weekOf(r)
	if err != nil {
		return err
	}
	var v *weekPage
	err = p.DB.Read(r.Context(), func(tx *db.Tx) error {
		report, err := book.Mine(tx, web.Actor(r), week)
		if err != nil {
			return err
		}
		v = p.view(r, report)
		to, one, err := book.ApproverOf(tx, report)
		if one || err != nil {
			v.SentTo = to.Name
			return cmp.Or(err, v.unknown(tx))
		}
		v.Trainers, err = book.Signers(tx, web.Actor(r), report)
		return err
	})
	if err == nil {
		err = p.DB.Read(r.Context(), v.next)
	}
	if err != nil {
		return err
	}
	if v.Report.State != book.Submitted {
		return web.See(w, r, "/reports/"+week.String())
	}
	v.Back = web.Link{}
	return p.Site.Show(w, r, http.StatusOK, templates, "submitted", v)
}

func (p *Pages) takeBack(w http.ResponseWriter, r *http.Request) error {
	week, err := weekOf(r)
	if err != nil {
		return err
	}
	err = p.DB.Write(r.Context(), func(tx *db.Tx) error {
		_, err := book.TakeBack(tx, web.Actor(r), week)
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/reports/"+week.String(), "writing.done_taken_back", week.Name())
}
