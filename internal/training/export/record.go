package export

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"strconv"
	"strings"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/table"
	"zunft/internal/training/book"
	"zunft/internal/training/calendar"
	"zunft/internal/training/person"
)

// Format names the file that Data writes and package intake reads again.
const Format = "zunft-report-book"

// A Record is a report as machines read and write it: in the file of the whole
// book, and through /api/v1. What a program may set is Week, Version and the
// texts; the rest is told only.
type Record struct {
	Week        string        `json:"week,omitempty"`  // 2026-W47
	Kind        string        `json:"kind,omitempty"`  // "week", or "paper" for the time on paper
	First       calendar.Date `json:"first,omitempty"` // days of the week within the apprenticeship
	Last        calendar.Date `json:"last,omitempty"`
	State       book.State    `json:"state,omitempty"`
	Version     int           `json:"version"` // of what was read; 0: nothing is stored yet
	ChangedAt   *db.Time      `json:"changed_at,omitempty"`
	Answer      string        `json:"answer,omitempty"` // why it was returned last
	Department  string        `json:"department,omitempty"`
	Work        string        `json:"work,omitempty"`
	Instruction string        `json:"instruction,omitempty"`
	School      string        `json:"school,omitempty"`
	Sections    []string      `json:"sections,omitempty"` // ids of the training plan
	Days        []DayRecord   `json:"days,omitempty"`
}

// A DayRecord is a day of a Record; days of which nothing is said are left out.
type DayRecord struct {
	Date       calendar.Date `json:"date"`
	Attendance string        `json:"attendance,omitempty"`
	Place      string        `json:"place,omitempty"`
	Minutes    int           `json:"minutes,omitempty"`
	Text       string        `json:"text,omitempty"`
	Sections   []string      `json:"sections,omitempty"`
}

// RecordOf is a report for machines.
func RecordOf(r book.Report) Record {
	rec := Record{
		Week: r.Week.String(), Kind: r.Kind, First: r.First, Last: r.Last, State: r.State, Version: r.Version, Answer: r.Answer,
		Department: r.Text.Department, Work: r.Text.Work, Instruction: r.Text.Instruction, School: r.Text.School, Sections: strings.Fields(r.Text.Sections),
	}
	if !r.ChangedAt.IsZero() {
		rec.ChangedAt = &r.ChangedAt
	}
	for i, d := range r.Text.Days {
		if d != (book.Day{}) {
			rec.Days = append(rec.Days, DayRecord{r.Week.Date(i + 1), d.Attendance, d.Place, d.Minutes, d.Text, strings.Fields(d.Sections)})
		}
	}
	return rec
}

// Text is what a record says, for a week; days outside of it are refused.
func (rec Record) Text(w calendar.Week) (book.Text, error) {
	t := book.Text{Department: rec.Department, Work: rec.Work, Instruction: rec.Instruction, School: rec.School, Sections: book.JoinIDs(rec.Sections...)}
	for i, d := range rec.Days {
		day, ok := calendar.ParseDate(string(d.Date))
		if !ok || day.Week() != w {
			return t, fault.Invalid("days["+strconv.Itoa(i)+"].date", "export.day_outside", w.String())
		}
		t.Days[day.Weekday()-1] = book.Day{Attendance: d.Attendance, Place: d.Place, Minutes: d.Minutes, Text: d.Text, Sections: book.JoinIDs(d.Sections...)}
	}
	return t, nil
}

// A Data is a whole book as one JSON file.
type Data struct {
	Format  string   `json:"format"`
	Version int      `json:"version"`
	MadeAt  db.Time  `json:"made_at"`
	Name    string   `json:"name"`
	Reports []Record `json:"reports"`
}

// Records are all reports of the actor, oldest first.
func Records(tx *db.Tx, by audit.Actor) (Data, error) {
	s, err := person.Author(tx, by)
	if err != nil {
		return Data{}, err
	}
	d := Data{Format: Format, Version: 1, MadeAt: tx.Now(), Name: s.Person.Name}
	all, err := book.Between(tx, s.Person.Sub, "", "", "")
	for _, r := range all {
		r.State = r.Seen(tx.Now())
		d.Reports = append(d.Reports, RecordOf(r))
	}
	return d, err
}

// JSON writes the file.
func (d Data) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	e.SetEscapeHTML(false)
	return e.Encode(d)
}

// Columns of the CSV, which package intake knows again.
var Columns = []string{"week", "from", "until", "state", "department", "work", "instruction", "school", "attendance", "hours"}

// CSV writes a line per week, for spreadsheets (with a mark of its encoding,
// cells that would be calculated are guarded). Days are short: Mo=company Tu=….
func (d Data) CSV(w io.Writer) error {
	if _, err := io.WriteString(w, "\xEF\xBB\xBF"); err != nil {
		return err
	}
	c := csv.NewWriter(w)
	c.Comma, c.UseCRLF = ';', true
	if err := c.Write(Columns); err != nil {
		return err
	}
	for _, r := range d.Reports {
		var days []string
		minutes := 0
		for _, day := range r.Days {
			minutes += day.Minutes
			if day.Attendance != "" {
				days = append(days, string(day.Date)+" "+day.Attendance)
			}
		}
		line := []string{r.Week, string(r.First), string(r.Last), string(r.State), r.Department, r.Work, r.Instruction, r.School, strings.Join(days, ", "), book.Hours(minutes)}
		for i, cell := range line {
			line[i] = table.Guard(cell)
		}
		if err := c.Write(line); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// Clean is a record as forms would have brought it: line ends, no control
// characters and no marks that turn the direction of text.
func Clean(rec Record) Record {
	rec.Department = book.CleanLine(rec.Department)
	rec.Work, rec.Instruction, rec.School = book.CleanLines(rec.Work), book.CleanLines(rec.Instruction), book.CleanLines(rec.School)
	for i := range rec.Days {
		d := &rec.Days[i]
		d.Place, d.Text = book.CleanLine(d.Place), book.CleanLines(d.Text)
	}
	return rec
}
