// Package house keeps the floor plan: which package stands on which floor, and
// who may import whom. ARCHITECTURE.md shows the picture. A new package must be
// put on a floor here, or this test fails.
//
// The files are parsed; `go list` inside a test is served from the test cache
// and would tell the state of yesterday.
package house

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
)

// A kind says what a package is for; the arrows depend on it.
type kind string

const (
	tool     kind = "ground tool"
	testTool kind = "test tool"
	schema   kind = "schema"
	rule     kind = "rules"
	door     kind = "door"
	page     kind = "page"
	siteMap  kind = "site map"
	outside  kind = "world outside"
	story    kind = "story"
	command  kind = "command"
)

// A place is where a package stands. Within one kind an arrow may go to the
// same or a lower step, never up.
type place struct {
	app  string // "ground", "identity", "training", or "" for what stands beside them
	kind kind
	step int
}

// plan builds the floor plan, lowest floor first.
func plan() map[string]place {
	p := map[string]place{}
	put := func(app string, k kind, step int, folder string, names ...string) {
		for _, name := range names {
			p[path.Join(folder, name)] = place{app, k, step}
		}
	}
	const g, i, t = "internal/ground", "internal/identity", "internal/training"
	put("ground", tool, 0, g, "diff", "fault", "i18n", "plain", "seal", "paper", "pdftext")
	put("ground", tool, 1, g, "db")
	put("ground", tool, 2, g, "audit", "job", "limit", "table")
	put("ground", tool, 3, g, "mail")
	put("ground", tool, 4, g, "web")
	put("ground", testTool, 0, g, "dbtest", "browser")
	put("ground", testTool, 1, g, "dbtest/cmd")

	put("identity", schema, 0, i, "schema")
	put("identity", rule, 0, i, "fold")     // when two spellings are one
	put("identity", rule, 1, i, "password") // uses fold
	put("identity", rule, 1, i, "captcha", "chamber", "link", "notice", "policy")
	put("identity", rule, 2, i, "account", "company", "directory", "letter", "search", "terms", "textblock")
	put("identity", rule, 3, i, "address", "session", "factor", "legacy", "organization")
	put("identity", rule, 4, i, "membership", "application", "site", "behalf")
	put("identity", rule, 5, i, "correction", "registration", "dossier", "recovery", "invitation", "mandate", "request", "succession")
	put("identity", rule, 6, i, "clerk", "tally")       // a chamber's looks at everything
	put("identity", rule, 6, i, "closing", "departure") // the end of a company, of an account: in all rules
	put("identity", rule, 6, i, "roster")               // lists of invitations
	put("identity", rule, 6, i, "takeover")             // a chamber ends, another goes on
	put("identity", rule, 7, i, "daily")                // what tally says, by mail
	put("identity", door, 0, i, "visitor")              // the session's cookie: who comes through the other doors
	put("identity", door, 1, i, "openid", "federation", "scim", "hook")
	put("identity", page, 0, i+"/portal", "signup", "signin", "home", "profile", "activity", "consents", "security", "leaving", "recovering", "company", "joining", "members", "inviting", "enrolling", "details", "acting",
		"desk", "records", "office", "operator", "developers", "authorize", "info")
	put("identity", testTool, 0, i+"/portal", "portaltest")
	put("identity", siteMap, 0, i, "portal")

	put("training", schema, 0, t, "schema")
	put("training", rule, 0, t, "calendar")
	put("training", rule, 1, t, "person", "occupation", "outage", "atlas", "supervisor")
	put("training", rule, 2, t, "assignment", "bookform")
	put("training", rule, 3, t, "substitute", "apprenticeship")
	put("training", rule, 4, t, "registry", "book", "exam", "document", "planning", "token")
	put("training", rule, 5, t, "attachment", "chain", "review", "share", "standing")
	put("training", rule, 6, t, "export", "foreign", "intake", "reminder", "erasure")
	put("training", testTool, 0, t, "person/persontest")
	put("training", door, 0, t, "login")
	put("training", page, 0, t+"/portal", "home", "info", "writing", "reviewing", "supervising", "managing", "planning", "standing", "offline", "exchange", "reminding", "examining", "desk", "api")
	put("training", siteMap, 0, t, "portal")

	put("", outside, 0, "internal", "outside")
	put("", outside, 0, "internal/outside", "mailbox", "printshop", "bundid", "unternehmenskonto")
	put("", story, 0, "internal", "story")
	put("", command, 0, "cmd", "zunft")
	return p
}

