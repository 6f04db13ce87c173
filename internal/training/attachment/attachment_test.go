package attachment_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"strings"
	"sync"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/training/attachment"
	"zunft/internal/training/book"
	"zunft/internal/training/person"
	"zunft/internal/training/person/persontest"
	"zunft/internal/training/schema"
)

var (
	bg   = context.Background()
	now  = time.Date(2026, 11, 18, 10, 0, 0, 0, time.UTC)
	week = book.Week{Year: 2026, Number: 47}
)

const secret = "GPS 52.5 N 13.4 E, Kamera 4711"

func pixels() image.Image {
	m := image.NewRGBA(image.Rect(0, 0, 24, 16))
	for i := range 24 {
		m.Set(i, i%16, color.RGBA{uint8(i * 10), 80, 160, 255})
	}
	return m
}

func segment(marker byte, body string) []byte {
	return append([]byte{0xff, marker, byte((len(body) + 2) >> 8), byte(len(body) + 2)}, body...)
}

// exif says that the picture lies on its side, and where it was taken.
func exif(order binary.ByteOrder, turn uint16) string {
	var b bytes.Buffer
	head := "MM\x00*"
	if order == binary.LittleEndian {
		head = "II*\x00"
	}
	b.WriteString(head)
	for _, v := range []any{uint32(8), uint16(2), uint16(0x010f), uint16(2), uint32(4), uint32(0x41414141), uint16(0x0112), uint16(3), uint32(1), turn, uint16(0), uint32(0)} {
		_ = binary.Write(&b, order, v)
	}
	return "Exif\x00\x00" + b.String() + secret
}

func photo(more ...[]byte) []byte {
	var b bytes.Buffer
	_ = jpeg.Encode(&b, pixels(), nil)
	whole := b.Bytes()
	return append(append([]byte{0xff, 0xd8}, bytes.Join(more, nil)...), whole[2:]...)
}

func chunk(name, body string) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	b = append(append(b, name...), body...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

func picture(more ...[]byte) []byte {
	var b bytes.Buffer
	_ = png.Encode(&b, pixels())
	whole := b.Bytes() // 8 bytes, then IHDR of 25
	return append(append(bytes.Clone(whole[:33]), bytes.Join(more, nil)...), whole[33:]...)
}

const document = "%PDF-1.7\n1 0 obj <</Type/Catalog>> endobj\nxref\n0 1\ntrailer <<>>\nstartxref\n9\n%%EOF\n"

func box(kind string, bodies ...[]byte) []byte {
	body := bytes.Join(bodies, nil)
	return append(append(binary.BigEndian.AppendUint32(nil, uint32(len(body)+8)), kind...), body...)
}

// heic is a file with a picture item and an EXIF item.
func heic(brand string) []byte {
	ftyp := box("ftyp", []byte(brand+"\x00\x00\x00\x00"+"mif1heic"))
	infe := func(id byte, kind string) []byte {
		return box("infe", []byte{2, 0, 0, 0, 0, id, 0, 0}, []byte(kind), []byte{0})
	}
	iinf := box("iinf", []byte{0, 0, 0, 0, 0, 2}, infe(1, "hvc1"), infe(2, "Exif"))
	at := uint32(len(ftyp))
	iloc := func(offset uint32) []byte {
		entry := func(id byte, offset, length uint32) []byte {
			b := []byte{0, id, 0, 0, 0, 1}
			return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, offset), length)
		}
		return box("iloc", []byte{0, 0, 0, 0, 0x44, 0, 0, 2}, entry(1, offset, 7), entry(2, offset+7, uint32(len(secret))))
	}
	size := uint32(len(box("meta", make([]byte, 4), iinf, iloc(0))))
	meta := box("meta", make([]byte, 4), iinf, iloc(at+size+8))
	return bytes.Join([][]byte{ftyp, meta, box("mdat", []byte("PICTURE"+secret)), box("free", []byte(secret))}, nil)
}

