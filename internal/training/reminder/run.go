package reminder

import (
	"context"
	"fmt"
	"slices"

	"zunft/internal/ground/db"
	"zunft/internal/training/calendar"
	"zunft/internal/training/person"
)

const (
	apprenticesAtOnce = 200 // each with up to three years of reports
	trainersAtOnce    = 50
)

// Run sends what is due. A periodic job calls it.
func Run(ctx context.Context, d *db.DB) error {
	for _, kind := range []string{Writing, Reviewing} {
		if err := enrol(ctx, d, kind); err != nil {
			return fmt.Errorf("enrol for %s: %w", kind, err)
		}
	}
	if err := rounds(ctx, d, Writing, apprenticesAtOnce, remindApprentices); err != nil {
		return fmt.Errorf("remind apprentices: %w", err)
	}
	if err := tellTrainers(ctx, d); err != nil {
		return fmt.Errorf("tell of silence: %w", err)
	}
	if err := rounds(ctx, d, Reviewing, trainersAtOnce, remindSigners); err != nil {
		return fmt.Errorf("remind trainers: %w", err)
	}
	return nil
}

// enrol gives everybody with such a role a row, at the usual time.
func enrol(ctx context.Context, d *db.DB, kind string) error {
	if new, err := is(ctx, d, `SELECT EXISTS (SELECT 1 FROM company_role c WHERE c.role IN ($2, $3) AND NOT EXISTS (SELECT 1 FROM reminder r WHERE r.person = c.person AND r.kind = $1))`, kind, roles[kind][0], roles[kind][1]); err != nil || !new {
		return err
	}
	return d.Batches(ctx, func(tx *db.Tx, most int) (int64, error) {
		slot, at := Usual[kind].Next(tx.Now())
		return tx.Exec(`INSERT INTO reminder (person, kind, weekday, hour, slot, next_at, changed_at) SELECT n.person, $1, $2, $3, $4, $5, $6
			FROM (SELECT DISTINCT c.person FROM company_role c WHERE c.role IN ($7, $8) AND NOT EXISTS (SELECT 1 FROM reminder r WHERE r.person = c.person AND r.kind = $1) LIMIT $9) AS n WHERE TRUE
			ON CONFLICT (person, kind) DO NOTHING`, kind, Usual[kind].Weekday, Usual[kind].Hour, slot, at, tx.Now(), roles[kind][0], roles[kind][1], most)
	})
}

// is looks without a lock: mostly there is nothing to do.
func is(ctx context.Context, d *db.DB, query string, args ...any) (yes bool, err error) {
	err = d.Read(ctx, func(tx *db.Tx) (err error) {
		yes, err = db.Value[bool](tx, query, args...)
		return err
	})
	return yes, err
}

// A row that is due.
type row struct {
	Person string
	Weekly bool
	Moment
	Slot   calendar.Date
	NextAt db.Time
}

func (r *row) fields() []any {
	return []any{&r.Person, &r.Weekly, &r.Weekday, &r.Hour, &r.Slot, &r.NextAt}
}

// A letter is a mail to one person.
type letter struct {
	to   person.Person
	name string
	data map[string]any
}

// A plan is what becomes of the rows of a batch.
type plan struct {
	rows     []row
	moves    map[move][]any // people
	letters  map[string]letter
	silences []noted
}

type move struct {
	slot calendar.Date
	at   db.Time
}

// move takes a step, and says whether the mail goes out now.
func (p *plan) move(r row, now db.Time, paused bool) bool {
	send, slot, at := r.step(now, paused)
	p.moves[move{slot, at}] = append(p.moves[move{slot, at}], r.Person)
	return send
}

// rounds works off what is due, a batch at a time: read without a lock, then
// written by whoever gets the rows.
func rounds(ctx context.Context, d *db.DB, kind string, most int, think func(*db.Tx, *plan) error) error {
	for {
		p := plan{moves: map[move][]any{}, letters: map[string]letter{}}
		err := d.Read(ctx, func(tx *db.Tx) (err error) {
			p.rows, err = db.All(tx, (*row).fields, `SELECT person, weekly, weekday, hour, slot, next_at FROM reminder WHERE kind = $1 AND next_at <= $2 ORDER BY next_at, person LIMIT $3`, kind, tx.Now(), most)
			if err != nil || len(p.rows) == 0 {
				return err
			}
			return think(tx, &p)
		})
		if err != nil || len(p.rows) == 0 {
			return err
		}
		if err := d.Write(ctx, func(tx *db.Tx) error { return p.write(tx, kind) }); err != nil {
			return err
		}
	}
}

func (p *plan) people() (subs []string, args []any) {
	for _, r := range p.rows {
		subs, args = append(subs, r.Person), append(args, r.Person)
	}
	return subs, args
}

// write moves the rows on. Only those that nobody moved meanwhile, neither
// another node nor their owner, and that got no mail for this week yet, get one.
func (p *plan) write(tx *db.Tx, kind string) error {
	slots := map[string]calendar.Date{}
	for _, r := range p.rows {
		slots[r.Person] = r.Slot
	}
	var mine []string
	for to, people := range p.moves {
		got, err := db.Values[string](tx, `UPDATE reminder SET slot = $1, next_at = $2 WHERE kind = $3 AND next_at <= $4 AND person IN (`+db.In(5, len(people))+`) RETURNING person`,
			append([]any{to.slot, to.at, kind, tx.Now()}, people...)...)
		if err != nil {
			return err
		}
		mine = append(mine, got...)
	}
	slices.Sort(mine)
	var sent []any
	for _, sub := range mine {
		if _, writes := p.letters[sub]; writes {
			sent = append(sent, sub, kind, slots[sub].Week().String(), tx.Now())
		}
	}
	if len(sent) > 0 {
		first, err := db.Values[string](tx, `INSERT INTO reminder_sent (person, kind, week, sent_at) VALUES `+db.Rows(len(sent)/4, 4)+` ON CONFLICT (person, kind, week) DO NOTHING RETURNING person`, sent...)
		if err != nil {
			return err
		}
		slices.Sort(first)
		for _, sub := range first {
			if err := texts.Send(tx, p.letters[sub].to.Mail(), p.letters[sub].name, p.letters[sub].data); err != nil {
				return err
			}
		}
	}
	return note(tx, p.silences, mine)
}

// Sweep forgets what was sent long ago. A periodic job calls it.
func Sweep(ctx context.Context, d *db.DB) error {
	return d.Batches(ctx, func(tx *db.Tx, most int) (int64, error) {
		return tx.Exec(`DELETE FROM reminder_sent WHERE (person, kind, week) IN (SELECT person, kind, week FROM reminder_sent WHERE sent_at < $1 ORDER BY sent_at LIMIT $2)`, db.At(calendar.Today(tx.Now()).Add(-remembered).Time()), most)
	})
}
