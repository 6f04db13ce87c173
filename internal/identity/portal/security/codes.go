package security

import (
	"encoding/json"
	"net/http"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/identity/factor"
)

// codesPage is all that codes.html may use.
type codesPage struct {
	web.Frame
	Form   *web.Form
	Has    factor.Kinds
	New    []string // shown this once
	Who    string
	Portal string
}

// codesCookie brings new codes from the POST to the page that shows them: sealed,
// for this session, and gone once they were shown. The database has hashes only.
const codesCookie = "codes"

func place(s subject) string { return "codes/" + s.session.ID }

func (p *Pages) codes(w http.ResponseWriter, r *http.Request, s subject) error {
	page := &codesPage{Form: web.NewForm(), Has: s.need.Has, Who: s.account.Name(), Portal: p.text(r, p.Site.Name)}
	if sealed := p.Site.Cookie(r, codesCookie); sealed != "" {
		p.Site.SetCookie(w, codesCookie, "", -1)
		if plain, err := p.DB.Keys.Open(place(s), sealed); err == nil {
			if err := json.Unmarshal(plain, &page.New); err != nil {
				return err
			}
		}
	}
	page.Back = web.Link{Text: p.text(r, "security.heading"), Href: "/account/security"}
	return p.Site.Show(w, r, http.StatusOK, templates, "codes", page)
}

func (p *Pages) doCodes(w http.ResponseWriter, r *http.Request, s subject) error {
	var fresh []string
	if err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		fresh, err = factor.NewCodes(tx, s.by, s.account)
		return err
	}); err != nil {
		return err
	}
	plain, err := json.Marshal(fresh)
	if err != nil {
		return err
	}
	p.Site.SetCookie(w, codesCookie, p.DB.Keys.Seal(place(s), plain), 2*time.Minute)
	return web.See(w, r, "/account/security/recovery-codes")
}
