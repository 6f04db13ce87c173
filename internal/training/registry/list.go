package registry

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/plain"
	"zunft/internal/ground/table"
	"zunft/internal/training/apprenticeship"
	"zunft/internal/training/assignment"
	"zunft/internal/training/person"
)

// MostRows of a company's list.
const MostRows = 500

const keepList = 24 * time.Hour

// A List of a company, between reading and taking over.
type List struct {
	ID, Name string
	Taken    bool
	Strict   bool `json:",omitempty"` // all rows or none: taken when nothing is left to mend
	Header   []string
	Rows     []Row
}

// Good reports whether a row can be taken.
func (r Row) Good() bool { return len(r.Problem) == 0 && !r.Out }

// Bad reports whether a row is to be mended.
func (r Row) Bad() bool { return len(r.Problem) > 0 && !r.Out }

// bad counts the rows that are to be mended.
func (l List) bad() (n int) {
	for _, r := range l.Rows {
		if r.Bad() {
			n++
		}
	}
	return n
}

// ReadList reads a company's table.
func ReadList(t table.Table) ([]Row, error) {
	at := columnsOf(t.Header)
	_, given := at["given_name"]
	_, full := at["name"]
	_, what := at["occupation"]
	switch {
	case !given && !full || !what:
		return nil, fault.Invalid("file", "registry.columns_needed")
	case len(t.Lines) > MostRows:
		return nil, fault.Invalid("file", "registry.rows", MostRows)
	}
	rows := make([]Row, len(t.Lines))
	for i, l := range t.Lines {
		rows[i] = read(l.Number, l.Cells, at)
	}
	twice(rows)
	return rows, nil
}

// twice complains of rows that say the same person again.
func twice(rows []Row) {
	seen := map[string]int{}
	for i := range rows {
		r, w := &rows[i], rows[i].Wish
		if r.Out {
			continue
		}
		key := plain.Text(w.GivenName+" "+w.FamilyName) + "\x00" + w.Number + "\x00" + w.Occupation + string(w.StartsOn)
		if first := seen[key]; first > 0 {
			r.say("name", "registry.twice", first)
		} else {
			seen[key] = r.Line
		}
	}
}

