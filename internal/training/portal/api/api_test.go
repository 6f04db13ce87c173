package api

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/jba/templatecheck"

	"zunft/internal/training/book"
)

func TestTemplatesMatchTheirPages(t *testing.T) {
	pages := map[string]any{"tokens": &tokensPage{}, "docs": &docsPage{}}
	for name, page := range pages {
		if err := templatecheck.CheckHTML(templates.Page(name), page); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := len(templates.Names()); n != len(pages) {
		t.Errorf("%d templates, %d checked", n, len(pages))
	}
}

// The description is JSON and names what is mounted.
func TestDescription(t *testing.T) {
	var d struct {
		OpenAPI string
		Paths   map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal(openapi, &d); err != nil {
		t.Fatal(err)
	}
	if d.OpenAPI != "3.1.0" || d.Paths["/reports"]["get"] == nil || d.Paths["/reports/{week}"]["get"] == nil || d.Paths["/reports/{week}"]["put"] == nil {
		t.Errorf("%+v", d)
	}
}

// Whatever a program sends, reading it ends, with a record or a fault.
func FuzzRecord(f *testing.F) {
	f.Add(example)
	f.Add(`{"days":[{"date":"2026-11-16"}]}`)
	f.Fuzz(func(t *testing.T, s string) {
		rec, err := readRecord(strings.NewReader(s))
		if err == nil {
			_, _ = rec.Text(mustWeek)
		}
	})
}

var mustWeek, _ = book.ParseWeek("2026-W47")
