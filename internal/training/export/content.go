package export

import (
	"slices"
	"strings"

	"zunft/internal/ground/db"
	"zunft/internal/training/apprenticeship"
	"zunft/internal/training/assignment"
	"zunft/internal/training/attachment"
	"zunft/internal/training/book"
	"zunft/internal/training/person"
	"zunft/internal/training/planning"
	"zunft/internal/training/review"
	"zunft/internal/training/share"
)

// content is all that goes into a file.
type content struct {
	Export          Export
	Over            bool // the look by which it was ordered has ended meanwhile
	Now             db.Time
	Person, Orderer person.Person
	Companies       map[string]person.Company
	Reports         []book.Report
	History         map[string][]book.Event
	Files           map[string][]string // names of attachments, by report
	People          map[string]string   // names of who decided
	Apprenticeships []apprenticeship.Apprenticeship
	Trainers        []assignment.Assignment
	Plan            []planning.Section // of the newest apprenticeship, then former ones that are named
}

// read collects what was ordered, in as many questions whatever there is.
func read(tx *db.Tx, id string) (c content, err error) {
	if c.Export, err = db.One(tx, (*Export).fields, `SELECT `+columns+` FROM export WHERE id = $1`, id); err != nil || c.Export.State != Waiting {
		return c, err
	}
	e := c.Export
	c.Now = tx.Now()
	if e.Share != "" {
		runs, err := share.Open(tx, e.Share)
		if c.Over = !runs; err != nil || c.Over {
			return c, err
		}
	}
	if c.Person, err = person.Get(tx, e.Person); err != nil {
		return c, err
	}
	if c.Orderer, err = person.Get(tx, e.OrderedBy); err != nil {
		return c, err
	}
	if err := c.reports(tx); err != nil {
		return c, err
	}
	if err := c.around(tx); err != nil {
		return c, err
	}
	return c, c.plan(tx)
}

// reports takes what belongs into the file. Others than its owner read what was
// submitted and is not being mended; in the company each what they read on its
// pages, by the roles they have when the file is made.
func (c *content) reports(tx *db.Tx) error {
	e := c.Export
	all, err := book.Between(tx, e.Person, e.Company, e.First, e.Last)
	if err != nil {
		return err
	}
	readable := map[string]bool{}
	if e.Company != "" {
		if readable, err = review.ReadableTo(tx, e.OrderedBy, e.Company, e.Person); err != nil {
			return err
		}
	}
	for _, r := range all {
		if e.Company != "" && !readable[r.ID] {
			continue
		}
		r.State = r.Seen(c.Now)
		if e.Signed && r.State != book.SignedOff || r.Text.Empty() || !e.Own() && (r.SubmittedAt.IsZero() || r.Open()) {
			continue
		}
		c.Reports = append(c.Reports, r)
	}
	return nil
}

// around reads what stands beside the reports: whose they are, what happened to
// them, and what is attached.
func (c *content) around(tx *db.Tx) (err error) {
	e := c.Export
	c.Companies, c.People, c.Files = map[string]person.Company{}, map[string]string{}, map[string][]string{}
	var ids []string
	for _, r := range c.Reports {
		if _, known := c.Companies[r.Company]; !known {
			if c.Companies[r.Company], err = person.CompanyOf(tx, r.Company); err != nil {
				return err
			}
		}
		if !slices.Contains(ids, r.Apprenticeship) {
			ids = append(ids, r.Apprenticeship)
			a, err := apprenticeship.Get(tx, r.Apprenticeship)
			if err != nil {
				return err
			}
			c.Apprenticeships = append(c.Apprenticeships, a)
		}
	}
	if c.Trainers, err = assignment.Assigned(tx, ids...); err != nil {
		return err
	}
	if c.History, err = book.Histories(tx, e.Person, e.Company, e.First, e.Last); err != nil {
		return err
	}
	if e.Share != "" { // what apprentice and company said to each other is theirs
		for id, events := range c.History {
			events = slices.DeleteFunc(events, func(e book.Event) bool { return e.Kind == "comment" })
			for i := range events {
				events[i].Text = ""
			}
			c.History[id] = events
		}
	}
	last := e.Last
	if last == "" {
		last = "9999-12-31"
	}
	files, err := attachment.Between(tx, e.Person, e.First, last)
	if err != nil {
		return err
	}
	for _, f := range files {
		c.Files[f.Report] = append(c.Files[f.Report], f.Name)
	}
	return tx.Each(`SELECT sub, name FROM person WHERE sub IN (SELECT decided_by FROM report WHERE apprentice = $1 UNION SELECT checked_by FROM report WHERE apprentice = $1)`,
		[]any{e.Person}, func(scan func(...any) error) error {
			var sub, name string
			err := scan(&sub, &name)
			c.People[sub] = name
			return err
		})
}

// plan reads the training plan, and what else the reports name.
func (c *content) plan(tx *db.Tx) (err error) {
	if n := len(c.Apprenticeships); n > 0 {
		a := c.Apprenticeships[n-1]
		if c.Plan, err = planning.PlanOf(tx, a.ChamberNumber, a.Occupation); err != nil {
			return err
		}
	}
	var former []string
	for _, r := range c.Reports {
		for _, id := range sectionsOf(r) {
			if !slices.ContainsFunc(c.Plan, func(s planning.Section) bool { return s.ID == id }) && !slices.Contains(former, id) {
				former = append(former, id)
			}
		}
	}
	old, err := planning.SectionsByID(tx, strings.Join(former, " "))
	c.Plan = append(c.Plan, old...)
	return err
}

// sectionsOf are the ids of the plan's sections that a report names, each once.
func sectionsOf(r book.Report) []string {
	all := []string{r.Text.Sections}
	for _, d := range r.Text.Days {
		all = append(all, d.Sections)
	}
	return strings.Fields(book.JoinIDs(all...))
}

// count is how many reports are in one of the states.
func (c content) count(states ...book.State) (n int) {
	for _, r := range c.Reports {
		if slices.Contains(states, r.State) {
			n++
		}
	}
	return n
}
