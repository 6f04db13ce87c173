package browser

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Inspect looks at the page as every page is looked at: no violation found by
// axe (in dark only the colors are another page), no sideways scrolling at 320 px, and
// pictures at 360 and 1280 px, light and dark, under this name.
func (b *Browser) Inspect(name string) {
	b.t.Helper()
	for _, dark := range []bool{false, true} {
		b.run("change the colors", b.window(b.options.Width, dark))
		look := b.Axe
		if dark {
			look = b.contrast
		}
		for _, v := range look() {
			b.t.Errorf("%s (dark %t): %s", name, dark, v)
		}
		for _, width := range []int{360, 1280} {
			b.Screenshot(name, width, dark)
		}
	}
	if b.Overflow(320) { // and back to the usual window
		b.t.Errorf("%s: the page scrolls sideways at 320 px (WCAG 1.4.10): %s", name, b.widest(320))
	}
}

// Screenshot writes a picture of the whole page into the folder named by
// ZUNFT_SHOTS (absolute, since each test runs in its package's folder) as
// NAME-WIDTH[-dark].png; without that folder it does nothing.
func (b *Browser) Screenshot(name string, width int, dark bool) {
	b.t.Helper()
	folder := os.Getenv("ZUNFT_SHOTS")
	if folder == "" {
		return
	}
	file := fmt.Sprintf("%s-%d.png", name, width)
	if dark {
		file = fmt.Sprintf("%s-%d-dark.png", name, width)
	}
	var picture []byte
	b.run("take a picture", b.window(width, dark), chromedp.ActionFunc(func(ctx context.Context) (err error) {
		picture, err = page.CaptureScreenshot().WithCaptureBeyondViewport(true).WithFromSurface(true).Do(ctx)
		return err
	}))
	b.usual()
	path := filepath.Join(folder, file)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(path, picture, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// Overflow says whether the page is wider than a window of this width.
func (b *Browser) Overflow(width int) bool {
	b.t.Helper()
	b.run("change the window", b.window(width, b.options.Dark))
	over, err := strconv.Atoi(b.ask("measure the page", "", "over").Text)
	b.usual()
	return err != nil || over > 1
}

// widest names what sticks out of a window of this width, the innermost first.
func (b *Browser) widest(width int) (names string) {
	b.t.Helper()
	b.run("look for what is too wide", b.window(width, b.options.Dark), chromedp.Evaluate(`[...document.querySelectorAll("main *")]
		.filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1).slice(-5)
		.map(e => e.tagName.toLowerCase() + (e.className ? "." + e.className : "") + (e.id ? "#" + e.id : "") + " " + Math.round(e.getBoundingClientRect().right)).reverse().join(" | ")`, &names))
	b.usual()
	return names
}

// usual goes back to the window the test asked for.
func (b *Browser) usual() {
	b.t.Helper()
	b.run("change the window", b.window(b.options.Width, b.options.Dark))
}

// A Violation is a rule of axe-core that the page breaks.
type Violation struct {
	ID     string   `json:"id"`
	Impact string   `json:"impact"`
	Help   string   `json:"help"`
	Where  []string `json:"where"`
}

func (v Violation) String() string {
	return fmt.Sprintf("%s %s: %s at %s", v.Impact, v.ID, v.Help, strings.Join(v.Where, " | "))
}

// Axe checks the page against WCAG 2.2 A and AA with axe-core, and for what
// axe leaves out: a language, a title, one first heading.
func (b *Browser) Axe() []Violation {
	b.t.Helper()
	return b.axe(`{type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}, rules: {"target-size": {enabled: true}}`)
}

// contrast checks only what a change of colors can break.
func (b *Browser) contrast() []Violation {
	b.t.Helper()
	return b.axe(`{type: "rule", values: ["color-contrast", "link-in-text-block"]}`)
}

func (b *Browser) axe(runOnly string) []Violation {
	b.t.Helper()
	source, err := axeSource()
	if err != nil {
		unavailable(b.t, "axe-core is not installed; run make look ("+err.Error()+")")
	}
	run := `axe.run(document, {runOnly: ` + runOnly + `, resultTypes: ["violations"]
	}).then(r => r.violations.map(v => ({id: v.id, impact: v.impact, help: v.help, where: v.nodes.map(n => n.target.join(" "))})).concat([
		[!document.documentElement.lang, "html-lang", "the page names its language"],
		[document.title.trim() === "", "title", "the page has a title"],
		[document.querySelectorAll("h1").length !== 1, "h1", "the page has one first heading"],
	].filter(([bad]) => bad).map(([, id, help]) => ({id, impact: "serious", help, where: ["html"]}))))`
	var found []Violation
	// axe waits on timers, which run only where scripts may; those of the page
	// were skipped when it was parsed and stay so. Half a megabyte is handed over
	// once for each page.
	var there bool
	b.run("look for axe", emulation.SetScriptExecutionDisabled(false), chromedp.Evaluate(`typeof axe !== "undefined"`, &there))
	if !there {
		b.run("load axe", chromedp.Evaluate("(()=>{"+source+"\n})(), 0", nil))
	}
	b.run("run axe",
		chromedp.Evaluate(run, &found, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }),
		emulation.SetScriptExecutionDisabled(!b.options.Scripts),
	)
	return found
}

// axeSource reads axe-core from the project's node_modules.
func axeSource() (string, error) {
	folder, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			source, err := os.ReadFile(filepath.Join(folder, "node_modules", "axe-core", "axe.min.js"))
			return string(source), err
		}
		if parent := filepath.Dir(folder); parent != folder {
			folder = parent
			continue
		}
		return "", os.ErrNotExist
	}
}

// Until waits up to ten seconds until an expression is true that scripts of the
// page answer (they must be on); a promise is awaited.
func (b *Browser) Until(expression string) {
	b.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; b.moment() {
		var yes bool
		err := b.try(chromedp.Evaluate(`(async () => !!(await (`+expression+`)))()`, &yes, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
		if yes {
			return
		}
		if time.Now().After(deadline) {
			b.fail("wait for "+expression, fmt.Sprint("it is not true, ", err))
		}
	}
}
