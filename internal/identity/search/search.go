// Package search finds companies and people for the clerks of a chamber.
//
// What is searched by are folded words (ü is ue, case and accents are gone),
// each also by its beginning: "mus bäck" finds "Bäckerei Muster". A clerk finds
// the organizations of their own chamber, and of people only those who have to
// do with it: who chose it at the sign-up, belongs to one of its companies,
// has asked it to register one, or works for it.
//
// The words are kept up from the record of deeds: nothing changes without a row
// there (decision 5), so whoever changes a name or a membership need not know
// of this package. That happens within seconds (see follow.go).
//
// A page of results costs the same among a thousand things and among a hundred
// thousand: either the rarest word leads to few candidates, or all words are
// common and a walk in the order of names meets hits soon. The walk ends after
// a fixed number of steps and says from where to go on.
package search

import (
	"slices"
	"strings"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/fold"
)

const (
	rare      = 2000 // candidates that are sorted at once
	mostSteps = 1500 // of a walk
	mostWords = 6
)

// A Query is what a clerk looks for.
type Query struct {
	Words []string // folded beginnings of words; all must be met
	State string   // or empty
}

// Empty: everything is asked for.
func (q Query) Empty() bool { return len(q.Words) == 0 && q.State == "" }

// filters are the names before a colon, as people type them in both languages.
var filters = map[string]string{"ort": byPlace, "place": byPlace, "plz": byPostcode, "postcode": byPostcode, "nr": byNumber, "nummer": byNumber, "number": byNumber, "ident": byNumber, "status": byState, "state": byState}

// What filters search by begins as no word does.
const (
	byPlace    = "0ort"
	byPostcode = "0plz"
	byNumber   = "0nr"
	byState    = "0status" // a column, no word
)

// Read understands "status:aktiv ort:Emden Bäckerei". states says how people
// call the states; what is no known filter is a word to search by.
func Read(text, chamberNumber string, states map[string]string) Query {
	var q Query
	for _, field := range strings.Fields(text) {
		name, value, filter := strings.Cut(field, ":")
		if !filter {
			name = ""
		}
		switch filters[strings.ToLower(name)] {
		case byState:
			if state, known := states[strings.ToLower(value)]; known {
				q.State = state
				continue
			}
		case byPlace:
			q.add(byPlace, strings.Split(fold.Place(value), " ")...)
			continue
		case byPostcode:
			q.add(byPostcode, fold.Postcode(value))
			continue
		case byNumber:
			q.add(byNumber, number(value, chamberNumber))
			continue
		}
		if strings.Contains(field, "@") {
			q.add("", squeeze(field))
		} else if ident, ok := fold.Ident(field, chamberNumber); ok && len(field) == 9 {
			q.add("", ident)
		} else {
			q.add("", strings.Fields(fold.Text(field))...)
		}
	}
	return q
}

// add takes words of a filter; of more than a few the first count.
func (q *Query) add(prefix string, words ...string) {
	for _, w := range words {
		if w == "" || len(q.Words) == mostWords {
			continue
		}
		w = cut(prefix + w)
		if !slices.Contains(q.Words, w) {
			q.Words = append(q.Words, w)
		}
	}
}

// cut keeps what an index can hold; nobody types more.
func cut(word string) string {
	if len(word) > 80 {
		word = strings.ToValidUTF8(word[:80], "")
	}
	return word
}

func number(s, chamberNumber string) string {
	if ident, ok := fold.Ident(s, chamberNumber); ok {
		return ident
	}
	return squeeze(s)
}

// squeeze makes an address or a number one word.
func squeeze(s string) string { return strings.ReplaceAll(fold.Text(s), " ", "") }

// A Found is one page of ids in the order of names.
type Found struct {
	IDs  []string
	Next string // id to go on from, or empty
	Part bool   // the walk ended early: there may be more from Next on, though this page is not full
}

// table is where one kind of things lies: a base in the order of names, and its words.
type table struct{ base, id, words, key string }

var (
	organizations = table{"organization", "id", "organization_word", "organization"}
	people        = table{"chamber_person", "account", "chamber_person_word", "account"}
)

// Organizations finds organizations of the chamber; after is the id that the
// page before ended with.
func Organizations(tx *db.Tx, by audit.Actor, chamberID string, q Query, after string, limit int) (Found, error) {
	return organizations.find(tx, by, chamberID, q, after, limit)
}

// People finds accounts of people who have to do with the chamber.
func People(tx *db.Tx, by audit.Actor, chamberID string, q Query, after string, limit int) (Found, error) {
	return people.find(tx, by, chamberID, q, after, limit)
}

// Knows reports whether a person has to do with the chamber.
func Knows(tx *db.Tx, chamberID, accountID string) (bool, error) {
	all, err := relations(tx, []string{accountID})
	return slices.Contains(all[accountID], chamberID), err
}

// place in the order of names.
type place struct{ key, id string }

func (p *place) fields() []any { return []any{&p.key, &p.id} }

