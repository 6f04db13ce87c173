package recovery

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/mail"
	"zunft/internal/ground/paper"
	"zunft/internal/ground/seal"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/letter"
)

// Print makes the paper with the code: a letter to the address from the
// chamber's records, or a slip that is handed over at the desk. The code before
// is void. page is the address where it is typed. The PDF is returned once and
// kept nowhere; it is laid out before the transaction that books its code.
func Print(ctx context.Context, d *db.DB, by audit.Actor, id, page string) (Recovery, []byte, error) {
	var r Recovery
	var c chamber.Chamber
	var now, expires db.Time
	err := d.Read(ctx, func(tx *db.Tx) (err error) {
		if r, err = printable(tx, by, id); err != nil {
			return err
		}
		now, expires = tx.Now(), r.usable(tx.Now())
		c, err = chamber.Get(tx, r.Chamber)
		return err
	})
	if err != nil {
		return r, nil, err
	}
	code := seal.Letters(codeLength)
	var b bytes.Buffer
	if err := paper.WriteLetters(&b, []paper.Letter{r.lay(c, r.Reference, code, page, now, expires)}); err != nil {
		return r, nil, fmt.Errorf("print recovery %s: %w", r.Reference, err)
	}
	return r, b.Bytes(), d.Write(ctx, func(tx *db.Tx) error {
		if _, err := printable(tx, by, id); err != nil {
			return err
		}
		if err := r.book(tx, by, code, expires); err != nil {
			return err
		}
		return letter.VoidRecovery(tx, by, id, "printed_alone") // the one in the queue has another code
	})
}

// Papers are the letters of approved requests for a batch (package letter); a
// request that ended, or whose owner objected, has none.
func Papers(tx *db.Tx, base string, ids []string) (map[string]letter.Paper, error) {
	papers := map[string]letter.Paper{}
	var c chamber.Chamber // of all of them: a batch is one chamber's
	for len(ids) > 0 {
		some := ids[:min(len(ids), 100)]
		ids = ids[len(some):]
		args := make([]any, len(some))
		for i, id := range some {
			args[i] = id
		}
		all, err := many(tx, `state IN ('approved', 'released') AND address <> '' AND id IN (`+db.In(1, len(args))+`)`, args...)
		if err != nil {
			return nil, err
		}
		for _, r := range all {
			if c.ID != r.Chamber {
				if c, err = chamber.Get(tx, r.Chamber); err != nil {
					return nil, err
				}
			}
			c, now, expires := c, tx.Now(), r.usable(tx.Now())
			papers[r.ID] = letter.Paper{
				Expires: expires,
				Lay: func(reference, code string) paper.Letter {
					return r.lay(c, reference, code, base+"/recover", now, expires)
				},
				Book: func(tx *db.Tx, by audit.Actor, code string) error { return r.book(tx, by, code, expires) },
			}
		}
	}
	return papers, nil
}

// usable is until when a code holds that is printed now.
func (r Recovery) usable(now db.Time) db.Time {
	if r.DueAt.After(now) {
		return r.DueAt.Add(usableFor)
	}
	return now.Add(usableFor)
}

// book keeps the code of the paper that was laid out; the one before is void.
func (r Recovery) book(tx *db.Tx, by audit.Actor, code string, expires db.Time) error {
	moved, err := tx.Exec(`UPDATE recovery SET code_mac = $1, tries = 0, proof = '', chosen = '', printed_at = $2, expires_at = $3
		WHERE id = $4 AND state IN ('approved', 'released') AND (printed_at = $5 OR printed_at IS NULL AND CAST($5 AS TIMESTAMPTZ) IS NULL)`,
		codeMAC(tx, r.ID, code), tx.Now(), expires, r.ID, r.PrintedAt)
	if err != nil {
		return err
	}
	if moved == 0 {
		return fault.Conflict("recovery.printed_meanwhile")
	}
	return r.record(tx, by, "recovery.printed", nil)
}

func printable(tx *db.Tx, by audit.Actor, id string) (Recovery, error) {
	r, err := Get(tx, by, id)
	if err == nil && !r.Decided() {
		err = quicker(tx, id)
	}
	return r, err
}

