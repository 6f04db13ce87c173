package registry

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/training/apprenticeship"
)

// Options of an import.
type Options struct {
	Chamber string // its number
	DryRun  bool   // nothing is kept; the report is the same
	Strict  bool   // one bad row, and nothing is kept
}

// A Bad row, and why.
type Bad struct {
	Line int
	fault.Problem
}

// A Report says what an import did, or would have done.
type Report struct {
	Rows, Created, Changed, Unchanged int
	BadRows                           int
	Bad                               []Bad // of the first thousand bad rows
}

const (
	batch   = 200 // rows of one transaction: nobody waits long
	mostBad = 1000
)

// weighed: from 512 new rows on, the table is weighed each time they have doubled.
const weighed = 9

var errTried = errors.New("only tried")

// Import brings the apprenticeships of a chamber up to its registry's list (CSV,
// separated by ; or , or tab, UTF-8 or Windows-1252). It goes on in batches;
// stopped half-way it is simply run again. Only commands and jobs import.
//
// With Strict the whole list is tried first; if a row is bad the error is the
// fault registry.strict_rows and the report says which.
func Import(ctx context.Context, d *db.DB, by audit.Actor, o Options, file io.Reader) (Report, error) {
	if by.Kind == audit.Person {
		return Report{}, fault.Forbidden()
	}
	if !o.Strict {
		return bring(ctx, d, by, o, file)
	}
	b, err := io.ReadAll(io.LimitReader(file, maxBytes+1))
	if err != nil {
		return Report{}, err
	}
	tried := o
	tried.DryRun = true
	report, err := bring(ctx, d, by, tried, bytes.NewReader(b))
	if err == nil && report.BadRows > 0 {
		err = fault.Invalid("file", "registry.strict_rows", report.BadRows)
	}
	if err != nil || o.DryRun {
		return report, err
	}
	return bring(ctx, d, by, o, bytes.NewReader(b))
}

func bring(ctx context.Context, d *db.DB, by audit.Actor, o Options, file io.Reader) (report Report, err error) {
	reader, at, err := open(file)
	if err != nil {
		return report, err
	}
	var rows []Row
	flush := func() error {
		if len(rows) == 0 {
			return nil
		}
		var done Report
		err := d.Write(ctx, func(tx *db.Tx) (err error) {
			if done, err = register(tx, by, o.Chamber, rows); err == nil && o.DryRun {
				err = errTried
			}
			return err
		})
		if err != nil && !errors.Is(err, errTried) {
			return err
		}
		if n := report.Created + done.Created; !o.DryRun && bits.Len(uint(n)) > max(bits.Len(uint(report.Created)), weighed) {
			if err := d.Weigh(ctx, "apprenticeship"); err != nil { // twice as many as last time
				return err
			}
		}
		report.Created, report.Changed, report.Unchanged = report.Created+done.Created, report.Changed+done.Changed, report.Unchanged+done.Unchanged
		report.add(done.Bad...)
		report.BadRows += done.BadRows
		rows = rows[:0]
		return nil
	}
	seen := map[string]int{}
	for {
		cells, err := reader.Read()
		if err == io.EOF {
			break
		}
		line, _ := reader.FieldPos(0)
		if err != nil {
			report.BadRows++
			report.add(Bad{line, fault.Problem{Key: "registry.line_unreadable"}})
			continue
		}
		if strings.TrimSpace(strings.Join(cells, "")) == "" {
			continue
		}
		report.Rows++
		r := read(line, cells, at)
		if r.Wish.Number == "" {
			r.say("number", "registry.number_missing")
		}
		if r.Ident == "" {
			r.say("ident", "registry.ident_missing")
		}
		key := r.Wish.Number + "\x00" + string(r.Wish.StartsOn)
		if first := seen[key]; first > 0 && r.Wish.Number != "" {
			r.say("number", "registry.twice", first)
		}
		if len(r.Problem) > 0 {
			report.BadRows++
			for _, p := range r.Problem {
				report.add(Bad{line, p})
			}
			continue
		}
		seen[key] = line
		if rows = append(rows, r); len(rows) == batch {
			if err := flush(); err != nil {
				return report, err
			}
		}
	}
	if err := flush(); err != nil || o.DryRun {
		return report, err
	}
	return report, d.Write(ctx, func(tx *db.Tx) error {
		return audit.Record(tx, by, audit.Entry{Event: "registry.imported", Chamber: o.Chamber, Detail: map[string]any{
			"rows": report.Rows, "created": report.Created, "changed": report.Changed, "unchanged": report.Unchanged, "bad": report.BadRows,
		}})
	})
}

