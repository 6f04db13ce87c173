package browser

import (
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

//go:embed person.js
var person string

// answer is what person.js says.
type answer struct {
	Problem string  `json:"problem"`
	Text    string  `json:"text"`
	Kind    string  `json:"kind"`
	Done    bool    `json:"done"`
	Radio   bool    `json:"radio"`
	Leaves  bool    `json:"leaves"`
	X       float64 `json:"x"`
	Y       float64 `json:"y"`
}

// Open goes to an address and waits until the page is there.
func (b *Browser) Open(address string) {
	b.t.Helper()
	b.run("open "+address, chromedp.Navigate(address))
}

// Reload loads the page again, as F5 does.
func (b *Browser) Reload() {
	b.t.Helper()
	b.run("reload", chromedp.Reload())
}

// Back goes one page back.
func (b *Browser) Back() {
	b.t.Helper()
	var before *page.NavigationEntry
	b.run("go back", chromedp.ActionFunc(func(ctx context.Context) error {
		now, entries, err := page.GetNavigationHistory().Do(ctx)
		if err != nil || now == 0 {
			return cmp.Or(err, errors.New("there is no page before this one"))
		}
		before = entries[now-1]
		return page.NavigateToHistoryEntry(before.ID).Do(ctx)
	}))
	for deadline := time.Now().Add(patience); ; b.moment() { // no load event comes from the back-forward cache
		var there bool
		err := b.try(chromedp.Evaluate(`location.href === `+strconv.Quote(before.URL)+` && document.readyState === "complete"`, &there))
		if err == nil && there {
			return
		}
		if time.Now().After(deadline) {
			b.fail("go back", "the page did not come")
		}
	}
}

// In is the same window for somebody who looks only at the part of the page
// around a text: In("Anna Apfel").Press("Freigeben") in a list of requests.
func (b *Browser) In(text string) *Browser {
	part := *b
	part.scope = text
	return &part
}

// Fill types a value into the field with this label, in place of what is
// there; of a select it picks the option with this text.
func (b *Browser) Fill(label, value string) {
	b.t.Helper()
	what := fmt.Sprintf("fill “%s” with “%s”", label, value)
	switch b.ask(what, label, "fill").Kind {
	case "select":
		b.ask(what, label, "pick", value)
	case "set":
		b.ask(what, label, "set", value)
	default:
		b.run(what, chromedp.KeyEvent("\b"))
		if value != "" {
			b.run(what, input.InsertText(value))
		}
	}
}

// Choose ticks the box, radio button or option with this label.
func (b *Browser) Choose(label string) { b.t.Helper(); b.tick(label, true) }

// Unchoose takes the tick off the box with this label.
func (b *Browser) Unchoose(label string) { b.t.Helper(); b.tick(label, false) }

func (b *Browser) tick(label string, want bool) {
	b.t.Helper()
	what := fmt.Sprintf("choose “%s”", label)
	a := b.ask(what, label, "choose")
	if a.Done == want {
		return
	}
	b.click(what, a)
	if got := b.ask(what, label, "chosen").Done; got != want {
		b.fail(what, fmt.Sprintf("pressing it left it at %t", got))
	}
}

// Chosen says whether the box, radio button or option with this label is ticked.
func (b *Browser) Chosen(label string) bool {
	b.t.Helper()
	return b.ask(fmt.Sprintf("look at “%s”", label), label, "chosen").Done
}

// Press presses the button with this text; if it sends a form, the next page is waited for.
func (b *Browser) Press(text string) {
	b.t.Helper()
	b.proceed(fmt.Sprintf("press “%s”", text), text, "button")
}

// Follow follows the link with this text and waits for the page.
func (b *Browser) Follow(text string) {
	b.t.Helper()
	b.proceed(fmt.Sprintf("follow “%s”", text), text, "link")
}

func (b *Browser) proceed(what, text, verb string) {
	b.t.Helper()
	b.seen.Lock()
	blocked := len(b.seen.blocked)
	b.seen.Unlock()
	a := b.ask(what, text, verb)
	b.click(what, a)
	if !a.Leaves {
		return
	}
	for deadline := time.Now().Add(patience); ; b.moment() {
		if here, err := b.look("", "arrived"); err == nil && here.Done {
			return
		}
		b.seen.Lock()
		stopped := b.seen.blocked[blocked:]
		b.seen.Unlock()
		if len(stopped) > 0 {
			b.fail(what, "the content security policy blocks it: "+stopped[0])
		}
		if time.Now().After(deadline) {
			b.fail(what, "no next page came")
		}
	}
}

// Upload puts files into the file field with this label.
func (b *Browser) Upload(label string, paths ...string) {
	b.t.Helper()
	for i, p := range paths {
		absolute, err := filepath.Abs(p)
		if err != nil {
			b.t.Fatal(err)
		}
		paths[i] = absolute
	}
	b.run(fmt.Sprintf("upload to “%s”", label), chromedp.ActionFunc(func(ctx context.Context) error {
		field, problem, err := runtime.Evaluate(b.call(label, "file")).Do(ctx)
		if err == nil && problem != nil {
			err = problem
		}
		if err != nil {
			return err
		}
		return dom.SetFileInputFiles(paths).WithObjectID(field.ObjectID).Do(ctx)
	}))
}

// Download fetches what the link with this text leads to, with this window's
// cookies, as "save link as" does.
func (b *Browser) Download(text string) (header http.Header, content []byte) {
	b.t.Helper()
	address := b.Address(text)
	request, err := http.NewRequestWithContext(b.ctx, http.MethodGet, address, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	b.run("read the cookies", chromedp.ActionFunc(func(ctx context.Context) error {
		cookies, err := network.GetCookies().WithURLs([]string{address}).Do(ctx)
		for _, c := range cookies {
			request.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
		}
		return err
	}))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		b.t.Fatalf("download %s: %v", address, err)
	}
	defer response.Body.Close()
	content, err = io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		b.t.Fatalf("download %s: %s %v", address, response.Status, err)
	}
	return response.Header, content
}

