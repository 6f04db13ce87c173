package portal_test

import (
	"strings"
	"testing"

	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/training/schema"
)

// hostile are texts that no eye should see or no machine should do.
const hostileText = "🥐👩🏽‍🍳 <script>alert(1)</script>\u202eheimlich\u202c\x00\x07 =1+1"

// Bad input at the door of a day: the complaint stands at its field, the text
// comes back, nothing is executed, and days of other weeks are not there.
func TestBadInputOfADay_R226(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
		at := "/reports/2026-W47/day/2026-11-17"
		long := strings.Repeat("ä", 20_000)
		p := anna.post(at, "version", "0", "d_text", long, "d_place", strings.Repeat("x", 101), "d_hours", "viel", "d_attendance", "strand").is(422)
		p.has(long, "Dieser Text hat 20.000 Zeichen", "Kürzen Sie den Ort auf höchstens 100 Zeichen", `value="viel"`, `href="#d_text"`, `href="#d_hours"`)
		anna.follow(at, "version", "0", "d_text", hostileText, "d_attendance", "company", "d_hours", "8").is(200)
		anna.get(at).is(200).has("🥐👩🏽‍🍳 &lt;script&gt;alert(1)&lt;/script&gt;heimlich =1&#43;1").lacks("<script>alert", "\u202e", "\x07")
		for _, other := range []string{"/reports/2026-W47/day/2026-11-24", "/reports/2026-W47/day/2026-13-01", "/reports/2026-W47/day/x", "/reports/2027-W10/day/2027-03-09"} {
			anna.get(other).is(404)
			anna.post(other, "version", "0", "d_text", "x").is(404)
		}
		// Two devices: nothing is overwritten.
		anna.post(at, "version", "7", "d_text", "vom anderen Gerät").is(409).has("vom anderen Gerät")
	})
}

// Bad input of programs and files: what looks like ids or days is no place for
// anything else, on both engines, and a file cannot say that it was signed off.
func TestBadInputOfMachines_R226(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
		key := anna.key("x", "write")
		for name, body := range map[string]string{
			"control characters in sections": `{"version":0,"work":"x","sections":["a\u0000b","\u202e","c d <script>"]}`,
			"and of a day":                   `{"version":0,"work":"x","days":[{"date":"2026-11-16","sections":["\u0000","<b>"]}]}`,
			"in a text":                      `{"version":0,"work":"\u0000","school":"\ud800","department":"a\nb\u0000"}`,
			"in an attendance":               `{"version":0,"work":"x","days":[{"date":"2026-11-16","attendance":"\u0000"}]}`,
			"in a day":                       `{"version":0,"work":"x","days":[{"date":"2026-11-16\u0000"}]}`,
			"no number of minutes":           `{"version":0,"work":"x","days":[{"date":"2026-11-16","minutes":-9223372036854775808}]}`,
			"too many minutes":               `{"version":0,"work":"x","days":[{"date":"2026-11-16","minutes":9223372036854775807}]}`,
			"more than a number":             `{"version":0,"work":"x","days":[{"date":"2026-11-16","minutes":1e300}]}`,
			"a version of its own":           `{"version":-1,"work":"x"}`,
			"a version beyond":               `{"version":9223372036854775807,"work":"x"}`,
			"deep":                           strings.Repeat("[", 60_000),
			"deeper":                         `{"work":` + strings.Repeat(`{"a":`, 20_000),
			"day twice":                      `{"version":0,"work":"x","days":[{"date":"2026-11-16","text":"a"},{"date":"2026-11-16","text":"b"}]}`,
			"eight days":                     `{"version":0,"work":"x","days":[{"date":"2026-11-16"},{"date":"2026-11-23"}]}`,
		} {
			p := w.call(key, "PUT", "/api/v1/reports/2026-W47", body)
			if p.status != 200 && p.status != 422 && p.status != 409 {
				t.Errorf("%s: %d %.300s", name, p.status, p.body)
			}
			if p.status == 200 && strings.ContainsAny(p.body, "\x00\u202e<") || strings.Contains(p.body, `\u0000`) {
				t.Errorf("%s was kept: %s", name, p.body)
			}
		}
		w.call(key, "PUT", "/api/v1/reports/2099-W01", `{"version":0,"work":"x"}`).is(404)

		for name, body := range map[string]string{
			"signed elsewhere": `{"format":"zunft-report-book","version":1,"reports":[{"week":"2026-W40","state":"signed_off","version":9,"work":"Selbst abgezeichnet","answer":"gut"}]}`,
			"sections":         `{"format":"zunft-report-book","version":1,"reports":[{"week":"2026-W41","work":"x","sections":["a\u0000b"],"days":[{"date":"2026-10-05","sections":["\u0000"],"text":"\u0000"}]}]}`,
			"paper":            `{"format":"zunft-report-book","version":1,"reports":[{"week":"2025-W32","kind":"paper","first":"2025-08-04\u0000","last":"9999-99-99","work":"x","state":"signed_off"}]}`,
			"paper without":    `{"format":"zunft-report-book","version":1,"reports":[{"kind":"paper","work":"x"}]}`,
			"paper backwards":  `{"format":"zunft-report-book","version":1,"reports":[{"week":"2025-W32","kind":"paper","first":"2026-08-04","last":"2025-01-01","work":"x"}]}`,
			"week":             `{"format":"zunft-report-book","version":1,"reports":[{"week":"2026-W42\u0000","work":"x"},{"week":"-001-W01","work":"x"},{"week":"0000-W01","work":"x"}]}`,
			"deep":             strings.Repeat("[", 3_000_000),
			"null":             `null`, "number": `1e999`, "list": `[1,2,3]`, "empty": `{}`, "nothing": "\x00\x00\x00",
		} {
			p := anna.upload("/reports/import", "file", "x.json", []byte(body))
			if p.status != 303 && p.status != 422 {
				t.Errorf("%s: %d %.400s", name, p.status, main(p.body))
				continue
			}
			if p.status == 303 {
				if look := anna.get(p.location); look.status != 200 {
					t.Errorf("%s, looked at: %d", name, look.status)
				}
				if taken := anna.post(p.location); taken.status != 303 {
					t.Errorf("%s, taken: %d %.300s", name, taken.status, main(taken.body))
				}
			}
		}
		anna.get("/reports/2026-W40").is(200).has("Selbst abgezeichnet", "Prüfen und einreichen").lacks("Abgezeichnet von")
		if n := w.count(`SELECT count(*) FROM report WHERE state <> 'draft'`); n != 0 {
			t.Errorf("%d reports of files are no drafts", n)
		}
	})
}

// While nobody has said when the apprenticeship began, a slip of the keys makes
// no book of twenty years with a thousand weeks that are missing.
func TestNoBookOfTwentyYears(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, "sqlite", schema.Files))
	anna := w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
	for _, week := range []string{"2006-W47", "2000-W01", "2020-W01"} {
		anna.get("/reports/" + week).is(404)
		anna.post("/reports/"+week, "version", "0", "do", "save", "work", "x").is(404)
	}
	anna.get("/reports/2022-W10").is(200)
}
