// Package roster takes in lists of people to invite: a file or pasted rows are
// read, checked row by row, mended, and sent as invitations (ux.md 0 no. 4:
// "1 August: 40 apprentices" in six clicks).
//
//	 Make            Send              job
//	──────▶ draft ──────────▶ sending ──────▶ done ─┐
//	         │ Drop     ▲                           │ what was mended since
//	         ▼          └───────────────────────────┘
//	      (deleted, as after ExpiresAt)
//
// Policy:
//   - Nothing is lost and nothing happens by halves: every row of the file is a
//     row here with its line number; what cannot be sent is left out with a
//     reason, mended in place, or comes back as a file.
//   - A list only prepares. What an invitation may be, package invitation says;
//     sending a list twice doubles nobody, since one invitation is open per person.
//   - Lists give roles and sites, never administration: that is given to one
//     person at a time, after a step-up.
//   - Names of roles and sites are read in German and English. Where a word could
//     mean two roles, the row asks; it never guesses who gets power.
//   - A list holds names and addresses of people who know nothing of us. A draft
//     is forgotten after 14 days, a sent list after 90.
package roster

import (
	"embed"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/mail"
	"zunft/internal/ground/table"
	"zunft/internal/identity/application"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/organization"
)

// Phrases are what people read of this package's faults.
//
//go:embed phrases/*.json
var Phrases embed.FS

//go:embed mails/*.txt
var mailFiles embed.FS

var texts = mail.Parse(mailFiles)

// States of a list.
const (
	Draft   = "draft"
	Sending = "sending"
	Done    = "done"
)

// States of a row.
const (
	OK      = "ok"       // can be sent
	Bad     = "bad"      // must be mended
	LeftOut = "left_out" // by the admin
	Sent    = "done"     // invited
	Failed  = "failed"   // refused when it was sent
)

const (
	draftLasts = 14 * 24 * time.Hour
	sentLasts  = 90 * 24 * time.Hour
	mostDrafts = 20 // of one organization
)

// makeRate bounds what uploads cost us.
var makeRate = limit.Rate{Burst: 30, Every: 2 * time.Minute}

// A Roster is a list of people to invite into one organization.
type Roster struct {
	ID, Organization, Name, State        string
	Columns                              []string // what each column holds
	Header                               []string // as the file has it; empty: it has none
	Defaults                             Defaults
	Total                                int // rows
	Done                                 int // rows that were sent or refused
	CreatedBy                            string
	CreatedAt, SentAt, DoneAt, ExpiresAt db.Time
	Version                              int
}

// Editable reports whether rows may be mended now.
func (l Roster) Editable() bool { return l.State == Draft || l.State == Done }

// Defaults hold for rows that say nothing themselves.
type Defaults struct {
	Roles    []membership.Role `json:"roles,omitempty"`
	Site     string            `json:"site,omitempty"`
	Days     int               `json:"days,omitempty"`
	Language string            `json:"language,omitempty"`
	Message  string            `json:"message,omitempty"`
}

// A Row of a list.
type Row struct {
	table.Line
	State      string
	Problems   []Problem
	Invitation string // once it was sent
	Answer     Answer // what became of that
}

// An Answer is the state of an invitation (package invitation); it is empty
// once that is forgotten.
type Answer struct {
	State, Failure string
	ExpiresAt      db.Time
}

// Make keeps a table as a draft: columns guessed, every row checked. lang is
// the language of people whose row says nothing.
func Make(tx *db.Tx, by audit.Actor, organizationID, name, lang string, t table.Table) (Roster, error) {
	o, err := administered(tx, by, organizationID)
	if err != nil {
		return Roster{}, err
	}
	if by.Account != "" {
		if err := limit.TakeIn(tx, "roster/"+o.ID, makeRate); err != nil {
			return Roster{}, err
		}
	}
	if n, err := drafts(tx, o.ID); err != nil {
		return Roster{}, err
	} else if n >= mostDrafts {
		return Roster{}, fault.Conflict("roster.too_many_drafts", mostDrafts)
	}
	settings, err := chamber.SettingsOf(tx, o.Chamber)
	if err != nil {
		return Roster{}, err
	}
	offers, err := application.AllOffers(tx)
	if err != nil {
		return Roster{}, err
	}
	l := Roster{
		ID: db.NewID(), Organization: o.ID, Name: fileName(name), State: Draft, Columns: table.Guess(t), Header: t.Header, Total: len(t.Lines),
		Defaults: Defaults{Days: settings.RosterDays, Language: lang}, CreatedBy: by.Account, CreatedAt: tx.Now(), ExpiresAt: tx.Now().Add(draftLasts), Version: 1,
	}
	for _, offer := range offers {
		for _, r := range offer.Roles {
			if r.Invited {
				l.Defaults.Roles = append(l.Defaults.Roles, membership.Role{Application: r.Application, Key: r.Key})
			}
		}
	}
	rows := make([]Row, len(t.Lines))
	for i, line := range t.Lines {
		rows[i] = Row{Line: line}
	}
	if err := insert(tx, l); err != nil {
		return l, err
	}
	if err := l.check(tx, rows); err != nil {
		return l, err
	}
	if err := insertRows(tx, l.ID, rows); err != nil {
		return l, err
	}
	return l, audit.Record(tx, by, audit.Entry{Event: "roster.created", Organization: o.ID, Chamber: o.Chamber, Thing: l.ID, Detail: map[string]any{"rows": l.Total}})
}

