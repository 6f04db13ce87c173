package signup

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/captcha"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/terms"
)

// stepPage is all that step.html may use.
type stepPage struct {
	web.Frame
	Form          *web.Form
	First, Last   bool
	Heading       string // of the whole sign-up
	Step          string // of this page
	Steps         []stepName
	Lead          string
	Notes         []string
	Action        string
	Profile, Next string
	Terms         []shownTerms
	Groups        []group
	Boxes         []web.Check
	Go, Back      string // texts of the buttons
	BackDo        string
	Support       string
	Default       bool // Enter sends the form, although another button comes first
}

type stepName struct {
	Title         string
	Done, Current bool
}

type shownTerms struct {
	ID, Title, Version string
	Blocks             []terms.Block
}

type group struct {
	Legend, Hint string
	Parts        []part
}

// A part of a form is one of these.
type part struct {
	Input   *web.Input
	Choice  *web.Choice
	Check   *web.Check
	More    *more
	Captcha *shownCaptcha
	Kept    bool // the password is remembered
}

// more are the further addresses, folded away until one is needed.
type more struct {
	Open   bool
	Label  string
	Inputs []web.Input
}

type shownCaptcha struct {
	ID    string
	Input web.Input
}

// box is the name of the n-th text's checkbox.
func box(n int) string {
	if n == 0 {
		return "accept"
	}
	return fmt.Sprintf("accept_%d", n+1)
}

// shower builds the parts of one page.
type shower struct {
	p    *Pages
	r    *http.Request
	lang string
	f    *web.Form
	v    visit
}

func (s shower) text(key string, args ...any) string {
	return s.p.Site.Catalog.Text(s.lang, key, args...)
}

// or is the profile's text, or the phrase of these pages.
func (s shower) or(t policy.Text, key string) string {
	if own := t.In(s.lang); own != "" {
		return own
	}
	return s.text(key)
}

func (s shower) problem(name string) string {
	for _, p := range s.f.Problems {
		if p.Field == name {
			return s.text(p.Key, p.Args...)
		}
	}
	return ""
}

func (p *Pages) show(w http.ResponseWriter, r *http.Request, f *web.Form, v visit, i int) error {
	s := shower{p, r, web.Lang(r), f, v}
	st, last := v.profile().Steps[i], len(v.profile().Steps)-1
	next := "signup.next"
	if i == last {
		next = "signup.submit"
	}
	page := &stepPage{
		Form: f, First: i == 0, Last: i == last, Heading: s.or(v.profile().Heading, "signup.heading"), Step: s.title(st),
		Action: v.path(i), Profile: v.policy.Key, Next: web.LocalPath(f.Values.Get("next")), Lead: st.Lead.In(s.lang),
		Go: s.or(st.Next, next), BackDo: st.Back.Do, Support: v.profile().Support,
	}
	page.LoginText = v.policy.SignIn.Link.In(s.lang)
	if v.policy.Default {
		page.Profile = ""
	}
	if page.Lead == "" && (page.First || st.Terms) {
		page.Lead = s.text(map[bool]string{true: "signup.terms_lead", false: "signup.lead"}[st.Terms])
	}
	if st.Back.Do != "" {
		page.Back = s.or(st.Back.Text, "signup."+st.Back.Do)
	}
	for j, other := range v.profile().Steps {
		page.Steps = append(page.Steps, stepName{s.title(other), j < i, j == i})
	}
	for _, n := range st.Notes {
		page.Notes = append(page.Notes, n.In(s.lang))
	}
	if st.Terms {
		if err := s.showTerms(page); err != nil {
			return err
		}
	}
	for j, g := range st.Groups {
		shown := group{Legend: g.Legend.In(s.lang), Hint: g.Hint.In(s.lang)}
		if shown.Legend == "" && j == 0 {
			shown.Legend = s.title(st)
		}
		for _, field := range g.Fields {
			parts, err := s.parts(w, field)
			if err != nil {
				return err
			}
			shown.Parts = append(shown.Parts, parts...)
		}
		page.Groups = append(page.Groups, shown)
		page.Default = page.Default || slices.ContainsFunc(g.Fields, func(f policy.Field) bool { return f.Name == "captcha" })
	}
	return p.Site.Show(w, r, f.Status(), templates, "step", page)
}

