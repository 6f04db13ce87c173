package reviewing

import (
	"net/http"
	"strconv"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/training/person"
	"zunft/internal/training/review"
)

// atOnce is how many reports are read through on one page.
const atOnce = 20

// allPage is several reports to be read through.
type allPage struct {
	web.Frame
	Form   *web.Form
	Items  []allItem
	Signer string
	More   bool // there are more than on this page
}

type allItem struct {
	ID, Name, Week, Dates, Skip string
	Version                     int
	Reading                     review.Reading
	Skipped                     bool
}

func (p *Pages) all(w http.ResponseWriter, r *http.Request) error {
	return p.showAll(w, r, web.NewForm())
}

func (p *Pages) showAll(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	v := &allPage{Form: form, Signer: web.Actor(r).Account}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		by := web.Actor(r)
		reports, err := review.Texts(tx, by, atOnce+1)
		if err != nil {
			return err
		}
		if v.More = len(reports) > atOnce; v.More {
			reports = reports[:atOnce]
		}
		readings, err := review.ReadAll(tx, reports, p.text(r))
		if err != nil {
			return err
		}
		subs := []string{by.Account}
		for _, x := range reports {
			subs = append(subs, x.Apprentice)
		}
		people, err := person.These(tx, subs)
		if err != nil {
			return err
		}
		names := map[string]string{}
		for _, x := range people {
			names[x.Sub] = x.Name
		}
		v.Signer = names[by.Account]
		for i, x := range reports {
			v.Items = append(v.Items, allItem{
				ID: x.ID, Name: names[x.Apprentice], Week: x.Week.Name(), Dates: x.Week.Dates(), Skip: "skip-" + x.ID, Version: x.Version,
				Reading: readings[i], Skipped: form.Checked("skip-" + x.ID),
			})
		}
		return nil
	})
	if err != nil {
		return err
	}
	v.Back = web.Link{Text: p.text(r)("reviewing.queue"), Href: "/reviews"}
	return p.Site.Show(w, r, form.Status(), templates, "all", v)
}

// signAll signs off each report in the version that was on the page; those that
// changed meanwhile stay, and the notice counts them.
func (p *Pages) signAll(w http.ResponseWriter, r *http.Request) error {
	form := web.ReadForm(r)
	if !form.Checked("read") {
		form.Add("read", "reviewing.all_unread")
		return p.showAll(w, r, form)
	}
	signed, stayed := 0, 0
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		ids := form.All("report")
		for _, id := range ids[:min(len(ids), atOnce)] {
			if form.Checked("skip-" + id) {
				continue
			}
			version, err := strconv.Atoi(form.Text("version-" + id))
			if err != nil {
				return fault.Invalid("", "web.form_unreadable")
			}
			_, err = review.SignOff(tx, web.Actor(r), id, version, "")
			if fault.Is(err, fault.KindConflict) || fault.Is(err, fault.KindNotFound) { // nothing was changed
				stayed++
				continue
			}
			if err != nil {
				return err
			}
			signed++
		}
		return nil
	})
	if form.Take(err) {
		return p.showAll(w, r, form)
	}
	if err != nil {
		return err
	}
	switch {
	case signed+stayed == 0:
		form.Add("", "reviewing.all_none")
		return p.showAll(w, r, form)
	case stayed > 0:
		return p.Site.Done(w, r, "/reviews/done", "reviewing.done_all_but", signed, stayed)
	}
	return p.Site.Done(w, r, "/reviews/done", "reviewing.done_all", signed)
}

// donePage is what somebody decided lately.
type donePage struct {
	web.Frame
	Items []review.Done
	Now   db.Time
	After string // id of the last one, if there are more
}

// donePer is how many stand on a page.
const donePer = 50

func (p *Pages) done(w http.ResponseWriter, r *http.Request) error {
	v := &donePage{}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		v.Now = tx.Now()
		v.Items, err = review.Decisions(tx, web.Actor(r), web.ReadQuery(r).Text("before"), donePer+1)
		return err
	})
	if err != nil {
		return err
	}
	if len(v.Items) > donePer {
		v.Items = v.Items[:donePer]
		v.After = v.Items[donePer-1].ID
	}
	v.Back = web.Link{Text: p.text(r)("reviewing.queue"), Href: "/reviews"}
	return p.Site.Show(w, r, http.StatusOK, templates, "done", v)
}
