package roster

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/invitation"
)

const columns = `id, organization, name, state, columns, header, defaults, total, done, created_by, created_at, sent_at, done_at, expires_at, version`

// asJSON keeps a value as JSON in a column of text.
type asJSON struct{ v any }

func (j asJSON) Scan(src any) error {
	switch s := src.(type) {
	case string:
		return j.read([]byte(s))
	case []byte:
		return j.read(s)
	}
	return fmt.Errorf("no JSON: %T", src)
}

// read: an empty text says nothing.
func (j asJSON) read(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	return json.Unmarshal(b, j.v)
}

func text(v any) string {
	b, _ := json.Marshal(v) // strings and numbers always marshal
	return string(b)
}

func (l *Roster) fields() []any {
	return []any{
		&l.ID, &l.Organization, &l.Name, &l.State,
		asJSON{&l.Columns},
		asJSON{&l.Header},
		asJSON{&l.Defaults},
		&l.Total, &l.Done,
		&l.CreatedBy, &l.CreatedAt, &l.SentAt, &l.DoneAt, &l.ExpiresAt, &l.Version,
	}
}

func load(tx *db.Tx, id string) (Roster, error) {
	return db.One(tx, (*Roster).fields, `SELECT `+columns+` FROM roster WHERE id = $1`, id)
}

// hold lets changes of one list come one after the other.
func hold(tx *db.Tx, id string) error {
	_, err := tx.Exec(`UPDATE roster SET version = version WHERE id = $1`, id)
	return err
}

func drafts(tx *db.Tx, organizationID string) (int, error) {
	return db.Value[int](tx, `SELECT count(*) FROM roster WHERE organization = $1 AND state = 'draft'`, organizationID)
}

