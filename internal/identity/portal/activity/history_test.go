package activity

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/jba/templatecheck"
)

func TestTemplates(t *testing.T) {
	for name, page := range map[string]any{
		"sessions": &sessionsPage{}, "apps": &appsPage{}, "history": &historyPage{}, "choices": &choicesPage{}, "report": &reportPage{},
	} {
		if err := templatecheck.CheckHTML(templates.Page(name), page); err != nil {
			t.Error(err)
		}
	}
}

// elsewhere are events on something else than a person's account.
var elsewhere = regexp.MustCompile(`^(application|audit|batch|chamber|directory|letter|policy|terms|text_block|staff\.not_found|organization\.(activation_failed|closed|followed|revocation_failed)|authorize|token|refresh|openid|roster|request\.relayed|account\.(purged|imported)|invitation\.(sent|renewed|reminded|slip_made|declined|revoked|expired|undeliverable)|registration_code\.made|registration\.name)`)

// Every event that a rule records on an account is told in words, or left out on
// purpose: what comes new cannot be forgotten.
func TestEveryEventHasWords(t *testing.T) {
	de, err := os.ReadFile("phrases/de.json")
	if err != nil {
		t.Fatal(err)
	}
	event := regexp.MustCompile(`^[a-z_]+\.[a-z_]+$`)
	recorders := map[string]bool{"Record": true, "record": true, "note": true, "Entry": true, "replaced": true, "added": true}
	seen := 0
	check := func(where, key string) {
		if !event.MatchString(key) || elsewhere.MatchString(key) {
			return
		}
		seen++
		if told := strings.Contains(string(de), `"activity.event.`+key+`"`); !told && !quiet[key] {
			t.Errorf("%s records %s: no words for it, and not left out", where, key)
		}
	}
	err = filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			var literals []ast.Expr
			switch n := n.(type) {
			case *ast.KeyValueExpr:
				if k, ok := n.Key.(*ast.Ident); ok && k.Name == "Event" {
					literals = append(literals, n.Value)
				}
			case *ast.CallExpr:
				name := ""
				switch f := n.Fun.(type) {
				case *ast.Ident:
					name = f.Name
				case *ast.SelectorExpr:
					name = f.Sel.Name
				}
				if recorders[name] {
					literals = n.Args
				}
			}
			for _, l := range literals {
				if lit, ok := l.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					if key, err := strconv.Unquote(lit.Value); err == nil {
						check(path, key)
					}
				}
			}
			return true
		})
		return nil
	})
	if err != nil || seen < 60 {
		t.Error(seen, err)
	}
}
