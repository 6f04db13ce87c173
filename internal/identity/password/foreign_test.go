package password

import (
	"bytes"
	"crypto/sha1"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
)

// Hashes that other software made: libxcrypt (bcrypt), Python's hashlib
// (PBKDF2, SHA), the README of argon2.
var foreign = map[string]string{
	"$2y$05$abcdefghijklmnopqrstuuNRDW/EOvoh8ZiMlAOEBb6H2DAlKVV/2":                                              bread,
	"$2b$05$abcdefghijklmnopqrstuuNRDW/EOvoh8ZiMlAOEBb6H2DAlKVV/2":                                              bread,
	"{CRYPT}$2a$05$abcdefghijklmnopqrstuuNRDW/EOvoh8ZiMlAOEBb6H2DAlKVV/2":                                       bread,
	"pbkdf2_sha256$1000$seasalt2$aBdwkyfU5GeoGxVvNV3TWlgcpng6aApMyNnXOdW0nEA=":                                  bread,
	"pbkdf2_sha1$1000$seasalt2$l4Xi0IXPVJVnE2VBVIuEy28vjk8=":                                                    bread,
	"{SSHA}aUnU2TqqCwV62ARQknKTaB20mddzYWx0c2FsdA==":                                                            bread,
	"{SSHA256}hoXFia+TPleD/Go0FDtNa6+kEnGNwqk3nX6Yx86fKoJzYWx0c2FsdA==":                                         bread,
	"{ssha512}xagdA3KCMn/Ba3in23WQ8jIa4lGGmS7U17OeKvth/MIGu2aoFQfiA1z77lAcjb9v8ay/G57plpJ/sa6hpK5U+HNhbHRzYWx0": bread,
	"$pbkdf2-sha256$6400$0ZrzXitFSGltTQnBWOsdeQ$Sp20x5wpuCixpuQuZe13JQeklhyyGBTT3BBxGW3Dojo":                    "password",
	"$pbkdf2-sha256$i=6400$0ZrzXitFSGltTQnBWOsdeQ$Sp20x5wpuCixpuQuZe13JQeklhyyGBTT3BBxGW3Dojo":                  "password",
	"{PBKDF2-SHA256}6400$0ZrzXitFSGltTQnBWOsdeQ$Sp20x5wpuCixpuQuZe13JQeklhyyGBTT3BBxGW3Dojo":                    "password",
	"$argon2i$v=19$m=65536,t=2,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b+dWRWJTmaaJObG":                                "password",
	`{"type": "password", "secretData": "{\"value\": \"/dSZN7llyMpeksXmMFuiq9wc7srgBfzmctVBFuIHk4yB6AXg73reLxfAox5snult1ZXYeZ1I7U86dQg2Vuv+hw==\", \"salt\": \"AAECAwQFBgcICQoLDA0ODw==\", \"additionalParameters\": {}}", "credentialData": "{\"hashIterations\": 1000, \"algorithm\": \"pbkdf2-sha512\", \"additionalParameters\": {}}"}`: bread,
	`{"secretData":"{\"value\":\"RdescudvJCsgt3ub+b+dWRWJTmaaJObG\",\"salt\":\"c29tZXNhbHQ=\"}","credentialData":"{\"hashIterations\":2,\"algorithm\":\"argon2\",\"additionalParameters\":{\"hashLength\":[\"24\"],\"memory\":[\"65536\"],\"type\":[\"i\"],\"version\":[\"1.3\"],\"parallelism\":[\"4\"]}}"}`:                               "password",
}

const bread = "Brot & Bier für 7"

// R185, R186: whoever has a password at another product keeps it.
func TestForeign(t *testing.T) {
	h := NewHasher(2)
	for text, plain := range foreign {
		kept, err := Adopt(text)
		if err != nil || !Foreign(kept) || !h.Stale(kept) {
			t.Errorf("%s: %q %v", text, kept, err)
			continue
		}
		for typed, want := range map[string]bool{plain: true, plain + " ": false, strings.ToUpper(plain): false, "": false} {
			if got, err := h.Verify(t.Context(), kept, typed); got != want || err != nil {
				t.Errorf("%s %q: %v %v", text, typed, got, err)
			}
		}
		if again, err := Adopt(kept); err == nil {
			t.Errorf("%s: adopted twice as %s", text, again)
		}
	}
	own, err := h.Renew(t.Context(), bread)
	if err != nil {
		t.Fatal(err)
	}
	if kept, err := Adopt(own); kept != own || err != nil {
		t.Error("one like ours:", kept, err)
	}
}

