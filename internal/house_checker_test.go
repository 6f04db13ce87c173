package house

import (
	"strings"
	"testing"
)

// The checker itself: a house in order has no problem, and each breach is
// found, once, with the rule's name.
func TestCheckerFindsEachBreach(t *testing.T) {
	const g, i, tr = "internal/ground/", "internal/identity/", "internal/training/"
	for _, c := range []struct {
		name, from, to, want string
	}{
		{"rules use a lower step", i + "membership", i + "organization", ""},
		{"rules use ground", i + "membership", g + "audit", ""},
		{"a page uses rules", i + "portal/joining", i + "membership", ""},
		{"a page uses a door", i + "portal/signin", i + "openid", ""},
		{"a page serves HTTP", i + "portal/signin", "net/http", ""},
		{"a door learns who comes", i + "openid", i + "visitor", ""},
		{"the site map uses pages", i + "portal", i + "portal/signin", ""},
		{"the command wires everything", "cmd/zunft", tr + "portal", ""},
		{"the command plays the story", "cmd/zunft", "internal/story", ""},
		{"the command knows the world outside", "cmd/zunft", "internal/outside", ""},
		{"the story knows both portals", "internal/story", i + "portal", ""},
		{"the story drives a browser", "internal/story", g + "browser", ""},
		{"a library at its door", g + "db", "modernc.org/sqlite", ""},
		{"text/template in mail", g + "mail", "text/template", ""},
		{"web serves", g + "web", "net/http", ""},

		{"unknown package", "internal/util", "fmt", "stands on no floor"},
		{"import of an unknown package", "cmd/zunft", "internal/util", "stands on no floor"},
		{"rules use a page", i + "account", i + "portal/signin", "arrows point down only"},
		{"rules use a door", i + "account", i + "openid", "arrows point down only"},
		{"a door uses a page", i + "openid", i + "portal/signin", "arrows point down only"},
		{"a page uses the site map", i + "portal/signin", i + "portal", "arrows point down only"},
		{"up a step", i + "organization", i + "membership", "higher step"},
		{"up a step on the ground", g + "fault", g + "db", "higher step"},
		{"ground knows a chamber", g + "mail", i + "chamber", "ground knows no chamber"},
		{"a page imports a page", i + "portal/signin", i + "portal/signup", "pages never import each other"},
		{"a door opens into a door", i + "scim", i + "openid", "doors do not open"},
		{"training imports identity", tr + "login", i + "account", "share ground only"},
		{"identity imports training", i + "portal/desk", tr + "book", "share ground only"},
		{"rules know the world outside", i + "letter", "internal/outside", "outside and story"},
		{"a portal tells the story", tr + "portal", "internal/story", "outside and story"},
		{"the world outside knows us", "internal/outside", i + "account", "imports ground only"},
		{"rules use a test tool", i + "account", g + "dbtest", "test tools"},
		{"a command is imported", "internal/story", "cmd/zunft", "nothing imports a command"},
		{"rules open a schema", i + "account", i + "schema", "a schema is opened by"},
		{"rules serve", i + "account", "net/http", "rules never reach net/http"},
		{"rules render", i + "account", "html/template", "rules never reach net/http"},
		{"rules serve, two steps away", i + "account", g + "web", "rules never reach net/http"},
		{"another ground tool serves", g + "paper", "net/http", "of the ground only web"},
		{"a driver outside of db", i + "account", "github.com/jackc/pgx/v5", "one door"},
		{"a part of a driver outside of db", i + "account", "github.com/jackc/pgx/v5/stdlib", "one door"},
		{"JOSE in the training portal", tr + "login", "github.com/go-jose/go-jose/v4", "one door"},
		{"flags outside of cmd", g + "web", "flag", "rule 5"},
		{"a library nobody chose", g + "web", "example.com/left-pad", "name its one door"},
		{"a test library in the product", g + "web", "pgregory.net/rapid", "one door"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := module{packages: map[string]*pkg{g + "web": {imports: []string{"net/http"}}}}
			m.packages[c.from] = &pkg{imports: []string{c.to}}
			expect(t, check(m), c.want)
		})
	}
}

func TestCheckerFindsReadersOfTheMachine(t *testing.T) {
	reader := &pkg{reads: []string{"os.Getenv in config.go"}}
	expect(t, check(module{packages: map[string]*pkg{"internal/ground/mail": reader}}), "rule 5")
	expect(t, check(module{packages: map[string]*pkg{"cmd/zunft": reader}}), "")
	expect(t, check(module{packages: map[string]*pkg{"internal/ground/dbtest": reader}}), "")
}

func TestCheckerFindsTestsThatMixTheApplications(t *testing.T) {
	mixed := &pkg{testImports: []string{"internal/identity/openid"}}
	expect(t, check(module{packages: map[string]*pkg{"internal/training/login": mixed}}), "share ground only")
	expect(t, check(module{packages: map[string]*pkg{"internal/story": mixed}}), "")
	helped := &pkg{testImports: []string{"internal/ground/dbtest", "internal/outside", "github.com/coreos/go-oidc/v3/oidc"}}
	expect(t, check(module{packages: map[string]*pkg{"internal/identity/openid": helped}}), "")
}

func TestCheckerFindsLongFiles(t *testing.T) {
	expect(t, check(module{files: map[string]int{"internal/ground/web/web.go": 601}}), "more than 600")
	expect(t, check(module{files: map[string]int{"internal/ground/web/web.go": 600}}), "")
}

func expect(t *testing.T, got []string, want string) {
	t.Helper()
	switch {
	case want == "" && len(got) > 0:
		t.Errorf("found %q in a house in order", got)
	case want != "" && (len(got) != 1 || !strings.Contains(got[0], want)):
		t.Errorf("found %q, want exactly one problem with %q in it", got, want)
	}
}
