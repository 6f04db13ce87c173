package password

import (
	"bufio"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/FastFilter/xorfilter"
	"golang.org/x/text/unicode/norm"
)

// A List holds passwords that others have lost, in nine bits each (ASVS
// 6.2.12): a binary fuse filter over the first eight bytes of their SHA-1,
// which is how such lists are published. It never misses one; of all others it
// takes one in 256 for known.
type List struct{ filter *xorfilter.BinaryFuse8 }

// Has reports whether a password is on the list. A nil list is empty.
func (l *List) Has(plain string) bool {
	if l == nil || plain == "" {
		return false
	}
	return l.filter.Contains(keyOf(plain)) || l.filter.Contains(keyOf(norm.NFKC.String(plain)))
}

func keyOf(plain string) uint64 {
	sum := sha1.Sum([]byte(plain))
	return binary.BigEndian.Uint64(sum[:8])
}

// BuildList reads a list of passwords, one a line, or of SHA-1 sums in
// hexadecimal with a count behind a colon, as haveibeenpwned.com offers it.
// Of the latter, what was seen less than least times is left out.
func BuildList(in io.Reader, least int) (*List, error) {
	var keys []uint64
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	n := 0
	for lines.Scan() {
		n++
		line := strings.TrimRight(lines.Text(), "\r")
		if line == "" {
			continue
		}
		if len(line) >= 40 && (len(line) == 40 || line[40] == ':') {
			if sum, err := hex.DecodeString(line[:40]); err == nil {
				seen := 1 << 30
				if len(line) > 41 {
					if _, err := fmt.Sscanf(line[41:], "%d", &seen); err != nil {
						return nil, fmt.Errorf("line %d: no count behind the colon", n)
					}
				}
				if seen >= least {
					keys = append(keys, binary.BigEndian.Uint64(sum))
				}
				continue
			}
		}
		keys = append(keys, keyOf(line))
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("line %d: %w", n+1, err)
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	if len(keys) == 0 {
		return nil, errors.New("no password in it")
	}
	filter, err := xorfilter.PopulateBinaryFuse8(keys)
	if err != nil {
		return nil, err
	}
	return &List{filter}, nil
}

const listMagic = "zunft-passwords-1\n"

// maxList is more than all passwords that were ever published take.
const maxList = 4 << 30

// WriteTo writes the list as [ReadList] reads it: a head, the filter, a sum.
func (l *List) WriteTo(w io.Writer) (int64, error) {
	f := l.filter
	head := binary.LittleEndian.AppendUint64([]byte(listMagic), f.Seed)
	for _, v := range []uint32{f.SegmentLength, f.SegmentLengthMask, f.SegmentCount, f.SegmentCountLength} {
		head = binary.LittleEndian.AppendUint32(head, v)
	}
	head = binary.LittleEndian.AppendUint64(head, uint64(len(f.Fingerprints)))
	sum := sha256.New()
	out := io.MultiWriter(w, sum)
	var written int64
	for _, part := range [][]byte{head, f.Fingerprints} {
		n, err := out.Write(part)
		written += int64(n)
		if err != nil {
			return written, err
		}
	}
	n, err := w.Write(sum.Sum(nil))
	return written + int64(n), err
}

// ReadList reads what WriteTo wrote; one that was damaged on the way is an error.
func ReadList(r io.Reader) (*List, error) {
	sum := sha256.New()
	in := io.TeeReader(r, sum)
	head := make([]byte, len(listMagic)+32)
	if _, err := io.ReadFull(in, head); err != nil || string(head[:len(listMagic)]) != listMagic {
		return nil, errors.New("no list of passwords: make one with `zunft password list build`")
	}
	number := head[len(listMagic):]
	u32 := func(at int) uint32 { return binary.LittleEndian.Uint32(number[at:]) }
	f := &xorfilter.BinaryFuse8{Seed: binary.LittleEndian.Uint64(number), SegmentLength: u32(8), SegmentLengthMask: u32(12), SegmentCount: u32(16), SegmentCountLength: u32(20)}
	size := binary.LittleEndian.Uint64(number[24:])
	// The filter looks at up to two segments beyond the counted ones.
	if size > maxList || f.SegmentLength == 0 || f.SegmentLengthMask != f.SegmentLength-1 || uint64(f.SegmentCountLength) != uint64(f.SegmentCount)*uint64(f.SegmentLength) ||
		size < uint64(f.SegmentCountLength)+2*uint64(f.SegmentLength) {
		return nil, errors.New("list of passwords: damaged")
	}
	f.Fingerprints = make([]byte, size)
	if _, err := io.ReadFull(in, f.Fingerprints); err != nil {
		return nil, fmt.Errorf("list of passwords: %w", err)
	}
	want := make([]byte, sha256.Size)
	if _, err := io.ReadFull(r, want); err != nil || !same(sum.Sum(nil), want) {
		return nil, errors.New("list of passwords: damaged")
	}
	return &List{f}, nil
}

// Size is how much memory the list takes, in bytes.
func (l *List) Size() int { return len(l.filter.Fingerprints) }
