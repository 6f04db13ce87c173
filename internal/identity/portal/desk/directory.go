package desk

import (
	"errors"
	"io"
	"mime/multipart"
	"net/http"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/directory"
)

const mostFile = 30 << 20 // below what any request may have

type directoryPage struct {
	web.Frame
	Form    *web.Form
	Modes   []web.Option
	Entries int
	Changed db.Time
	Report  *directory.ImportReport
	Tried   bool // a dry run
	Bad     []BadRow
}

// A BadRow of the file in words; Column 0 means the row as a whole.
type BadRow struct {
	Line, Column   int
	Header, Reason string
}

const mostShown = 200 // bad rows on the page

func (p *Pages) showDirectory(w http.ResponseWriter, r *http.Request) error {
	return p.directoryForm(w, r, &directoryPage{Form: web.NewForm()})
}

func (p *Pages) directoryForm(w http.ResponseWriter, r *http.Request, page *directoryPage) error {
	page.Wide = true
	for _, m := range []string{"try", "write", "strict"} {
		page.Modes = append(page.Modes, web.Option{Value: m, Text: p.text(r, "desk.mode."+m), Hint: p.text(r, "desk.mode_hint."+m), Selected: m == "try"})
	}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		id, err := mine(tx, r)
		if err != nil {
			return err
		}
		page.Entries, page.Changed, err = directory.Size(tx, id)
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, page.Form.Status(), templates, "directory", page)
}

// upload reads the file while it comes in and imports it in the same request.
func (p *Pages) upload(w http.ResponseWriter, r *http.Request) error {
	var id string
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		if id, err = mine(tx, r); err != nil {
			return err
		}
		return chamber.MustClerk(tx, web.Actor(r), id)
	})
	if err != nil {
		return err
	}
	if sure, err := p.Door.Sure(w, r); !sure {
		return err
	}
	page := &directoryPage{Form: web.NewForm()}
	r.Body = http.MaxBytesReader(w, r.Body, mostFile)
	file, err := p.parts(r, page.Form)
	if err == nil && file != nil {
		mode := page.Form.Text("mode")
		page.Tried = mode != "write" && mode != "strict"
		var report directory.ImportReport
		report, err = directory.Import(r.Context(), p.DB, web.Actor(r), id, file, directory.ImportOptions{DryRun: page.Tried, Strict: mode == "strict"})
		if err == nil || report.Rows+report.BadRows > 0 {
			page.Report = &report
			for _, b := range report.Bad[:min(len(report.Bad), mostShown)] {
				page.Bad = append(page.Bad, BadRow{b.Line, b.Column, b.Header, p.text(r, b.Reason, b.Args...)})
			}
		}
	}
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		err = &fault.Fault{Kind: fault.KindInvalid, Problems: []fault.Problem{{Field: "file", Key: "desk.file_large"}}}
	}
	if err != nil && !page.Form.Take(err) {
		return err
	}
	return p.directoryForm(w, r, page)
}

// parts reads the fields before the file and stands at the file's beginning.
func (p *Pages) parts(r *http.Request, f *web.Form) (io.Reader, error) {
	body, err := r.MultipartReader()
	if err != nil {
		return nil, fault.Invalid("", "web.form_unreadable")
	}
	for {
		part, err := body.NextPart()
		if errors.Is(err, io.EOF) {
			return nil, fault.Invalid("file", "desk.file_missing")
		}
		if err != nil {
			if _, large := errors.AsType[*http.MaxBytesError](err); large {
				return nil, err
			}
			return nil, fault.Invalid("", "web.form_unreadable")
		}
		if part.FormName() == "file" {
			if part.FileName() == "" {
				return nil, fault.Invalid("file", "desk.file_missing")
			}
			return part, nil
		}
		if err := value(part, f); err != nil {
			return nil, err
		}
	}
}

func value(part *multipart.Part, f *web.Form) error {
	b, err := io.ReadAll(io.LimitReader(part, 1000))
	if err != nil {
		return fault.Invalid("", "web.form_unreadable")
	}
	f.Values.Set(part.FormName(), string(b))
	return nil
}
