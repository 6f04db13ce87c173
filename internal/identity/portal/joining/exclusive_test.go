package joining_test

import (
	"net/url"
	"testing"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/application"
	"zunft/internal/identity/membership"
)

// R024, R026: roles that exclude one another are refused wherever somebody is
// given one, and both are called what the reader calls them.
func TestR024ExclusiveRolesInTheReadersLanguage(t *testing.T) {
	each(t, func(w *world) {
		var anna string
		w.write(func(tx *db.Tx) error {
			if _, err := application.Put(tx, audit.Console, w.app, []application.Role{
				{Key: "trainer", NameDE: "Ausbilder:in", NameEN: "Trainer", ExclusiveWith: []string{"apprentice"}}, {Key: "apprentice", NameDE: "Auszubildende:r", NameEN: "Apprentice"},
			}); err != nil {
				return err
			}
			if err := membership.Grant(tx, audit.Console, w.bakery, w.ids["anna"], false, membership.Role{Application: w.app.ID, Key: "apprentice"}); err != nil {
				return err
			}
			m, err := membership.In(tx, w.bakery, w.ids["anna"])
			anna = m.ID
			return err
		})
		members := "/organizations/" + w.bakery + "/members/" + anna
		for path, form := range map[string]url.Values{
			members + "/roles": {"application": {w.app.ID}, "role": {"trainer"}, "yes": {"true"}},
			members + "/give":  {"role": {w.app.ID + " trainer"}},
			"/organizations/" + w.bakery + "/roles-matrix": {"application": {w.app.ID}, "m": {anna}, "was-" + anna: {"apprentice"}, "r-" + anna: {"apprentice", "trainer"}},
		} {
			w.do("bert", "POST", path, form, 422).shows("„Ausbilder:in“ und „Auszubildende:r“ schließen einander aus")
			w.do("bert", "POST", path+"?lang=en", form, 422).shows("“Trainer” and “Apprentice” exclude each other").hides("„Ausbilder:in“ und")
		}
		if n := w.count(`SELECT count(*) FROM role_grant WHERE membership = $1`, anna); n != 1 {
			t.Error(n, "roles")
		}
	})
}
