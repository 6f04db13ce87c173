package departure

import (
	"regexp"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/mail"
	"zunft/internal/identity/address"
)

// moved changes the main address as a person does: with the code of the mail. It
// returns what the old and the new mailbox were told.
func (w *world) moved(by audit.Actor, to string) (old, fresh mail.Message) {
	w.Helper()
	by.Session = "session of " + by.Account
	was := w.get(by).Email
	w.must(func(tx *db.Tx) error { _, err := address.AskChange(tx, by, to); return err })
	code := regexp.MustCompile(`(?m)^\d{6}$`).FindString(w.inbox()[0].Body)
	w.must(func(tx *db.Tx) error { _, err := address.ConfirmByCode(tx, by, code); return err })
	for _, m := range w.inbox() {
		switch m.To {
		case was:
			old = m
		case to:
			fresh = m
		}
	}
	return old, fresh
}

func (w *world) disavow(m mail.Message) (s Secured) {
	w.Helper()
	w.must(func(tx *db.Tx) (err error) {
		s, err = Disavow(tx, audit.Actor{IP: "192.0.2.1"}, token(w.T, m, "/report-activity/"))
		return err
	})
	return s
}

// "Das waren nicht Sie?" in the very mail that tells the old mailbox of the
// change: for a week it takes the change back, after that an old mailbox (of a
// company one has left) opens nothing; the new one is written to.
func TestDisavowInTheMailAboutTheChange(t *testing.T) {
	each(t, func(w *world) {
		old, _ := w.moved(w.anna, "anna@new.example")
		w.pass(time.Hour)
		if s := w.disavow(old); s.Token == "" || w.get(w.anna).Email != "anna@zwiebelfisch.example" {
			t.Error("the change stays", w.get(w.anna).Email)
		}
		w.inbox()
		old, _ = w.moved(w.bert, "bert@new.example")
		w.pass(address.UndoFor + time.Hour)
		if s := w.disavow(old); s.Token != "" || w.get(w.bert).Email != "bert@new.example" {
			t.Error("an old mailbox opens the account")
		}
		if got := w.inbox(); len(got) != 1 || got[0].To != "bert@new.example" {
			t.Error(got)
		}
	})
}

// A stranger changed the address; the old mailbox took it back. The links that
// went to the stranger's mailbox meanwhile open nothing any more.
func TestLinksOfTheStrangersMailbox(t *testing.T) {
	each(t, func(w *world) {
		old, strangers := w.moved(w.anna, "stranger@new.example")
		w.pass(time.Hour)
		w.must(func(tx *db.Tx) error {
			_, _, err := address.Undo(tx, audit.Actor{}, token(t, old, "/undo/"))
			return err
		})
		w.refused("link.spent", func(tx *db.Tx) error {
			_, err := Disavow(tx, audit.Actor{}, token(t, strangers, "/report-activity/"))
			return err
		})
		mine := w.inbox()
		for _, m := range mine { // the owner's own still works
			if m.To == "anna@zwiebelfisch.example" {
				if s := w.disavow(m); s.Token == "" {
					t.Error("the owner's link leads nowhere")
				}
			}
		}
	})
}
