package paper

import (
	"strings"
	"testing"
	"unicode"
)

func hostile() map[string]string {
	return map[string]string{
		"4000 without a blank": strings.Repeat("Donaudampfschiff", 250),
		"4000 hyphens":         strings.Repeat("-", 4000),
		"emoji":                "Servus 👩‍🍳🥨 und ✓ ☐ ẞ 🇩🇪",
		"control":              "a\x00b\x07c\x1b[31md\x7fe\u202Ef\u200Bg\u00ADh\r\ni\vj\u2028k",
		"right to left":        "שלום עולם مرحبا بالعالم",
		"not UTF-8":            "M\xfcller \xff\xfe\xed\xa0\x80",
		"PDF syntax":           ") Tj ET Q endstream endobj %%EOF \\( \\\\ << /JS >> (((",
		"marks without end":    "a" + strings.Repeat("\u0301\u0323", 500),
		"lines without end":    strings.Repeat("\n", 400) + "Ende",
		"blanks":               strings.Repeat(" ", 4000) + "Ende",
		"empty":                "",
		"Chinese":              strings.Repeat("漢字かな", 100),
		"beyond the plane":     "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 \U0010FFFF \uFFFE \uFFFF",
	}
}

// letterOf puts one text in every place of a letter.
func letterOf(s string) Letter {
	return Letter{
		Sender:  Sender{Name: s, ReturnLine: s, Lines: []string{s, s}, Footer: []string{s}},
		Remarks: []string{s}, To: []string{s, "Musterweg 1", s}, Subject: s,
		Info: [][2]string{{s, "x"}, {"x", s}}, Lang: s,
		Date: activation().Date,
		Blocks: []Block{
			Paragraph{Text: s},
			Paragraph{Text: s, Bold: true},
			Facts{{s, s}, {"Identnummer", s}},
			Facts{},
			nil,
			Code{s, s, s},
			QR{Text: s, Caption: s, Size: -3},
			QR{Text: "x", Caption: s, Size: 1e9},
			Steps{s, "zwei", s},
			Steps{},
		},
	}
}

func sheetOf(s string) Sheet {
	rows := [][]string{{s, s, s}, {s}, nil}
	return Sheet{
		Title: s, Subtitle: s, Author: s, Lang: s, Footer: s,
		Facts:    [][2]string{{s, s}, {"Name", s}},
		Sections: []Section{{s, s, &Table{Head: []string{s, s}, Rows: rows, Widths: []float64{-1, 1e300}}, s}, {Table: &Table{Rows: [][]string{make([]string, 40), {s}}}}, {Heading: s, Empty: s}, {Table: &Table{}}},
		Log:      []LogEntry{{s, s, s, s}}, Sign: []string{s, s, s}, QR: &QR{Text: s, Caption: s},
	}
}

func TestHostileInputMakesSoundPDF(t *testing.T) {
	for name, s := range hostile() {
		t.Run(name, func(t *testing.T) {
			tool(t, "qpdf", "--check", save(t, lettersPDF(t, letterOf(s))))
			tool(t, "qpdf", "--check", save(t, sheetPDF(t, sheetOf(s))))
		})
	}
}

// bare is text without the blanks and line ends that wrapping may change.
func bare(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
}

// textOf is the running text of the pages, or what stands at their edges.
func textOf(pages []page, edge bool) string {
	var b strings.Builder
	for _, p := range pages {
		for _, o := range p {
			if o.kind == opText && o.edge == edge {
				b.WriteString(bare(o.text))
			}
		}
	}
	return b.String()
}

// onPaper fails where something stands outside the sheet.
func onPaper(t *testing.T, pages []page, fs *faces) {
	t.Helper()
	for i, p := range pages {
		for _, o := range p {
			right, bottom := o.x+o.w, o.y+o.h
			if o.kind == opText {
				right, bottom = o.x+fs.widthOf(o.style, o.text), o.y
			}
			if o.kind == opQR {
				bottom = o.y + o.w
			}
			if o.x < 0 || o.y < 0 || right > 205 || bottom > 292 {
				t.Fatalf("page %d: %q from %.1f,%.1f to %.1f,%.1f leaves the paper", i+1, o.text, o.x, o.y, right, bottom)
			}
		}
	}
}

