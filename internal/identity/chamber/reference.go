package chamber

import (
	_ "embed"
	"regexp"
	"slices"
	"strings"
	"sync"

	"zunft/internal/identity/fold"
)

//go:embed data/rechtsformen.csv
var legalFormFile string

//go:embed data/registergerichte.csv
var registerCourtFile string

//go:embed data/registerarten.csv
var registerKindFile string

// LegalForm is an entry of the select list (R075).
type LegalForm struct {
	Key      string
	Label    string // German: legal forms have no English name
	Register string // usual register kind, empty if none or any
	Expected bool   // such a company is usually registered
}

// RegisterCourt is an entry of the select list (R083); Key is its XJustiz code.
type RegisterCourt struct{ Key, Label, State string }

// RegisterKind is an entry of the select list (R084), e.g. HRB.
type RegisterKind struct{ Key, Label, Example string }

var legalForms = sync.OnceValue(func() (all []LegalForm) {
	for _, r := range table("rechtsformen.csv", legalFormFile, 6) {
		register := strings.TrimSuffix(r[4], "?")
		if register == "none" || register == "any" {
			register = ""
		}
		all = append(all, LegalForm{Key: r[0], Label: r[1], Register: register, Expected: r[5] == "1"})
	}
	return all
})

var registerCourts = sync.OnceValue(func() (all []RegisterCourt) {
	for _, r := range table("registergerichte.csv", registerCourtFile, 4) {
		all = append(all, RegisterCourt{Key: r[0], Label: r[1], State: r[2]})
	}
	return all
})

var registerKinds = sync.OnceValue(func() (all []RegisterKind) {
	for _, r := range table("registerarten.csv", registerKindFile, 6) {
		if r[2] != "" {
			all = append(all, RegisterKind{Key: r[2], Label: r[1], Example: r[4]})
		}
	}
	return all
})

// LegalForms is the select list in its own order (R075).
func LegalForms() []LegalForm { return slices.Clone(legalForms()) }

// RegisterCourts is the select list (R083).
func RegisterCourts() []RegisterCourt { return slices.Clone(registerCourts()) }

// RegisterKinds is the select list (R084): HRA, HRB, GnR, GsR, PR, VR.
func RegisterKinds() []RegisterKind { return slices.Clone(registerKinds()) }

var legalFormKeys = sync.OnceValue(func() map[string]string {
	keys := map[string]string{}
	for _, f := range legalForms() {
		long, short, _ := strings.Cut(strings.TrimSuffix(f.Label, ")"), " (")
		for _, s := range append([]string{f.Key, f.Label, long}, strings.Split(short, ",")...) {
			if s = fold.Name(s); s != "" && keys[s] == "" {
				keys[s] = f.Key
			}
		}
	}
	for spelling, key := range map[string]string{ // what directories write besides
		"Einzelunternehmen": "einzel_nicht_eingetragen", "Einzelfirma": "einzel_nicht_eingetragen", "Kleingewerbe": "einzel_nicht_eingetragen",
		"e. K.": "ek", "GmbH & Co. KG": "gmbh_co_kg", "UG & Co. KG": "ug_co_kg", "AG & Co. KG": "ag_co_kg", "GmbH & Co. OHG": "gmbh_co_ohg", "gGmbH": "gmbh",
		"PartG": "partg", "PartG mbB": "partg", "UG": "ug", "Stiftung": "stiftung", "AöR": "aoer", "KdöR": "kdoer", "Eigenbetrieb": "eigenbetrieb",
	} {
		keys[fold.Name(spelling)] = key
	}
	return keys
})

// LegalFormKey finds the list's key for what somebody or some directory wrote;
// empty if it is none of ours.
func LegalFormKey(s string) string {
	if s == "" {
		return ""
	}
	if k, ok := legalFormKeys()[s]; ok {
		return k
	}
	return legalFormKeys()[fold.Name(s)]
}

// LegalFormLabel is what people read for a key; a text that is no key is its own label.
func LegalFormLabel(key string) string {
	for _, f := range legalForms() {
		if f.Key == key {
			return f.Label
		}
	}
	return key
}

var courtKeys = sync.OnceValue(func() map[string]string {
	keys := map[string]string{}
	for _, c := range registerCourts() {
		for _, s := range []string{c.Key, c.Label} {
			if f := FoldCourt(s); keys[f] == "" {
				keys[f] = c.Key
			}
		}
	}
	return keys
})

// FoldCourt folds a court's name: "AG Stuttgart", "Amtsgericht Stuttgart" and "Stuttgart" are one.
func FoldCourt(s string) string {
	s = fold.Text(s)
	for _, prefix := range []string{"amtsgericht ", "ag ", "registergericht "} {
		s = strings.TrimPrefix(s, prefix)
	}
	return s
}

// RegisterCourtKey finds the XJustiz code for a court's name; empty if unknown.
func RegisterCourtKey(s string) string {
	if strings.TrimSpace(s) == "" {
		return ""
	}
	return courtKeys()[FoldCourt(s)]
}

// RegisterCourtLabel is what people read for a code; a text that is no code is its own label.
func RegisterCourtLabel(key string) string {
	for _, c := range registerCourts() {
		if c.Key == key {
			return c.Label
		}
	}
	return key
}

var registerNumber = regexp.MustCompile(`^(?:(HRA|HRB|GNR|GR|GSR|PR|VR)\s*)?0*([1-9][0-9]{0,5})\s*([A-ZÖ]{1,3})?$`)

// blanks are what people put between the digits of a number: "HRB 12.345", "HRB 20 11".
var blanks = regexp.MustCompile(`[\s.]+`)

// FoldRegisterNumber parts "HRB 12345 B" into its kind (empty if not written)
// and number "12345B" (domain 2.5). ok is false for anything else.
func FoldRegisterNumber(s string) (kind, number string, ok bool) {
	m := registerNumber.FindStringSubmatch(strings.ToUpper(blanks.ReplaceAllString(s, "")))
	if m == nil {
		return "", "", false
	}
	return RegisterKindKey(m[1]), m[2] + m[3], true
}

var registerKindKeys = sync.OnceValue(func() map[string]string {
	keys := map[string]string{"gr": "GnR"}
	for _, k := range registerKinds() {
		keys[fold.Text(k.Key)], keys[fold.Text(k.Label)] = k.Key, k.Key
	}
	return keys
})

// RegisterKindKey finds the list's key for a register kind: ELSTER says GR for GnR.
func RegisterKindKey(s string) string { return registerKindKeys()[fold.Text(s)] }