// Keep keeps a list of the actor's company for a day: its Name, Strict, Header
// and Rows.
func Keep(tx *db.Tx, by audit.Actor, l List) (string, error) {
	s, err := person.Admin(tx, by)
	if err != nil {
		return "", err
	}
	id := db.NewID()
	body, err := json.Marshal(List{Strict: l.Strict, Header: l.Header, Rows: l.Rows})
	if err != nil {
		return "", err
	}
	_, err = tx.Exec(`INSERT INTO trainee_list (id, company, name, body, created_by, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		id, s.Company.ID, l.Name, tx.Keys().Seal("trainee_list/"+id, body), by.Account, tx.Now(), tx.Now().Add(keepList))
	return id, err
}

// load is a list of a company as it is stored.
func load(tx *db.Tx, company, id string) (l List, err error) {
	var sealed, name string
	var taken db.Time
	if err := tx.Scan(`SELECT name, body, taken_at FROM trainee_list WHERE id = $1 AND company = $2 AND expires_at > $3`, []any{id, company, tx.Now()}, &name, &sealed, &taken); err != nil {
		return l, err
	}
	body, err := tx.Keys().Open("trainee_list/"+id, sealed)
	if err != nil {
		return l, err
	}
	if err := json.Unmarshal(body, &l); err != nil {
		return l, fmt.Errorf("trainee list %s: %w", id, err)
	}
	l.ID, l.Name, l.Taken = id, name, !taken.IsZero()
	return l, nil
}

// Look is a list of the actor's company. Trainers that nobody knows are named.
func Look(tx *db.Tx, by audit.Actor, id string) (l List, err error) {
	s, err := person.Admin(tx, by)
	if err != nil {
		return l, err
	}
	if l, err = load(tx, s.Company.ID, id); err != nil {
		return l, err
	}
	people, _, err := assignment.Companions(tx, by, "", 1000)
	if err != nil {
		return l, err
	}
	for i, r := range l.Rows {
		if r.Trainer != "" && !r.Out && trainer(people, r.Trainer) == "" {
			l.Rows[i].say("trainer", "registry.trainer_unknown", r.Trainer)
		}
	}
	return l, nil
}

// trainer is who is meant by a number, an address or a name.
func trainer(people []assignment.Companion, said string) (sub string) {
	for _, p := range people {
		if !p.Trainer {
			continue
		}
		given, family := table.SplitName(said)
		if p.Number != "" && p.Number == said || strings.EqualFold(p.Email, said) || plain.Text(p.Name) == plain.Text(given+" "+family) {
			if sub != "" && sub != p.Sub { // two of one name: nobody is guessed
				return ""
			}
			sub = p.Sub
		}
	}
	return sub
}

// Take takes over the good rows of a list, once: who is there already is
// brought up to date, others are new. What the registry says stays. Of a strict
// list nothing is taken while a row is bad.
func Take(tx *db.Tx, by audit.Actor, id string) (created, changed int, err error) {
	l, err := Look(tx, by, id)
	if err != nil {
		return 0, 0, err
	}
	if bad := l.bad(); l.Strict && !l.Taken && bad > 0 {
		return 0, 0, fault.Invalid("", "registry.strict_rows", bad)
	}
	n, err := tx.Exec(`UPDATE trainee_list SET taken_at = $2 WHERE id = $1 AND taken_at IS NULL`, id, tx.Now())
	if err != nil {
		return 0, 0, err
	}
	if n == 0 {
		return 0, 0, fault.Conflict("registry.taken")
	}
	people, _, err := assignment.Companions(tx, by, "", 1000)
	if err != nil {
		return 0, 0, err
	}
	var assigned []assignment.Change
	for _, r := range l.Rows {
		if !r.Good() {
			continue
		}
		a, what, err := apprenticeship.Describe(tx, by, r.Wish)
		if err != nil {
			return 0, 0, fmt.Errorf("line %d: %w", r.Line, err)
		}
		switch what {
		case apprenticeship.Created:
			created++
		case apprenticeship.Changed:
			changed++
		}
		if sub := trainer(people, r.Trainer); sub != "" && sub != a.Person && what == apprenticeship.Created {
			assigned = append(assigned, assignment.Change{Apprenticeships: []string{a.ID}, Person: sub, Role: assignment.Trainer, From: a.StartsOn})
		}
	}
	_, err = assignment.Assign(tx, by, assigned...) // together: who is to train forty gets one mail
	return created, changed, err
}

// WriteRest writes the rows that cannot be taken, with the reasons, to be mended
// and read again. say is a phrase in the reader's language.
func WriteRest(w io.Writer, l List, say func(string, ...any) string) error {
	if _, err := io.WriteString(w, "\xEF\xBB\xBF"); err != nil {
		return err
	}
	c := csv.NewWriter(w)
	c.Comma, c.UseCRLF = ';', true
	guarded := func(cells []string, last string) []string {
		out := slices.Clone(cells)
		for i := range out {
			out[i] = table.Guard(out[i])
		}
		return append(out, last)
	}
	c.Write(guarded(l.Header, say("registry.note")))
	for _, r := range l.Rows {
		if !r.Bad() {
			continue
		}
		var why []string
		for _, p := range r.Problem {
			why = append(why, say(p.Key, p.Args...))
		}
		c.Write(guarded(r.Cells, strings.Join(why, ". ")))
	}
	c.Flush()
	return c.Error()
}

// Sweep forgets lists after a day. A periodic job calls it.
func Sweep(ctx context.Context, d *db.DB) error {
	return d.Batches(ctx, func(tx *db.Tx, most int) (int64, error) {
		return tx.Exec(`DELETE FROM trainee_list WHERE id IN (SELECT id FROM trainee_list WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)`, tx.Now(), most)
	})
}
