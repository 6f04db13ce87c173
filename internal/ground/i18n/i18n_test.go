package i18n

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/fstest"
)

func folder(de, en string) fstest.MapFS {
	return fstest.MapFS{"phrases/de.json": {Data: []byte(de)}, "phrases/en.json": {Data: []byte(en)}}
}

func TestPhrases(t *testing.T) {
	c, err := Load(folder(`{"a":"Noch %d Zeichen, 100 %%","b":{"one":"ein Tag","other":"%d Tage"},"c":"Woche %s"}`, `{"a":"%d left, 100 %%","b":{"one":"one day","other":"%d days"},"c":"Week %s"}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct{ got, want string }{
		{c.Text("de", "a", 1300), "Noch 1.300 Zeichen, 100 %"},
		{c.Text("en", "a", 1300), "1,300 left, 100 %"},
		{c.Text("de", "b", 1), "ein Tag"},
		{c.Text("de", "b", 0), "0 Tage"},
		{c.Text("en", "b", 2), "2 days"},
		{c.Text("fr", "c", "2026"), "Woche 2026"},
		{c.Text("de", "unknown"), "unknown"},
	} {
		if x.got != x.want {
			t.Errorf("%q, want %q", x.got, x.want)
		}
	}
}

// A word with a text per language is said in the language of the phrase around
// it; so it is when the fault was kept as JSON meanwhile, as a list's rows are.
func TestWord(t *testing.T) {
	c, err := Load(folder(`{"a":"„%s“ und %s"}`, `{"a":"“%s” and %s"}`))
	if err != nil {
		t.Fatal(err)
	}
	args := []any{Word{"de": "Ausbilder:in", "en": "Trainer"}, Word{"de": "Prüfer:in", "en": ""}}
	kept, err := json.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	var later []any
	if err := json.Unmarshal(kept, &later); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]any{args, later, args} { // and is not used up
		if got := c.Text("de", "a", args...); got != "„Ausbilder:in“ und Prüfer:in" {
			t.Error(got)
		}
		if got := c.Text("en", "a", args...); got != "“Trainer” and Prüfer:in" {
			t.Error(got)
		}
	}
}

// A number that was kept as JSON chooses the plural, and is said as a whole one.
func TestNumberFromJSON(t *testing.T) {
	c, err := Load(folder(`{"b":{"one":"ein Tag","other":"%d Tage"}}`, `{"b":{"one":"one day","other":"%d days"}}`))
	if err != nil {
		t.Fatal(err)
	}
	var kept []any
	if err := json.Unmarshal([]byte(`[1, 1200]`), &kept); err != nil {
		t.Fatal(err)
	}
	if one, many := c.Text("de", "b", kept[0]), c.Text("de", "b", kept[1]); one != "ein Tag" || many != "1.200 Tage" {
		t.Error(one, many)
	}
}

func TestPhrasesThatDoNotFit(t *testing.T) {
	for says, folders := range map[string][]fstest.MapFS{
		"without a en text": {folder(`{"a":"x"}`, `{}`)},
		"only there":        {folder(`{}`, `{"a":"x"}`)},
		"twice":             {folder(`{"a":"x"}`, `{"a":"x"}`), folder(`{"a":"x"}`, `{"a":"x"}`)},
	} {
		var err error
		if len(folders) == 2 {
			_, err = Load(folders[0], folders[1])
		} else {
			_, err = Load(folders[0])
		}
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
}

func FuzzMatch(f *testing.F) {
	f.Add("de-DE,de;q=0.9,en;q=0.8")
	f.Add("*;q=")
	f.Fuzz(func(t *testing.T, header string) {
		if l := Match(header); l != "de" && l != "en" {
			t.Fatal(l)
		}
	})
}