// floors orders the kinds inside one application, from the ground up.
var floors = []kind{tool, schema, rule, door, page, siteMap}

// doors names who may import a foreign library; the longest prefix counts.
// "tests" means test files only, "anywhere" is what it says. Test files may
// import every library named here.
var doors = map[string][]string{
	"modernc.org/sqlite":            {"internal/ground/db"},
	"github.com/jackc/pgx/v5":       {"internal/ground/db"},
	"github.com/pressly/goose/v3":   {"internal/ground/db"},
	"github.com/google/uuid":        {"internal/ground/db"},
	"github.com/wneessen/go-mail":   {"internal/ground/mail"},
	"codeberg.org/go-pdf/fpdf":      {"internal/ground/paper"},
	"golang.org/x/image":            {"internal/ground/paper"},
	"rsc.io/qr":                     {"internal/ground/paper"},
	"github.com/go-webauthn":        {"internal/identity/factor"},
	"github.com/FastFilter":         {"internal/identity/password"},
	"github.com/mojocn":             {"internal/identity/captcha"},
	"golang.org/x/text":             {"anywhere"}, // normalization, collation, character sets, numbers
	"golang.org/x/crypto":           {"internal/ground/seal", "internal/identity/password"},
	"github.com/go-jose/go-jose/v4": {"internal/identity/openid"},
	"github.com/coreos/go-oidc/v3":  {"internal/training/login"},
	"golang.org/x/oauth2":           {"internal/training/login"},
	"github.com/emersion/go-smtp":   {"internal/outside"},
	"github.com/alecthomas/kong":    {"cmd"},
	"github.com/BurntSushi/toml":    {"cmd"},
	"github.com/chromedp":           {"internal/ground/browser"},
	"github.com/jba/templatecheck":  {"tests"},
	"golang.org/x/net":              {"tests", "internal/story", "internal/ground/plain"}, // plain: which names are hosts
	"pgregory.net/rapid":            {"tests"},
}

// outsideReaders may look at the environment, flags and files of the machine:
// the commands by nature, the others because tests configure them no other way.
var outsideReaders = []string{"cmd", "internal/ground/dbtest", "internal/ground/browser", "internal/story"}

// A module is what the checker needs to know of the source tree.
type module struct {
	packages map[string]*pkg // by folder, "internal/ground/db"
	files    map[string]int  // non-test Go files and their lines
}

type pkg struct {
	imports     []string // of the package itself: "zunft/…" cut to the folder
	testImports []string
	reads       []string // "os.Getenv in config.go", outside of tests
}

func TestFloorPlan(t *testing.T) {
	m, err := read("..")
	if err != nil {
		t.Fatal(err)
	}
	if len(m.packages) < 5 {
		t.Fatalf("only %d packages found: the reader is broken", len(m.packages))
	}
	for _, problem := range check(m) {
		t.Error(problem)
	}
	for file, lines := range m.files {
		if lines > 400 && lines <= 600 {
			t.Logf("%s has %d lines: look for the second idea in it", file, lines)
		}
	}
}

// What the ground keeps in a database is the same text in both applications.
func TestGroundOfBothApplications(t *testing.T) {
	identity, err := os.ReadFile("identity/schema/0001_ground.sql")
	if err != nil {
		t.Fatal(err)
	}
	training, err := os.ReadFile("training/schema/0001_ground.sql")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(identity, training) {
		t.Error("identity/schema/0001_ground.sql and training/schema/0001_ground.sql differ")
	}
}

