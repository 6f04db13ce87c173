package letter

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"strings"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/mail"
	"zunft/internal/ground/paper"
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

// A Paper is a letter to a person, as package recovery lays it out and books it.
type Paper struct {
	Expires db.Time
	Lay     func(reference, code string) paper.Letter
	Book    func(tx *db.Tx, by audit.Actor, code string) error
}

// People are the letters of these recoveries, with the address of the portal; of
// those that ended there is none.
type People func(tx *db.Tx, base string, recoveries []string) (map[string]Paper, error)

// Print makes the PDF of the letters that wait, and with it their codes. base
// is the address of the portal, where codes are entered. Layout takes its time, so it is done
// before the transaction that books exactly these letters; if the queue moved
// meanwhile, once more. The PDF is returned once and kept nowhere.
func Print(ctx context.Context, d *db.DB, by audit.Actor, chamberID, base string, people People) (Batch, []byte, error) {
	for again := true; ; again = false {
		var r run
		err := d.Read(ctx, func(tx *db.Tx) (err error) {
			if err := chamber.MustClerk(tx, by, chamberID); err != nil {
				return err
			}
			r, err = prepare(tx, chamberID, base, people)
			return err
		})
		if err != nil {
			return Batch{}, nil, err
		}
		for _, id := range r.over {
			if err := d.Write(ctx, func(tx *db.Tx) error { return VoidRecovery(tx, by, id, "over") }); err != nil {
				return Batch{}, nil, err
			}
		}
		if len(r.sheets) == 0 {
			return Batch{}, nil, fault.Conflict("letter.none_waiting")
		}
		pdf, err := r.pdf(base)
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
		mac, expires := mark(tx, s.kind, s.letter, s.code), r.expires
		if s.kind == Recovery {
			mac, expires = "", s.paper.Expires // its code is kept with the request
		}
		moved, err := book(tx, s.letter, r.batch, mac, expires)
		if err != nil {
			return err
		}
		if !moved {
			return errMoved
		}
		if s.kind == Recovery {
			if err := s.paper.Book(tx, by, s.code); err != nil {
				return err
			}
		}
		l := Letter{ID: s.letter, Chamber: r.batch.Chamber, Organization: s.organization, Kind: s.kind}
		if err := l.record(tx, by, "letter.printed", map[string]any{"batch": r.batch.ID}); err != nil {
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
	for _, to := range all {
		if err := notice.Tell(tx, to.Account, "notice.letter_dispatched", "/organizations/activate", to.Company); err != nil {
			return err
		}
	}
	return write(tx, all, b.Chamber, "letter_dispatched")
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

// FindBatch is the batch of a chamber with the reference that stands on its
// letters, with or without the number behind it, or NotFound.
func FindBatch(tx *db.Tx, chamberID, reference string) (Batch, error) {
	folded := seal.Normalize(strings.Split(reference, "/")[0])
	if len(folded) != 8 {
		return Batch{}, fault.NotFound()
	}
	return batchByReference(tx, chamberID, folded[:1]+"-"+folded[1:5]+"-"+folded[5:])
}

func newBatch(chamberID string, now db.Time, letters int) Batch {
	return Batch{ID: db.NewID(), Reference: "B-" + seal.Reference(), Chamber: chamberID, PrintedAt: now, Letters: letters}
}
