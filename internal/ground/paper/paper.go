// Package paper makes what leaves the portals on paper: letters (DIN 5008,
// form B), documents of a few pages, and QR codes for paper and screen. It is a
// tool and knows no chamber: names, texts and codes come from whoever calls.
//
// Policy:
//   - Geometry first. A letter fits the window envelope whatever is written in
//     it: address field 85 × 45 mm at x=20 y=45, fold marks at 105 and 210 mm,
//     hole mark at 148.5 mm, information block from x=125 y=50, subject at 98.4.
//   - Nothing is lost. What does not fit where it belongs is shortened there
//     with "…" and printed in full in the body; long text runs on over pages.
//     Characters without a glyph are printed as the nearest letter or as their
//     number ("[U+1F600]"); only control characters go.
//   - The same input gives the same bytes; the date in the file is the date of
//     the letter, never the clock. So a reprint can be compared.
//   - A code in clear passes through here and stays nowhere: there are no
//     caches, no temporary files and no log lines in this package.
package paper

import "time"

// Sender is who writes: what stands at the head and foot of each page.
type Sender struct {
	Name       string   // large, top left; also the author in the file's properties
	ReturnLine string   // small, above the address in the window
	Lines      []string // letterhead, top right
	Footer     []string // small, at the foot of each page
}

// Letter is one letter of one or more pages.
type Letter struct {
	Sender  Sender
	Remarks []string    // endorsements above the address, "Persönlich"; at most three lines
	To      []string    // the address, line by line, no empty lines
	Date    time.Time   // printed TT.MM.JJJJ, in its own location
	Info    [][2]string // information block: label, value; the date follows by itself
	Subject string
	Blocks  []Block
	Lang    string // "de-DE" when empty
}

// Block is one piece of a letter's body.
type Block interface{ put(f *flow) }

// Paragraph is running text; line breaks in it are kept.
type Paragraph struct {
	Text string
	Bold bool
}

// Facts is a small table of label and value.
type Facts [][2]string

// Code is a code in large type in a box of its own. On the first page of a
// letter it stands between the fold marks and never on a fold.
type Code struct {
	Label   string // above, "Ihr Aktivierungskennwort"
	Value   string // as it is to be typed; see Group
	Caption string // below, "Gültig bis 20.01.2027"
}

// QR is a QR code with a caption beside it. A text that is too long for a QR
// code is printed as text.
type QR struct {
	Text    string
	Size    float64 // mm, 18 to 80; 28 when zero
	Caption string
}

// Steps is a numbered list.
type Steps []string

// Group writes a code in groups of n characters, joined by hyphens, the way
// people read and type it: Group("K7M4P2XR9TQ8", 4) = "K7M4-P2XR-9TQ8".
// Hyphens and blanks already in it are dropped.
func Group(code string, n int) string {
	var out []rune
	var count int
	for _, r := range code {
		if r == '-' || r == ' ' {
			continue
		}
		if n > 0 && count > 0 && count%n == 0 {
			out = append(out, '-')
		}
		out = append(out, r)
		count++
	}
	return string(out)
}
