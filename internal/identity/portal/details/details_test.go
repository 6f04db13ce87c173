package details_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/directory"
	"zunft/internal/identity/organization"
)

func (w *world) company() (o organization.Organization) {
	w.look(func(tx *db.Tx) (err error) { o, err = organization.Get(tx, w.bakery); return err })
	return o
}

// R065, R027: admins keep their company's data here only. Letters, joining and
// what the chamber compares go by the directory; the desk sees what differs.
func TestR065DetailsAreOfThisPortalOnly(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		bert := w.browsers["bert"]
		w.browsers["nora"].Get(w.at("/details")).Want(t, http.StatusNotFound)
		if g := w.browsers["lena"].Get(w.at("/details")).Want(t, http.StatusOK, "Mehlgasse 4"); strings.Contains(g.Body, "<form class=\"form\"") {
			t.Error("a member who is no admin is offered the form")
		}
		w.browsers["lena"].Post(w.at("/details"), "name", "Meins").Want(t, http.StatusNotFound)
		bert.Get(w.at("/details")).Want(t, http.StatusOK, "Bäckerei Morgenrot GmbH", "Eigene Angaben")
		bert.Post(w.at("/details"), "street", "Ofenweg", "postcode", "12", "phone", "anrufen!", "email", "ohne", "website", "javascript:alert(1)", "name", strings.Repeat("ä", 101)).
			Want(t, http.StatusUnprocessableEntity, "Postleitzahl mit 5 Ziffern", "Geben Sie den Ort ein", "Telefonnummer mit Ziffern", "mit @", "Internetadresse so ein", "höchstens 100 Zeichen")
		version := itoa(w.company().Version)
		bert.Post(w.at("/details"), "version", version, "name", "Morgenrot", "street", "Ofenweg", "house_number", "2", "postcode", "00999", "place", "Musterdorf", "phone", "0999 55", "email", "Info@Morgenrot.example", "website", "www.morgenrot.example").
			Goes(t, w.at("/details"))
		o := w.company()
		if o.Name != "Bäckerei Morgenrot GmbH" || o.Label() != "Morgenrot" || o.Address() != "Mehlgasse 4, 00999 Musterdorf" || o.Own.Address() != "Ofenweg 2, 00999 Musterdorf" || o.Own.Website != "https://www.morgenrot.example" {
			t.Errorf("%+v", o)
		}
		bert.Post(w.at("/details"), "version", version, "name", "Abendrot").Want(t, http.StatusConflict, "Jemand anderes hat diese Angaben gerade geändert")

		// The letter still goes to the directory's address, under its name.
		if text, _ := w.password(); !strings.Contains(text, "Mehlgasse 4") || !strings.Contains(text, "Bäckerei Morgenrot GmbH") || strings.Contains(text, "Ofenweg") {
			t.Error("the letter goes elsewhere:\n" + text)
		}
		w.look(func(tx *db.Tx) error {
			if found, err := organization.FindForJoin(tx, "Bäckerei Morgenrot GmbH", "Mehlgasse", "4", "00999", ""); err != nil || found.ID != w.bakery {
				t.Error("not found by the directory's data", err)
			}
			if _, err := organization.FindForJoin(tx, "Morgenrot", "Ofenweg", "2", "00999", ""); err == nil {
				t.Error("found by its own data")
			}
			return nil
		})

		// The desk sees the difference, and the clerks of others do not.
		w.browsers["clara"].Get("/chamber/deviations").Want(t, http.StatusOK, "Bäckerei Morgenrot GmbH", "Bezeichnung: Morgenrot", "Anschrift: Ofenweg 2, 00999 Musterdorf", "im Verzeichnis: Mehlgasse 4, 00999 Musterdorf")
		w.browsers["xenia"].Get("/chamber/deviations").Want(t, http.StatusOK, "Kein Unternehmen nennt andere Angaben")
		bert.Get("/chamber/deviations").Want(t, http.StatusForbidden)
		w.look(func(tx *db.Tx) error {
			all, err := organization.Differences(tx, w.company())
			if err != nil || len(all) != 2 || all[0].Field != "name" || all[1].Field != "address" {
				t.Error(all, err)
			}
			return nil
		})

		// Taken back: nothing differs.
		bert.Post(w.at("/details"), "version", itoa(w.company().Version)).Goes(t, w.at("/details"))
		w.browsers["clara"].Get("/chamber/deviations").Want(t, http.StatusOK, "Kein Unternehmen nennt andere Angaben")
	})
}

func itoa(n int) string { return strconv.Itoa(n) }

// R065: two admins change at once: one does, the other reads that somebody was quicker.
func TestR065DetailsTakeTurns(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		version := w.company().Version
		change := func(tx *db.Tx) error {
			return organization.ChangeOwn(tx, w.as("bert"), w.bakery, version, organization.Own{Name: "Eins"})
		}
		if won := w.race(repeat(6, change)...); won != 1 {
			t.Error(won, "of six")
		}
	})
}

// What a company is called and where it sits follows the directory; what its
// admins say stays. A company that the directory lost is kept, and marked.
func TestOrganizationsFollowTheDirectory(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.browsers["bert"].Post(w.at("/details"), "version", itoa(w.company().Version), "name", "Morgenrot").Goes(t, w.at("/details"))
		renewed := strings.Replace(listed, "Bäckerei Morgenrot GmbH;GmbH;Mehlgasse;4;", "Bäckerei Abendrot GmbH;GmbH;Kornweg;9;", 1)
		if _, err := directory.Import(t.Context(), w.D, audit.Console, w.chamber, strings.NewReader(renewed), directory.ImportOptions{Strict: true}); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time there is nothing to do
			if err := organization.Follow(t.Context(), w.D); err != nil {
				t.Fatal(err)
			}
		}
		if o := w.company(); o.Name != "Bäckerei Abendrot GmbH" || o.Address() != "Kornweg 9, 00999 Musterdorf" || o.Label() != "Morgenrot" {
			t.Errorf("%+v", o)
		}
		if n := w.Count(`SELECT count(*) FROM audit WHERE event = 'organization.followed'`); n != 1 {
			t.Error(n, "entries in the record")
		}
		w.Exec(`DELETE FROM directory_entry WHERE ident_number = '4711'`)
		w.browsers["bert"].Get(w.at("/details")).Want(t, http.StatusOK, "führt das Unternehmen nicht mehr")
		w.browsers["clara"].Get("/chamber/deviations").Want(t, http.StatusOK, "Das Verzeichnis führt das Unternehmen nicht mehr")
		w.Pass(time.Hour)
	})
}
