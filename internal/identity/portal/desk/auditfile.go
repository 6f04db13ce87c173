package desk

import (
	"encoding/csv"
	"net/http"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/mail"
	"zunft/internal/ground/table"
	"zunft/internal/ground/web"
)

// mostRows of the record go into one file; a longer term is asked for in parts.
const mostRows = 50_000

// auditFile is the record as a file for spreadsheets, read and sent in parts. A
// cell that a spreadsheet would calculate is guarded. That somebody took the
// file is recorded before it is sent.
func (p *Pages) auditFile(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadQuery(r)
	filter := auditFilter(f)
	if !f.OK() {
		return fault.Invalid("from", "desk.day_form")
	}
	filter.Before, filter.Limit = "", 200
	by := web.Actor(r)
	err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		if filter.Chamber, err = mine(tx, r); err != nil {
			return err
		}
		return audit.Record(tx, by, audit.Entry{Event: "audit.exported", Chamber: filter.Chamber, Detail: map[string]any{"filter": auditQuery(f, "")}})
	})
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="protokoll.csv"`)
	if _, err := w.Write([]byte("\xef\xbb\xbf")); err != nil { // so that Excel reads UTF-8
		return err
	}
	out := csv.NewWriter(w)
	out.Comma, out.UseCRLF = ';', true
	write := func(cells ...string) error {
		for i, c := range cells {
			cells[i] = table.Guard(c)
		}
		return out.Write(cells)
	}
	head := func(key string) string { return p.text(r, "desk.col."+key) }
	if err := write(head("when"), head("what"), head("event"), head("who"), head("whom"), head("company"), head("from"), head("request"), head("id")); err != nil {
		return err
	}
	for sent := 0; sent < mostRows; sent += filter.Limit {
		var all []Deed
		if err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
			rows, err := audit.List(tx, filter)
			if err != nil {
				return err
			}
			all, err = p.deeds(tx, r, rows)
			return err
		}); err != nil {
			return err
		}
		for _, d := range all {
			if err := write(d.At.In(mail.Berlin).Format("2006-01-02 15:04:05"), d.Event, d.Entry.Event, d.Who, d.Whom, d.Company, d.By.IP, d.By.Request, d.ID); err != nil {
				return err
			}
		}
		if len(all) < filter.Limit {
			break
		}
		filter.Before = all[len(all)-1].ID
	}
	out.Flush()
	return out.Error()
}
