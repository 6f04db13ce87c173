package registry

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/table"
	"zunft/internal/training/person"
)

// Columns that can be mended, in the order of a form.
var Columns = []string{"given_name", "family_name", "occupation", "starts_on", "ends_on", "number", "trainer", "email", "site", "land"}

// A Change of a row: what its cells say now, by column, and whether it is left
// out. Columns that are not named stay.
type Change struct {
	Line  int
	Cells map[string]string
	Out   bool
}

// Cell is what a row says in a column, as it was typed. A name in one cell is
// parted; a trainer is a number, an address or a name.
func (l List) Cell(r Row, column string) string {
	at := columnsOf(l.Header)
	if _, full := at["name"]; full {
		switch column {
		case "given_name":
			return r.Wish.GivenName
		case "family_name":
			return r.Wish.FamilyName
		}
	}
	switch {
	case column == "trainer":
		return r.Trainer
	case column == "starts_on" && r.Wish.StartsOn != "": // as people write it, whatever Excel says
		return r.Wish.StartsOn.German()
	case column == "ends_on" && r.Wish.EndsOn != "":
		return r.Wish.EndsOn.German()
	}
	if i, there := at[column]; there && i < len(r.Cells) {
		return table.Clean(r.Cells[i])
	}
	return ""
}

// Has reports whether the list has a column.
func (l List) Has(column string) bool {
	at := columnsOf(l.Header)
	_, there := at[column]
	_, number := at["trainer_number"]
	return there || column == "trainer" && number
}

// put makes a cell say something. A column that the list lacks is added.
func (l *List) put(r *Row, column, text string) {
	at := columnsOf(l.Header)
	if i, full := at["name"]; full && (column == "given_name" || column == "family_name") { // Lerche, Lena
		given, family := r.Wish.GivenName, r.Wish.FamilyName
		if column == "given_name" {
			given = text
		} else {
			family = text
		}
		r.Wish.GivenName, r.Wish.FamilyName = given, family
		column, text = "name", family+", "+given
		at[column] = i
	}
	if i, number := at["trainer_number"]; number && column == "trainer" {
		at[column] = i
	}
	i, there := at[column]
	if !there {
		l.Header = append(l.Header, strings.Fields(headings[column])[0])
		i = len(l.Header) - 1
	}
	for len(r.Cells) <= i {
		r.Cells = append(r.Cells, "")
	}
	r.Cells[i] = text
}

// Mend changes rows of a list that is not taken yet, and reads them again:
// nobody needs a new file for one date.
func Mend(tx *db.Tx, by audit.Actor, id string, changes []Change) error {
	s, err := person.Admin(tx, by)
	if err != nil {
		return err
	}
	// Whoever comes second waits, and mends what the first one left.
	n, err := tx.Exec(`UPDATE trainee_list SET name = name WHERE id = $1 AND company = $2 AND taken_at IS NULL AND expires_at > $3`, id, s.Company.ID, tx.Now())
	if err != nil {
		return err
	}
	l, err := load(tx, s.Company.ID, id)
	switch {
	case err != nil:
		return err
	case n == 0:
		return fault.Conflict("registry.taken")
	}
	for _, c := range changes {
		i := slices.IndexFunc(l.Rows, func(r Row) bool { return r.Line == c.Line })
		if i < 0 {
			continue
		}
		r := &l.Rows[i]
		for _, column := range Columns { // not in the order of a map: columns may be added
			if text, said := c.Cells[column]; said && table.Clean(text) != l.Cell(*r, column) {
				l.put(r, column, table.Clean(text))
			}
		}
		r.Out = c.Out
	}
	at := columnsOf(l.Header)
	for i, r := range l.Rows {
		l.Rows[i] = read(r.Line, r.Cells, at)
		l.Rows[i].Out = r.Out
	}
	twice(l.Rows)
	body, err := json.Marshal(List{Strict: l.Strict, Header: l.Header, Rows: l.Rows})
	if err != nil {
		return err
	}
	if _, err := tx.Exec(`UPDATE trainee_list SET body = $1 WHERE id = $2`, tx.Keys().Seal("trainee_list/"+id, body), id); err != nil {
		return fmt.Errorf("mend trainee list: %w", err)
	}
	return nil
}
