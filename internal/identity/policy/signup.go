package policy

import (
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"zunft/internal/ground/fault"
)

// SignUp is a sign-up profile: what is asked, in which steps, what must be
// accepted, and what is said afterwards (glossary: Registrierungsprofil).
// Texts that are left out are those of the pages.
type SignUp struct {
	Heading Text `json:"heading,omitzero"` // "Registrierung"
	// Link is what leads here from the sign-in (R240).
	Link Text `json:"link,omitzero"`
	// Offered: the start page and the sign-in lead here, although another
	// policy is the default. Who is not led has the address from the chamber.
	Offered bool `json:"offered,omitempty"`
	// Steps in their order; each is a page. None: the profile of the standard.
	Steps []Step `json:"steps"`
	// Terms that are accepted in the step that shows them.
	Terms []TermsRef `json:"terms,omitempty"`
	// MailDomains that are accepted; empty: all (R243).
	MailDomains []string `json:"mail_domains,omitempty"`
	// Personal: function mailboxes (info@) are answered with a warning (R189).
	Personal bool `json:"personal_mail,omitempty"`
	// Sent is the page after sending: it waits for the confirmation (S04, S34).
	Sent Sent `json:"sent,omitzero"`
	// After is what to do next, on the page after the confirmation (R058, R059).
	After []Text `json:"after,omitempty"`
	// Support is an address for questions (R259).
	Support string `json:"support,omitempty"`
}

// A Step is one page of the sign-up.
type Step struct {
	Key    string  `json:"key,omitempty"` // end of its address; the first has none: /register, /register/terms
	Title  Text    `json:"title,omitzero"`
	Lead   Text    `json:"lead,omitzero"`
	Notes  []Text  `json:"notes,omitempty"`
	Groups []Group `json:"groups,omitempty"`
	Terms  bool    `json:"terms,omitempty"` // shows the terms; the last step does
	Next   Text    `json:"next,omitzero"`   // the button that goes on
	Back   Back    `json:"back,omitzero"`
}

// Back is the second button of a step.
type Back struct {
	Do   string `json:"do"` // "back" keeps what was typed, "cancel" forgets it, empty: no such button
	Text Text   `json:"text,omitzero"`
}

// A Group of fields under one heading.
type Group struct {
	Legend Text    `json:"legend,omitzero"`
	Hint   Text    `json:"hint,omitzero"`
	Fields []Field `json:"fields"`
}

// A Field is one of the known ones, by its name, or a question of the
// profile's own, which says its kind.
type Field struct {
	Name     string   `json:"name"`
	Label    Text     `json:"label,omitzero"`
	Hint     Text     `json:"hint,omitzero"`
	Optional bool     `json:"optional,omitempty"`
	Kind     string   `json:"kind,omitempty"` // "yesno", "year", "choice"; empty for known names
	Options  []Option `json:"options,omitempty"`
}

// Option of a choice.
type Option struct {
	Value string `json:"value"`
	Text  Text   `json:"text"`
}

// TermsRef says which text must or may be accepted.
type TermsRef struct {
	Kind     string `json:"kind"`
	Required bool   `json:"required"`
	// Box is the text of the checkbox, never ticked beforehand (R250). Without
	// one the text is only shown.
	Box Text `json:"box,omitzero"`
}

// Sent says what the page after sending reads.
type Sent struct {
	Heading Text   `json:"heading,omitzero"`
	Lead    []Text `json:"lead,omitempty"`
	Button  Text   `json:"button,omitzero"`
	Target  string `json:"target,omitempty"` // a path of ours or an https address
}

// known fields and the accounts' columns or rules behind them.
var known = []string{
	"salutation", "title", "given_name", "family_name", "email", "email_repeat", "further", "username", "password", "password_repeat",
	"chamber", "language", "registration_code", "captcha",
}

// Known reports whether a field is one that every profile may ask.
func (f Field) Known() bool { return f.Kind == "" }

// Asks reports whether any step has the field.
func (s SignUp) Asks(name string) bool { return s.StepOf(name) >= 0 }

// StepOf is the step that has a field, or -1.
func (s SignUp) StepOf(name string) int {
	for i, step := range s.Steps {
		if _, ok := step.Field(name); ok {
			return i
		}
	}
	return -1
}

// StepAt is the step with a key, or -1.
func (s SignUp) StepAt(key string) int {
	return slices.IndexFunc(s.Steps, func(st Step) bool { return st.Key == key })
}

// Field of a step, by name. further_2 belongs to further.
func (st Step) Field(name string) (Field, bool) {
	if strings.HasPrefix(name, "further_") {
		name = "further"
	}
	for _, g := range st.Groups {
		for _, f := range g.Fields {
			if f.Name == name {
				return f, true
			}
		}
	}
	return Field{}, false
}

// Fields of a step in their order.
func (st Step) Fields() (all []Field) {
	for _, g := range st.Groups {
		all = append(all, g.Fields...)
	}
	return all
}

// Answers checks what was answered to a step's own questions and returns what
// of it is kept.
func (st Step) Answers(values url.Values, now time.Time) (map[string]string, error) {
	var p fault.Problems
	kept := map[string]string{}
	for _, f := range st.Fields() {
		if f.Known() {
			continue
		}
		v := strings.TrimSpace(values.Get(f.Name))
		if v == "" {
			if !f.Optional {
				p.Add(f.Name, "policy.answer_missing")
			}
			continue
		}
		if !f.takes(v, now) {
			if f.Kind == "year" {
				p.Add(f.Name, "policy.answer_year", strconv.Itoa(now.Year()-oldest), strconv.Itoa(now.Year()))
			} else {
				p.Add(f.Name, "policy.answer_choice")
			}
			continue
		}
		kept[f.Name] = v
	}
	return kept, p.Err()
}

