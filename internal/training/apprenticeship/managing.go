package apprenticeship

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/plain"
	"zunft/internal/training/assignment"
	"zunft/internal/training/calendar"
	"zunft/internal/training/occupation"
	"zunft/internal/training/person"
)

// A Wish is what the company says of an apprenticeship.
type Wish struct {
	GivenName, FamilyName, Email string
	Number                       string
	Occupation                   string // its key
	Retraining                   bool
	Site, Land                   string
	StartsOn, EndsOn             calendar.Date
}

// Laender are the federal states (ISO 3166-2:DE), whose public holidays differ.
var Laender = []string{"BW", "BY", "BE", "BB", "HB", "HH", "HE", "MV", "NI", "NW", "RP", "SL", "SN", "ST", "SH", "TH"}

// Limits of what a company writes, in characters; and of an apprenticeship in
// days: no occupation takes longer than 3½ years, part-time (§ 7a BBiG) half as
// long again.
const (
	maxName   = 100
	maxSite   = 120
	maxNumber = 40
	maxEmail  = 254
	maxDays   = 366 * 6
)

// Check says what is missing or cannot be; names of fields as forms use them.
func (w Wish) Check() error {
	var p fault.Problems
	for _, f := range []struct {
		name, text, missing string
		most                int
	}{
		{"given_name", w.GivenName, "apprenticeship.given_name_missing", maxName},
		{"family_name", w.FamilyName, "apprenticeship.family_name_missing", maxName},
		{"email", w.Email, "", maxEmail},
		{"number", w.Number, "", maxNumber},
		{"site", w.Site, "", maxSite},
	} {
		switch n := utf8.RuneCountInString(f.text); {
		case n == 0 && f.missing != "":
			p.Add(f.name, f.missing)
		case n > f.most:
			p.Add(f.name, "apprenticeship.long", f.most)
		}
	}
	if w.Email != "" && !isAddress(w.Email) {
		p.Add("email", "apprenticeship.email_form")
	}
	if _, known := occupation.Get(w.Occupation); !known {
		p.Add("occupation", "apprenticeship.occupation_missing")
	}
	if w.Land != "" && !slices.Contains(Laender, w.Land) {
		p.Add("land", "apprenticeship.land_unknown")
	}
	checkDays(&p, w.StartsOn, w.EndsOn)
	return p.Err()
}

func checkDays(p *fault.Problems, first, last calendar.Date) {
	switch {
	case first == "":
		p.Add("starts_on", "apprenticeship.start_missing")
	case last == "":
		p.Add("ends_on", "apprenticeship.end_missing")
	case last <= first:
		p.Add("ends_on", "apprenticeship.end_early", first.German())
	case first.Days(last) > maxDays:
		p.Add("ends_on", "apprenticeship.end_late")
	}
}

// isAddress is for a list's typing errors; whether an address is somebody's is
// shown when they sign in with it.
func isAddress(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	return ok && local != "" && strings.Contains(strings.Trim(domain, "."), ".") && !strings.ContainsAny(s, " \t<>,;\"") && strings.Count(s, "@") == 1
}

// mine is an apprenticeship of the company that the actor keeps; others' do not exist.
func mine(tx *db.Tx, by audit.Actor, id string) (person.Session, Apprenticeship, error) {
	s, err := person.Admin(tx, by)
	if err != nil {
		return s, Apprenticeship{}, err
	}
	a, err := Get(tx, id)
	if err == nil && a.Company != s.Company.ID {
		a, err = Apprenticeship{}, fault.NotFound()
	}
	return s, a, err
}

// For is an apprenticeship of the actor's company.
func For(tx *db.Tx, by audit.Actor, id string) (Apprenticeship, error) {
	_, a, err := mine(tx, by, id)
	return a, err
}

// Create keeps an apprenticeship that the company describes. Whose it is, is
// found if they were here; sub, if not empty, says it.
func Create(tx *db.Tx, by audit.Actor, w Wish, sub string) (Apprenticeship, error) {
	s, err := person.Admin(tx, by)
	if err != nil {
		return Apprenticeship{}, err
	}
	if err := w.Check(); err != nil {
		return Apprenticeship{}, err
	}
	if err := s.Turn(tx); err != nil {
		return Apprenticeship{}, err
	}
	a := Apprenticeship{ID: db.NewID(), Company: s.Company.ID, ChamberNumber: s.Company.ChamberNumber, IdentNumber: s.Company.IdentNumber, Source: Company, Version: 1}
	a.wish(w)
	if err := again(tx, a); err != nil {
		return a, err
	}
	if err := insert(tx, a); err != nil {
		return a, err
	}
	if err := record(tx, by, a, "created", nil); err != nil {
		return a, err
	}
	if sub == "" {
		return find(tx, by, a)
	}
	return take(tx, by, a, sub)
}

