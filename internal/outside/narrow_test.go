package outside

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	gomail "github.com/wneessen/go-mail"

	"zunft/internal/ground/browser"
)

// On a phone nothing scrolls sideways, however long the words that others sent.
func TestPagesFitAPhone(t *testing.T) {
	box, addr := openMailbox(t, "")
	long := strings.Repeat("Donaudampfschifffahrt", 12)
	send(t, addr, func(m *gomail.Msg) {
		m.Subject(long)
		m.SetBodyString(gomail.TypeTextPlain, "https://id.example/"+long+"\n"+long)
	})
	if _, err := box.Wait(soon(t), "", 1); err != nil {
		t.Fatal(err)
	}
	shop := NewPrintShop("geheim", "")
	post(t, shop.Handler(), "geheim", "application/pdf", strings.NewReader(onePage(long)), func(h http.Header) { h.Set("X-Batch", long) })
	mux := http.NewServeMux()
	mux.Handle("/mail", box.Handler())
	mux.Handle("/mail/", box.Handler())
	mux.Handle("/letters", shop.Handler())
	mux.Handle("/letters/", shop.Handler())
	mux.Handle("/", demo().Handler())
	server := httptest.NewServer(mux)
	defer server.Close()

	b := browser.New(t, browser.Options{})
	for _, path := range []string{"/", "/mail", "/mail/1", "/mail/9", "/letters", "/letters/1"} {
		b.Open(server.URL + path)
		for _, width := range []int{320, 360, 1280} {
			if b.Overflow(width) {
				t.Errorf("%s scrolls sideways at %d px", path, width)
			}
		}
	}
}
