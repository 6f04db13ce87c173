package openid

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/identity/application"
)

// eventlog gathers what happens at the applications' doors and writes it down
// together, a moment later: a sign-in pays a map entry for it and no write of its
// own. Like ones become one event with a count, and of each application a moment
// keeps a bounded number, so that neither a busy application nor somebody who
// tries a thousand addresses fills the log.
type eventlog struct {
	mu      sync.Mutex
	waiting map[eventKey]*application.Event
	of      map[string]int      // waiting events by application
	used    map[string]struct{} // secrets that were shown
	due     bool
}

type eventKey struct{ application, outcome, account, reason, arg, sent string }

const (
	eventPause = 2 * time.Second
	eventsMost = 60 // of an application in one pause
)

// note remembers an event; nothing can go wrong.
func (p *Provider) note(applicationID, outcome, account, reason string, args ...string) {
	p.noteSent(applicationID, outcome, account, "", reason, args...)
}

// noteSent is note with what the application sent, where that explains it.
func (p *Provider) noteSent(applicationID, outcome, account, sent, reason string, args ...string) {
	if len(sent) > 300 {
		sent = sent[:300]
	}
	k := eventKey{application: applicationID, outcome: outcome, account: account, reason: reason, sent: sent}
	if len(args) > 0 {
		k.arg = args[len(args)-1]
	}
	l := &p.events
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.waiting[k]; e != nil {
		e.Times++
		return
	}
	if l.of[applicationID] >= eventsMost {
		return
	}
	l.begin(p)
	l.of[applicationID]++
	l.waiting[k] = &application.Event{Application: applicationID, At: db.At(p.DB.Now()), Outcome: outcome, Account: account, Reason: reason, Args: args, Sent: sent, Times: 1}
}

// noteUse remembers that a secret was shown, unless that is known for today.
func (p *Provider) noteUse(s application.Secret) {
	if now := p.DB.Now(); !s.UsedAt.IsZero() && s.UsedAt.YearDay() == now.YearDay() && s.UsedAt.Year() == now.Year() {
		return
	}
	l := &p.events
	l.mu.Lock()
	defer l.mu.Unlock()
	l.begin(p)
	l.used[s.ID] = struct{}{}
}

// begin is called with the lock held: from the first event on a pause runs.
func (l *eventlog) begin(p *Provider) {
	if l.waiting == nil {
		l.waiting, l.of, l.used = map[eventKey]*application.Event{}, map[string]int{}, map[string]struct{}{}
	}
	if !l.due {
		l.due = true
		time.AfterFunc(eventPause, func() {
			// A database that does not answer at all is told of elsewhere, or it is
			// closed: what the last two seconds brought is lost then.
			if err := p.WriteEvents(context.Background()); err != nil && p.DB.Ping(context.Background()) == nil {
				slog.Warn("events of applications are not written", "err", err)
			}
		})
	}
}

// WriteEvents writes down what has gathered, in one transaction. Who reads the
// log calls it first.
func (p *Provider) WriteEvents(ctx context.Context) error {
	l := &p.events
	l.mu.Lock()
	waiting, used := l.waiting, l.used
	l.waiting, l.of, l.used, l.due = nil, nil, nil, false
	l.mu.Unlock()
	if len(waiting) == 0 && len(used) == 0 {
		return nil
	}
	events := make([]application.Event, 0, len(waiting))
	for _, e := range waiting {
		events = append(events, *e)
	}
	slices.SortFunc(events, func(a, b application.Event) int { return a.At.Compare(b.At.Time) })
	return p.DB.Write(ctx, func(tx *db.Tx) error {
		for id := range used {
			if err := application.SecretUsed(tx, id); err != nil {
				return err
			}
		}
		return application.Log(tx, events)
	})
}
