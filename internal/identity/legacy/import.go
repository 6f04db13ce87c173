package legacy

import (
	"context"
	"io"
	"maps"
	"slices"
	"strings"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/fold"
	"zunft/internal/identity/password"
	"zunft/internal/identity/policy"
)

// Options of an import.
type Options struct {
	DryRun   bool           // nothing is written; the report is the same
	Skip     bool           // rows that cannot be taken are left out; otherwise one of them and nothing is written
	Policy   string         // key of the policy for rows that name none
	Chamber  string         // number of the chamber for rows that name none
	Progress func(done int) // called now and then with the number of accounts written
}

// batch is how many accounts one transaction makes: nobody waits for it long.
const batch = 100

// Import brings the accounts of a file here. The report is complete before the
// first account is written; commands only may do it.
func Import(ctx context.Context, d *db.DB, by audit.Actor, file io.Reader, o Options) (Report, error) {
	if by.Kind != audit.Command && by.Kind != audit.System {
		return Report{}, fault.Forbidden()
	}
	records, err := read(file)
	if err != nil {
		return Report{}, err
	}
	var rows []Row
	report := Report{Rows: len(records)}
	if err := d.Read(ctx, func(tx *db.Tx) error {
		report = Report{Rows: len(records), Hashes: map[string]int{}}
		rows, err = usable(tx, records, o, &report)
		return err
	}); err != nil {
		return report, err
	}
	report.Usable = len(rows)
	for _, r := range rows {
		report.Hashes[kind(r)]++
	}
	if report.Bad > 0 && !o.Skip {
		return report, fault.Invalid("file", "legacy.rows_bad", report.Bad)
	}
	if o.DryRun {
		return report, nil
	}
	for part := range slices.Chunk(rows, batch) {
		if err := write(ctx, d, by, part, &report); err != nil {
			return report, err
		}
		if o.Progress != nil {
			o.Progress(report.Written)
		}
	}
	return report, nil
}

// kind of a hash, for people: "bcrypt", "pbkdf2", …
func kind(r Row) string {
	h := strings.ToLower(r.Hash)
	switch {
	case h == "":
		return "none"
	case strings.Contains(h, "$2"):
		return "bcrypt"
	case strings.Contains(h, "pbkdf2"):
		return "pbkdf2"
	case strings.Contains(h, "argon2"):
		return "argon2"
	}
	return "salted sha"
}

// write makes the accounts of one batch. Whoever was quicker since the check
// keeps what is theirs.
func write(ctx context.Context, d *db.DB, by audit.Actor, rows []Row, report *Report) error {
	for again := 8; ; again-- {
		var late []Problem
		done := 0
		err := d.Write(ctx, func(tx *db.Tx) error {
			late, done = nil, 0
			there, err := meet(tx, rows)
			if err != nil {
				return err
			}
			var people []account.Carried
			for _, r := range rows {
				if p := there.problem(r); p != nil {
					late = append(late, *p)
					continue
				}
				people = append(people, account.Carried{New: r.New, Numbers: r.Numbers})
			}
			done = len(people)
			return account.Carry(tx, by, people)
		})
		if again > 0 && (db.Unique(err) || fault.Is(err, fault.KindConflict)) {
			continue // somebody was quicker: the next look sees them
		}
		if err == nil {
			report.Written += done
			report.Bad += len(late)
			report.Usable -= len(late)
			report.say(late...)
		}
		return err
	}
}

// usable checks the rows one by one, with each other, and with who is there.
func usable(tx *db.Tx, records []record, o Options, report *Report) ([]Row, error) {
	p, err := newPlaces(tx, o)
	if err != nil {
		return nil, err
	}
	var rows []Row
	first := map[string]int{} // in which line a name, address or number stands
	for _, rec := range records {
		r, problems := p.row(rec)
		for _, key := range r.keys() {
			if line := first[key.text]; line > 0 && len(problems) == 0 {
				problems = append(problems, Problem{rec.line, key.column, "legacy.in_file", []any{line}})
			}
		}
		if len(problems) > 0 {
			report.Bad++
			report.say(problems...)
			continue
		}
		for _, key := range r.keys() {
			first[key.text] = r.Line
		}
		rows = append(rows, r)
	}
	free := rows[:0]
	for part := range slices.Chunk(rows, 1000) {
		there, err := meet(tx, part)
		if err != nil {
			return nil, err
		}
		for _, r := range part {
			if problem := there.problem(r); problem != nil {
				report.Bad++
				report.say(*problem)
				continue
			}
			free = append(free, r)
		}
	}
	slices.SortStableFunc(report.Problems, func(a, b Problem) int { return a.Line - b.Line })
	return free, nil
}

type key struct{ column, text string }

// keys are what may stand in one row only.
func (r Row) keys() (all []key) {
	if r.Username != "" {
		all = append(all, key{"username", "name " + fold.Login(r.Username)})
	}
	all = append(all, key{"email", "mail " + fold.Login(r.Email)})
	for _, n := range r.Numbers {
		all = append(all, key{"numbers", numberKey(n)})
	}
	return all
}

