package chamber

import (
	"fmt"
	"testing"
)

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
	for in, want := range map[string]string{
		"GmbH": "gmbh", "Gesellschaft mit beschränkter Haftung": "gmbh", "e.K.": "ek", "Eingetragener Kaufmann": "ek", "UG (haftungsbeschränkt)": "ug", "GmbH & Co. KG": "gmbh_co_kg",
		"Aktiengesellschaft": "ag", "KGaA": "kgaa", "OHG": "ohg", "e. V.": "ev", "eG": "eg", "GbR": "gbr", "Einzelunternehmen": "einzel_nicht_eingetragen", "Ltd.": "", "": "",
	} {
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
