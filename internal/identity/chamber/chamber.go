// Package chamber knows the chambers of this installation, who works for them,
// and the public lists that fill in a form: postcodes, legal forms, courts.
//
// Chambers are data with a term of validity and a successor, never constants.
// The public list of chambers and postcodes only fills in a form (R081); what
// a chamber of this installation says of itself goes first.
//
// Chambers are made by an operator or the console. What is read here is read by
// rules and pages that know who asks.
package chamber

import (
	"cmp"
	"embed"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/fold"
)

// Phrases are what people read of this package's faults.
//
//go:embed phrases/*.json
var Phrases embed.FS

// Chamber is one chamber that this installation serves, or once served.
type Chamber struct {
	ID           string
	Number       string // three digits (W21: Kammernummer)
	Name         string
	ShortName    string
	Street       string
	HouseNumber  string
	Postcode     string
	Place        string
	Phone        string
	Hours        string // when the phone is answered
	Email        string
	Website      string
	LetterSigner string   // whose name stands under letters
	Postcodes    []string // prefixes served beyond the public list or against it
	ValidFrom    db.Time  // zero: since ever
	ValidUntil   db.Time  // zero: without end; the moment itself is past
	Successor    string   // id of the chamber that took over
	CreatedAt    db.Time
	Version      int // what Update compares
}

// Valid reports whether the chamber exists at a moment.
func (c Chamber) Valid(at db.Time) bool {
	return (c.ValidFrom.IsZero() || !at.Before(c.ValidFrom)) && (c.ValidUntil.IsZero() || at.Before(c.ValidUntil))
}

// prefix is the longest of the chamber's own prefixes that the postcode begins with.
func (c Chamber) prefix(postcode string) (longest string) {
	for _, p := range c.Postcodes {
		if strings.HasPrefix(postcode, p) && len(p) > len(longest) {
			longest = p
		}
	}
	return longest
}

// check tidies what was typed and says what is wrong with it.
func (c *Chamber) check() error {
	var p fault.Problems
	for _, s := range []*string{&c.Number, &c.Name, &c.ShortName, &c.Street, &c.HouseNumber, &c.Postcode, &c.Place, &c.Phone, &c.Hours, &c.Email, &c.Website, &c.LetterSigner} {
		*s = strings.Join(strings.Fields(*s), " ")
	}
	c.ShortName = cmp.Or(c.ShortName, c.Name)
	if len(c.Number) != 3 || !fold.Digits(c.Number) {
		p.Add("number", "chamber.number_form")
	}
	if c.Name == "" {
		p.Add("name", "chamber.name_required")
	}
	c.ways(&p)
	var prefixes []string
	for _, s := range c.Postcodes {
		if s = strings.TrimSpace(s); s == "" {
			continue
		}
		if len(s) > 5 || !fold.Digits(s) {
			p.Add("postcodes", "chamber.postcodes_form")
			break
		}
		prefixes = append(prefixes, s)
	}
	c.Postcodes = prefixes
	if !c.ValidFrom.IsZero() && !c.ValidUntil.IsZero() && !c.ValidFrom.Before(c.ValidUntil) {
		p.Add("valid_until", "chamber.validity_order")
	}
	if c.ID != "" && c.Successor == c.ID {
		p.Add("successor", "chamber.successor_self")
	}
	return p.Err()
}

// ways checks how people reach the chamber: it stands in mails, on letters and
// on the help page (R222).
func (c *Chamber) ways(p *fault.Problems) {
	if a, err := mail.ParseAddress(c.Email); c.Email != "" && (err != nil || a.Address != c.Email) {
		p.Add("email", "chamber.email_form")
	}
	if c.Website != "" && !strings.Contains(c.Website, "://") {
		c.Website = "https://" + c.Website
	}
	if u, err := url.Parse(c.Website); c.Website != "" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil || strings.ContainsAny(c.Website, " \"<>")) {
		p.Add("website", "chamber.website_form")
	}
	for _, line := range []struct{ field, value string }{{"phone", c.Phone}, {"hours", c.Hours}, {"email", c.Email}, {"website", c.Website}, {"letter_signer", c.LetterSigner}} {
		if utf8.RuneCountInString(line.value) > longest {
			p.Add(line.field, "chamber.setting_long", longest)
		}
	}
}

// longest is how many characters a line about the chamber has at most.
const longest = 200

// mustOperate lets operators, the console and jobs pass.
func mustOperate(tx *db.Tx, by audit.Actor) error {
	if by.Kind == audit.Command || by.Kind == audit.System {
		return nil
	}
	operator, err := IsOperator(tx, by.Account)
	if err == nil && !operator {
		err = fault.Forbidden()
	}
	return err
}

