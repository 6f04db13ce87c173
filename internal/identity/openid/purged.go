package openid

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/job"
	"zunft/internal/identity/application"
	"zunft/internal/identity/departure"
)

// A purge is one application to be told that an account is gone.
type purge struct {
	departure.Gone
	Application string `json:"application"`
	ID          string `json:"id"` // jti: the same each time it is tried
}

// accountGone is the work after the end of an account: one job for each
// application that wants to know. All of them are told: which had signed the
// person in is forgotten after a while, and the id names nobody any more.
func (p *Provider) accountGone(ctx context.Context, body []byte) error {
	var g departure.Gone
	if err := json.Unmarshal(body, &g); err != nil {
		return fmt.Errorf("account gone: %w: %w", err, job.ErrGiveUp)
	}
	return p.DB.Write(ctx, func(tx *db.Tx) error {
		told, err := db.Values[string](tx, `SELECT id FROM application WHERE security_event_uri <> '' AND state = 'active' ORDER BY id`)
		if err != nil {
			return err
		}
		for _, id := range told {
			if err := job.Enqueue(tx, "openid.purged", g.Account+" "+id, purge{g, id, db.NewID()}); err != nil {
				return err
			}
		}
		return nil
	})
}

// securityEvent are the claims of a Security Event Token (RFC 8417) as OpenID
// Shared Signals profiles it: no sub and no exp, so that it is never taken for
// an ID token; whom it is about is said in sub_id (RFC 9493, section 3.2.3).
type securityEvent struct {
	Issuer   string              `json:"iss"`
	Audience string              `json:"aud"`
	IssuedAt int64               `json:"iat"`
	ID       string              `json:"jti"`
	Happened int64               `json:"toe"`
	Subject  subjectID           `json:"sub_id"`
	Events   map[string]struct{} `json:"events"`
}

type subjectID struct {
	Format  string `json:"format"`
	Issuer  string `json:"iss"`
	Subject string `json:"sub"`
}

// purgedEvent is of the OpenID RISC profile, section 2.2: the account is
// deleted for good.
const purgedEvent = "https://schemas.openid.net/secevent/risc/event-type/account-purged"

// tellPurged pushes the token (RFC 8935). An application that is not there is
// tried again by the queue for some days; so is one that answers 400: unlike a
// logout, this must arrive, and what it refuses today (a key, a wrong setting)
// may be mended tomorrow. In the end it is a dead letter that the operator sees.
func (p *Provider) tellPurged(ctx context.Context, body []byte) error {
	var n purge
	if err := json.Unmarshal(body, &n); err != nil {
		return fmt.Errorf("account purged: %w: %w", err, job.ErrGiveUp)
	}
	a, k, now, err := p.recipient(ctx, n.Application, func(a application.Application) string { return a.SecurityEventURI })
	if err != nil || k == nil {
		return err
	}
	token, err := k.sign(typeEvent, &securityEvent{
		Issuer: p.Site.Base, Audience: a.ClientID, IssuedAt: now.Unix(), ID: n.ID, Happened: n.At.Unix(),
		Subject: subjectID{"iss_sub", p.Site.Base, n.Account}, Events: map[string]struct{}{purgedEvent: {}},
	})
	if err != nil {
		return err
	}
	return p.push(ctx, a.SecurityEventURI, token)
}

func (p *Provider) push(ctx context.Context, to, token string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to, strings.NewReader(token))
	if err != nil {
		return fmt.Errorf("security event at %s: %w: %w", to, err, job.ErrGiveUp)
	}
	r.Header.Set("Content-Type", "application/secevent+jwt")
	r.Header.Set("Accept", "application/json")
	response, err := p.client().Do(r)
	if err != nil {
		return fmt.Errorf("security event at %s: %w", to, err)
	}
	defer response.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(response.Body, 500))
	io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10))
	switch response.StatusCode {
	case http.StatusAccepted, http.StatusOK, http.StatusNoContent:
		return nil
	}
	var why struct {
		Err string `json:"err"`
	}
	json.Unmarshal(said, &why)
	return fmt.Errorf("security event at %s: status %d %.40q", to, response.StatusCode, why.Err)
}
