package details_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/application"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/site"
)

var north = []string{"name", "Filiale  Nord", "street", "Nordweg", "house_number", "1", "postcode", "00999", "place", "Musterdorf", "ident_number", "4712"}

func (w *world) released() (names []string) {
	w.look(func(tx *db.Tx) error {
		all, err := site.Released(tx, w.bakery)
		for _, s := range all {
			names = append(names, s.Name)
		}
		return err
	})
	return names
}

func (w *world) siteID() (id string) {
	w.look(func(tx *db.Tx) (err error) {
		id, err = db.Value[string](tx, `SELECT id FROM site ORDER BY id DESC LIMIT 1`)
		return err
	})
	return id
}

// R300, W25: the head office's admin names a branch, the chamber looks at the
// directory and releases it; only then it can be given to people.
func TestR300SitesAreReleasedByTheChamber(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		bert, clara := w.browsers["bert"], w.browsers["clara"]
		w.browsers["lena"].Get(w.at("/sites")).Want(t, http.StatusForbidden)
		w.browsers["lena"].Post(w.at("/sites"), north...).Want(t, http.StatusForbidden)
		bert.Get(w.at("/sites")).Want(t, http.StatusOK, "Noch keine Standorte")
		bert.Post(w.at("/sites"), "name", "", "postcode", "9").Want(t, http.StatusUnprocessableEntity, "Geben Sie dem Standort einen Namen", "Postleitzahl mit 5 Ziffern", "Geben Sie die Straße ein")
		bert.Post(w.at("/sites"), north...).Goes(t, w.at("/sites"))
		bert.Get(w.at("/sites")).Want(t, http.StatusOK, "Filiale Nord", "wird geprüft")
		if got := w.released(); len(got) != 0 {
			t.Error("released by itself:", got)
		}
		if key := w.try(func(tx *db.Tx) error { return site.MustRelease(tx, w.bakery, w.siteID()) }); key != "site.unknown" {
			t.Error(key)
		}
		id := w.siteID()
		w.browsers["xenia"].Get("/chamber/sites").Want(t, http.StatusOK, "Kein Standort wartet")
		w.browsers["xenia"].Post("/chamber/sites", "do", "release", "site", id).Want(t, http.StatusForbidden)
		bert.Post("/chamber/sites", "do", "release", "site", id).Want(t, http.StatusForbidden)
		clara.Get("/chamber/sites").Want(t, http.StatusOK, "Filiale Nord", "Bäckerei Morgenrot GmbH", "Morgenrot Filiale Nord, Nordweg 1, 00999 Musterdorf")
		w.Inbox()
		clara.Post("/chamber/sites", "do", "release", "site", id).Goes(t, "/chamber/sites")
		w.One("bert@example.org", "Ihr Standort ist freigegeben")
		if got := w.released(); len(got) != 1 || got[0] != "Filiale Nord" {
			t.Error(got)
		}
		clara.Post("/chamber/sites", "do", "release", "site", id).Want(t, http.StatusConflict)

		// Somebody works there: it stays.
		w.Exec(`UPDATE membership SET site = $1 WHERE account = $2`, id, w.ids["lena"])
		bert.Post(w.at("/sites"), "close", id).Want(t, http.StatusConflict, "noch 1 Person")
		w.Exec(`UPDATE membership SET site = ''`)
		bert.Post(w.at("/sites"), "close", id).Goes(t, w.at("/sites"))
		if got := w.released(); len(got) != 0 {
			t.Error(got)
		}
	})
}

