// Package departure ends accounts: by their owner's own lock, asked for with a
// grace, or for want of use; and it secures what somebody says was not them.
//
//	          Ask                    30 days
//	active ─────────▶ active, going ─────────▶ deleted (a tombstone)
//	  ▲                 │    ▲                     ▲
//	  └──── Keep ───────┘    │ 30 days             │ 14 days
//	         (link or sign-in)                     │
//	active, unused ─ told ───┴─ told again ────────┘
//
// An account that is going stays what it is: its companies keep their member,
// and its owner may come back at any time by the link of the mail, or by
// signing in, which leads to the page that keeps it. What is deleted in the end
// is everything that says who it was; what others need (that a company was
// registered, that a request was decided, by an id that names nobody) stays.
package departure

import (
	"context"
	"embed"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/job"
	"zunft/internal/ground/mail"
	"zunft/internal/identity/notice"
)

// Phrases are what people read of this package's faults.
//
//go:embed phrases/*.json
var Phrases embed.FS

//go:embed mails/*.txt
var mailFiles embed.FS

var texts = mail.Parse(mailFiles)

const (
	// Grace is how long a deletion can be taken back.
	Grace = 30 * 24 * time.Hour
	// again: an unused account is told twice, the second time so long after the first …
	again = 30 * 24 * time.Hour
	// last: … and so long before it goes.
	last = 14 * 24 * time.Hour
	// postponed is how long a deletion waits for a company's other admin.
	postponed = 7 * 24 * time.Hour
	// passwordFor is how long choosing a new password may take (L01).
	passwordFor = 2 * time.Hour
)

// Work adds what this package does after the request and by the clock.
func Work(r *job.Runner, d *db.DB) {
	r.On(unlockKind, sendUnlock(d))
	r.Every(time.Hour, "departure.due", func(ctx context.Context) error { return CarryOut(ctx, d) })
	r.Every(24*time.Hour, "departure.unused", func(ctx context.Context) error { return TellUnused(ctx, d) })
	r.Every(24*time.Hour, "notice.sweep", func(ctx context.Context) error { return d.Batches(ctx, notice.Sweep) })
}

// letter is what the mail texts may use.
type letter struct {
	Name    string
	At      db.Time // when it is, or was, done
	Days    int     // unused for so many
	Again   bool    // told for the second time
	Token   string  // keeps the account
	Disavow string
}

// Years of not being used, if they are whole ones: nobody counts 1095 days.
func (l letter) Years() int {
	if l.Days%365 != 0 {
		return 0
	}
	return l.Days / 365
}
