package writing

import (
	"net/http"
	"strconv"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/training/book"
)

// yearPage is all that year.html may use.
type yearPage struct {
	web.Frame
	Year       string
	Prev, Next string // empty: there is nothing
	Months     []month
	Earlier    []month // before the book begins: folded away
	First      bool    // nothing was written yet, anywhere
}

type month struct {
	Name  string
	Weeks []yearWeek
}

type yearWeek struct {
	Week           book.Week
	Kind, StateKey string
	Now            bool
}

// stateTags are the words and shapes of a week's state.
var stateTags = map[book.State]string{book.Draft: "neutral", book.Submitted: "info", book.Returned: "warning", book.SignedOff: "success"}

// year lists the weeks of one year, newest first, with their state in words.
func (p *Pages) year(w http.ResponseWriter, r *http.Request) error {
	v := &yearPage{}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		now := book.WeekOf(tx.Now())
		year := now.Year
		if y := r.URL.Query().Get("year"); y != "" {
			n, err := strconv.Atoi(y)
			if err != nil || n < 2000 || n > now.Year {
				return fault.NotFound()
			}
			year = n
		}
		standing, err := book.MyStanding(tx, web.Actor(r))
		if err != nil {
			return err
		}
		reports, err := book.Year(tx, web.Actor(r), year)
		if err != nil {
			return err
		}
		v.fill(p.text(r), year, now, standing, reports)
		return nil
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "year", v)
}

func (v *yearPage) fill(text func(string, ...any) string, year int, now book.Week, standing book.Standing, reports []book.Report) {
	v.Year, v.First = strconv.Itoa(year), standing.First.Year == 0
	if year > 2000 && (year > standing.First.Year || v.First) {
		v.Prev = strconv.Itoa(year - 1)
	}
	if year < now.Year {
		v.Next = strconv.Itoa(year + 1)
	}
	byWeek := map[book.Week]book.Report{}
	last, begin := now, standing.First
	if v.First {
		begin = now.Add(-3)
	}
	for _, r := range reports {
		byWeek[r.Week] = r
		if last.Before(r.Week) {
			last = r.Week
		}
	}
	for w := last; ; w = w.Add(-1) {
		if w.Year > year {
			continue
		}
		if w.Year < year {
			break
		}
		months := &v.Months
		if w.Before(begin) {
			months = &v.Earlier
		}
		// A week belongs to the month of its Thursday, as it does to its year.
		name := text("writing.month." + strconv.Itoa(int(w.Day(4).Month())))
		if n := len(*months); n == 0 || (*months)[n-1].Name != name {
			*months = append(*months, month{Name: name})
		}
		m := &(*months)[len(*months)-1]
		line := yearWeek{Week: w, Kind: "neutral", StateKey: "writing.empty", Now: w == now}
		if r, written := byWeek[w]; written {
			line.Kind, line.StateKey = stateTags[r.State], "book.state."+string(r.State)
		} else if !v.First && standing.First.Before(w) && w.Before(now) {
			line.Kind, line.StateKey = "warning", "writing.missing"
		}
		m.Weeks = append(m.Weeks, line)
	}
}
