package standing

import (
	"encoding/json"
	"fmt"
	"strings"

	"zunft/internal/ground/db"
	"zunft/internal/training/apprenticeship"
	"zunft/internal/training/book"
	"zunft/internal/training/planning"
)

// Coverage is how far a section of the training plan is documented: in how many
// weeks, of how many planned (ux 16).
type Coverage struct {
	Section planning.Section
	Weeks   int // in which it was named
	Minutes int // of days that named it
	Last    string
}

// Percent of the planned weeks, at most 100; 0 if none are planned.
func (c Coverage) Percent() int {
	if c.Section.Weeks == 0 {
		return 0
	}
	return min(100, c.Weeks*100/c.Section.Weeks)
}

// Done reports whether as many weeks as planned name it.
func (c Coverage) Done() bool { return c.Section.Weeks > 0 && c.Weeks >= c.Section.Weeks }

// PlanOf is the coverage of the plan of an apprenticeship by a book, and of
// sections of former plans that it names; own as in Read.
func PlanOf(tx *db.Tx, a apprenticeship.Apprenticeship, sub string, own bool) ([]Coverage, error) {
	plan, err := planning.PlanOf(tx, a.ChamberNumber, a.Occupation)
	if err != nil {
		return nil, err
	}
	drafts := ` AND submitted_at IS NOT NULL AND state <> 'draft'`
	if own {
		drafts = ``
	}
	named := map[string]*Coverage{}
	err = tx.Each(`SELECT year, week, sections, days FROM report WHERE apprentice = $1 AND kind = 'week'`+drafts+` ORDER BY year, week`, []any{sub},
		func(scan func(...any) error) error {
			var year, week int
			var sections, text string
			if err := scan(&year, &week, &sections, &text); err != nil {
				return err
			}
			return cover(named, fmt.Sprintf("%d-W%02d", year, week), sections, text)
		})
	if err != nil {
		return nil, fmt.Errorf("plan of %s: %w", sub, err)
	}
	var all []Coverage
	for _, s := range plan {
		c := Coverage{Section: s}
		if n := named[s.ID]; n != nil {
			c.Weeks, c.Minutes, c.Last = n.Weeks, n.Minutes, n.Last
			delete(named, s.ID)
		}
		all = append(all, c)
	}
	var former []string
	for id := range named {
		former = append(former, id)
	}
	old, err := planning.SectionsByID(tx, strings.Join(former, " "))
	for _, s := range old {
		c := named[s.ID]
		c.Section = s
		all = append(all, *c)
	}
	return all, err
}

// cover counts the sections that a report names: each once a week.
func cover(named map[string]*Coverage, week, sections, text string) error {
	var days [7]book.Day
	if text != "" {
		if err := json.Unmarshal([]byte(text), &days); err != nil {
			return err
		}
	}
	add := func(ids string, minutes int) {
		for _, id := range strings.Fields(ids) {
			c := named[id]
			if c == nil {
				c = &Coverage{}
				named[id] = c
			}
			if c.Last != week {
				c.Weeks++
				c.Last = week
			}
			c.Minutes += minutes
		}
	}
	add(sections, 0)
	for _, d := range days {
		add(d.Sections, d.Minutes)
	}
	return nil
}