// What a file is, its content says; what is not needed to see it is gone, and
// what hangs behind its end.
func TestFilesAreMadeSafe(t *testing.T) {
	zip := []byte("PK\x03\x04" + secret)
	for name, c := range map[string]struct {
		file, body string
		kind, want string // want: its name
	}{
		"pdf":              {"Beleg.pdf", document, "pdf", "Beleg.pdf"},
		"photo":            {"IMG_1.JPG", string(photo()), "jpg", "IMG_1.jpg"},
		"photo with place": {"foto.jpeg", string(photo(segment(0xe1, exif(binary.BigEndian, 6)), segment(0xe1, "http://ns.adobe.com/xap/1.0/\x00"+secret), segment(0xed, "Photoshop 3.0\x00"+secret), segment(0xfe, secret))), "jpg", "foto.jpg"},
		"photo and more":   {"foto.jpg", string(append(photo(segment(0xe2, "MPF\x00"+secret)), zip...)), "jpg", "foto.jpg"},
		"picture":          {"bild.png", string(append(picture(chunk("tEXt", "Ort\x00"+secret), chunk("eXIf", secret)), zip...)), "png", "bild.png"},
		"heic":             {"IMG_2044.HEIC", string(heic("heic")), "heic", "IMG_2044.heic"},
		"heic as jpg":      {"IMG_2044.jpg", string(heic("mif1")), "heic", "IMG_2044.heic"},
		"png as jpg":       {"bild.jpg", string(picture()), "png", "bild.png"},
		"way":              {`..\..\etc/../passwd.pdf`, document, "pdf", "passwd.pdf"},
		"script in name":   {`<img src=x onerror="alert(1)">.pdf`, document, "pdf", "img src=x onerror=-alert(1).pdf"},
		"turned name":      {"fdp\u202egpj.pdf", document, "pdf", "fdpgpj.pdf"},
		"line end":         {"a\r\nSet-Cookie: x.pdf", document, "pdf", "aSet-Cookie- x.pdf"},
		"no name":          {"...", document, "pdf", "Datei.pdf"},
		"device":           {"CON.pdf", document, "pdf", "_CON.pdf"},
		"two endings":      {"rechnung.exe.pdf", document, "pdf", "rechnung.exe.pdf"},
		"emoji":            {"Brötchen 🥐.pdf", document, "pdf", "Brötchen 🥐.pdf"},
		"long":             {strings.Repeat("ä", 300) + ".pdf", document, "pdf", strings.Repeat("ä", 80) + ".pdf"},
	} {
		f, err := attachment.Prepare(c.file, []byte(c.body))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if f.Kind != c.kind || f.Name != c.want {
			t.Errorf("%s: %q of kind %s, wanted %q of kind %s", name, f.Name, f.Kind, c.want, c.kind)
		}
		kept := attachment.Bytes(f)
		if bytes.Contains(kept, []byte(secret)) || bytes.Contains(kept, zip) {
			t.Errorf("%s still says where it was taken", name)
		}
		switch c.kind {
		case "jpg", "png":
			if m, kind, err := image.Decode(bytes.NewReader(kept)); err != nil || m.Bounds().Dx() != 24 {
				t.Errorf("%s cannot be seen any more: %s %v", name, kind, err)
			}
		case "heic":
			if !bytes.Contains(kept, []byte("PICTURE")) || len(kept) != len(c.body) {
				t.Errorf("%s lost its picture", name)
			}
		}
		again, err := attachment.Prepare(f.Name, kept)
		if err != nil || !bytes.Equal(attachment.Bytes(again), kept) {
			t.Errorf("%s: made safe twice is something else: %v", name, err)
		}
	}
	// Which side is up stays, and nothing else of the EXIF.
	for _, order := range []binary.ByteOrder{binary.BigEndian, binary.LittleEndian} {
		f, err := attachment.Prepare("x.jpg", photo(segment(0xe1, exif(order, 6))))
		if err != nil || !bytes.Contains(attachment.Bytes(f), []byte("\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06")) || bytes.Contains(attachment.Bytes(f), []byte("AAAA")) {
			t.Error("the photo lies on its side", err)
		}
	}
}

