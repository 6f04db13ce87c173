// Package book is the report book (Ausbildungsnachweis): apprentices write a
// report per week, or day by day within it (R226, W19), submit it, and trainers
// of their company sign it off or return it with a reason (R224–R229, S29, S30).
//
//		             Save                    SignOff
//		(nothing) ─────────▶ draft ─Submit─▶ submitted ───────▶ signed_off
//		                      ▲  ▲─TakeBack──┘  │ Return            │ Reopen
//		                      │ (draft)         ▼                   │
//		                      └─ Save/Submit ─ returned ◀───────────┘
//
//	  - One report per apprentice, company and week: no overlaps; gaps show in the
//	    year (L14). A report is locked from submitting on; it can be taken back
//	    while nobody has decided (L15). What was signed off opens only when a
//	    trainer returns it (R334, R335).
//	  - Trainers and supervisors of the same company decide (R325), never the
//	    apprentice; training admins read. A draft is seen by its author alone.
//	  - Every decision is one conditional UPDATE on state and version: who comes
//	    second reads that somebody was quicker.
//	  - § 13 sentence 2 no. 7 BBiG: since 1 August 2024 no signature is needed. What
//	    counts is the record: who, when, and a digest of the text (L16).
package book

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/mail"
	"zunft/internal/training/calendar"
)

// Phrases of this package.
//
//go:embed phrases/*.json
var Phrases embed.FS

//go:embed mails
var mailFiles embed.FS

var texts = mail.Parse(mailFiles)

// A State of a report.
type State string

const (
	Draft     State = "draft"
	Submitted State = "submitted"
	Checked   State = "checked" // first of two steps: the trainer signs off
	Returned  State = "returned"
	SignedOff State = "signed_off"
)

// Limits, in characters.
const (
	MaxText = 8000 // each of the three texts of a week
	MaxDay  = 2000 // the text of a day
	MaxLine = 100  // department, and the place of a day
	MaxIDs  = 400  // sections, in characters
)

// Attendance values of a day, in the order people choose from; empty is "not said".
var Attendance = []string{"", "company", "school", "course", "vacation", "sick", "holiday", "free"}

var absent = map[string]bool{"vacation": true, "sick": true, "holiday": true, "free": true}

// A Day of a report (R226).
type Day struct {
	Attendance string `json:"a,omitempty"`
	Place      string `json:"p,omitempty"` // department, workshop, school
	Minutes    int    `json:"m,omitempty"`
	Sections   string `json:"s,omitempty"` // of the training plan, as in Text
	Text       string `json:"t,omitempty"`
}

// A Text is what an apprentice writes: the parts of recommendation 156 of the
// BIBB board, and days if they like.
type Text struct {
	Department  string // Ausbildungsabschnitt
	Work        string // betriebliche Tätigkeiten
	Instruction string // Unterweisungen, betrieblicher Unterricht, Schulungen
	School      string // Themen der Berufsschule
	Sections    string // ids of the training plan's sections (qualifications), with a blank between
	Days        [7]Day // Monday first
}

// Empty reports whether nothing was written at all.
func (t Text) Empty() bool { return t == Text{} }

// Daily reports whether something was said about single days.
func (t Text) Daily() bool { return t.Days != [7]Day{} }

// Describes reports whether the week is described: by any text, or because
// nobody worked from Monday to Friday.
func (t Text) Describes() bool {
	if t.Work+t.Instruction+t.School != "" {
		return true
	}
	away := true
	for i, d := range t.Days {
		if d.Text != "" {
			return true
		}
		away = away && (i >= 5 || absent[d.Attendance])
	}
	return away
}

// A Part of what was written, with its heading's phrase key.
type Part struct{ Key, Text string }

// Lines of the part, for pages.
func (p Part) Lines() []string { return strings.Split(p.Text, "\n") }

// Parts are the texts of the week that are not empty, in the order of
// recommendation 156.
func (t Text) Parts() (parts []Part) {
	for _, p := range []Part{{"book.sheet.department", t.Department}, {"book.part.work", t.Work}, {"book.part.instruction", t.Instruction}, {"book.part.school", t.School}} {
		if p.Text != "" {
			parts = append(parts, p)
		}
	}
	return parts
}

