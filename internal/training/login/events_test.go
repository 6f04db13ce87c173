package login_test

import (
	"crypto/ecdsa"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/training/schema"
)

const purged = "https://schemas.openid.net/secevent/risc/event-type/account-purged"

func (p *provider) event(key *ecdsa.PrivateKey, typ string, claims map[string]any) string {
	p.t.Helper()
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: "one"}}, (&jose.SignerOptions{}).WithType(jose.ContentType(typ)))
	if err != nil {
		p.t.Fatal(err)
	}
	b, _ := json.Marshal(claims)
	signed, err := s.Sign(b)
	if err != nil {
		p.t.Fatal(err)
	}
	raw, _ := signed.CompactSerialize()
	return raw
}

// RFC 8417, RFC 8935, RFC 9493: a good event ends everything of the person whom
// it names, as often as it comes; every other token does nothing, and the answer
// says why in the standard's words.
func TestAccountPurgedEvent(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		p := newPortal(t, d)
		u := p.user()
		u.comesIn()
		type m = map[string]any
		about := func(iss, sub string) m { return m{"format": "iss_sub", "iss": iss, "sub": sub} }
		claims := func(change m) m {
			c := m{
				"iss": p.provider.server.URL, "aud": "training", "jti": db.NewID(), "iat": time.Now().Unix(), "toe": time.Now().Unix(),
				"sub_id": about(p.provider.server.URL, "anna"), "events": m{purged: m{}},
			}
			for k, v := range change {
				if v == nil {
					delete(c, k)
				} else {
					c[k] = v
				}
			}
			return c
		}
		push := func(kind, raw string) (int, string) {
			t.Helper()
			res, err := http.Post(p.server.URL+"/oidc/events", kind, strings.NewReader(raw))
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			b, _ := io.ReadAll(res.Body)
			var said struct{ Err, Description string }
			if res.StatusCode == http.StatusBadRequest && (json.Unmarshal(b, &said) != nil || said.Description == "") {
				t.Errorf("400 without a reason: %s", b)
			}
			return res.StatusCode, said.Err
		}
		const set = "application/secevent+jwt"
		good := p.provider.key
		event := func(change m) string { return p.provider.event(good, "secevent+jwt", claims(change)) }
		unsigned := strings.Join(strings.Split(event(nil), ".")[:2], ".") + "."
		for name, c := range map[string]struct{ kind, raw, err string }{
			"nothing":             {set, "", "invalid_request"},
			"no token":            {set, "x.y.z", "invalid_request"},
			"long":                {set, strings.Repeat("x", 70<<10), "invalid_request"},
			"a form":              {"application/x-www-form-urlencoded", event(nil), "invalid_request"},
			"foreign key":         {set, p.provider.event(newKey(t), "secevent+jwt", claims(nil)), "invalid_key"},
			"no signature":        {set, unsigned, "invalid_key"},
			"another issuer":      {set, event(m{"iss": "https://evil.example"}), "invalid_issuer"},
			"another application": {set, event(m{"aud": "somebody"}), "invalid_audience"},
			"nobody's":            {set, event(m{"aud": nil}), "invalid_audience"},
			"expired":             {set, event(m{"exp": time.Now().Add(-time.Minute).Unix()}), "invalid_request"},
			"from the future":     {set, event(m{"iat": time.Now().Add(time.Hour).Unix()}), "invalid_request"},
			"without iat":         {set, event(m{"iat": nil}), "invalid_request"},
			"without jti":         {set, event(m{"jti": nil}), "invalid_request"},
			"without events":      {set, event(m{"events": nil}), "invalid_request"},
			"without sub_id":      {set, event(m{"sub_id": nil}), "invalid_request"},
			"another's account":   {set, event(m{"sub_id": about("https://evil.example", "anna")}), "invalid_request"},
			"an address":          {set, event(m{"sub_id": m{"format": "email", "email": "anna@beispiel.example"}}), "invalid_request"},
			"with a sub":          {set, event(m{"sub": "anna"}), "invalid_request"},
			"an ID token":         {set, p.provider.sign(good, p.provider.idToken()), "invalid_request"},
			"of another type":     {set, p.provider.event(good, "logout+jwt", claims(nil)), "invalid_request"},
		} {
			if status, err := push(c.kind, c.raw); status != http.StatusBadRequest || err != c.err {
				t.Errorf("%s: %d %s", name, status, err)
			}
			if !u.inside() {
				t.Fatalf("%s: ended the session", name)
			}
		}
		for name, change := range map[string]m{
			"who was never here": {"sub_id": about(p.provider.server.URL, "emil")},
			"another event":      {"events": m{"urn:other": m{}}, "sub_id": nil},
		} {
			if status, _ := push(set, event(change)); status != http.StatusAccepted || !u.inside() {
				t.Errorf("%s: %d", name, status)
			}
		}
		if n := p.count(`SELECT count(*) FROM person`); n != 1 {
			t.Errorf("%d people: who was never here leaves nothing", n)
		}
		once := event(nil)
		for range 2 { // RFC 8935, section 2: the same again is answered the same
			if status, _ := push(set, once); status != http.StatusAccepted || u.inside() {
				t.Errorf("a good event: %d", status)
			}
		}
		if n := p.count(`SELECT count(*) FROM audit WHERE event = 'person.left' AND account = 'anna' AND actor_kind = 'system'`); n != 1 {
			t.Errorf("%d records", n)
		}
		// A token from before does not bring them back.
		if status, _, body := u.returns(u.begins()); status != http.StatusForbidden || !strings.Contains(body, "gelöscht") || u.inside() {
			t.Errorf("came back: %d %s", status, body)
		}
	})
}
