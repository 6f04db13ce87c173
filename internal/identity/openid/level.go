package openid

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/identity/factor"
	"zunft/internal/identity/visitor"
)

// Levels of assurance, as the claim acr says them, from the least on.
const (
	acrPassword = "pw"  // password, with or without a code by mail
	acrFactors  = "mfa" // a second factor: authenticator app or recovery code
	acrPasskey  = "phr" // a passkey: phishing-resistant
)

var levels = []string{acrPassword, acrFactors, acrPasskey}

// acrOf derives the level from the methods used (RFC 8176). One code by mail
// is one factor, whatever its name (NIST SP 800-63B, section 5.1.3.1).
func acrOf(amr string) string {
	switch {
	case granted(amr, "hwk") && granted(amr, "mfa"):
		return acrPasskey
	case granted(amr, "mfa"):
		return acrFactors
	}
	return acrPassword
}

// readLevels is what the application asks for: acr_values in order of its
// preference, a wish; or the claim acr as essential, a condition (OpenID Connect
// Core, sections 3.1.2.1 and 5.5.1.1). Values that are not ours are nobody's.
func (q *request) readLevels() {
	q.levels = strings.Fields(q.values.Get("acr_values"))
	var claims struct {
		IDToken struct {
			ACR *struct {
				Essential bool
				Value     string
				Values    []string
			} `json:"acr"`
		} `json:"id_token"`
	}
	if len(q.values.Get("claims")) > 4096 || json.Unmarshal([]byte(q.values.Get("claims")), &claims) != nil || claims.IDToken.ACR == nil {
		return
	}
	acr := claims.IDToken.ACR
	if asked := append(acr.Values, strings.Fields(acr.Value)...); len(asked) > 0 {
		q.levels, q.essential = asked, acr.Essential
	}
}

// wanted is the level the application likes best of ours, and whether any of
// those it named is reached.
func (q *request) wanted(have string) (level string, reached bool) {
	known := slices.DeleteFunc(slices.Clone(q.levels), func(l string) bool { return !slices.Contains(levels, l) })
	if len(known) == 0 {
		return "", !q.essential
	}
	rank := func(l string) int { return slices.Index(levels, l) }
	for _, l := range known {
		reached = reached || rank(have) >= rank(l)
	}
	return known[0], reached
}

// level settles whether this session has shown enough. If not, and the person
// has what it takes, they are asked for it once; then what was really shown is
// what the token says. A condition that is not met ends the way (RFC 9470,
// section 5: unmet_authentication_requirements).
func (p *Provider) level(w http.ResponseWriter, r *http.Request, q request, v *visitor.Visitor) (done bool, err error) {
	if len(q.levels) == 0 {
		return false, nil
	}
	have := acrOf(v.Session.AMR)
	best, reached := q.wanted(have)
	if slices.Index(levels, have) >= slices.Index(levels, best) && reached {
		return false, nil
	}
	if done, err := p.prove(w, r, q, v, best); done || err != nil {
		return done, err
	}
	if reached || !q.essential {
		return false, nil
	}
	able, err := p.able(r, v, best)
	if err == nil && able && q.silent() {
		return true, p.deny(w, r, q, refuse("interaction_required", "the person must prove a second factor"))
	}
	if err != nil {
		return true, err
	}
	return true, p.deny(w, r, q, refuse("unmet_authentication_requirements", "the requested acr was not reached"))
}

// able reports whether a person has what reaches a level.
func (p *Provider) able(r *http.Request, v *visitor.Visitor, level string) (able bool, err error) {
	err = p.DB.Read(r.Context(), func(tx *db.Tx) error {
		need, err := factor.Ways(tx, v.Account)
		able = level == acrFactors && (need.Has.TOTP || need.Has.Passkey) || level == acrPasskey && need.Has.Passkey
		return err
	})
	return able, err
}

// prove sends a person who is able to reach a level to do so, once in this
// request, and back here.
func (p *Provider) prove(w http.ResponseWriter, r *http.Request, q request, v *visitor.Visitor, level string) (done bool, err error) {
	able, err := p.able(r, v, level)
	if err != nil || !able || q.silent() {
		return err != nil, err
	}
	now := db.At(p.DB.Now())
	moment, ok := p.openSince(q)
	if ok = ok && now.Sub(moment) < loginLife; !ok {
		moment = now
	} else if v.Session.ProvedAt.After(moment) {
		return false, nil // asked already
	}
	next := authorizePath + "?" + q.encode(p.sealSince(q, moment))
	return true, web.See(w, r, "/account/confirm?"+url.Values{"next": {next}}.Encode())
}
