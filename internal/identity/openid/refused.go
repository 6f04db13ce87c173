package openid

import (
	"fmt"
	"net/http"

	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/application"
)

// refusedPage says why a request leads nowhere: to the person, and folded away
// to whoever runs the application.
type refusedPage struct {
	web.Frame
	Text, Detail string
}

// details of the faults this package makes.
var details = map[string]string{
	"openid.client_unknown":        "openid.client_unknown_detail",
	"openid.redirect_unknown":      "openid.redirect_unknown_detail",
	"openid.request_unreadable":    "openid.request_unreadable_detail",
	"openid.hint_unknown":          "openid.hint_unknown_detail",
	"openid.logout_client_missing": "openid.logout_client_missing_detail",
}

// noteUntrusted says in the application's log what is wrong with a request that
// must not be redirected.
func (p *Provider) noteUntrusted(a application.Application, q request) {
	switch {
	case a.ID == "": // nobody's
	case a.State != application.Active:
		p.note(a.ID, "authorize.disabled", "", "openid.event_disabled")
	default:
		d, _ := application.Explain(a.RedirectURIs, q.redirectURI)
		p.noteSent(a.ID, "authorize.redirect_uri", "", q.redirectURI, d.Phrase, texts(d.Args)...)
	}
}

// reasons of refusals that are no mistake of the application.
var reasons = map[string]string{
	"login_required":       "openid.event_login_required",
	"interaction_required": "openid.event_interaction_required",
}

func (p *Provider) noteDenied(applicationID string, why *refusal) {
	if reason := reasons[why.code]; reason != "" {
		p.note(applicationID, "authorize."+why.code, "", reason)
	} else {
		p.note(applicationID, "authorize."+why.code, "", "openid.event_refused", why.description)
	}
}

func texts(args []any) (texts []string) {
	for _, a := range args {
		texts = append(texts, fmt.Sprint(a))
	}
	return texts
}

// explain turns a request that must not be redirected into a page (RFC 6749,
// section 4.1.2.1). Every other error stays what it is.
func (p *Provider) explain(w http.ResponseWriter, r *http.Request, err error) error {
	f := fault.Of(err)
	if f == nil || details[f.Key()] == "" {
		return err
	}
	text := func(key string, args ...any) string { return p.Site.Catalog.Text(web.Lang(r), key, args...) }
	page := &refusedPage{Text: text(f.Key(), f.Problems[0].Args...), Detail: text(details[f.Key()])}
	page.Failed = true
	return p.Site.Show(w, r, http.StatusBadRequest, templates, "refused", page)
}
