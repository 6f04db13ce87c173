package company

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"zunft/internal/identity/fold"
)

// Reason says in what two values differ, for the desk to read out: a clerk who
// knows that only the suffix of the house number differs decides in seconds.
type Reason string

// Reasons of a spelling, and of a difference.
const (
	Case    Reason = "case"    // upper and lower case
	Signs   Reason = "signs"   // blanks, hyphens, full stops
	Letters Reason = "letters" // ä and ae, ß and ss, accents
	Short   Reason = "short"   // an abbreviation, a legal form written otherwise

	LegalForm Reason = "legal_form" // all but the legal form is the same
	Suffix    Reason = "suffix"     // the house number's suffix
	OneDigit  Reason = "one_digit"  // one digit is another, or two changed places
	Part      Reason = "part"       // one side says more
	Similar   Reason = "similar"
	Nothing   Reason = ""
)

// why reads the reason off two values and their folds.
func why(field string, f FieldMatch, a, l string) Reason {
	switch f.Verdict {
	case Spelling:
		return spelledHow(f.Applied, f.Listed)
	case Different:
		return differsHow(field, a, l)
	}
	return Nothing
}

func spelledHow(a, b string) Reason {
	a, b = norm.NFC.String(a), norm.NFC.String(b)
	switch {
	case strings.EqualFold(a, b):
		return Case
	case strings.EqualFold(bareLetters(a), bareLetters(b)):
		return Signs
	case joined(fold.Text(a)) == joined(fold.Text(b)) && strings.ContainsAny(a, "&+") == strings.ContainsAny(b, "&+"): // & is short for und
		return Letters
	}
	return Short
}

func bareLetters(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, s)
}

func differsHow(field, a, l string) Reason {
	switch field {
	case "name":
		if joined(bare(a)) == joined(bare(l)) {
			return LegalForm
		}
		return alike(a, l)
	case "street", "place":
		return alike(a, l)
	case "house_number":
		if n := leading(a); n != "" && n == leading(l) {
			return Suffix
		}
	case "postcode", "ident_number", "register_number":
		if oneSlip(a, l) {
			return OneDigit
		}
	}
	return Nothing
}

func alike(a, l string) Reason {
	if longer, shorter := a+" ", l+" "; strings.HasPrefix(longer, shorter) || strings.HasPrefix(shorter, longer) {
		return Part
	}
	if nearness(true, a, l) >= nearEnough {
		return Similar
	}
	return Nothing
}

// leading are the digits a house number begins with.
func leading(s string) string {
	i := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	if i < 0 {
		return s
	}
	return s[:i]
}

// oneSlip: of equal length, and one place differs or two neighbors changed places.
func oneSlip(a, b string) bool {
	if len(a) != len(b) || len(a) < 3 {
		return false
	}
	var at []int
	for i := range len(a) {
		if a[i] != b[i] {
			at = append(at, i)
		}
	}
	return len(at) == 1 || len(at) == 2 && at[1] == at[0]+1 && a[at[0]] == b[at[1]] && a[at[1]] == b[at[0]]
}
