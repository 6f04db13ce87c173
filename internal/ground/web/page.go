package web

import (
	"bytes"
	"embed"
	"html/template"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/i18n"
	"zunft/internal/ground/mail"
)

//go:embed templates
var files embed.FS

// Phrases of the frame and of what every page may need.
//
//go:embed phrases/*.json
var Phrases embed.FS

// A Frame is what stands around every page. Page structs embed it; Show fills it.
type Frame struct {
	Lang, Site, Owner, Theme string
	Person                   *Person // nil: signed out
	Bell                     int     // unread notices
	BellHref, ProfileHref    string
	LoginHref, LogoutHref    string
	LoginText                string // empty: "Anmelden"
	HomeHref                 string
	Nav, Footer, Languages   []Link
	Counted                  map[string]int // what the page knows for Nav, by address: Fill need not count it again
	Context, ContextHref     string         // "Sie handeln für: …"
	Notice                   string         // shown once, after a change
	Failed, Wide             bool
	Refresh                  int    // seconds; 0: never
	Script                   string // built file that this page may run, e.g. "passkey.js"; empty: none (R010)
	RequestNo                string
	Back                     Link
}

func (f *Frame) frame() *Frame { return f }

// A Person in the header.
type Person struct{ Name string }

// A Link in a list of links.
type Link struct {
	Text, Href string
	Current    bool
	Count      int
}

// A Page is a pointer to a struct that embeds Frame.
type Page interface{ frame() *Frame }

// Templates are the pages of one package, one file each, bound per language
// when first shown.
type Templates struct {
	pages map[string]*template.Template
	bound sync.Map // language/page → *template.Template
}

var shared = template.Must(template.New("").Funcs(stubs).ParseFS(files, "templates/frame.html", "templates/parts.html"))

var errorTemplates = Parse(files, "templates/error.html")

// Parse reads templates/*.html (or the given patterns). Files whose name
// begins with "_" are parts that all pages of the package share. It panics on
// a malformed template, as a wrong program should.
func Parse(fsys fs.FS, patterns ...string) *Templates {
	if len(patterns) == 0 {
		patterns = []string{"templates/*.html"}
	}
	ts := &Templates{pages: map[string]*template.Template{}}
	var parts, pages []string
	for _, p := range patterns {
		names, err := fs.Glob(fsys, p)
		if err != nil {
			panic(err)
		}
		for _, n := range names {
			if strings.HasPrefix(n[strings.LastIndex(n, "/")+1:], "_") {
				parts = append(parts, n)
			} else {
				pages = append(pages, n)
			}
		}
	}
	for _, n := range pages {
		t := template.Must(template.Must(shared.Clone()).ParseFS(fsys, append(parts[:len(parts):len(parts)], n)...))
		ts.pages[strings.TrimSuffix(n[strings.LastIndex(n, "/")+1:], ".html")] = t
	}
	return ts
}

// Page is the unbound template of a page with its frame, for the template test.
func (ts *Templates) Page(name string) *template.Template {
	if t := ts.pages[name]; t != nil {
		return template.Must(t.Clone()).Lookup("frame")
	}
	return nil
}

// Names of all pages.
func (ts *Templates) Names() (names []string) {
	for n := range ts.pages {
		names = append(names, n)
	}
	return names
}

func (ts *Templates) bind(c *i18n.Catalog, lang, name string) *template.Template {
	key := lang + "/" + name
	if t, ok := ts.bound.Load(key); ok {
		return t.(*template.Template)
	}
	t := template.Must(ts.pages[name].Clone())
	t.Funcs(functions(c, lang, t))
	actual, _ := ts.bound.LoadOrStore(key, t)
	return actual.(*template.Template)
}

