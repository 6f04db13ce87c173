package roster

import (
	"encoding/csv"
	"io"
	"slices"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/table"
	"zunft/internal/identity/invitation"
)

// MostSlips is how many slips one file has.
const MostSlips = 400

// A Slip is what a person without mail is handed.
type Slip struct {
	Invitation invitation.Invitation
	Code       string
}

// SlipsOf are the ids of the open invitations of a list that no mail reaches.
// Somebody of the list whom an admin made one since is given their slip by
// itself, with a proof.
func SlipsOf(tx *db.Tx, l Roster) ([]string, error) {
	return db.Values[string](tx, `SELECT id FROM invitation WHERE roster = $1 AND roster <> '' AND state IN ('sent', 'undeliverable') AND (email = '' OR state = 'undeliverable') AND NOT admin AND expires_at > $2 ORDER BY id LIMIT $3`,
		l.ID, tx.Now(), MostSlips)
}

// Slips makes a code for everybody of a list whom no mail reaches. Codes made
// before are void: they are shown once (ux.md 2.6).
func Slips(tx *db.Tx, by audit.Actor, organizationID, id string) ([]Slip, error) {
	l, err := Get(tx, by, organizationID, id)
	if err != nil {
		return nil, err
	}
	ids, err := SlipsOf(tx, l)
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 {
		return nil, fault.Conflict("roster.no_slips")
	}
	var slips []Slip
	for _, id := range ids {
		i, err := invitation.Look(tx, by, id)
		if err != nil {
			return nil, err
		}
		code, err := invitation.Slip(tx, by, id)
		if err != nil {
			return nil, err
		}
		slips = append(slips, Slip{i, code})
	}
	return slips, nil
}

// WriteRemaining writes the rows that cannot be sent as they came, with the
// reason beside each, as CSV for Excel: UTF-8 with a mark, semicolons, cells
// that no spreadsheet calculates. The file can be uploaded again. Callers have
// loaded the list; text says a phrase in the reader's language.
func WriteRemaining(tx *db.Tx, w io.Writer, l Roster, text func(key string, args ...any) string) error {
	left, err := rows(tx, l.ID, `state IN ('bad', 'left_out', 'failed')`)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, "\uFEFF"); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	out.Comma, out.UseCRLF = ';', true
	head := make([]string, len(l.Columns))
	for i := range head {
		if i < len(l.Header) && l.Header[i] != "" {
			head[i] = l.Header[i]
		} else if l.Columns[i] != table.Unused {
			head[i] = text("roster.column." + l.Columns[i])
		}
	}
	if err := out.Write(guarded(append(head, text("roster.column.note")))); err != nil {
		return err
	}
	for _, r := range left {
		if err := out.Write(guarded(append(padded(r.Cells, len(l.Columns)), r.Reasons(text)))); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// WriteExample writes an empty list with the headings that we know for certain.
func WriteExample(w io.Writer, text func(key string, args ...any) string, role string) error {
	if _, err := io.WriteString(w, "\uFEFF"); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	out.Comma, out.UseCRLF = ';', true
	var head []string
	for _, m := range table.Meanings() {
		if m != table.FullName && m != table.Number {
			head = append(head, text("roster.column."+m))
		}
	}
	lines := [][]string{head, {"Lena", "Beispiel", "lena.beispiel@example.org", role, "", "100041", "", "de"}}
	for _, line := range lines {
		if err := out.Write(guarded(line)); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func padded(cells []string, width int) []string {
	out := make([]string, width)
	copy(out, cells)
	return out
}

func guarded(cells []string) []string {
	cells = slices.Clone(cells)
	for i := range cells {
		cells[i] = table.Guard(cells[i])
	}
	return cells
}
