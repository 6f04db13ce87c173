package portal_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"regexp"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/training/attachment"
	"zunft/internal/training/calendar"
	"zunft/internal/training/review"
	"zunft/internal/training/schema"
)

// settle lets the ten minutes pass in which a sign-off can be taken back.
func (w *world) settle() {
	w.t.Helper()
	then := w.d.Now().Add(review.UndoFor)
	w.d.Now = func() time.Time { return then }
	if err := review.Settle(context.Background(), w.d); err != nil {
		w.t.Fatal(err)
	}
}

// submits writes a week and sends it to the trainers.
func (b *visit) submits(week, text string) {
	b.t.Helper()
	edit := b.get("/reports/" + week).is(200)
	check := b.follow("/reports/"+week, "version", edit.version(), "do", "check", "work", text).is(200)
	b.post("/reports/"+week+"/submit", "version", check.version()).is(303)
}

var reviewLink = regexp.MustCompile(`<a href="/reviews/([0-9a-f-]{36})"`)

// ids are the reports of a list.
func (p page) ids() (all []string) {
	for _, m := range reviewLink.FindAllStringSubmatch(main(p.body), -1) {
		all = append(all, m[1])
	}
	return all
}

// R227, ux 1.2 task 7: each sign-off leads to the next; the bar takes it back;
// "Erledigt" lists it.
func TestOneAfterTheOther_R227(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		bert, anna := w.comes(claims("bert", "Bert", "Meister", "korn", "trainer")), w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
		for n := 44; n <= 46; n++ {
			anna.submits(fmt.Sprintf("2026-W%d", n), fmt.Sprint("Teige ", n))
		}
		ids := bert.get("/reviews").is(200).has("3 Nachweise warten", "Alle lesen").ids()
		first := bert.get("/reviews/"+ids[0]).is(200).has("Nachweis 1 von 3", "Woche 44", "Abzeichnen und weiter", `href="/reviews/`+ids[1]+`"`)
		second := bert.post("/reviews/"+ids[0]+"/sign-off", "version", first.version()).is(303)
		if second.location != "/reviews/"+ids[1] {
			t.Errorf("led to %s", second.location)
		}
		bar := bert.get(second.location).is(200).has("Woche 44 von Anna Muster ist abgezeichnet", "Rückgängig", "Nachweis 1 von 2", `action="/reviews/`+ids[0]+`/undo"`)
		bert.follow("/reviews/"+ids[0]+"/undo", "version", bar.version()).is(200).has("Woche 44 von Anna Muster ist zurückgenommen", "Nachweis 1 von 3")
		bert.post("/reviews/"+ids[0]+"/undo", "version", "99").is(409).has("lässt sich nicht mehr zurücknehmen")
		bert.get("/reviews/done").is(200).has("Noch nichts entschieden")
		again := bert.get("/reviews/" + ids[0]).version()
		bert.follow("/reviews/"+ids[0]+"/sign-off", "version", again).is(200)
		bert.get("/reviews/done").is(200).has("Woche 44", "Rückgängig")
		w.settle()
		bert.get("/reviews/done").is(200).has("Woche 44", "abgezeichnet").lacks("Rückgängig")
		bert.get("/reviews").is(200).lacks("Rückgängig")
		if m := w.mails("anna@beispiel.example"); len(m) != 1 { // M21, once it is final
			t.Errorf("%d mails", len(m))
		}
	})
}

// R331, R332: reasons to tick, in the apprentice's language; a remark is free.
func TestReasonsToTick_R331_R332(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, "sqlite", schema.Files))
	bert, anna := w.comes(claims("bert", "Bert", "Meister", "korn", "trainer")), w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
	anna.submits("2026-W46", "Teige")
	id := bert.get("/reviews").ids()[0]
	version := bert.get("/reviews/" + id).is(200).has("Genauer beschreiben").version()
	bert.post("/reviews/"+id+"/return", "version", version, "why", "nichts").is(422).has("Schreiben Sie, was noch anders werden soll", "<details open>")
	bert.follow("/reviews/"+id+"/return", "version", version, "why", "detail", "reason", "Und die Mengen").is(200)
	anna.get("/reports/2026-W46").is(200).has("Bitte beschreiben Sie genauer, was Sie gemacht haben.", "Und die Mengen")
}

