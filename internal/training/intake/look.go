package intake

import (
	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/training/apprenticeship"
	"zunft/internal/training/book"
	"zunft/internal/training/calendar"
	"zunft/internal/training/person"
)

// looking is what the reports of a file are compared with.
type looking struct {
	tx       *db.Tx
	by       audit.Actor
	session  person.Session
	furthest calendar.Week
	byWeek   map[calendar.Week]book.Report
	here     apprenticeship.Row
	papers   map[string]*onPaper // by id of the apprenticeship
}

// onPaper is the time on paper of one apprenticeship.
type onPaper struct {
	report book.Report   // stored; Version 0: there is none
	upTo   calendar.Date // its last day, stored or in the file
	seen   bool          // the file has one
}

// prepare asks what is stored; the entries are in their order.
func (l *looking) prepare(all []Entry) error {
	first, last := all[0].Week, all[0].Week
	for _, e := range all {
		if e.Week.Before(first) {
			first = e.Week
		}
		if last.Before(e.Week) {
			last = e.Week
		}
	}
	stored, err := book.Between(l.tx, l.session.Person.Sub, "", first.Date(1), last.Date(7))
	if err != nil {
		return err
	}
	l.byWeek = map[calendar.Week]book.Report{}
	for _, r := range stored {
		if r.Kind == book.Paper {
			continue
		}
		if _, known := l.byWeek[r.Week]; !known || r.Company == l.session.Company.ID {
			l.byWeek[r.Week] = r
		}
	}
	l.papers = map[string]*onPaper{}
	l.here, err = apprenticeship.Here(l.tx, l.session)
	for _, a := range l.here {
		p := &onPaper{}
		if p.report, err = book.MyPaper(l.tx, l.by, a.StartsOn); err != nil {
			return err
		}
		if p.report.Version > 0 {
			p.upTo = p.report.Last
		}
		l.papers[a.ID] = p
	}
	return err
}

// judge gives an entry its verdict.
func (l *looking) judge(e *Entry) error {
	var err error
	if e.Text, err = e.Record.Text(e.Week); err == nil {
		err = e.Text.Check()
	}
	if err != nil {
		return e.refuse(err)
	}
	if e.rank() > 0 {
		return l.judgePaper(e)
	}
	r, known := l.byWeek[e.Week]
	e.Stored = r
	a, _, _, inside := l.here.Within(e.Week)
	switch {
	case known && r.Text == e.Text:
		e.Verdict = Same
	case known && (!r.Open() || r.Company != l.session.Company.ID):
		e.Verdict = Locked
	case known && !r.Text.Empty():
		e.Verdict = Other
	case known:
		e.Verdict = New
	case l.furthest.Before(e.Week) || !inside:
		e.Verdict = Outside
	case e.Week.Date(7) <= l.papers[a.ID].upTo:
		e.Verdict = Paper
	default:
		e.Verdict = New
	}
	return nil
}

// judgePaper looks at a time on paper. If it can be taken, weeks within it
// cannot.
func (l *looking) judgePaper(e *Entry) error {
	p := l.papers[l.here.On(e.Record.First).ID]
	r := p.report
	e.Stored = r
	switch {
	case p.seen:
		return e.refuse(fault.Invalid("", "intake.paper_one"))
	case r.Version > 0 && r.Text == e.Text && r.First == e.Record.First && r.Last == e.Record.Last:
		e.Verdict = Same
		return nil
	case r.Version > 0 && !r.Open():
		e.Verdict = Locked
		return nil
	}
	if err := book.CheckPaper(l.tx, l.by, e.Record.First, e.Record.Last); err != nil {
		return e.refuse(err)
	}
	p.seen = true
	if e.Verdict = Other; r.Version == 0 {
		e.Verdict, p.upTo = New, e.Record.Last
	}
	return nil
}

// refuse keeps why the book does not take an entry.
func (e *Entry) refuse(err error) error {
	ft := fault.Of(err)
	if ft == nil {
		return err
	}
	e.Verdict, e.Problem = Bad, &ft.Problems[0]
	return nil
}

// save makes an entry a draft.
func (e Entry) save(tx *db.Tx, by audit.Actor) error {
	var err error
	if e.rank() > 0 {
		_, err = book.SavePaper(tx, by, e.Record.First, e.Stored.Version, e.Record.First, e.Record.Last, e.Text)
	} else {
		_, err = book.Save(tx, by, e.Week, e.Stored.Version, e.Text)
	}
	return err
}
