package directory

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/company"
	"zunft/internal/identity/schema"
)

var applied = company.Company{
	Name: "Bäckerei Bert GmbH", LegalForm: "gmbh", Street: "Mühlstraße", HouseNumber: "1 a", Postcode: "00001", Place: "Musterstadt",
	IdentNumber: "000011", RegisterKind: "HRB", RegisterNumber: "12345 B", RegisterCourt: "B8534",
}

// W06: exact after normalization finds one company; near misses, other
// chambers and twins find none. R091: the desk sees the near misses.
func TestW06FindExactAndCandidates(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		c := musterland(t, d)
		other := chamber.Chamber{Number: "998", Name: "Kammer Fremdland"}
		dbtest.Write(t, d, func(tx *db.Tx) (err error) { other, err = chamber.Create(tx, audit.Console, other); return err })
		file := heading + bakery + row("21", "Zwilling GmbH") + row("22", "Zwilling GmbH") + row("23", "Schlosserei Otto KG") +
			"31;Bert Bäcker Verwaltungs GmbH;GmbH;Ring;3;00999;Anderswo;HRB;12345 B;Amtsgericht Stuttgart;Bert Bäcker\n" + row("32", "☆")
		if _, err := Import(context.Background(), d, audit.Console, c.ID, strings.NewReader(file), ImportOptions{Strict: true}); err != nil {
			t.Fatal(err)
		}
		look(t, d, func(tx *db.Tx) error {
			if e, err := FindExact(tx, c.ID, applied); err != nil || e.IdentNumber != "11" || e.Management != "Bert Bäcker" {
				t.Errorf("exact: %+v, %v", e, err)
			}
			without := applied
			without.IdentNumber = ""
			if e, err := FindExact(tx, c.ID, without); err != nil || e.IdentNumber != "11" {
				t.Errorf("without ident number: %+v, %v", e, err)
			}
			for name, change := range map[string]func(*company.Company){
				"other house":     func(c *company.Company) { c.HouseNumber = "1 b" },
				"other name":      func(c *company.Company) { c.Name = "Bäckerei Berta GmbH" },
				"part of a name":  func(c *company.Company) { c.Name = "Bäckerei" },
				"other ident":     func(c *company.Company) { c.IdentNumber = "21" },
				"no ident at all": func(c *company.Company) { c.IdentNumber = "elf" },
				"twins": func(c *company.Company) {
					*c = company.Company{Name: "Zwilling GmbH", Street: "Hauptstraße", HouseNumber: "1", Postcode: "00001"}
				},
				"no name": func(c *company.Company) {
					*c = company.Company{Name: "☆☆", Street: "Hauptstraße", HouseNumber: "1", Postcode: "00001"}
				},
				"nothing": func(c *company.Company) { *c = company.Company{} },
			} {
				a := applied
				change(&a)
				if e, err := FindExact(tx, c.ID, a); !fault.Is(err, fault.KindNotFound) {
					t.Errorf("%s: found %+v, %v", name, e, err)
				}
			}
			if _, err := FindExact(tx, other.ID, applied); !fault.Is(err, fault.KindNotFound) {
				t.Errorf("another chamber's directory: %v", err)
			}
			twin := company.Company{Name: "Zwilling GmbH", Street: "Hauptstr.", HouseNumber: "1", Postcode: "00001", IdentNumber: "0022"}
			if e, err := FindExact(tx, c.ID, twin); err != nil || e.IdentNumber != "22" {
				t.Errorf("a twin by its ident number: %+v, %v", e, err)
			}

			near := applied
			near.Name, near.HouseNumber = "Bäkerei Bert GmbH", "2"
			got, err := Candidates(tx, c.ID, near, 5)
			if err != nil || len(got) < 2 || got[0].Entry.IdentNumber != "11" || got[0].Match.Score >= 100 || got[0].Match.Score < 70 {
				t.Errorf("candidates: %+v, %v", got, err)
			}
			for _, g := range got {
				if g.Entry.IdentNumber == "23" {
					t.Errorf("a stranger at the same postcode: %d", g.Match.Score)
				}
			}
			byRegister := company.Company{Name: "Bert Bäcker Verwaltungs GmbH", LegalForm: "gmbh", Street: "Ring", HouseNumber: "3", Postcode: "11111", Place: "Anderswo", RegisterNumber: "HRB 12345 B"}
			if got, err := Candidates(tx, c.ID, byRegister, 5); err != nil || len(got) == 0 || got[0].Entry.IdentNumber != "31" {
				t.Errorf("by register number: %+v, %v", got, err)
			}
			if got, err := Candidates(tx, other.ID, applied, 5); err != nil || len(got) != 0 {
				t.Errorf("another chamber's candidates: %+v, %v", got, err)
			}
			if e, err := ByIdent(tx, c.ID, " 000 011 "); err != nil || e.Name != "Bäckerei Bert GmbH" {
				t.Errorf("by ident: %+v, %v", e, err)
			} else if again, err := Get(tx, e.ID); err != nil || again != e {
				t.Errorf("by id: %+v, %v", again, err)
			}
			if _, err := ByIdent(tx, c.ID, "elf"); !fault.Is(err, fault.KindNotFound) {
				t.Errorf("no ident: %v", err)
			}
			return nil
		})
	})
}

