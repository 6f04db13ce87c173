package managing

import (
	"net/http"
	"slices"

	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/training/apprenticeship"
	"zunft/internal/training/login"
	"zunft/internal/training/person"
	"zunft/internal/training/standing"
)

// overviewPage is all that overview.html may use.
type overviewPage struct {
	place
	Company     string
	Counts      map[string]int
	Undescribed int // at least
	NoTrainer   bool
	Lines       []line
	More        bool
}

func (p *Pages) overview(w http.ResponseWriter, r *http.Request) error {
	v := &overviewPage{Company: login.Of(r).Company.Name}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		by := web.Actor(r)
		var err error
		if v.Counts, err = apprenticeship.Counts(tx, by); err != nil {
			return err
		}
		without, err := apprenticeship.Undescribed(tx, by, pageSize)
		if err != nil {
			return err
		}
		v.Undescribed = len(without)
		trainers, err := person.With(tx, login.Of(r).Company.ID, person.Trainer)
		if err != nil {
			return err
		}
		v.NoTrainer = len(trainers) == 0
		all, err := apprenticeship.List(tx, by, apprenticeship.Filter{}, pageSize+1)
		if err != nil {
			return err
		}
		if v.More = len(all) > pageSize; v.More {
			all = all[:pageSize]
		}
		if v.Lines, err = lines(tx, all); err == nil && !v.More {
			slices.SortStableFunc(v.Lines, func(a, b line) int { return standing.ByNeed(a.Stand, b.Stand) })
		}
		return err
	})
	if err != nil {
		return err
	}
	v.at(r)
	return p.Site.Show(w, r, http.StatusOK, templates, "overview", v)
}
