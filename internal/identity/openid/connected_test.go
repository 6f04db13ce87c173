package openid_test

import (
	"net/url"
	"testing"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/account"
	"zunft/internal/identity/openid"
	"zunft/internal/identity/session"
)

// What is connected is listed while it lives, offline access beyond its session;
// disconnecting ends every token at once, of that person and application only.
// After a lock and its end nothing that was granted before opens again (CVE rows
// „locked user × every grant“).
func TestConnections(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		anna, bert := w.person("anna"), w.person("bert")
		b, other := w.signedIn(anna), w.signedIn(bert)
		offline := w.exchange("plain", b.code("plain", "scope", "openid offline_access"))
		online := w.exchange("plain", b.code("plain"))
		berts := w.exchange("plain", other.code("plain", "scope", "openid offline_access"))
		list := func(a account.Account) (all []openid.Connection) {
			w.write(func(tx *db.Tx) (err error) { all, err = openid.Connections(tx, a.ID); return err })
			return all
		}
		refresh := func(token string) int {
			return w.token("plain", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}).status
		}
		if all := list(anna); len(all) != 1 || !all[0].Offline || all[0].Name == "" {
			t.Errorf("%+v", all)
		}
		w.write(func(tx *db.Tx) error { return session.EndAll(tx, audit.Console, anna.ID, "") })
		if all := list(anna); len(all) != 1 || !all[0].Offline {
			t.Errorf("offline access ends with the session: %+v", all)
		}
		by := audit.Actor{Kind: audit.Person, Account: anna.ID}
		app := list(anna)[0].Application
		w.write(func(tx *db.Tx) error { return openid.Disconnect(tx, by, app) })
		if all := list(anna); len(all) != 0 {
			t.Errorf("%+v", all)
		}
		if s, _ := w.userinfo(offline.AccessToken); s != 401 || refresh(offline.RefreshToken) != 400 {
			t.Error("disconnected, and open", s)
		}
		if s, _ := w.userinfo(online.AccessToken); s != 401 {
			t.Error(s)
		}
		if s, _ := w.userinfo(berts.AccessToken); s != 200 || len(list(bert)) != 1 {
			t.Error("somebody else's connection ended", s)
		}
		// A lock ends them for good.
		self := audit.Actor{Kind: audit.Person, Account: bert.ID}
		w.write(func(tx *db.Tx) error {
			if _, err := account.Lock(tx, self, bert.ID, account.LockedBySelf); err != nil {
				return err
			}
			return openid.DisconnectAll(tx, self, bert.ID, "locked")
		})
		w.write(func(tx *db.Tx) error { _, err := account.Release(tx, audit.Console, bert.ID); return err })
		if s, _ := w.userinfo(berts.AccessToken); s != 401 || refresh(berts.RefreshToken) != 400 || len(list(bert)) != 0 {
			t.Error("what was granted before the lock opens again", s)
		}
	})
}
