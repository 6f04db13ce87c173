package occupation

import (
	"regexp"
	"strings"
	"testing"
)

// R224: all occupations are there, each under one key, and no spelling of one
// means another.
func TestList_R224(t *testing.T) {
	if len(list) != 324 || len(byKey) != 324 {
		t.Fatalf("%d occupations, %d keys", len(list), len(byKey))
	}
	form := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	for _, o := range All() {
		if !form.MatchString(o.Key) || o.Name == "" || strings.TrimSpace(o.Name) != o.Name || o.Months < 0 || o.Months > 42 {
			t.Errorf("%+v", o)
		}
		for _, text := range []string{o.Key, o.Name, strings.ToUpper(o.Name), o.Name + " (m/w/d)", strings.ReplaceAll(o.Name, "/-", ":"), strings.ReplaceAll(o.Name, "/-", "*")} {
			if got, ok := Find(text); !ok || got.Key != o.Key {
				t.Errorf("%q is %q, wanted %q", text, got.Key, o.Key)
			}
		}
		if Name(o.Key) != o.Name {
			t.Errorf("name of %s", o.Key)
		}
	}
	seen := map[string]string{}
	for _, o := range list {
		key := strings.Join(o.words, " ")
		if seen[key] != "" {
			t.Errorf("%s and %s are the same word for word", seen[key], o.Key)
		}
		seen[key] = o.Key
	}
}

// Names are found as people write them.
func TestFind(t *testing.T) {
	for text, want := range map[string]string{
		"Bäckerin": "baecker", "Baecker/in": "baecker", "Bäcker und Bäckerin": "baecker", " bäcker ": "baecker", "BÄCKER (M/W/D)": "baecker",
		"Kauffrau für Büromanagement": "kaufmann-fuer-bueromanagement", "Kaufmann/frau für Büromanagement": "kaufmann-fuer-bueromanagement",
		"Köchin": "koch", "Zimmerin": "zimmerer", "Steuerfachangestellte": "steuerfachangestellter", "Steuerfachangestellter": "steuerfachangestellter",
		"Fachinformatikerin, Fachrichtung Anwendungsentwicklung": "fachinformatiker", "Fachinformatiker/-in Anwendungsentwicklung": "", "Mechatroniker:in": "mechatroniker",
		"Medizinische Fachangestellte": "medizinischer-fachangestellter", "Technische Produktdesignerin": "technischer-produktdesigner", "Weintechnologin": "weintechnologe",
		"Astronaut": "", "": "", strings.Repeat("Bäcker ", 100): "", "fachkraft-fuer-lagerlogistik": "fachkraft-fuer-lagerlogistik",
	} {
		if got, ok := Find(text); got.Key != want || ok != (want != "") {
			t.Errorf("%q is %q, wanted %q", text, got.Key, want)
		}
	}
	if got := Search("büro", 10); len(got) != 1 || got[0].Key != "kaufmann-fuer-bueromanagement" {
		// its words begin so, others' hold it inside
		t.Errorf("büro: %v", got)
	}
	if got := Search("fachkraft lager", 10); len(got) != 1 || got[0].Months == 0 {
		t.Errorf("fachkraft lager: %v", got)
	}
	if len(Search("me", 5)) != 5 || Search("", 5) != nil || Name("gone") != "gone" || Name("") != "" {
		t.Error("search is not bounded")
	}
}

func FuzzFind(f *testing.F) {
	for _, s := range []string{"Bäcker/-in", "K\xff", "(((", "und und", "in"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if o, ok := Find(s); ok && o.Key == "" {
			t.Error("found nothing")
		}
		Search(s, 3)
	})
}