// Length counts the written characters.
func (t Text) Length() int {
	n := utf8.RuneCountInString(t.Work + t.Instruction + t.School)
	for _, d := range t.Days {
		n += utf8.RuneCountInString(d.Text)
	}
	return n
}

// Digest binds a decision to what was read (L16).
func (t Text) Digest() string {
	b, _ := json.Marshal(t) // plain strings: cannot fail
	sum := sha256.Sum256(b)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// check says what is too long; names of fields as forms use them.
func (t Text) check() error {
	var p fault.Problems
	for _, f := range []struct{ name, text string }{{"work", t.Work}, {"instruction", t.Instruction}, {"school", t.School}} {
		if n := utf8.RuneCountInString(f.text); n > MaxText {
			p.Add(f.name, "book.text_long", n, MaxText)
		}
	}
	for i, d := range t.Days {
		if n := utf8.RuneCountInString(d.Text); n > MaxDay {
			p.Add(DayField(i+1)+"_text", "book.text_long", n, MaxDay)
		}
		known := false
		for _, a := range Attendance {
			known = known || a == d.Attendance
		}
		if !known {
			p.Add(DayField(i+1)+"_attendance", "book.attendance_unknown")
		}
		if utf8.RuneCountInString(d.Place) > MaxLine {
			p.Add(DayField(i+1)+"_place", "book.place_long", MaxLine)
		}
		if d.Minutes < 0 {
			p.Add(DayField(i+1)+"_hours", "book.hours_unreadable")
		} else if d.Minutes > 24*60 {
			p.Add(DayField(i+1)+"_hours", "book.hours_most")
		}
		if len(d.Sections) > MaxIDs {
			p.Add(DayField(i+1)+"_sections", "book.sections_many")
		}
	}
	if utf8.RuneCountInString(t.Department) > MaxLine || strings.Contains(t.Department, "\n") {
		p.Add("department", "book.department_long", MaxLine)
	}
	if len(t.Sections) > MaxIDs {
		p.Add("sections", "book.sections_many")
	}
	return p.Err()
}

// DayField is how forms name the fields of a day: "d1" is Monday.
func DayField(n int) string { return "d" + string(rune('0'+n)) }

// Kinds of a report.
const (
	Weekly = "week"
	Paper  = "paper" // the one long report of what was written on paper before (R317)
)

// A Report is one week of one apprentice.
type Report struct {
	ID, Apprentice, Apprenticeship, Company string
	Kind                                    string
	Week                                    Week
	First, Last                             calendar.Date // the week's days within the apprenticeship
	Text                                    Text
	State                                   State
	Answer                                  string // why it was returned last
	Approver                                string // to whom it was sent; empty: those who accompany the apprentice
	SubmittedAt, CheckedAt, DecidedAt       db.Time
	CheckedBy, DecidedBy                    string
	UndoUntil                               db.Time // so long the decision can be taken back
	ChangedAt                               db.Time
	Version                                 int // 0: nothing was saved yet
}

// AnswerLines are the lines of the answer, for pages.
func (r Report) AnswerLines() []string { return strings.Split(r.Answer, "\n") }

// Open reports whether its author may change it.
func (r Report) Open() bool { return r.Version == 0 || r.State == Draft || r.State == Returned }

// Seen is the state as the apprentice sees it: while a sign-off can be taken
// back, the report is in review.
func (r Report) Seen(now db.Time) State {
	if r.State == SignedOff && r.UndoUntil.After(now) {
		return Checked
	}
	return r.State
}

// Note keeps what happened: in the report's history and in the audit.
func Note(tx *db.Tx, by audit.Actor, r Report, event, text, digest string) error {
	_, err := tx.Exec(`INSERT INTO report_event (id, report, at, person, event, text, digest) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		db.NewID(), r.ID, tx.Now(), by.Account, event, text, digest)
	if err != nil {
		return err
	}
	return record(tx, by, r, event, digest)
}

func record(tx *db.Tx, by audit.Actor, r Report, event, digest string) error {
	detail := map[string]any{"week": r.Week.String(), "version": r.Version}
	if digest != "" {
		detail["sha256"] = digest
	}
	return audit.Record(tx, by, audit.Entry{Event: "report." + event, Account: r.Apprentice, Organization: r.Company, Thing: r.ID, Detail: detail})
}
