package writing

import (
	"errors"
	"io"
	"net/http"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/web"
	"zunft/internal/training/attachment"
	"zunft/internal/training/book"
)

// filesPage is all that attachments.html may use.
type filesPage struct {
	web.Frame
	Form  *web.Form
	File  web.Input
	Week  book.Week
	Files []attachment.Attachment
	Open  bool
	Most  int
}

func (p *Pages) attachments(w http.ResponseWriter, r *http.Request) error {
	return p.showFiles(w, r, web.NewForm())
}

func (p *Pages) showFiles(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	week, err := weekOf(r)
	if err != nil {
		return err
	}
	v := &filesPage{Form: form, Week: week, Most: attachment.MaxFiles}
	err = p.DB.Read(r.Context(), func(tx *db.Tx) error {
		report, err := book.Mine(tx, web.Actor(r), week)
		if err != nil {
			return err
		}
		v.Open = report.Open()
		if report.Version > 0 {
			v.Files, err = attachment.List(tx, report.ID)
		}
		return err
	})
	if err != nil {
		return err
	}
	v.File = web.Input{ID: "file", Name: "file", Type: "file", Label: p.text(r)("writing.files_choose"), Hint: p.text(r)("writing.files_hint", attachment.MaxSize>>20), Many: true, Accept: accepted}
	for _, x := range form.Problems {
		if x.Field == "file" && v.File.Error == "" {
			v.File.Error = p.text(r)(x.Key, x.Args...)
		}
	}
	v.Back = web.Link{Text: p.text(r)("writing.week", week.Name()), Href: "/reports/" + week.String()}
	return p.Site.Show(w, r, form.Status(), templates, "attachments", v)
}

// uploads bounds what one person may send: each file is looked at in memory.
var uploads = limit.Rate{Burst: 30, Every: 20 * time.Second}

const accepted = ".pdf,.jpg,.jpeg,.png,.heic,.heif,application/pdf,image/jpeg,image/png,image/heic"

// attach keeps each file that can be kept, and says of the others why not.
func (p *Pages) attach(w http.ResponseWriter, r *http.Request) error {
	week, err := weekOf(r)
	if err != nil {
		return err
	}
	// Before a byte is read: whose week, is it open, and not too many in an hour.
	if err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		report, err := book.Mine(tx, web.Actor(r), week)
		if err == nil && !report.Open() {
			err = fault.Conflict("attachment.locked")
		}
		return err
	}); err != nil {
		form := web.NewForm()
		if form.Take(err) {
			return p.showFiles(w, r, form)
		}
		return err
	}
	if err := limit.Take(r.Context(), p.DB, "attach/"+web.Actor(r).Account, uploads); err != nil {
		form := web.ReadForm(r)
		if form.Take(err) {
			return p.showFiles(w, r, form)
		}
		return err
	}
	form, kept := web.NewForm(), 0
	err = eachFile(w, r, func(name string, body io.Reader) error {
		b, err := io.ReadAll(io.LimitReader(body, attachment.MaxSize+1))
		if err != nil {
			return err
		}
		if len(b) > attachment.MaxSize {
			rest, err := io.Copy(io.Discard, body)
			if err != nil {
				return err
			}
			form.Take(attachment.TooLarge(name, len(b)+int(rest)))
			return nil
		}
		f, err := attachment.Prepare(name, b)
		if err == nil {
			err = p.DB.Write(r.Context(), func(tx *db.Tx) error {
				_, err := attachment.Add(tx, web.Actor(r), week, f)
				return err
			})
		}
		if err == nil {
			kept++
		} else if !form.Take(err) {
			return err
		}
		return nil
	})
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		form.Add("file", "writing.files_much")
		err = nil
	}
	if err != nil && !form.Take(err) {
		return err
	}
	switch {
	case !form.OK():
		return p.showFiles(w, r, form)
	case kept == 0:
		form.Add("file", "writing.files_none")
		return p.showFiles(w, r, form)
	}
	return p.Site.Done(w, r, r.URL.Path, "writing.done_files", kept)
}

// eachFile reads the files of a form one after the other.
func eachFile(w http.ResponseWriter, r *http.Request, f func(name string, body io.Reader) error) error {
	form, err := r.MultipartReader()
	if err != nil {
		return fault.Invalid("", "web.form_unreadable")
	}
	for n := 0; n < 100; {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil && part.FormName() == "file" && part.FileName() != "" {
			n++
			err = f(part.FileName(), part)
		}
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); err != nil && (tooLarge || fault.Of(err) != nil) {
			return err
		} else if err != nil {
			return fault.Invalid("", "web.form_unreadable")
		}
	}
	return nil
}

func (p *Pages) detach(w http.ResponseWriter, r *http.Request) error {
	week, err := weekOf(r)
	if err != nil {
		return err
	}
	err = p.DB.Write(r.Context(), func(tx *db.Tx) error {
		return attachment.Remove(tx, web.Actor(r), week, r.PathValue("file"))
	})
	if err != nil {
		form := web.NewForm()
		if form.Take(err) {
			return p.showFiles(w, r, form)
		}
		return err
	}
	return p.Site.Done(w, r, "/reports/"+week.String()+"/attachments", "writing.done_file_removed")
}

// file sends one, always to be saved, never to be shown within this portal.
func (p *Pages) file(w http.ResponseWriter, r *http.Request) error {
	week, err := weekOf(r)
	if err != nil {
		return err
	}
	var a attachment.Attachment
	err = p.DB.Read(r.Context(), func(tx *db.Tx) error {
		report, err := book.Mine(tx, web.Actor(r), week)
		if err != nil {
			return err
		}
		a, err = attachment.Get(tx, report.ID, r.PathValue("file"))
		return err
	})
	if err != nil {
		return err
	}
	return web.Send(w, a.Name, a.Type(), a.Size, attachment.Pieces(r.Context(), p.DB, a.ID))
}