// Create adds a chamber and returns it with its id.
func Create(tx *db.Tx, by audit.Actor, c Chamber) (Chamber, error) {
	if err := mustOperate(tx, by); err != nil {
		return c, err
	}
	c.ID, c.CreatedAt, c.Version = db.NewID(), tx.Now(), 1
	if err := c.check(); err != nil {
		return c, err
	}
	if _, err := ByNumber(tx, c.Number); err == nil {
		return c, fault.Invalid("number", "chamber.number_taken")
	} else if !fault.Is(err, fault.KindNotFound) {
		return c, err
	}
	if err := insert(tx, c); db.Unique(err) {
		return c, fault.Invalid("number", "chamber.number_taken")
	} else if err != nil {
		return c, err
	}
	return c, audit.Record(tx, by, audit.Entry{Event: "chamber.created", Chamber: c.ID, Thing: c.ID, Detail: map[string]any{"number": c.Number}})
}

// Update changes everything but id and number, which letters and tokens name.
// c.Version is what was seen; Conflict if somebody was quicker.
func Update(tx *db.Tx, by audit.Actor, c Chamber) error {
	if err := mustOperate(tx, by); err != nil {
		return err
	}
	was, err := Get(tx, c.ID)
	if err != nil {
		return err
	}
	c.Number = was.Number
	return change(tx, by, was, c)
}

func change(tx *db.Tx, by audit.Actor, was, c Chamber) error {
	if err := c.check(); err != nil {
		return err
	}
	if c.Successor != "" {
		if _, err := Get(tx, c.Successor); err != nil {
			return err
		}
	}
	n, err := update(tx, c)
	if err != nil {
		return err
	}
	if n == 0 {
		return fault.Conflict("chamber.changed_meanwhile")
	}
	return audit.Record(tx, by, audit.Entry{Event: "chamber.updated", Chamber: c.ID, Thing: c.ID, Detail: map[string]any{"fields": differs(was, c)}})
}

// differs names what two versions do not share, as the record keeps it.
func differs(a, b Chamber) (fields []string) {
	for _, f := range []struct {
		name string
		same bool
	}{
		{"name", a.Name == b.Name && a.ShortName == b.ShortName},
		{"address", a.Street == b.Street && a.HouseNumber == b.HouseNumber && a.Postcode == b.Postcode && a.Place == b.Place},
		{"contact", a.Phone == b.Phone && a.Hours == b.Hours && a.Email == b.Email && a.Website == b.Website},
		{"letter_signer", a.LetterSigner == b.LetterSigner},
		{"postcodes", slices.Equal(a.Postcodes, b.Postcodes)},
		{"validity", a.ValidFrom.Equal(b.ValidFrom.Time) && a.ValidUntil.Equal(b.ValidUntil.Time)},
		{"successor", a.Successor == b.Successor},
	} {
		if !f.same {
			fields = append(fields, f.name)
		}
	}
	return fields
}

// Get is the chamber with an id.
func Get(tx *db.Tx, id string) (Chamber, error) { return load(tx, "id", id) }

// ByNumber is the chamber with a number.
func ByNumber(tx *db.Tx, number string) (Chamber, error) { return load(tx, "number", number) }

// All lists the chambers by number, those of the past too.
func All(tx *db.Tx) ([]Chamber, error) { return loadAll(tx) }

// Current lists the chambers that exist at the transaction's moment.
func Current(tx *db.Tx) ([]Chamber, error) {
	all, err := All(tx)
	return slices.DeleteFunc(all, func(c Chamber) bool { return !c.Valid(tx.Now()) }), err
}

// Serving names the chambers of this installation that may serve an address
// (R081), the likeliest first: those that name the postcode themselves, the
// longest prefix first, then those the public list names. A chamber whose term
// is over is replaced by its successor.
func Serving(tx *db.Tx, postcode, place string) ([]Chamber, error) {
	all, err := All(tx)
	if err != nil {
		return nil, err
	}
	postcode = fold.Postcode(postcode)
	var found []Chamber
	for _, c := range all {
		if c.prefix(postcode) != "" {
			found = append(found, c)
		}
	}
	slices.SortStableFunc(found, func(a, b Chamber) int { return len(b.prefix(postcode)) - len(a.prefix(postcode)) })
	for _, number := range NumbersFor(postcode, place) {
		for _, c := range all {
			if c.Number == number {
				found = append(found, c)
			}
		}
	}
	var serving []Chamber
	for _, c := range found {
		c, ok := today(all, c, tx.Now())
		if ok && !slices.ContainsFunc(serving, func(s Chamber) bool { return s.ID == c.ID }) {
			serving = append(serving, c)
		}
	}
	return serving, nil
}

// Heir is the chamber that exists today in place of one whose term is over,
// or that chamber itself while it exists. NotFound: nobody follows it.
func Heir(tx *db.Tx, c Chamber) (Chamber, error) {
	if c.Valid(tx.Now()) {
		return c, nil
	}
	all, err := All(tx)
	if err != nil {
		return c, err
	}
	heir, ok := today(all, c, tx.Now())
	if !ok {
		err = fault.NotFound()
	}
	return heir, err
}

// today follows successors to a chamber that exists at a moment.
func today(all []Chamber, c Chamber, at db.Time) (Chamber, bool) {
	for range all { // a ring of successors ends, too
		if c.Valid(at) {
			return c, true
		}
		i := slices.IndexFunc(all, func(s Chamber) bool { return s.ID == c.Successor })
		if i < 0 {
			return c, false
		}
		c = all[i]
	}
	return c, c.Valid(at)
}