// A hash that costs minutes or memory is refused when it is brought, and when
// it stands in the table all the same. So is what cannot be read.
func TestForeignBounds(t *testing.T) {
	h := NewHasher(1)
	for _, text := range []string{
		"", "x", "geheim", "{", "{}", `{"secretData":1}`, "$1$salt$hash", "$6$rounds=5000$salt$hash", "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "5f4dcc3b5aa765d61d8327deb882cf99",
		"$2y$15$abcdefghijklmnopqrstuuNRDW/EOvoh8ZiMlAOEBb6H2DAlKVV/2", "$2y$31$abcdefghijklmnopqrstuuNRDW/EOvoh8ZiMlAOEBb6H2DAlKVV/2", "$2x$05$abcdefghijklmnopqrstuuNRDW/EOvoh8ZiMlAOEBb6H2DAlKVV/2", "$2y$05$short",
		"pbkdf2_sha256$4000001$s$aBdwkyfU5GeoGxVvNV3TWlgcpng6aApMyNnXOdW0nEA=", "pbkdf2_sha256$0$s$aBdwkyfU5GeoGxVvNV3TWlgcpng6aApMyNnXOdW0nEA=", "pbkdf2_sha256$-1$s$aBdwkyfU5GeoGxVvNV3TWlgcpng6aApMyNnXOdW0nEA=",
		"pbkdf2_md5$1000$s$aBdwkyfU5GeoGxVvNV3TWlgcpng6aApMyNnXOdW0nEA=", "pbkdf2_sha256$1000$s$AAAA", "{SSHA}AAAA", "{SSHA}aUnU2TqqCwV62ARQknKTaB20mdc=",
		"$argon2id$v=19$m=1048576,t=1,p=1$c29tZXNhbHQ$RdescudvJCsgt3ub+b+dWRWJTmaaJObG", "$argon2id$v=19$m=65536,t=4000000000,p=1$c29tZXNhbHQ$RdescudvJCsgt3ub+b+dWRWJTmaaJObG",
		"$argon2id$v=16$m=65536,t=2,p=1$c29tZXNhbHQ$RdescudvJCsgt3ub+b+dWRWJTmaaJObG", "$argon2d$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$RdescudvJCsgt3ub+b+dWRWJTmaaJObG", "$argon2i$v=19$m=65536,t=2,p=200$c29tZXNhbHQ$RdescudvJCsgt3ub+b+dWRWJTmaaJObG",
		strings.Repeat("$2y$05$", 10_000),
	} {
		if kept, err := Adopt(text); err == nil {
			t.Errorf("%.80q was adopted as %q", text, kept)
		}
		start := dbtest.CPU()
		if ok, err := h.Verify(t.Context(), "~99"+text, "x"); ok || err == nil || dbtest.CPU()-start > time.Second {
			t.Errorf("%.80q verifies: %v %v in %s", text, ok, err, dbtest.CPU()-start)
		}
	}
}

// The price of a hash is written so that the costliest sorts last.
func TestForeignPrice(t *testing.T) {
	var before string
	for _, text := range []string{"{SSHA}aUnU2TqqCwV62ARQknKTaB20mddzYWx0c2FsdA==", "$2y$05$abcdefghijklmnopqrstuuNRDW/EOvoh8ZiMlAOEBb6H2DAlKVV/2", "$2y$10$abcdefghijklmnopqrstuuNRDW/EOvoh8ZiMlAOEBb6H2DAlKVV/2", "pbkdf2_sha256$1200000$s$aBdwkyfU5GeoGxVvNV3TWlgcpng6aApMyNnXOdW0nEA="} {
		kept, err := Adopt(text)
		if err != nil || kept <= before {
			t.Errorf("%q after %q: %v", kept, before, err)
		}
		before = kept
	}
}

