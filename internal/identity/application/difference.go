package application

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A Difference says in one sentence why a redirect URI is not one of those that
// are registered: they are compared character by character (RFC 9700, section
// 2.1), and people look for the one character for hours.
type Difference struct {
	Phrase string
	Args   []any
	Near   string // the registered one it was compared with; empty: none is registered
}

// Explain compares what an application sent with what is registered for it. ok:
// it is exactly one of them. Else the difference to the nearest.
func Explain(registered []string, sent string) (d Difference, ok bool) {
	if slices.Contains(registered, sent) {
		return Difference{Near: sent}, true
	}
	if sent == "" {
		return Difference{Phrase: "application.differs_empty"}, false
	}
	if len(registered) == 0 {
		return Difference{Phrase: "application.differs_none"}, false
	}
	best := 0
	for _, r := range registered {
		rank, phrase, args := differ(r, sent)
		at, _, _ := first(r, sent)
		rank = rank*1000 - min(at, 999) // the further they agree, the likelier this one was meant
		if d.Phrase == "" || rank < best {
			best, d = rank, Difference{phrase, args, r}
		}
	}
	return d, false
}

// differ finds the one thing that differs, the likeliest slips first; a lower
// rank is nearer.
func differ(registered, sent string) (rank int, phrase string, args []any) {
	switch {
	case strings.TrimSpace(sent) == registered:
		return 0, "application.differs_blank", nil
	case sent+"/" == registered:
		return 0, "application.differs_slash_missing", nil
	case sent == registered+"/":
		return 0, "application.differs_slash_extra", nil
	}
	at, want, got := first(registered, sent)
	where := []any{strconv.Itoa(at), want, got}
	a, errA := url.Parse(registered)
	b, errB := url.Parse(sent)
	if errA != nil || errB != nil {
		return 900, "application.differs_form", where
	}
	if strings.Contains(sent, "#") {
		return 1, "application.differs_fragment", nil
	}
	var parts []string
	for _, p := range []struct {
		name string
		same bool
	}{
		{"scheme", a.Scheme == b.Scheme},
		{"host", a.Hostname() == b.Hostname()},
		{"port", a.Port() == b.Port()},
		{"path", a.EscapedPath() == b.EscapedPath()},
		{"query", a.RawQuery == b.RawQuery && a.ForceQuery == b.ForceQuery},
	} {
		if !p.same {
			parts = append(parts, p.name)
		}
	}
	if strings.EqualFold(registered, sent) {
		return 1, "application.differs_case", where
	}
	if len(parts) == 0 {
		return 1, "application.differs_escape", where
	}
	if len(parts) > 1 {
		return 500, "application.differs_many", where
	}
	switch parts[0] {
	case "scheme":
		return 1, "application.differs_scheme", []any{a.Scheme, b.Scheme}
	case "port":
		return 2, "application.differs_port", []any{port(a), port(b)}
	case "host":
		return 4, "application.differs_host", []any{a.Hostname(), b.Hostname()}
	case "query":
		return 2, "application.differs_query", []any{question(a), question(b)}
	}
	if a.Path == b.Path {
		return 1, "application.differs_escape", where
	}
	return 3, "application.differs_path", where
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return ":" + p
	}
	return "–"
}

func question(u *url.URL) string {
	if u.RawQuery == "" && !u.ForceQuery {
		return "–"
	}
	return "?" + cut(u.RawQuery)
}

// first is where two addresses part, counted from 1, and how each goes on there.
func first(registered, sent string) (at int, want, got string) {
	a, b := []rune(registered), []rune(sent)
	for at < len(a) && at < len(b) && a[at] == b[at] {
		at++
	}
	return at + 1, rest(a[at:]), rest(b[at:])
}

func rest(r []rune) string {
	if len(r) == 0 {
		return "–"
	}
	return cut(string(r))
}

const shown = 24

func cut(s string) string {
	if utf8.RuneCountInString(s) <= shown {
		return s
	}
	return fmt.Sprintf("%s…", string([]rune(s)[:shown]))
}
