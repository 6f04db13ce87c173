package reminder

import (
	"slices"
	"strconv"

	"zunft/internal/ground/db"
	"zunft/internal/training/calendar"
	"zunft/internal/training/person"
	"zunft/internal/training/review"
)

// remindSigners thinks about a batch of trainers and supervisors. What waits is
// asked for each of them alone, in the words of their queue, but only where
// something waits in the company at all.
func remindSigners(tx *db.Tx, p *plan) error {
	subs, args := p.people()
	today := calendar.Today(tx.Now())
	people, err := person.These(tx, subs)
	if err != nil {
		return err
	}
	at, roleOf := map[string][]string{}, map[[2]string][]string{}
	var companies []any
	err = tx.Each(`SELECT company, person, role FROM company_role WHERE person IN (`+db.In(1, len(args))+`) AND role IN ('trainer', 'supervisor') ORDER BY company`, args, func(scan func(...any) error) error {
		var company, sub, role string
		err := scan(&company, &sub, &role)
		if !slices.Contains(at[sub], company) {
			at[sub] = append(at[sub], company)
		}
		if !slices.Contains(companies, any(company)) {
			companies = append(companies, company)
		}
		roleOf[[2]string{company, sub}] = append(roleOf[[2]string{company, sub}], role)
		return err
	})
	if err != nil {
		return err
	}
	rests, busy := map[string]rest{}, []string(nil)
	if len(companies) > 0 {
		if rests, err = restOfSigners(tx, args, companies, at); err != nil {
			return err
		}
		if busy, err = db.Values[string](tx, `SELECT c.id FROM company c WHERE c.id IN (`+db.In(1, len(companies))+`) AND EXISTS (SELECT 1 FROM report r WHERE r.company = c.id AND r.state IN ('submitted', 'checked'))`, companies...); err != nil {
			return err
		}
	}
	known := map[string]person.Person{}
	for _, x := range people {
		known[x.Sub] = x
	}
	days := holidays{}
	for _, r := range p.rows {
		to := known[r.Person]
		if !p.move(r, tx.Now(), rests[r.Person].on(days, "", today)) || !r.Weekly || to.Email == "" || len(person.Here(tx, []person.Person{to})) == 0 {
			continue
		}
		var piles []review.Pile
		for _, company := range at[r.Person] {
			if !slices.Contains(busy, company) {
				continue
			}
			more, err := review.Piles(tx, person.Session{Person: to, Company: person.Company{ID: company}, Roles: roleOf[[2]string{company, r.Person}]})
			if err != nil {
				return err
			}
			piles = append(piles, more...)
		}
		if data := waits(piles); data != nil {
			data["Name"] = to.Name
			p.letters[r.Person] = letter{to, "waits", data}
		}
	}
	return nil
}

// waits is what the mail of a trainer says; nil: nothing waits.
func waits(piles []review.Pile) map[string]any {
	if len(piles) == 0 {
		return nil
	}
	slices.SortStableFunc(piles, func(a, b review.Pile) int { return a.Oldest.Compare(b.Oldest.Time) })
	n, more := 0, 0
	var names []string
	for _, x := range piles {
		n += x.Count
		if len(names) == listed {
			more++
			continue
		}
		names = append(names, x.Name+": "+strconv.Itoa(x.Count))
	}
	return map[string]any{"Count": n, "Oldest": calendar.Today(piles[0].Oldest).German(), "People": names, "More": more}
}
