package planning

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/training/person"
)

// A Snippet is a text that somebody uses again and again.
type Snippet struct{ ID, Text string }

// Lines of the text, for pages.
func (s Snippet) Lines() []string { return strings.Split(s.Text, "\n") }

// Short is its beginning, for a button.
func (s Snippet) Short() string {
	line, _, more := strings.Cut(s.Text, "\n")
	if r := []rune(line); len(r) > 40 {
		return strings.TrimSpace(string(r[:39])) + "…"
	}
	if more {
		return line + " …"
	}
	return line
}

const (
	mostSnippets = 30
	maxSnippet   = 1000 // characters
)

// Snippets are the actor's, oldest first.
func Snippets(tx *db.Tx, by audit.Actor) ([]Snippet, error) {
	s, err := person.Author(tx, by)
	if err != nil {
		return nil, err
	}
	return db.All(tx, func(s *Snippet) []any { return []any{&s.ID, &s.Text} }, `SELECT id, text FROM snippet WHERE person = $1 ORDER BY id LIMIT $2`, s.Person.Sub, mostSnippets)
}

// SnippetOf is one of the actor's.
func SnippetOf(tx *db.Tx, by audit.Actor, id string) (Snippet, error) {
	s, err := person.Author(tx, by)
	if err != nil {
		return Snippet{}, err
	}
	return db.One(tx, func(s *Snippet) []any { return []any{&s.ID, &s.Text} }, `SELECT id, text FROM snippet WHERE id = $1 AND person = $2`, id, s.Person.Sub)
}

// AddSnippet keeps a text; the same one twice is there once.
func AddSnippet(tx *db.Tx, by audit.Actor, text string) error {
	s, err := person.Author(tx, by)
	if err != nil {
		return err
	}
	switch n := utf8.RuneCountInString(text); {
	case n == 0:
		return fault.Invalid("text", "planning.snippet_missing")
	case n > maxSnippet:
		return fault.Invalid("text", "planning.snippet_long", n, maxSnippet)
	}
	all, err := Snippets(tx, by)
	if err != nil {
		return err
	}
	for _, other := range all {
		if other.Text == text {
			return nil
		}
	}
	if len(all) >= mostSnippets {
		return fault.Invalid("text", "planning.snippets_many", mostSnippets)
	}
	if _, err := tx.Exec(`INSERT INTO snippet (id, person, text, created_at) VALUES ($1, $2, $3, $4)`, db.NewID(), s.Person.Sub, text, tx.Now()); err != nil {
		return fmt.Errorf("keep snippet: %w", err)
	}
	return audit.Record(tx, by, audit.Entry{Event: "snippet.added", Account: s.Person.Sub, Organization: s.Company.ID})
}

// RemoveSnippet forgets one.
func RemoveSnippet(tx *db.Tx, by audit.Actor, id string) error {
	s, err := person.Author(tx, by)
	if err != nil {
		return err
	}
	n, err := tx.Exec(`DELETE FROM snippet WHERE id = $1 AND person = $2`, id, s.Person.Sub)
	if err != nil || n == 0 {
		return err
	}
	return audit.Record(tx, by, audit.Entry{Event: "snippet.removed", Account: s.Person.Sub, Organization: s.Company.ID})
}
