package attachment

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// HEIC is a file of boxes (ISO/IEC 14496-12) with pictures in it (23008-12).

// brands that are still pictures coded as HEVC; mif1 is a general one, which
// then names one of the others.
var brands = []string{"heic", "heix", "heim", "heis"}

func isHEIC(b []byte) bool {
	if len(b) < 16 || string(b[4:8]) != "ftyp" {
		return false
	}
	n := int(binary.BigEndian.Uint32(b))
	if n < 16 || n > len(b) || n > 4096 {
		return false
	}
	for i := 8; i+4 <= n; i += 4 {
		if i != 12 && slices.Contains(brands, string(b[i:i+4])) { // at 12 is a version
			return true
		}
	}
	return false
}

// boxes calls f for each box in b; false if they do not fill it exactly.
func boxes(b []byte, f func(kind string, body []byte) bool) bool {
	for len(b) > 0 {
		if len(b) < 8 {
			return false
		}
		n, head := uint64(binary.BigEndian.Uint32(b)), uint64(8)
		switch n {
		case 0: // to the end
			n = uint64(len(b))
		case 1:
			if len(b) < 16 {
				return false
			}
			n, head = binary.BigEndian.Uint64(b[8:]), 16
		}
		if n < head || n > uint64(len(b)) || !f(string(b[4:8]), b[head:n]) {
			return false
		}
		b = b[n:]
	}
	return true
}

// cleanHEIC takes a file that is nothing but known boxes, and blanks what they
// say of where and with what it was taken: the bytes of EXIF and XMP items
// become zeros, so that nothing else in the file moves.
func cleanHEIC(b []byte) ([]byte, string) {
	out := bytes.Clone(b)
	pictures := false
	whole := boxes(out, func(kind string, body []byte) bool {
		switch kind {
		case "meta":
			pictures = true
			return blankItems(out, body)
		case "ftyp", "mdat", "idat", "moov":
			return true
		case "free", "skip", "uuid": // room for anything: emptied
			clear(body)
			return true
		}
		return false
	})
	if !whole || !pictures {
		return nil, broken
	}
	return out, ""
}

// blankItems finds the items of kind Exif and mime (XMP) in iinf, and in iloc
// where their bytes are.
func blankItems(file, meta []byte) bool {
	if len(meta) < 4 {
		return false
	}
	private := map[uint32]bool{}
	var iloc, idat []byte
	known := boxes(meta[4:], func(kind string, body []byte) bool {
		switch kind {
		case "iinf":
			skip := 6
			if len(body) > 0 && body[0] > 0 {
				skip = 8
			}
			return len(body) >= skip && boxes(body[skip:], func(kind string, e []byte) bool {
				if kind != "infe" || len(e) < 12 || e[0] < 2 {
					return kind == "infe"
				}
				id, rest := uint32(binary.BigEndian.Uint16(e[4:])), e[8:]
				if e[0] > 2 {
					if len(e) < 14 {
						return false
					}
					id, rest = binary.BigEndian.Uint32(e[4:]), e[10:]
				}
				if t := string(rest[:4]); t == "Exif" || t == "mime" || t == "uri " {
					private[id] = true
				}
				return true
			})
		case "iloc":
			iloc = body
		case "idat":
			idat = body
		}
		return true
	})
	return known && (len(private) == 0 || blankExtents(file, idat, iloc, private))
}

// blankExtents walks the item locations (14496-12, 8.11.3).
func blankExtents(file, idat, b []byte, private map[uint32]bool) bool {
	ok := true
	number := func(size int) uint64 {
		if len(b) < size {
			ok = false
			return 0
		}
		var n uint64
		for _, c := range b[:size] {
			n = n<<8 | uint64(c)
		}
		b = b[size:]
		return n
	}
	version := number(4) >> 24
	sizes := number(2)
	offsetSize, lengthSize, baseSize, indexSize := int(sizes>>12), int(sizes>>8&15), int(sizes>>4&15), int(sizes&15)
	if version == 0 {
		indexSize = 0
	}
	wide := 2
	if version == 2 {
		wide = 4
	}
	found := 0
	for range number(wide) {
		id := uint32(number(wide))
		method := uint64(0)
		if version > 0 {
			method = number(2) & 15
		}
		number(2) // which file: this one
		base := number(baseSize)
		for range number(2) {
			number(indexSize)
			offset, length := number(offsetSize)+base, number(lengthSize)
			if !ok {
				return false
			}
			if !private[id] {
				continue
			}
			where := file
			if method == 1 {
				where = idat
			} else if method != 0 {
				return false
			}
			if offset > uint64(len(where)) || length > uint64(len(where))-offset {
				return false
			}
			clear(where[offset : offset+length])
			found++
		}
		if !ok {
			return false
		}
	}
	return ok && found > 0
}