// lay writes the letter: DIN 5008 form B. The QR code holds the address of the
// page, not the code.
func (r Recovery) lay(c chamber.Chamber, reference, code, page string, now, expires db.Time) paper.Letter {
	l := paper.Letter{
		Sender:  letter.Sender(c),
		Remarks: []string{"Persönlich – vertraulich"},
		To:      strings.Split(r.Address, "\n"),
		Date:    now.In(mail.Berlin),
		Info:    [][2]string{{"Unser Zeichen", reference}},
		Subject: "Ihr Code für die Wiederherstellung Ihres Kontos",
	}
	if r.Address == "" {
		l.Remarks, l.To = []string{"Persönlich übergeben"}, []string{r.Claim.Name()}
	}
	for _, p := range [][2]string{{"Telefon", c.Phone}, {"E-Mail", c.Email}} {
		if p[1] != "" {
			l.Info = append(l.Info, p)
		}
	}
	l.Blocks = []paper.Block{
		paper.Paragraph{Text: "Guten Tag " + r.Claim.Name() + ","},
		paper.Paragraph{Text: "Sie haben am " + day(r.SubmittedAt) + " darum gebeten, dass wir Ihnen wieder Zugang zu Ihrem Konto verschaffen. Mit diesem Code legen Sie eine neue E-Mail-Adresse und ein neues Passwort fest."},
		paper.Facts{{"Vorgang", r.Reference}, {"Möglich ab", moment(r.DueAt)}},
		paper.Code{Label: "Ihr Code", Value: paper.Group(code, 4), Caption: "Gültig bis " + day(expires) + ". Groß- und Kleinschreibung sowie Bindestriche spielen keine Rolle."},
		paper.Paragraph{Text: "So geht es weiter", Bold: true},
		paper.Steps{
			"Bis zum genannten Zeitpunkt kann widersprechen, wer Ihr Konto noch benutzt.",
			"Öffnen Sie danach die Seite unten und geben Sie Vorgang, Nachnamen und Code ein.",
			"Legen Sie eine neue E-Mail-Adresse und ein neues Passwort fest.",
		},
		paper.QR{Text: page, Size: 18, Caption: "Hier geben Sie den Code ein:\n" + page + "\nDas Bild enthält nur diese Adresse, nicht Ihren Code."},
		paper.Paragraph{Text: "Geben Sie den Code niemandem, auch uns nicht. Sie haben das nicht beantragt? Sagen Sie uns Bescheid: " + strings.Join(lines(c.Phone, c.Email), " oder ") + "."},
		paper.Paragraph{Text: strings.Join(lines("Freundliche Grüße", cmp.Or(c.LetterSigner, c.Name)), "\n")},
	}
	return l
}

func numbered(text string) string {
	var all []string
	for i, line := range strings.Split(text, "\n") {
		all = append(all, fmt.Sprintf("%d. %s", i+1, line))
	}
	return strings.Join(all, "\n")
}

func day(t db.Time) string    { return t.In(mail.Berlin).Format("02.01.2006") }
func moment(t db.Time) string { return t.In(mail.Berlin).Format("02.01.2006, 15:04 Uhr") }

// WriteReceipt writes what the person takes to the chamber (ux.md 2.6 no. 11):
// the reference, where to go, and what to bring. text says it in their language.
func WriteReceipt(w io.Writer, r Recovery, c chamber.Chamber, now db.Time, lang string, text func(key string, args ...any) string) error {
	street, town := strings.TrimSpace(c.Street+" "+c.HouseNumber), strings.TrimSpace(c.Postcode+" "+c.Place)
	tag := "de-DE"
	if lang == "en" {
		tag = "en-GB"
	}
	return paper.WriteSheet(w, paper.Sheet{
		Title: text("recovery.receipt.title"), Subtitle: r.Reference, Author: c.Name, Lang: tag, Date: now.In(mail.Berlin),
		Facts: [][2]string{{text("recovery.receipt.reference"), r.Reference}, {text("recovery.receipt.name"), r.Claim.Name()}, {text("recovery.receipt.asked"), moment(r.SubmittedAt)}},
		Sections: []paper.Section{
			{Heading: text("recovery.receipt.where"), Text: strings.Join(lines(c.Name, street, town, c.Phone, c.Hours, c.Email, c.Website), "\n")},
			{Heading: text("recovery.receipt.bring"), Text: "– " + strings.ReplaceAll(text("recovery.receipt.bring_text"), "\n", "\n– ")},
			{Heading: text("recovery.receipt.then"), Text: numbered(text("recovery.receipt.then_text"))},
		},
		Footer: r.Reference,
	})
}
