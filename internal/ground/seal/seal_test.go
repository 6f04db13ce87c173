package seal

import (
	"strings"
	"testing"
)

func TestSealedValuesStayInTheirPlace(t *testing.T) {
	k := Random()
	s := k.Seal("account/totp/1", []byte("secret"))
	if strings.Contains(s, "secret") {
		t.Fatal("not sealed")
	}
	if p, err := k.Open("account/totp/1", s); err != nil || string(p) != "secret" {
		t.Fatal(string(p), err)
	}
	if _, err := k.Open("account/totp/2", s); err == nil {
		t.Fatal("opened in another place")
	}
	if _, err := Random().Open("account/totp/1", s); err == nil {
		t.Fatal("opened with another key")
	}
	if _, err := k.Open("account/totp/1", s[:len(s)-2]+"AA"); err == nil {
		t.Fatal("opened although changed")
	}
	if first, second := k.Seal("a", []byte("x")), k.Seal("a", []byte("x")); first == second {
		t.Fatal("the same nonce twice")
	}
}

func TestMACIsBoundToPurposeAndOwner(t *testing.T) {
	k := Random()
	a := k.MAC("confirm", "1", "482913")
	for _, b := range []string{k.MAC("reset", "1", "482913"), k.MAC("confirm", "2", "482913"), k.MAC("confirm", "1", "482914"), k.MAC("confirm1", "", "482913"), Random().MAC("confirm", "1", "482913")} {
		if Equal(a, b) {
			t.Fatal("two different codes look the same")
		}
	}
	if !Equal(a, k.MAC("confirm", "1", "482913")) {
		t.Fatal("the same code looks different")
	}
}

func TestLettersCannotBeConfused(t *testing.T) {
	for range 200 {
		if c := Letters(12); len(c) != 12 || strings.ContainsAny(c, "0O1IL2Z5S8BUV") {
			t.Fatal(c)
		}
	}
	if Normalize(" ab\u00a0c-d\u2013e f") != "ABCDEF" {
		t.Fatal(Normalize(" ab\u00a0c-d\u2013e f"))
	}
}

func FuzzOpen(f *testing.F) {
	k := Random()
	f.Add(k.Seal("a", []byte("x")))
	f.Add("1.")
	f.Add("2.AAAA")
	f.Fuzz(func(t *testing.T, s string) { k.Open("b", s) })
}