// Show renders a page completely before it sends the first byte.
func (s *Site) Show(w http.ResponseWriter, r *http.Request, status int, ts *Templates, name string, page Page) error {
	f := page.frame()
	lang := Lang(r)
	f.Lang, f.Site, f.Owner = lang, s.Catalog.Text(lang, s.Name), s.Owner
	f.HomeHref = "/"
	f.Failed = f.Failed || status == http.StatusUnprocessableEntity || status == http.StatusConflict || status == http.StatusTooManyRequests
	f.Theme = s.Cookie(r, "theme")
	if f.Theme != "light" && f.Theme != "dark" {
		f.Theme = ""
	}
	for _, l := range i18n.Languages() {
		q := r.URL.Query()
		q.Set("lang", l)
		f.Languages = append(f.Languages, Link{Text: s.Catalog.Text(lang, "web.language_"+l), Href: "?" + q.Encode(), Current: l == lang})
	}
	if s.Fill != nil {
		if err := s.Fill(r, f); err != nil {
			return err
		}
	}
	if f.Notice == "" {
		f.Notice = s.notice(w, r)
	}
	var b bytes.Buffer
	if err := ts.bind(s.Catalog, lang, name).ExecuteTemplate(&b, "frame", page); err != nil {
		return err
	}
	body := markForms(b.Bytes())
	h := w.Header()
	if f.Script != "" {
		allowScript(h)
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", lang)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store")
	}
	if wait := of(r).wait; wait > 0 && status == http.StatusTooManyRequests {
		h.Set("Retry-After", strconv.Itoa(int(wait.Seconds())+1))
	}
	w.WriteHeader(status)
	_, err := w.Write(body)
	return err
}

// Render writes a page without a request, for the gallery.
func Render(c *i18n.Catalog, lang string, ts *Templates, name string, page Page) ([]byte, error) {
	page.frame().Lang = lang
	var b bytes.Buffer
	err := ts.bind(c, lang, name).ExecuteTemplate(&b, "frame", page)
	return b.Bytes(), err
}

// Input is one form field as the part "input" shows it.
type Input struct {
	ID, Name, Label, Hint, Value, Type, Error string
	Autocomplete, Inputmode, Enterkeyhint     string
	Required, Optional, Area                  bool
	Max, Left, Rows, Width                    int
	Help                                      string
	Suggest                                   []string
	Accept                                    string // of files: which are offered
	Many                                      bool   // several files
}

// An Option of a choice.
type Option struct {
	Value, Text, Hint string
	Selected          bool
}

// Choice is a group of options as the part "choice" shows it.
type Choice struct {
	ID, Name, Legend, Hint, Error, Kind string
	Options                             []Option
	Optional, Inline                    bool
}

// Check is a single checkbox as the part "check" shows it.
type Check struct {
	ID, Name, Label, Hint, Error string
	Checked                      bool
}

// Summary lists what is wrong, as the part "summary" shows it.
type Summary struct {
	Heading string
	Items   []SummaryItem
}

// SummaryItem is one complaint and the field it is about.
type SummaryItem struct{ Text, Href string }

// Tag is a status word as the part "tag" shows it.
type Tag struct{ Text, Kind, Icon string }

// stubs let templates be parsed before a language is known; the template test
// checks calls against these types.
var stubs = functions(nil, "de", nil)

