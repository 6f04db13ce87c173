package letter

import (
	"bytes"
	"cmp"
	"strconv"
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
	over    []string // letters to people whose requests ended
}

// sheet is one letter to be.
type sheet struct {
	letter, kind, recovery         string
	organization                   string
	name, ident                    string
	street, house, postcode, place string
	management                     string
	registeredBy, askedBy          string // accounts, then the people's names
	queued, active                 db.Time
	since                          db.Time // of the application
	code                           string
	paper                          Paper
}

// prepare reads a consistent picture of the queue and makes the codes.
func prepare(tx *db.Tx, chamberID, base string, people People) (r run, err error) {
	if r.chamber, err = chamber.Get(tx, chamberID); err != nil {
		return r, err
	}
	all, err := sheetsFor(tx, chamberID)
	if err != nil {
		return r, err
	}
	var ids, recoveries []string
	for _, s := range all {
		ids = append(ids, s.registeredBy, s.askedBy)
		if s.kind == Recovery {
			recoveries = append(recoveries, s.recovery)
		}
	}
	names, err := account.GetMany(tx, ids)
	if err != nil {
		return r, err
	}
	papers := map[string]Paper{}
	if len(recoveries) > 0 {
		if papers, err = people(tx, base, recoveries); err != nil {
			return r, err
		}
	}
	for _, s := range all {
		var printable bool
		if s.paper, printable = papers[s.recovery]; s.kind == Recovery && !printable {
			r.over = append(r.over, s.recovery)
			continue
		}
		s.code = newCode()
		s.registeredBy, s.askedBy = names[s.registeredBy].Name(), names[s.askedBy].Name()
		r.sheets = append(r.sheets, s)
	}
	r.batch = newBatch(chamberID, tx.Now(), len(r.sheets))
	r.expires = tx.Now().Add(Term)
	return r, nil
}

func (r *run) pdf(base string) ([]byte, error) {
	var all []paper.Letter
	for i, s := range r.sheets {
		all = append(all, r.lay(s, Numbered(r.batch.Reference, i), base))
	}
	var b bytes.Buffer
	err := paper.WriteLetters(&b, all)
	return b.Bytes(), err
}

// Numbered is the reference on a letter: that of its batch and its place in it,
// by which a letter that came back is found again.
func Numbered(reference string, i int) string { return reference + "/" + strconv.Itoa(i+1) }

// lay writes one letter: DIN 5008 form B, to the management (R092), with the
// numbers that activation asks for (R098) and no more than a page.
func (r *run) lay(s sheet, reference, base string) paper.Letter {
	if s.kind == Recovery {
		return s.paper.Lay(reference, s.code)
	}
	c := r.chamber
	l := paper.Letter{
		Sender:  Sender(c),
		Remarks: []string{"Vertraulich"},
		To:      lines(s.name, "Geschäftsführung", s.management, s.street+" "+s.house, s.postcode+" "+s.place),
		Date:    r.batch.PrintedAt.In(mail.Berlin),
		Info:    pairs("Unser Zeichen", reference, "Telefon", c.Phone, "E-Mail", c.Email),
		Blocks:  []paper.Block{paper.Paragraph{Text: "Guten Tag,"}},
	}
	var blocks []paper.Block
	switch s.kind {
	case Activation:
		l.Subject, blocks = r.activation(s, base+"/organizations/activate")
	case Succession:
		l.Subject, blocks = r.succession(s, base+"/organizations/activate")
	case Revocation:
		l.Subject, blocks = r.revocation(s, base+"/revoke")
	}
	l.Blocks = append(append(l.Blocks, blocks...), paper.Paragraph{Text: strings.Join(lines("Freundliche Grüße", cmp.Or(c.LetterSigner, c.Name)), "\n")})
	return l
}

