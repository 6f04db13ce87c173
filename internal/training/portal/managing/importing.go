package managing

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/table"
	"zunft/internal/ground/web"
	"zunft/internal/training/occupation"
	"zunft/internal/training/person"
	"zunft/internal/training/registry"
)

// importPage is all that import.html may use.
type importPage struct {
	web.Frame
	Form       *web.Form
	File, Rows web.Input // one of them is enough
	Most       int
}

func (p *Pages) askImport(w http.ResponseWriter, r *http.Request) error {
	return p.showImport(w, r, web.NewForm())
}

func (p *Pages) showImport(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	if err := p.admin(r); err != nil {
		return err
	}
	v := &importPage{Form: f, Most: registry.MostRows}
	v.File = p.input(r, f, web.Input{Name: "file", Type: "file", Label: "managing.file", Hint: "managing.file_hint"})
	v.Rows = p.input(r, f, web.Input{Name: "rows", Area: true, Rows: 5, Label: "managing.paste", Hint: "managing.paste_hint"})
	v.Back = web.Link{Text: p.text(r, "managing.trainees"), Href: "/company/trainees"}
	return p.Site.Show(w, r, f.Status(), templates, "import", v)
}

func (p *Pages) admin(r *http.Request) error {
	return p.DB.Read(r.Context(), func(tx *db.Tx) error {
		_, err := person.Admin(tx, web.Actor(r))
		return err
	})
}

// upload reads a file or a paste; nothing counts before it was looked at.
func (p *Pages) upload(w http.ResponseWriter, r *http.Request) error {
	if err := p.admin(r); err != nil {
		return err // before a byte of a stranger's file is read
	}
	f := web.NewForm()
	t, name, err := received(w, r, f)
	var rows []registry.Row
	if err == nil {
		rows, err = registry.ReadList(t)
	}
	var id string
	if err == nil {
		if name == "" {
			name = p.text(r, "managing.pasted")
		}
		err = p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
			id, err = registry.Keep(tx, web.Actor(r), registry.List{Name: name, Strict: f.Checked("strict"), Header: t.Header, Rows: rows})
			return err
		})
	}
	if f.Take(err) {
		return p.showImport(w, r, f)
	}
	if err != nil {
		return err
	}
	return web.See(w, r, "/company/imports/"+id)
}

func received(w http.ResponseWriter, r *http.Request, f *web.Form) (t table.Table, name string, err error) {
	const most = table.MaxFile + 1<<20 // the other fields
	r.Body = http.MaxBytesReader(w, r.Body, most)
	if err := r.ParseMultipartForm(most); err != nil {
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			return t, "", fault.Invalid("file", "table.large", table.MaxFile>>20)
		}
		return t, "", fault.Invalid("", "web.form_unreadable")
	}
	f.Values.Set("strict", r.PostForm.Get("strict"))
	f.Values.Set("rows", strings.ToValidUTF8(r.PostForm.Get("rows"), ""))
	file, header, err := r.FormFile("file")
	if err == nil {
		defer file.Close()
		b, err := io.ReadAll(file)
		if err != nil {
			return t, "", err
		}
		t, err = table.Read(b)
		return t, table.Clean(header.Filename), err
	}
	if strings.TrimSpace(f.Raw("rows")) == "" {
		return t, "", fault.Invalid("file", "managing.nothing_sent")
	}
	t, err = table.ReadText(f.Raw("rows"))
	if ft := fault.Of(err); ft != nil {
		err = fault.Invalid("rows", ft.Key(), ft.Problems[0].Args...)
	}
	return t, "", err
}

// listPage is all that list.html may use.
type listPage struct {
	web.Frame
	Form      *web.Form
	List      registry.List
	Good, Bad int
	Out       int // left out
	Rows      []listRow
	Mend      []listRow // with fields
	One       bool      // the one row that was picked
	Takes     bool      // what is good can be taken over now
}

type listRow struct {
	registry.Row
	Occupation string
	Says       []string
	Fields     []web.Input
	Elsewhere  []string // says what is about none of the fields
}

// mendAtOnce is how many rows have fields on one page.
const mendAtOnce = 20

func (p *Pages) look(r *http.Request) (l registry.List, err error) {
	err = p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		l, err = registry.Look(tx, web.Actor(r), r.PathValue("list"))
		return err
	})
	return l, err
}

