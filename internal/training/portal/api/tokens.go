package api

import (
	"net/http"
	"strconv"

	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/training/token"
)

// tokensPage is all that tokens.html may use.
type tokensPage struct {
	web.Frame
	Form   *web.Form
	Now    db.Time
	Tokens []token.Token
	Scopes []web.Option
	Days   []web.Option
	Issued token.Token
	Secret string // shown once
}

// state is a word and a shape for a key.
func (v *tokensPage) State(t token.Token) string {
	switch {
	case !t.EndedAt.IsZero():
		return "revoked"
	case !t.Runs(v.Now):
		return "over"
	}
	return "runs"
}

func (p *Pages) tokens(w http.ResponseWriter, r *http.Request) error {
	return p.showTokens(w, r, &tokensPage{Form: web.NewForm("scope", token.Read, "days", "90")})
}

func (p *Pages) showTokens(w http.ResponseWriter, r *http.Request, v *tokensPage) error {
	text := func(key string, args ...any) string { return p.Site.Catalog.Text(web.Lang(r), key, args...) }
	for _, s := range []string{token.Read, token.Write} {
		v.Scopes = append(v.Scopes, web.Option{Value: s, Text: text("api.scope_" + s)})
	}
	for _, d := range token.Days {
		v.Days = append(v.Days, web.Option{Value: strconv.Itoa(d), Text: text("api.days", d)})
	}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		v.Now = tx.Now()
		v.Tokens, err = token.Mine(tx, web.Actor(r))
		return err
	})
	if err != nil {
		return err
	}
	v.Back = web.Link{Text: text("api.settings"), Href: "/settings"}
	return p.Site.Show(w, r, v.Form.Status(), templates, "tokens", v)
}

// issue answers with the page itself: the key is shown this once, and no
// address leads to it again.
func (p *Pages) issue(w http.ResponseWriter, r *http.Request) error {
	v := &tokensPage{Form: web.ReadForm(r)}
	err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		v.Issued, v.Secret, err = token.Issue(tx, web.Actor(r), v.Form.Text("name"), v.Form.Text("scope"), v.Form.Number("days"))
		return err
	})
	if v.Form.Take(err) {
		v.Secret = ""
		return p.showTokens(w, r, v)
	}
	if err != nil {
		return err
	}
	v.Form = web.NewForm("scope", token.Read, "days", "90")
	return p.showTokens(w, r, v)
}

func (p *Pages) revoke(w http.ResponseWriter, r *http.Request) error {
	if err := p.DB.Write(r.Context(), func(tx *db.Tx) error { return token.Revoke(tx, web.Actor(r), r.PathValue("id")) }); err != nil {
		return err
	}
	return p.Site.Done(w, r, "/settings/tokens", "api.done_revoked")
}

// docsPage is all that docs.html may use.
type docsPage struct {
	web.Frame
	Base    string
	Example string
}

func (p *Pages) docs(w http.ResponseWriter, r *http.Request) error {
	v := &docsPage{Base: p.Site.Base, Example: example}
	return p.Site.Show(w, r, http.StatusOK, templates, "docs", v)
}

const example = `{
 "version": 0,
 "work": "Server gewartet, Sicherungen geprüft",
 "school": "Netzwerke: Subnetze",
 "days": [
  {"date": "2026-11-16", "attendance": "company", "place": "IT", "minutes": 480},
  {"date": "2026-11-17", "attendance": "school"}
 ]
}`
