package outside

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	gomail "github.com/wneessen/go-mail"
)

// On a phone nothing scrolls sideways, however long the words that others sent.
func TestPagesFitAPhone(t *testing.T) {
	need(t, "chromium")
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

	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath("chromium"), chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()))
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	ctx, stop = chromedp.NewExecAllocator(ctx, options...)
	defer stop()
	ctx, stop = chromedp.NewContext(ctx)
	defer stop()
	for _, path := range []string{"/", "/mail", "/mail/1", "/mail/9", "/letters", "/letters/1"} {
		for _, width := range []int64{320, 360, 1280} {
			var have int64
			var picture []byte
			steps := []chromedp.Action{
				chromedp.EmulateViewport(width, 800), chromedp.Navigate(server.URL + path),
				chromedp.Evaluate(`document.documentElement.scrollWidth`, &have),
			}
			dir := os.Getenv("ZUNFT_PICTURES") // to look at the pages by eye
			if dir != "" {
				steps = append(steps, chromedp.FullScreenshot(&picture, 100))
			}
			if err := chromedp.Run(ctx, steps...); err != nil {
				t.Fatal(err)
			}
			if have > width {
				t.Errorf("%s at %d px is %d px wide", path, width, have)
			}
			if dir != "" {
				name := dir + "/" + strings.ReplaceAll(strings.Trim(path, "/")+"-", "/", "-") + map[int64]string{320: "320", 360: "360", 1280: "1280"}[width] + ".png"
				if err := os.WriteFile(name, picture, 0o600); err != nil {
					t.Error(err)
				}
			}
		}
	}
}
