package book

import (
	"fmt"
	"slices"
	"strings"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/mail"
	"zunft/internal/training/apprenticeship"
	"zunft/internal/training/bookform"
	"zunft/internal/training/calendar"
	"zunft/internal/training/person"
)

// furthest is how many weeks ahead somebody may write.
const furthest = 8

// Mine is the actor's own report of a week; Version is 0 when nothing was
// written yet. Weeks far away, and such that the apprenticeship does not touch,
// are not found.
func Mine(tx *db.Tx, by audit.Actor, w Week) (Report, error) {
	r, _, _, err := mine(tx, by, w)
	return r, err
}

// mine says too whose it is, and for a new one the apprenticeship it will belong to.
func mine(tx *db.Tx, by audit.Actor, w Week) (r Report, a apprenticeship.Apprenticeship, s person.Session, err error) {
	if s, err = person.Author(tx, by); err != nil {
		return r, a, s, err
	}
	if WeekOf(tx.Now()).Add(furthest).Before(w) {
		return r, a, s, fault.NotFound()
	}
	r, err = byWeek(tx, s.Company.ID, s.Person.Sub, w)
	if !fault.Is(err, fault.KindNotFound) {
		r.State = r.Seen(tx.Now())
		return r, a, s, err
	}
	here, err := apprenticeship.Here(tx, s)
	if err != nil {
		return r, a, s, err
	}
	a, first, last, ok := here.Within(w)
	if !ok || a.StartsOn == "" && w.Date(7) < calendar.Today(tx.Now()).Add(-longest) { // a slip of the keys is no beginning
		return r, a, s, fault.NotFound()
	}
	paper, err := paperOf(tx, a.ID)
	if err != nil {
		return r, a, s, err
	}
	if first, last, ok = paper.cut(first, last); !ok {
		return r, a, s, fault.Conflict("book.paper_week", paper.String())
	}
	return Report{
		Apprentice: s.Person.Sub, Apprenticeship: a.ID, Company: s.Company.ID, Kind: Weekly, Week: w, First: first, Last: last, State: Draft,
	}, a, s, nil
}

// Desk is what an editor needs: the actor's own report of a week, the
// apprenticeship it belongs to, and how the company keeps its books.
func Desk(tx *db.Tx, by audit.Actor, w Week) (r Report, a apprenticeship.Apprenticeship, s bookform.Settings, err error) {
	if r, a, _, err = mine(tx, by, w); err != nil {
		return r, a, s, err
	}
	if r.Version > 0 {
		if a, err = apprenticeship.Get(tx, r.Apprenticeship); err != nil {
			return r, a, s, err
		}
	}
	s, err = bookform.Of(tx, r.Company, a.Occupation)
	return r, a, s, err
}

// Begin is the actor's own open report of a week, stored empty if nothing was
// written yet: something else is to hang on it.
func Begin(tx *db.Tx, by audit.Actor, w Week) (Report, error) {
	r, a, s, err := mine(tx, by, w)
	if err != nil {
		return r, err
	}
	if err := writable(tx, s, r, a); err != nil || r.Version > 0 {
		return r, err
	}
	if a, err = apprenticeship.Ensure(tx, a); err != nil {
		return r, err
	}
	r.ID, r.Apprenticeship, r.Version, r.ChangedAt = db.NewID(), a.ID, 1, tx.Now()
	saved, err := begin(tx, r)
	if err != nil {
		return r, fmt.Errorf("begin report %s: %w", w, err)
	}
	if !saved { // somebody was quicker: another device
		return Mine(tx, by, w)
	}
	return r, record(tx, by, r, "saved", "")
}

// Save keeps what was typed (R226). version is the one the page was made of:
// if the report has changed since, nothing is overwritten (Conflict), unless
// both say the same. Nothing typed, nothing kept.
func Save(tx *db.Tx, by audit.Actor, w Week, version int, t Text) (Report, error) {
	r, a, s, err := mine(tx, by, w)
	if err != nil {
		return r, err
	}
	for i := range t.Days { // days outside of the apprenticeship are nobody's
		if day := w.Date(i + 1); r.Kind == Weekly && (day < r.First || day > r.Last) {
			t.Days[i] = Day{}
		}
	}
	if r.Text == t { // also a second press of the same button
		return r, nil
	}
	if err := t.check(); err != nil {
		return r, err
	}
	if err := writable(tx, s, r, a); err != nil {
		return r, err
	}
	if r.Version != version {
		return r, changedElsewhere(r)
	}
	old := r.Version
	r.Text, r.Version, r.ChangedAt = t, old+1, tx.Now()
	var saved bool
	if old == 0 {
		if a, err = apprenticeship.Ensure(tx, a); err != nil {
			return r, err
		}
		r.ID, r.Apprenticeship = db.NewID(), a.ID
		saved, err = begin(tx, r)
	} else {
		saved, err = update(tx, r, old)
	}
	if err != nil {
		return r, fmt.Errorf("save report %s: %w", w, err)
	}
	if !saved {
		if r, err = Mine(tx, by, w); err != nil || r.Text == t { // the same button, pressed twice at once
			return r, err
		}
		return r, changedElsewhere(r)
	}
	return r, record(tx, by, r, "saved", "")
}