const oldest = 120 // years

func (f Field) takes(v string, now time.Time) bool {
	switch f.Kind {
	case "yesno":
		return v == "yes" || v == "no"
	case "year":
		n, err := strconv.Atoi(v)
		return err == nil && len(v) == 4 && n >= now.Year()-oldest && n <= now.Year()
	}
	return slices.ContainsFunc(f.Options, func(o Option) bool { return o.Value == v })
}

// MailAllowed says whether an address may sign up (R243).
func (s SignUp) MailAllowed(address string) error {
	_, domain, _ := strings.Cut(address, "@")
	if len(s.MailDomains) == 0 || slices.ContainsFunc(s.MailDomains, func(d string) bool { return strings.EqualFold(d, domain) }) {
		return nil
	}
	return fault.Invalid("email", "policy.mail_domain", "@"+strings.Join(s.MailDomains, ", @"))
}

// functions are mailboxes that several people read (RFC 2142 and German habits).
var functions = []string{
	"info", "kontakt", "contact", "office", "buero", "büro", "mail", "post", "service", "support", "hallo", "hello", "team", "verwaltung", "sekretariat",
	"personal", "ausbildung", "bewerbung", "buchhaltung", "rechnung", "vertrieb", "zentrale", "empfang", "admin", "administration", "webmaster", "postmaster",
	"hostmaster", "abuse", "noreply", "no-reply", "marketing", "sales", "hr",
}

// Functional reports whether an address looks like one that several people
// read, where the profile wants a personal one (R189).
func (s SignUp) Functional(address string) bool {
	local, _, _ := strings.Cut(strings.ToLower(address), "@")
	return s.Personal && slices.Contains(functions, local)
}

var (
	stepKey   = regexp.MustCompile(`^[a-z][a-z-]{1,30}$`)
	fieldName = regexp.MustCompile(`^[a-z][a-z_]{1,40}$`)
	domain    = regexp.MustCompile(`^[a-z0-9äöüß.-]+\.[a-zäöüß-]{2,}$`)
	pages     = []string{"verify", "done", "captcha"}                                            // below /register, and no steps
	own       = []string{"do", "profile", "next", "terms", "accept", "functional", "captcha_id"} // fields of the form itself
)

// check says what is wrong with a profile: whoever writes one by hand learns
// it before anybody signs up with it.
func (s SignUp) check() error {
	bad := func(what string) error { return fault.Invalid("policy", "policy.unknown", "sign_up."+what) }
	if len(s.Steps) == 0 {
		return bad("steps: none")
	}
	var names, keys []string
	for i, st := range s.Steps {
		if (i == 0) != (st.Key == "") || i > 0 && !stepKey.MatchString(st.Key) || slices.Contains(keys, st.Key) || slices.Contains(pages, st.Key) {
			return bad("steps.key: " + st.Key)
		}
		keys = append(keys, st.Key)
		if st.Terms != (i == len(s.Steps)-1 && len(s.Terms) > 0) {
			return bad("steps.terms: the last step shows the terms")
		}
		if st.Back.Do != "" && st.Back.Do != "cancel" && (st.Back.Do != "back" || i == 0) {
			return bad("steps.back: " + st.Back.Do)
		}
		for _, f := range st.Fields() {
			if slices.Contains(names, f.Name) || slices.Contains(own, f.Name) || !f.valid() {
				return bad("field " + f.Name)
			}
			names = append(names, f.Name)
		}
	}
	for _, need := range []string{"given_name", "family_name", "email", "password"} {
		if f, _ := s.Steps[max(0, s.StepOf(need))].Field(need); f.Name == "" || f.Optional {
			return bad("field " + need + " is needed")
		}
	}
	if s.Asks("captcha") && s.StepOf("captcha") != len(s.Steps)-1 {
		return bad("field captcha: it belongs to the last step")
	}
	for _, t := range s.Terms {
		if t.Kind == "" || t.Required && t.Box == (Text{}) {
			return bad("terms: " + t.Kind)
		}
	}
	for _, d := range s.MailDomains {
		if !domain.MatchString(strings.ToLower(d)) {
			return bad("mail_domains: " + d)
		}
	}
	if s.Support != "" {
		if a, err := mail.ParseAddress(s.Support); err != nil || a.Address != s.Support {
			return bad("support: " + s.Support)
		}
	}
	if t := s.Sent.Target; t != "" {
		if u, err := url.Parse(t); err != nil || u.Scheme != "https" && (u.Scheme != "" || !strings.HasPrefix(t, "/") || strings.HasPrefix(t, "//")) {
			return bad("sent.target: " + t)
		}
	}
	return nil
}

func (f Field) valid() bool {
	switch f.Kind {
	case "":
		return slices.Contains(known, f.Name)
	case "yesno", "year":
		return fieldName.MatchString(f.Name) && !slices.Contains(known, f.Name) && f.Label.De != "" && len(f.Options) == 0
	case "choice":
		return fieldName.MatchString(f.Name) && !slices.Contains(known, f.Name) && f.Label.De != "" && len(f.Options) > 1
	}
	return false
}