// Read through and signed off together: what changed meanwhile stays, what was
// left out too; without the confirmation nothing happens.
func TestAllAtOnce_R227(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		bert, anna := w.comes(claims("bert", "Bert", "Meister", "korn", "trainer")), w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
		vera := w.comes(claims("vera", "Vera", "Amt", "korn", "training_admin"))
		for n := 43; n <= 46; n++ {
			anna.submits(fmt.Sprintf("2026-W%d", n), fmt.Sprint("Teige ", n))
		}
		vera.get("/reviews/all").is(403)
		ids := bert.get("/reviews").ids()
		all := bert.get("/reviews/all").is(200).has("4 Nachweise, vollständig", "Teige 43", "Teige 46", "Ich habe diese Nachweise durchgesehen")
		form := []string{"skip-" + ids[1], "1"}
		for _, id := range ids {
			_, rest, _ := strings.Cut(all.body, `name="version-`+id+`" value="`)
			version, _, _ := strings.Cut(rest, `"`)
			form = append(form, "report", id, "version-"+id, version)
		}
		post := func(more ...string) page { return bert.post("/reviews/all", append(form, more...)...) }
		post().is(422).has("Bestätigen Sie, dass Sie die Nachweise durchgesehen haben", "Teige 43")
		anna.follow("/reports/2026-W46/take-back").is(200) // while Bert reads
		done := post("read", "1").is(303)
		bert.get(done.location).is(200).has("Abgezeichnet: 2. Unverändert: 1", "Woche 43", "Woche 45").lacks("Woche 44", "Woche 46")
		if left := bert.get("/reviews").ids(); len(left) != 1 || left[0] != ids[1] {
			t.Errorf("left are %v", left)
		}
		post("read", "1").is(303) // sent again: once
		bert.get("/reviews").is(200).has("1 Nachweis wartet")
	})
}

// Substitutes and the ways of W14, through their pages.
func TestSubstitutePages_W14(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, "sqlite", schema.Files))
	bert, anna := w.comes(claims("bert", "Bert", "Meister", "korn", "trainer")), w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
	w.comes(claims("gerd", "Gerd", "Anders", "korn", "trainer"))
	vera := w.comes(claims("vera", "Vera", "Amt", "korn", "training_admin"))
	today := calendar.DateOf(now)
	anna.get("/substitute").is(403)
	bert.get("/substitute").is(200).has("Gerd Anders").lacks("Bert Meister</option>")
	bert.post("/substitute", "deputy", "gerd", "from", "irgendwann", "until", "").is(422).has("ersten Tag der Vertretung", "letzten Tag der Vertretung")
	bert.follow("/substitute", "deputy", "gerd", "from", string(today), "until", string(today.Add(7))).is(200).has("Die Vertretung ist eingetragen", "18.11.2026 – 25.11.2026")
	bert.post("/substitute", "deputy", "gerd", "from", string(today), "until", string(today.Add(7))).is(409).has("vertritt Sie schon jemand")
	if m := w.mails("gerd@beispiel.example"); len(m) != 1 || !strings.Contains(m[0].Subject, "Ihre Vertretung beginnt am 18.11.2026") {
		t.Errorf("mails to Gerd: %+v", m)
	}
	bert.get("/company/supervisors").is(403)
	vera.get("/company/supervisors").is(200).has("wir bestätigen ihre Adresse einmal")
	vera.post("/company/supervisors", "way", "fax").is(422).has("Wählen Sie eine der Möglichkeiten")
	vera.follow("/company/supervisors", "way", "account").is(200).has("Gespeichert")
	anna.submitTo("2026-W46", "Teige", "petra@muehle.example").is(422).has("noch kein Konto mit der Rolle")
}

// R228: attachments of a report come with it, to be saved; who may not read the
// report gets none, and nobody while it is back with the apprentice.
func TestAttachmentsAreRead_R228(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, "sqlite", schema.Files))
	bert, anna := w.comes(claims("bert", "Bert", "Meister", "korn", "trainer")), w.comes(claims("anna", "Anna", "Muster", "korn", "apprentice"))
	rita, emil := w.comes(claims("rita", "Rita", "Fremd", "stahl", "trainer")), w.comes(claims("emil", "Emil", "Muster", "korn", "apprentice"))
	edit := anna.get("/reports/2026-W46").is(200)
	check := anna.follow("/reports/2026-W46", "version", edit.version(), "do", "check", "work", "Teige")
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	err := w.d.Write(context.Background(), func(tx *db.Tx) error {
		f, err := attachment.Prepare("Ofen.png", picture.Bytes())
		if err != nil {
			return err
		}
		_, err = attachment.Add(tx, anna.actor, calendar.Week{Year: 2026, Number: 46}, f)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	anna.post("/reports/2026-W46/submit", "version", check.version()).is(303)
	id := bert.get("/reviews").ids()[0]
	page := bert.get("/reviews/" + id).is(200).has("Ofen.png")
	link := regexp.MustCompile(`/reviews/[0-9a-f-]+/files/[0-9a-f-]+`).FindString(page.body)
	file := bert.get(link).is(200)
	if !strings.HasPrefix(file.body, "\x89PNG") || !strings.HasPrefix(file.header.Get("Content-Disposition"), "attachment") || file.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("file: %v", file.header)
	}
	rita.get(link).is(404)
	emil.get(link).is(404)
	bert.get(link + "0").is(404)
	bert.follow("/reviews/"+id+"/return", "version", page.version(), "reason", "Mengen").is(200)
	bert.get(link).is(404)
}
