// Package daily writes to a chamber's clerks in the morning of a working day what
// waits at their desk (ux.md 2.5), where their chamber wants it (Settings.DailySummary).
// Where nothing waits there is no mail.
package daily

import (
	"context"
	"embed"
	"fmt"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/job"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/mail"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/tally"
)

//go:embed mails/*.txt
var mailFiles embed.FS

// Texts are this package's mails.
var Texts = mail.Parse(mailFiles)

const (
	from, until = 7, 11 // o'clock in Berlin: who starts at six finds it at seven, and nobody is written to at noon
)

// once is how often a clerk is written to: the limiter counts over all nodes.
var once = limit.Rate{Burst: 1, Every: 20 * time.Hour}

// Work adds what this package does by the clock.
func Work(r *job.Runner, d *db.DB) {
	r.Every(15*time.Minute, "daily.summary", func(ctx context.Context) error { return Send(ctx, d) })
}

// Send writes to every clerk who was not written to today, if it is the hour.
func Send(ctx context.Context, d *db.DB) error {
	now := d.Now().In(mail.Berlin)
	if now.Weekday() == time.Saturday || now.Weekday() == time.Sunday || now.Hour() < from || now.Hour() >= until {
		return nil
	}
	var chambers []chamber.Chamber
	if err := d.Read(ctx, func(tx *db.Tx) (err error) { chambers, err = chamber.Current(tx); return err }); err != nil {
		return err
	}
	for _, c := range chambers {
		if err := d.Write(ctx, func(tx *db.Tx) error { return send(tx, c) }); err != nil {
			return fmt.Errorf("daily summary of %s: %w", c.Name, err)
		}
	}
	return nil
}

func send(tx *db.Tx, c chamber.Chamber) error {
	settled, err := chamber.SettingsOf(tx, c.ID)
	if err != nil || !settled.DailySummary {
		return err
	}
	clerks, err := chamber.Clerks(tx, c.ID)
	if err != nil {
		return err
	}
	people, err := account.GetMany(tx, clerks)
	if err != nil {
		return err
	}
	for _, id := range clerks {
		if people[id].State != account.Active {
			continue
		}
		err := limit.TakeIn(tx, "daily/"+id, once)
		if fault.Is(err, fault.KindLimited) {
			continue
		}
		if err != nil {
			return err
		}
		// What waits is read anew for each: some of it is theirs alone.
		queues, err := tally.Queues(tx, audit.Actor{Kind: audit.Person, Account: id}, c.ID)
		if err != nil {
			return err
		}
		m := message{Name: people[id].Name(), Chamber: c.Name, queues: map[string]*line{}}
		for _, q := range queues {
			if q.Count > 0 {
				m.queues[q.Key] = &line{Count: q.Count, Days: int(tx.Now().Sub(q.Oldest).Hours() / 24)}
			}
		}
		if len(m.queues) == 0 {
			continue
		}
		if err := Texts.Send(tx, people[id].Person(), "daily_summary", m); err != nil {
			return err
		}
	}
	return nil
}

// message is what the mail may use.
type message struct {
	Name, Chamber string
	queues        map[string]*line
}

// line is a queue in which something waits.
type line struct{ Count, Days int }

// Queue is the queue with a key of package tally, or nil: nothing waits there.
func (m message) Queue(key string) *line { return m.queues[key] }

// Of is how many wait in a queue.
func (m message) Of(key string) int {
	if q := m.queues[key]; q != nil {
		return q.Count
	}
	return 0
}