func (r *run) activation(s sheet, page string) (subject string, blocks []paper.Block) {
	return "Ihr Aktivierungskennwort für das Organisationskonto", []paper.Block{
		paper.Paragraph{Text: s.registeredBy + " hat am " + day(s.since) + " für Ihr Unternehmen ein Organisationskonto bei der " + r.chamber.Name +
			" beantragt, um es zu verwalten und weitere Personen hinzuzufügen. Freigeschaltet wird es erst mit diesem Kennwort, das nur Sie als Geschäftsführung erhalten."},
		r.numbers(s),
		r.code("Ihr Aktivierungskennwort", s.code),
		paper.Paragraph{Text: "So geht es weiter", Bold: true},
		paper.Steps{
			"Sind Sie einverstanden? Dann geben Sie diesen Brief an " + s.registeredBy + " weiter. Aktivieren kann nur, wer das Unternehmen registriert hat.",
			"Im Portal unter „Organisation aktivieren“ die drei Angaben aus diesem Brief eingeben.",
		},
		door(page, "Kennwort"),
		paper.Paragraph{Text: "Sie haben nicht damit gerechnet? Dann geben Sie das Kennwort nicht weiter und sagen Sie uns Bescheid" + reach(r.chamber) + ". Ohne das Kennwort wird nichts freigeschaltet."},
	}
}

// succession is the letter with a new organization password (R102, M09).
func (r *run) succession(s sheet, page string) (subject string, blocks []paper.Block) {
	by := ""
	if s.askedBy != "" {
		by = " (von " + s.askedBy + ")"
	}
	return "Ihr neues Organisationskennwort", []paper.Block{
		paper.Paragraph{Text: "Am " + day(s.queued) + " wurde für Ihr Unternehmen ein neues Organisationskennwort angefordert" + by +
			". Wer es eingibt, verwaltet danach das Organisationskonto. Sie als Geschäftsführung entscheiden, wer das sein soll. Wollen Sie nichts ändern, dann vernichten Sie diesen Brief."},
		r.numbers(s),
		r.code("Ihr Organisationskennwort", s.code),
		paper.Paragraph{Text: "So geht es weiter", Bold: true},
		paper.Steps{
			"Geben Sie diesen Brief der Person, die das Konto verwalten soll.",
			"Sie meldet sich im Portal an und gibt unter „Organisation aktivieren“ die drei Angaben ein.",
			"Wer das Konto schon verwaltet, erfährt davon. Nach 7 Tagen gilt die neue Administration; verwaltet es niemand, gilt sie sofort.",
		},
		door(page, "Kennwort"),
	}
}

// revocation goes to the management of a company whose account is active already.
func (r *run) revocation(s sheet, page string) (subject string, blocks []paper.Block) {
	since := s.active
	if since.IsZero() {
		since = s.queued
	}
	return "Für Ihr Unternehmen besteht ein Organisationskonto", []paper.Block{
		paper.Paragraph{Text: s.registeredBy + " hat am " + day(s.since) + " für Ihr Unternehmen ein Organisationskonto bei der " + r.chamber.Name +
			" beantragt. Es ist seit dem " + day(since) + " freigeschaltet. " + s.registeredBy + " verwaltet es."},
		r.numbers(s),
		r.code("Ihr Widerrufscode", s.code),
		paper.Paragraph{Text: "Sind Sie einverstanden? Dann brauchen Sie nichts zu tun.", Bold: true},
		paper.Paragraph{Text: "Sonst sperren Sie das Konto mit diesem Code. Das geht sofort und ohne eigenes Konto. Danach klären wir mit Ihnen, wie es weitergeht. Sie erreichen uns auch ohne den Code" + reach(r.chamber) + "."},
		door(page, "Code"),
	}
}

func (r *run) numbers(s sheet) paper.Block {
	return paper.Facts{{"Identnummer", s.ident}, {"Kammernummer", r.chamber.Number}}
}

func (r *run) code(label, code string) paper.Block {
	return paper.Code{Label: label, Value: paper.Group(code, 4), Caption: "Gültig bis " + day(r.expires) + ". Groß- und Kleinschreibung sowie Bindestriche spielen keine Rolle."}
}

// door leads to the page where the code is typed.
func door(page, code string) paper.Block {
	the, your := "das", "Ihr"
	if code == "Code" {
		the, your = "den", "Ihren"
	}
	return paper.QR{Text: page, Size: 18, Caption: "Hier geben Sie " + the + " " + code + " ein:\n" + page + "\nDas Bild enthält nur diese Adresse, nicht " + your + " " + code + "."}
}

func day(t db.Time) string { return t.In(mail.Berlin).Format("02.01.2006") }

// Sender is a chamber as it stands on its letters.
func Sender(c chamber.Chamber) paper.Sender {
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
