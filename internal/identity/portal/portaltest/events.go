package portaltest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Events are what the rules of the identity portal record, each with a file
// that does; root is its folder. The files are read: what comes new is there.
func Events(t *testing.T, root string) map[string]string {
	t.Helper()
	event := regexp.MustCompile(`^[a-z_]+\.[a-z_]+$`)
	recorders := map[string]bool{"Record": true, "record": true, "note": true, "Entry": true, "replaced": true, "added": true, "end": true}
	found := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
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
			case *ast.AssignStmt: // event := "letter.wrong_code"
				if to, ok := n.Lhs[0].(*ast.Ident); ok && to.Name == "event" {
					literals = n.Rhs
				}
			}
			for _, l := range literals {
				if lit, ok := l.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					if key, err := strconv.Unquote(lit.Value); err == nil && event.MatchString(key) && !strings.HasPrefix(key, "notice.") {
						found[key] = path
					}
				}
			}
			return true
		})
		return nil
	})
	if err != nil || len(found) < 120 {
		t.Fatal(len(found), err)
	}
	return found
}