func (r *Report) add(bad ...Bad) {
	if r.BadRows <= mostBad {
		r.Bad = append(r.Bad, bad...)
	}
}

// maxBytes of a list: a hundred thousand apprenticeships have about ten million.
const maxBytes = 64 << 20

// open finds encoding, separator and columns.
func open(file io.Reader) (*csv.Reader, map[string]int, error) {
	b, err := io.ReadAll(io.LimitReader(file, maxBytes+1))
	if err != nil {
		return nil, nil, err
	}
	if len(b) > maxBytes {
		return nil, nil, fault.Invalid("file", "registry.large", maxBytes>>20)
	}
	b = bytes.TrimPrefix(b, []byte("\xEF\xBB\xBF"))
	if !utf8.Valid(b) {
		if b, err = charmap.Windows1252.NewDecoder().Bytes(b); err != nil {
			return nil, nil, fault.Invalid("file", "registry.no_text")
		}
	}
	head, _, _ := bytes.Cut(b, []byte("\n"))
	r := csv.NewReader(bytes.NewReader(b))
	r.FieldsPerRecord, r.LazyQuotes, r.ReuseRecord = -1, true, false
	r.Comma = ';'
	for _, sign := range []rune{',', '\t'} {
		if bytes.Count(head, []byte(string(sign))) > bytes.Count(head, []byte(string(r.Comma))) {
			r.Comma = sign
		}
	}
	header, err := r.Read()
	if err != nil {
		return nil, nil, fault.Invalid("file", "registry.no_text")
	}
	at := columnsOf(header)
	var missing []string
	for _, need := range []string{"number", "ident", "occupation", "starts_on", "ends_on"} {
		if _, there := at[need]; !there {
			missing = append(missing, strings.Fields(headings[need])[0])
		}
	}
	if len(missing) > 0 {
		return nil, nil, fault.Invalid("file", "registry.columns_missing", strings.Join(missing, ", "))
	}
	return r, at, nil
}

// register brings a batch into the database: two questions find what is there.
func register(tx *db.Tx, by audit.Actor, chamber string, rows []Row) (done Report, err error) {
	if err := limit.Hold(tx, "registry/"+chamber); err != nil {
		return done, err
	}
	numbers, idents := []string{}, []string{}
	for _, r := range rows {
		numbers, idents = append(numbers, r.Wish.Number), append(idents, r.Ident)
	}
	known, companies, err := apprenticeship.Known(tx, chamber, numbers, idents)
	if err != nil {
		return done, fmt.Errorf("registry: %w", err)
	}
	for _, r := range rows {
		e := apprenticeship.Entry{Wish: r.Wish, Chamber: chamber, Ident: r.Ident, Company: companies[r.Ident], TrainerNumber: r.Trainer}
		a, what, err := apprenticeship.Register(tx, by, known[r.Wish.Number], e)
		if f := fault.Of(err); f != nil {
			done.BadRows++
			for _, p := range f.Problems {
				done.Bad = append(done.Bad, Bad{r.Line, p})
			}
			continue
		}
		if err != nil {
			return done, fmt.Errorf("registry, line %d: %w", r.Line, err)
		}
		switch what {
		case apprenticeship.Created:
			done.Created++
			known[r.Wish.Number] = append(known[r.Wish.Number], a)
		case apprenticeship.Changed:
			done.Changed++
			known[r.Wish.Number] = slices.DeleteFunc(known[r.Wish.Number], func(x apprenticeship.Apprenticeship) bool { return x.ID == a.ID })
			known[r.Wish.Number] = append(known[r.Wish.Number], a)
		default:
			done.Unchanged++
		}
	}
	return done, nil
}
