package planning

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/plain"
	"zunft/internal/ground/table"
)

// A Section of a training plan (Berufsbildposition of an Ausbildungsrahmenplan).
type Section struct {
	ID            string
	ChamberNumber string // whose plan; empty: everybody's
	Occupation    string // key; empty: all occupations
	Number, Title string
	Weeks         int    // planned; 0: over the whole time, or not said
	Keywords      string // beginnings of words, with a blank between
	Current       bool
}

// Name is how people call it: "A 2 Sicherheit und Gesundheit bei der Arbeit".
func (s Section) Name() string { return strings.TrimSpace(s.Number + " " + s.Title) }

const sectionColumns = `id, chamber_number, occupation, number, title, weeks, keywords, current`

func (s *Section) fields() []any {
	return []any{&s.ID, &s.ChamberNumber, &s.Occupation, &s.Number, &s.Title, &s.Weeks, &s.Keywords, &s.Current}
}

const (
	mostSections = 200 // of a plan
	maxTitle     = 300
	maxKeywords  = 1000
	longestCell  = 500 // of a list; longer ones are cut by package table
)

// sectionID is short, for reports keep it, and the same whenever a plan is read.
func sectionID(chamber, occupation, number string) string {
	sum := sha256.Sum256([]byte(chamber + "\n" + occupation + "\n" + plain.Text(number)))
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:5]))
}

// PutPlan makes the sections the plan of an occupation (empty: what all have in
// common) in a chamber (empty: everybody's). Reading the same again changes
// nothing; sections left out are not offered any more, but keep their names.
func PutPlan(tx *db.Tx, by audit.Actor, chamber, occupation string, sections []Section) error {
	var wrong fault.Problems
	if len(sections) == 0 || len(sections) > mostSections {
		wrong.Add("", "planning.sections_count", mostSections)
	}
	seen := map[string]bool{}
	for i, s := range sections {
		id := sectionID(chamber, occupation, s.Number)
		switch {
		case s.Number == "" || s.Title == "":
			wrong.Add("", "planning.section_missing", i+1)
		case len(s.Number) > 20 || len(s.Title) > maxTitle || len(s.Keywords) > maxKeywords || s.Weeks < 0 || s.Weeks > 200:
			wrong.Add("", "planning.section_long", i+1)
		case seen[id]:
			wrong.Add("", "planning.section_twice", i+1, s.Number)
		}
		seen[id] = true
	}
	if err := wrong.Err(); err != nil {
		return err
	}
	if _, err := tx.Exec(`UPDATE plan_section SET current = FALSE WHERE chamber_number = $1 AND occupation = $2`, chamber, occupation); err != nil {
		return fmt.Errorf("put plan: %w", err)
	}
	position := 0
	for chunk := range slices.Chunk(sections, 50) {
		var args []any
		for _, s := range chunk {
			position++
			args = append(args, sectionID(chamber, occupation, s.Number), chamber, occupation, position, s.Number, s.Title, s.Weeks, strings.Join(plain.Words(s.Keywords), " "), true)
		}
		if _, err := tx.Exec(`INSERT INTO plan_section (id, chamber_number, occupation, position, number, title, weeks, keywords, current) VALUES `+db.Rows(len(chunk), 9)+`
			ON CONFLICT (id) DO UPDATE SET position = excluded.position, number = excluded.number, title = excluded.title, weeks = excluded.weeks, keywords = excluded.keywords, current = TRUE`, args...); err != nil {
			return fmt.Errorf("put plan: %w", err)
		}
	}
	return audit.Record(tx, by, audit.Entry{Event: "plan.put", Thing: occupation, Detail: map[string]any{"chamber": chamber, "sections": len(sections)}})
}

// A Difference is what PutPlan would change: sections that come, that say
// something else, and that are not offered any more.
type Difference struct{ New, Changed, Gone []Section }

// Compare says what a list would change of the plan that an occupation has now.
func Compare(tx *db.Tx, chamber, occupation string, sections []Section) (d Difference, err error) {
	all, err := db.All(tx, (*Section).fields, `SELECT `+sectionColumns+` FROM plan_section WHERE chamber_number = $1 AND occupation = $2 AND current ORDER BY position`, chamber, occupation)
	if err != nil {
		return d, fmt.Errorf("compare plan: %w", err)
	}
	now := map[string]Section{}
	for _, s := range all {
		now[s.ID] = s
	}
	for _, s := range sections {
		id := sectionID(chamber, occupation, s.Number)
		old, there := now[id]
		delete(now, id)
		switch {
		case !there:
			d.New = append(d.New, s)
		case old.Number != s.Number || old.Title != s.Title || old.Weeks != s.Weeks || old.Keywords != strings.Join(plain.Words(s.Keywords), " "):
			d.Changed = append(d.Changed, s)
		}
	}
	for _, s := range all {
		if _, left := now[s.ID]; left {
			d.Gone = append(d.Gone, s)
		}
	}
	return d, nil
}

