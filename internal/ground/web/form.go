package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"zunft/internal/ground/fault"
)

// A Form is what was typed and what is wrong with it. A page that comes back
// shows both.
type Form struct {
	Values   url.Values
	Problems []fault.Problem
	status   int
	request  *request // where it came from
}

// NewForm is a form with values to start from, given as name, value, name, value …
func NewForm(pairs ...string) *Form {
	f := &Form{Values: url.Values{}}
	for i := 0; i+1 < len(pairs); i += 2 {
		f.Values.Set(pairs[i], pairs[i+1])
	}
	return f
}

// ReadForm takes the posted form; a body of another kind is an empty one.
func ReadForm(r *http.Request) *Form {
	f := &Form{Values: r.PostForm, request: of(r)}
	if f.Values == nil {
		f.Values = url.Values{}
	}
	return f
}

// ReadQuery takes the form of a GET (search and filters).
func ReadQuery(r *http.Request) *Form { return &Form{Values: r.URL.Query()} }

// Text is a one-line value: NFC, trimmed, without control characters, inner
// blanks single.
func (f *Form) Text(name string) string {
	return strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\t' && r != '\n' && r != '\r' || r == unicode.ReplacementChar || unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, norm.NFC.String(strings.ToValidUTF8(f.Values.Get(name), "")))), " ")
}

// Lines is a value of several lines: NFC, trimmed, line ends "\n", no other
// control characters.
func (f *Form) Lines(name string) string {
	v := norm.NFC.String(strings.ToValidUTF8(f.Values.Get(name), ""))
	v = strings.ReplaceAll(strings.ReplaceAll(v, "\r\n", "\n"), "\r", "\n")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' || unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, v))
}

// Number is a whole number of up to nine digits, or 0: a version, a page.
func (f *Form) Number(name string) int {
	n, err := strconv.ParseInt(f.Text(name), 10, 32)
	if err != nil || n < 0 || n > 999_999_999 {
		return 0
	}
	return int(n)
}

// Raw is the value as it came, for passwords.
func (f *Form) Raw(name string) string { return f.Values.Get(name) }

// Checked reports whether a checkbox was ticked.
func (f *Form) Checked(name string) bool { return f.Values.Get(name) != "" }

// All are the values of a field that may come several times.
func (f *Form) All(name string) []string { return f.Values[name] }

// Add notes a problem.
func (f *Form) Add(field, key string, args ...any) {
	f.Problems = append(f.Problems, fault.Problem{Field: field, Key: key, Args: args})
}

// OK reports whether nothing is wrong so far.
func (f *Form) OK() bool { return len(f.Problems) == 0 }

// Take keeps the problems of a fault that a person mends on this page
// (invalid, conflict, limited) and reports whether err was one.
func (f *Form) Take(err error) bool {
	ft := fault.Of(err)
	if ft == nil || ft.Kind == fault.KindNotFound || ft.Kind == fault.KindForbidden {
		return false
	}
	f.Problems = append(f.Problems, ft.Problems...)
	if f.status == http.StatusTooManyRequests { // whatever else is wrong, waiting comes first
		return true
	}
	f.status = Status(ft)
	if f.request != nil {
		f.request.wait = ft.Wait
	}
	return true
}

// Status is 200 without problems, else what the fault says (422, 409, 429).
func (f *Form) Status() int {
	switch {
	case f == nil || f.OK():
		return http.StatusOK
	case f.status != 0:
		return f.status
	}
	return http.StatusUnprocessableEntity
}

// heading of the summary: fields to mend, or something that stands in the way
// whatever is typed.
func (f *Form) heading() string {
	for _, p := range f.Problems {
		if p.Field != "" {
			return "web.summary_heading"
		}
	}
	switch f.status {
	case http.StatusConflict:
		return "web.conflict_summary"
	case http.StatusTooManyRequests:
		return "web.limited_heading"
	}
	return "web.summary_heading"
}

// problem is the first complaint about a field.
func (f *Form) problem(field string) *fault.Problem {
	for i := range f.Problems {
		if f.Problems[i].Field == field {
			return &f.Problems[i]
		}
	}
	return nil
}