// again refuses what is there already: the button was pressed twice, or
// somebody else was quicker.
func again(tx *db.Tx, a Apprenticeship) error {
	there, err := db.Value[bool](tx, `SELECT EXISTS (SELECT 1 FROM apprenticeship WHERE company = $1 AND name_key = $2 AND occupation = $3 AND starts_on = $4 AND given_name = $5 AND family_name = $6 AND number = $7)`,
		a.Company, a.nameKey(), a.Occupation, a.StartsOn, a.GivenName, a.FamilyName, a.Number)
	if err == nil && there {
		err = fault.Conflict("apprenticeship.there", a.GivenName+" "+a.FamilyName)
	}
	return err
}

func (a *Apprenticeship) wish(w Wish) {
	a.GivenName, a.FamilyName, a.Email, a.Site, a.Land = w.GivenName, w.FamilyName, w.Email, w.Site, w.Land
	a.Number, a.Occupation, a.Retraining, a.StartsOn, a.EndsOn = w.Number, w.Occupation, w.Retraining, w.StartsOn, w.EndsOn
}

func (a Apprenticeship) nameKey() string {
	return person.NameKey(strings.TrimSpace(a.FamilyName + " " + a.GivenName))
}

// words are what a search looks at.
func (a Apprenticeship) words() string {
	return plain.Text(a.GivenName + " " + a.FamilyName + " " + a.Number + " " + a.Site)
}

// Name as the company or the registry writes it.
func (a Apprenticeship) Name() string { return strings.TrimSpace(a.GivenName + " " + a.FamilyName) }

