package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/mail"
	"zunft/internal/identity/chamber"
)

// chamberFields are what a chamber says of itself; what is not given stays.
type chamberFields struct {
	ShortName *string
	Postcodes *string `help:"Postcode prefixes it serves beyond the public list, comma separated."`
	Place     *string
	Street    *string
	House     *string
	Postcode  *string
	Phone     *string
	Hours     *string `help:"When the phone is answered."`
	Email     *string
	Website   *string
	Signer    *string `help:"Whose name stands under letters."`
	From      *string `help:"First day, 2027-01-01; empty: since ever."`
	Until     *string `help:"Last day, 2027-12-31; empty: without end."`
}

func (f chamberFields) apply(c *chamber.Chamber) (err error) {
	for given, field := range map[*string]*string{
		f.ShortName: &c.ShortName, f.Place: &c.Place, f.Street: &c.Street, f.House: &c.HouseNumber, f.Postcode: &c.Postcode, f.Phone: &c.Phone, f.Hours: &c.Hours,
		f.Email: &c.Email, f.Website: &c.Website, f.Signer: &c.LetterSigner,
	} {
		if given != nil {
			*field = *given
		}
	}
	if f.Postcodes != nil {
		c.Postcodes = strings.FieldsFunc(*f.Postcodes, func(r rune) bool { return r == ',' || r == ' ' })
	}
	if f.From != nil {
		if c.ValidFrom, err = dayBegins(*f.From, 0); err != nil {
			return fmt.Errorf("--from: %w", err)
		}
	}
	if f.Until != nil {
		if c.ValidUntil, err = dayBegins(*f.Until, 1); err != nil {
			return fmt.Errorf("--until: %w", err)
		}
	}
	return nil
}

// dayBegins is when a day begins, some days later, where the chambers are.
func dayBegins(s string, later int) (db.Time, error) {
	if s == "" {
		return db.Time{}, nil
	}
	t, err := time.ParseInLocation(time.DateOnly, s, mail.Berlin)
	if err != nil {
		return db.Time{}, fmt.Errorf("%q is no day; write 2027-12-31", s)
	}
	return db.At(t.AddDate(0, 0, later)), nil
}

// chamberOf finds a chamber by its number, or says how to make one.
func chamberOf(tx *db.Tx, number string) (chamber.Chamber, error) {
	c, err := chamber.ByNumber(tx, number)
	if err != nil {
		err = fmt.Errorf("there is no chamber %s; `zunft chamber add` makes one", number)
	}
	return c, err
}

type chamberAddCommand struct {
	configFlags
	Number string `arg:"" help:"Kammernummer, three digits."`
	Name   string `arg:"" help:"Full name."`
	chamberFields
}

// Run adds the chamber.
func (a chamberAddCommand) Run(ctx context.Context) error {
	c := chamber.Chamber{Number: a.Number, Name: a.Name}
	if err := a.apply(&c); err != nil {
		return err
	}
	d, err := a.identityDB(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	return say(d.Write(ctx, func(tx *db.Tx) error { _, err := chamber.Create(tx, audit.Console, c); return err }))
}

type chamberListCommand struct{ configFlags }

// Run lists number, name, last day and successor.
func (l chamberListCommand) Run(ctx context.Context) error {
	d, err := l.identityDB(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Read(ctx, func(tx *db.Tx) error {
		all, err := chamber.All(tx)
		number := map[string]string{}
		for _, c := range all {
			number[c.ID] = c.Number
		}
		out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
		for _, c := range all {
			fmt.Fprintf(out, "%s\t%s", c.Number, c.Name)
			if !c.ValidUntil.IsZero() {
				fmt.Fprintf(out, "\tuntil %s", c.ValidUntil.In(mail.Berlin).AddDate(0, 0, -1).Format(time.DateOnly))
			}
			if c.Successor != "" {
				fmt.Fprintf(out, "\tthen %s", number[c.Successor])
			}
			fmt.Fprintln(out)
		}
		out.Flush()
		return err
	})
}

type chamberSetCommand struct {
	configFlags
	Number string  `arg:"" help:"Kammernummer."`
	Name   *string `help:"Full name."`
	chamberFields
}

// Run changes what was given.
func (s chamberSetCommand) Run(ctx context.Context) error {
	d, err := s.identityDB(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	return say(d.Write(ctx, func(tx *db.Tx) error {
		c, err := chamberOf(tx, s.Number)
		if err != nil {
			return err
		}
		if s.Name != nil {
			c.Name = *s.Name
		}
		if err := s.apply(&c); err != nil {
			return err
		}
		return chamber.Update(tx, audit.Console, c)
	}))
}

type chamberSuccessorCommand struct {
	configFlags
	Number    string `arg:"" help:"Kammernummer of the chamber that ends."`
	Successor string `arg:"" help:"Kammernummer of the one that takes over."`
	Until     string `required:"" help:"Last day of the first, 2027-12-31."`
}

// Run enters both.
func (s chamberSuccessorCommand) Run(ctx context.Context) error {
	d, err := s.identityDB(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	return say(d.Write(ctx, func(tx *db.Tx) error {
		c, err := chamberOf(tx, s.Number)
		if err != nil {
			return err
		}
		next, err := chamberOf(tx, s.Successor)
		if err != nil {
			return err
		}
		if c.ValidUntil, err = dayBegins(s.Until, 1); err != nil {
			return fmt.Errorf("--until: %w", err)
		}
		c.Successor = next.ID
		return chamber.Update(tx, audit.Console, c)
	}))
}
