// Package fault holds the few kinds of failure that a person may read.
//
// Any other error is a defect: it is logged with its request number, and the
// person reads only that something went wrong. A fault carries phrase keys,
// never sentences, so rules speak no language; the edge translates.
package fault

import (
	"errors"
	"strings"
	"time"
)

// Kind says what a person can do about a fault.
type Kind int

const (
	KindInvalid   Kind = iota + 1 // the form must be filled in differently
	KindNotFound                  // there is no such thing, or not for you
	KindForbidden                 // you may not do this
	KindConflict                  // it was possible when the page was shown, and is no more
	KindLimited                   // too often; try again after Wait (decision 0002)
)

// A Problem is one complaint about one form field; Field is empty when it
// concerns the whole form.
type Problem struct {
	Field string
	Key   string
	Args  []any
}

// A Fault is an error with one or more problems of one kind.
type Fault struct {
	Kind     Kind
	Problems []Problem
	Wait     time.Duration // KindLimited only: how long until it may work
}

func (f *Fault) Error() string {
	var b strings.Builder
	for i, p := range f.Problems {
		if i > 0 {
			b.WriteString("; ")
		}
		if p.Field != "" {
			b.WriteString(p.Field + ": ")
		}
		b.WriteString(p.Key)
	}
	return b.String()
}

// Key is the first problem's phrase key.
func (f *Fault) Key() string { return f.Problems[0].Key }

func one(kind Kind, field, key string, args []any) error {
	return &Fault{Kind: kind, Problems: []Problem{{field, key, args}}}
}

// Invalid: the value of field must be another one.
func Invalid(field, key string, args ...any) error { return one(KindInvalid, field, key, args) }

// NotFound: there is no such thing, or not for this person. The two are never told apart.
func NotFound() error { return one(KindNotFound, "", "web.not_found", nil) }

// Forbidden: the person may not do this.
func Forbidden() error { return one(KindForbidden, "", "web.forbidden", nil) }

// Conflict: somebody or something was quicker.
func Conflict(key string, args ...any) error { return one(KindConflict, "", key, args) }

// Limited: too many tries; wait says for how long.
func Limited(key string, wait time.Duration, args ...any) error {
	return &Fault{Kind: KindLimited, Problems: []Problem{{"", key, args}}, Wait: wait}
}

// Of returns the fault in err, or nil if err is a defect or nil.
func Of(err error) *Fault {
	f, _ := errors.AsType[*Fault](err)
	return f
}

// Is reports whether err is a fault of the given kind.
func Is(err error, kind Kind) bool {
	f := Of(err)
	return f != nil && f.Kind == kind
}

// Problems collects what is wrong with a form, so that a person reads all of
// it at once.
type Problems []Problem

// Add notes one problem.
func (p *Problems) Add(field, key string, args ...any) { *p = append(*p, Problem{field, key, args}) }

// Err is nil if nothing was noted.
func (p Problems) Err() error {
	if len(p) == 0 {
		return nil
	}
	return &Fault{Kind: KindInvalid, Problems: p}
}
