package portal_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"image"
	"image/png"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/training/export"
	"zunft/internal/training/person"
	"zunft/internal/training/schema"
	"zunft/internal/training/token"
)

// call is a request of a program.
func (w *world) call(key, method, path, body string) page {
	w.t.Helper()
	r, _ := http.NewRequest(method, w.server.URL+path, strings.NewReader(body))
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	r.Header.Set("Accept-Language", "de")
	return w.stranger().do(r)
}

var keyForm = regexp.MustCompile(`zt_[A-Za-z0-9_-]{43}`)

// key makes one through the page that shows it once.
func (b *visit) key(name, scope string) string {
	b.t.Helper()
	p := b.post("/settings/tokens", "name", name, "scope", scope, "days", "30").is(200).has("Wir zeigen ihn nur dieses eine Mal")
	k := keyForm.FindString(p.body)
	if k == "" {
		b.t.Fatalf("no key on the page:\n%s", main(p.body))
	}
	return k
}

// A program of an apprentice reads and writes drafts with a key: never more
// than the person may, and nothing of others.
func TestAProgramWrites_R226(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
		emil := w.comes(claims("emil", "Emil", "Fremd", "korn", "apprentice"))
		bert := w.comes(claims("bert", "Bert", "Meister", "korn", "trainer"))
		bert.get("/settings/tokens").is(403)
		bert.post("/settings/tokens", "name", "x", "scope", "read", "days", "30").is(403)
		anna.post("/settings/tokens", "name", "", "scope", "alles", "days", "7").is(422).has("wofür der Schlüssel ist", "was der Schlüssel darf", "wie lange der Schlüssel gilt")
		reads, writes := anna.key("Lesen", "read"), anna.key("Schreiben", "write")
		anna.get("/settings/tokens").is(200).has("Lesen", "Schreiben", "noch nicht benutzt", "…"+reads[len(reads)-4:]).lacks(reads, writes)
		if len(w.mails("anna@beispiel.example")) != 2 {
			t.Error("no mail told of the keys")
		}

		for _, key := range []string{"", "zt_falsch", "x", "zt_" + strings.Repeat("A", 43)} {
			p := w.call(key, "GET", "/api/v1/reports", "").is(401)
			if p.header.Get("WWW-Authenticate") == "" || p.header.Get("Content-Type") != "application/problem+json" {
				t.Error(p.header)
			}
		}
		w.call("", "GET", "/api/v1/nichts", "").is(401)
		w.call(reads, "GET", "/api/v1/nichts", "").is(404)
		w.call(reads, "GET", "/api/v1/reports/2026-W99", "").is(404)
		w.call(reads, "DELETE", "/api/v1/reports/2026-W47", "").is(405)
		w.call(reads, "PUT", "/api/v1/reports/2026-W47", `{"version":0,"work":"x"}`).is(403)
		w.call(reads, "GET", "/api/v1/reports/2026-W47", "").is(200).has(`"version":0`, `"week":"2026-W47"`)

		body := `{"version":0,"work":"Server gewartet\r\n\u202eheimlich\u0000","days":[{"date":"2026-11-16","attendance":"company","place":"IT","minutes":480}]}`
		w.call(writes, "PUT", "/api/v1/reports/2026-W47", body).is(200).has(`"version":1`, `"work":"Server gewartet\nheimlich"`, `"minutes":480`)
		w.call(writes, "PUT", "/api/v1/reports/2026-W47", body).is(200).has(`"version":1`) // sent twice
		anna.get("/reports/2026-W47").is(200).has("Server gewartet")
		emil.get("/reports/2026-W47").is(200).lacks("Server gewartet")
		w.call(writes, "PUT", "/api/v1/reports/2026-W47", `{"version":0,"work":"anders"}`).is(409).has(`"stored":{`, "Server gewartet", "auf einem anderen Gerät")
		w.call(reads, "GET", "/api/v1/reports?year=2026", "").is(200).has(`"year":2026`, "Server gewartet")
		w.call(reads, "GET", "/api/v1/reports?year=vielleicht", "").is(422).has(`"field":"year"`)
		for _, bad := range []struct{ body, says string }{
			{`{"version":1,"work":"` + strings.Repeat("x", 8001) + `"}`, `"field":"work"`},
			{`{"version":1,"werk":"x"}`, "werk"},
			{`{"version":1}{}`, "JSON"},
			{`nichts`, "JSON"},
			{`{"version":1,"days":[{"date":"2026-11-30"}]}`, `"field":"days[0].date"`},
			{`{"version":1,"days":[{"date":"2026-11-16","attendance":"strand"}]}`, "d1_attendance"},
			{`{"version":1,"week":"2026-W46"}`, "2026-W47"},
			{`{"version":1,"state":"signed_off","work":"` + strings.Repeat("x", 200<<10) + `"}`, "status"},
		} {
			if p := w.call(writes, "PUT", "/api/v1/reports/2026-W47", bad.body); p.status != 422 && p.status != 413 || !strings.Contains(p.body, bad.says) {
				t.Errorf("%.40s: %d %s", bad.body, p.status, p.body)
			}
		}
		// A state that a program sends changes nothing (mass assignment).
		w.call(writes, "PUT", "/api/v1/reports/2026-W46", `{"version":0,"work":"Teige","state":"signed_off","answer":"gut","kind":"paper","changed_at":"2020-01-01T00:00:00Z"}`).is(200).has(`"state":"draft"`, `"kind":"week"`)
		// Submitted is submitted.
		check := anna.get("/reports/2026-W46/check").is(200)
		anna.follow("/reports/2026-W46/submit", "version", check.version())
		w.call(writes, "PUT", "/api/v1/reports/2026-W46", `{"version":2,"work":"x"}`).is(409).has("eingereicht")
		w.call("", "GET", "/api/v1/openapi.json", "").is(200).has(`"openapi": "3.1.0"`)
		w.stranger().get("/api").is(200).has("Schnittstelle für Programme")

		// Revoked is over, for its owner only.
		id := tokenID(t, d, reads)
		emil.post("/settings/tokens/" + id + "/revoke").is(404)
		w.call(reads, "GET", "/api/v1/reports", "").is(200)
		anna.follow("/settings/tokens/"+id+"/revoke").has("Der Schlüssel ist widerrufen", "widerrufen am")
		anna.post("/settings/tokens/" + id + "/revoke").is(303)
		w.call(reads, "GET", "/api/v1/reports", "").is(401)

		// The role goes at the next sign-in, the key does nothing from then on.
		anna.claims.Roles = []string{"trainer"}
		anna.signIn()
		w.call(writes, "GET", "/api/v1/reports", "").is(403)
		anna.claims.Roles = []string{"apprentice"}
		anna.signIn()
		w.call(writes, "GET", "/api/v1/reports", "").is(200)

		// Whoever has not signed in for long, and ends all sessions, and time.
		later := now.Add(29 * 24 * time.Hour)
		d.Now = func() time.Time { return later }
		w.call(writes, "GET", "/api/v1/reports", "").is(200)
		later = now.Add(31 * 24 * time.Hour)
		w.call(writes, "GET", "/api/v1/reports", "").is(401)
		anna.signIn()
		long := keyForm.FindString(anna.post("/settings/tokens", "name", "lang", "scope", "read", "days", "365").body)
		later = now.Add((31 + 61) * 24 * time.Hour)
		w.call(long, "GET", "/api/v1/reports", "").is(409).has("ruht", "60 Tagen")
		elsewhere := anna.claims // a sign-in for another company says nothing about the role in this one
		elsewhere.Company.ID, elsewhere.Company.Name = "elsewhere", "Mühle Anderswo"
		w.comes(elsewhere)
		w.call(long, "GET", "/api/v1/reports", "").is(409).has("ruht")
		anna.signIn()
		w.call(long, "GET", "/api/v1/reports", "").is(200)
		if err := d.Write(context.Background(), func(tx *db.Tx) error { _, err := person.EndBySub(tx, audit.Job, "anna"); return err }); err != nil {
			t.Fatal(err)
		}
		w.call(long, "GET", "/api/v1/reports", "").is(401)
		later = now.Add(2 * 365 * 24 * time.Hour)
		if err := token.Sweep(context.Background(), d); err != nil {
			t.Fatal(err)
		}
		if n := count(t, d, "api_token"); n != 0 {
			t.Errorf("%d tokens are left", n)
		}
	})
}

