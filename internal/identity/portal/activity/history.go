package activity

import (
	"net/http"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/identity/organization"
)

// quiet are events on an account that its history leaves out: steps of what is
// told as a whole, and the inner workings of others. Everything else is told in
// words; a test holds both against what the rules record.
var quiet = map[string]bool{
	"account.confirmation_sent": true, // told by account.registered
	"account.created":           true,
	"account.unlock_sent":       true, // a link that was not used changed nothing
	"consent.imported":          true,
	"factor.begun":              true,
	"factor.code_failed":        true, // factor.paused tells when it matters
	"factor.code_sent":          true,
	"factor.passkey_refused":    true,
	"grant.revoked":             true, // follows from what is told
	"join.claimed":              true, // how admins divide their work
	"join.released":             true,
	"password.mistyped":         true,
	"person.locked":             true, // told by account.locked
	"person.unlocked":           true,
	"recovery.matched":          true, // the clerk's work; the decision is told
	"recovery.printed":          true,
	"recovery.proved":           true,
	"recovery.searched":         true,
	"recovery.code_sent":        true,
	"registration.claimed":      true,
	"registration.released":     true,
	"registration.sampled":      true,
	"registration.seconded":     true, // the decision is told
	"registration.taken_over":   true,
	"registration_code.used":    true,
	"role.claimed":              true,
	"role.released":             true,
	"session.proved":            true,
	"signin.new_device":         true, // told by session.started
	"signin.succeeded":          true,
}

// historyPage is all that history.html may use.
type historyPage struct {
	web.Frame
	Deeds []deed
	Older string
}

// A deed in words.
type deed struct {
	At      db.Time
	What    string
	Company string
	Who     string // empty: the person themselves, or a stranger at the door
	Device  string
}

// read is how many records a page reads; those that are quiet are not shown.
const read = 100

func (p *Pages) history(w http.ResponseWriter, r *http.Request) error {
	me := web.Actor(r).Account
	page := &historyPage{Frame: p.frame(r)}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		rows, err := audit.List(tx, audit.Filter{Account: me, Before: r.URL.Query().Get("before"), Limit: read})
		if err != nil {
			return err
		}
		if len(rows) == read {
			page.Older = "/account/activity?before=" + rows[read-1].ID
		}
		var companies []string
		for _, row := range rows {
			if row.Entry.Organization != "" && !quiet[row.Entry.Event] {
				companies = append(companies, row.Entry.Organization)
			}
		}
		names, err := organization.GetMany(tx, companies)
		for _, row := range rows {
			key := "activity.event." + row.Entry.Event
			if quiet[row.Entry.Event] || !p.Site.Catalog.Has(key) {
				continue
			}
			d := deed{At: row.At, What: p.text(r, key), Company: names[row.Entry.Organization].Name, Who: p.who(r, row, me)}
			if d.Who == "" && row.By.Agent != "" {
				d.Device = p.device(r, row.By.Agent)
			}
			page.Deeds = append(page.Deeds, d)
		}
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "history", page)
}

// who did it, without a name: what others do in office is not theirs.
func (p *Pages) who(r *http.Request, row audit.Row, me string) string {
	switch {
	case row.By.Kind == audit.System:
		return p.text(r, "activity.by_system")
	case row.By.Kind == audit.Command:
		return p.text(r, "activity.by_console")
	case row.By.Account == "" || row.By.Account == me:
		return ""
	case row.Entry.Chamber != "":
		return p.text(r, "activity.by_chamber")
	}
	return p.text(r, "activity.by_company")
}
