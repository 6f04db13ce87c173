package desk

import (
	"unicode"

	"zunft/internal/identity/chamber"
	"zunft/internal/identity/company"
)

// A Line compares one field of an application with the directory (R091).
type Line struct {
	Field           string
	Applied, Listed []Piece
	Verdict         company.Verdict
	Reason          company.Reason
	Certified       []Piece // what the certificate says, if there is one (R208)
	Certificate     company.Verdict
}

// Differs reports whether a clerk should look at it.
func (l Line) Differs() bool {
	return l.Verdict == company.Different || l.Certificate == company.Different
}

// Why is the reason as a phrase, or empty.
func (l Line) Why() string {
	if l.Reason == company.Nothing {
		return ""
	}
	return "desk.reason." + string(l.Reason)
}

// CertificateWord is the certificate's verdict as a phrase.
func (l Line) CertificateWord() string { return "desk.verdict." + string(l.Certificate) }

// certify adds what the certificate says to lines that compare application and
// directory; what differs from the directory is marked.
func certify(lines []Line, m company.Match) {
	for i := range lines {
		for _, f := range m.Fields {
			if f.Field != lines[i].Field {
				continue
			}
			lines[i].Certificate = f.Verdict
			certified, listed := worded(f)
			if f.Verdict == company.Missing || certified == listed {
				lines[i].Certified = plain(certified)
			} else {
				// certificates are in capitals: that is no difference to look at
				lines[i].Certified, _ = markBy(certified, listed, func(x, y rune) bool { return unicode.ToLower(x) == unicode.ToLower(y) })
			}
		}
	}
}

// worded writes keys of lists out: "gmbh" is what the list calls it.
func worded(f company.FieldMatch) (applied, listed string) {
	applied, listed = f.Applied, f.Listed
	var key, name func(string) string
	switch f.Field {
	case "legal_form":
		key, name = chamber.LegalFormKey, chamber.LegalFormLabel
	case "register_court":
		key, name = chamber.RegisterCourtKey, chamber.RegisterCourtLabel
	default:
		return applied, listed
	}
	if k := key(applied); k != "" {
		applied = name(k)
	}
	if k := key(listed); k != "" {
		listed = name(k)
	}
	return applied, listed
}

// Word is the verdict as a phrase.
func (l Line) Word() string { return "desk.verdict." + string(l.Verdict) }

// A Piece of a value; a marked one is not the same on the other side.
type Piece struct {
	Text string
	Mark bool
}

// beside writes a match out: keys of lists become their names, and what
// differs between two spellings is marked.
func beside(m company.Match) (all []Line) {
	for _, f := range m.Fields {
		if f.Applied == "" && f.Listed == "" {
			continue
		}
		l := Line{Field: f.Field, Verdict: f.Verdict, Reason: f.Reason}
		applied, listed := worded(f)
		if l.Verdict == company.Spelling && applied == listed {
			l.Verdict, l.Reason = company.Same, company.Nothing
		}
		if l.Verdict == company.Missing || applied == listed {
			l.Applied, l.Listed = plain(applied), plain(listed)
		} else {
			l.Applied, l.Listed = mark(applied, listed)
		}
		all = append(all, l)
	}
	return all
}

func plain(s string) []Piece {
	if s == "" {
		return nil
	}
	return []Piece{{Text: s}}
}

// mark finds the longest common subsequence of two short texts and marks the
// rest, joined where only a letter or two lie between.
func mark(a, b string) (left, right []Piece) {
	return markBy(a, b, func(x, y rune) bool { return x == y })
}

func markBy(a, b string, same func(x, y rune) bool) (left, right []Piece) {
	x, y := []rune(a), []rune(b)
	if len(x) > 300 || len(y) > 300 {
		return []Piece{{a, true}}, []Piece{{b, true}}
	}
	length := make([][]int16, len(x)+1)
	for i := range length {
		length[i] = make([]int16, len(y)+1)
	}
	for i := len(x) - 1; i >= 0; i-- {
		for j := len(y) - 1; j >= 0; j-- {
			if same(x[i], y[j]) {
				length[i][j] = length[i+1][j+1] + 1
			} else {
				length[i][j] = max(length[i+1][j], length[i][j+1])
			}
		}
	}
	inX, inY := make([]bool, len(x)), make([]bool, len(y))
	for i, j := 0, 0; i < len(x) && j < len(y); {
		switch {
		case same(x[i], y[j]):
			inX[i], inY[j] = true, true
			i, j = i+1, j+1
		case length[i+1][j] >= length[i][j+1]:
			i++
		default:
			j++
		}
	}
	return pieces(x, inX), pieces(y, inY)
}

func pieces(text []rune, common []bool) (all []Piece) {
	for i := 0; i < len(text); { // an island of one or two letters is no help
		j := i
		for j < len(text) && common[j] == common[i] {
			j++
		}
		if common[i] && j-i <= 2 && i > 0 && j < len(text) {
			for k := i; k < j; k++ {
				common[k] = false
			}
		}
		i = j
	}
	for i := 0; i < len(text); {
		j := i
		for j < len(text) && common[j] == common[i] {
			j++
		}
		all = append(all, Piece{string(text[i:j]), !common[i]})
		i = j
	}
	return all
}