// Wherever a text is put, all of it comes out, in order, and on the paper.
func TestNothingIsLost(t *testing.T) {
	fs, err := loadFaces()
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range hostile() {
		want := bare(fs.clean(s))
		letters := map[string]Letter{
			"name":        {Sender: Sender{Name: s}},
			"return line": {Sender: Sender{ReturnLine: s}},
			"letterhead":  {Sender: Sender{Lines: []string{s}}},
			"foot":        {Sender: Sender{Footer: []string{s}}},
			"remarks":     {Remarks: []string{s}},
			"address":     {To: []string{"Firma", s}},
			"info":        {Info: [][2]string{{"Zeichen", s}}},
			"info label":  {Info: [][2]string{{s, "x"}}},
			"subject":     {Subject: s},
			"paragraph":   {Blocks: []Block{Paragraph{Text: s}}},
			"fact":        {Blocks: []Block{Facts{{"x", s}}}},
			"code":        {Blocks: []Block{Code{Value: s}}},
			"caption":     {Blocks: []Block{QR{Text: "x", Caption: s}}},
			"step":        {Blocks: []Block{Steps{s}}},
		}
		for place, l := range letters {
			pages := l.layout(fs)
			onPaper(t, pages, fs)
			if !strings.Contains(textOf(pages, false), want) && !strings.Contains(textOf(pages, true), want) {
				t.Errorf("%s in %s: not all of it is on the %d pages", name, place, len(pages))
			}
		}
		sheets := map[string]Sheet{
			"title":   {Title: s},
			"text":    {Sections: []Section{{Text: s}}},
			"heading": {Sections: []Section{{Heading: s}}},
			"empty":   {Sections: []Section{{Empty: s}}},
			"cell":    {Sections: []Section{{Table: &Table{Rows: [][]string{{s, ""}}}}}},
			"fact":    {Facts: [][2]string{{"", s}}},
			"log":     {Log: []LogEntry{{Note: s}}},
			"sign":    {Sign: []string{s}},
			"footer":  {Footer: s},
		}
		for place, sh := range sheets {
			pages := sh.layout(fs)
			onPaper(t, pages, fs)
			if !strings.Contains(textOf(pages, false), want) && !strings.Contains(textOf(pages, true), want) {
				t.Errorf("%s in the sheet's %s: not all of it is on the %d pages", name, place, len(pages))
			}
		}
	}
}

func TestClean(t *testing.T) {
	fs, err := loadFaces()
	if err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]string{
		"Groẞ":          "GroSS",
		"a\u0308":       "ä",
		"Nguyễn":        "Nguyên",
		"ﬁ":             "ﬁ",
		"Ａ":             "A",
		"🥨":             "[U+1F968]",
		"a\r\nb\rc":     "a\nb\nc",
		"a\tb\u00a0c":   "a b\u00a0c",
		"\u202Eabc\x00": "abc",
		"✓ fertig":      "√ fertig",
	} {
		if got := fs.clean(in); got != want {
			t.Errorf("clean(%q) = %q, want %q", in, got, want)
		}
	}
}

// FuzzLetter: whatever is written, a letter and a sheet come out, complete.
func FuzzLetter(f *testing.F) {
	for _, s := range hostile() {
		if r := []rune(s); len(r) > 200 {
			s = string(r[:200])
		}
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 2000 {
			return
		}
		fs, err := loadFaces()
		if err != nil {
			t.Fatal(err)
		}
		onPaper(t, letterOf(s).layout(fs), fs)
		onPaper(t, sheetOf(s).layout(fs), fs)
		small := Letter{Subject: s, Lang: s, Blocks: []Block{Paragraph{Text: s}}}
		if !strings.Contains(textOf(small.layout(fs), false), bare(fs.clean(s))) {
			t.Error("text was lost")
		}
		pdf := string(lettersPDF(t, small))
		if !strings.HasPrefix(pdf, "%PDF-1.") || !strings.HasSuffix(strings.TrimSpace(pdf), "%%EOF") {
			t.Error("not a whole PDF")
		}
	})
}
