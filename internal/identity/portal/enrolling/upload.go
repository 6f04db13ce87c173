package enrolling

import (
	"errors"
	"io"
	"mime/multipart"
	"net/http"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/table"
	"zunft/internal/ground/web"
	"zunft/internal/identity/application"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/roster"
)

const listSize = 20

// newPage is all that new.html may use.
type newPage struct {
	web.Frame
	Form        *web.Form
	File, Rows  web.Input // one of them is enough
	Company     organization.Organization
	Roles       []string // what the list may call them
	MaxRows     int
	Lists       []roster.Roster
	After, More string
}

func (p *Pages) ask(w http.ResponseWriter, r *http.Request) error {
	return p.showNew(w, r, web.NewForm())
}

func (p *Pages) showNew(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	page := &newPage{Form: f, MaxRows: table.MaxRows, After: r.URL.Query().Get("after")}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		if page.Company, err = company(tx, r); err != nil {
			return err
		}
		if page.Lists, err = roster.Lists(tx, web.Actor(r), page.Company.ID, page.After, listSize+1); err != nil {
			return err
		}
		page.Roles, err = roster.RoleNames(tx, web.Lang(r))
		return err
	})
	if err != nil {
		return err
	}
	if len(page.Lists) > listSize {
		page.Lists = page.Lists[:listSize]
		page.More = page.Lists[listSize-1].ID
	}
	page.File = p.input(r, f, web.Input{Name: "file", Type: "file", Label: "enrolling.file", Hint: "enrolling.file_hint"})
	page.Rows = p.input(r, f, web.Input{Name: "rows", Area: true, Rows: 6, Label: "enrolling.paste", Hint: "enrolling.paste_hint", Value: f.Raw("rows")})
	page.Back = web.Link{Text: page.Company.Name, Href: "/organizations/" + page.Company.ID}
	return p.Site.Show(w, r, f.Status(), templates, "new", page)
}

// input is a field that is neither required nor, by itself, optional.
func (p *Pages) input(r *http.Request, f *web.Form, in web.Input) web.Input {
	in.ID, in.Label, in.Hint = in.Name, p.text(r, in.Label), p.text(r, in.Hint)
	for _, x := range f.Problems {
		if x.Field == in.Name && in.Error == "" {
			in.Error = p.text(r, x.Key, x.Args...)
		}
	}
	return in
}

// upload reads the file or the paste and keeps it as a draft.
func (p *Pages) upload(w http.ResponseWriter, r *http.Request) error {
	if err := p.DB.Read(r.Context(), func(tx *db.Tx) error { _, err := company(tx, r); return err }); err != nil {
		return err // before a byte of a stranger's file is read
	}
	f := web.NewForm()
	sent, name, err := received(w, r, f)
	var l roster.Roster
	if err == nil {
		if name == "" {
			name = p.text(r, "enrolling.pasted")
		}
		err = p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
			l, err = roster.Make(tx, web.Actor(r), r.PathValue("id"), name, web.Lang(r), sent)
			return err
		})
	}
	if f.Take(err) {
		return p.showNew(w, r, f)
	}
	if err != nil {
		return err
	}
	return web.See(w, r, "/organizations/"+l.Organization+"/rosters/"+l.ID)
}

// received reads a form of one file and one text, of which one is filled.
func received(w http.ResponseWriter, r *http.Request, f *web.Form) (t table.Table, name string, err error) {
	const most = table.MaxFile + 1<<20 // the other fields
	large := fault.Invalid("file", "table.large", table.MaxFile>>20)
	if r.ContentLength > most {
		return t, "", large
	}
	r.Body = http.MaxBytesReader(w, r.Body, most)
	body, err := r.MultipartReader()
	if err != nil {
		return t, "", fault.Invalid("", "web.form_unreadable")
	}
	var file []byte
	for {
		part, err := body.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = take(part, f, &file, &name)
		}
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			return t, "", large
		}
		if err != nil {
			return t, "", fault.Invalid("", "web.form_unreadable")
		}
	}
	pasted := f.Raw("rows")
	switch {
	case name != "":
		t, err = table.Read(file)
	case pasted == "":
		return t, "", fault.Invalid("file", "enrolling.nothing")
	default:
		if t, err = table.ReadText(pasted); err != nil {
			err = atRows(err)
		}
	}
	return t, name, err
}

// atRows puts what is wrong with a paste beside its field.
func atRows(err error) error {
	ft := fault.Of(err)
	if ft == nil {
		return err
	}
	var p fault.Problems
	for _, problem := range ft.Problems {
		p.Add("rows", problem.Key, problem.Args...)
	}
	return p.Err()
}

func take(part *multipart.Part, f *web.Form, file *[]byte, name *string) error {
	switch part.FormName() {
	case "file":
		if part.FileName() == "" {
			return nil
		}
		b, err := io.ReadAll(part)
		*file, *name = b, part.FileName()
		return err
	case "rows":
		b, err := io.ReadAll(part)
		f.Values.Set("rows", string(b))
		return err
	}
	return nil
}

// example is a list with the right headings and one row to overwrite.
func (p *Pages) example(w http.ResponseWriter, r *http.Request) error {
	role := ""
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		if _, err := company(tx, r); err != nil {
			return err
		}
		offers, err := application.AllOffers(tx)
		for _, o := range offers.WithRoles() {
			if role == "" {
				role = o.Roles[0].Name(web.Lang(r))
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	attach(w, "text/csv; charset=utf-8", p.text(r, "enrolling.example_file")+".csv")
	return roster.WriteExample(w, p.say(r), role)
}

// attach says that what follows is a file to keep.
func attach(w http.ResponseWriter, kind, name string) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
}
