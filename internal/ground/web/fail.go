package web

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"

	"zunft/internal/ground/fault"
)

// Status is the only place where a fault becomes an HTTP status.
func Status(f *fault.Fault) int {
	switch f.Kind {
	case fault.KindInvalid:
		if f.Key() == "web.too_large" {
			return http.StatusRequestEntityTooLarge
		}
		return http.StatusUnprocessableEntity
	case fault.KindNotFound:
		return http.StatusNotFound
	case fault.KindForbidden:
		return http.StatusForbidden
	case fault.KindConflict:
		return http.StatusConflict
	case fault.KindLimited:
		return http.StatusTooManyRequests
	}
	return http.StatusInternalServerError
}

// refuse turns an address away that cannot be one of ours.
func (s *Site) refuse(w http.ResponseWriter, r *http.Request, status int) {
	r.URL.RawQuery = "" // it is not written into the page
	text := func(key string) string { return s.Catalog.Text(Lang(r), key) }
	page := &errorPage{Status: status, Heading: text("web.not_found_heading"), Texts: text("web.not_found")}
	if err := s.Show(w, r, status, errorTemplates, "error", page); err != nil {
		http.Error(w, http.StatusText(status), status)
	}
}

// errorPage is all that error.html may use.
type errorPage struct {
	Frame
	Status         int
	Heading, Texts string
}

// fail turns an error into a page.
func (s *Site) fail(w http.ResponseWriter, r *http.Request, err error) {
	_, network := errors.AsType[*net.OpError](err)
	if (network || errors.Is(err, context.Canceled)) && r.Context().Err() != nil {
		return // nobody is there to read it
	}
	if fault.Of(err) == nil && of(r).broken {
		err = fault.Invalid("", "web.form_unreadable")
	}
	page := &errorPage{Status: http.StatusInternalServerError}
	page.Heading, page.Texts = s.Catalog.Text(Lang(r), "web.defect_heading"), s.Catalog.Text(Lang(r), "web.defect", Actor(r).Request)
	if f := fault.Of(err); f != nil {
		page.Status = Status(f)
		page.Heading = s.Catalog.Text(Lang(r), headings[f.Kind])
		page.Texts = s.Catalog.Text(Lang(r), f.Key(), f.Problems[0].Args...)
		of(r).wait = f.Wait
	} else {
		slog.ErrorContext(r.Context(), "defect", "request", Actor(r).Request, "method", r.Method, "path", logged(r.URL.Path), "err", err)
		page.RequestNo = Actor(r).Request
	}
	if err := s.Show(w, r, page.Status, errorTemplates, "error", page); err != nil {
		slog.ErrorContext(r.Context(), "error page", "request", Actor(r).Request, "err", err)
		http.Error(w, "Vorgang "+Actor(r).Request, page.Status)
	}
}

// logged is a path as a log may keep it: links carry one-time secrets, and ids
// are shorter than those.
func logged(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if len(p) > 36 {
			parts[i] = "…"
		}
	}
	return strings.Join(parts, "/")
}

var headings = map[fault.Kind]string{
	fault.KindInvalid:   "web.invalid_heading",
	fault.KindNotFound:  "web.not_found_heading",
	fault.KindForbidden: "web.forbidden_heading",
	fault.KindConflict:  "web.conflict_heading",
	fault.KindLimited:   "web.limited_heading",
}
