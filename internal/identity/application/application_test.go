package application

import (
	"testing"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/i18n"
	"zunft/internal/identity/schema"
)

func training() (Application, []Role) {
	return Application{
			ClientID: "training", Name: "Ausbildungsportal", ClientURI: "https://training.example", ManualURI: "https://training.example/help",
			SecretHash: HashSecret("s3cret"), RedirectURIs: []string{"https://training.example/callback"},
		},
		[]Role{{Key: "trainer", NameDE: "Ausbilder:in", NameEN: "Trainer", DescriptionDE: "Zeichnet Nachweise ab", Requires: MFA, ExclusiveWith: []string{"apprentice"}}, {Key: "apprentice", NameDE: "Auszubildende:r", Invited: true}}
}

// R003, R007: applications are data, with a manual; declared roles keep their order.
func TestPut(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		a, roles := training()
		err := d.Write(t.Context(), func(tx *db.Tx) error {
			first, err := Put(tx, audit.Console, a, roles)
			if err != nil {
				return err
			}
			declared, err := Catalogue(tx, first.ID)
			if err != nil {
				return err
			}
			trainer, apprentice := declared[0], declared[1]
			if trainer.Requires != MFA || trainer.Invited || !apprentice.Invited || !trainer.Excludes(apprentice) || !apprentice.Excludes(trainer) || trainer.Excludes(trainer) {
				t.Errorf("declared %+v", declared)
			}
			a.Name = "Berichtsheft"
			second, err := Put(tx, audit.Console, a, roles[1:])
			if err != nil {
				return err
			}
			if first.ID != second.ID {
				t.Error("the same client id became two applications")
			}
			got, err := ByClientID(tx, "training")
			if err != nil {
				return err
			}
			if got.Name != "Berichtsheft" || got.ManualURI != a.ManualURI || got.AuthMethod != "client_secret_basic" || got.IDTokenAlg != "RS256" || got.RedirectURIs[0] != a.RedirectURIs[0] || got.PostLogoutRedirectURIs == nil {
				t.Errorf("loaded %+v", got)
			}
			living, err := Living(tx, got.ID)
			if err != nil {
				return err
			}
			for shown, want := range map[string]bool{"s3cret": true, "other": false, "": false} {
				if _, ok := Opens(living, shown, tx.Now()); ok != want {
					t.Errorf("secret %q opens: %v", shown, ok)
				}
			}
			catalogue, err := Catalogue(tx, got.ID)
			if err != nil {
				return err
			}
			if len(catalogue) != 1 || catalogue[0].Key != "apprentice" || catalogue[0].Name("en") != "Auszubildende:r" {
				t.Errorf("catalogue %+v", catalogue)
			}
			offers, err := AllOffers(tx)
			if err != nil {
				return err
			}
			if _, r, ok := offers.Role(got.ID, "apprentice"); !ok || r.Name("de") != "Auszubildende:r" {
				t.Errorf("offers %+v", offers)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestPutRefuses(t *testing.T) {
	catalog, err := i18n.Load(Phrases)
	if err != nil {
		t.Fatal(err)
	}
	d := dbtest.Open(t, "sqlite", schema.Files)
	for name, change := range map[string]func(*Application, *[]Role){
		"relative redirect": func(a *Application, _ *[]Role) { a.RedirectURIs = []string{"/callback"} },
		"fragment":          func(a *Application, _ *[]Role) { a.RedirectURIs = []string{"https://a.example/#x"} },
		"script":            func(a *Application, _ *[]Role) { a.RedirectURIs = []string{"javascript:alert(1)"} },
		"no name":           func(a *Application, _ *[]Role) { a.Name = "" },
		"secret for none":   func(a *Application, _ *[]Role) { a.AuthMethod = "none" },
		"no algorithm":      func(a *Application, _ *[]Role) { a.IDTokenAlg = "none" },
		"unknown level":     func(_ *Application, r *[]Role) { (*r)[0].Requires = "gold" },
		"excludes a ghost":  func(_ *Application, r *[]Role) { (*r)[0].ExclusiveWith = []string{"ghost"} },
		"excludes itself":   func(_ *Application, r *[]Role) { (*r)[0].ExclusiveWith = []string{"trainer"} },
		"role twice":        func(_ *Application, r *[]Role) { *r = append(*r, (*r)[0]) },
	} {
		a, roles := training()
		change(&a, &roles)
		err := d.Write(t.Context(), func(tx *db.Tx) error { _, err := Put(tx, audit.Console, a, roles); return err })
		if f := fault.Of(err); f == nil || f.Kind != fault.KindInvalid || !catalog.Has(f.Key()) {
			t.Errorf("%s: %v", name, err)
		}
	}
	a, roles := training()
	if err := d.Write(t.Context(), func(tx *db.Tx) error { _, err := Put(tx, audit.Actor{Account: "x"}, a, roles); return err }); !fault.Is(err, fault.KindForbidden) {
		t.Errorf("a person who is no operator: %v", err)
	}
}
