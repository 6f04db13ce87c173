package apprenticeship_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"zunft/internal/ground/db"
	"zunft/internal/ground/mail"
	"zunft/internal/training/assignment"
	"zunft/internal/training/calendar"
)

// mails are the mails that were written since the last call, by whom they go to.
func (w *world) mails() map[string][]mail.Message {
	w.t.Helper()
	found := map[string][]mail.Message{}
	w.write(func(tx *db.Tx) error {
		bodies, err := db.Values[string](tx, `DELETE FROM job WHERE kind = 'mail' RETURNING body`)
		for _, b := range bodies {
			var sealed struct{ ID, Mail string }
			if err := json.Unmarshal([]byte(b), &sealed); err != nil {
				return err
			}
			open, err := w.d.Keys.Open("mail/"+sealed.ID, sealed.Mail)
			if err != nil {
				return err
			}
			var m mail.Message
			if err := json.Unmarshal(open, &m); err != nil {
				return err
			}
			found[m.To] = append(found[m.To], m)
		}
		return err
	})
	return found
}

// R232, R233: when the trainer changes, the new one, the old one and the
// apprentice are told, in the same transaction; of forty at once each trainer
// hears in one mail.
func TestR232ToldOfAChangeOfTrainer(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		jana := w.comes(claims("jana", "korn", "training_admin", "trainer"))
		for name, role := range map[string]string{"murat": "trainer", "ute": "trainer", "petra": "supervisor"} {
			w.comes(claims(name, "korn", role))
		}
		var ids []string
		for i := range 40 {
			name := fmt.Sprint("azubi", i)
			w.comes(claims(name, "korn", "apprentice"))
			ids = append(ids, w.create(jana, wish(name), name).ID)
		}
		w.mails()
		assign := func(person, role string, from, until calendar.Date, ids ...string) map[string][]mail.Message {
			t.Helper()
			w.write(func(tx *db.Tx) error {
				_, err := assignment.Assign(tx, jana, assignment.Change{Apprenticeships: ids, Person: person, Role: role, From: from, Until: until})
				return err
			})
			return w.mails()
		}
		one := func(all map[string][]mail.Message, name string, words ...string) {
			t.Helper()
			got := all[name+"@beispiel.example"]
			if len(got) != 1 {
				t.Errorf("%s gets %d mails", name, len(got))
				return
			}
			for _, x := range words {
				if !strings.Contains(got[0].Subject+"\n"+got[0].Body, x) {
					t.Errorf("%s does not read %q: %s\n%s", name, x, got[0].Subject, got[0].Body)
				}
			}
		}
		got := assign("murat", "trainer", "2026-08-01", "", ids...)
		if len(got) != 41 {
			t.Errorf("%d people are told", len(got))
		}
		one(got, "murat", "Sie begleiten 40 weitere Auszubildende", "azubi0 Muster, ab 01.08.2026", "azubi39 Muster")
		one(got, "azubi7", "Ab 01.08.2026 begleitet Sie murat Muster")
		if got := assign("murat", "trainer", "2026-08-01", "", ids...); len(got) != 0 {
			t.Error("the same again:", got)
		}

		got = assign("ute", "trainer", "2027-02-01", "", ids...)
		if len(got) != 42 {
			t.Errorf("%d people are told", len(got))
		}
		one(got, "ute", "Sie begleiten 40 weitere")
		one(got, "murat", "Ihre Begleitung von 40 Auszubildenden", "azubi0 Muster, ab 01.02.2027, dafür ute Muster")
		one(got, "azubi0", "Ab 01.02.2027 begleitet Sie ute Muster")

		// Four weeks away, of one apprentice.
		got = assign("ute", "trainer", "2026-12-01", "2026-12-28", ids[0])
		one(got, "murat", "Ihre Begleitung von azubi0 Muster", "vom 01.12.2026 bis zum 28.12.2026, dafür ute Muster")
		one(got, "azubi0", "vom 01.12.2026 bis zum 28.12.2026 für Ihre Ausbildung zuständig")
		if len(got) != 3 {
			t.Error(got)
		}
		// No news: days that are over, a supervisor.
		for _, c := range []assignment.Change{
			{Person: "ute", Role: "trainer", From: "2026-08-01", Until: "2026-08-31"},
			{Person: "petra", Role: "supervisor", From: "2026-12-01"},
			{Person: "ute", Role: "trainer", From: "2026-09-01", Until: "2026-09-30"},
		} {
			if got := assign(c.Person, c.Role, c.From, c.Until, ids[1]); len(got) != 0 {
				t.Errorf("%+v: %v", c, got)
			}
		}
		// Who does it knows it.
		got = assign("jana", "trainer", "2026-11-20", "", ids[2])
		one(got, "murat", "dafür jana Muster")
		one(got, "azubi2", "jana Muster")
		if len(got) != 3 { // and ute, who was to follow
			t.Error(got)
		}
		// Released: nobody follows, so all do.
		w.write(func(tx *db.Tx) error {
			all, err := assignment.Assigned(tx, ids[3])
			if err != nil {
				return err
			}
			i := slices.IndexFunc(all, func(x assignment.Assignment) bool { return x.Person == "ute" })
			return assignment.Release(tx, jana, ids[3], all[i].ID, "2027-06-30")
		})
		got = w.mails()
		one(got, "ute", "ab 01.07.2027")
		one(got, "azubi3", "Wer Sie ab 01.07.2027 begleitet", "alle seine Ausbilder:innen")
		got = assign("ute", "trainer", "2027-07-01", "", ids[3])
		one(got, "azubi3", "Ab 01.07.2027 begleitet Sie ute Muster")
		if len(got) != 2 {
			t.Error("she stays after all:", got)
		}
		// Who has left the company hears nothing of its apprentices.
		w.write(func(tx *db.Tx) error {
			_, err := tx.Exec(`DELETE FROM company_role WHERE person = 'murat'`)
			return err
		})
		if got := assign("ute", "trainer", "2026-11-20", "", ids[4]); got["murat@beispiel.example"] != nil || len(got) != 2 {
			t.Error("after leaving:", got)
		}
	})
}
