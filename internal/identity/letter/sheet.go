package letter

import (
	"io"
	"strconv"

	"zunft/internal/ground/mail"
	"zunft/internal/ground/paper"
	"zunft/internal/identity/chamber"
)

// kindNames are what a cover sheet calls the letters.
var kindNames = map[string]string{Activation: "Aktivierungskennwort", Succession: "Organisationskennwort", Revocation: "Widerrufscode", Recovery: "Wiederherstellung"}

// WriteSheet writes the cover sheet of a batch (ux.md 2.6 no. 6): its letters, and
// a line for whoever takes them to the post. It holds no code.
func WriteSheet(w io.Writer, b Batch, letters []Letter, c chamber.Chamber, printedBy string) error {
	t := &paper.Table{Head: []string{"Nr.", "An", "Ort", "Brief", "Geprüft"}, Widths: []float64{1, 5, 3, 4, 2}}
	for i, l := range letters {
		t.Rows = append(t.Rows, []string{strconv.Itoa(i + 1), l.Name, l.Place, kindNames[l.Kind], ""})
	}
	return paper.WriteSheet(w, paper.Sheet{
		Title: "Begleitliste " + b.Reference, Subtitle: c.Name, Author: c.Name, Date: b.PrintedAt.In(mail.Berlin),
		Facts:    [][2]string{{"Gedruckt", b.PrintedAt.In(mail.Berlin).Format("02.01.2006, 15:04") + " Uhr, " + printedBy}, {"Briefe", strconv.Itoa(len(letters))}},
		Sections: []paper.Section{{Table: t}},
		Sign:     []string{"Kuvertiert", "Zur Post gegeben"},
		Footer:   b.Reference,
	})
}
