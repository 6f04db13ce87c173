package house

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
)

// Phrases: the same keys in German and English, with the same arguments; every
// key that is asked for exists, and none lies around unused. Wording: ux.md 2.9.

type phrases map[string]string // key → text; plural forms joined by a bar

func readPhrases(t *testing.T, file string) phrases {
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	raw := map[string]json.RawMessage{}
	if err := json.Unmarshal(b, &raw); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	all := phrases{}
	for key, v := range raw {
		var text string
		if json.Unmarshal(v, &text) != nil {
			var forms struct{ One, Other string }
			if err := json.Unmarshal(v, &forms); err != nil || forms.One == "" || forms.Other == "" {
				t.Errorf("%s: %s is neither a text nor one/other", file, key)
			}
			text = forms.Other
		}
		if strings.TrimSpace(text) == "" {
			t.Errorf("%s: %s has no text", file, key)
		}
		all[key] = text
	}
	return all
}

var verb = regexp.MustCompile(`%(\[\d+\])?[a-z]`)

// app is the portal a file belongs to; the ground belongs to both.
func app(path string) string {
	for _, a := range []string{"identity", "training"} {
		if strings.HasPrefix(filepath.ToSlash(path), a+"/") {
			return a
		}
	}
	return "ground"
}

func TestPhrases(t *testing.T) {
	german := map[string]phrases{"identity": {}, "training": {}, "ground": {}}
	walk(t, func(path string) {
		if !strings.HasSuffix(filepath.ToSlash(path), "phrases/de.json") {
			return
		}
		de := readPhrases(t, path)
		en := readPhrases(t, filepath.Join(filepath.Dir(path), "en.json"))
		for key, text := range de {
			english, ok := en[key]
			if !ok {
				t.Errorf("%s: %s has no English text", path, key)
				continue
			}
			a, b := verb.FindAllString(text, -1), verb.FindAllString(english, -1)
			sort.Strings(a)
			sort.Strings(b)
			if !slices.Equal(a, b) {
				t.Errorf("%s: %s takes %v in German and %v in English", path, key, a, b)
			}
			if _, twice := german[app(path)][key]; twice {
				t.Errorf("%s: %s is defined twice", path, key)
			}
			german[app(path)][key] = text
			wording(t, path, key, text)
		}
		for key := range en {
			if _, ok := de[key]; !ok {
				t.Errorf("%s: %s has no German text", path, key)
			}
		}
	})
	known := func(a, key string) bool {
		_, own := german[a][key]
		_, ground := german["ground"][key]
		return own || ground
	}

	used, starts := map[string]bool{}, map[string]bool{}
	take := func(literal string) {
		used[literal] = true
		if _, value, ok := strings.Cut(literal, "="); ok {
			used[value] = true // "hint=signup.email_hint"
		}
		if strings.HasSuffix(literal, ".") || strings.HasSuffix(literal, "_") {
			starts[literal] = true // "registration.state." + x
		}
	}
	literal := regexp.MustCompile(`"([^"\\\n]{3,80})"`)
	// Quotation marks nest in templates (aria-label="{{t "frame.nav"}}"), so calls are found by themselves too.
	asked := regexp.MustCompile(`\b(?:t|tag "[a-z]+") "([a-z_]+\.[a-z0-9_.]+)"`)
	walk(t, func(path string) {
		switch {
		case strings.HasSuffix(path, ".html"):
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range literal.FindAllStringSubmatch(string(b), -1) {
				take(m[1])
			}
			for _, m := range asked.FindAllStringSubmatch(string(b), -1) {
				take(m[1])
				if !strings.HasPrefix(filepath.ToSlash(path), "outside/") && !strings.HasSuffix(m[1], ".") && !strings.HasSuffix(m[1], "_") && !known(app(path), m[1]) {
					t.Errorf("%s asks for the phrase %s, which nobody wrote", path, m[1])
				}
			}
		case strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go"):
			goPhrases(t, path, take, func(key string) {
				if !known(app(path), key) {
					t.Errorf("%s asks for the phrase %s, which nobody wrote", path, key)
				}
			})
		}
	})
	for a, all := range german {
		for key := range all {
			if used[key] {
				continue
			}
			dynamic := false
			for start := range starts {
				dynamic = dynamic || strings.HasPrefix(key, start)
			}
			if !dynamic {
				t.Errorf("the phrase %s (%s) is used nowhere", key, a)
			}
		}
	}
}

// goPhrases reads the string literals of a Go file, and those that calls use as phrase keys.
func goPhrases(t *testing.T, path string, take func(string), ask func(string)) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	key := regexp.MustCompile(`^[a-z_]+\.[a-z0-9_.]*[a-z0-9]$`)
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BasicLit:
			if s, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING {
				take(s)
			}
		case *ast.CallExpr:
			f, ok := n.Fun.(*ast.SelectorExpr)
			if !ok || !slices.Contains([]string{"Invalid", "Conflict", "Limited", "Done"}, f.Sel.Name) {
				return true
			}
			for _, arg := range n.Args {
				if lit, ok := arg.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					if s, _ := strconv.Unquote(lit.Value); key.MatchString(s) {
						ask(s)
					}
				}
			}
		}
		return true
	})
}

// wording keeps the worst habits of error texts out (ux.md 2.9).
func wording(t *testing.T, path, key, text string) {
	if strings.HasSuffix(key, "_seed") { // as a source words it, where a chamber chose that (decision 3)
		return
	}
	lower := strings.ToLower(text)
	for _, never := range []string{"ungültig", "leider", "ups", "fehlgeschlagen", "benutzer/in", "falsch"} {
		for _, word := range strings.FieldsFunc(lower, func(r rune) bool { return r < 'a' && r != '/' || r > 'z' && r < 0x80 }) {
			if strings.HasPrefix(word, never) {
				t.Errorf("%s: %s says %q; say what to do instead: %s", path, key, never, text)
			}
		}
	}
}

func walk(t *testing.T, f func(path string)) {
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			f(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(fmt.Errorf("walk the house: %w", err))
	}
}
