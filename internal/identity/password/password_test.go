package password

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"

	"zunft/internal/ground/fault"
)

// Decision 3, R048: both policies.
func TestRule(t *testing.T) {
	for _, c := range []struct {
		rule     Rule
		password string
		want     string
	}{
		{Modern, "Mehl Hefe Wasser", ""},
		{Modern, "vier gelbe fahrräder", ""},
		{Modern, "xk3Lq9vbTz0P", ""},
		{Modern, "über alle Berge", ""},
		{Modern, "", "password.missing"},
		{Modern, "elfZeichen.", "password.short"},
		{Modern, "ü\u0308ü\u0308ü\u0308ü\u0308", "password.short"},
		{Modern, "passwort12345", "password.common"},
		{Modern, "P@ssw0rt!!!!", "password.common"},
		{Modern, "Sommer2026!!", "password.common"},
		{Modern, "hallohallohallo", "password.common"},
		{Modern, "123123123123", "password.common"},
		{Modern, "qwertzuiopü1", "password.common"},
		{Modern, "1q2w3e4r5t6z", "password.common"},
		{Modern, "01234567890123", "password.common"},
		{Modern, "Schatz-Katze-2020", "password.common"},
		{Modern, "das ist anna5678 hier", "password.about_you"},
		{Modern, "ANNA5678anna!", "password.about_you"},
		{Modern, "Sonnenberg-1990", "password.about_you"},
		{Modern, "annikasonnenberg", "password.about_you"},
		{Modern, "Sonnenberg hat Wasser und Salz", ""},
		{Modern, strings.Repeat("lang ", 60), "password.long"},
		{Modern, "Mehl\tHefe\x00Wasser", "password.control"},
		{Modern, "Mehl Hefe \xff\xff Salz", "password.control"},
		{Classic, "Br0t&Mehl", ""},
		{Classic, "Br0t&Me", "password.short"},
		{Classic, "brotmehl0&", "password.classes"},
		{Classic, "BROTMEHL0&", "password.classes"},
		{Classic, "BrotMehl&", "password.classes"},
		{Classic, "BrotMehl0", "password.classes"},
		{Classic, "Passw0rt!", "password.common"},
	} {
		err := c.rule.Check(c.password, "anna5678", "anna5678@beispiel.example", "Annika Sonnenberg")
		got := ""
		if f := fault.Of(err); f != nil {
			got = f.Key()
		}
		if got != c.want {
			t.Errorf("%s %q: %q, want %q", c.rule, c.password, got, c.want)
		}
	}
}

func TestHasher(t *testing.T) {
	h := NewHasher(2)
	phc, err := h.Hash(t.Context(), "Müller & Söhne")
	if err != nil || !strings.HasPrefix(phc, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatal(phc, err)
	}
	for plain, want := range map[string]bool{"Müller & Söhne": true, "Mu\u0308ller & So\u0308hne": true, "Muller & Sohne": false, "": false} {
		if got, err := h.Verify(t.Context(), phc, plain); got != want || err != nil {
			t.Errorf("%q: %v %v", plain, got, err)
		}
	}
	if h.Stale(phc) {
		t.Error("a fresh hash is stale")
	}
	for _, bad := range []string{"", "x", "$argon2id$v=19$m=99999999,t=2,p=1$AAAA$AAAA", "$argon2i$v=19$m=64,t=1,p=1$AAAA$AAAAAAAAAAAAAAAAAAAAAAAA", "$2b$10$x"} {
		if ok, err := h.Verify(t.Context(), bad, "x"); ok || err == nil {
			t.Errorf("%q verifies", bad)
		}
	}
}

// The gate: who comes when the queue is full is told to wait, and nobody else suffers.
func TestGate(t *testing.T) {
	h := NewHasher(1)
	h.Cost = Cost{KiB: 64, Passes: 1, Lanes: 1}
	h.gate <- struct{}{} // somebody is hashing
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	for range queue + 1 {
		group.Go(func() {
			if err := h.Dummy(ctx, "x"); !errors.Is(err, context.Canceled) {
				t.Errorf("a waiting one got %v", err)
			}
		})
	}
	for h.waiting.Load() < queue+1 {
		runtime.Gosched() // until all stand in the queue
	}
	if err := h.Dummy(ctx, "x"); !fault.Is(err, fault.KindLimited) {
		t.Errorf("one too many: %v", err)
	}
	cancel()
	group.Wait()
	<-h.gate
	if err := h.Dummy(t.Context(), "x"); err != nil {
		t.Error(err)
	}
}