// Address is where the link with this text leads.
func (b *Browser) Address(text string) string {
	b.t.Helper()
	return b.ask(fmt.Sprintf("read the link “%s”", text), text, "address").Text
}

// Value is what stands in the field with this label.
func (b *Browser) Value(label string) string {
	b.t.Helper()
	return b.ask(fmt.Sprintf("read “%s”", label), label, "value").Text
}

// Top is how far below the page's beginning the field with this label stands,
// in pixels.
func (b *Browser) Top(label string) int {
	b.t.Helper()
	return int(b.ask(fmt.Sprintf("find “%s”", label), label, "top").Y)
}

// Described is what the page says about the field with this label: hint and error.
func (b *Browser) Described(label string) string {
	b.t.Helper()
	return b.ask(fmt.Sprintf("read what is said about “%s”", label), label, "described").Text
}

// Focused is the name or text of what has the focus.
func (b *Browser) Focused() string {
	b.t.Helper()
	return b.ask("look for the focus", "", "focus").Text
}

// Key presses a key: "Tab", "Enter", "Space" or a character.
func (b *Browser) Key(name string) {
	b.t.Helper()
	keys := map[string]string{"Tab": "\t", "Enter": "\r", "Space": " "}
	if k, ok := keys[name]; ok {
		name = k
	}
	b.run("press a key", chromedp.KeyEvent(name))
}

// Authenticator gives this window a device that knows passkeys and whose owner
// is there and says yes (scripts must be on). Such an owner takes at once what a
// page offers in a field; offers(false) makes it a browser that does not show
// such offers, from the next page on.
func (b *Browser) Authenticator() (offers func(shown bool)) {
	b.t.Helper()
	b.run("plug in an authenticator", webauthn.Enable(), chromedp.ActionFunc(func(ctx context.Context) error {
		_, err := webauthn.AddVirtualAuthenticator(&webauthn.VirtualAuthenticatorOptions{
			Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
			HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
		}).Do(ctx)
		return err
	}))
	var hide page.ScriptIdentifier
	return func(shown bool) {
		b.t.Helper()
		if shown {
			b.run("show offers", page.RemoveScriptToEvaluateOnNewDocument(hide))
			return
		}
		b.run("hide offers", chromedp.ActionFunc(func(ctx context.Context) (err error) {
			hide, err = page.AddScriptToEvaluateOnNewDocument(`PublicKeyCredential.isConditionalMediationAvailable = async () => false`).Do(ctx)
			return err
		}))
	}
}

