package letter

import (
	"bytes"
	"cmp"
	"strings"

	"zunft/internal/ground/db"
	"zunft/internal/ground/mail"
	"zunft/internal/ground/paper"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
)

// A run is a batch as it is laid out: what was read, and the fresh codes.
type run struct {
	batch   Batch
	chamber chamber.Chamber
	expires db.Time
	sheets  []sheet
}

// sheet is one letter to be.
type sheet struct {
	letter, organization           string
	name, ident                    string
	street, house, postcode, place string
	management                     string
	registeredBy                   string // account, then the person's name
	since                          db.Time
	code                           string
}

// prepare reads a consistent picture of the queue and makes the codes.
func prepare(tx *db.Tx, chamberID string) (r run, err error) {
	if r.chamber, err = chamber.Get(tx, chamberID); err != nil {
		return r, err
	}
	if r.sheets, err = sheetsFor(tx, chamberID); err != nil {
		return r, err
	}
	var ids []string
	for _, s := range r.sheets {
		ids = append(ids, s.registeredBy)
	}
	people, err := account.GetMany(tx, ids)
	if err != nil {
		return r, err
	}
	for i := range r.sheets {
		r.sheets[i].code = newCode()
		r.sheets[i].registeredBy = people[r.sheets[i].registeredBy].Name()
	}
	r.batch = newBatch(chamberID, tx.Now(), len(r.sheets))
	r.expires = tx.Now().Add(Term)
	return r, nil
}

func (r *run) pdf(page string) ([]byte, error) {
	var all []paper.Letter
	for _, s := range r.sheets {
		all = append(all, r.lay(s, page))
	}
	var b bytes.Buffer
	err := paper.WriteLetters(&b, all)
	return b.Bytes(), err
}

// lay writes one letter: DIN 5008 form B, to the management (R092), with the
// numbers that activation asks for (R098) and no more than a page.
func (r *run) lay(s sheet, page string) paper.Letter {
	c := r.chamber
	until := r.expires.In(mail.Berlin).Format("02.01.2006")
	return paper.Letter{
		Sender:  sender(c),
		Remarks: []string{"Vertraulich"},
		To:      lines(s.name, "Geschäftsführung", s.management, s.street+" "+s.house, s.postcode+" "+s.place),
		Date:    r.batch.PrintedAt.In(mail.Berlin),
		Info:    pairs("Unser Zeichen", r.batch.Reference, "Telefon", c.Phone, "E-Mail", c.Email),
		Subject: "Ihr Aktivierungskennwort für das Organisationskonto",
		Blocks: []paper.Block{
			paper.Paragraph{Text: "Guten Tag,"},
			paper.Paragraph{Text: s.registeredBy + " hat am " + s.since.In(mail.Berlin).Format("02.01.2006") + " für Ihr Unternehmen ein Organisationskonto bei der " + c.Name +
				" beantragt, um es zu verwalten und weitere Personen hinzuzufügen. Freigeschaltet wird es erst mit diesem Kennwort, das nur Sie als Geschäftsführung erhalten."},
			paper.Facts{{"Identnummer", s.ident}, {"Kammernummer", c.Number}},
			paper.Code{Label: "Ihr Aktivierungskennwort", Value: paper.Group(s.code, 4), Caption: "Gültig bis " + until + ". Groß- und Kleinschreibung sowie Bindestriche spielen keine Rolle."},
			paper.Paragraph{Text: "So geht es weiter", Bold: true},
			paper.Steps{
				"Sind Sie einverstanden? Dann geben Sie diesen Brief an " + s.registeredBy + " weiter. Aktivieren kann nur, wer das Unternehmen registriert hat.",
				"Im Portal unter „Organisation aktivieren“ die drei Angaben aus diesem Brief eingeben.",
			},
			paper.QR{Text: page, Size: 18, Caption: "Hier geben Sie das Kennwort ein:\n" + page + "\nDas Bild enthält nur diese Adresse, nicht Ihr Kennwort."},
			paper.Paragraph{Text: "Sie haben nicht damit gerechnet? Dann geben Sie das Kennwort nicht weiter und sagen Sie uns Bescheid" + reach(c) + ". Ohne das Kennwort wird nichts freigeschaltet."},
			paper.Paragraph{Text: strings.Join(lines("Freundliche Grüße", cmp.Or(c.LetterSigner, c.Name)), "\n")},
		},
	}
}

func sender(c chamber.Chamber) paper.Sender {
	street, town := strings.TrimSpace(c.Street+" "+c.HouseNumber), strings.TrimSpace(c.Postcode+" "+c.Place)
	return paper.Sender{
		Name:       c.Name,
		ReturnLine: strings.Join(lines(c.Name, street, town), " · "),
		Lines:      lines(c.Name, street, town),
		Footer:     []string{strings.Join(lines(c.Name, street, town, c.Phone, c.Email, c.Website), " · ")},
	}
}

// reach says how to reach the chamber, as far as it told us.
func reach(c chamber.Chamber) string {
	ways := lines(c.Phone, c.Email)
	if len(ways) == 0 {
		return ""
	}
	text := ": " + strings.Join(ways, " oder ")
	if c.Hours != "" {
		text += " (" + c.Hours + ")"
	}
	return text
}

// lines leaves out the empty ones.
func lines(all ...string) (some []string) {
	for _, l := range all {
		if l = strings.TrimSpace(l); l != "" {
			some = append(some, l)
		}
	}
	return some
}

// pairs leaves out labels without a value.
func pairs(all ...string) (some [][2]string) {
	for i := 0; i+1 < len(all); i += 2 {
		if strings.TrimSpace(all[i+1]) != "" {
			some = append(some, [2]string{all[i], all[i+1]})
		}
	}
	return some
}
