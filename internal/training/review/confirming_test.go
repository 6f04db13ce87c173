package review_test

import (
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/training/book"
	"zunft/internal/training/review"
	"zunft/internal/training/schema"
	"zunft/internal/training/supervisor"
)

// known is the company's word that an address is that of one of its people.
func known(t *testing.T, d *db.DB, company, email string) {
	t.Helper()
	dbtest.Exec(t, d, `INSERT INTO supervisor_known (company, person, confirmed_at, confirmed_by) SELECT $1, person, $3, 'bert' FROM supervisor WHERE email_key = $2`, company, email, db.At(d.Now()))
}

const secondMailbox = "anna@zweitpostfach.example"

func confirm(d *db.DB, by audit.Actor, id string) error {
	return d.Write(bg, func(tx *db.Tx) error { return review.Confirm(tx, by, id, secondMailbox) })
}

// § 14 (2) BBiG, R268, R325–R329: an apprentice who types a second mailbox of
// their own gets a PIN there (R328) and reads, but signs nothing: the company says
// once whose address it is. From then on it signs for all apprentices (R269).
func TestAddressesAreConfirmed_R268_R269_R325_R328(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		const address = secondMailbox
		anna, emil := comes(t, d, "anna", "korn", "apprentice", "training_admin"), comes(t, d, "emil", "korn", "apprentice")
		r, other := week47(t, d, anna, address), week47(t, d, emil, address)
		pin := byPIN(t, d, address)
		sign := func(r book.Report) error {
			_, err := do(d, func(tx *db.Tx) (book.Report, error) { return review.SignOff(tx, pin, r.ID, r.Version, "") })
			return err
		}
		if err := sign(r); key(err) != "review.unknown_address" {
			t.Fatalf("an address nobody knows signs: %v", err)
		}
		if err := d.Read(bg, func(tx *db.Tx) error { _, err := review.For(tx, pin, r.ID); return err }); err != nil {
			t.Errorf("it cannot be read: %v", err)
		}
		bert, petra := comes(t, d, "bert", "korn", "trainer"), comes(t, d, "petra", "korn", "supervisor")
		berta, rita := comes(t, d, "berta", "korn", "trainer"), comes(t, d, "rita", "stahl", "trainer", "training_admin")
		assigned(t, d, "anna", "bert", "trainer", "2026-08-01", "")
		assigned(t, d, "anna", "petra", "supervisor", "2026-08-01", "")
		for name, c := range map[string]struct {
			by   audit.Actor
			r    book.Report
			kind fault.Kind
		}{
			"the apprentice": {anna, r, fault.KindForbidden}, "by another's report": {anna, other, fault.KindForbidden}, "the PIN itself": {pin, r, fault.KindForbidden},
			"a supervisor": {petra, r, fault.KindForbidden}, "another's trainer": {berta, r, fault.KindNotFound}, "another company": {rita, r, fault.KindNotFound},
		} {
			if err := confirm(d, c.by, c.r.ID); !fault.Is(err, c.kind) {
				t.Errorf("%s confirms: %v", name, err)
			}
		}
		asked := func(by audit.Actor) int {
			var all []review.Address
			if err := d.Read(bg, func(tx *db.Tx) (err error) { all, err = review.Addresses(tx, by); return err }); err != nil {
				t.Fatal(err)
			}
			n := 0
			for _, x := range all {
				n += x.Reports
			}
			return n
		}
		if a, b, c, e := asked(bert), asked(berta), asked(petra), asked(rita); a != 2 || b != 1 || c != 0 || e != 0 {
			t.Errorf("asked: Bert %d, Berta %d, Petra %d, Rita %d", a, b, c, e)
		}
		mails := dbtest.Count(t, d, `SELECT count(*) FROM job WHERE kind = 'mail'`)
		if together(func(int) error { return confirm(d, bert, r.ID) }) == 0 {
			t.Fatal("the trainer cannot confirm")
		}
		if n := dbtest.Count(t, d, `SELECT count(*) FROM job WHERE kind = 'mail'`) - mails; n != 1 || addressee(t, d) != address {
			t.Errorf("%d mails to %s", n, addressee(t, d))
		}
		if n := dbtest.Count(t, d, `SELECT count(*) FROM audit WHERE event = 'supervisor.confirmed' AND actor = 'bert' AND organization = 'korn'`); n != 1 {
			t.Errorf("recorded %d times", n)
		}
		if asked(bert) != 0 || asked(berta) != 0 {
			t.Error("asked again")
		}
		if err := sign(r); err != nil {
			t.Errorf("confirmed: %v", err)
		}
		// Taken back it signs nothing more; another company has its own word.
		vera := comes(t, d, "vera", "korn", "training_admin")
		for by, want := range map[audit.Actor]bool{bert: false, rita: true, vera: true} {
			if err := d.Write(bg, func(tx *db.Tx) error { return supervisor.Withdraw(tx, by, pin.Account) }); (err == nil) != want {
				t.Errorf("%s takes it back: %v", by.Account, err)
			}
		}
		if err := sign(other); key(err) != "review.unknown_address" {
			t.Errorf("taken back: %v", err)
		}
		stahl := week47(t, d, comes(t, d, "kim", "stahl", "apprentice"), address)
		if err := confirm(d, vera, other.ID); err != nil {
			t.Fatal(err)
		}
		if err := sign(stahl); key(err) != "review.unknown_address" {
			t.Errorf("one company's word in another: %v", err)
		}
		if err := sign(other); err != nil {
			t.Errorf("confirmed for all apprentices: %v", err)
		}
		// The other way: the company lets every address sign.
		if err := d.Write(bg, func(tx *db.Tx) error { return supervisor.SetWay(tx, rita, supervisor.ByPIN) }); err != nil {
			t.Fatal(err)
		}
		if asked(rita) != 0 {
			t.Error("asked although every address signs")
		}
		if err := sign(stahl); err != nil {
			t.Errorf("by PIN at once: %v", err)
		}
	})
}