// planColumns are the headings a plan's list may have.
var planColumns = map[string]string{
	"nummer": "number", "nr": "number", "lfdnr": "number", "position": "number", "number": "number", "no": "number",
	"titel": "title", "abschnitt": "title", "berufsbildposition": "title", "title": "title", "section": "title",
	"wochen": "weeks", "zeitlicherichtwerteinwochen": "weeks", "weeks": "weeks",
	"stichworte": "keywords", "stichwoerter": "keywords", "keywords": "keywords",
}

// ReadPlan makes sections of a list with the columns number, title, weeks and
// keywords, under a German or English heading.
func ReadPlan(t table.Table) (sections []Section, err error) {
	if t.Header == nil && len(t.Lines) > 0 { // headings that lists of people do not know
		t.Header, t.Lines = t.Lines[0].Cells, t.Lines[1:]
	}
	at := map[string]int{}
	for i, heading := range t.Header {
		if meaning := planColumns[table.FoldHeading(heading)]; meaning != "" {
			at[meaning] = i
		}
	}
	_, number := at["number"]
	_, title := at["title"]
	if !number || !title {
		return nil, fault.Invalid("", "planning.plan_columns")
	}
	for _, l := range t.Lines {
		cell := func(meaning string) string {
			if i, is := at[meaning]; is && i < len(l.Cells) {
				return l.Cells[i]
			}
			return ""
		}
		if utf8.RuneCountInString(cell("keywords")) >= longestCell || utf8.RuneCountInString(cell("title")) > maxTitle {
			return nil, fault.Invalid("", "planning.plan_long", l.Number, longestCell-1, maxTitle)
		}
		weeks, err := strconv.Atoi(cell("weeks"))
		if err != nil && cell("weeks") != "" {
			return nil, fault.Invalid("", "planning.plan_weeks", l.Number, cell("weeks"))
		}
		sections = append(sections, Section{Number: cell("number"), Title: cell("title"), Weeks: weeks, Keywords: cell("keywords")})
	}
	return sections, nil
}

// PlanOf an occupation is as it is offered to its apprentices: the chamber's own
// if it has one, else everybody's; then what all occupations have in common.
func PlanOf(tx *db.Tx, chamber, occupation string) ([]Section, error) {
	all, err := db.All(tx, (*Section).fields, `SELECT `+sectionColumns+` FROM plan_section
		WHERE occupation IN ('', $1) AND chamber_number IN ('', $2) AND current ORDER BY occupation DESC, chamber_number DESC, position`, occupation, chamber)
	if err != nil {
		return nil, fmt.Errorf("plan of %s: %w", occupation, err)
	}
	has := map[string]string{} // occupation → whose plan counts: the first
	return slices.DeleteFunc(all, func(s Section) bool {
		whose, known := has[s.Occupation]
		if !known {
			has[s.Occupation] = s.ChamberNumber
			return false
		}
		return whose != s.ChamberNumber
	}), nil
}

// SectionsByID are sections as reports name them, also former ones; ids with a
// blank between. Unknown ones are left out.
func SectionsByID(tx *db.Tx, ids string) ([]Section, error) {
	list := strings.Fields(ids)
	if len(list) == 0 {
		return nil, nil
	}
	list = list[:min(len(list), 100)]
	args := make([]any, len(list))
	for i, id := range list {
		args[i] = id
	}
	return db.All(tx, (*Section).fields, `SELECT `+sectionColumns+` FROM plan_section WHERE id IN (`+db.In(1, len(list))+`) ORDER BY occupation DESC, position`, args...)
}

// Suggest finds the sections for which words of a text speak: a word of the
// text begins with a keyword of the section, or is compounded with one that has
// five letters or more (Weizenbrotteig, Kundenberatung). Endings of a keyword
// and umlauts make no difference, so that "schweißen" finds what was geschweißt,
// and "Boden" finds Böden. Those with more such words come first.
func Suggest(plan []Section, text string) (found []Section) {
	words := strings.Fields(bare(plain.Text(text)))
	score := map[string]int{}
	for _, s := range plan {
		for _, k := range strings.Fields(s.Keywords) {
			k = stem(bare(k))
			if slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(w, k) || len(k) >= 5 && strings.Contains(w, k) }) {
				score[s.ID]++
			}
		}
		if score[s.ID] > 0 {
			found = append(found, s)
		}
	}
	slices.SortStableFunc(found, func(a, b Section) int { return score[b.ID] - score[a.ID] })
	return found
}

// bare is folded text without what an umlaut adds: in German one word has both
// (Ofen, Öfen).
var bare = strings.NewReplacer("ae", "a", "oe", "o", "ue", "u").Replace

// stem is a keyword without its ending, if enough is left to mean something: an
// -ung needs more, for what is left of a Rechnung is in every Rechner.
func stem(k string) string {
	for _, e := range []struct {
		ending string
		least  int
	}{{"ungen", 6}, {"ung", 6}, {"en", 5}, {"er", 5}, {"es", 5}, {"e", 5}, {"n", 5}, {"s", 5}} {
		if head, ends := strings.CutSuffix(k, e.ending); ends && len(head) >= e.least {
			return head
		}
	}
	return k
}