func insert(tx *db.Tx, l Roster) error {
	_, err := tx.Exec(`INSERT INTO roster (id, organization, name, state, columns, header, defaults, total, created_by, created_at, expires_at, version)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		l.ID, l.Organization, l.Name, l.State, text(l.Columns), text(l.Header), text(l.Defaults), l.Total, l.CreatedBy, l.CreatedAt, l.ExpiresAt, l.Version)
	return err
}

func save(tx *db.Tx, l Roster) error {
	_, err := tx.Exec(`UPDATE roster SET columns = $1, defaults = $2, version = version + 1 WHERE id = $3`, text(l.Columns), text(l.Defaults), l.ID)
	return err
}

func (r *Row) fields() []any {
	return []any{&r.Number, asJSON{&r.Cells}, &r.State, asJSON{&r.Problems}, &r.Invitation}
}

func problemText(p []Problem) string {
	if len(p) == 0 {
		return ""
	}
	return text(p)
}

const rowColumns = `line, cells, state, problem, invitation`

// rows reads rows of a list in the order of the file.
func rows(tx *db.Tx, id, where string, args ...any) ([]Row, error) {
	return db.All(tx, (*Row).fields, `SELECT `+rowColumns+` FROM roster_row WHERE roster = $1 AND `+where+` ORDER BY line`, append([]any{id}, args...)...)
}

// nextRows are the first rows that can be sent.
func nextRows(tx *db.Tx, id string, limit int) ([]Row, error) {
	return db.All(tx, (*Row).fields, `SELECT `+rowColumns+` FROM roster_row WHERE roster = $1 AND state = 'ok' ORDER BY line LIMIT $2`, id, limit)
}

func rowAt(tx *db.Tx, id string, line int) (Row, error) {
	return db.One(tx, (*Row).fields, `SELECT `+rowColumns+` FROM roster_row WHERE roster = $1 AND line = $2`, id, line)
}

const rowsAtOnce = 100

func insertRows(tx *db.Tx, id string, all []Row) error {
	for len(all) > 0 {
		part := all[:min(len(all), rowsAtOnce)]
		all = all[len(part):]
		var values strings.Builder
		args := []any{id}
		for i, r := range part {
			if i > 0 {
				values.WriteString(", ")
			}
			fmt.Fprintf(&values, "($1, $%d, $%d, $%d, $%d)", len(args)+1, len(args)+2, len(args)+3, len(args)+4)
			args = append(args, r.Number, text(r.Cells), r.State, problemText(r.Problems))
		}
		if _, err := tx.Exec(`INSERT INTO roster_row (roster, line, cells, state, problem) VALUES `+values.String(), args...); err != nil {
			return err
		}
	}
	return nil
}

// updateRows keeps states and problems, and the cells where those changed.
func updateRows(tx *db.Tx, id string, all []Row, cells bool) error {
	for _, r := range all {
		query, args := `UPDATE roster_row SET state = $1, problem = $2, invitation = $3 WHERE roster = $4 AND line = $5`, []any{r.State, problemText(r.Problems), r.Invitation, id, r.Number}
		if cells {
			query, args = `UPDATE roster_row SET state = $1, problem = $2, cells = $3 WHERE roster = $4 AND line = $5`, []any{r.State, problemText(r.Problems), text(r.Cells), id, r.Number}
		}
		if _, err := tx.Exec(query, args...); err != nil {
			return err
		}
	}
	return nil
}

// Lists are the lists of an organization, the newest first; after is the id of
// the last one of the page before, or empty.
func Lists(tx *db.Tx, by audit.Actor, organizationID, after string, limit int) ([]Roster, error) {
	if _, err := administered(tx, by, organizationID); err != nil {
		return nil, err
	}
	where, args := `organization = $1`, []any{organizationID, limit}
	if after != "" {
		where, args = where+` AND id < $3`, append(args, after)
	}
	return db.All(tx, (*Roster).fields, `SELECT `+columns+` FROM roster WHERE `+where+` ORDER BY id DESC LIMIT $2`, args...)
}

// Counts of rows by state. Callers have loaded the list.
func Counts(tx *db.Tx, l Roster) (map[string]int, error) {
	counts := map[string]int{}
	return counts, tx.Each(`SELECT state, count(*) FROM roster_row WHERE roster = $1 GROUP BY state`, []any{l.ID}, func(scan func(...any) error) error {
		var state string
		var n int
		err := scan(&state, &n)
		counts[state] = n
		return err
	})
}

// Views of a list: rows by their own state, or by that of their invitation.
func Views() []string {
	return append([]string{Bad, OK, LeftOut, Failed}, invitation.States()...)
}

// Rows are rows of a list with the answers to their invitations, from the line
// after one on; view narrows them, unless empty. Callers have loaded the list.
func Rows(tx *db.Tx, l Roster, view string, after, limit int) ([]Row, error) {
	where, args := `r.line > $2`, []any{l.ID, after, limit, tx.Now()}
	if view != "" {
		args = append(args, view)
		if slices.Contains([]string{Bad, OK, LeftOut, Failed}, view) {
			where += ` AND r.state = $5`
		} else {
			where += ` AND r.state = 'done' AND ` + answer + ` = $5`
		}
	}
	return db.All(tx, func(r *Row) []any { return append(r.fields(), &r.Answer.State, &r.Answer.Failure, &r.Answer.ExpiresAt) },
		`SELECT r.line, r.cells, r.state, r.problem, r.invitation, COALESCE(`+answer+`, ''), COALESCE(i.failure, ''), i.expires_at
		FROM roster_row r LEFT JOIN invitation i ON i.id = r.invitation AND r.invitation <> '' WHERE r.roster = $1 AND `+where+` ORDER BY r.line LIMIT $3`, args...)
}

// answer is the state of an invitation as people see it: one whose time is over
// has expired, though the job that says so has not come by yet.
const answer = `CASE WHEN i.state = 'sent' AND i.expires_at <= $4 THEN 'expired' ELSE i.state END`

// Answers counts the rows of a list by the state of their invitation.
func Answers(tx *db.Tx, l Roster) (map[string]int, error) {
	counts := map[string]int{}
	return counts, tx.Each(`SELECT `+strings.ReplaceAll(answer, "$4", "$2")+`, count(*) FROM roster_row r JOIN invitation i ON i.id = r.invitation WHERE r.roster = $1 AND r.invitation <> '' GROUP BY 1`,
		[]any{l.ID, tx.Now()}, func(scan func(...any) error) error {
			var state string
			var n int
			err := scan(&state, &n)
			counts[state] = n
			return err
		})
}

// Some are the rows of some lines. Callers have loaded the list.
func Some(tx *db.Tx, l Roster, lines ...int) ([]Row, error) {
	args := []any{}
	for _, n := range lines {
		args = append(args, n)
	}
	return rows(tx, l.ID, `line IN (`+db.In(2, len(lines))+`)`, args...)
}

// Sweep forgets lists whose time is over.
func Sweep(ctx context.Context, d *db.DB) error {
	return d.Batches(ctx, func(tx *db.Tx, most int) (int64, error) {
		// A list has up to MaxRows rows that go with it: few lists at a time.
		const few = 10
		n, err := tx.Exec(`DELETE FROM roster WHERE id IN (SELECT id FROM roster WHERE expires_at < $1 AND state <> 'sending' ORDER BY expires_at LIMIT $2)`, tx.Now(), few)
		if n == few {
			n = int64(most)
		}
		return n, err
	})
}

// begin moves a list into sending, once.
func begin(tx *db.Tx, l Roster) error {
	n, err := tx.Exec(`UPDATE roster SET state = 'sending', sent_at = $1, expires_at = $2, version = version + 1 WHERE id = $3 AND version = $4 AND state IN ('draft', 'done')`,
		tx.Now(), tx.Now().Add(sentLasts), l.ID, l.Version)
	if err == nil && n == 0 {
		err = fault.Conflict("roster.changed")
	}
	return err
}
