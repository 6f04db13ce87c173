package web

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
)

// A file comes in pieces; what fails before the first is a page's matter, what
// fails later breaks the answer off.
func TestSend(t *testing.T) {
	pieces := []string{"ab", "cd"}
	at := func(breaks int) func(int) ([]byte, error) {
		return func(n int) ([]byte, error) {
			switch {
			case n == breaks:
				return nil, errors.New("broken")
			case n < len(pieces):
				return []byte(pieces[n]), nil
			}
			return nil, nil
		}
	}
	w := httptest.NewRecorder()
	if err := Send(w, "Prüfung 1.pdf", "application/pdf", 4, at(-1)); err != nil || w.Body.String() != "abcd" {
		t.Error(err, w.Body)
	}
	if got := w.Header().Get("Content-Disposition"); got != `attachment; filename="Pr_fung 1.pdf"; filename*=UTF-8''Pr%C3%BCfung%201.pdf` {
		t.Error(got)
	}
	w = httptest.NewRecorder()
	if err := Send(w, "x", "application/pdf", 4, at(0)); err == nil || len(w.Header()) > 0 {
		t.Error("a page can still be shown:", err, w.Header())
	}
	defer func() {
		if r := recover(); r != http.ErrAbortHandler {
			t.Error("the answer went on:", r)
		}
	}()
	Send(httptest.NewRecorder(), "x", "application/pdf", 4, at(1))
}