// nearby is a directory of n companies at one postcode: in many streets, or
// all in one with names that differ by a word, which is the hardest to tell apart.
func nearby(n int, alike bool) string {
	var b strings.Builder
	b.WriteString(heading)
	trades := []string{"Bäckerei", "Schlosserei", "Autohaus", "Friseur", "Handel", "Gebäudereinigung", "Immobilien", "Software", "Spedition", "Gasthaus"}
	for i := range n {
		name, street := fmt.Sprintf("Bäckerei Nummer %d", i), "Karl-Marx-Straße"
		if !alike {
			name, street = fmt.Sprintf("%s %x", trades[i%len(trades)], i*7919), fmt.Sprintf("Straße %x", i*104729)
		}
		fmt.Fprintf(&b, "%d;%s GmbH & Co. KG;GmbH & Co. KG;%s;%d a;00001;Musterstadt;HRA;%d;Amtsgericht Stuttgart;Bert Bäcker\n", i+1, name, street, i%200+1, i+1)
	}
	return b.String()
}

// R091: among thousands at one postcode the right one comes first, however it is
// misspelled; a file that is hostile to the index of keys is kept, too.
func TestR091TheRightOneAmongThousands(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		c := musterland(t, d)
		file := nearby(1500, false) + "9001;Konditorei Süßes Glück GmbH;GmbH;Lindenallee;7;00001;Musterstadt;HRB;77;Amtsgericht Stuttgart;Lea Süß\n" +
			"9002;" + strings.Repeat("\ufdfa", 290) + ";;Weg;1;00001;Musterstadt;;;;\n"
		if _, err := Import(context.Background(), d, audit.Console, c.ID, strings.NewReader(file), ImportOptions{Strict: true}); err != nil {
			t.Fatal(err)
		}
		for name, a := range map[string]company.Company{
			"letters missing":       {Name: "Konditorei Süses Glük GmbH", Street: "Lindenallee", HouseNumber: "7", Postcode: "00001", Place: "Musterstadt"},
			"moved within the town": {Name: "Konditorei Süßes Glück GmbH", Street: "Am Markt", HouseNumber: "1", Postcode: "00001", Place: "Musterstadt"},
			"renamed":               {Name: "Süßwaren Pralinchen KG", Street: "Lindenallee", HouseNumber: "7", Postcode: "00001", Place: "Musterstadt"},
			"other legal form":      {Name: "Konditorei Süßes Glück e. K.", Street: "Lindenallee", HouseNumber: "7", Postcode: "00001", Place: "Musterstadt"},
		} {
			look(t, d, func(tx *db.Tx) error {
				got, err := Candidates(tx, c.ID, a, 5)
				if err != nil || len(got) == 0 || got[0].Entry.IdentNumber != "9001" {
					t.Errorf("%s: %+v, %v", name, got, err)
				}
				return nil
			})
		}
	})
}

// The desk's cost of one case: 3,000 companies at the applicant's postcode.
// Aim: 15 ms.
func BenchmarkCandidates3000(b *testing.B) {
	a := company.Company{Name: "Bäckerei Numer 1500 GmbH und Co KG", LegalForm: "gmbh_co_kg", Street: "Karl-Marx-Str.", HouseNumber: "102 a", Postcode: "00001", Place: "Musterstadt"}
	dbtest.EachB(b, schema.Files, func(b *testing.B, d *db.DB) {
		c := musterland(b, d)
		for _, run := range []struct {
			name  string
			alike bool
		}{{"mixed", false}, {"alike", true}} {
			if _, err := Import(context.Background(), d, audit.Console, c.ID, strings.NewReader(nearby(3000, run.alike)), ImportOptions{Strict: true}); err != nil {
				b.Fatal(err)
			}
			b.Run(run.name, func(b *testing.B) {
				for b.Loop() {
					look(b, d, func(tx *db.Tx) error { _, err := Candidates(tx, c.ID, a, 5); return err })
				}
			})
		}
	})
}

// R091: the best first, and no more than asked for.
func TestR091BestIsSortedAndShort(t *testing.T) {
	listed, near := applied, applied
	listed.Name, near.HouseNumber = "BÄCKEREI BERT GmbH", "2"
	entries := []Entry{{Company: company.Company{Name: "Schlosserei Otto KG", Postcode: "00001"}}, {Company: near}, {Company: listed}}
	got := best(applied, entries, "999", 5)
	if len(got) != 2 || got[0].Match.Score != 100 || got[1].Entry.HouseNumber != "2" {
		t.Errorf("%+v", got)
	}
	if got := best(applied, entries, "999", 1); len(got) != 1 {
		t.Errorf("limit 1 gave %d", len(got))
	}
}
