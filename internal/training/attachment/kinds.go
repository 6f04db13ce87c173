package attachment

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image/jpeg"
	"image/png"
	"slices"
	"strings"
)

// kindOf is what the first bytes say, or empty.
func kindOf(b []byte) string {
	switch {
	case bytes.HasPrefix(b, []byte("%PDF-")):
		return "pdf"
	case bytes.HasPrefix(b, []byte("\xff\xd8\xff")):
		return "jpg"
	case bytes.HasPrefix(b, pngHead):
		return "png"
	case isHEIC(b):
		return "heic"
	}
	return ""
}

var cleaners = map[string]func([]byte) (clean []byte, problem string){"pdf": cleanPDF, "jpg": cleanJPG, "png": cleanPNG, "heic": cleanHEIC}

const broken, active = "attachment.broken", "attachment.active"

// cleanPDF takes a PDF that ends where it says it does and does nothing by
// itself. Its streams are not unpacked: the names of actions that matter stand
// in dictionaries, and whoever opens it has a reader that asks.
func cleanPDF(b []byte) ([]byte, string) {
	end := bytes.LastIndex(b, []byte("%%EOF"))
	if end < 0 || !bytes.Contains(b, []byte("startxref")) {
		return nil, broken
	}
	if rest := b[end+5:]; len(bytes.Trim(rest, "\x00\r\n\t ")) > 0 {
		return nil, broken // something hangs behind the end
	}
	for _, name := range []string{"/JavaScript", "/Launch", "/EmbeddedFile", "/RichMedia", "/XFA"} {
		for rest := b; ; {
			i := bytes.Index(rest, []byte(name))
			if i < 0 {
				break
			}
			rest = rest[i+len(name):]
			if name == "/EmbeddedFile" || len(rest) > 0 && strings.IndexByte(" \r\n\t(<[/>\x00\x0c%", rest[0]) >= 0 {
				return nil, active
			}
		}
	}
	return b, ""
}

// cleanJPG keeps of a photo what is needed to see it: ISO/IEC 10918-1 segments,
// the colour profile, and which side is up. EXIF (with GPS), XMP, IPTC,
// comments, embedded previews and what follows the end are gone.
func cleanJPG(b []byte) ([]byte, string) {
	cfg, err := jpeg.DecodeConfig(bytes.NewReader(b))
	if err != nil || cfg.Width*cfg.Height > maxPixels || cfg.Width == 0 || cfg.Height == 0 {
		return nil, broken
	}
	out := append(make([]byte, 0, len(b)), b[:2]...)
	upright := true
	for i := 2; ; {
		for i < len(b)-1 && b[i] == 0xff && b[i+1] == 0xff { // fill bytes
			i++
		}
		if i+4 > len(b) || b[i] != 0xff {
			if i+2 == len(b) && b[i] == 0xff && b[i+1] == 0xd9 {
				return append(out, 0xff, 0xd9), ""
			}
			return nil, broken
		}
		marker := b[i+1]
		if marker == 0xd9 {
			return append(out, 0xff, 0xd9), "" // what follows is no part of the picture
		}
		n := int(binary.BigEndian.Uint16(b[i+2:]))
		if n < 2 || i+2+n > len(b) {
			return nil, broken
		}
		segment, body := b[i:i+2+n], b[i+4:i+2+n]
		i += 2 + n
		switch {
		case marker == 0xe1 && bytes.HasPrefix(body, []byte("Exif\x00\x00")):
			if o := orientation(body[6:]); o > 1 && upright {
				out = append(out, turned(o)...)
				upright = false
			}
			continue
		case marker == 0xfe, // comment
			marker == 0xe2 && !bytes.HasPrefix(body, []byte("ICC_PROFILE\x00")),
			marker >= 0xe0 && marker <= 0xef && marker != 0xe0 && marker != 0xe2 && marker != 0xee: // 0 is JFIF, 14 says how colours are coded
			continue
		case marker == 0xe0 && !bytes.HasPrefix(body, []byte("JFIF\x00")): // JFXX: a preview
			continue
		}
		out = append(out, segment...)
		if marker != 0xda {
			continue
		}
		from := i // the picture itself, up to the next marker that is none of its own
		for i+1 < len(b) && (b[i] != 0xff || b[i+1] == 0 || b[i+1] >= 0xd0 && b[i+1] <= 0xd7) {
			i++
		}
		out = append(out, b[from:i]...)
	}
}

// orientation reads tag 0x0112 of the first directory of an EXIF block (TIFF).
func orientation(b []byte) int {
	var order binary.ByteOrder = binary.BigEndian
	if bytes.HasPrefix(b, []byte("II*\x00")) {
		order = binary.LittleEndian
	} else if !bytes.HasPrefix(b, []byte("MM\x00*")) {
		return 1
	}
	if len(b) < 8 {
		return 1
	}
	at := int64(order.Uint32(b[4:]))
	if at+2 > int64(len(b)) {
		return 1
	}
	n := int(order.Uint16(b[at:]))
	for i := range n {
		e := at + 2 + int64(i)*12
		if e+12 > int64(len(b)) {
			return 1
		}
		if order.Uint16(b[e:]) == 0x0112 {
			if o := int(order.Uint16(b[e+8:])); o >= 1 && o <= 8 {
				return o
			}
			return 1
		}
	}
	return 1
}

// turned is an EXIF segment that says which side is up and nothing else.
func turned(o int) []byte {
	tiff := []byte{'M', 'M', 0, '*', 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, byte(o), 0, 0, 0, 0, 0, 0}
	body := append([]byte("Exif\x00\x00"), tiff...)
	return append([]byte{0xff, 0xe1, 0, byte(len(body) + 2)}, body...)
}

var pngHead = []byte("\x89PNG\r\n\x1a\n")

// pngKept are the chunks that are needed to see a picture (PNG third edition).
var pngKept = []string{"IHDR", "PLTE", "IDAT", "IEND", "tRNS", "gAMA", "cHRM", "sRGB", "iCCP", "sBIT", "bKGD", "pHYs"}

// cleanPNG keeps these chunks of a picture; texts, EXIF and times are gone, and
// what follows the end.
func cleanPNG(b []byte) ([]byte, string) {
	cfg, err := png.DecodeConfig(bytes.NewReader(b))
	if err != nil || cfg.Width*cfg.Height > maxPixels {
		return nil, broken
	}
	out := append(make([]byte, 0, len(b)), pngHead...)
	for i := len(pngHead); i+12 <= len(b); {
		n := int(binary.BigEndian.Uint32(b[i:]))
		if n < 0 || n > len(b)-i-12 {
			return nil, broken
		}
		name, chunk := string(b[i+4:i+8]), b[i:i+12+n]
		if crc32.ChecksumIEEE(chunk[4:8+n]) != binary.BigEndian.Uint32(chunk[8+n:]) {
			return nil, broken
		}
		if slices.Contains(pngKept, name) {
			out = append(out, chunk...)
		} else if name[0] >= 'A' && name[0] <= 'Z' { // critical, and nobody knows it
			return nil, broken
		}
		if name == "IEND" {
			return out, ""
		}
		i += 12 + n
	}
	return nil, broken
}
