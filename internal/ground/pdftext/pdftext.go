// Package pdftext reads the text of a PDF, line by line, as somebody would copy
// it: enough to take in what other programs printed, and nothing more.
//
// A file is hostile until shown otherwise. Objects are found by looking through
// the bytes, so nothing is followed that the file merely claims; every stream,
// object, page and letter counts against a bound, and nested parts against a
// depth. Of ISO 32000-1 it knows Flate streams, object streams, simple and
// composite fonts with a ToUnicode map or a Latin encoding, and form XObjects;
// pictures are nothing to read. docs/decisions/0023 says why this is ours.
package pdftext

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"regexp"
	"sort"
	"strconv"
	"strings"
)

// Bounds of one file.
const (
	maxFile    = 32 << 20
	maxObjects = 200_000
	maxStream  = 16 << 20 // unpacked
	maxTotal   = 64 << 20 // all streams together
	maxPages   = 2000
	maxDepth   = 40
	maxTokens  = 3_000_000
	maxText    = 8 << 20
)

// What cannot be read.
var (
	ErrNoPDF     = errors.New("no PDF")
	ErrEncrypted = errors.New("the PDF is encrypted")
	ErrTooMuch   = errors.New("the PDF holds too much")
	ErrNoText    = errors.New("the PDF holds no text")
)

// Read is the text of all pages, lines in the order of reading; cells that
// stand far apart are parted by a tab, pages by a form feed.
func Read(file []byte) (string, error) {
	if len(file) > maxFile {
		return "", ErrTooMuch
	}
	if !bytes.Contains(file[:min(len(file), 1024)], []byte("%PDF-")) {
		return "", ErrNoPDF
	}
	if bytes.Contains(file, []byte("/Encrypt ")) || bytes.Contains(file, []byte("/Encrypt<")) {
		return "", ErrEncrypted
	}
	d := &document{objects: map[int]any{}, unpacked: map[int][]byte{}, fonts: map[int]*font{}}
	d.find(file)
	pages := d.pages()
	var out strings.Builder
	for i, p := range pages {
		if i > 0 {
			out.WriteByte('\f')
		}
		out.WriteString(d.page(p))
		if d.err != nil {
			return "", d.err
		}
		if out.Len() > maxText {
			return "", ErrTooMuch
		}
	}
	text := out.String()
	if strings.TrimSpace(text) == "" {
		return "", ErrNoText
	}
	return text, nil
}

type (
	name string
	dict map[string]any
	ref  int
	str  []byte
	word string // an operator
)

// stream is an object with data.
type stream struct {
	dict
	raw []byte
}

type document struct {
	objects  map[int]any
	unpacked map[int][]byte
	fonts    map[int]*font
	total    int  // bytes unpacked so far
	tokens   int  // read so far, and other work of that size
	open     bool // a stream has no end
	err      error
}

var objForm = regexp.MustCompile(`(\d{1,9})[ \t\r\n]+\d{1,5}[ \t\r\n]+obj\b`)

// find collects all objects, those in object streams too. What stands later in
// the file is newer.
func (d *document) find(file []byte) {
	var packed []int
	for pos := 0; pos < len(file) && len(d.objects) < maxObjects; {
		m := objForm.FindSubmatchIndex(file[pos:])
		if m == nil {
			break
		}
		n, _ := strconv.Atoi(string(file[pos+m[2] : pos+m[3]]))
		l := &lexer{d: d, b: file, pos: pos + m[1]}
		v := l.value(0)
		if dd, is := v.(dict); is {
			if raw, end, has := l.data(dd); has {
				v, l.pos = stream{dd, raw}, end
				if dd["Type"] == name("ObjStm") {
					packed = append(packed, n)
				}
			}
		}
		d.objects[n] = v
		pos = max(l.pos, pos+m[1])
	}
	for _, n := range packed {
		d.unpack(n)
	}
}

// unpack reads the objects of an object stream (7.5.7).
func (d *document) unpack(n int) {
	s, is := d.objects[n].(stream)
	if !is {
		return
	}
	b := d.bytes(n, s)
	count, first := integer(s.dict["N"]), integer(s.dict["First"])
	if first < 0 || first > len(b) || count > maxObjects {
		return
	}
	head := &lexer{d: d, b: b[:first]}
	for range count {
		number, okN := head.value(0).(float64)
		offset, okO := head.value(0).(float64)
		at := first + int(offset)
		if !okN || !okO || offset < 0 || at < 0 || at >= len(b) || len(d.objects) >= maxObjects {
			return
		}
		if _, known := d.objects[int(number)]; !known {
			d.objects[int(number)] = (&lexer{d: d, b: b, pos: at}).value(0)
		}
	}
}

