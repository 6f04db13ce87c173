package story_test

import (
	"bytes"
	"strings"
	"testing"

	"zunft/internal/ground/db"
	"zunft/internal/story"
)

// Murat takes Lena's whole book of fifteen months out in three clicks from her
// page, Clara while the chamber's look runs; Lena reads who did (R236, R333).
// Every page and state of it: axe, light and dark, 320 pixels.
func TestGalleryBookTakeout_R236_R333(t *testing.T) {
	t.Parallel() // they meet nobody
	w := start(t, "sqlite", story.Options{})
	standingOffice(t, w)
	lena, murat, clara := comesTo(t, w, "lena", 360), comesTo(t, w, "murat", 360), comesTo(t, w, "clara", 1280)
	standingYear(t, w)
	var sub string
	if err := w.TrainingDB.Read(t.Context(), func(tx *db.Tx) (err error) {
		sub, err = db.Value[string](tx, `SELECT sub FROM person WHERE email = 'lena@example.org'`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	share := standingThings(t, w, sub).share

	murat.Open(w.Training + "/trainees/" + sub)
	murat.Follow("Als PDF ausgeben")
	murat.Inspect("takeout-trainer")
	murat.Choose("Eine Woche")
	murat.Press("PDF erstellen")
	murat.Inspect("takeout-trainer-failed")
	murat.Open(w.Training + "/trainees/" + sub)
	murat.Follow("Als PDF ausgeben")
	murat.Press("PDF erstellen")
	murat.untilReady()
	murat.HasText("Lena Lerche")
	murat.Inspect("takeout-trainer-ready")
	if _, pdf := murat.Download("PDF herunterladen"); !bytes.HasPrefix(pdf, []byte("%PDF-")) {
		t.Error("no PDF")
	}
	murat.Press("Datei löschen")
	murat.HasText("Die Datei ist gelöscht")

	clara.Open(w.Training + "/chamber/report-books/" + share)
	clara.Follow("Als PDF ausgeben")
	clara.Inspect("takeout-clerk")
	clara.Press("PDF erstellen")
	clara.untilReady()

	lena.Open(w.Training + "/shares")
	lena.HasText("Wer hat das Heft ausgegeben?")
	lena.Inspect("takeout-shares")
	if text := lena.Text(); strings.Count(text, "das ganze Heft als PDF") != 2 || !strings.Contains(text, "(Kammer)") {
		t.Error(text)
	}
}
