package letter

import (
	"context"
	"embed"
	"errors"
	"fmt"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/mail"
	"zunft/internal/ground/seal"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/notice"
)

//go:embed mails/*.txt
var mailFiles embed.FS

// Texts are this package's mails.
var Texts = mail.Parse(mailFiles)

// MostInBatch is how many letters one PDF holds.
const MostInBatch = 200

// A Batch is what was printed in one go.
type Batch struct {
	ID, Reference, Chamber string
	PrintedBy              string
	PrintedAt              db.Time
	Letters                int
	DispatchedBy           string
	DispatchedAt           db.Time
}

// Dispatched reports whether the batch went to the post.
func (b Batch) Dispatched() bool { return !b.DispatchedAt.IsZero() }

// A PrintShop prints a batch and puts it into envelopes. The PDF holds codes
// in clear: it goes to nobody else.
type PrintShop func(ctx context.Context, batch Batch, pdf []byte) error

// errMoved: the queue is no longer what was laid out.
var errMoved = errors.New("the queue of letters has changed")

// Print makes the PDF of the letters that wait, and with it their codes. page
// is the address where codes are entered. Layout takes its time, so it is done
// before the transaction that books exactly these letters; if the queue moved
// meanwhile, once more. The PDF is returned once and kept nowhere.
func Print(ctx context.Context, d *db.DB, by audit.Actor, chamberID, page string) (Batch, []byte, error) {
	for again := true; ; again = false {
		var r run
		err := d.Read(ctx, func(tx *db.Tx) (err error) {
			if err := chamber.MustClerk(tx, by, chamberID); err != nil {
				return err
			}
			r, err = prepare(tx, chamberID)
			return err
		})
		if err != nil {
			return Batch{}, nil, err
		}
		if len(r.sheets) == 0 {
			return Batch{}, nil, fault.Conflict("letter.none_waiting")
		}
		pdf, err := r.pdf(page)
		if err != nil {
			return Batch{}, nil, fmt.Errorf("print %d letters: %w", len(r.sheets), err)
		}
		err = d.Write(ctx, func(tx *db.Tx) error { return r.book(tx, by) })
		if errors.Is(err, errMoved) {
			if again {
				continue
			}
			return Batch{}, nil, fault.Conflict("letter.queue_moved")
		}
		return r.batch, pdf, err
	}
}

// book moves exactly the letters of the run, or none.
func (r *run) book(tx *db.Tx, by audit.Actor) error {
	if err := chamber.MustClerk(tx, by, r.batch.Chamber); err != nil {
		return err
	}
	r.batch.PrintedBy = by.Account
	if err := insertBatch(tx, r.batch); err != nil {
		return err
	}
	for _, s := range r.sheets {
		moved, err := book(tx, s.letter, r.batch, tx.Keys().MAC(macPurpose, s.letter, s.code), r.expires)
		if err != nil {
			return err
		}
		if !moved {
			return errMoved
		}
		if err := audit.Record(tx, by, audit.Entry{Event: "letter.printed", Organization: s.organization, Chamber: r.batch.Chamber, Thing: s.letter, Detail: map[string]any{"batch": r.batch.ID}}); err != nil {
			return err
		}
	}
	return audit.Record(tx, by, audit.Entry{Event: "batch.printed", Chamber: r.batch.Chamber, Thing: r.batch.ID, Detail: map[string]any{"letters": len(r.sheets)}})
}

// Batches are a chamber's batches, newest first; before is the id of the last
// one of the page before, or empty.
func Batches(tx *db.Tx, chamberID, before string) ([]Batch, error) {
	return batches(tx, chamberID, before)
}

// GetBatch is a batch with its letters.
func GetBatch(tx *db.Tx, id string) (Batch, []Letter, error) {
	b, err := getBatch(tx, id)
	if err != nil {
		return b, nil, err
	}
	letters, err := inBatch(tx, id)
	return b, letters, err
}

// Dispatch notes who took the batch to the post, and when. The people who
// registered read that their letter is on its way (R093).
func Dispatch(tx *db.Tx, by audit.Actor, batchID string) error {
	b, err := getBatch(tx, batchID)
	if err != nil {
		return err
	}
	if err := chamber.MustClerk(tx, by, b.Chamber); err != nil {
		return err
	}
	stamped, err := stamp(tx, by, batchID)
	if err != nil {
		return fmt.Errorf("dispatch batch %s: %w", batchID, err)
	}
	if !stamped {
		return dispatchedAlready(tx, batchID)
	}
	if err := audit.Record(tx, by, audit.Entry{Event: "batch.dispatched", Chamber: b.Chamber, Thing: b.ID}); err != nil {
		return err
	}
	return tellDispatched(tx, b)
}

// dispatchedAlready says who did it and when.
func dispatchedAlready(tx *db.Tx, batchID string) error {
	b, err := getBatch(tx, batchID)
	if err != nil {
		return err
	}
	who, err := account.Get(tx, b.DispatchedBy)
	if err != nil {
		return err
	}
	return fault.Conflict("letter.dispatched_already", who.Name(), b.DispatchedAt.In(mail.Berlin).Format("02.01.2006, 15:04"))
}

func tellDispatched(tx *db.Tx, b Batch) error {
	all, err := recipients(tx, b.ID)
	if err != nil {
		return err
	}
	var ids []string
	for _, to := range all {
		ids = append(ids, to.Account)
	}
	people, err := account.GetMany(tx, ids)
	if err != nil {
		return err
	}
	silent, err := notice.Silent(tx, notice.Registrations, ids...)
	if err != nil {
		return err
	}
	c, err := chamber.Get(tx, b.Chamber)
	if err != nil {
		return err
	}
	for _, to := range all {
		if people[to.Account].State == account.Deleted {
			continue
		}
		person := people[to.Account].Person()
		data := dispatchedMail{Name: person.Name, Company: to.Company, Chamber: c.Name, Expires: to.Expires}
		if !silent[to.Account] {
			if err := Texts.Send(tx, person, "letter_dispatched", data); err != nil {
				return err
			}
		}
		if err := notice.Tell(tx, to.Account, "notice.letter_dispatched", "/organizations/activate", to.Company); err != nil {
			return err
		}
	}
	return nil
}

type dispatchedMail struct {
	Name, Company, Chamber string
	Expires                db.Time
}

// GiveBack queues every letter of a batch again that was not used: the print
// shop did not take it, or the file was lost. All its codes are void.
func GiveBack(tx *db.Tx, by audit.Actor, batchID string) error {
	_, letters, err := GetBatch(tx, batchID)
	if err != nil {
		return err
	}
	for _, l := range letters {
		if l.State != Printed {
			continue
		}
		if err := Reprint(tx, by, l.ID); err != nil {
			return err
		}
	}
	return nil
}

func newBatch(chamberID string, now db.Time, letters int) Batch {
	return Batch{ID: db.NewID(), Reference: "B-" + seal.Reference(), Chamber: chamberID, PrintedAt: now, Letters: letters}
}