func (s shower) title(st policy.Step) string {
	if st.Terms {
		return s.or(st.Title, "signup.step_terms")
	}
	return s.or(st.Title, "signup.step_person")
}

func (s shower) showTerms(page *stepPage) error {
	return s.p.DB.Read(s.r.Context(), func(tx *db.Tx) error {
		asked, err := terms.Asked(tx, s.v.profile())
		for i, c := range asked {
			page.Terms = append(page.Terms, shownTerms{c.ID, c.Title, c.Version, c.Blocks()})
			if c.Box != (policy.Text{}) {
				label := c.Box.In(s.lang)
				if !c.Must {
					label += " (" + s.text("frame.optional") + ")"
				}
				page.Boxes = append(page.Boxes, web.Check{ID: box(i), Name: box(i), Label: label, Error: s.problem(box(i)), Checked: s.f.Checked(box(i))})
			}
		}
		return err
	})
}

// look says how a known field is shown.
var look = map[string]web.Input{
	"title":           {Autocomplete: "honorific-prefix", Width: 20},
	"given_name":      {Autocomplete: "given-name", Width: 30},
	"family_name":     {Autocomplete: "family-name", Width: 30},
	"email":           {Type: "email", Autocomplete: "email", Inputmode: "email", Width: 40},
	"email_repeat":    {Type: "email", Autocomplete: "email", Inputmode: "email", Width: 40},
	"username":        {Autocomplete: "username", Width: 30},
	"password":        {Type: "password", Autocomplete: "new-password", Width: 30},
	"password_repeat": {Type: "password", Autocomplete: "new-password", Width: 30, Enterkeyhint: "next"},
	"captcha":         {Autocomplete: "off", Width: 10, Enterkeyhint: "done"},
}

func (s shower) input(field policy.Field, name, label string) web.Input {
	in := look[field.Name]
	if in.Type == "" {
		in.Type = "text"
	}
	in.ID, in.Name, in.Label, in.Hint = name, name, label, field.Hint.In(s.lang)
	in.Optional, in.Required, in.Error = field.Optional, !field.Optional, s.problem(name)
	if in.Type != "password" {
		in.Value = s.f.Values.Get(name)
	}
	return in
}

func (s shower) choice(field policy.Field, name, label, kind string, options ...web.Option) part {
	c := &web.Choice{ID: name, Name: name, Legend: label, Hint: field.Hint.In(s.lang), Error: s.problem(name), Kind: kind, Options: options, Optional: field.Optional, Inline: len(options) < 4}
	if chosen, given := s.f.Values[name]; given {
		for i := range c.Options {
			c.Options[i].Selected = chosen[0] == c.Options[i].Value
		}
	}
	return part{Choice: c}
}

func (s shower) yesNo() []web.Option {
	return []web.Option{{Value: "yes", Text: s.text("signup.yes")}, {Value: "no", Text: s.text("signup.no")}}
}

