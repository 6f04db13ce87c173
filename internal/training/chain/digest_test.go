package chain

import (
	"testing"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/training/attachment"
	"zunft/internal/training/book"
	"zunft/internal/training/calendar"
)

// L16: the digests of seals that lie in databases already. If this test fails,
// every old seal is broken: a seal that is made otherwise says so by a number of
// its own (docs/decisions/0026-a-chain-of-seals.md).
func TestDigestsStay_L16(t *testing.T) {
	r := book.Report{ID: "r1", Apprentice: "anna", Company: "korn", Kind: book.Weekly, Week: calendar.Week{Year: 2026, Number: 47}, First: "2026-11-16", Last: "2026-11-22"}
	r.Text = book.Text{Department: "Backstube", Work: "Teig geknetet, 20 °C", Instruction: "Hygiene", School: "Gärung", Sections: "s1 s2"}
	r.Text.Days[0] = book.Day{Attendance: "company", Place: "Backstube", Minutes: 480, Sections: "s1", Text: "Brötchen"}
	c := content(r, []attachment.Attachment{{Name: "Foto.jpg", Kind: "jpeg", Size: 1234, SHA256: "ab"}})
	if want := "Dn-4yhqYsUfPPHm_zFOdQRUpamo2La3Zs7rfkxl38-0"; c != want {
		t.Errorf("content %s, wanted %s", c, want)
	}
	s := Seal{Apprentice: "anna", Number: 2, Report: "r1", Version: 3, At: db.At(time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)), Person: "murat", Content: c}
	if got, want := s.over("before"), "d6eoZ0yeQflp0tt_HmKzdoE4IdAeFY1A7mE1GkzM1XM"; got != want {
		t.Errorf("seal %s, wanted %s", got, want)
	}
}
