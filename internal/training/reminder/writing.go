package reminder

import (
	"slices"

	"zunft/internal/ground/db"
	"zunft/internal/training/calendar"
	"zunft/internal/training/person"
	"zunft/internal/training/standing"
)

const (
	since2018 = "2018-08-01" // R323: apprenticeships that began before are not reminded
	longOver  = 60           // days after the end of an apprenticeship, as lists show it
	listed    = 8            // weeks, or names, in a mail
)

// remindApprentices thinks about a batch of apprentices: nine questions for all.
func remindApprentices(tx *db.Tx, p *plan) error {
	subs, args := p.people()
	today := calendar.Today(tx.Now())
	people, err := person.These(tx, subs)
	if err != nil {
		return err
	}
	books, err := standing.Books(tx, subs)
	if err != nil {
		return err
	}
	rests, err := restOf(tx, args, today.Add(-remembered))
	if err != nil {
		return err
	}
	seen, err := seenSince(tx, args)
	if err != nil {
		return err
	}
	var companies []any
	for _, b := range books {
		if c := b.Running().Company; c != "" && !slices.Contains(companies, any(c)) {
			companies = append(companies, c)
		}
	}
	weeks, err := weeksOf(tx, companies)
	if err != nil {
		return err
	}
	known := map[string]person.Person{}
	for _, x := range people {
		known[x.Sub] = x
	}
	days := holidays{}
	for _, r := range p.rows {
		b := books[r.Person]
		a := b.Running()
		if !p.move(r, tx.Now(), rests[r.Person].on(days, a.Land, today)) {
			continue
		}
		if !runs(b, seen[r.Person][a.Company], today) {
			continue
		}
		quiet := silent(b, seen[r.Person][a.Company], weeks.of(a.Company), rests[r.Person], days)
		if quiet.Since != "" && quiet.On < today {
			p.silences = append(p.silences, noted{r.Person, a.Company, a.ID, quiet.Since})
		}
		if to := known[r.Person]; r.Weekly && to.Email != "" {
			if data := missing(b, quiet, today); data != nil {
				data["Name"] = to.Name
				p.letters[r.Person] = letter{to, "missing", data}
			}
		}
	}
	return nil
}

// runs reports whether somebody is to write here at all (R323).
func runs(b standing.Book, seen, today calendar.Date) bool {
	a := b.Running()
	last := a.Last()
	return seen != "" && b.Electronic && (a.StartsOn == "" || a.StartsOn >= since2018) && (last == "" || last.Add(longOver) >= today)
}

// missing is what the mail of an apprentice says; nil: nothing is missing. A
// week is, as soon as it has ended.
func missing(b standing.Book, s Silence, today calendar.Date) map[string]any {
	var open, back []string
	var first calendar.Week
	more := 0
	for _, c := range b.Cells {
		lacks := c.Open || c.Week.Date(7) < today && (c.State == standing.Empty || c.State == standing.Missing || c.State == "draft")
		if !lacks && c.State != "returned" {
			continue
		}
		if first.Year == 0 {
			first = c.Week
		}
		said := c.Week.Name() + " (" + c.Week.Dates() + ")"
		switch {
		case len(open)+len(back) == listed:
			more++
		case c.State == "returned":
			back = append(back, said)
		default:
			open = append(open, said)
		}
	}
	if first.Year == 0 {
		return nil
	}
	data := map[string]any{"Missing": open, "Returned": back, "More": more, "Weeks": len(open) + len(back) + more, "Week": first.Name(), "Path": first.String(), "Since": "", "Day": "", "Told": false, "Lost": ""}
	if s.shows(today) {
		data["Since"], data["Day"], data["Told"] = s.Since.German(), s.On.German(), s.On < today
	}
	if lost := Lost(b.Lost, today); len(lost) > 0 {
		data["Lost"] = lost[len(lost)-1].German()
	}
	return data
}