// Text is all the page shows.
func (b *Browser) Text() string { b.t.Helper(); return b.ask("read the page", "", "text").Text }

// Title is the page's title.
func (b *Browser) Title() (title string) {
	b.t.Helper()
	b.run("read the title", chromedp.Title(&title))
	return title
}

// URL is the page's address.
func (b *Browser) URL() (address string) {
	b.t.Helper()
	b.run("read the address", chromedp.Location(&address))
	return address
}

// Status is the HTTP status the page came with.
func (b *Browser) Status() int {
	b.seen.Lock()
	defer b.seen.Unlock()
	return b.seen.status
}

// Cookies are the names of the cookies the page's address gets.
func (b *Browser) Cookies() (names []string) {
	b.t.Helper()
	b.run("read the cookies", chromedp.ActionFunc(func(ctx context.Context) error {
		cookies, err := network.GetCookies().Do(ctx)
		for _, c := range cookies {
			names = append(names, c.Name)
		}
		return err
	}))
	return names
}

// Has says whether the page shows the text now.
func (b *Browser) Has(text string) bool {
	b.t.Helper()
	return b.ask("read the page", text, "has").Done
}

// HasText waits up to ten seconds until the page shows the text.
func (b *Browser) HasText(text string) {
	b.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; b.moment() {
		if a, err := b.look(text, "has"); err == nil && a.Done {
			return
		}
		if time.Now().After(deadline) {
			b.fail("read the page", fmt.Sprintf("it does not say “%s”", text))
		}
	}
}

// LacksText fails if the page shows the text.
func (b *Browser) LacksText(text string) {
	b.t.Helper()
	if b.Has(text) {
		b.fail("read the page", fmt.Sprintf("it says “%s”", text))
	}
}

func (b *Browser) click(what string, at answer) {
	b.t.Helper()
	mouse := func(t input.MouseType) *input.DispatchMouseEventParams {
		return input.DispatchMouseEvent(t, at.X, at.Y).WithButton(input.Left).WithClickCount(1)
	}
	b.run(what, input.DispatchMouseEvent(input.MouseMoved, at.X, at.Y), mouse(input.MousePressed), mouse(input.MouseReleased))
}

// ask runs a verb of person.js; a problem fails the test.
func (b *Browser) ask(what, text string, verb ...string) answer {
	b.t.Helper()
	a, err := b.look(text, verb...)
	if err != nil {
		b.fail(what, err.Error())
	}
	if a.Problem != "" {
		b.fail(what, a.Problem)
	}
	return a
}

func (b *Browser) look(text string, verb ...string) (a answer, err error) {
	err = b.try(chromedp.Evaluate(b.call(text, verb...), &a))
	return a, err
}

func (b *Browser) call(text string, verb ...string) string {
	arguments, _ := json.Marshal([]any{verb, text, b.scope})
	return strings.TrimSpace(person) + "(..." + string(arguments) + ")"
}

// fail ends the test with what the page shows, so that the log tells the story.
func (b *Browser) fail(what, problem string) {
	b.t.Helper()
	shown, _ := b.look("", "text")
	var address string
	b.try(chromedp.Location(&address))
	lines := strings.FieldsFunc(shown.Text, func(r rune) bool { return r == '\n' })
	if len(lines) > 60 {
		lines = append(lines[:60], "…")
	}
	b.t.Fatalf("%s: %s\nThe page %s (%d) shows:\n  %s", what, problem, address, b.Status(), strings.Join(lines, "\n  "))
}

// moment lets the browser work before we look again.
func (b *Browser) moment() { time.Sleep(15 * time.Millisecond) }
