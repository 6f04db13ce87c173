package story

import (
	"context"
	"fmt"
	"strings"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/mail"
	"zunft/internal/identity/application"
	"zunft/internal/identity/membership"
	"zunft/internal/training/apprenticeship"
	"zunft/internal/training/book"
	"zunft/internal/training/calendar"
	"zunft/internal/training/person"
	"zunft/internal/training/planning"
	"zunft/internal/training/registry"
	"zunft/internal/training/review"
)

// The numbers under which the chamber's registry knows Lena, Anna and Murat.
const (
	lenasNumber  = "A-1001"
	annasNumber  = "A-1002"
	muratsNumber = "T-17"
)

// lenasWeeks are what Lena wrote, the oldest first; they begin anew when they
// are used up.
var lenasWeeks = []struct{ work, school string }{
	{"Backstube kennengelernt, Maschinen und Fluchtwege gezeigt bekommen. Bleche geputzt, Mehl gewogen.", "Arbeitsschutz und Hygiene"},
	{"Weizenteige abgewogen und geknetet, Brötchen rund geschliffen. Gärzeiten notiert.", "Rohstoffe: Mehl und Mehltypen"},
	{"Brötchen geformt und mit Mohn und Sesam bestreut, Öfen beschickt, 400 Stück ausgebacken.", "Lockerung durch Hefe"},
	{"Roggensauerteig angesetzt und gepflegt, drei Stufen geführt. Mischbrote gewirkt.", "Sauerteig: Führungsarten"},
	{"Verkaufstheke eingeräumt, Ware ausgezeichnet, Allergene erklärt.", "Kennzeichnung von Allergenen"},
	{"Hefezöpfe geflochten, Rosinenbrötchen abgedreht, Glasur gekocht.", "Feine Backwaren aus Hefeteig"},
	{"Plunderteig touriert, Croissants aufgearbeitet. Kühlkette geprüft und eingetragen.", "Ziehfette und Tourieren"},
	{"Rührmassen hergestellt, Obstkuchen belegt, Bleche geschnitten.", "Massen und ihre Lockerung"},
	{"Inventur im Mehllager, Lieferscheine verglichen, Silo gereinigt.", "Rechnen: Teigausbeute"},
}

