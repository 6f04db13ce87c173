package openid_test

import (
	"net/url"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/openid"
	"zunft/internal/identity/session"
)

// What nobody can use any more goes; what somebody can use stays.
func TestSweep(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		anna := w.person("anna")
		b := w.signedIn(anna)
		b.code("plain") // never exchanged
		offline := w.exchange("plain", b.code("plain", "scope", "openid offline_access"))
		online := w.exchange("plain", b.code("plain"))
		count := func() (grants, tokens int) {
			t.Helper()
			err := w.d.Read(t.Context(), func(tx *db.Tx) (err error) {
				if grants, err = db.Value[int](tx, `SELECT count(*) FROM oidc_grant`); err == nil {
					tokens, err = db.Value[int](tx, `SELECT count(*) FROM oidc_token`)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return grants, tokens
		}
		sweep := func() {
			t.Helper()
			if err := openid.Sweep(w.p, t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		sweep()
		if grants, tokens := count(); grants != 3 || tokens != 1 {
			t.Errorf("swept too early: %d grants, %d tokens", grants, tokens)
		}
		if status, _ := w.userinfo(online.AccessToken); status != 200 {
			t.Errorf("online token: %d", status)
		}
		w.write(func(tx *db.Tx) error { return session.EndAll(tx, audit.Console, anna.ID, "") })
		now := time.Now()
		w.d.Now = func() time.Time { return now.Add(2 * time.Hour) }
		sweep()
		if grants, tokens := count(); grants != 1 || tokens != 1 {
			t.Errorf("after two hours: %d grants, %d tokens", grants, tokens)
		}
		if r := w.token("plain", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {offline.RefreshToken}}); r.status != 200 {
			t.Errorf("offline: %+v", r)
		}
		w.d.Now = func() time.Time { return now.Add(32 * 24 * time.Hour) }
		sweep()
		if grants, tokens := count(); grants != 0 || tokens != 0 {
			t.Errorf("after a month: %d grants, %d tokens", grants, tokens)
		}
	})
}