func tokenID(t *testing.T, d *db.DB, key string) (id string) {
	t.Helper()
	err := d.Read(context.Background(), func(tx *db.Tx) error {
		found, _, err := token.Find(tx, audit.Actor{}, key)
		id = found.ID
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// A program that asks without end waits; so does who guesses keys.
func TestProgramsAreLimited(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, "sqlite", schema.Files))
	anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
	key := anna.key("Schleife", "read")
	for i := range 61 {
		p := w.call(key, "GET", "/api/v1/reports", "")
		if want := map[bool]int{true: 200, false: 429}[i < 60]; p.status != want {
			t.Fatalf("call %d answered %d, wanted %d", i, p.status, want)
		}
		if p.status == 429 && p.header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	}
	last := 0
	for range 25 {
		last = w.call("zt_geraten", "GET", "/api/v1/reports", "").status
	}
	if last != 429 {
		t.Errorf("keys can be guessed without end: %d", last)
	}
}

// Ten keys and no more, also when pressed at once; and many programs at one
// version of a week: one of them wins.
func TestKeysAndProgramsAtOnce(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
		var group sync.WaitGroup
		var lock sync.Mutex
		issued, secret := 0, ""
		for range 16 {
			group.Go(func() {
				var s string
				err := d.Write(context.Background(), func(tx *db.Tx) (err error) {
					_, s, err = token.Issue(tx, anna.actor, "viele", token.Write, 30)
					return err
				})
				lock.Lock()
				defer lock.Unlock()
				if err == nil {
					issued, secret = issued+1, s
				} else if !fault.Is(err, fault.KindConflict) {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if issued != 10 {
			t.Errorf("%d keys, wanted 10", issued)
		}
		won := 0
		for i := range 12 {
			group.Go(func() {
				r, _ := http.NewRequest("PUT", w.server.URL+"/api/v1/reports/2026-W47", strings.NewReader(`{"version":0,"work":"Fassung `+string(rune('A'+i))+`"}`))
				r.Header.Set("Authorization", "Bearer "+secret)
				res, err := http.DefaultClient.Do(r)
				if err != nil {
					t.Error(err)
					return
				}
				res.Body.Close()
				lock.Lock()
				defer lock.Unlock()
				switch res.StatusCode {
				case 200:
					won++
				case 409:
				default:
					t.Errorf("answered %d", res.StatusCode)
				}
			})
		}
		group.Wait()
		if won != 1 {
			t.Errorf("%d programs saved version 0, wanted 1", won)
		}
	})
}

// The book as data: JSON has everything, CSV has nothing that a spreadsheet
// calculates, the archive has the files by week.
func TestTheBookAsData_R228(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
		bert := w.comes(claims("bert", "Bert", "Meister", "korn", "trainer"))
		anna.follow("/reports/2026-W46", "version", "0", "do", "save", "work", "=1+1", "school", "\"Hefe\"; und\nmehr", "d1_attendance", "vacation")
		var data export.Data
		p := anna.get("/reports/export.json").is(200)
		if err := json.Unmarshal([]byte(p.body), &data); err != nil {
			t.Fatal(err)
		}
		if data.Format != export.Format || len(data.Reports) != 1 || data.Reports[0].Work != "=1+1" || data.Reports[0].Days[0].Attendance != "vacation" {
			t.Errorf("%+v", data)
		}
		anna.get("/reports/export.csv").is(200).has("2026-W46;2026-11-09;2026-11-15;draft;;'=1+1;;\"\"\"Hefe\"\"; und", "2026-11-09 vacation")
		for _, path := range []string{"/reports/export.json", "/reports/export.csv", "/reports/attachments.zip"} {
			bert.get(path).is(403)
		}
		anna.get("/my-data.json").is(200).has(`"session.started"`).lacks("bert") // Art. 15 GDPR: who is here gets theirs
		bert.get("/my-data.json").is(200).has(`"trainer"`).lacks("anna")
		anna.get("/reports/attachments.zip").is(404)
		anna.get("/reports/export").lacks("Anhänge (ZIP)")
		for size := range 2 {
			anna.upload("/reports/2026-W46/attachments", "file", "Foto.png", picture(t, size+1)).is(303)
		}
		anna.get("/reports/export").has("Anhänge (ZIP)")
		archive := anna.get("/reports/attachments.zip").is(200).body
		z, err := zip.NewReader(bytes.NewReader([]byte(archive)), int64(len(archive)))
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, f := range z.File {
			names = append(names, f.Name)
		}
		if got := strings.Join(names, " "); got != "2026-W46/Foto.png 2026-W46/Foto (2).png" {
			t.Errorf("the archive has %s", got)
		}
	})
}

func picture(t *testing.T, size int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, size, size))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
