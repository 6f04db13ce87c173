package login

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/seal"
	"zunft/internal/ground/web"
	"zunft/internal/training/person"
)

// logout ends our session, then the one at the identity portal
// (OpenID Connect RP-Initiated Logout 1.0).
func (d *Door) logout(w http.ResponseWriter, r *http.Request) error {
	s := Of(r)
	d.Site.SetCookie(w, sessionCookie, "", -1)
	if s == nil {
		return web.See(w, r, "/logged-out")
	}
	hint := ""
	err := d.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		if hint, err = s.IDToken(tx); err != nil {
			slog.WarnContext(r.Context(), "no hint for signing out", "err", err)
			hint = ""
		}
		return person.End(tx, web.Actor(r), s.ID)
	})
	if err != nil {
		return err
	}
	p, err := d.discover(r.Context())
	if err != nil || p.EndSession == "" {
		return web.See(w, r, "/logged-out?here=only")
	}
	to, err := url.Parse(p.EndSession)
	if err != nil {
		return web.See(w, r, "/logged-out?here=only")
	}
	q := to.Query()
	q.Set("client_id", d.ClientID)
	q.Set("post_logout_redirect_uri", d.Site.Base+"/logged-out")
	q.Set("state", seal.Token())
	q.Set("ui_locales", web.Lang(r))
	if hint != "" {
		q.Set("id_token_hint", hint)
	}
	to.RawQuery = q.Encode()
	return web.See(w, r, to.String())
}

func (d *Door) loggedOut(w http.ResponseWriter, r *http.Request) error {
	if Of(r) != nil {
		return web.See(w, r, "/")
	}
	why := "out"
	if r.URL.Query().Get("here") == "only" {
		why = "out_here"
	}
	w.Header().Set("Clear-Site-Data", `"storage"`) // what was written on this device without a connection (decision 0025)
	return d.stop(w, r, http.StatusOK, why, "/")
}

// backchannel takes a logout token (OpenID Connect Back-Channel Logout 1.0,
// 2.5 to 2.8). The identity portal calls it, not a browser.
func (d *Door) backchannel(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	err := d.endByToken(w, r)
	if err == nil {
		w.WriteHeader(http.StatusOK)
		return
	}
	slog.WarnContext(r.Context(), "back-channel logout refused", "request", web.Actor(r).Request, "err", err)
	status, code := http.StatusBadRequest, "invalid_request"
	if fault.Is(err, fault.KindLimited) {
		status, code = http.StatusTooManyRequests, "temporarily_unavailable"
	} else if errors.Is(err, errOurs) {
		status, code = http.StatusInternalServerError, "server_error"
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]string{"error": code})
}

// errOurs: not the token's fault; the identity portal may try again.
var errOurs = errors.New("our side")

const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

func (d *Door) endByToken(w http.ResponseWriter, r *http.Request) error {
	if err := limit.Take(r.Context(), d.DB, "logout/"+limit.Network(web.Actor(r).IP), limit.Rate{Burst: 200, Every: 100 * time.Millisecond}); err != nil {
		return err
	}
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		return err
	}
	p, err := d.discover(r.Context())
	if err != nil {
		return fmt.Errorf("%w: %w", errOurs, err)
	}
	raw := r.PostForm.Get("logout_token")
	t, err := d.verify(r.Context(), p, raw)
	if err != nil {
		return err
	}
	var c struct {
		SID    string                     `json:"sid"`
		JTI    string                     `json:"jti"`
		Nonce  *json.RawMessage           `json:"nonce"`
		Events map[string]json.RawMessage `json:"events"`
	}
	if err := t.Claims(&c); err != nil {
		return err
	}
	var event map[string]any
	switch {
	case c.Nonce != nil:
		return errors.New("logout token with a nonce")
	case json.Unmarshal(c.Events[logoutEvent], &event) != nil || event == nil:
		return errors.New("logout token without the event")
	case c.SID == "" && t.Subject == "":
		return errors.New("logout token without sid and sub")
	case c.JTI == "" || len(c.JTI) > 255:
		return errors.New("logout token without jti")
	case t.IssuedAt.IsZero():
		return errors.New("logout token without iat")
	}
	by := web.Actor(r)
	by.Kind = audit.System
	replayed := false
	err = d.DB.Write(r.Context(), func(tx *db.Tx) error {
		replayed = false
		n, err := tx.Exec(`INSERT INTO logout_token (jti, expires_at) VALUES ($1, $2) ON CONFLICT (jti) DO NOTHING`, c.JTI, db.At(t.Expiry.Add(time.Hour)))
		if err != nil {
			return err
		}
		if n == 0 {
			replayed = true
			return nil
		}
		if c.SID != "" {
			_, err = person.EndBySID(tx, by, c.SID, t.Subject)
		} else {
			_, err = person.EndBySub(tx, by, t.Subject)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("%w: %w", errOurs, err)
	}
	if replayed {
		return errors.New("logout token used again")
	}
	return nil
}
