package activity

import (
	"net/http"
	"slices"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/openid"
	"zunft/internal/identity/session"
	"zunft/internal/identity/visitor"
)

// sessionsPage is all that sessions.html may use.
type sessionsPage struct {
	web.Frame
	Lines []line
	Now   db.Time
}

// A line is one session in words.
type line struct {
	session.Session
	Device  string
	Current bool
	Apps    []string // names of applications that were opened from it
}

// device is a browser in words: "Firefox auf Windows".
func (p *Pages) device(r *http.Request, agent string) string {
	browser, system := session.Device(agent)
	switch {
	case browser == "" && system == "":
		return p.text(r, "activity.device_unknown")
	case system == "":
		return browser
	case browser == "":
		return system
	}
	return p.text(r, "activity.device", browser, system)
}

func (p *Pages) sessions(w http.ResponseWriter, r *http.Request) error {
	v := visitor.Of(r)
	page := &sessionsPage{Frame: p.frame(r)}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		page.Now = tx.Now()
		all, err := session.List(tx, v.Account.ID)
		if err != nil {
			return err
		}
		connected, err := openid.Connections(tx, v.Account.ID)
		if err != nil {
			return err
		}
		for _, s := range all {
			l := line{Session: s, Device: p.device(r, s.Agent), Current: s.ID == v.Session.ID}
			for _, c := range connected {
				if c.Session == s.ID && !slices.Contains(l.Apps, c.Name) {
					l.Apps = append(l.Apps, c.Name)
				}
			}
			page.Lines = append(page.Lines, l)
		}
		// The one in hand stands first, whatever else was used a second later.
		slices.SortStableFunc(page.Lines, func(a, b line) int {
			switch {
			case a.Current:
				return -1
			case b.Current:
				return 1
			}
			return 0
		})
		return nil
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "sessions", page)
}

// endOne signs one browser out. It is no change that needs a proof: it can only
// take access away, and the person may be in a hurry.
func (p *Pages) endOne(w http.ResponseWriter, r *http.Request) error {
	v, id := visitor.Of(r), r.PathValue("id")
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		all, err := session.List(tx, v.Account.ID)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(all, func(s session.Session) bool { return s.ID == id }) {
			return fault.NotFound() // somebody else's, or over
		}
		return session.End(tx, web.Actor(r), id)
	})
	if err != nil {
		return err
	}
	if id == v.Session.ID {
		p.Door.SignOut(w)
		return web.See(w, r, "/logged-out")
	}
	return p.Site.Done(w, r, "/account/sessions", "activity.ended_one")
}

func (p *Pages) endOthers(w http.ResponseWriter, r *http.Request) error {
	v := visitor.Of(r)
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		return session.EndAll(tx, web.Actor(r), v.Account.ID, v.Session.ID)
	})
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/account/sessions", "activity.ended_others")
}

// appsPage is all that apps.html may use.
type appsPage struct {
	web.Frame
	Apps []openid.Connection
}

func (p *Pages) apps(w http.ResponseWriter, r *http.Request) error {
	page := &appsPage{Frame: p.frame(r)}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		all, err := openid.Connections(tx, web.Actor(r).Account)
		for _, c := range all { // one line per application: the oldest connection, and whether any outlives its session
			i := slices.IndexFunc(page.Apps, func(a openid.Connection) bool { return a.Application == c.Application })
			if i < 0 {
				page.Apps = append(page.Apps, c)
				continue
			}
			page.Apps[i].Offline = page.Apps[i].Offline || c.Offline
			if c.Since.Before(page.Apps[i].Since) {
				page.Apps[i].Since = c.Since
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "apps", page)
}

func (p *Pages) disconnect(w http.ResponseWriter, r *http.Request) error {
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error { return openid.Disconnect(tx, web.Actor(r), r.PathValue("id")) })
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/account/apps", "activity.disconnected")
}
