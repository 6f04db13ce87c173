// Package home is the start page of the training portal: "/".
//
// A stranger reads what this is and finds one button, "Anmelden mit
// Kammerkonto". Who is signed in finds what is to be done now, at most five
// things, each a verb and a date (ux.md 2.4): apprentices their weeks, trainers
// what waits for them, people with both roles both.
package home

import (
	"embed"
	"net/http"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/training/book"
	"zunft/internal/training/login"
	"zunft/internal/training/person"
	"zunft/internal/training/review"
)

// Phrases of these pages.
//
//go:embed phrases/*.json
var Phrases embed.FS

//go:embed all:templates
var files embed.FS

var templates = web.Parse(files)

// Pages of the place.
type Pages struct {
	DB   *db.DB
	Site *web.Site
}

// Mount adds the route.
func (p *Pages) Mount(m *web.Mux) { m.Open("GET /{$}", p.start) }

type startPage struct{ web.Frame }

// boardPage is what somebody finds who is signed in.
type boardPage struct {
	web.Frame
	Session person.Session
	Week    book.Report // this week's
	Gaps    []book.Week // at most three, the oldest
	More    int         // gaps beyond those
	Stand   book.Standing
	Returns []returned
	Weeks   int // since the first one written
	Open    int
	Waiting int
	Oldest  db.Time
	Old     bool // more than a day
	Now     db.Time
}

type returned struct {
	book.Report
	By string // name of who returned it
}

const gapsShown = 3

func (p *Pages) start(w http.ResponseWriter, r *http.Request) error {
	s := login.Of(r)
	if s == nil {
		return p.Site.Show(w, r, http.StatusOK, templates, "start", &startPage{})
	}
	board := &boardPage{Session: *s}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		board.Now = tx.Now()
		if s.Reads() {
			if board.Waiting, board.Oldest, err = review.Waiting(tx, web.Actor(r)); err != nil {
				return err
			}
			board.Old = board.Waiting > 0 && board.Now.Sub(board.Oldest) >= 24*time.Hour
		}
		if !s.Writes() {
			return nil
		}
		return board.writing(tx, r)
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "board", board)
}

func (b *boardPage) writing(tx *db.Tx, r *http.Request) (err error) {
	by := web.Actor(r)
	if b.Week, err = book.Mine(tx, by, book.WeekOf(tx.Now())); err != nil {
		return err
	}
	if b.Stand, err = book.MyStanding(tx, by); err != nil {
		return err
	}
	b.Weeks = b.Stand.Weeks(tx.Now())
	gaps, err := book.Gaps(tx, by)
	if err != nil {
		return err
	}
	b.Open = len(gaps)
	if b.Week.Open() && b.Week.State != book.Returned && b.Weeks > 0 {
		b.Open++
	}
	b.Gaps = gaps[:min(len(gaps), gapsShown)]
	b.More = len(gaps) - len(b.Gaps)
	for _, report := range b.Stand.Back {
		who, err := person.Get(tx, report.DecidedBy)
		if err != nil {
			return err
		}
		b.Returns = append(b.Returns, returned{report, who.Name})
	}
	return nil
}