func numberKey(n account.GivenNumber) string {
	return n.Chamber + " " + n.Kind + " " + account.NumberKey(n.Number)
}

// places are the chambers and policies that rows may name.
type places struct {
	chambers        map[string]string // number → id
	policies        map[string]bool
	policy, chamber string
}

func newPlaces(tx *db.Tx, o Options) (places, error) {
	p := places{chambers: map[string]string{}, policies: map[string]bool{}, policy: o.Policy, chamber: o.Chamber}
	chambers, err := chamber.All(tx)
	if err != nil {
		return p, err
	}
	for _, c := range chambers {
		p.chambers[c.Number] = c.ID
	}
	policies, err := policy.All(tx)
	for _, one := range policies {
		p.policies[one.Key] = true
	}
	return p, err
}

// row reads one record; all that is wrong with it is said at once.
func (p places) row(rec record) (r Row, problems []Problem) {
	bad := func(column, reason string, args ...any) {
		problems = append(problems, Problem{rec.line, column, reason, args})
	}
	cell := func(name string) string { return strings.TrimSpace(rec.cell[name]) }
	r = Row{Line: rec.line, Hash: cell("hash"), New: account.New{
		GivenName: cell("given_name"), FamilyName: cell("family_name"), Title: cell("title"), Username: cell("username"), Email: cell("email"),
		Language: cell("language"), Policy: cell("policy"), Chamber: cell("chamber"),
	}}
	known := false
	if r.Salutation, known = salutations[strings.ToLower(cell("salutation"))]; !known {
		bad("salutation", "legacy.salutation")
	}
	if fold.Login(r.Username) == fold.Login(r.Email) {
		r.Username = "" // the address opens the account by itself
	}
	if r.Policy == "" {
		r.Policy = p.policy
	}
	if r.Policy != "" && !p.policies[r.Policy] {
		bad("policy", "legacy.policy_unknown", r.Policy, strings.Join(slices.Sorted(maps.Keys(p.policies)), ", "))
	}
	if r.Chamber == "" {
		r.Chamber = p.chamber
	}
	if number := r.Chamber; number != "" {
		if r.Chamber = p.chambers[number]; r.Chamber == "" {
			bad("chamber", "legacy.chamber_unknown", number)
		}
	}
	for piece := range strings.FieldsFuncSeq(cell("numbers"), func(c rune) bool { return c == ' ' || c == ',' || c == ';' }) {
		kind, number, two := strings.Cut(piece, ":")
		if !two || !slices.Contains([]string{"apprentice", "trainer", "member"}, kind) || account.NumberKey(number) == "" || len(number) > 50 {
			bad("numbers", "legacy.number_form")
			continue
		}
		if r.Chamber == "" {
			bad("numbers", "legacy.number_chamber")
		}
		r.Numbers = append(r.Numbers, account.GivenNumber{Kind: kind, Number: number, Chamber: r.Chamber})
	}
	if f := fault.Of(r.Check()); f != nil {
		for _, one := range f.Problems {
			bad(one.Field, one.Key, one.Args...)
		}
	}
	if r.Hash != "" {
		var err error
		if r.Password, err = password.Adopt(r.Hash); err != nil {
			bad("hash", "legacy.hash", err.Error())
		}
	}
	return r, problems
}

var salutations = map[string]string{"": "", "mr": "mr", "ms": "ms", "herr": "mr", "frau": "ms", "mr.": "mr", "ms.": "ms", "mrs": "ms", "mrs.": "ms"}

// Whom some rows would meet.
type met struct {
	names, mails, numbers map[string]bool
}

func meet(tx *db.Tx, rows []Row) (m met, err error) {
	var names, mails, numbers []string
	for _, r := range rows {
		if r.Username != "" {
			names = append(names, fold.Login(r.Username))
		}
		mails = append(mails, fold.Login(r.Email))
		for _, n := range r.Numbers {
			numbers = append(numbers, account.NumberKey(n.Number))
		}
	}
	if m.names, m.mails, err = account.Taken(tx, names, mails); err != nil {
		return m, err
	}
	m.numbers, err = account.TakenNumbers(tx, numbers)
	return m, err
}

func (m met) problem(r Row) *Problem {
	switch {
	case r.Username != "" && m.names[fold.Login(r.Username)]:
		return &Problem{r.Line, "username", "legacy.username_taken", []any{r.Username}}
	case m.mails[fold.Login(r.Email)]:
		return &Problem{r.Line, "email", "legacy.email_taken", []any{r.Email}}
	}
	for _, n := range r.Numbers {
		if m.numbers[numberKey(n)] {
			return &Problem{r.Line, "numbers", "legacy.number_taken", []any{n.Number}}
		}
	}
	return nil
}
