package enrolling

import (
	"fmt"
	"slices"
	"strings"

	"zunft/internal/ground/db"
	"zunft/internal/ground/table"
	"zunft/internal/ground/web"
	"zunft/internal/identity/roster"
)

// mending are the rows with fields: those that must be mended, first of all one
// that was picked, and those that were sent and did not work.
func (page *listPage) mending(tx *db.Tx, c words, edit int, typed []roster.Change) error {
	var numbers []int
	if edit > 0 {
		numbers = append(numbers, edit)
	}
	for _, t := range typed {
		numbers = append(numbers, t.Line)
	}
	var rows []roster.Row
	page.Editing = edit > 0
	if len(numbers) > 0 {
		some, err := roster.Some(tx, page.List, numbers...)
		if err != nil {
			return err
		}
		rows = slices.DeleteFunc(some, func(r roster.Row) bool { return r.State == roster.Sent })
	} else {
		for _, state := range []string{roster.Bad, roster.Failed} {
			some, err := roster.Rows(tx, page.List, state, 0, mendAtOnce-len(rows))
			if err != nil {
				return err
			}
			rows = append(rows, some...)
		}
	}
	lines, err := page.lines(tx, c, rows)
	if err != nil {
		return err
	}
	for i := range lines {
		lines[i].Fields = page.fields(c, lines[i].Row)
		for _, t := range typed {
			if t.Line == lines[i].Number {
				for k := range lines[i].Fields {
					meaning, _, _ := strings.Cut(lines[i].Fields[k].Name, "-")
					lines[i].Fields[k].Value = t.Cells[meaning]
				}
			}
		}
	}
	page.Mend = lines
	return nil
}

// fields are the cells of a row that matter, each with what is wrong with it.
func (page *listPage) fields(c words, r roster.Row) (fields []web.Input) {
	has := func(m string) bool { return slices.Contains(page.List.Columns, m) }
	for _, m := range table.Meanings() {
		always := m == table.Email || m == table.RoleName || !has(table.FullName) && (m == table.GivenName || m == table.FamilyName)
		if !has(m) && !always {
			continue
		}
		id := fmt.Sprintf("%s-%d", m, r.Number)
		in := web.Input{ID: id, Name: id, Label: c.text("roster.column." + m), Value: page.List.Cell(r, m), Type: "text", Autocomplete: "off", Width: 30}
		switch m {
		case table.Email:
			in.Inputmode = "email"
		case table.RoleName:
			in.Suggest = c.roles
		case table.SiteName:
			for _, s := range c.sites {
				in.Suggest = append(in.Suggest, s.Name)
			}
		}
		for _, x := range r.Problems {
			if x.Field == m && !x.Warning && in.Error == "" {
				in.Error = c.text(x.Key, x.Args...)
			}
		}
		fields = append(fields, in)
	}
	return fields
}
