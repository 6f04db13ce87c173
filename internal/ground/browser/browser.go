// Package browser lets a test use a page as a person does: open, fill in by
// the visible label, press a button by its text, read.
//
//	b := browser.New(t, browser.Options{})
//	b.Open(address + "/login")
//	b.Fill("Benutzername", "anna")
//	b.Fill("Passwort", "…")
//	b.Press("Anmelden")
//	b.HasText("Willkommen, Anna")
//
// The browser is Debian's Chromium, best as its headless shell: the same engine
// without the surface around the page, which costs half of every page and nine
// tenths of every window (CPU). Scripts of pages are
// switched off unless a test asks for them (R304–R306); our own looking around
// runs through the debugging protocol, which they cannot see. All tests of a
// process share one browser process; each has a profile of its own, so cookies
// never meet. The network ends at this machine.
//
// What a person could not do fails the test: pressing a covered button, sending
// a form the browser refuses, typing more than a field takes. So does anything
// the content security policy blocks. Without Chromium a test skips; with
// CI=true that is a failure.
package browser

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// Options say how this person's browser differs from the usual one.
type Options struct {
	Scripts  bool   // let pages run scripts
	Width    int    // of the window; 1280 unless told
	Dark     bool   // prefers-color-scheme: dark
	Language string // Accept-Language; "de-DE,de" unless told
	Blocked  bool   // what the content security policy blocks is no failure
}

// A Browser is one person's window with cookies of its own.
type Browser struct {
	t       testing.TB
	ctx     context.Context
	options Options
	scope   string // see In
	seen    *seen
	now     *view
}

// A view is how the window stands now: what is so already is not asked for
// again, since each time lays out the page anew.
type view struct {
	width  int
	scheme string
}

// seen is what the browser reported on its own.
type seen struct {
	sync.Mutex
	status  int      // of the last document
	blocked []string // by the content security policy
}

// patience is how long a page may take on a busy machine.
const patience = 30 * time.Second

// New opens a window that closes when the test ends.
func New(t testing.TB, options Options) *Browser {
	t.Helper()
	started.Do(start)
	switch {
	case missing != "":
		unavailable(t, missing)
	case notStarted != nil:
		t.Fatalf("start the browser: %v", notStarted)
	}
	if options.Width == 0 {
		options.Width = 1280
	}
	if options.Language == "" {
		options.Language = "de-DE,de"
	}
	profile, window, err := newWindow()
	if err != nil {
		t.Fatalf("open a window: %v", err)
	}
	ctx, cancel := chromedp.NewContext(process, chromedp.WithTargetID(window))
	b := &Browser{t: t, ctx: ctx, options: options, seen: &seen{}, now: &view{}}
	t.Cleanup(func() {
		b.seen.Lock()
		blocked := b.seen.blocked
		b.seen.Unlock()
		cancel()
		if err := inProcess(target.DisposeBrowserContext(profile).Do); err != nil {
			t.Errorf("close the window: %v", err)
		}
		if len(blocked) > 0 && !options.Blocked {
			t.Errorf("the content security policy blocked something:\n%s", strings.Join(blocked, "\n"))
		}
	})
	chromedp.ListenTarget(ctx, b.listen)
	if err := chromedp.Run(ctx); err != nil { // the first Run attaches for as long as its context lives: no timeout here
		t.Fatalf("open a window: %v", err)
	}
	b.run("open a window",
		emulation.SetFocusEmulationEnabled(true),
		emulation.SetScriptExecutionDisabled(!options.Scripts),
		emulation.SetUserAgentOverride(userAgent).WithAcceptLanguage(options.Language),
		b.window(options.Width, options.Dark),
	)
	return b
}

// newWindow makes a profile without cookies and a window in it. (chromedp's own
// way asks for a tab, which a Chromium whose profile has no window yet refuses.)
func newWindow() (profile cdp.BrowserContextID, window target.ID, err error) {
	err = inProcess(func(ctx context.Context) (err error) {
		if profile, err = target.CreateBrowserContext().Do(ctx); err != nil {
			return err
		}
		window, err = target.CreateTarget("about:blank").WithBrowserContextID(profile).WithNewWindow(true).Do(ctx)
		return err
	})
	return profile, window, err
}

// inProcess talks to the browser as a whole instead of a window.
func inProcess(f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(process, patience)
	defer cancel()
	return f(cdp.WithExecutor(ctx, chromedp.FromContext(process).Browser))
}

func (b *Browser) window(width int, dark bool) chromedp.Action {
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	return chromedp.ActionFunc(func(ctx context.Context) error {
		if b.now.width != width {
			if err := emulation.SetDeviceMetricsOverride(int64(width), 800, 1, false).Do(ctx); err != nil {
				return err
			}
			b.now.width = width
		}
		if b.now.scheme == scheme {
			return nil
		}
		b.now.scheme = scheme
		return emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme},
			{Name: "prefers-reduced-motion", Value: "reduce"},
		}).Do(ctx)
	})
}

