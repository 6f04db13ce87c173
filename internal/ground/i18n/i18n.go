// Package i18n holds the phrases that people read, in German and English.
//
// Phrases are flat JSON files, phrases/de.json and phrases/en.json, beside the
// pages or rules that use them. A phrase takes its arguments by %s (or %[1]s);
// numbers and years that are names, not amounts, are passed as text. A phrase
// with a plural is {"one": "…", "other": "…"} and takes its first argument as
// the number.
package i18n

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"sort"
	"strings"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/message/catalog"
)

// Languages we speak; the first is the default.
var languages = []string{"de", "en"}

// Languages lists the language codes, default first.
func Languages() []string { return languages }

var matcher = language.NewMatcher([]language.Tag{language.German, language.English})

// Match picks the language for an Accept-Language header or ui_locales value.
func Match(preferences ...string) string {
	for _, p := range preferences {
		tags, _, err := language.ParseAcceptLanguage(strings.ReplaceAll(p, " ", ","))
		if err != nil || len(tags) == 0 {
			continue
		}
		if _, i, confidence := matcher.Match(tags...); confidence > language.No {
			return languages[i]
		}
	}
	return languages[0]
}

// A Catalog holds all phrases of one application.
type Catalog struct {
	texts    map[string]map[string]string // language → key → text, where there is no plural
	printers map[string]*message.Printer
	keys     map[string]bool
}

// Load reads phrases/*.json from each of the given folders. A key defined
// twice, missing in a language, or malformed is an error.
func Load(folders ...fs.FS) (*Catalog, error) {
	c := &Catalog{texts: map[string]map[string]string{}, printers: map[string]*message.Printer{}}
	b := catalog.NewBuilder(catalog.Fallback(language.German))
	seen := map[string]map[string]bool{}
	for _, lang := range languages {
		tag := language.MustParse(lang)
		c.texts[lang], seen[lang] = map[string]string{}, map[string]bool{}
		for _, folder := range folders {
			phrases, err := read(folder, lang)
			if err != nil {
				return nil, err
			}
			for key, p := range phrases {
				if seen[lang][key] {
					return nil, fmt.Errorf("phrase %s (%s) is defined twice", key, lang)
				}
				seen[lang][key] = true
				if p.text != "" {
					c.texts[lang][key] = p.text
					err = b.SetString(tag, key, p.text)
				} else {
					err = b.Set(tag, key, plural.Selectf(1, "", "=1", p.one, "other", p.other))
				}
				if err != nil {
					return nil, fmt.Errorf("phrase %s (%s): %w", key, lang, err)
				}
			}
		}
		c.printers[lang] = message.NewPrinter(tag, message.Catalog(b))
	}
	for _, lang := range languages[1:] {
		if missing := difference(seen[languages[0]], seen[lang]); len(missing) > 0 {
			return nil, fmt.Errorf("phrases without a %s text, or only there: %s", lang, strings.Join(missing, ", "))
		}
	}
	c.keys = seen[languages[0]]
	return c, nil
}

type phrase struct{ text, one, other string }

func (p *phrase) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, &p.text)
	}
	var forms struct{ One, Other string }
	err := json.Unmarshal(b, &forms)
	p.one, p.other = forms.One, forms.Other
	return err
}

func read(folder fs.FS, lang string) (map[string]phrase, error) {
	name := path.Join("phrases", lang+".json")
	b, err := fs.ReadFile(folder, name)
	if err != nil {
		return nil, err
	}
	phrases := map[string]phrase{}
	if err := json.Unmarshal(b, &phrases); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return phrases, nil
}

func difference(a, b map[string]bool) (d []string) {
	for k := range a {
		if !b[k] {
			d = append(d, k)
		}
	}
	for k := range b {
		if !a[k] {
			d = append(d, k)
		}
	}
	sort.Strings(d)
	return d
}

// Text is the phrase in a language. An unknown key is shown as itself: ugly,
// harmless, and found by the phrase test.
func (c *Catalog) Text(lang, key string, args ...any) string {
	texts, ok := c.texts[lang]
	if !ok {
		lang = languages[0]
		texts = c.texts[lang]
	}
	if text, ok := texts[key]; ok && len(args) == 0 {
		return strings.ReplaceAll(text, "%%", "%")
	}
	return c.printers[lang].Sprintf(key, said(lang, args)...)
}

// A Word is data that has a text per language, as the name of a role. As an
// argument it is said in the phrase's language.
type Word map[string]string

// said are arguments as a phrase needs them, also after they were kept as JSON:
// a Word is its text, and a number without a fraction counts.
func said(lang string, args []any) []any {
	args = slices.Clone(args)
	for i, a := range args {
		switch w := a.(type) {
		case Word:
			args[i] = cmp.Or(w[lang], w[languages[0]])
		case float64:
			if n := int(w); float64(n) == w {
				args[i] = n
			}
		case map[string]any:
			args[i] = w[languages[0]]
			if s, _ := w[lang].(string); s != "" {
				args[i] = s
			}
		}
	}
	return args
}

// Has reports whether there is such a phrase.
func (c *Catalog) Has(key string) bool { return c.keys[key] }

// Keys are all phrase keys.
func (c *Catalog) Keys() map[string]bool { return c.keys }
