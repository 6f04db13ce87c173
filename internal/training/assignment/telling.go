package assignment

import (
	"cmp"
	"embed"
	"maps"
	"slices"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/mail"
	"zunft/internal/training/calendar"
	"zunft/internal/training/person"
)

//go:embed mails
var mailFiles embed.FS

var texts = mail.Parse(mailFiles)

// moves are the changes of trainers in one transaction. Of forty at once a
// trainer hears in one mail; the person who does it knows already.
type moves []move

type move struct {
	of          learner
	old, new    string        // whom the days are taken from, and who has them then; each may be empty
	from, until calendar.Date // until is empty: open
}

// add notes what a change says to people: from whom it takes days and to whom
// it gives them. Days that are over are no news, nor what was so before.
func (m *moves) add(tx *db.Tx, a learner, before []Assignment, c Change) {
	today := calendar.Today(tx.Now())
	if c.Role != Trainer || c.Until != "" && c.Until < today || a.last != "" && a.last < today {
		return
	}
	from, taken := max(c.From, today), false
	for _, x := range before {
		switch {
		case c.Until != "" && x.From > c.Until || x.Until != "" && x.Until < from:
		case x.Person != c.Person:
			*m, taken = append(*m, move{a, x.Person, c.Person, c.From, c.Until}), true
		case x.From <= from && (x.Until == "" || c.Until != "" && x.Until >= c.Until):
			return
		}
	}
	if !taken {
		*m = append(*m, move{a, "", c.Person, c.From, c.Until})
	}
}

// released notes that nobody follows a trainer from a day on.
func (m *moves) released(tx *db.Tx, a learner, x Assignment, from calendar.Date) {
	if x.Role == Trainer && (x.Until == "" || x.Until >= max(from, calendar.Today(tx.Now()))) {
		*m = append(*m, move{a, x.Person, "", from, x.Until})
	}
}

// A moved apprentice, as a mail names them, with whom they have now.
type moved struct{ Who, From, Until, Now string }

var letters = []struct {
	name string
	to   func(move) string
}{
	{"trainees_given", func(x move) string { return x.new }},
	{"trainees_taken", func(x move) string { return x.old }},
	{"trainer_changed", func(x move) string { return x.of.person }},
}

// tell sends each trainer who gives or takes over one mail, and each apprentice
// one. Who has left the company hears nothing of its apprentices.
func (m moves) tell(tx *db.Tx, by audit.Actor, company string) error {
	subs := map[string]bool{}
	for _, x := range m {
		subs[x.old], subs[x.new], subs[x.of.person] = true, true, true
	}
	delete(subs, "")
	all, err := person.These(tx, slices.Sorted(maps.Keys(subs)))
	if err != nil || len(all) == 0 {
		return err
	}
	known, args := map[string]person.Person{}, []any{company}
	for _, p := range all {
		known[p.Sub] = p
		args = append(args, p.Sub)
	}
	here, err := db.Values[string](tx, `SELECT DISTINCT person FROM company_role WHERE company = $1 AND person IN (`+db.In(2, len(all))+`)`, args...)
	if err != nil {
		return err
	}
	for _, p := range all {
		if p.Email == "" || p.Sub == by.Account || !slices.Contains(here, p.Sub) {
			continue
		}
		for _, letter := range letters {
			said := m.of(p.Sub, letter.to, known)
			if said == nil {
				continue
			}
			if err := texts.Send(tx, p.Mail(), letter.name, map[string]any{"Name": p.Name, "Moved": said}); err != nil {
				return err
			}
		}
	}
	return nil
}

// of are the moves that concern somebody, each apprenticeship once.
func (m moves) of(sub string, whose func(move) string, known map[string]person.Person) (said []moved) {
	seen := map[string]bool{}
	for _, x := range m {
		if whose(x) != sub || seen[x.of.id] {
			continue
		}
		seen[x.of.id] = true
		until := ""
		if x.until != "" {
			until = x.until.German()
		}
		said = append(said, moved{cmp.Or(known[x.of.person].Name, x.of.name), x.from.German(), until, known[x.new].Name})
	}
	return said
}
