package portal_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/training/schema"
)

// Every form of the portal refuses what another page sends, also with the cookie
// of somebody who may; and says that nothing is to be kept of any answer.
func TestOtherSitesSendNothing(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, "sqlite", schema.Files))
	anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice", "trainer", "training_admin"))
	fill := strings.NewReplacer("{week}", "2026-W47", "{date}", "2026-11-17", "{$}", "")
	for _, route := range w.portal.Mux.Routes {
		method, path, ok := strings.Cut(route.Pattern, " ")
		if !ok || strings.HasPrefix(path, "/oidc/") || strings.HasPrefix(path, "/api/v1/") {
			continue // these are for machines, with proofs of their own
		}
		path = fill.Replace(path)
		if method != "POST" {
			p := anna.get(path)
			if cache := p.header.Get("Cache-Control"); !strings.Contains(cache, "no-store") && p.status < 400 && !strings.HasPrefix(path, "/healthz") && !strings.HasPrefix(path, "/readyz") && !strings.HasPrefix(path, "/assets") && path != "/offline.js" {
				t.Errorf("GET %s: Cache-Control %q", path, cache)
			}
			continue
		}
		for _, header := range [][2]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}} {
			r, _ := http.NewRequest("POST", w.server.URL+path, strings.NewReader("do=save&work=x"))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set(header[0], header[1])
			if p := anna.do(r); p.status != 403 {
				t.Errorf("POST %s with %s: %d", path, header, p.status)
			}
		}
	}
	if n := w.count(`SELECT count(*) FROM report`); n != 0 {
		t.Error("something was written")
	}
}

// What one person may make others read, or the portal keep, in an hour is
// bounded: substitutes, keys.
func TestOnePersonsHour(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		bert := w.comes(claims("bert", "Bert", "Meister", "korn", "trainer"))
		w.comes(claims("berta", "Berta", "Meister", "korn", "trainer"))
		for range 14 {
			bert.post("/substitute", "deputy", "berta", "from", "2026-11-18", "until", "2026-11-20")
			id := ""
			if err := d.Read(t.Context(), func(tx *db.Tx) (err error) {
				id, err = db.Value[string](tx, `SELECT id FROM substitute ORDER BY id DESC LIMIT 1`)
				return err
			}); err != nil {
				t.Fatal(err)
			}
			bert.post("/substitute/" + id + "/end")
		}
		if n := len(w.mails("berta@beispiel.example")); n != 10 {
			t.Errorf("%d mails to a colleague in a minute", n)
		}
		anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
		made := 0
		for i := range 25 {
			p := anna.post("/settings/tokens", "name", fmt.Sprint("k", i), "scope", "read", "days", "30")
			if k := keyForm.FindString(p.body); k != "" {
				made++
				anna.post("/settings/tokens/" + tokenID(t, d, k) + "/revoke").is(303)
			}
		}
		if made != 20 {
			t.Errorf("%d keys in a minute", made)
		}
	})
}