func (p *Pages) list(w http.ResponseWriter, r *http.Request) error {
	return p.showList(w, r, web.NewForm())
}

func (p *Pages) showList(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	l, err := p.look(r)
	if err != nil {
		return err
	}
	v := &listPage{Form: f, List: l}
	picked, _ := strconv.Atoi(r.URL.Query().Get("edit"))
	for _, x := range l.Rows {
		row := listRow{Row: x, Occupation: occupation.Name(x.Wish.Occupation)}
		for _, problem := range x.Problem {
			row.Says = append(row.Says, p.text(r, problem.Key, problem.Args...))
		}
		switch {
		case x.Good():
			v.Good++
		case x.Out:
			v.Out++
		default:
			v.Bad++
		}
		if v.One = v.One || x.Line == picked; x.Line == picked || x.Bad() && picked == 0 && len(v.Mend) < mendAtOnce {
			row.Fields = p.cells(r, l, x)
			for i, problem := range x.Problem {
				if !slices.Contains(registry.Columns, problem.Field) {
					row.Elsewhere = append(row.Elsewhere, row.Says[i])
				}
			}
			v.Mend = append(v.Mend, row)
		}
		v.Rows = append(v.Rows, row)
	}
	v.Takes = v.Good > 0 && !l.Taken && !(l.Strict && v.Bad > 0)
	v.Wide, v.Back = true, web.Link{Text: p.text(r, "managing.import"), Href: "/company/trainees/import"}
	return p.Site.Show(w, r, f.Status(), templates, "list", v)
}

// cells are the fields of a row: what the list has, and what every row needs.
func (p *Pages) cells(r *http.Request, l registry.List, x registry.Row) (fields []web.Input) {
	labels := map[string]string{
		"given_name": "managing.given_name", "family_name": "managing.family_name", "occupation": "managing.occupation", "starts_on": "managing.starts_on", "ends_on": "managing.ends_on",
		"number": "managing.number", "trainer": "managing.in_charge", "email": "managing.email", "site": "managing.site", "land": "managing.land",
	}
	for i, column := range registry.Columns {
		if i >= 5 && !l.Has(column) {
			continue
		}
		in := web.Input{Name: fmt.Sprintf("%s-%d", column, x.Line), Label: p.text(r, labels[column]), Value: l.Cell(x, column), Type: "text", Autocomplete: "off"}
		in.ID = in.Name
		if column == "occupation" {
			for _, o := range occupation.Search(in.Value, 5) {
				in.Suggest = append(in.Suggest, o.Name)
			}
		}
		for _, problem := range x.Problem {
			if problem.Field == column && in.Error == "" {
				in.Error = p.text(r, problem.Key, problem.Args...)
			}
		}
		fields = append(fields, in)
	}
	return fields
}

// mend takes the fields of rows over, and shows what is left to do.
func (p *Pages) mend(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	var changes []registry.Change
	for _, line := range f.Values["line"] {
		n, err := strconv.Atoi(line)
		if err != nil || len(changes) >= mendAtOnce {
			continue
		}
		c := registry.Change{Line: n, Cells: map[string]string{}, Out: f.Checked("out-" + line)}
		for _, column := range registry.Columns {
			if name := column + "-" + line; f.Values.Has(name) {
				c.Cells[column] = f.Text(name)
			}
		}
		changes = append(changes, c)
	}
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		return registry.Mend(tx, web.Actor(r), r.PathValue("list"), changes)
	})
	if f.Take(err) {
		return p.showList(w, r, f)
	}
	if err != nil {
		return err
	}
	return web.See(w, r, "/company/imports/"+r.PathValue("list"))
}

func (p *Pages) take(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	created, changed := 0, 0
	err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		created, changed, err = registry.Take(tx, web.Actor(r), r.PathValue("list"))
		return err
	})
	if f.Take(err) {
		return p.showList(w, r, f)
	}
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/company/trainees", "managing.taken", strconv.Itoa(created), strconv.Itoa(changed))
}

func (p *Pages) rest(w http.ResponseWriter, r *http.Request) error {
	l, err := p.look(r)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := registry.WriteRest(&b, l, func(key string, args ...any) string { return p.text(r, key, args...) }); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="korrigieren.csv"`)
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	_, err = b.WriteTo(w)
	return err
}