func (t table) find(tx *db.Tx, by audit.Actor, chamberID string, q Query, after string, limit int) (Found, error) {
	if err := chamber.MustClerk(tx, by, chamberID); err != nil {
		return Found{}, err
	}
	from := place{}
	if after != "" {
		p, err := db.One(tx, (*place).fields, `SELECT name_key, `+t.id+` FROM `+t.base+` WHERE `+t.id+` = $1 AND chamber = $2`, after, chamberID)
		if err != nil && !fault.Is(err, fault.KindNotFound) { // it is gone: from the beginning
			return Found{}, err
		}
		from = p
	}
	fewest, at := rare+1, -1
	for i, w := range q.Words {
		n, err := db.Value[int](tx, `SELECT count(*) FROM (SELECT 1 FROM `+t.words+` WHERE chamber = $1 AND word >= $2 AND word <= $3 LIMIT `+itoa(rare+1)+`) AS hit`, chamberID, w, w+last)
		if err != nil {
			return Found{}, err
		}
		if n < fewest {
			fewest, at = n, i
		}
	}
	if at >= 0 {
		return t.few(tx, chamberID, q, at, from, limit)
	}
	return t.walk(tx, chamberID, q, from, limit)
}

// last ends the words that begin alike: folded words are small letters and
// digits, which all collations put in this order.
const last = "zzzzzzzzzzzz"

// few takes all candidates of the rarest word and sorts them.
func (t table) few(tx *db.Tx, chamberID string, q Query, rarest int, from place, limit int) (f Found, err error) {
	args := []any{chamberID, q.Words[rarest], q.Words[rarest] + last, from.key, from.id, limit + 1}
	query := `WITH hit AS MATERIALIZED (SELECT DISTINCT ` + t.key + ` AS id FROM ` + t.words + ` WHERE chamber = $1 AND word >= $2 AND word <= $3)
		SELECT b.name_key, b.` + t.id + ` FROM hit CROSS JOIN ` + t.base + ` b WHERE b.` + t.id + ` = hit.id AND b.chamber = $1 AND (b.name_key, b.` + t.id + `) > ($4, $5)`
	for i, w := range q.Words {
		if i == rarest {
			continue
		}
		args = append(args, w, w+last)
		query += ` AND EXISTS (SELECT 1 FROM ` + t.words + ` w WHERE w.` + t.key + ` = b.` + t.id + ` AND w.chamber = $1 AND w.word || '' >= $` + itoa(len(args)-1) + ` AND w.word || '' <= $` + itoa(len(args)) + `)`
	}
	if q.State != "" {
		args = append(args, q.State)
		query += ` AND b.state = $` + itoa(len(args))
	}
	all, err := db.All(tx, (*place).fields, query+` ORDER BY b.name_key, b.`+t.id+` LIMIT $6`, args...)
	if err != nil {
		return f, err
	}
	for _, p := range all {
		f.take(p.id, limit)
	}
	return f, nil
}

// take adds an id; one more than fits only says that there is more.
func (f *Found) take(id string, limit int) bool {
	if len(f.IDs) == limit {
		f.Next = f.IDs[limit-1]
		return false
	}
	f.IDs = append(f.IDs, id)
	return true
}

// walk goes through the names in order and keeps what meets all words.
func (t table) walk(tx *db.Tx, chamberID string, q Query, from place, limit int) (f Found, err error) {
	state := ""
	if q.State != "" {
		state = ` AND state = $5`
	}
	for steps, batch := 0, limit+1; ; batch = min(4*batch, 400) {
		args := []any{chamberID, from.key, from.id, batch}
		if state != "" {
			args = append(args, q.State)
		}
		some, err := db.All(tx, (*place).fields, `SELECT name_key, `+t.id+` FROM `+t.base+` WHERE chamber = $1 AND (name_key, `+t.id+`) > ($2, $3)`+state+` ORDER BY name_key, `+t.id+` LIMIT $4`, args...)
		if err != nil {
			return f, err
		}
		meets, err := t.meets(tx, chamberID, some, q.Words)
		if err != nil {
			return f, err
		}
		for _, p := range some {
			if meets[p.id] && !f.take(p.id, limit) {
				return f, nil
			}
		}
		if len(some) < batch {
			return f, nil
		}
		from = some[len(some)-1]
		if steps += len(some); steps >= mostSteps {
			f.Next, f.Part = from.id, true
			return f, nil
		}
	}
}

// meets says which of some things have all words. The words are compared where
// no index can be tempted to read all things that have one of them.
func (t table) meets(tx *db.Tx, chamberID string, some []place, words []string) (map[string]bool, error) {
	met := map[string]bool{}
	if len(words) == 0 || len(some) == 0 {
		for _, p := range some {
			met[p.id] = true
		}
		return met, nil
	}
	args, has := []any{chamberID}, make([]string, len(words))
	for i, w := range words {
		args = append(args, w, w+last)
		has[i] = `max(CASE WHEN word >= $` + itoa(len(args)-1) + ` AND word <= $` + itoa(len(args)) + ` THEN 1 ELSE 0 END) = 1`
	}
	for _, p := range some {
		args = append(args, p.id)
	}
	ids, err := db.Values[string](tx, `SELECT `+t.key+` FROM `+t.words+` WHERE `+t.key+` IN (`+db.In(len(args)-len(some)+1, len(some))+`) AND chamber = $1
		GROUP BY `+t.key+` HAVING `+strings.Join(has, " AND "), args...)
	for _, id := range ids {
		met[id] = true
	}
	return met, err
}