// begin stores a new week, unless its days became paper time meanwhile.
func begin(tx *db.Tx, r Report) (bool, error) {
	if err := turn(tx, r.Apprenticeship); err != nil {
		return false, err
	}
	paper, err := paperOf(tx, r.Apprenticeship)
	if err != nil {
		return false, err
	}
	if first, last, ok := paper.cut(r.First, r.Last); !ok || first != r.First || last != r.Last {
		return false, fault.Conflict("book.paper_week", paper.String())
	}
	return insert(tx, r)
}

// mayWrite refuses what is locked, what was written for another company, and
// everything where the company keeps no electronic books for the occupation
// (R316). a is asked for new reports only: what was begun may be finished.
func mayWrite(tx *db.Tx, by audit.Actor, r Report, a apprenticeship.Apprenticeship) error {
	s, err := person.Author(tx, by)
	if err != nil {
		return err
	}
	return writable(tx, s, r, a)
}

func writable(tx *db.Tx, s person.Session, r Report, a apprenticeship.Apprenticeship) error {
	switch {
	case !r.Open():
		return fault.Conflict("book.locked_" + string(r.State))
	case r.Company != s.Company.ID:
		return fault.Conflict("book.other_company")
	case r.Version > 0:
		return nil
	}
	settings, err := bookform.Of(tx, r.Company, a.Occupation)
	if err == nil && !settings.Electronic {
		err = fault.Conflict("book.not_electronic")
	}
	return err
}

func changedElsewhere(r Report) error {
	return fault.Conflict("book.changed_elsewhere", r.ChangedAt.In(mail.Berlin).Format("15:04"))
}

// CopyLast puts last week's texts under what was typed, and saves.
func CopyLast(tx *db.Tx, by audit.Actor, w Week, version int, t Text) (Report, error) {
	last, err := Mine(tx, by, w.Add(-1))
	if err != nil {
		return Report{}, err
	}
	if last.Text.Empty() {
		return Report{}, fault.Invalid("", "book.nothing_to_copy")
	}
	below := func(mine, theirs string) string {
		switch {
		case mine == "":
			return theirs
		case strings.HasSuffix(mine, theirs): // nothing to add, or added already
			return mine
		}
		return mine + "\n" + theirs
	}
	t.Work, t.Instruction, t.School = below(t.Work, last.Text.Work), below(t.Instruction, last.Text.Instruction), below(t.School, last.Text.School)
	if t.Department == "" {
		t.Department = last.Text.Department
	}
	if t.Sections == "" {
		t.Sections = last.Text.Sections
	}
	for i := range t.Days {
		t.Days[i].Text = below(t.Days[i].Text, last.Text.Days[i].Text)
		if t.Days[i].Attendance == "" && !absent[last.Text.Days[i].Attendance] {
			t.Days[i].Attendance = last.Text.Days[i].Attendance
		}
	}
	return Save(tx, by, w, version, t)
}

// Away says that the whole week was vacation or illness (ux.md 2.8), and saves:
// public holidays and free days stay, days of a weekend that is free too.
func Away(tx *db.Tx, by audit.Actor, w Week, version int, t Text, attendance string) (Report, error) {
	if attendance != "vacation" && attendance != "sick" {
		return Report{}, fault.Invalid("", "book.attendance_unknown")
	}
	for i, d := range t.Days {
		if d.Attendance != "holiday" && d.Attendance != "free" && (i < 5 || d.Attendance != "") {
			t.Days[i] = Day{Attendance: attendance, Text: d.Text}
		}
	}
	return Save(tx, by, w, version, t)
}

// Year is what the actor wrote in a year of weeks, newest first, without texts.
func Year(tx *db.Tx, by audit.Actor, year int) ([]Report, error) {
	s, err := person.Author(tx, by)
	if err != nil {
		return nil, err
	}
	all, err := list(tx, `apprentice = $1 AND year = $2`, s.Person.Sub, year)
	for i, r := range all {
		all[i].State = r.Seen(tx.Now())
	}
	return all, err
}

// Signers are those who may sign an apprentice's report off first, as far as
// they have signed in here: who is told of it (M20).
func Signers(tx *db.Tx, by audit.Actor, r Report) (all []person.Person, err error) {
	s, err := person.Author(tx, by)
	if err != nil {
		return nil, err
	}
	if r.Apprenticeship == "" { // nothing was written yet, and nobody assigned
		all, err = person.With(tx, s.Company.ID, person.Trainer)
	} else {
		all, err = Reading(tx, r, First)
	}
	return slices.DeleteFunc(all, func(p person.Person) bool { return p.Sub == s.Person.Sub }), err
}
