package book

import (
	"fmt"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/plain"
	"zunft/internal/training/person"
)

// Submit hands the report over to the company's trainers (R227, M20). Pressing
// twice is harmless.
func Submit(tx *db.Tx, by audit.Actor, w Week, version int) (Report, error) {
	return SubmitTo(tx, by, w, version, "")
}

// SubmitTo hands it over to the person with an address (R326, R327), who may be
// somebody without an account; empty: to the trainers.
func SubmitTo(tx *db.Tx, by audit.Actor, w Week, version int, email string) (Report, error) {
	return SubmitWith(tx, by, w, version, email, "")
}

// SubmitWith adds sections of the training plan at the last moment; ids with a
// blank between.
func SubmitWith(tx *db.Tx, by audit.Actor, w Week, version int, email, sections string) (Report, error) {
	r, err := Mine(tx, by, w)
	if err != nil {
		return r, err
	}
	switch {
	case r.State == Submitted && r.Version == version+1:
		return r, nil
	case !r.Open():
		return r, fault.Conflict("book.locked_" + string(r.State))
	case r.Kind == Weekly && WeekOf(tx.Now()).Before(w):
		return r, fault.Invalid("", "book.too_early", w.Day(7).Format("02.01.2006"), w.Day(1).Format("02.01.2006"))
	}
	if field, key := r.Lacks(); key != "" {
		return r, fault.Invalid(field, key)
	}
	if sections = JoinIDs(r.Text.Sections, sections); len(sections) > MaxIDs {
		return r, fault.Invalid("sections", "book.sections_many")
	}
	to, err := approver(tx, by, r, email)
	if err != nil {
		return r, err
	}
	moved, err := Move(tx, &r, `state = 'submitted', sections = $5, submitted_at = $3, decided_at = NULL, decided_by = '', approver = $4`, `state IN ('draft', 'returned')`, version, to.person.Sub, sections)
	if err != nil {
		return r, fmt.Errorf("submit %s: %w", w, err)
	}
	if !moved {
		if r, err = Mine(tx, by, w); err != nil {
			return r, err
		}
		if r.State == Submitted && r.Version == version+1 {
			return r, nil
		}
		return r, changedElsewhere(r)
	}
	if err := Note(tx, by, r, "submitted", "", r.Text.Digest()); err != nil {
		return r, err
	}
	if err := tellTrainers(tx, r, to); err != nil || !to.first {
		return r, err
	}
	return r, tellOfAddress(tx, r, to)
}

// told bounds mails about one report and of one apprentice: who takes back and
// submits all evening fills nobody's mailbox. What waits stands in the queue.
var (
	toldReport = limit.Rate{Burst: 3, Every: time.Hour}
	toldPerson = limit.Rate{Burst: 60, Every: 10 * time.Minute}
)

func mayTell(tx *db.Tx, r Report) (bool, error) {
	for _, l := range []struct {
		key  string
		rate limit.Rate
	}{{"told/" + r.ID, toldReport}, {"told/" + r.Apprentice, toldPerson}} {
		if err := limit.TakeIn(tx, l.key, l.rate); fault.Is(err, fault.KindLimited) {
			return false, nil
		} else if err != nil {
			return false, err
		}
	}
	return true, nil
}

// tellOfAddress tells who is responsible for the book that reports go to
// somebody without an account from now on: they answer for who reads them
// (§ 14 (2) BBiG), and only they can know whether that is a person of theirs,
// and say so.
func tellOfAddress(tx *db.Tx, r Report, to recipient) error {
	writer, err := person.Get(tx, r.Apprentice)
	if err != nil {
		return err
	}
	people, err := Reading(tx, r, Second)
	if people = person.Here(tx, people); err == nil && len(people) == 0 {
		people, err = person.With(tx, r.Company, person.TrainingAdmin)
	}
	if err != nil {
		return err
	}
	for _, p := range people {
		if p.Sub == r.Apprentice || p.Email == "" {
			continue
		}
		if err := texts.Send(tx, p.Mail(), "report_address", map[string]any{
			"Name": p.Name, "Apprentice": writer.Name, "Writer": plain.Short(writer.Name, 32), "Email": to.person.Email, "Unknown": to.unknown, "Week": r.Week.Name(), "Dates": r.Dates(), "ID": r.ID,
		}); err != nil {
			return err
		}
	}
	return nil
}

// tellTrainers sends M20, one mail per person and submission, unless they chose
// to hear of all once a week; who is written to for the first time finds the PIN
// in it (R328).
func tellTrainers(tx *db.Tx, r Report, to recipient) error {
	if yes, err := mayTell(tx, r); err != nil || !yes && to.pin == "" {
		return err
	}
	writer, err := person.Get(tx, r.Apprentice)
	if err != nil {
		return err
	}
	if to.supervisor {
		company, err := person.CompanyOf(tx, r.Company)
		if err != nil {
			return err
		}
		return texts.Send(tx, to.person.Mail(), "report_sent", map[string]any{
			"Apprentice": writer.Name, "Writer": plain.Short(writer.Name, 32), "Company": company.Name,
			"Week": r.Week.Name(), "Dates": r.Dates(), "ID": r.ID, "PIN": to.pin, "Email": to.person.Email, "Unknown": to.unknown,
		})
	}
	trainers := []person.Person{to.person}
	if to.person.Sub == "" {
		if trainers, err = Reading(tx, r, First); err != nil {
			return err
		}
	}
	if trainers = person.Here(tx, trainers); len(trainers) == 0 {
		if trainers, err = person.With(tx, r.Company, person.TrainingAdmin); err != nil {
			return err
		}
		trainers = person.Here(tx, trainers)
	}
	if trainers, err = person.Told(tx, trainers); err != nil {
		return err
	}
	for _, p := range trainers {
		if p.Sub == r.Apprentice || p.Email == "" {
			continue
		}
		if err := texts.Send(tx, p.Mail(), "report_submitted", map[string]any{
			"Name": p.Name, "Apprentice": writer.Name, "Writer": plain.Short(writer.Name, 32),
			"Week": r.Week.Name(), "Dates": r.Dates(), "ID": r.ID,
		}); err != nil {
			return err
		}
	}
	return nil
}

// TakeBack makes a submitted report a draft again while nobody has decided (L15).
func TakeBack(tx *db.Tx, by audit.Actor, w Week) (Report, error) {
	r, err := Mine(tx, by, w)
	if err != nil {
		return r, err
	}
	if r.State == Draft {
		return r, nil
	}
	moved, err := Move(tx, &r, `state = 'draft'`, `state = 'submitted'`, r.Version)
	if err != nil {
		return r, fmt.Errorf("take back %s: %w", w, err)
	}
	if !moved {
		return r, fault.Conflict("book.decided")
	}
	return r, Note(tx, by, r, "taken_back", "", "")
}