// begin lets the report book have begun, for a demo with life in it: the
// chamber's registry says who learns what with whom, Bert keeps the training
// administration, and Lena has written since the first of the month before the
// one before last. Everything goes through the rules, on the days on which it
// would have been done.
func (w *World) begin(ctx context.Context) error {
	var done bool
	if err := w.TrainingDB.Read(ctx, func(tx *db.Tx) (err error) {
		done, err = db.Value[bool](tx, `SELECT EXISTS (SELECT 1 FROM apprenticeship)`)
		return err
	}); err != nil || done {
		return err
	}
	people, err := w.members(ctx)
	if err != nil {
		return err
	}
	now := w.TrainingDB.Now
	defer func() { w.TrainingDB.Now = now }()
	at := func(day calendar.Date, hour, minute int) {
		t := day.Time()
		moment := time.Date(t.Year(), t.Month(), t.Day(), hour, minute, 0, 0, mail.Berlin)
		w.TrainingDB.Now = func() time.Time { return moment }
	}

	today := calendar.DateOf(now().In(mail.Berlin))
	month := today.Time()
	first := calendar.DateOf(time.Date(month.Year(), month.Month()-3, 1, 0, 0, 0, 0, mail.Berlin))
	at(first, 8, 0)
	list := "Azubi-Identnummer;Vorname;Nachname;E-Mail;Identnummer;Ausbildungsberuf;Beginn;Ende;Ausbilder-Nr.;Bundesland\n" +
		row(lenasNumber, "Lena;Lerche;lena@example.org", first) +
		row(annasNumber, "Anna;Amsel;anna@example.org", today.Add(1-month.Day()))
	report, err := registry.Import(ctx, w.TrainingDB, audit.Console, registry.Options{Chamber: ChamberNumber}, strings.NewReader(list))
	if err != nil || report.BadRows > 0 {
		return fmt.Errorf("registry: %v %w", report.Bad, err)
	}
	for _, key := range []string{"murat", "bert"} {
		if _, err := w.comes(ctx, people[key]); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	if err := w.lenaWrites(ctx, people, first, today, at); err != nil {
		return err
	}
	// What was told in those weeks has been read long ago; the sessions are over.
	return w.TrainingDB.Write(ctx, func(tx *db.Tx) error {
		for _, c := range people {
			if _, err := person.EndBySub(tx, audit.Job, c.Person.Sub); err != nil {
				return err
			}
		}
		_, err := tx.Exec(`DELETE FROM job WHERE kind = $1`, mail.Kind)
		return err
	})
}

func row(number, who string, first calendar.Date) string {
	return fmt.Sprintf("%s;%s;100017;Bäcker/-in;%s;%s;%s;NI\n", number, who, first, calendar.DateOf(first.Time().AddDate(3, 0, -1)), muratsNumber)
}

// members gives the people of the bakery their numbers, Bert the training
// administration, and returns what their tokens will say.
func (w *World) members(ctx context.Context) (map[string]person.Claims, error) {
	all := map[string]person.Claims{}
	return all, w.IdentityDB.Write(ctx, func(tx *db.Tx) error {
		app, err := application.ByClientID(tx, "training")
		if err != nil {
			return err
		}
		bakery := person.Company{IdentNumber: "100017", ChamberNumber: ChamberNumber}
		if err := tx.Scan(`SELECT id, name FROM organization WHERE ident_number = $1`, []any{bakery.IdentNumber}, &bakery.ID, &bakery.Name); err != nil {
			return err
		}
		for _, m := range []struct {
			key, role string
			numbers   membership.Details
		}{
			{"bert", "training_admin", membership.Details{}},
			{"lena", person.Apprentice, membership.Details{ApprenticeNumber: lenasNumber}},
			{"murat", person.Trainer, membership.Details{TrainerNumber: muratsNumber}},
		} {
			c := person.Claims{Company: bakery, Roles: []string{m.role}, ApprenticeNumber: m.numbers.ApprenticeNumber, TrainerNumber: m.numbers.TrainerNumber, SID: "story-" + m.key}
			c.Person.Language = "de"
			if err := tx.Scan(`SELECT id, given_name, family_name, email FROM account WHERE username = $1`, []any{w.Person(m.key).Username}, &c.Person.Sub, &c.Person.GivenName, &c.Person.FamilyName, &c.Person.Email); err != nil {
				return err
			}
			if err := membership.Grant(tx, audit.Console, bakery.ID, c.Person.Sub, m.key == "bert", membership.Role{Application: app.ID, Key: m.role}); err != nil {
				return err
			}
			id, err := db.Value[string](tx, `SELECT id FROM membership WHERE organization = $1 AND account = $2 AND ended_at IS NULL`, bakery.ID, c.Person.Sub)
			if err != nil {
				return err
			}
			if err := membership.SetDetails(tx, audit.Console, id, m.numbers); err != nil {
				return err
			}
			all[m.key] = c
		}
		return nil
	})
}

// comes is a sign-in as a token would have it.
func (w *World) comes(ctx context.Context, c person.Claims) (by audit.Actor, err error) {
	by = audit.Actor{Kind: audit.Person, Account: c.Person.Sub, IP: "127.0.0.1", Agent: "story"}
	return by, w.TrainingDB.Write(ctx, func(tx *db.Tx) error {
		if err := person.Learn(tx, by, c); err != nil {
			return err
		}
		if err := apprenticeship.Link(tx, by, c); err != nil {
			return err
		}
		_, s, err := person.Start(tx, by, c, "")
		by.Session = s.ID
		return err
	})
}

// lenaWrites is Lena's book until last week: one week was forgotten, one came
// back, one waits for Murat; all others are signed off.
func (w *World) lenaWrites(ctx context.Context, people map[string]person.Claims, first, today calendar.Date, at func(calendar.Date, int, int)) error {
	at(first, 9, 0)
	lena, err := w.comes(ctx, people["lena"])
	if err != nil {
		return err
	}
	if err := w.TrainingDB.Write(ctx, func(tx *db.Tx) error {
		pattern := planning.Pattern{}
		for i := range 5 {
			pattern.Days[i] = book.Day{Attendance: "company", Place: "Backstube", Minutes: 8 * 60}
		}
		pattern.Days[1] = book.Day{Attendance: "school", Place: "Berufsschule", Minutes: 6 * 60}
		if err := planning.SavePattern(tx, lena, pattern); err != nil {
			return err
		}
		holiday := today.Week().Add(4)
		return planning.Plan(tx, lena, planning.Time{Attendance: "vacation", From: holiday.Date(1), Until: holiday.Add(1).Date(5)})
	}); err != nil {
		return err
	}
	n := 0
	for week := first.Week(); week.Before(today.Week()); week = week.Add(1) {
		ago := today.Week().Monday().Sub(week.Monday()).Round(24*time.Hour) / (7 * 24 * time.Hour)
		if ago == 4 { // forgotten: "2 Wochen fehlen" leads there
			continue
		}
		at(max(week.Date(5), first), 15, 30)
		if lena, err = w.comes(ctx, people["lena"]); err != nil {
			return err
		}
		text := lenasWeeks[n%len(lenasWeeks)]
		n++
		var id string
		var version int
		if err := w.TrainingDB.Write(ctx, func(tx *db.Tx) error {
			r, a, _, err := book.Desk(tx, lena, week)
			if err != nil {
				return err
			}
			s, err := person.Acting(tx, lena)
			if err != nil {
				return err
			}
			t := book.Text{Department: "Backstube", Work: text.work, School: text.school}
			if t.Days, err = planning.Prefill(tx, s, a, week); err != nil {
				return err
			}
			if ago == 7 {
				t.Days[3], t.Days[4] = book.Day{Attendance: "sick"}, book.Day{Attendance: "sick"}
			}
			if r, err = book.Save(tx, lena, week, 0, t); err != nil {
				return err
			}
			r, err = book.Submit(tx, lena, week, r.Version)
			id, version = r.ID, r.Version
			return err
		}); err != nil {
			return fmt.Errorf("week %s: %w", week, err)
		}
		if ago == 1 { // waits on Murat's desk
			continue
		}
		at(week.Add(1).Date(1), 9, 10)
		murat, err := w.comes(ctx, people["murat"])
		if err != nil {
			return err
		}
		if err := w.TrainingDB.Write(ctx, func(tx *db.Tx) error {
			if ago == 2 {
				_, err := review.Return(tx, murat, id, version, "Bitte schreiben Sie dazu, wie viele Teile es waren und wie lange Sie gebraucht haben.")
				return err
			}
			_, err := review.SignOff(tx, murat, id, version, "")
			return err
		}); err != nil {
			return fmt.Errorf("week %s: %w", week, err)
		}
		at(week.Add(1).Date(1), 9, 21)
		if err := review.Settle(ctx, w.TrainingDB); err != nil {
			return err
		}
	}
	return nil
}
