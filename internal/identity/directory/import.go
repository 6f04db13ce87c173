package directory

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"strings"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/fold"
)

// ImportOptions say how careful an import is.
type ImportOptions struct {
	Strict   bool           // one bad row and nothing is written
	DryRun   bool           // nothing is written; the report is the same
	Progress func(done int) // called now and then with the number of rows read
	MaxRows  int            // 0: two million
}

// Change is one field of a company that the chamber sees otherwise than before.
type Change struct{ Ident, Field, Was, Now string }

// ImportReport says what an import did, or would have done.
type ImportReport struct {
	Rows      int // usable rows of the file
	Created   int
	Updated   int
	Unchanged int
	Missing   int // in the directory but not in the file: reported, not deleted
	BadRows   int
	Bad       []RowError // the first thousand
	Changes   []Change   // the first hundred
	Written   bool       // false after a dry run or a strict refusal
}

const (
	mostBad     = 1000
	mostChanges = 100
	everyRows   = 1000 // rows between two calls of Progress
	batchRows   = 32   // rows of one statement, measured: SQLite looks each parameter up by name, 500 rows take it eight times as long
)

// Import brings a chamber's directory up to the file (issue A, R072): companies
// of the file are added or renewed by their ident number, others stay. It is
// one transaction with its audit row: all or nothing. The file is read before
// the transaction begins, so a slow upload holds up nobody.
//
// With Strict and bad rows the error is the fault directory.strict_rows and the
// report says which; nothing is written.
func Import(ctx context.Context, d *db.DB, by audit.Actor, chamberID string, r io.Reader, o ImportOptions) (ImportReport, error) {
	var c chamber.Chamber
	err := d.Read(ctx, func(tx *db.Tx) (err error) {
		if err = mayImport(tx, by, chamberID); err != nil {
			return err
		}
		c, err = chamber.Get(tx, chamberID)
		return err
	})
	if err != nil {
		return ImportReport{}, err
	}
	rows, read, err := readAll(ctx, c, r, o)
	if err != nil {
		return read, err
	}
	refused := o.Strict && read.BadRows > 0
	if refused || o.DryRun {
		err = d.Read(ctx, func(tx *db.Tx) error {
			read, err = apply(tx, c, rows, read, false)
			return err
		})
		if err == nil && refused {
			err = fault.Invalid("file", "directory.strict_rows", read.BadRows)
		}
		return read, err
	}
	var done ImportReport
	err = d.Write(ctx, func(tx *db.Tx) error {
		if err := mayImport(tx, by, chamberID); err != nil {
			return err
		}
		// Two imports of one chamber take turns; in parallel they could deadlock.
		if _, err := tx.Exec(`UPDATE chamber SET name = name WHERE id = $1`, c.ID); err != nil {
			return err
		}
		if done, err = apply(tx, c, rows, read, true); err != nil {
			return err
		}
		return audit.Record(tx, by, audit.Entry{Event: "directory.imported", Chamber: c.ID, Thing: c.ID, Detail: map[string]any{
			"rows": done.Rows, "created": done.Created, "updated": done.Updated, "unchanged": done.Unchanged, "missing": done.Missing, "bad": done.BadRows,
		}})
	})
	done.Written = err == nil
	return done, err
}

// mayImport lets the chamber's clerks, the console and jobs pass.
func mayImport(tx *db.Tx, by audit.Actor, chamberID string) error {
	if by.Kind == audit.Command || by.Kind == audit.System {
		return nil
	}
	return chamber.MustClerk(tx, by, chamberID)
}

func readAll(ctx context.Context, c chamber.Chamber, r io.Reader, o ImportOptions) (rows []Entry, report ImportReport, err error) {
	n := 0
	for row, err := range ParseDirectory(r, ParseOptions{ChamberNumber: c.Number, MaxRows: o.MaxRows}) {
		if n++; n%everyRows == 0 {
			if ctx.Err() != nil {
				return nil, report, ctx.Err()
			}
			if o.Progress != nil {
				o.Progress(n)
			}
		}
		if bad, ok := errors.AsType[*RowError](err); ok {
			if report.BadRows++; report.BadRows <= mostBad {
				report.Bad = append(report.Bad, *bad)
			}
			continue
		}
		if err != nil {
			return nil, report, err
		}
		e := row.Entry
		e.Chamber, e.companyKey = c.ID, e.Key()
		e.contentHash = e.hash()
		rows = append(rows, e)
	}
	if o.Progress != nil {
		o.Progress(n)
	}
	report.Rows = len(rows)
	return rows, report, nil
}

type said struct {
	field string
	value *string
}

// content is what the file says, in the order of the hash.
func (e *Entry) content() []said {
	return []said{
		{"name", &e.Name},
		{"legal_form", &e.LegalForm},
		{"street", &e.Street},
		{"house_number", &e.HouseNumber},
		{"postcode", &e.Postcode},
		{"place", &e.Place},
		{"register_kind", &e.RegisterKind},
		{"register_number", &e.RegisterNumber},
		{"register_court", &e.RegisterCourt},
		{"management", &e.Management},
	}
}

// hash tells quickly whether an entry is as it was; fold.Version is part of it,
// so that new rules of folding renew every key at the next import.
func (e *Entry) hash() string {
	var b strings.Builder
	b.WriteString(fold.Version)
	for _, c := range e.content() {
		b.WriteByte(0) // no cell holds one
		b.WriteString(*c.value)
	}
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:16])
}

// apply compares the rows with the directory and, if write is set, brings it
// up to them. It fills in a copy of the report, as a transaction may run twice.
func apply(tx *db.Tx, c chamber.Chamber, rows []Entry, report ImportReport, write bool) (ImportReport, error) {
	known, err := knownHashes(tx, c.ID)
	if err != nil {
		return report, err
	}
	report.Missing = len(known)
	batch := make([]*Entry, 0, batchRows)
	flush := func() error {
		if !write || len(batch) == 0 {
			return nil
		}
		err := upsert(tx, batch)
		batch = batch[:0]
		return err
	}
	for i := range rows {
		e := &rows[i]
		hash, there := known[e.IdentNumber]
		if there {
			report.Missing--
		}
		switch {
		case there && hash == e.contentHash:
			report.Unchanged++
			continue
		case there:
			report.Updated++
			if len(report.Changes) < mostChanges {
				if report.Changes, err = changes(tx, e, report.Changes); err != nil {
					return report, err
				}
			}
		default:
			report.Created++
		}
		if batch = append(batch, e); len(batch) == batchRows {
			if err := flush(); err != nil {
				return report, err
			}
		}
	}
	return report, flush()
}

// changes notes what differs between an entry and what the directory says yet.
func changes(tx *db.Tx, e *Entry, list []Change) ([]Change, error) {
	was, err := entryByIdent(tx, e.Chamber, e.IdentNumber)
	if err != nil {
		return list, err
	}
	before := was.content()
	for i, now := range e.content() {
		if *now.value != *before[i].value && len(list) < mostChanges {
			list = append(list, Change{e.IdentNumber, now.field, *before[i].value, *now.value})
		}
	}
	return list, nil
}
