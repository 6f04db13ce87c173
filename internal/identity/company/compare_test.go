package company

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var applied = Company{
	Name: "Bäckerei Bert GmbH", LegalForm: "gmbh", Street: "Mühlstraße", HouseNumber: "1 a", Postcode: "00001", Place: "Musterstadt",
	IdentNumber: "000011", RegisterKind: "HRB", RegisterNumber: "12345 B", RegisterCourt: "B8534",
}

var listed = Company{
	Name: "BÄCKEREI BERT Gesellschaft mit beschränkter Haftung", LegalForm: "GmbH", Street: "Mühlstr.", HouseNumber: "1A", Postcode: "00001", Place: "Musterstadt",
	IdentNumber: "11", RegisterKind: "HRB", RegisterNumber: "12345B", RegisterCourt: "AG Stuttgart",
}

// R091: the desk reads field by field what is the same and what is not.
func TestR091ComparisonFieldByField(t *testing.T) {
	m := Compare(applied, listed, "999")
	if m.Score != 100 {
		t.Errorf("score %d", m.Score)
	}
	var got []string
	for _, f := range m.Fields {
		got = append(got, f.Field+" "+string(f.Verdict))
	}
	want := "name spelling, legal_form spelling, street spelling, house_number spelling, postcode same, place same, ident_number spelling, register_kind same, register_number spelling, register_court spelling"
	if strings.Join(got, ", ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, ", "), want)
	}

	other := listed
	other.Street, other.HouseNumber, other.RegisterNumber = "Bahnhofstraße", "7", ""
	m = Compare(applied, other, "999")
	for _, f := range m.Fields {
		if f.Field == "street" && (f.Verdict != Different || f.Applied != "Mühlstraße" || f.Listed != "Bahnhofstraße") || f.Field == "register_number" && f.Verdict != Missing {
			t.Errorf("%+v", f)
		}
	}
	if m.Score < 60 || m.Score > 85 {
		t.Errorf("moved: score %d", m.Score)
	}
	if m := Compare(applied, Company{Name: "Schlosserei Otto KG", LegalForm: "kg", Street: "Ring", HouseNumber: "9", Postcode: "00001", Place: "Musterstadt", IdentNumber: "12"}, "999"); m.Score >= 35 { // from there the desk is shown it
		t.Errorf("a stranger at the same postcode scores %d", m.Score)
	}
}

// R085: optional fields that are left out make nothing worse.
func TestR085OptionalFieldsLeftOut(t *testing.T) {
	a := applied
	a.IdentNumber, a.RegisterKind, a.RegisterNumber, a.RegisterCourt = "", "", "", ""
	if m := Compare(a, listed, "999"); m.Score != 100 {
		t.Errorf("score %d", m.Score)
	}
	a = applied
	a.Street, a.HouseNumber, a.RegisterKind, a.RegisterNumber = "Mühlstr. 1 a", "", "", "HRB 12345 B"
	if m := Compare(a, listed, "999"); m.Score != 100 {
		t.Errorf("number in the street's field: score %d, %+v", m.Score, m.Fields)
	}
}

// A company is itself; a comparison never leaves 0 to 100 and never changes
// its mind when both sides are swapped.
func TestScoreIsFair(t *testing.T) {
	pieces := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"Bäckerei", "Bert", "GmbH & Co. KG", "u.", "Gesellschaft mit beschränkter Haftung", "Straße", "Str.", "Weg", "01", "1 a", "-", "12345", "HRB 7", "ẞ"}))
	company := rapid.Custom(func(t *rapid.T) Company {
		s := func(label string) string {
			return strings.Join(rapid.SliceOfN(pieces, 0, 6).Draw(t, label), rapid.SampledFrom([]string{" ", "", "-"}).Draw(t, "gap"))
		}
		return Company{Name: s("name"), LegalForm: s("form"), Street: s("street"), HouseNumber: s("house"), Postcode: s("postcode"), Place: s("place"), IdentNumber: s("ident"), RegisterNumber: s("register")}
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := company.Draw(t, "a"), company.Draw(t, "b")
		ab, ba := Compare(a, b, "999"), Compare(b, a, "999")
		if ab.Score < 0 || ab.Score > 100 || ab.Score != ba.Score {
			t.Fatalf("scores %d and %d", ab.Score, ba.Score)
		}
		if m := Compare(a, a, "999"); m.Score != 100 && a != (Company{}) && strings.TrimSpace(fmt.Sprint(a)) != "{}" && m.Score != 0 {
			t.Fatalf("itself scores %d", m.Score)
		}
	})
}

// Letter pairs are counted as often as they stand there, whichever text comes first.
func TestSimilarity(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want float64
	}{{"abc", "abc", 1}, {"aaaa", "aa", 0.5}, {"abcd", "cdab", 2.0 / 3}, {"ab", "ba", 0}, {"", "ab", 0}, {"a", "a", 0}} {
		if a, b := pairsOf(c.a).similarity(c.b), pairsOf(c.b).similarity(c.a); a != c.want || b != c.want {
			t.Errorf("%q and %q: %v and %v, want %v", c.a, c.b, a, b, c.want)
		}
	}
	for in, want := range map[string]string{"mueller und soehne gmbh und co kg": "mueller und soehne", "kg": "kg", "": "", "gmbh kg": "gmbh"} {
		if got := bare(in); got != want {
			t.Errorf("bare %q is %q, want %q", in, got, want)
		}
	}
}

// W06: a hyphen or blank inside a word is spelling, not another company.
func TestHyphensAreSpelling(t *testing.T) {
	m := Compare(Company{Name: "Fahrrad-Werkstatt Fuchs e.K."}, Company{Name: "Fahrradwerkstatt Fuchs e. K."}, "999")
	if m.Fields[0].Verdict != Spelling {
		t.Error(m.Fields[0].Verdict)
	}
	m = Compare(Company{Name: "Fahrradwerkstatt Fuchs e.K."}, Company{Name: "Fahrradwerkstatt Luchs e. K."}, "999")
	if m.Fields[0].Verdict != Different {
		t.Error(m.Fields[0].Verdict)
	}
}