// A refusal has a reason that the admins read; decisions take turns; nobody floods
// the chamber; another company's site is not there.
func TestSitesRefusedAndMany(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.browsers["bert"].Post(w.at("/sites"), north...)
		id := w.siteID()
		w.browsers["clara"].Get("/chamber/sites?refuse="+id).Want(t, http.StatusOK, "Grund")
		w.browsers["clara"].Post("/chamber/sites", "do", "refuse", "site", id).Want(t, http.StatusUnprocessableEntity, "Nennen Sie den Grund")
		w.Inbox()
		release := func(tx *db.Tx) error { return site.Release(tx, w.as("clara"), id) }
		refuse := func(tx *db.Tx) error {
			return site.Refuse(tx, w.as("clara"), id, "Unter dieser Anschrift ist kein Betrieb.")
		}
		if won := w.race(release, refuse, release, refuse); won != 1 {
			t.Error(won, "decisions")
		}
		if w.Count(`SELECT count(*) FROM site WHERE state = 'refused'`) == 1 {
			if m := w.One("bert@example.org", "Ihr Standort wurde nicht freigegeben"); !strings.Contains(m.Body, "kein Betrieb") {
				t.Error(m.Body)
			}
			w.browsers["bert"].Get(w.at("/sites")).Want(t, http.StatusOK, "kein Betrieb")
		}
		var many []func(tx *db.Tx) error
		for i := range site.MostOpen + 5 {
			many = append(many, func(tx *db.Tx) error {
				_, err := site.Ask(tx, w.as("bert"), w.bakery, site.Site{Name: fmt.Sprint("Filiale ", i), Street: "Weg", Postcode: "00999", Place: "Ort"})
				return err
			})
		}
		if won := w.race(many...); won != site.MostOpen {
			t.Error(won, "asked at once")
		}
		w.browsers["bert"].Get(w.at("/sites")).Want(t, http.StatusOK, "wird geprüft")
		if key := w.try(func(tx *db.Tx) error { return site.Close(tx, w.as("nora"), w.siteID()) }); key != "web.not_found" && key != "web.forbidden" {
			t.Error("a stranger closes:", key)
		}
	})
}

// The list of a company with many sites pages by name and loses none.
func TestSitesPage(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.Write(func(tx *db.Tx) error {
			for i := range 120 {
				if _, err := tx.Exec(`INSERT INTO site (id, organization, chamber, name, street, house_number, postcode, place, state, name_key, created_at) VALUES ($1, $2, $3, $4, 'Weg', '1', '00999', 'Ort', 'released', $5, $6)`,
					db.NewID(), w.bakery, w.chamber, "S", fmt.Sprintf("%04d", i/3), tx.Now()); err != nil {
					return err
				}
			}
			return nil
		})
		seen := map[string]bool{}
		after := ""
		for {
			var page []site.Site
			w.look(func(tx *db.Tx) (err error) {
				page, err = site.Of(tx, audit.Actor{Kind: audit.Person, Account: w.ids["bert"]}, w.bakery, after)
				return err
			})
			for _, s := range page {
				seen[s.ID] = true
			}
			if len(page) < 50 {
				break
			}
			after = page[len(page)-1].ID
		}
		if len(seen) != 120 {
			t.Error(len(seen), "of 120")
		}
	})
}

// A site that is closed while somebody is given it: it stays, or they do not get it.
func TestSiteClosesOrIsGiven(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var role membership.Role
		w.Write(func(tx *db.Tx) error {
			a, err := application.Put(tx, audit.Console, application.Application{ClientID: "training", Name: "Berichtsheft", RedirectURIs: []string{"https://t.example/cb"}, SecretHash: "x"}, []application.Role{{Key: "trainer", NameDE: "Ausbilder:in"}})
			role = membership.Role{Application: a.ID, Key: "trainer"}
			return err
		})
		for range 12 {
			var id string
			w.Write(func(tx *db.Tx) error {
				s, err := site.Ask(tx, w.as("bert"), w.bakery, site.Site{Name: "Nord", Street: "Nordweg", Postcode: "00999", Place: "Musterdorf"})
				if err != nil {
					return err
				}
				id = s.ID
				return site.Release(tx, w.as("clara"), s.ID)
			})
			give := func(tx *db.Tx) error {
				m, err := membership.In(tx, w.bakery, w.ids["lena"])
				if err != nil {
					return err
				}
				return membership.Give(tx, w.as("bert"), m.ID, membership.Holding{Role: role, Site: id})
			}
			w.race(give, func(tx *db.Tx) error { return site.Close(tx, w.as("bert"), id) })
			if w.Count(`SELECT count(*) FROM role_grant g JOIN site s ON s.id = g.site WHERE s.id = $1 AND s.state = 'closed'`, id) != 0 {
				t.Fatal("a role at a site that is closed")
			}
		}
	})
}