// Bad input: each has a sentence that names the file and says what to do.
func TestFilesThatAreRefused(t *testing.T) {
	broken := picture()
	broken[40] ^= 1
	huge := picture()
	binary.BigEndian.PutUint32(huge[16:], 60_000)
	binary.BigEndian.PutUint32(huge[20:], 60_000)
	binary.BigEndian.PutUint32(huge[29:], crc32.ChecksumIEEE(huge[12:29]))
	wide := func(width, height uint16) []byte { // a photo that says it has these many pixels
		b := photo()
		head := bytes.Index(b, []byte{0xff, 0xc0}) // SOF0: length, precision, lines, samples a line
		binary.BigEndian.PutUint16(b[head+5:], height)
		binary.BigEndian.PutUint16(b[head+7:], width)
		return b
	}
	if _, err := attachment.Prepare("gross.jpg", wide(12_000, 10_000)); err != nil {
		t.Errorf("a photo of 120 MPix: %v", err)
	}
	for name, c := range map[string]struct {
		file string
		body []byte
		key  string
	}{
		"nothing":              {"leer.pdf", nil, "attachment.empty"},
		"HEIC called PDF":      {"beleg.pdf", heic("heic"), "attachment.named"},
		"PDF called JPG":       {"foto.jpg", []byte(document), "attachment.named"},
		"zip":                  {"bombe.zip", []byte("PK\x03\x04bombe"), "attachment.unknown"},
		"zip called PDF":       {"bombe.pdf", []byte("PK\x03\x04bombe"), "attachment.unknown"},
		"page called PDF":      {"seite.pdf", []byte("<script>alert(1)</script>"), "attachment.unknown"},
		"svg":                  {"bild.svg", []byte("<svg onload='x'/>"), "attachment.unknown"},
		"film":                 {"film.heic", box("ftyp", []byte("isom\x00\x00\x00\x00mp42")), "attachment.unknown"},
		"PDF after a page":     {"x.pdf", []byte("<html>" + document), "attachment.unknown"},
		"PDF and zip":          {"x.pdf", []byte(document + "PK\x03\x04"), "attachment.broken"},
		"PDF without an end":   {"x.pdf", []byte("%PDF-1.7 startxref"), "attachment.broken"},
		"PDF with a script":    {"x.pdf", []byte(strings.Replace(document, "/Type", "/OpenAction <</S /JavaScript /JS (x)>>/Type", 1)), "attachment.active"},
		"PDF that starts":      {"x.pdf", []byte(strings.Replace(document, "/Type", "/S /Launch/Type", 1)), "attachment.active"},
		"PDF with a file":      {"x.pdf", []byte(strings.Replace(document, "/Type", "/EmbeddedFiles 2 0 R/Type", 1)), "attachment.active"},
		"half a photo":         {"x.jpg", photo()[:300], "attachment.broken"},
		"picture of 3.6 GPix":  {"x.png", huge, "attachment.broken"},
		"photo of 4.2 GPix":    {"x.jpg", wide(65_000, 65_000), "attachment.broken"},
		"photo a line higher":  {"x.jpg", wide(12_000, 10_001), "attachment.broken"},
		"picture with a fault": {"x.png", broken, "attachment.broken"},
		"boxes with a rest":    {"x.heic", append(heic("heic"), "PK\x03\x04"...), "attachment.broken"},
		"unknown box":          {"x.heic", append(heic("heic"), box("evil", []byte("x"))...), "attachment.broken"},
		"too large":            {"IMG_2044.heic", make([]byte, attachment.MaxSize+1), "attachment.large"},
	} {
		_, err := attachment.Prepare(c.file, c.body)
		ft := fault.Of(err)
		if ft == nil || ft.Key() != c.key || ft.Problems[0].Field != "file" || ft.Problems[0].Args[0] != c.file {
			t.Errorf("%s: %v, wanted %s", name, err, c.key)
		}
	}
}

// No content makes it fail or grow.
func FuzzPrepare(f *testing.F) {
	for _, seed := range [][]byte{[]byte(document), photo(segment(0xe1, exif(binary.LittleEndian, 3))), picture(chunk("tEXt", "x")), heic("heic")} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := attachment.Prepare("x.bin", b)
		if err != nil {
			if fault.Of(err) == nil {
				t.Fatal(err)
			}
			return
		}
		if file.Size() > len(b)+40 {
			t.Fatalf("%d bytes became %d", len(b), file.Size())
		}
	})
}

func comes(t *testing.T, d *db.DB, sub, company string, roles ...string) audit.Actor {
	t.Helper()
	d.Now = func() time.Time { return now }
	c := person.Claims{
		Roles: roles, Person: person.Person{Sub: sub, Name: sub, Email: sub + "@beispiel.example", Language: "de"},
		Company: person.Company{ID: company, Name: company},
	}
	return persontest.Comes(t, d, c)
}

