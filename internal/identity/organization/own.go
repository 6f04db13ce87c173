package organization

import (
	"context"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/job"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/company"
	"zunft/internal/identity/directory"
)

// Own is what the admins of a company say of it, for its members and the chamber
// (R065). The address is whole or empty.
type Own struct {
	Name                                 string
	Street, HouseNumber, Postcode, Place string
	Phone, Email, Website                string
}

// Address is one line, or empty.
func (o Own) Address() string {
	if o.Street == "" {
		return ""
	}
	return address(company.Company{Street: o.Street, HouseNumber: o.HouseNumber, Postcode: o.Postcode, Place: o.Place})
}

// check brings what was typed into form and says what is wrong with it.
func (o *Own) check() error {
	var p fault.Problems
	for _, f := range []struct {
		field string
		value *string
		most  int
	}{
		{"name", &o.Name, 100},
		{"street", &o.Street, 80},
		{"house_number", &o.HouseNumber, 12},
		{"postcode", &o.Postcode, 5},
		{"place", &o.Place, 60},
		{"phone", &o.Phone, 40},
		{"email", &o.Email, 254},
		{"website", &o.Website, 200},
	} {
		*f.value = strings.Join(strings.Fields(*f.value), " ")
		if n := utf8.RuneCountInString(*f.value); n > f.most && f.field != "postcode" {
			p.Add(f.field, "organization.own_long", f.most, n)
		}
	}
	if o.Street != "" || o.HouseNumber != "" || o.Postcode != "" || o.Place != "" {
		if o.Street == "" {
			p.Add("street", "organization.own_street")
		}
		if !digits(o.Postcode) || len(o.Postcode) != 5 {
			p.Add("postcode", "organization.own_postcode")
		}
		if o.Place == "" {
			p.Add("place", "organization.own_place")
		}
	}
	if o.Phone != "" && (strings.Trim(o.Phone, "0123456789 +-/()") != "" || len(strings.Map(keepDigits, o.Phone)) < 4) {
		p.Add("phone", "organization.own_phone")
	}
	if o.Email != "" {
		email, err := account.ReadEmail("email", o.Email)
		if f := fault.Of(err); f != nil {
			p = append(p, f.Problems...)
		} else if err != nil {
			return err
		}
		o.Email = email
	}
	if o.Website != "" && !strings.Contains(o.Website, "://") {
		o.Website = "https://" + o.Website
	}
	if u, err := url.Parse(o.Website); o.Website != "" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || !strings.Contains(u.Host, ".") || u.User != nil || strings.ContainsAny(o.Website, " \"<>")) {
		p.Add("website", "organization.own_website")
	}
	return p.Err()
}

func keepDigits(r rune) rune {
	if r >= '0' && r <= '9' {
		return r
	}
	return -1
}

// ChangeOwn is an admin's change of what the company says of itself. version is
// what they saw; Conflict if somebody was quicker.
func ChangeOwn(tx *db.Tx, by audit.Actor, id string, version int, own Own) error {
	if err := mustAdmin(tx, by, id); err != nil {
		return err
	}
	o, err := load(tx, id)
	if err != nil {
		return err
	}
	if o.State != Active {
		return fault.Conflict("organization.not_active", o.Name)
	}
	if err := own.check(); err != nil {
		return err
	}
	n, err := tx.Exec(`UPDATE organization SET own_name = $1, own_street = $2, own_house_number = $3, own_postcode = $4, own_place = $5, phone = $6, email = $7, website = $8,
			own_at = $9, version = version + 1 WHERE id = $10 AND state = 'active' AND version = $11`,
		own.Name, own.Street, own.HouseNumber, own.Postcode, own.Place, own.Phone, own.Email, own.Website, tx.Now(), id, version)
	if err != nil {
		return err
	}
	if n == 0 {
		return fault.Conflict("organization.changed_meanwhile")
	}
	var fields []string
	for _, f := range []struct{ name, was, is string }{
		{"name", o.Own.Name, own.Name}, {"address", o.Own.Address(), own.Address()}, {"phone", o.Own.Phone, own.Phone}, {"email", o.Own.Email, own.Email}, {"website", o.Own.Website, own.Website},
	} {
		if f.was != f.is {
			fields = append(fields, f.name)
		}
	}
	return audit.Record(tx, by, audit.Entry{Event: "organization.details_changed", Account: by.Account, Organization: id, Chamber: o.Chamber, Detail: map[string]any{"fields": fields}})
}

// mustAdmin lets the organization's admins pass; to everybody else it is not there.
func mustAdmin(tx *db.Tx, by audit.Actor, id string) error {
	yes, err := db.Value[bool](tx, `SELECT EXISTS (SELECT 1 FROM membership WHERE organization = $1 AND account = $2 AND admin AND ended_at IS NULL)`, id, by.Account)
	if err == nil && !yes {
		err = fault.NotFound()
	}
	return err
}

// NotOwn refuses a clerk who decides about a company that they administer
// themselves, locked or not: that has four eyes, like their own application (R091).
func NotOwn(tx *db.Tx, by audit.Actor, ids ...string) error {
	for _, id := range ids {
		err := mustAdmin(tx, by, id)
		if err == nil {
			return &fault.Fault{Kind: fault.KindForbidden, Problems: []fault.Problem{{Key: "organization.own_company"}}}
		}
		if !fault.Is(err, fault.KindNotFound) {
			return err
		}
	}
	return nil
}

// A Difference is one thing in which an organization and the directory disagree.
type Difference struct {
	Field        string // "name", "address"; "entry": the directory has lost the company
	Here, Listed string
}