// What is confirmed is the address that was read: an apprentice who sends the
// report elsewhere while the trainer looks at the page gains nothing by it.
func TestTheAddressThatWasRead(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		anna, bert := comes(t, d, "anna", "korn", "apprentice"), comes(t, d, "bert", "korn", "trainer")
		r := week47(t, d, anna, "petra@muehle.example")
		r = must(t, d, func(tx *db.Tx) (book.Report, error) { return book.TakeBack(tx, anna, week) })
		must(t, d, func(tx *db.Tx) (book.Report, error) {
			return book.SubmitTo(tx, anna, week, r.Version, secondMailbox)
		})
		err := d.Write(bg, func(tx *db.Tx) error { return review.Confirm(tx, bert, r.ID, "petra@muehle.example") })
		if key(err) != "review.address_changed" || dbtest.Count(t, d, `SELECT count(*) FROM supervisor_known`) != 0 {
			t.Errorf("confirmed: %v", err)
		}
	})
}

// Art. 5 (1) c GDPR: who reads a report no more hears nothing of what is written
// about it: they left, or it was sent to somebody else since.
func TestWhoLeftHearsOfNoComment_R229(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		anna, bert := comes(t, d, "anna", "korn", "apprentice"), comes(t, d, "bert", "korn", "trainer")
		r := week47(t, d, anna, "petra@muehle.example")
		pin := byPIN(t, d, "petra@muehle.example")
		told := func(by audit.Actor, text string) int {
			t.Helper()
			before := dbtest.Count(t, d, `SELECT count(*) FROM job WHERE kind = 'mail'`)
			if err := d.Write(bg, func(tx *db.Tx) error { return review.Comment(tx, by, r.ID, text) }); err != nil {
				t.Fatal(err)
			}
			return dbtest.Count(t, d, `SELECT count(*) FROM job WHERE kind = 'mail'`) - before
		}
		told(bert, "Wie viele?")
		if n := told(anna, "Zwanzig."); n != 1 || addressee(t, d) != "bert@beispiel.example" {
			t.Errorf("the trainer: %d mails", n)
		}
		quiet := d.Now().Add(2 * time.Hour)
		d.Now = func() time.Time { return quiet }
		dbtest.Exec(t, d, `DELETE FROM company_role WHERE person = 'bert'`)
		if n := told(anna, "Oder dreißig."); n != 0 {
			t.Errorf("a trainer who left: %d mails", n)
		}
		quiet = quiet.Add(2 * time.Hour)
		dbtest.Exec(t, d, `UPDATE supervisor_session SET ends_at = $1`, db.At(quiet.Add(time.Hour)))
		told(pin, "Und das Mehl?")
		dbtest.Exec(t, d, `UPDATE report SET approver = ''`)
		if n := told(anna, "Roggen."); n != 0 {
			t.Errorf("an address it is not sent to any more: %d mails", n)
		}
	})
}