func functions(c *i18n.Catalog, lang string, bound *template.Template) template.FuncMap {
	text := func(key string, args ...any) string { return c.Text(lang, key, args...) }
	part := func(name string, data any) (template.HTML, error) {
		var b strings.Builder
		err := bound.ExecuteTemplate(&b, name, data)
		return template.HTML(b.String()), err
	}
	complaint := func(p *fault.Problem) string {
		if p == nil {
			return ""
		}
		return text(p.Key, p.Args...)
	}
	return template.FuncMap{
		"t":     text,
		"asset": Asset,
		"icon": func(name string) template.HTML {
			return template.HTML(`<svg class="icon" aria-hidden="true" focusable="false"><use href="` + template.HTMLEscapeString(Asset("icons.svg")) + `#` + template.HTMLEscapeString(name) + `"></use></svg>`)
		},
		"date":     func(t db.Time) string { return stamp(t, "02.01.2006") },
		"datetime": func(t db.Time) string { return stamp(t, "02.01.2006, 15:04") },
		"iso":      func(t db.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") },
		"since": func(now, t db.Time) string {
			if days := int(now.Sub(t).Hours() / 24); days > 0 {
				return text("web.days_ago", days)
			}
			return text("web.today")
		},
		"group": group,
		"tag": func(kind, key string, args ...any) (template.HTML, error) {
			kind, icon, _ := strings.Cut(kind, " ") // "info send": with a sign of its own
			return part("tag", Tag{text(key, args...), kind, icon})
		},
		"summary": func(f *Form) (template.HTML, error) {
			if f == nil || f.OK() {
				return "", nil
			}
			s := Summary{Heading: text(f.heading())}
			for _, p := range f.Problems {
				item := SummaryItem{Text: text(p.Key, p.Args...)}
				if p.Field != "" {
					item.Href = "#" + p.Field
				}
				s.Items = append(s.Items, item)
			}
			return part("summary", s)
		},
		"field": func(f *Form, name, label string, options ...string) (template.HTML, error) {
			return part("input", input(f, name, text(label), options, text, complaint))
		},
		"check": func(f *Form, name, label string, args ...any) (template.HTML, error) {
			return part("check", Check{ID: name, Name: name, Label: text(label, args...), Error: complaint(f.problem(name)), Checked: f.Checked(name)})
		},
		"choice": func(f *Form, name, legend string, options []Option, flags ...string) (template.HTML, error) {
			return part("choice", choice(f, name, text(legend), options, flags, text, complaint))
		},
	}
}

func input(f *Form, name, label string, options []string, text func(string, ...any) string, complaint func(*fault.Problem) string) Input {
	in := Input{ID: name, Name: name, Label: label, Type: "text", Required: true, Value: f.Values.Get(name), Error: complaint(f.problem(name))}
	for _, o := range options {
		key, value, _ := strings.Cut(o, "=")
		number, _ := strconv.Atoi(value)
		switch key {
		case "type":
			in.Type = value
		case "hint":
			in.Hint = text(value)
		case "help":
			in.Help = text(value)
		case "value":
			if in.Value == "" {
				in.Value = value
			}
		case "autocomplete":
			in.Autocomplete = value
		case "inputmode":
			in.Inputmode = value
		case "enterkeyhint":
			in.Enterkeyhint = value
		case "optional":
			in.Optional, in.Required = true, false
		case "plain": // may stay empty, and goes without saying
			in.Required = false
		case "area":
			in.Area = true
			if in.Rows == 0 {
				in.Rows = 4
			}
		case "rows":
			in.Rows = number
		case "max":
			// Without a script the count stands still while somebody types: under
			// a long text it helps only when the end is near.
			left := number - utf8.RuneCountInString(strings.ReplaceAll(in.Value, "\r\n", "\n"))
			if number <= 1000 || left < number/10 {
				in.Max, in.Left = number, left
			}
		case "width":
			in.Width = number
		default:
			panic("field " + name + ": unknown option " + o)
		}
	}
	if in.Type == "password" {
		in.Value = ""
	}
	return in
}

func choice(f *Form, name, legend string, options []Option, flags []string, text func(string, ...any) string, complaint func(*fault.Problem) string) Choice {
	ch := Choice{ID: name, Name: name, Legend: legend, Kind: "radio", Error: complaint(f.problem(name))}
	for _, o := range flags {
		key, value, _ := strings.Cut(o, "=")
		switch key {
		case "radio", "checkbox", "select":
			ch.Kind = key
		case "optional":
			ch.Optional = true
		case "inline":
			ch.Inline = true
		case "hint":
			ch.Hint = text(value)
		default:
			panic("choice " + name + ": unknown option " + o)
		}
	}
	chosen, given := f.Values[name]
	for _, o := range options {
		if given {
			o.Selected = false
			for _, v := range chosen {
				o.Selected = o.Selected || v == o.Value
			}
		}
		ch.Options = append(ch.Options, o)
	}
	return ch
}

func stamp(t db.Time, layout string) string {
	if t.IsZero() {
		return ""
	}
	return t.In(mail.Berlin).Format(layout)
}

// group writes a code in blocks of n characters.
func group(code string, n int) string {
	var b strings.Builder
	for i, r := range code {
		if i > 0 && i%n == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}
