package chamber

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var applied = Company{Name: "Bäckerei Bert GmbH", LegalForm: "gmbh", Street: "Mühlstraße", HouseNumber: "1 a", Postcode: "00001", Place: "Musterstadt",
	IdentNumber: "000011", RegisterKind: "HRB", RegisterNumber: "12345 B", RegisterCourt: "B8534"}

var listed = Company{Name: "BÄCKEREI BERT Gesellschaft mit beschränkter Haftung", LegalForm: "GmbH", Street: "Mühlstr.", HouseNumber: "1A", Postcode: "00001", Place: "Musterstadt",
	IdentNumber: "11", RegisterKind: "HRB", RegisterNumber: "12345B", RegisterCourt: "AG Stuttgart"}

// R091: the desk reads field by field what is the same and what is not.
func TestR091ComparisonFieldByField(t *testing.T) {
	m := Compare(applied, listed, "999")
	if m.Score != 100 || !m.Exact() {
		t.Errorf("score %d, exact %t", m.Score, m.Exact())
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
	if m.Exact() || m.Score < 60 || m.Score > 85 {
		t.Errorf("moved: score %d, exact %t", m.Score, m.Exact())
	}
	if m := Compare(applied, Company{Name: "Schlosserei Otto KG", LegalForm: "kg", Street: "Ring", HouseNumber: "9", Postcode: "00001", Place: "Musterstadt", IdentNumber: "12"}, "999"); m.Score >= worthShowing {
		t.Errorf("a stranger at the same postcode scores %d", m.Score)
	}
}

// R085: optional fields that are left out make nothing worse.
func TestR085OptionalFieldsLeftOut(t *testing.T) {
	a := applied
	a.IdentNumber, a.RegisterKind, a.RegisterNumber, a.RegisterCourt = "", "", "", ""
	if m := Compare(a, listed, "999"); m.Score != 100 || !m.Exact() {
		t.Errorf("score %d, exact %t", m.Score, m.Exact())
	}
	a = applied
	a.Street, a.HouseNumber, a.RegisterKind, a.RegisterNumber = "Mühlstr. 1 a", "", "", "HRB 12345 B"
	if m := Compare(a, listed, "999"); m.Score != 100 || !m.Exact() {
		t.Errorf("number in the street's field: score %d, %+v", m.Score, m.Fields)
	}
}

// A company is itself; a comparison never leaves 0 to 100 and never changes
// its mind when both sides are swapped.
func TestScoreIsFair(t *testing.T) {
	company := rapid.Custom(func(t *rapid.T) Company {
		s := func(label string) string { return spelled.Draw(t, label) }
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

func TestBestIsSortedAndShort(t *testing.T) {
	near := listed
	near.HouseNumber = "2"
	entries := []Entry{{Company: Company{Name: "Schlosserei Otto KG", Postcode: "00001"}}, {Company: near}, {Company: listed}}
	got := Best(applied, entries, "999", 5)
	if len(got) != 2 || got[0].Match.Score != 100 || got[1].Entry.HouseNumber != "2" {
		t.Errorf("%+v", got)
	}
	if got := Best(applied, entries, "999", 1); len(got) != 1 {
		t.Errorf("limit 1 gave %d", len(got))
	}
}

// R075, R083, R084: the select lists, and what directories write instead.
func TestR075ReferenceLists(t *testing.T) {
	if n := len(LegalForms()); n != 28 {
		t.Errorf("%d legal forms, want 28", n)
	}
	if n := len(RegisterCourts()); n != 202 {
		t.Errorf("%d register courts, want 202", n)
	}
	var kinds []string
	for _, k := range RegisterKinds() {
		kinds = append(kinds, k.Key)
	}
	if fmt.Sprint(kinds) != "[HRA HRB GnR GsR PR VR]" {
		t.Errorf("kinds %v", kinds)
	}
	for _, f := range LegalForms() {
		if LegalFormKey(f.Key) != f.Key || LegalFormKey(f.Label) != f.Key || LegalFormLabel(f.Key) != f.Label {
			t.Errorf("%s: key of its label %q, of itself %q", f.Key, LegalFormKey(f.Label), LegalFormKey(f.Key))
		}
	}
	for in, want := range map[string]string{"GmbH": "gmbh", "Gesellschaft mit beschränkter Haftung": "gmbh", "e.K.": "ek", "Eingetragener Kaufmann": "ek", "UG (haftungsbeschränkt)": "ug", "GmbH & Co. KG": "gmbh_co_kg",
		"Aktiengesellschaft": "ag", "KGaA": "kgaa", "OHG": "ohg", "e. V.": "ev", "eG": "eg", "GbR": "gbr", "Einzelunternehmen": "einzel_nicht_eingetragen", "Ltd.": "", "": ""} {
		if got := LegalFormKey(in); got != want {
			t.Errorf("legal form %q is %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{"Amtsgericht Stuttgart": "B8534", "AG Stuttgart": "B8534", "stuttgart": "B8534", "B8534": "B8534", "Amtsgericht Nirgendwo": "", "": ""} {
		if got := RegisterCourtKey(in); got != want {
			t.Errorf("court %q is %q, want %q", in, got, want)
		}
	}
	if RegisterCourtLabel("B8534") != "Amtsgericht Stuttgart" {
		t.Error(RegisterCourtLabel("B8534"))
	}
	for in, want := range map[string]string{"HRB 12345 B": "HRB 12345B true", "hrb12345b": "HRB 12345B true", "012345": " 12345 true", "GR 7": "GnR 7 true", "GsR 9": "GsR 9 true", "HRB": "  false", "1234567": "  false", "": "  false"} {
		kind, number, ok := FoldRegisterNumber(in)
		if got := fmt.Sprint(kind, " ", number, " ", ok); got != want {
			t.Errorf("register number %q is %q, want %q", in, got, want)
		}
	}
}

// The desk's cost in a postcode of 3,000 companies.
func BenchmarkBest3000(b *testing.B) {
	var entries []Entry
	for i := range 3000 {
		c := listed
		c.IdentNumber, c.RegisterNumber, c.Name, c.Street = fmt.Sprint(i+100), fmt.Sprint(i+1), fmt.Sprintf("%x Handel GmbH", i*7919), fmt.Sprintf("Weg %d", i)
		entries = append(entries, Entry{Company: c, companyKey: c.Key()})
	}
	for b.Loop() {
		Best(applied, entries, "999", 5)
	}
}
