package openid

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/job"
	"zunft/internal/identity/application"
)

// A parting is one application to be told that a session has ended.
type parting struct {
	Session     string `json:"session"`
	Account     string `json:"account"`
	Application string `json:"application"`
}

func (n *parting) fields() []any { return []any{&n.Account, &n.Application} }

// sessionEnded is the work after a session's end: one job for each application
// that signed in with it and wants to know.
func (p *Provider) sessionEnded(ctx context.Context, body []byte) error {
	var ended struct{ Session string }
	if err := json.Unmarshal(body, &ended); err != nil {
		return fmt.Errorf("session ended: %w: %w", err, job.ErrGiveUp)
	}
	return p.DB.Write(ctx, func(tx *db.Tx) error {
		told, err := db.All(tx, (*parting).fields, `SELECT DISTINCT g.account, g.application FROM oidc_grant g JOIN application a ON a.id = g.application
			WHERE g.session = $1 AND g.code_used_at IS NOT NULL AND a.backchannel_logout_uri <> '' AND a.state = 'active'`, ended.Session)
		if err != nil {
			return err
		}
		for _, n := range told {
			n.Session = ended.Session
			if err := job.Enqueue(tx, "openid.backchannel", n.Session+" "+n.Application, n); err != nil {
				return err
			}
		}
		return nil
	})
}

// mayLess is the work after somebody lost a role, a membership or a mandate, or
// everybody did because the organization was locked (no account is named):
// applications that know them in this organization end their sessions, and learn at the next
// sign-in what is left. Without it a trainer who was dismissed at noon would sign
// reports until the evening.
func (p *Provider) mayLess(ctx context.Context, body []byte) error {
	var of struct{ Account, Organization string }
	if err := json.Unmarshal(body, &of); err != nil {
		return fmt.Errorf("may less: %w: %w", err, job.ErrGiveUp)
	}
	return p.DB.Write(ctx, func(tx *db.Tx) error {
		who, args := `g.account = $2`, []any{of.Organization, of.Account}
		if of.Account == "" {
			who, args = `g.account IN (SELECT account FROM membership WHERE organization = $1
				UNION SELECT account FROM mandate WHERE principal = $1 AND account <> ''
				UNION SELECT n.account FROM mandate_person n JOIN mandate d ON d.id = n.mandate WHERE d.principal = $1)`, args[:1]
		}
		told, err := db.All(tx, func(n *parting) []any { return []any{&n.Session, &n.Account, &n.Application} }, `SELECT DISTINCT g.session, g.account, g.application FROM oidc_grant g
			JOIN application a ON a.id = g.application JOIN session s ON s.id = g.session
			WHERE `+who+` AND g.organization = $1 AND g.code_used_at IS NOT NULL AND s.ended_at IS NULL AND a.backchannel_logout_uri <> '' AND a.state = 'active'`, args...)
		if err != nil {
			return err
		}
		for _, n := range told {
			if err := job.Enqueue(tx, "openid.backchannel", n.Session+" "+n.Application, n); err != nil {
				return err
			}
		}
		return nil
	})
}

// logoutToken are the claims of Back-Channel Logout 1.0, section 2.4.
type logoutToken struct {
	Issuer   string              `json:"iss"`
	Subject  string              `json:"sub"`
	Audience string              `json:"aud"`
	IssuedAt int64               `json:"iat"`
	Expires  int64               `json:"exp"`
	ID       string              `json:"jti"`
	Session  string              `json:"sid"`
	Events   map[string]struct{} `json:"events"`
}

const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// tellApplication posts the logout token. An application that is not there is
// tried again by the queue; one that answers 400 has understood and refused.
func (p *Provider) tellApplication(ctx context.Context, body []byte) error {
	var n parting
	if err := json.Unmarshal(body, &n); err != nil {
		return fmt.Errorf("back-channel logout: %w: %w", err, job.ErrGiveUp)
	}
	a, k, now, err := p.recipient(ctx, n.Application, func(a application.Application) string { return a.BackchannelLogoutURI })
	if err != nil || k == nil {
		return err
	}
	token, err := k.sign(typeLogout, &logoutToken{
		Issuer: p.Site.Base, Subject: n.Account, Audience: a.ClientID, IssuedAt: now.Unix(), Expires: now.Add(2 * time.Minute).Unix(),
		ID: db.NewID(), Session: n.Session, Events: map[string]struct{}{logoutEvent: {}},
	})
	if err != nil {
		return err
	}
	return p.post(ctx, a.BackchannelLogoutURI, url.Values{"logout_token": {token}})
}

// recipient is an application to be told something at the address it registered
// for that, with the key that signs it. No key: it does not want to know any more.
func (p *Provider) recipient(ctx context.Context, id string, at func(application.Application) string) (a application.Application, k *key, now db.Time, err error) {
	err = p.DB.Read(ctx, func(tx *db.Tx) (err error) {
		now = tx.Now()
		a, err = application.Get(tx, id)
		return err
	})
	if fault.Is(err, fault.KindNotFound) || err == nil && (at(a) == "" || a.State != application.Active) {
		return a, nil, now, nil
	}
	if err == nil {
		k, err = p.keys.get(ctx, p.DB, a.IDTokenAlg)
	}
	return a, k, now, err
}

func (p *Provider) post(ctx context.Context, to string, form url.Values) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to, strings.NewReader(form.Encode()))
	if err != nil {
		return fmt.Errorf("back-channel logout at %s: %w: %w", to, err, job.ErrGiveUp)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := p.client().Do(r)
	if err != nil {
		return fmt.Errorf("back-channel logout at %s: %w", to, err)
	}
	defer response.Body.Close()
	io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10))
	switch {
	case response.StatusCode == http.StatusOK || response.StatusCode == http.StatusNoContent:
		return nil
	case response.StatusCode == http.StatusBadRequest:
		return fmt.Errorf("back-channel logout at %s: refused: %w", to, job.ErrGiveUp)
	}
	return fmt.Errorf("back-channel logout at %s: status %d", to, response.StatusCode)
}

// straight follows no redirects: a token goes where it is registered to go.
var straight = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// client is what reaches applications.
func (p *Provider) client() *http.Client {
	if p.Client != nil {
		return p.Client
	}
	return straight
}
