package records

import (
	"net/http"
	"slices"

	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/identity/tally"
)

// A Bar of the chart, in the units of its picture.
type Bar struct {
	X, Y, Width, Height int
	Middle              int
	Month, Count        int
}

// The picture is 640 by 220; bars stand on a line at 180.
const (
	chartLeft, chartRight = 8, 632
	chartTop, chartGround = 24, 180
)

// bars of applications by month, the oldest left.
func bars(months []tally.Month) (all []Bar, most int) {
	for _, m := range months {
		most = max(most, m.Submitted)
	}
	step := (chartRight - chartLeft) / max(len(months), 1)
	for i := range months {
		m := months[len(months)-1-i]
		b := Bar{X: chartLeft + i*step + step/6, Width: step * 2 / 3, Month: m.Number, Count: m.Submitted}
		if most > 0 {
			b.Height = m.Submitted * (chartGround - chartTop) / most
		}
		b.Y, b.Middle = chartGround-b.Height, b.X+b.Width/2
		all = append(all, b)
	}
	return all, most
}

type statisticsPage struct {
	web.Frame
	Figures tally.Statistics
	Queues  []tally.Queue
	Now     db.Time
	Bars    []Bar
	Most    int
}

func (p *Pages) statistics(w http.ResponseWriter, r *http.Request) error {
	page := &statisticsPage{Frame: web.Frame{Wide: true}}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		c, err := mine(tx, r)
		if err != nil {
			return err
		}
		page.Now = tx.Now()
		if page.Figures, err = tally.Of(tx, web.Actor(r), c.ID); err != nil {
			return err
		}
		page.Queues, err = tally.Queues(tx, web.Actor(r), c.ID)
		page.Queues = slices.DeleteFunc(page.Queues, func(q tally.Queue) bool { return q.Count == 0 || q.Key == "mine" })
		return err
	})
	if err != nil {
		return err
	}
	page.Bars, page.Most = bars(page.Figures.Months)
	return p.Site.Show(w, r, http.StatusOK, templates, "statistics", page)
}