func pdf(t *testing.T, n int) attachment.File {
	t.Helper()
	f, err := attachment.Prepare("Beleg.pdf", []byte(strings.Replace(document, "obj", fmt.Sprintf("obj %% %d", n), 1)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// R228: files belong to a report: ten at most, however many come at once; the
// same one once; none after submitting; others find nothing.
func TestAttachments_R228(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		anna := comes(t, d, "anna", "korn", person.Apprentice)
		emil := comes(t, d, "emil", "korn", person.Apprentice)
		var all sync.WaitGroup
		var mu sync.Mutex
		kept, refused := 0, 0
		for n := range 14 {
			f := pdf(t, n)
			all.Go(func() {
				err := d.Write(bg, func(tx *db.Tx) error { _, err := attachment.Add(tx, anna, week, f); return err })
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					kept++
				case fault.Is(err, fault.KindInvalid) && fault.Of(err).Key() == "attachment.many":
					refused++
				default:
					t.Error(err)
				}
			})
		}
		all.Wait()
		if kept != attachment.MaxFiles || refused != 4 {
			t.Errorf("%d kept, %d refused", kept, refused)
		}
		var report book.Report
		var files []attachment.Attachment
		read := func() {
			t.Helper()
			if err := d.Read(bg, func(tx *db.Tx) (err error) {
				if report, err = book.Mine(tx, anna, week); err != nil {
					return err
				}
				files, err = attachment.List(tx, report.ID)
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		read()
		names := map[string]bool{}
		for _, f := range files {
			names[f.Name] = true
		}
		if report.Version != 1 || len(files) != 10 || len(names) != 10 || !names["Beleg.pdf"] || !names["Beleg (10).pdf"] {
			t.Error(report.Version, names)
		}
		remove := func(by audit.Actor, id string) error {
			return d.Write(bg, func(tx *db.Tx) error { return attachment.Remove(tx, by, week, id) })
		}
		if err := remove(emil, files[0].ID); err != nil { // has no such file: nothing happens
			t.Error(err)
		}
		if err := remove(anna, files[0].ID); err != nil {
			t.Error(err)
		}
		if err := remove(anna, files[0].ID); err != nil {
			t.Error("pressed twice:", err)
		}
		read()
		if len(files) != 9 {
			t.Error(len(files))
		}
		// A large file comes back whole, in pieces.
		large := append([]byte(document[:9]), bytes.Repeat([]byte("% Brot und Brezel\n"), 60_000)...)
		large = append(large, document[9:]...)
		f, err := attachment.Prepare("groß.pdf", large)
		if err != nil {
			t.Fatal(err)
		}
		var a, again attachment.Attachment
		if err := d.Write(bg, func(tx *db.Tx) (err error) {
			if a, err = attachment.Add(tx, anna, week, f); err == nil {
				again, err = attachment.Add(tx, anna, week, f)
			}
			return err
		}); err != nil || a.ID != again.ID {
			t.Fatal(err, a, again)
		}
		var got []byte
		pieces := 0
		if err := d.Read(bg, func(tx *db.Tx) error {
			return attachment.Write(tx, a.ID, func(b []byte) error { got = append(got, b...); pieces++; return nil })
		}); err != nil || !bytes.Equal(got, large) || pieces != 3 {
			t.Error(err, len(got), pieces)
		}
		if err := d.Read(bg, func(tx *db.Tx) error {
			of, err := attachment.Between(tx, "anna", "2026-11-01", "2026-11-30")
			if err == nil && (len(of) != 10 || of[0].Week != week) {
				err = fmt.Errorf("%d files, of %v", len(of), of[0].Week)
			}
			return err
		}); err != nil {
			t.Error(err)
		}
		// A book has 500 megabytes, and each apprentice has one of their own.
		early, one := week.Add(-1), pdf(t, 50)
		for less, want := range []string{"kept", "file: attachment.full"} { // room for it, and for a byte less
			free := one.Size() - less
			dbtest.Exec(t, d, `UPDATE attachment SET size = $1 - (SELECT sum(x.size) FROM attachment x WHERE x.id <> $2) WHERE id = $2`, attachment.MaxBook-free, a.ID)
			err := d.Write(bg, func(tx *db.Tx) error {
				if _, err := attachment.Add(tx, anna, early, one); err != nil {
					return err
				}
				return errors.New("kept")
			})
			if err.Error() != want {
				t.Errorf("%d bytes free for %d: %v", free, one.Size(), err)
			}
		}
		if err := d.Write(bg, func(tx *db.Tx) error { _, err := attachment.Add(tx, emil, early, pdf(t, 51)); return err }); err != nil {
			t.Error("somebody else's book is full:", err)
		}
		// Submitted: nothing comes and nothing goes.
		if err := d.Write(bg, func(tx *db.Tx) error {
			r, err := book.Save(tx, anna, week, report.Version, book.Text{Work: "Brot"})
			if err == nil {
				_, err = book.Submit(tx, anna, week, r.Version)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if err := remove(anna, a.ID); !fault.Is(err, fault.KindConflict) {
			t.Error(err)
		}
		if err := d.Write(bg, func(tx *db.Tx) error { _, err := attachment.Add(tx, anna, week, pdf(t, 99)); return err }); !fault.Is(err, fault.KindConflict) {
			t.Error(err)
		}
	})
}
