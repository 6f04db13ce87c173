package password

import (
	_ "embed"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"zunft/internal/ground/fault"
	"zunft/internal/identity/fold"
)

// A Rule says which passwords are good enough. It is a setting of the
// chamber (decision 3).
type Rule string

const (
	// Modern: at least twelve characters and nothing that is guessed first.
	// No rule of composition (ASVS 6.2.5, NIST SP 800-63B).
	Modern Rule = "modern"
	// Classic is the rule of the seed (R048): eight characters, upper and
	// lower case, digit and special character.
	Classic Rule = "classic"
)

// maxPassword in bytes: more than anybody types, too little to hurt.
const maxPassword = 256

// Hint is the phrase that stands at the field.
func (p Rule) Hint() string {
	if p == Classic {
		return "password.hint_classic"
	}
	return "password.hint_modern"
}

// Check says what is wrong with a password for somebody who is known by the
// given texts: user name, addresses, names. None of them may stand in it, nor
// may it be made of their words alone (ASVS 6.2.11).
func (p Rule) Check(plain string, about ...string) error {
	const field = "password"
	least := 12
	if p == Classic {
		least = 8
	}
	normal := norm.NFKC.String(plain)
	n := utf8.RuneCountInString(normal)
	switch {
	case plain == "":
		return fault.Invalid(field, "password.missing")
	case len(plain) > maxPassword:
		return fault.Invalid(field, "password.long", strconv.Itoa(maxPassword))
	case strings.ContainsFunc(plain, func(r rune) bool { return unicode.IsControl(r) || r == utf8.RuneError }):
		return fault.Invalid(field, "password.control")
	case n < least:
		return fault.Invalid(field, "password.short", strconv.Itoa(least))
	case p == Classic && !classes(normal):
		return fault.Invalid(field, "password.classes")
	case contains(normal, about):
		return fault.Invalid(field, "password.about_you")
	case guessable(normal, nil):
		return fault.Invalid(field, "password.common")
	case guessable(normal, wordsOf(about)):
		return fault.Invalid(field, "password.about_you")
	}
	return nil
}

// classes: upper and lower case, digit and special character (R048).
func classes(s string) bool {
	var upper, lower, digit, special bool
	for _, r := range s {
		switch {
		case unicode.IsUpper(r):
			upper = true
		case unicode.IsLower(r):
			lower = true
		case unicode.IsDigit(r):
			digit = true
		default:
			special = true
		}
	}
	return upper && lower && digit && special
}

func contains(plain string, about []string) bool {
	plain = fold.Login(plain)
	for _, text := range about {
		local, _, _ := strings.Cut(fold.Login(text), "@")
		if utf8.RuneCountInString(local) >= 4 && strings.Contains(plain, local) {
			return true
		}
	}
	return false
}

//go:embed common.txt
var commonFile string

var common = func() map[string]bool {
	all := map[string]bool{}
	for line := range strings.Lines(commonFile) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			all[line] = true
		}
	}
	return all
}()

// runs are what fingers type by themselves.
var runs = []string{"01234567890123456789", "qwertzuiopü", "qwertyuiop", "asdfghjklöä", "yxcvbnm", "zxcvbnm", "abcdefghijklmnopqrstuvwxyz", "1qay2wsx3edc4rfv", "1q2w3e4r5t6z7u8i9o0p", "1q2w3e4r5t6y7u8i9o0p"}

// wordsOf are the single words of texts that are known of somebody or of the
// place, as they stand in a password.
func wordsOf(texts []string) map[string]bool {
	all := map[string]bool{}
	for _, text := range texts {
		for word := range strings.FieldsFuncSeq(strings.ToLower(norm.NFKC.String(text)), func(r rune) bool { return !unicode.IsLetter(r) }) {
			if len(word) > 2 {
				all[word] = true
			}
		}
	}
	return all
}

// guessable: a word of the list (or one of more) with digits and signs around
// it, such words in a row, one short piece repeated, or a run of the keyboard.
func guessable(s string, more map[string]bool) bool {
	s = strings.ToLower(s)
	if common[s] || more[s] || repeats(s) {
		return true
	}
	core := strings.TrimFunc(s, func(r rune) bool { return !unicode.IsLetter(r) })
	plain := strings.TrimFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && r != '@' && r != '$' }) // signs around it are no letters
	plain = strings.NewReplacer("0", "o", "1", "i", "3", "e", "4", "a", "5", "s", "7", "t", "@", "a", "$", "s", "!", "i").Replace(plain)
	plain = strings.TrimFunc(plain, func(r rune) bool { return !unicode.IsLetter(r) })
	for _, c := range []string{core, plain} {
		if c != "" && (words(c, 3, more) || run(c)) {
			return true
		}
	}
	return run(strings.Trim(s, "!?.,-_*#+ "))
}

// words: c is up to n words of the list in a row, with nothing but digits and
// signs between them.
func words(c string, n int, more map[string]bool) bool {
	if c == "" {
		return true
	}
	if n == 0 {
		return false
	}
	for end := len(c); end > 2; end-- {
		if (common[c[:end]] || more[c[:end]]) && words(strings.TrimLeftFunc(c[end:], func(r rune) bool { return !unicode.IsLetter(r) }), n-1, more) {
			return true
		}
	}
	return false
}

// repeats: a piece of up to a third, again and again.
func repeats(s string) bool {
	for size := 1; size <= len(s)/3; size++ {
		if strings.HasPrefix(s, strings.Repeat(s[:size], len(s)/size)) && strings.HasPrefix(s[:size], s[len(s)/size*size:]) {
			return true
		}
	}
	return false
}

func run(s string) bool {
	if len(s) < 4 {
		return false
	}
	for _, r := range runs {
		if strings.Contains(r, s) || strings.Contains(reversed(r), s) {
			return true
		}
	}
	return false
}

func reversed(s string) string {
	runes := []rune(s)
	for i, j := 0, len(runes)-1; i < j; i, j = i+1, j-1 {
		runes[i], runes[j] = runes[j], runes[i]
	}
	return string(runes)
}