func nullable(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func insert(tx *db.Tx, a Apprenticeship) error {
	_, err := tx.Exec(`INSERT INTO apprenticeship (id, person, company, chamber_number, ident_number, number, trainer_number, given_name, family_name, name_key, words, email,
			occupation, retraining, site, land, starts_on, ends_on, ended_on, previous, source, created_at, changed_at, version)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $22, $23)`,
		a.ID, nullable(a.Person), nullable(a.Company), a.ChamberNumber, a.IdentNumber, a.Number, a.TrainerNumber, a.GivenName, a.FamilyName, a.nameKey(), a.words(), a.Email,
		a.Occupation, a.Retraining, a.Site, a.Land, a.StartsOn, a.EndsOn, a.EndedOn, nullable(a.Previous), a.Source, tx.Now(), a.Version)
	if err != nil {
		return fmt.Errorf("keep apprenticeship: %w", err)
	}
	return nil
}

// store writes what a now is, if nobody changed it meanwhile.
func store(tx *db.Tx, a *Apprenticeship) error {
	n, err := tx.Exec(`UPDATE apprenticeship SET number = $3, trainer_number = $4, given_name = $5, family_name = $6, name_key = $7, words = $8, email = $9, occupation = $10, retraining = $11,
			site = $12, land = $13, starts_on = $14, ends_on = $15, ended_on = $16, previous = $17, source = $18, person = $19, company = $20, chamber_number = $21, ident_number = $22,
			changed_at = $23, version = version + 1 WHERE id = $1 AND version = $2`,
		a.ID, a.Version, a.Number, a.TrainerNumber, a.GivenName, a.FamilyName, a.nameKey(), a.words(), a.Email, a.Occupation, a.Retraining,
		a.Site, a.Land, a.StartsOn, a.EndsOn, a.EndedOn, nullable(a.Previous), a.Source, nullable(a.Person), nullable(a.Company), a.ChamberNumber, a.IdentNumber, tx.Now())
	if err != nil {
		return fmt.Errorf("change apprenticeship: %w", err)
	}
	if n == 0 {
		return fault.Conflict("apprenticeship.was_changed")
	}
	a.Version++
	return nil
}

func record(tx *db.Tx, by audit.Actor, a Apprenticeship, event string, detail map[string]any) error {
	return audit.Record(tx, by, audit.Entry{Event: "apprenticeship." + event, Account: a.Person, Organization: a.Company, Chamber: a.ChamberNumber, Thing: a.ID, Detail: detail})
}

// Edit changes what the company may change of the version it read: all, but
// what the registry of the chamber says.
func Edit(tx *db.Tx, by audit.Actor, id string, version int, w Wish) (Apprenticeship, error) {
	s, a, err := mine(tx, by, id)
	if err != nil {
		return a, err
	}
	if err := s.Turn(tx); err != nil {
		return a, err
	}
	if a.Source == Registry {
		w.Number, w.Occupation, w.Retraining, w.StartsOn, w.EndsOn = a.Number, a.Occupation, a.Retraining, a.StartsOn, a.EndsOn
		w.GivenName, w.FamilyName = a.GivenName, a.FamilyName
	}
	if err := w.Check(); err != nil {
		return a, err
	}
	before := a
	a.wish(w)
	if a.Source == Self { // somebody wrote before they were described
		a.Source = Company
	}
	if a.EndedOn != "" && (a.EndedOn < a.StartsOn || a.EndedOn > a.EndsOn) {
		return a, fault.Invalid("ends_on", "apprenticeship.ended_outside", a.EndedOn.German())
	}
	if a == before {
		return a, nil
	}
	if err := apart(tx, a); err != nil {
		return a, err
	}
	a.Version = version
	if err := store(tx, &a); err != nil {
		return a, err
	}
	if err := record(tx, by, a, "changed", changes(before, a)); err != nil || a.Person != "" {
		return a, err
	}
	return find(tx, by, a)
}

// changes are the names of the fields that differ: the record holds no person's data.
func changes(was, now Apprenticeship) map[string]any {
	var fields []string
	for _, f := range []struct {
		name string
		same bool
	}{
		{"name", was.Name() == now.Name()},
		{"email", was.Email == now.Email},
		{"number", was.Number == now.Number},
		{"occupation", was.Occupation == now.Occupation},
		{"retraining", was.Retraining == now.Retraining},
		{"site", was.Site == now.Site},
		{"land", was.Land == now.Land},
		{"starts_on", was.StartsOn == now.StartsOn},
		{"ends_on", was.EndsOn == now.EndsOn},
		{"trainer_number", was.TrainerNumber == now.TrainerNumber},
	} {
		if !f.same {
			fields = append(fields, f.name)
		}
	}
	return map[string]any{"fields": fields}
}

// apart refuses days that belong to another apprenticeship of the same person
// in the same company: a week has one report.
func apart(tx *db.Tx, a Apprenticeship) error {
	if a.Person == "" || a.StartsOn == "" {
		return nil
	}
	others, err := db.All(tx, (*Apprenticeship).fields, `SELECT `+columns+` FROM apprenticeship WHERE person = $1 AND company = $2 AND id <> $3 AND starts_on <> ''`, a.Person, a.Company, a.ID)
	if err != nil {
		return err
	}
	for _, o := range others {
		if (o.Last() == "" || a.StartsOn <= o.Last()) && (a.Last() == "" || o.StartsOn <= a.Last()) {
			return fault.Invalid("starts_on", "apprenticeship.overlaps", occupation.Name(o.Occupation), o.StartsOn.German(), o.Last().German())
		}
	}
	return nil
}

// End says that an apprenticeship was over earlier than agreed (§§ 21, 22
// BBiG), or takes that back: day is empty. The book stays, and open reports of
// its time can still be submitted.
func End(tx *db.Tx, by audit.Actor, id string, version int, day calendar.Date) (Apprenticeship, error) {
	s, a, err := mine(tx, by, id)
	if err != nil {
		return a, err
	}
	if err := s.Turn(tx); err != nil {
		return a, err
	}
	if day != "" && (day < a.StartsOn || a.EndsOn != "" && day > a.EndsOn) {
		return a, fault.Invalid("ended_on", "apprenticeship.day_outside", a.StartsOn.German(), a.EndsOn.German())
	}
	a.EndedOn, a.Version = day, version
	if err := apart(tx, a); err != nil {
		return a, err
	}
	if err := store(tx, &a); err != nil {
		return a, err
	}
	return a, record(tx, by, a, "ended", map[string]any{"day": string(day)})
}

// Continue begins another apprenticeship that continues this one in the same
// company: another occupation, or another agreed time (§ 5 (2) no. 2a BBiG).
// The one before ends on the day before; the book goes on, and so does who
// accompanies it.
func Continue(tx *db.Tx, by audit.Actor, id string, version int, w Wish) (Apprenticeship, error) {
	s, a, err := mine(tx, by, id)
	if err != nil {
		return a, err
	}
	if err := s.Turn(tx); err != nil {
		return a, err
	}
	w.GivenName, w.FamilyName, w.Email, w.Number = a.GivenName, a.FamilyName, a.Email, a.Number
	if err := w.Check(); err != nil {
		return a, err
	}
	if w.StartsOn <= a.StartsOn || a.Last() != "" && w.StartsOn > a.Last().Add(1) {
		return a, fault.Invalid("starts_on", "apprenticeship.continues_outside", a.StartsOn.Add(1).German(), a.Last().Add(1).German())
	}
	last := w.StartsOn.Add(-1)
	if a.EndsOn != last {
		a.EndedOn = last
	}
	a.Version = version
	if err := store(tx, &a); err != nil {
		return a, err
	}
	next := Apprenticeship{
		ID: db.NewID(), Person: a.Person, Company: a.Company, ChamberNumber: a.ChamberNumber, IdentNumber: a.IdentNumber, TrainerNumber: a.TrainerNumber,
		Previous: a.ID, Source: Company, Version: 1,
	}
	next.wish(w)
	if err := insert(tx, next); err != nil {
		return next, err
	}
	if err := assignment.HandOver(tx, a.ID, next.ID, next.StartsOn); err != nil {
		return next, err
	}
	if err := record(tx, by, a, "ended", map[string]any{"day": string(last)}); err != nil {
		return next, err
	}
	return next, record(tx, by, next, "continued", map[string]any{"previous": a.ID})
}