// check returns every breach of the plan as a sentence that names the rule.
func check(m module) (problems []string) {
	p := plan()
	say := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	for folder, from := range m.packages {
		here, known := p[folder]
		if !known {
			say("%s stands on no floor: add it to plan() in internal/house_test.go (rule 6)", folder)
			continue
		}
		for _, target := range from.imports {
			to, ours := p[target]
			if !ours {
				if problem := foreign(folder, here, target); problem != "" {
					say("%s", problem)
				}
				continue
			}
			if problem := arrow(here, to); problem != "" {
				say("%s imports %s: %s", folder, target, problem)
			}
		}
		for _, target := range from.testImports {
			if to, ours := p[target]; ours && strangers(here, to) {
				say("a test of %s imports %s: identity and training share ground only; tests of both live in story (rule 3)", folder, target)
			} else if !ours && isForeign(target) && doorsOf(target) == nil {
				say("a test of %s imports %s: name its door in doors in internal/house_test.go (rule 4)", folder, target)
			}
		}
		if here.kind == rule || here.kind == schema {
			if way := wayToHTTP(m, folder, nil); way != nil {
				say("%s: rules never reach net/http or html/template (rule 2)", strings.Join(way, " → "))
			}
		}
		if !standsIn(folder, outsideReaders) {
			for _, r := range from.reads {
				say("%s reads %s: only cmd/ reads flags, files and environment (rule 5)", folder, r)
			}
		}
	}
	for file, lines := range m.files {
		if lines > 600 {
			say("%s has %d lines, more than 600: look for the second idea in it", file, lines)
		}
	}
	sort.Strings(problems)
	return problems
}

// arrow says what is wrong with an import between two of our packages.
func arrow(from, to place) string {
	switch {
	case to.kind == testTool:
		if from.kind == testTool || from.kind == story {
			return ""
		}
		return "test tools are for tests and story"
	case to.kind == command:
		return "nothing imports a command"
	case to.kind == outside || to.kind == story:
		if from.kind == command || from.kind == story || from.kind == outside && to.kind == outside {
			return ""
		}
		return "outside and story are reached by cmd/zunft and tests only (rule 3)"
	case from.kind == command || from.kind == story:
		return ""
	case strangers(from, to):
		return "identity and training share ground only; they meet as strangers through OpenID Connect (rule 3)"
	case from.app == "ground" && to.app != "ground":
		return "ground knows no chamber: arrows point down only (rule 1)"
	case from.kind == outside && to.app != "ground":
		return "the world outside imports ground only (rule 3)"
	case from.kind == testTool || from.app != to.app:
		return ""
	case from.kind == page && to.kind == page:
		return "pages never import each other"
	case from.kind == door && to.kind == door && from.step <= to.step:
		return "doors do not open into each other (rule 1)"
	case to.kind == schema:
		return "a schema is opened by cmd/zunft, story and tests; SQL knows its tables by name"
	case slices.Index(floors, from.kind) < slices.Index(floors, to.kind):
		return fmt.Sprintf("%s may not use %s: arrows point down only (rule 1)", from.kind, to.kind)
	case from.kind == to.kind && from.step < to.step:
		return "it stands on a higher step of the same floor: arrows point down only (rule 1)"
	}
	return ""
}

func strangers(a, b place) bool {
	return a.app == "identity" && b.app == "training" || a.app == "training" && b.app == "identity"
}