func FuzzAdopt(f *testing.F) {
	for text := range foreign {
		f.Add(text)
	}
	h := NewHasher(1)
	f.Fuzz(func(t *testing.T, text string) {
		kept, err := Adopt(text)
		if err != nil {
			return
		}
		if len(kept) > 2100 || Foreign(kept) == strings.HasPrefix(kept, "$") {
			t.Fatalf("%q became %q", text, kept)
		}
		if s, err := readKept(kept); Foreign(kept) && (err != nil || s.micros > 2_000_000) {
			t.Fatalf("%q became %q, which is not read again: %v", text, kept, err)
		}
		if !h.Stale(kept) && Foreign(kept) {
			t.Fatalf("%q stays", kept)
		}
	})
}

// ASVS 6.2.12: what others have lost is no new password here, however it is
// written down in the list; what holds already is not asked about.
func TestKnown(t *testing.T) {
	in := "Mehl Hefe Wasser\r\n\n" + fmt.Sprintf("%X:12\n%x:3\n", sha1.Sum([]byte("vier gelbe räder")), sha1.Sum([]byte("selten gesehen"))) + "Brot und Butter im Ofen\n"
	built, err := BuildList(strings.NewReader(in), 5)
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if n, err := built.WriteTo(&file); err != nil || n != int64(file.Len()) {
		t.Fatal(n, err)
	}
	whole := bytes.Clone(file.Bytes())
	list, err := ReadList(&file)
	if err != nil {
		t.Fatal(err)
	}
	h := NewHasher(2)
	h.Cost = Cost{KiB: 64, Passes: 1, Lanes: 1}
	h.Known, h.Words = list, []string{"Handwerkskammer Musterland", "Kammerkonto"}
	for plain, want := range map[string]string{
		"Mehl Hefe Wasser": "password.known", "vier gelbe räder": "password.known", "vier gelbe ra\u0308der": "password.known", "Brot und Butter im Ofen": "password.known",
		"selten gesehen": "", "Mehl Hefe Salz Wasser": "",
		"Musterland2026!": "password.common", "kammerkonto 1234": "password.common", "Musterland hat Wasser und Salz": "", "": "",
	} {
		_, err := h.Hash(t.Context(), plain)
		got := ""
		if f := fault.Of(err); f != nil {
			got = f.Key()
		} else if err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%q: %q, want %q", plain, got, want)
		}
	}
	if _, err := h.Renew(t.Context(), "Mehl Hefe Wasser"); err != nil {
		t.Error("what holds already:", err)
	}
	for _, at := range []int{0, 20, 30, 45, len(whole) - 40, len(whole) - 1} {
		bad := bytes.Clone(whole)
		bad[at] ^= 0x55
		if _, err := ReadList(bytes.NewReader(bad)); err == nil {
			t.Errorf("damaged at %d, and read", at)
		}
		if _, err := ReadList(bytes.NewReader(whole[:at])); err == nil {
			t.Errorf("cut at %d, and read", at)
		}
	}
	for _, bad := range []string{"", "\n\n", fmt.Sprintf("%X:many\n", sha1.Sum([]byte("x"))), strings.Repeat("x", 2<<20)} {
		if _, err := BuildList(strings.NewReader(bad), 0); err == nil {
			t.Errorf("%.20q made a list", bad)
		}
	}
}

// No list misses one of its own; of others it takes about one in 256.
func TestKnownMany(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var lines strings.Builder
	const many = 20_000
	own := make([]string, many)
	for i := range own {
		own[i] = fmt.Sprintf("wort %d", r.Uint64())
		fmt.Fprintln(&lines, own[i])
	}
	list, err := BuildList(strings.NewReader(lines.String()), 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, plain := range own {
		if !list.Has(plain) {
			t.Fatal("missed", plain)
		}
	}
	taken := 0
	for i := range many {
		if list.Has(fmt.Sprintf("anderes %d", i)) {
			taken++
		}
	}
	if taken > many/100 || list.Size() > many*13/10 {
		t.Errorf("%d of %d others taken; %d bytes", taken, many, list.Size())
	}
}
