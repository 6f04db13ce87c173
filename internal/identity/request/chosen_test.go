package request

import (
	"testing"

	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/identity/notice"
	"zunft/internal/identity/schema"
)

// Which notices come by mail is each person's choice, topic by topic; the bell
// rings all the same (ux.md 2.7).
func TestMailsAsChosen(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		w := world(t, d)
		count := func(query string, args ...any) (n int) {
			w.must(func(tx *db.Tx) (err error) { n, err = db.Value[int](tx, query, args...); return err })
			return n
		}
		mails := func() int {
			n := count(`SELECT count(*) FROM job WHERE kind = 'mail'`)
			w.must(func(tx *db.Tx) error { _, err := tx.Exec(`DELETE FROM job`); return err })
			return n
		}
		choose := func(account string, off ...notice.Topic) {
			chosen := map[notice.Topic]bool{}
			for _, topic := range notice.Topics() {
				chosen[topic] = true
			}
			for _, topic := range off {
				chosen[topic] = false
			}
			w.must(func(tx *db.Tx) error { return notice.Choose(tx, account, chosen) })
		}
		ask := func() (r Request) {
			w.must(func(tx *db.Tx) (err error) { r, err = Submit(tx, w.anna, w.bakery, "Ich lerne hier.", nil); return err })
			return r
		}
		withdraw := func(id string) { w.must(func(tx *db.Tx) error { return Withdraw(tx, w.anna, id) }) }
		mails()
		bells := count(`SELECT count(*) FROM notice`)
		withdraw(ask().ID)
		if n := mails(); n != 3 { // Anna's confirmation, Bert and Berta
			t.Fatal("without a choice:", n)
		}
		choose(w.bert.Account, notice.Requests)
		withdraw(ask().ID)
		if n := mails(); n != 2 {
			t.Error("Bert wants none:", n)
		}
		choose(w.anna.Account, notice.Answers)
		choose(w.berta.Account, notice.Requests, notice.Answers, notice.Registrations)
		r := ask()
		w.must(func(tx *db.Tx) error {
			if err := Claim(tx, w.bert, r.ID); err != nil {
				return err
			}
			return Deny(tx, w.bert, r.ID, "Bitte einzeln fragen.")
		})
		if n := mails(); n != 0 {
			t.Error("nobody wants any:", n)
		}
		if n := count(`SELECT count(*) FROM notice`); n != bells+3*2+1 {
			t.Error("bells", bells, n)
		}
		choose(w.bert.Account)
		ask()
		if n := mails(); n != 1 {
			t.Error("chosen again:", n)
		}
	})
}
