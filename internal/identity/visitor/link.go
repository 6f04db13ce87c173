package visitor

import (
	"net/http"

	"zunft/internal/ground/web"
	"zunft/internal/identity/link"
)

// LinkStatus is the status of the page behind a link of a mail: a link that
// opens nothing any more is gone, one that never was is not found. What the
// form says goes first; f may be nil.
func LinkStatus(f *web.Form, s link.State) int {
	switch {
	case f.Status() != http.StatusOK || s == link.Open:
		return f.Status()
	case s == link.Unknown:
		return http.StatusNotFound
	}
	return http.StatusGone
}