// foreign says what is wrong with an import that is not ours.
func foreign(folder string, here place, target string) string {
	switch {
	case strings.HasPrefix(target, "internal/") || strings.HasPrefix(target, "cmd/"):
		return fmt.Sprintf("%s imports %s, which stands on no floor (rule 6)", folder, target)
	case isWeb(target) && here.app == "ground" && here.kind == tool && folder != "internal/ground/web":
		return fmt.Sprintf("%s imports %s: of the ground only web serves pages (rule 2)", folder, target)
	case target == "flag" && !standsIn(folder, outsideReaders):
		return fmt.Sprintf("%s imports flag: only cmd/ reads flags, files and environment (rule 5)", folder)
	case !isForeign(target):
		return ""
	}
	allowed := doorsOf(target)
	switch {
	case allowed == nil:
		return fmt.Sprintf("%s imports %s: name its one door in doors in internal/house_test.go (rule 4)", folder, target)
	case slices.Contains(allowed, "anywhere") || standsIn(folder, allowed):
		return ""
	}
	return fmt.Sprintf("%s imports %s, whose door is %s: a foreign library has one door (rule 4)", folder, target, strings.Join(allowed, ", "))
}

// wayToHTTP finds a chain of our own packages from folder to net/http or html/template.
func wayToHTTP(m module, folder string, seen []string) []string {
	if m.packages[folder] == nil || slices.Contains(seen, folder) {
		return nil
	}
	seen = append(slices.Clone(seen), folder)
	for _, target := range m.packages[folder].imports {
		if isWeb(target) {
			return append(seen, target)
		}
		if way := wayToHTTP(m, target, seen); way != nil {
			return way
		}
	}
	return nil
}

func isWeb(target string) bool {
	return target == "net/http" || strings.HasPrefix(target, "net/http/") || target == "html/template"
}

// isForeign: the first element of a foreign import path has a dot, as in a host name.
func isForeign(target string) bool {
	first, _, _ := strings.Cut(target, "/")
	return strings.Contains(first, ".")
}

func doorsOf(target string) (allowed []string) {
	longest := ""
	for library, who := range doors {
		if (target == library || strings.HasPrefix(target, library+"/")) && len(library) > len(longest) {
			longest, allowed = library, who
		}
	}
	return allowed
}

func standsIn(folder string, places []string) bool {
	return slices.ContainsFunc(places, func(p string) bool { return folder == p || strings.HasPrefix(folder, p+"/") })
}

// read parses every Go file under root.
func read(root string) (module, error) {
	m := module{packages: map[string]*pkg{}, files: map[string]int{}}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, name)
		rel = filepath.ToSlash(rel)
		base := d.Name()
		if d.IsDir() {
			if rel != "." && (strings.HasPrefix(base, ".") || base == "node_modules" || base == "testdata" || base == "bin") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(base, ".go") || path.Dir(rel) == "internal" { // this file
			return nil
		}
		return m.add(name, rel)
	})
	return m, err
}

func (m module) add(name, rel string) error {
	source, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	folder := path.Dir(rel)
	p := m.packages[folder]
	if p == nil {
		p = &pkg{}
		m.packages[folder] = p
	}
	isTest := strings.HasSuffix(rel, "_test.go")
	osName := ""
	for _, spec := range file.Imports {
		target, _ := strconv.Unquote(spec.Path.Value)
		target = strings.TrimPrefix(target, "zunft/")
		if target == "os" {
			osName = "os"
			if spec.Name != nil {
				osName = spec.Name.Name
			}
		}
		if isTest {
			p.testImports = append(p.testImports, target)
		} else if !slices.Contains(p.imports, target) {
			p.imports = append(p.imports, target)
		}
	}
	if isTest {
		return nil
	}
	m.files[rel] = bytes.Count(source, []byte("\n"))
	if osName == "" {
		return nil
	}
	ast.Inspect(file, func(n ast.Node) bool {
		s, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := s.X.(*ast.Ident); ok && x.Name == osName && slices.Contains(machine, s.Sel.Name) {
			p.reads = append(p.reads, "os."+s.Sel.Name+" in "+path.Base(rel))
		}
		return true
	})
	return nil
}

// machine are the names in package os that look at the machine we run on.
var machine = []string{"Args", "Getenv", "LookupEnv", "Environ", "ExpandEnv", "ReadFile", "Open", "OpenFile", "ReadDir", "DirFS", "Stdin"}
