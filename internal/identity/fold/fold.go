// Package fold says when two spellings are one: of a company's name, its
// address and its numbers. That is what "exact after normalization" means (W06).
//
// People write from memory, the eID writes HEIDESTRAẞE in capitals, and
// registers abbreviate; none of that is a different company. A fold never
// guesses: where two spellings could be two companies, they stay apart. Every
// fold is idempotent, so a folded text may be stored and folded again.
package fold

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"zunft/internal/ground/plain"
)

// Version belongs to every stored company key: raise it when a rule in
// this file changes, and the next import renews the keys of unchanged rows.
const Version = "2"

// Text brings a text to lower-case words, see ground's plain.
func Text(s string) string { return plain.Text(s) }

// spellings of legal forms under their last word, the longer of two first.
// They apply as soon as their last word is read, and again to what they made:
// "Gesellschaft" "mit beschränkter Haftung" is "Gesellschaft" "mbH" is "GmbH".
var spellings = byLastWord(
	"g m b h = gmbh", "m b h = mbh", "g mbh = gmbh", "mit beschraenkter haftung = mbh", "gesellschaft mbh = gmbh", "gemeinnuetzige gmbh = ggmbh", "g gmbh = ggmbh",
	"mit beschr haftung = mbh", "ges mbh = gmbh", "gesell mbh = gmbh", "gem gmbh = ggmbh",
	"unternehmergesellschaft = ug", "unternehmerges = ug", "u g = ug", "ug haftungsbeschraenkt = ug", "ug haftungsbeschr = ug",
	"kommanditgesellschaft = kg", "kommanditges = kg", "k g = kg", "kg auf aktien = kgaa", "kg a a = kgaa",
	"v v a g = vvag", "versicherungsverein auf gegenseitigkeit = vvag", "aktiengesellschaft = ag", "aktienges = ag", "a g = ag",
	"offene handelsgesellschaft = ohg", "o h g = ohg",
	"gesellschaft buergerlichen rechts = gbr", "g b r = gbr", "eingetragene gbr = egbr", "e gbr = egbr",
	"eingetragener kaufmann = ek", "eingetragene kauffrau = ek", "eingetr kaufmann = ek", "eingetr kauffrau = ek", "e kaufmann = ek", "e kauffrau = ek", "e kffr = ek", "e k = ek", "e kfm = ek", "e kfr = ek", "ekfm = ek", "ekfr = ek",
	"eingetragene genossenschaft = eg", "e g = eg", "eingetragener verein = ev", "e v = ev",
	"partnerschaftsgesellschaft = partg", "mit beschraenkter berufshaftung = mbb", "m b b = mbb", "partg mbb = partgmbb",
	"europaeische gesellschaft = se", "societas europaea = se", "s e = se",
	"cokg = co kg", "coohg = co ohg", "und co = co", "und compagnie = co", "und cie = co", "co co = co",
	"gebr = gebrueder", "geschw = geschwister",
)

type spelling struct{ from, to []string }

func byLastWord(rules ...string) map[string][]spelling {
	all := map[string][]spelling{}
	for _, rule := range rules {
		from, to, _ := strings.Cut(rule, " = ")
		s := spelling{strings.Fields(from), strings.Fields(to)}
		last := s.from[len(s.from)-1]
		all[last] = append(all[last], s)
	}
	return all
}

// Name folds a company's name: "Muster Gesellschaft mit beschränkter
// Haftung & Co. Kommanditgesellschaft" is "MUSTER GmbH u. Co KG".
func Name(s string) string {
	w := plain.Words(s)
	out := make([]string, 0, len(w)+2)
	for _, word := range w {
		out = read(out, word)
	}
	return strings.Join(out, " ")
}

// read appends a word to what is folded already. What it returns reads the
// same when read again, which makes Name idempotent.
func read(out []string, word string) []string {
	if n := len(out); n > 1 && out[n-1] == "u" && word != "g" { // "u." between words; "U. Muster" is a first name
		out[n-1] = "und"
	}
	out = append(out, word)
	for _, rule := range spellings[word] {
		if rest := len(out) - len(rule.from); rest >= 0 && slices.Equal(out[rest:], rule.from) {
			out = out[:rest]
			for _, t := range rule.to {
				out = read(out, t)
			}
			break
		}
	}
	return out
}

