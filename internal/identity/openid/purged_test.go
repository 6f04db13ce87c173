package openid_test

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"zunft/internal/ground/db"
	"zunft/internal/identity/application"
	"zunft/internal/identity/departure"
)

// RFC 8417, RFC 8935, OpenID RISC 2.2: every application that has an address
// for it hears that an account is gone; one that was away, or had refused, is
// told the same event again.
func TestAccountPurgedIsTold(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var mu sync.Mutex
		var got []string
		answers := []int{http.StatusServiceUnavailable, http.StatusBadRequest, http.StatusTemporaryRedirect, http.StatusAccepted}
		rp := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			if r.URL.Path != "/events" || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/secevent+jwt" {
				t.Errorf("%s %s %v", r.Method, r.URL, r.Header)
			}
			b, _ := io.ReadAll(r.Body)
			got = append(got, string(b))
			rw.Header().Set("Location", "/moved")
			rw.WriteHeader(answers[min(len(got)-1, len(answers)-1)])
			io.WriteString(rw, `{"err":"invalid_key"}`)
		}))
		defer rp.Close()
		told := w.application("told", func(a *application.Application) { a.SecurityEventURI = rp.URL + "/events" })
		w.application("off", func(a *application.Application) {
			a.SecurityEventURI, a.State = rp.URL+"/never", application.Disabled
		})
		anna := w.person("anna")
		w.write(func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE account SET delete_at = $1 WHERE id = $2`, tx.Now(), anna.ID)
			return err
		})
		if err := departure.CarryOut(t.Context(), w.d); err != nil {
			t.Fatal(err)
		}
		now := time.Now()
		for i := range 6 {
			w.d.Now = func() time.Time { return now.Add(time.Duration(i) * time.Hour) }
			if err := w.jobs.Drain(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		w.d.Now = time.Now
		if len(got) != 4 {
			t.Fatalf("told %d times, want three failures and one success", len(got))
		}
		provider, err := oidc.NewProvider(t.Context(), w.base)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := provider.Verifier(&oidc.Config{ClientID: told.ClientID, SkipExpiryCheck: true}).Verify(t.Context(), got[3]); err != nil {
			t.Error(err)
		}
		c := claims(t, got[3])
		events, _ := c["events"].(map[string]any)
		about, _ := c["sub_id"].(map[string]any)
		if c["jti"] == nil || c["iat"] == nil || c["toe"] == nil || c["exp"] != nil || c["sub"] != nil || c["nonce"] != nil || events["https://schemas.openid.net/secevent/risc/event-type/account-purged"] == nil ||
			about["format"] != "iss_sub" || about["iss"] != w.base || about["sub"] != anna.ID {
			t.Errorf("claims %v", c)
		}
		if claims(t, got[0])["jti"] != c["jti"] {
			t.Error("the same event has two numbers")
		}
		head, _ := base64.RawURLEncoding.DecodeString(strings.Split(got[3], ".")[0])
		if !strings.Contains(string(head), `"secevent+jwt"`) {
			t.Errorf("header %s", head)
		}
		if p := w.browser().logout("id_token_hint", got[3]); p.status < 400 { // it is no ID token
			t.Errorf("event as hint: %d", p.status)
		}
	})
}
