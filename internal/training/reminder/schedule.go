package reminder

import (
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/mail"
	"zunft/internal/training/calendar"
)

// A Moment of every week, in Berlin's time.
type Moment struct{ Weekday, Hour int }

// Hours that can be chosen: mails at night help nobody.
const (
	FirstHour = 6
	LastHour  = 22
)

func (m Moment) ok() bool {
	return m.Weekday >= 1 && m.Weekday <= 7 && m.Hour >= FirstHour && m.Hour <= LastHour
}

func (m Moment) on(day calendar.Date) db.Time {
	t := day.Time()
	return db.At(time.Date(t.Year(), t.Month(), t.Day(), m.Hour, 0, 0, 0, mail.Berlin))
}

// Next is the chosen day that comes after a moment, and when on it.
func (m Moment) Next(now db.Time) (day calendar.Date, at db.Time) {
	day = calendar.Today(now)
	for day.Weekday() != m.Weekday || !m.on(day).After(now) {
		day = day.Add(1)
	}
	return day, m.on(day)
}

// overdue is how late a mail may go out. After that it waits for the chosen
// hour: we were down, and nobody wants it at three in the morning.
const overdue = 3 * time.Hour

// step says what becomes of a reminder that is due: sent now, or put off to
// the next day at the same hour, until it would meet the one of the week after
// or come the day before it.
func (r row) step(now db.Time, paused bool) (send bool, slot calendar.Date, at db.Time) {
	today := calendar.Today(now)
	slot, at = r.Next(now)
	if !paused && now.Sub(r.NextAt) <= overdue {
		return true, slot, at
	}
	next := today
	if !r.on(next).After(now) {
		next = next.Add(1)
	}
	if next.Add(1) < slot && next < r.Slot.Add(7) { // nobody wants one on Saturday and one on Sunday
		return false, r.Slot, r.on(next)
	}
	return false, slot, at
}