func (b *Browser) listen(event any) {
	b.seen.Lock()
	defer b.seen.Unlock()
	switch e := event.(type) {
	case *network.EventResponseReceived:
		if e.Type == network.ResourceTypeDocument && e.FrameID == cdp.FrameID(chromedp.FromContext(b.ctx).Target.TargetID) {
			b.seen.status = int(e.Response.Status)
		}
	case *cdplog.EventEntryAdded:
		if strings.Contains(e.Entry.Text, "Content Security Policy") {
			b.seen.blocked = append(b.seen.blocked, e.Entry.Text+" "+e.Entry.URL)
		}
	}
}

// run does something in the browser or fails the test.
func (b *Browser) run(what string, actions ...chromedp.Action) {
	b.t.Helper()
	if err := b.try(actions...); err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
}

func (b *Browser) try(actions ...chromedp.Action) error {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, actions...)
}

// The one browser process of this test process.
var (
	started    sync.Once
	process    context.Context
	missing    string
	notStarted error
	userAgent  string
	//lint:ignore U1000 what it holds open ends the browser with this process, see start
	leash *os.File
)

// start runs Chromium behind a shell that holds the other end of a pipe:
// however this process ends, the pipe closes, the shell ends the browser and
// removes its profile.
func start() {
	path := ""
	for _, name := range []string{"chromium-headless-shell", "chrome-headless-shell", "chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		missing = "Chromium is not installed; on Debian: apt-get install chromium-headless-shell"
		return
	}
	profile, err := os.MkdirTemp("", "zunft-browser-")
	if err != nil {
		notStarted = err
		return
	}
	read, write, err := os.Pipe()
	if err != nil {
		notStarted = err
		return
	}
	defer read.Close()
	leash = write
	const script = `profile=$1; shift
setsid "$@" </dev/null &
browser=$!
exec >/dev/null 2>&1
read -r _
kill -s KILL -- "-$browser" 2>/dev/null
wait "$browser"
for try in 1 2 3 4 5; do rm -rf "$profile" && break; sleep 1; done`
	flags := map[string]any{
		"headless": true, "no-sandbox": true, "disable-gpu": true, "hide-scrollbars": true, "mute-audio": true, "no-first-run": true,
		"no-default-browser-check": true, "disable-background-networking": true, "disable-component-update": true, "disable-sync": true,
		"disable-default-apps": true, "disable-extensions": true, "disable-dev-shm-usage": true, "disable-breakpad": true,
		"disable-background-timer-throttling": true, "disable-renderer-backgrounding": true, "disable-backgrounding-occluded-windows": true,
		"disable-ipc-flooding-protection": true, "disable-popup-blocking": true, "disable-prompt-on-repost": true, "enable-automation": true,
		"password-store": "basic", "force-color-profile": "srgb", "metrics-recording-only": true, "disable-client-side-phishing-detection": true,
		// Without the last four a Chromium with a surface loads the pages behind its
		// address bar for every window.
		"disable-features":    "Translate,OptimizationHints,MediaRouter,DialMediaRouteProvider,HttpsUpgrades,WebUIOmniboxPopup,WebUIOmniboxFullPopup,WebUIOmniboxAimPopup,OmniboxAimPopup",
		"host-resolver-rules": "MAP * ~NOTFOUND , EXCLUDE localhost , EXCLUDE *.localhost , EXCLUDE 127.0.0.1 , EXCLUDE ::1",
		"user-data-dir":       profile,
	}
	options := []chromedp.ExecAllocatorOption{chromedp.ExecPath(path), chromedp.WSURLReadTimeout(60 * time.Second)}
	for name, value := range flags {
		options = append(options, chromedp.Flag(name, value))
	}
	options = append(options, chromedp.ModifyCmdFunc(func(c *exec.Cmd) {
		c.Args = append([]string{"sh", "-c", script, "sh", profile}, c.Args...)
		c.Path, c.Stdin = "/bin/sh", read
		c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	}))
	allocator, _ := chromedp.NewExecAllocator(context.Background(), options...)
	process, _ = chromedp.NewContext(allocator)
	notStarted = chromedp.Run(process, chromedp.ActionFunc(func(ctx context.Context) error {
		_, _, _, agent, _, err := cdpbrowser.GetVersion().Do(ctx)
		userAgent = strings.ReplaceAll(agent, "Headless", "")
		return err
	}))
	if notStarted != nil {
		notStarted = fmt.Errorf("%s: %w", path, notStarted)
	}
}

func unavailable(t testing.TB, sentence string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(sentence)
	}
	t.Skip(sentence)
}