// parts shows a field of a profile.
func (s shower) parts(w http.ResponseWriter, field policy.Field) ([]part, error) {
	label := field.Label.In(s.lang)
	if label == "" {
		label = s.text("signup." + field.Name)
	}
	one := func(in web.Input) []part { return []part{{Input: &in}} }
	switch field.Kind {
	case "yesno":
		return []part{s.choice(field, field.Name, label, "radio", s.yesNo()...)}, nil
	case "year":
		in := s.input(field, field.Name, label)
		in.Inputmode, in.Width, in.Autocomplete = "numeric", 5, "off"
		return one(in), nil
	case "choice":
		options := []web.Option{{Text: s.text("signup.not_said")}}
		for _, o := range field.Options {
			options = append(options, web.Option{Value: o.Value, Text: o.Text.In(s.lang)})
		}
		return []part{s.choice(field, field.Name, label, "select", options...)}, nil
	}
	switch field.Name {
	case "salutation":
		return []part{s.choice(field, "salutation", label, "radio",
			web.Option{Value: "mr", Text: s.text("signup.salutation_mr")}, web.Option{Value: "ms", Text: s.text("signup.salutation_ms")},
			web.Option{Value: "", Text: s.text("signup.salutation_none"), Selected: true})}, nil
	case "language":
		return []part{s.choice(field, "language", label, "select",
			web.Option{Value: "", Text: s.text("signup.not_said")}, web.Option{Value: "de", Text: "Deutsch"}, web.Option{Value: "en", Text: "English"})}, nil
	case "further":
		m := &more{Label: label}
		for i := range account.MaxFurther {
			name := fmt.Sprintf("further_%d", i+1)
			in := s.input(policy.Field{Optional: true}, name, s.text("signup."+name))
			in.Type, in.Autocomplete, in.Inputmode, in.Width = "email", "off", "email", 40
			m.Open = m.Open || in.Value != "" || in.Error != ""
			m.Inputs = append(m.Inputs, in)
		}
		return []part{{More: m}}, nil
	case "registration_code":
		code := s.input(policy.Field{Name: "registration_code"}, "registration_code", s.text("signup.code_field"))
		code.Required, code.Hint, code.Autocomplete, code.Width = false, s.text("signup.code_field_hint"), "off", 20
		return []part{s.choice(field, "has_code", label, "radio", s.yesNo()...), {Input: &code}}, nil
	case "chamber":
		return s.chambers(field, label)
	case "captcha":
		return s.captcha(w, field)
	case "email":
		in := s.input(field, "email", label)
		if in.Hint == "" {
			in.Hint = s.text("signup.email_hint")
		}
		parts := one(in)
		if s.v.profile().Functional(strings.TrimSpace(in.Value)) && (in.Error != "" || s.f.Checked("functional")) {
			parts = append(parts, part{Check: &web.Check{ID: "functional", Name: "functional", Label: s.text("signup.functional"), Checked: s.f.Checked("functional")}})
		}
		return parts, nil
	case "username":
		in := s.input(field, "username", label)
		if in.Hint == "" {
			in.Hint = s.text("signup.username_hint")
		}
		return one(in), nil
	case "password", "password_repeat":
		in := s.input(field, field.Name, label)
		kept := s.v.draft.Password != ""
		in.Optional, in.Required = kept, !kept
		if field.Name == "password" {
			in.Hint = strings.TrimSpace(s.text(s.v.policy.Password.Hint()) + " " + field.Hint.In(s.lang))
			if kept {
				return append([]part{{Kept: true}}, one(in)...), nil
			}
		}
		return one(in), nil
	}
	return one(s.input(field, field.Name, label)), nil
}

// chambers is "meine IHK" (R191). Who came with a registration code has theirs.
func (s shower) chambers(field policy.Field, label string) ([]part, error) {
	options := []web.Option{{Text: s.text("signup.chamber_choose")}}
	err := s.p.DB.Read(s.r.Context(), func(tx *db.Tx) error {
		all, err := chamber.Current(tx)
		for _, c := range all {
			options = append(options, web.Option{Value: c.ID, Text: c.Name})
		}
		return err
	})
	return []part{s.choice(field, "chamber", label, "select", options...)}, err
}

// captcha makes a new question each time the page is shown: one that was
// answered is spent.
func (s shower) captcha(w http.ResponseWriter, field policy.Field) ([]part, error) {
	b := s.p.mark(w, s.r)
	var id string
	err := s.p.DB.Write(s.r.Context(), func(tx *db.Tx) (err error) { id, err = captcha.New(tx, b, web.Actor(s.r).IP); return err })
	if fault.Is(err, fault.KindLimited) {
		s.f.Take(err)
	} else if err != nil {
		return nil, err
	}
	h := w.Header()
	h.Set("Content-Security-Policy", h.Get("Content-Security-Policy")+"; media-src 'self'") // the sound
	in := s.input(field, "captcha", s.or(field.Label, "signup.captcha"))
	in.Hint, in.Value = s.text("signup.captcha_hint"), ""
	return []part{{Captcha: &shownCaptcha{ID: id, Input: in}}}, nil
}
