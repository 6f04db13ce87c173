package openid

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"

	"zunft/internal/ground/db"
	"zunft/internal/ground/seal"
	"zunft/internal/ground/web"
	"zunft/internal/identity/application"
)

func FuzzReadRequest(f *testing.F) {
	f.Add("client_id=a&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&response_type=code&scope=openid&state=s&nonce=n&prompt=login&max_age=3")
	f.Add("client_id=a&client_id=b&redirect_uri=x")
	f.Add("client_id=a&redirect_uri=b&scope=openid&response_type=code&code_challenge_method=S256&code_challenge=" + strings.Repeat("a", 43))
	f.Add("%ff=%00&;&=")
	a := application.Application{RequirePKCE: true}
	f.Fuzz(func(t *testing.T, raw string) {
		q, why := readRequest(raw)
		if why != nil {
			return
		}
		if q.clientID != q.values.Get("client_id") || !plain(q.clientID, 255) {
			t.Fatalf("client %q", q.clientID)
		}
		if why := q.check(a); why == nil {
			if !granted(q.scope, "openid") || len(q.challenge) != 43 || !plain(q.state+q.nonce, 6000) {
				t.Fatalf("passed: %+v", q)
			}
		}
		to, err := url.Parse(answer("https://app.example/cb?x=y", "state", q.state, "iss", "i"))
		if err != nil || to.Query().Get("state") != q.state || to.Query().Get("x") != "y" || to.Host != "app.example" {
			t.Fatalf("answer %v %v", to, err)
		}
		if again, bad := readRequest(q.encode("m")); bad != nil || again.clientID != q.clientID || again.redirectURI != q.redirectURI {
			t.Fatalf("encoded and read: %v %+v", bad, again)
		}
	})
}

func FuzzReadBasic(f *testing.F) {
	f.Add("Basic " + base64.StdEncoding.EncodeToString([]byte("a%20b:c%3Ad")))
	f.Add("basic OjphOg==")
	f.Add("Bearer x")
	f.Fuzz(func(t *testing.T, header string) {
		c, ok := readBasic(header)
		if !ok {
			return
		}
		again, ok := readBasic("Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(c.id)+":"+url.QueryEscape(c.secret))))
		if !ok || again != c {
			t.Fatalf("%q %+v %+v", header, c, again)
		}
	})
}

func FuzzReadHint(f *testing.F) {
	p := &Provider{DB: &db.DB{Keys: seal.Random()}, Site: &web.Site{Base: "https://id.example"}}
	f.Add("e30.e30.e30")
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add("eyJhbGciOiJFUzI1NiIsImtpZCI6IngifQ.eyJzdWIiOiJ4In0.AAAA")
	f.Fuzz(func(t *testing.T, raw string) {
		if h, err := p.readHint(raw); err == nil || h.Subject != "" {
			t.Fatalf("accepted %q", raw)
		}
	})
}
