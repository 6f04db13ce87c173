package search

import (
	"context"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/job"
	"zunft/internal/identity/fold"
)

const (
	every   = 10 * time.Second
	overlap = 15 * time.Second // a row may be written in a transaction that ends after a later one
	batch   = 500
)

// Work keeps the words up.
func Work(r *job.Runner, d *db.DB) {
	r.Every(every, "search.follow", func(ctx context.Context) error { return Follow(ctx, d) })
}

// progress of one of the three: what was there before (organizations, people),
// and the record of deeds since.
type progress struct {
	what, upto string
	done       bool
}

func (p *progress) fields() []any { return []any{&p.what, &p.upto, &p.done} }

// Follow brings in everything that happened since it last ran, and at first
// what was there before.
func Follow(ctx context.Context, d *db.DB) error {
	if err := d.Write(ctx, begin); err != nil {
		return err
	}
	for _, t := range []struct {
		what, from string
		renew      func(*db.Tx, []string) error
	}{
		{"organizations", "organization", renewOrganizations}, {"people", "account", renewPeople},
	} {
		for more := true; more; {
			err := d.Write(ctx, func(tx *db.Tx) (err error) {
				more, err = fill(tx, t.what, t.from, t.renew)
				return err
			})
			if err != nil {
				return fmt.Errorf("words of %s: %w", t.what, err)
			}
		}
	}
	for from := ""; ; {
		// Most often nothing has happened, and a look needs no lock.
		err := d.Read(ctx, func(tx *db.Tx) error { _, err := db.Value[string](tx, newest, from); return err })
		if fault.Is(err, fault.KindNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := d.Write(ctx, func(tx *db.Tx) (err error) { from, err = follow(tx, from); return err }); err != nil {
			return fmt.Errorf("words from the record: %w", err)
		}
	}
}

const newest = `SELECT id FROM audit WHERE id > (SELECT CASE WHEN upto > $1 THEN upto ELSE $1 END FROM search_progress WHERE what = 'audit') ORDER BY id LIMIT 1`

// begin notes where the record stands before anything is filled in: what
// changes meanwhile is followed afterwards.
func begin(tx *db.Tx) error {
	_, err := tx.Exec(`INSERT INTO search_progress (what, upto, done) SELECT 'audit', COALESCE(max(id), ''), TRUE FROM audit WHERE NOT EXISTS (SELECT 1 FROM search_progress WHERE what = 'audit')
		ON CONFLICT DO NOTHING`)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO search_progress (what, upto, done) VALUES ('organizations', '', FALSE), ('people', '', FALSE) ON CONFLICT DO NOTHING`)
	return err
}

// fill takes the next of what was there before.
func fill(tx *db.Tx, what, from string, renew func(*db.Tx, []string) error) (more bool, err error) {
	p, err := db.One(tx, (*progress).fields, `SELECT what, upto, done FROM search_progress WHERE what = $1`, what)
	if err != nil || p.done {
		return false, err
	}
	ids, err := db.Values[string](tx, `SELECT id FROM `+from+` WHERE id > $1 ORDER BY id LIMIT `+itoa(batch), p.upto)
	if err != nil {
		return false, err
	}
	if err := renew(tx, ids); err != nil {
		return false, err
	}
	if len(ids) > 0 {
		p.upto = ids[len(ids)-1]
	}
	more = len(ids) == batch
	_, err = tx.Exec(`UPDATE search_progress SET upto = $2, done = $3 WHERE what = $1`, what, p.upto, !more)
	return more, err
}

// A deed names whom it may have changed.
type deed struct {
	id, event, actor, account, organization string
	at                                      db.Time
}

func (e *deed) fields() []any {
	return []any{&e.id, &e.event, &e.actor, &e.account, &e.organization, &e.at}
}

// idle deeds change neither names nor where anybody belongs.
var idle = []string{"session.", "signin.", "factor.", "consent.", "grant.", "password.", "application.", "letter.", "batch.", "dossier.", "person.", "text_block."}

// follow takes the next rows of the record. from is where this run stands;
// what the next run begins with stays a little behind.
func follow(tx *db.Tx, from string) (string, error) {
	rows, err := db.All(tx, (*deed).fields, `SELECT id, event, actor, account, organization, at FROM audit
		WHERE id > (SELECT CASE WHEN upto > $1 THEN upto ELSE $1 END FROM search_progress WHERE what = 'audit') ORDER BY id LIMIT `+itoa(batch), from)
	if err != nil || len(rows) == 0 {
		return from, err
	}
	companies, persons, upto := map[string]bool{}, map[string]bool{}, ""
	for _, e := range rows {
		if tx.Now().Sub(e.at) > overlap {
			upto = e.id
		}
		if slices.ContainsFunc(idle, func(prefix string) bool { return strings.HasPrefix(e.event, prefix) }) {
			continue
		}
		companies[e.organization], persons[e.account], persons[e.actor] = true, true, true
	}
	delete(companies, "")
	delete(persons, "")
	if err := renewOrganizations(tx, slices.Collect(maps.Keys(companies))); err != nil {
		return from, err
	}
	if err := renewPeople(tx, slices.Collect(maps.Keys(persons))); err != nil {
		return from, err
	}
	_, err = tx.Exec(`UPDATE search_progress SET upto = $1 WHERE what = 'audit' AND upto < $1`, upto)
	return rows[len(rows)-1].id, err
}

// renewOrganizations writes the words of organizations anew where they differ.
func renewOrganizations(tx *db.Tx, ids []string) error {
	return inBatches(ids, func(some []any) error {
		want := map[row]bool{}
		err := tx.Each(`SELECT o.id, o.chamber, c.number, o.name, o.own_name, o.place, o.own_place, o.postcode, o.own_postcode, o.ident_number, o.register_kind, o.register_number
			FROM organization o JOIN chamber c ON c.id = o.chamber WHERE o.id IN (`+db.In(1, len(some))+`)`, some, func(scan func(...any) error) error {
			var id, at, chamberNumber, name, own, place, ownPlace, postcode, ownPostcode, ident, kind, register string
			if err := scan(&id, &at, &chamberNumber, &name, &own, &place, &ownPlace, &postcode, &ownPostcode, &ident, &kind, &register); err != nil {
				return err
			}
			put := func(words ...string) {
				for _, w := range words {
					if w != "" {
						want[row{id, at, cut(w)}] = true
					}
				}
			}
			put(strings.Fields(fold.Text(name + " " + own + " " + place + " " + ownPlace + " " + kind + " " + register))...)
			for _, p := range strings.Fields(fold.Place(place) + " " + fold.Place(ownPlace)) {
				put(byPlace + p)
			}
			for _, p := range []string{fold.Postcode(postcode), fold.Postcode(ownPostcode)} {
				if p != "" {
					put(p, byPostcode+p)
				}
			}
			put(ident, byNumber+ident, squeeze(kind+register), byNumber+squeeze(register))
			return nil
		})
		if err != nil {
			return err
		}
		return organizations.renew(tx, some, want)
	})
}

// renewPeople writes where people belong and their words anew where they differ.
func renewPeople(tx *db.Tx, ids []string) error {
	return inBatches(ids, func(some []any) error {
		var all []string
		for _, id := range some {
			all = append(all, id.(string))
		}
		at, err := relations(tx, all)
		if err != nil {
			return err
		}
		want, stand := map[row]bool{}, map[row]place{} // stand: account, chamber, state → name
		err = tx.Each(`SELECT id, given_name, family_name, username, email, state FROM account WHERE id IN (`+db.In(1, len(some))+`) AND state IN ('active', 'locked')`, some, func(scan func(...any) error) error {
			var id, given, family, username, email, state string
			if err := scan(&id, &given, &family, &username, &email, &state); err != nil {
				return err
			}
			words := append(strings.Fields(fold.Text(given+" "+family)), squeeze(username), squeeze(email))
			for _, c := range at[id] {
				stand[row{id, c, state}] = place{nameKey(family + " " + given), id}
				for _, w := range words {
					if w != "" {
						want[row{id, c, cut(w)}] = true
					}
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		if err := numbers(tx, some, at, want); err != nil {
			return err
		}
		if err := settle(tx, some, stand); err != nil {
			return err
		}
		return people.renew(tx, some, want)
	})
}

// numbers of people: those that open the account, and what their company calls them (R216).
func numbers(tx *db.Tx, some []any, at map[string][]string, want map[row]bool) error {
	in := db.In(1, len(some))
	return tx.Each(`SELECT account, chamber, number FROM account_number WHERE account IN (`+in+`)
		UNION ALL SELECT m.account, o.chamber, m.apprentice_number FROM membership m JOIN organization o ON o.id = m.organization WHERE m.account IN (`+in+`) AND m.ended_at IS NULL AND m.apprentice_number <> ''
		UNION ALL SELECT m.account, o.chamber, m.trainer_number FROM membership m JOIN organization o ON o.id = m.organization WHERE m.account IN (`+in+`) AND m.ended_at IS NULL AND m.trainer_number <> ''`,
		some, func(scan func(...any) error) error {
			var id, c, n string
			if err := scan(&id, &c, &n); err != nil {
				return err
			}
			if slices.Contains(at[id], c) {
				want[row{id, c, cut(squeeze(n))}] = true
				want[row{id, c, cut(byNumber + squeeze(n))}] = true
			}
			return nil
		})
}

// relations are the chambers that people have to do with.
func relations(tx *db.Tx, ids []string) (map[string][]string, error) {
	at := map[string][]string{}
	err := inBatches(ids, func(some []any) error {
		in := db.In(1, len(some))
		return tx.Each(`SELECT id, chamber FROM account WHERE id IN (`+in+`) AND chamber IN (SELECT id FROM chamber)
			UNION SELECT m.account, o.chamber FROM membership m JOIN organization o ON o.id = m.organization WHERE m.account IN (`+in+`) AND m.ended_at IS NULL
			UNION SELECT applicant, chamber FROM registration WHERE applicant IN (`+in+`)
			UNION SELECT account, chamber FROM account_number WHERE account IN (`+in+`)
			UNION SELECT account, chamber FROM staff WHERE account IN (`+in+`) AND chamber IS NOT NULL`, some, func(scan func(...any) error) error {
			var id, c string
			err := scan(&id, &c)
			at[id] = append(at[id], c)
			return err
		})
	})
	return at, err
}

// row is a word of a thing at a chamber.
type row struct{ id, chamber, word string }

func (r *row) fields() []any { return []any{&r.id, &r.chamber, &r.word} }

// renew makes the words of some things what they should be; most often nothing differs.
func (t table) renew(tx *db.Tx, some []any, want map[row]bool) error {
	is, err := db.All(tx, (*row).fields, `SELECT `+t.key+`, chamber, word FROM `+t.words+` WHERE `+t.key+` IN (`+db.In(1, len(some))+`)`, some...)
	if err != nil {
		return err
	}
	for _, r := range is {
		if want[r] {
			delete(want, r)
		} else if _, err := tx.Exec(`DELETE FROM `+t.words+` WHERE `+t.key+` = $1 AND chamber = $2 AND word = $3`, r.id, r.chamber, r.word); err != nil {
			return err
		}
	}
	return insert(tx, t.words, []string{t.key, "chamber", "word"}, slices.Collect(maps.Keys(want)), func(r row) []any { return []any{r.id, r.chamber, r.word} })
}

// settle keeps who has to do with which chamber.
func settle(tx *db.Tx, some []any, stand map[row]place) error {
	type seen struct {
		row
		key string
	}
	is, err := db.All(tx, func(s *seen) []any { return []any{&s.id, &s.chamber, &s.word, &s.key} }, `SELECT account, chamber, state, name_key FROM chamber_person WHERE account IN (`+db.In(1, len(some))+`)`, some...)
	if err != nil {
		return err
	}
	for _, s := range is {
		if stand[s.row].key == s.key {
			delete(stand, s.row)
		} else if _, err := tx.Exec(`DELETE FROM chamber_person WHERE account = $1 AND chamber = $2`, s.id, s.chamber); err != nil {
			return err
		}
	}
	return insert(tx, "chamber_person", []string{"account", "chamber", "state", "name_key"}, slices.Collect(maps.Keys(stand)), func(r row) []any {
		return []any{r.id, r.chamber, r.word, stand[r].key}
	})
}

// insert writes many rows by few statements.
func insert[T any](tx *db.Tx, into string, columns []string, rows []T, values func(T) []any) error {
	for len(rows) > 0 {
		some := rows[:min(len(rows), 300)]
		rows = rows[len(some):]
		var b strings.Builder
		var args []any
		for i, r := range some {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString("(" + db.In(len(args)+1, len(columns)) + ")")
			args = append(args, values(r)...)
		}
		if _, err := tx.Exec(`INSERT INTO `+into+` (`+strings.Join(columns, ", ")+`) VALUES `+b.String()+` ON CONFLICT DO NOTHING`, args...); err != nil {
			return err
		}
	}
	return nil
}

func inBatches(ids []string, f func(some []any) error) error {
	for len(ids) > 0 {
		n := min(len(ids), batch)
		some := make([]any, n)
		for i, id := range ids[:n] {
			some[i] = id
		}
		ids = ids[n:]
		if err := f(some); err != nil {
			return err
		}
	}
	return nil
}

// nameKey sorts names as people do, on both engines.
func nameKey(name string) string {
	return hex.EncodeToString(collate.New(language.German, collate.IgnoreCase).KeyFromString(&collate.Buffer{}, name))
}

func itoa(n int) string { return strconv.Itoa(n) }
