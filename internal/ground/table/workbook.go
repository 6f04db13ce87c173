package table

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"path"
	"strconv"
	"strings"
	"unicode/utf16"

	"zunft/internal/ground/fault"
)

// Workbooks (Office Open XML, ISO/IEC 29500-1): the texts and numbers of the
// first sheet that is not hidden, and nothing else. docs/decisions/0024 says why
// this is ours. A file of ours is hostile until shown otherwise: every part is
// read through a limit, so that a zip bomb costs a second and not the machine,
// and nothing is ever unpacked to disk. encoding/xml expands no entities of
// the file's own, and what refers to elsewhere is not followed.

const (
	maxSheet   = 48 << 20 // bytes of the sheet, unpacked
	maxStrings = 24 << 20 // of the shared strings
	maxSmall   = 4 << 20  // of the workbook and its relations
	maxShared  = 400_000  // shared strings
)

var (
	errBomb  = errors.New("more than a list can be")
	errSheet = errors.New("no workbook")
)

// A taste is how much of a cell is read, and how it is kept.
type taste struct {
	most int // bytes
	kept func(string) string
}

var (
	words = taste{8 * maxCell, Clean}
	texts = taste{64 << 10, func(s string) string { return strings.TrimSpace(strings.ToValidUTF8(s, "\uFFFD")) }}
)

// Texts reads the rows of the first sheet that is shown, cells as long as they
// are (64 KB at most) and with their lines; callers clean them. A date is the
// number of days since 30.12.1899, a time of day a part of one.
func Texts(file []byte) ([]Line, error) {
	if len(file) > MaxFile {
		return nil, fault.Invalid("file", "table.large", MaxFile>>20)
	}
	return readWorkbook(file, texts)
}

// readWorkbook reads the rows of the first sheet that is shown.
func readWorkbook(file []byte, k taste) ([]Line, error) {
	rows, err := workbookRows(file, k)
	switch {
	case err == nil:
		return rows, nil
	case fault.Of(err) != nil:
		return nil, err
	case errors.Is(err, errBomb):
		return nil, fault.Invalid("file", "table.unpacked")
	}
	return nil, fault.Invalid("file", "table.sheet_broken")
}

func workbookRows(file []byte, k taste) ([]Line, error) {
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return nil, err
	}
	sheet, err := firstSheet(z)
	if err != nil {
		return nil, err
	}
	shared, err := sharedStrings(z, k)
	if err != nil {
		return nil, err
	}
	return sheetRows(z, sheet, shared, k)
}

// part opens one part of the package, bounded. Names are compared without
// case, as the standard says (ISO/IEC 29500-2, 6.2.2.3).
func part(z *zip.Reader, name string, most int64) (*xml.Decoder, func(), error) {
	for _, f := range z.File {
		if !strings.EqualFold(strings.TrimPrefix(f.Name, "/"), name) {
			continue
		}
		if f.UncompressedSize64 > uint64(most) {
			return nil, nil, errBomb
		}
		r, err := f.Open()
		if err != nil {
			return nil, nil, err
		}
		d := xml.NewDecoder(&bounded{r, most}) // what the header says may be a lie
		d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
		return d, func() { r.Close() }, nil
	}
	return nil, nil, errSheet
}

type bounded struct {
	r    io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errBomb
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// firstSheet is the part that holds the first sheet that is shown.
func firstSheet(z *zip.Reader) (string, error) {
	book := "xl/workbook.xml"
	var relations map[string]string
	if r, err := relationsOf(z, "_rels/.rels", ""); err == nil {
		for _, target := range r.byType("/officeDocument") {
			book = target
		}
	}
	r, err := relationsOf(z, path.Join(path.Dir(book), "_rels", path.Base(book)+".rels"), path.Dir(book))
	if err != nil {
		return "", err
	}
	relations = r.targets
	d, end, err := part(z, book, maxSmall)
	if err != nil {
		return "", err
	}
	defer end()
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return "", errSheet
		}
		if err != nil {
			return "", err
		}
		e, ok := t.(xml.StartElement)
		if !ok || e.Name.Local != "sheet" {
			continue
		}
		if state := attribute(e, "state"); state == "hidden" || state == "veryHidden" {
			continue
		}
		for _, a := range e.Attr { // r:id; the sheet has no other id in a namespace
			if target := relations[a.Value]; a.Name.Local == "id" && target != "" {
				return target, nil
			}
		}
	}
}

type relations struct {
	targets map[string]string // id → part
	types   map[string]string // id → type
}

func (r relations) byType(suffix string) (parts []string) {
	for id, t := range r.types {
		if strings.HasSuffix(t, suffix) {
			parts = append(parts, r.targets[id])
		}
	}
	return parts
}

func relationsOf(z *zip.Reader, name, folder string) (relations, error) {
	r := relations{map[string]string{}, map[string]string{}}
	d, end, err := part(z, name, maxSmall)
	if err != nil {
		return r, err
	}
	defer end()
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return r, nil
		}
		if err != nil {
			return r, err
		}
		if e, ok := t.(xml.StartElement); ok && e.Name.Local == "Relationship" && attribute(e, "TargetMode") != "External" {
			target := attribute(e, "Target")
			if !strings.HasPrefix(target, "/") {
				target = path.Join("/", folder, target)
			}
			id := attribute(e, "Id")
			r.targets[id], r.types[id] = strings.TrimPrefix(path.Clean(target), "/"), attribute(e, "Type")
		}
	}
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// sharedStrings are the texts that cells refer to by number; a workbook
// without texts has none.
func sharedStrings(z *zip.Reader, k taste) ([]string, error) {
	d, end, err := part(z, "xl/sharedStrings.xml", maxStrings)
	if errors.Is(err, errSheet) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer end()
	var all []string
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		if e, ok := t.(xml.StartElement); ok && e.Name.Local == "si" {
			s, err := richText(d, "si", k)
			if err != nil {
				return nil, err
			}
			if all = append(all, s); len(all) > maxShared {
				return nil, errBomb
			}
		}
	}
}

// richText joins the runs of a text up to the end of its element, without the
// reading aids above East Asian text (rPh).
func richText(d *xml.Decoder, element string, k taste) (string, error) {
	var b strings.Builder
	inText, aid := false, 0
	for {
		t, err := d.Token()
		if err != nil {
			return "", err
		}
		switch t := t.(type) {
		case xml.StartElement:
			inText = t.Name.Local == "t"
			if t.Name.Local == "rPh" {
				aid++
			}
		case xml.EndElement:
			inText = false
			switch t.Name.Local {
			case "rPh":
				aid--
			case element:
				return k.kept(escapes(b.String())), nil
			}
		case xml.CharData:
			if inText && aid == 0 && b.Len() < k.most {
				b.Write(t)
			}
		}
	}
}

// escapes resolves "_x000D_", the standard's way to write characters that XML
// cannot hold (ST_Xstring).
func escapes(s string) string {
	before, rest, is := strings.Cut(s, "_x")
	if !is {
		return s
	}
	var b strings.Builder
	for ; is; before, rest, is = strings.Cut(rest, "_x") {
		b.WriteString(before)
		if len(rest) > 4 && rest[4] == '_' {
			if n, err := strconv.ParseUint(rest[:4], 16, 16); err == nil {
				b.WriteString(string(utf16.Decode([]uint16{uint16(n)})))
				rest = rest[5:]
				continue
			}
		}
		b.WriteString("_x")
	}
	b.WriteString(before)
	return b.String()
}
