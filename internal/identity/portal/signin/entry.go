package signin

import (
	"net/http"
	"slices"

	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
)

// An entry is a page to sign in at for one kind of people (S35, R278). It opens
// the same account as every other: who has several functions needs one (R279).
type entry struct {
	Key     string
	Heading string // phrases
	Text    string
	Label   string // what opens the account
	Missing string
}

// The five ways of R281, in its order.
var entries = []entry{
	{"company", "signin.entry_company", "signin.entry_company_text", "signin.login_name", "account.login_missing"},
	{"apprentice", "signin.entry_apprentice", "signin.entry_apprentice_text", "signin.login_number", "signin.number_missing"},
	{"examiner", "signin.entry_examiner", "signin.entry_examiner_text", "signin.login_name", "account.login_missing"},
	{"trainer", "signin.entry_trainer", "signin.entry_trainer_text", "signin.login_name", "account.login_missing"},
	{"supervisor", "signin.entry_supervisor", "signin.entry_supervisor_text", "signin.login_name", "account.login_missing"},
}

func entryOf(key string) (entry, bool) {
	i := slices.IndexFunc(entries, func(e entry) bool { return e.Key == key })
	if i < 0 {
		return entry{}, false
	}
	return entries[i], true
}

func (p *Pages) askEntry(w http.ResponseWriter, r *http.Request) error {
	if _, ok := entryOf(r.PathValue("entry")); !ok {
		return fault.NotFound()
	}
	return p.ask(w, r)
}

// waysPage is all that ways.html may use.
type waysPage struct {
	web.Frame
	Entries []entry
	Next    string
}

func (p *Pages) ways(w http.ResponseWriter, r *http.Request) error {
	return p.Site.Show(w, r, http.StatusOK, templates, "ways", &waysPage{Entries: entries, Next: web.LocalPath(r.URL.Query().Get("next"))})
}