// Differences are what a company says of itself, or is kept under, against the
// directory of today. None: all the same.
func Differences(tx *db.Tx, o Organization) (all []Difference, err error) {
	e, err := directory.ByIdent(tx, o.Chamber, o.IdentNumber)
	if fault.Is(err, fault.KindNotFound) {
		return []Difference{{Field: "entry"}}, nil
	}
	if err != nil {
		return nil, err
	}
	return differences(o, e.Company), nil
}

func differences(o Organization, listed company.Company) (all []Difference) {
	if here := o.Label(); here != listed.Name {
		all = append(all, Difference{"name", here, listed.Name})
	}
	here, there := o.Own.Address(), address(listed)
	if here == "" {
		here = o.Address()
	}
	if here != there {
		all = append(all, Difference{"address", here, there})
	}
	return all
}

// A Deviation is an organization whose admins say other than the directory.
type Deviation struct {
	Organization
	Differences []Difference
}

// Deviations are a chamber's organizations that say of themselves other than the
// directory, the latest change first. before is the moment and id of the last
// one of the page before; 50 a page.
func Deviations(tx *db.Tx, by audit.Actor, chamberID string, before db.Time) (all []Deviation, last db.Time, err error) {
	if err := chamber.MustClerk(tx, by, chamberID); err != nil {
		return nil, last, err
	}
	if before.IsZero() {
		before = tx.Now().Add(time.Second)
	}
	type row struct {
		o Organization
		e company.Company
	}
	rows, err := db.All(tx, func(r *row) []any {
		return append(r.o.fields(), &r.e.Name, &r.e.Street, &r.e.HouseNumber, &r.e.Postcode, &r.e.Place)
	}, `SELECT `+prefixed("o", columns)+`, COALESCE(e.name, ''), COALESCE(e.street, ''), COALESCE(e.house_number, ''), COALESCE(e.postcode, ''), COALESCE(e.place, '')
		FROM organization o LEFT JOIN directory_entry e ON e.chamber = o.chamber AND e.ident_number = o.ident_number
		WHERE o.chamber = $1 AND o.own_at < $2 AND o.state <> 'closed' AND (o.own_name <> '' OR o.own_street <> '') ORDER BY o.own_at DESC LIMIT 50`, chamberID, before)
	for _, r := range rows {
		d := Deviation{Organization: r.o}
		if r.e.Name == "" {
			d.Differences = []Difference{{Field: "entry"}}
		} else {
			d.Differences = differences(r.o, r.e)
		}
		if len(d.Differences) > 0 {
			all = append(all, d)
		}
	}
	if len(rows) == 50 {
		last = rows[49].o.OwnAt
	}
	return all, last, err
}

// prefixed puts a table's short name before each column.
func prefixed(table, columns string) string {
	all := strings.Split(columns, ",")
	for i, c := range all {
		all[i] = table + "." + strings.TrimSpace(c)
	}
	return strings.Join(all, ", ")
}

// Work adds what this package does by the clock.
func Work(r *job.Runner, d *db.DB) {
	r.Every(time.Hour, "organization.follow", func(ctx context.Context) error { return Follow(ctx, d) })
}

// Follow brings organizations to what the directory says since its last import:
// name, address, register, management. A periodic job calls it. What their
// admins say themselves stays.
func Follow(ctx context.Context, d *db.DB) error {
	for {
		var ids []string
		err := d.Read(ctx, func(tx *db.Tx) (err error) {
			ids, err = db.Values[string](tx, `SELECT o.id FROM organization o JOIN directory_entry e ON e.chamber = o.chamber AND e.ident_number = o.ident_number
				WHERE o.state <> 'closed' AND (`+moved+`) LIMIT 200`)
			return err
		})
		if err != nil || len(ids) == 0 {
			return err
		}
		for _, id := range ids {
			if err := d.Write(ctx, func(tx *db.Tx) error { return follow(tx, id) }); err != nil {
				return err
			}
		}
	}
}

// moved: the directory (e) says other than the organization (o).
const moved = `o.name <> e.name OR o.legal_form <> e.legal_form OR o.street <> e.street OR o.house_number <> e.house_number OR o.postcode <> e.postcode OR o.place <> e.place
	OR o.register_kind <> e.register_kind OR o.register_number <> e.register_number OR o.register_court <> e.register_court OR o.management <> e.management`

func follow(tx *db.Tx, id string) error {
	o, err := load(tx, id)
	if err != nil {
		return err
	}
	e, err := directory.ByIdent(tx, o.Chamber, o.IdentNumber)
	if fault.Is(err, fault.KindNotFound) {
		return nil // gone meanwhile
	}
	if err != nil {
		return err
	}
	n, err := tx.Exec(`UPDATE organization SET name = $1, legal_form = $2, street = $3, house_number = $4, postcode = $5, place = $6, register_kind = $7, register_number = $8, register_court = $9,
			management = $10, company_key = $11, name_key = $12, version = version + 1 WHERE id = $13 AND state <> 'closed'`,
		e.Name, e.LegalForm, e.Street, e.HouseNumber, e.Postcode, e.Place, e.RegisterKind, e.RegisterNumber, e.RegisterCourt, e.Management, e.Key(), nameKey(e.Name), id)
	if err != nil || n == 0 {
		return err
	}
	return audit.Record(tx, audit.Job, audit.Entry{Event: "organization.followed", Organization: id, Chamber: o.Chamber, Detail: map[string]any{"renamed": o.Name != e.Name, "moved": o.Address() != address(e.Company)}})
}