// streetEnds are written apart, with a hyphen or in one word.
var streetEnds = []string{"strasse", "platz", "allee", "gasse", "weg", "ring", "damm", "chaussee", "ufer", "pfad"}

// streetWords are abbreviated on plates and in registers.
var streetWords = map[string]string{"st": "sankt", "pl": "platz", "dr": "doktor", "prof": "professor", "bgm": "buergermeister", "buergerm": "buergermeister", "gebr": "gebrueder"}

// Street folds a street without its house number: "Karl-Marx-Str." is
// "Karl Marx Straße", "Bäcker Str." is "Bäckerstraße".
func Street(s string) string {
	var out strings.Builder
	for _, w := range plain.Words(s) {
		if long := streetWords[w]; long != "" {
			w = long
		} else if strings.HasSuffix(w, "str") {
			w += "asse"
		} else if strings.HasSuffix(w, "pl") {
			w += "atz"
		}
		if out.Len() > 0 && !slices.Contains(streetEnds, w) {
			out.WriteByte(' ')
		}
		out.WriteString(w)
	}
	return out.String()
}

// SplitStreet parts "Musterstr. 12 a" into street and house number; a street
// such as "Straße des 17. Juni" has none. It changes nothing but blanks.
func SplitStreet(s string) (street, house string) {
	f := strings.Fields(s)
	for i := 1; i < len(f); i++ {
		if c := f[i][0]; c < '0' || c > '9' {
			continue
		}
		if strings.HasSuffix(f[i], ".") || !houseTail(f[i:]) {
			continue
		}
		return strings.Join(f[:i], " "), strings.Join(f[i:], " ")
	}
	return strings.Join(f, " "), ""
}

// houseTail: everything from here on is part of a number: digits, single
// letters, dashes, and words such as "Haus" and "Hinterhaus".
func houseTail(f []string) bool {
	for i, w := range f {
		if _, known := houseWords[Text(w)]; known {
			continue
		}
		run := 0
		for _, r := range w {
			if unicode.IsLetter(r) {
				run++
			}
		}
		if run > 1 || i > 4 {
			return false
		}
	}
	return true
}

// Place folds a town's name. "Frankfurt a. M." stays apart from
// "Frankfurt am Main": the postcode says more than a guess would.
func Place(s string) string { return Text(s) }

// Postcode drops blanks and a leading country letter: "D-70174" is 70174.
func Postcode(s string) string {
	p := strings.Join(plain.Words(s), "")
	if rest := strings.TrimPrefix(strings.TrimPrefix(p, "d"), "e"); len(rest) == 5 && Digits(rest) {
		return rest
	}
	return p
}

// Digits reports whether s is made of the digits 0 to 9, at least one.
func Digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// Ident brings an ident number (= Mitgliedsnummer, R086, W21) to its
// digits without leading zeros. Nine digits that end in the number of the
// chamber are the long form and lose that end (domain 2.2); both sides of a
// comparison pass here, so a plain nine-digit number still meets itself.
// Anything else than 1 to 10 digits is not an ident number.
func Ident(s, chamberNumber string) (string, bool) {
	s = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '-' || r == '/' {
			return -1
		}
		return r
	}, norm.NFKC.String(s))
	if len(s) > 10 || !Digits(s) {
		return "", false
	}
	if len(s) == 9 && len(chamberNumber) == 3 && strings.HasSuffix(s, chamberNumber) {
		s = s[:6]
	}
	s = strings.TrimLeft(s, "0")
	return s, s != ""
}

// CompanyKey is what two spellings of one company have in common: folded
// name, street, house number and postcode. It is empty, and equals nothing,
// when one of name, street or postcode is.
func CompanyKey(name, street, house, postcode string) string {
	if strings.TrimSpace(house) == "" {
		street, house = SplitStreet(street)
	}
	n, s, p := Name(name), Street(street), Postcode(postcode)
	if n == "" || s == "" || p == "" {
		return ""
	}
	key := n + "|" + s + "|" + HouseNumber(house) + "|" + p
	if len(key) > longestKey { // some characters fold to eighteen others, and PostgreSQL indexes 2,700 bytes
		sum := sha256.Sum256([]byte(key))
		return hex.EncodeToString(sum[:]) + "|||" + p
	}
	return key
}

const longestKey = 1000 // bytes