// get follows references, a few of them.
func (d *document) get(v any) any {
	for range 8 {
		r, is := v.(ref)
		if !is {
			return v
		}
		v = d.objects[int(r)]
	}
	return nil
}

func (d *document) dict(v any) dict {
	switch v := d.get(v).(type) {
	case dict:
		return v
	case stream:
		return v.dict
	}
	return nil
}

// bytes are the unpacked data of a stream; n is its number, or 0 for none.
func (d *document) bytes(n int, s stream) []byte {
	if b, done := d.unpacked[n]; done && n > 0 {
		return b
	}
	b := s.raw
	filters, _ := d.get(s.dict["Filter"]).([]any)
	if f, one := d.get(s.dict["Filter"]).(name); one {
		filters = []any{f}
	}
	params := d.dict(s.dict["DecodeParms"])
	for _, f := range filters {
		if d.get(f) != name("FlateDecode") && d.get(f) != name("Fl") {
			return nil // pictures, and what nobody prints text with
		}
		z, err := zlib.NewReader(bytes.NewReader(b))
		if err != nil {
			return nil
		}
		b, _ = io.ReadAll(io.LimitReader(z, maxStream+1)) // what is there of a broken stream is read
		d.total += len(b)
		if len(b) > maxStream || d.total > maxTotal {
			d.err = ErrTooMuch
			return nil
		}
		if integer(d.get(params["Predictor"])) >= 10 {
			b = png(b, max(1, integer(d.get(params["Columns"]))))
		}
	}
	if n > 0 {
		d.unpacked[n] = b
	}
	return b
}

// png undoes the predictors Sub and Up, which streams of references use.
func png(b []byte, columns int) []byte {
	if columns > 1<<16 {
		return nil
	}
	out := make([]byte, 0, len(b))
	before := make([]byte, columns)
	for len(b) > columns {
		row := bytes.Clone(b[1 : columns+1])
		for i := range row {
			switch b[0] {
			case 1:
				if i > 0 {
					row[i] += row[i-1]
				}
			case 2:
				row[i] += before[i]
			}
		}
		out, before, b = append(out, row...), row, b[columns+1:]
	}
	return out
}

// A leaf is a page with what it inherits.
type leaf struct {
	page      dict
	resources any
}

// pages walks the page tree; without one, pages come as they are numbered.
func (d *document) pages() []leaf {
	var all []leaf
	seen := map[int]bool{}
	var walk func(v any, resources any, depth int)
	walk = func(v any, resources any, depth int) {
		if r, is := v.(ref); is {
			if seen[int(r)] {
				return
			}
			seen[int(r)] = true
		}
		node := d.dict(v)
		if node == nil || depth > maxDepth || len(all) >= maxPages {
			return
		}
		if node["Resources"] != nil {
			resources = node["Resources"]
		}
		if kids, is := d.get(node["Kids"]).([]any); is {
			for _, k := range kids {
				walk(k, resources, depth+1)
			}
			return
		}
		all = append(all, leaf{node, resources})
	}
	numbers := make([]int, 0, len(d.objects))
	for n := range d.objects {
		numbers = append(numbers, n)
	}
	sort.Ints(numbers)
	for _, n := range numbers {
		if o := d.dict(d.objects[n]); o["Type"] == name("Catalog") {
			walk(o["Pages"], nil, 0)
		}
	}
	if len(all) == 0 {
		for _, n := range numbers {
			if o := d.dict(d.objects[n]); o["Type"] == name("Page") && len(all) < maxPages {
				all = append(all, leaf{o, o["Resources"]})
			}
		}
	}
	return all
}

// contents are a page's instructions: a stream, or several that go on.
func (d *document) contents(v any) []byte {
	var out []byte
	list, many := d.get(v).([]any)
	if !many {
		list = []any{v}
	}
	for _, one := range list {
		n := 0
		if r, is := one.(ref); is {
			n = int(r)
		}
		if s, is := d.get(one).(stream); is {
			out = append(append(out, d.bytes(n, s)...), '\n')
		}
		if d.total += len(out); len(out) > maxStream || d.total > maxTotal {
			d.err = ErrTooMuch
			return nil
		}
	}
	return out
}

func integer(v any) int {
	f, _ := v.(float64)
	if f < -1e9 || f > 1e9 || f != f {
		return 0
	}
	return int(f)
}

// page is the text of one page.
func (d *document) page(p leaf) string {
	b := &board{d: d, active: map[int]bool{}}
	b.run(d.contents(p.page["Contents"]), d.dict(p.resources), identity, 0)
	if d.tokens > maxTokens && d.err == nil {
		d.err = fmt.Errorf("instructions: %w", ErrTooMuch)
	}
	return b.text()
}
