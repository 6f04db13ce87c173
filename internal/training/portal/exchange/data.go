package exchange

import (
	"archive/zip"
	"bytes"
	"fmt"
	"net/http"
	"strings"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/training/attachment"
	"zunft/internal/training/erasure"
	"zunft/internal/training/export"
	"zunft/internal/training/person"
)

// forever is after every day of a book.
const forever = "9999-12-31"

// data is the whole book for machines: JSON to keep and to read in again, CSV
// for spreadsheets.
func (p *Pages) data(w http.ResponseWriter, r *http.Request) error {
	var d export.Data
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		d, err = export.Records(tx, web.Actor(r))
		return err
	})
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if strings.HasSuffix(r.URL.Path, ".csv") {
		if err := d.CSV(&b); err != nil {
			return err
		}
		return send(w, "text/csv; charset=utf-8", "Berichtsheft.csv", b.Bytes())
	}
	if err := d.JSON(&b); err != nil {
		return err
	}
	return send(w, "application/json", "Berichtsheft.json", b.Bytes())
}

// held is what there is of the person beside the texts of the book.
func (p *Pages) held(w http.ResponseWriter, r *http.Request) error {
	var b []byte
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		b, err = erasure.Held(tx, web.Actor(r))
		return err
	})
	if err != nil {
		return err
	}
	return send(w, "application/json", "Ausbildungsportal.json", b)
}

// attachments sends all files as they are read, piece by piece: a book may hold
// a gigabyte. Each piece is a question of its own, so that a slow line keeps no
// transaction open. Files are compressed formats already.
func (p *Pages) attachments(w http.ResponseWriter, r *http.Request) error {
	var all []attachment.OfWeek
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		if _, err = person.Author(tx, web.Actor(r)); err != nil { // who keeps no book
			return err
		}
		all, err = attachment.Between(tx, web.Actor(r).Account, "", forever)
		return err
	})
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return fault.NotFound()
	}
	h := w.Header()
	h.Set("Content-Type", "application/zip")
	h.Set("Content-Disposition", `attachment; filename="Anhaenge.zip"`)
	z := zip.NewWriter(w)
	taken := map[string]int{}
	for _, a := range all {
		file, err := z.CreateHeader(&zip.FileHeader{Name: nameOf(a, taken), Method: zip.Store, Modified: a.AddedAt.Time})
		if err == nil {
			err = p.pieces(r, a.ID, func(b []byte) error { _, err := file.Write(b); return err })
		}
		if err != nil {
			panic(http.ErrAbortHandler) // too late for a page: the file ends here, and shows that it does
		}
	}
	return z.Close()
}

func (p *Pages) pieces(r *http.Request, id string, write func([]byte) error) error {
	piece := attachment.Pieces(r.Context(), p.DB, id)
	for n := 0; ; n++ {
		b, err := piece(n)
		if err != nil || b == nil {
			return err
		}
		if err := write(b); err != nil {
			return err
		}
	}
}

// nameOf is where a file lies in the archive: by week. In a week of change of the
// company there are two reports; a second file of the same
// name gets a number.
func nameOf(a attachment.OfWeek, taken map[string]int) string {
	name := a.Week.String() + "/" + a.Name
	taken[name]++
	if n := taken[name]; n > 1 {
		stem, end, _ := cutLast(a.Name, ".")
		name = fmt.Sprintf("%s/%s (%d).%s", a.Week, stem, n, end)
	}
	return name
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