// fileName is a name to show: the last part of a path, short, on one line.
func fileName(name string) string {
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	name = table.Clean(name)
	if utf8.RuneCountInString(name) > 100 {
		name = string([]rune(name)[:99]) + "…"
	}
	return name
}

// administered is an active organization for one who administers it.
func administered(tx *db.Tx, by audit.Actor, id string) (organization.Organization, error) {
	if err := membership.MustAdminister(tx, by, id); err != nil {
		return organization.Organization{}, err
	}
	o, err := organization.Get(tx, id)
	if err == nil && o.State != organization.Active {
		err = fault.NotFound()
	}
	return o, err
}

// Get is a list for the admins of its organization.
func Get(tx *db.Tx, by audit.Actor, organizationID, id string) (Roster, error) {
	l, err := load(tx, id)
	if err == nil && l.Organization != organizationID {
		err = fault.NotFound()
	}
	if err != nil {
		return l, err
	}
	_, err = administered(tx, by, organizationID)
	return l, err
}

// editable locks a list for a change by an admin. version is what they saw; 0
// where only one row is meant.
func editable(tx *db.Tx, by audit.Actor, organizationID, id string, version int) (Roster, error) {
	if err := hold(tx, id); err != nil {
		return Roster{}, err
	}
	l, err := Get(tx, by, organizationID, id)
	switch {
	case err != nil:
		return l, err
	case !l.Editable():
		return l, fault.Conflict("roster.is_sending")
	case version != 0 && l.Version != version:
		return l, fault.Conflict("roster.changed")
	}
	return l, nil
}

// SetColumns says anew what each column holds and checks all rows again.
func SetColumns(tx *db.Tx, by audit.Actor, organizationID, id string, version int, columns []string) error {
	l, err := editable(tx, by, organizationID, id, version)
	if err != nil {
		return err
	}
	var p fault.Problems
	seen := map[string]bool{}
	for i := range l.Columns {
		l.Columns[i] = table.Unused
		if i >= len(columns) || columns[i] == table.Unused {
			continue
		}
		m := columns[i]
		if !isMeaning(m) {
			return fault.NotFound()
		}
		if seen[m] {
			p.Add(columnField(i), "roster.column_twice")
		}
		l.Columns[i], seen[m] = m, true
	}
	if err := p.Err(); err != nil {
		return err
	}
	return l.recheck(tx)
}

// SetDefaults says what holds for rows that say nothing, and checks all again.
func SetDefaults(tx *db.Tx, by audit.Actor, organizationID, id string, version int, d Defaults) error {
	l, err := editable(tx, by, organizationID, id, version)
	if err != nil {
		return err
	}
	if err := l.checkDefaults(tx, d); err != nil {
		return err
	}
	l.Defaults = d
	return l.recheck(tx)
}

// A Change of one row.
type Change struct {
	Line    int
	Cells   map[string]string // by meaning; a meaning without a column gets one
	LeftOut bool              // not to be sent
}

// Mend changes rows and checks the list again: another row may have waited for
// it, since somebody stood there twice.
func Mend(tx *db.Tx, by audit.Actor, organizationID, id string, changes []Change) error {
	l, err := editable(tx, by, organizationID, id, 0)
	if err != nil {
		return err
	}
	var mended []Row
	for _, c := range changes {
		r, err := rowAt(tx, id, c.Line)
		if err != nil {
			return err
		}
		if r.State == Sent {
			return fault.Conflict("roster.row_sent")
		}
		l.write(&r, c.Cells)
		r.State = Bad // until it is checked
		if c.LeftOut {
			r.State = LeftOut
		}
		mended = append(mended, r)
	}
	if err := updateRows(tx, id, mended, true); err != nil {
		return err
	}
	return l.recheck(tx)
}

// write puts texts into the cells of their meanings.
func (l *Roster) write(r *Row, cells map[string]string) {
	for _, m := range table.Meanings() {
		text, given := cells[m]
		if text = table.Clean(text); !given || text == l.Cell(*r, m) {
			continue
		}
		at := slices.Index(l.Columns, m)
		if at < 0 {
			at = len(l.Columns)
			l.Columns = append(l.Columns, m)
		}
		for len(r.Cells) <= at {
			r.Cells = append(r.Cells, "")
		}
		r.Cells[at] = text
	}
}

// Drop forgets a list; invitations that it sent stay.
func Drop(tx *db.Tx, by audit.Actor, organizationID, id string) error {
	l, err := editable(tx, by, organizationID, id, 0)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(`DELETE FROM roster WHERE id = $1`, id); err != nil {
		return err
	}
	return audit.Record(tx, by, audit.Entry{Event: "roster.dropped", Organization: l.Organization, Thing: l.ID})
}
