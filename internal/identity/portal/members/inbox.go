package members

import (
	"net/http"
	"slices"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/request"
)

// How many requests a section shows, on the overview and on its own page.
const (
	glance    = 10
	inboxSize = 50
)

// inboxPage is the inbox of one company: all sections, or one of them in full.
type inboxPage struct {
	web.Frame
	Company  organization.Organization
	Sections []section
	One      bool // a single section, paged
	More     string
	Now      db.Time
}

// A section of the inbox with the count in its heading (R133).
type section struct {
	Key     request.Section
	Count   int
	Entries []item
}

// An item of a section.
type item struct {
	request.Entry
	Own      bool // claimed by the reader
	MayClaim bool
}

func (p *Pages) inbox(w http.ResponseWriter, r *http.Request) error {
	only := request.Section(r.URL.Query().Get("section"))
	if only != "" && !slices.Contains(request.Sections, only) {
		return fault.NotFound()
	}
	page := &inboxPage{One: only != ""}
	actor, id := web.Actor(r), r.PathValue("id")
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		page.Now = tx.Now()
		if err = membership.MustAdminister(tx, actor, id); err != nil {
			return err
		}
		if page.Company, err = organization.Get(tx, id); err != nil {
			return err
		}
		counts, err := request.CountInbox(tx, actor, id)
		if err != nil {
			return err
		}
		for _, key := range request.Sections {
			if only != "" && key != only {
				continue
			}
			s, limit, after := section{Key: key, Count: counts.Of(key)}, glance, ""
			if only != "" {
				limit, after = inboxSize+1, r.URL.Query().Get("after")
			}
			entries, err := request.Inbox(tx, actor, id, key, after, limit)
			if err != nil {
				return err
			}
			if len(entries) > inboxSize {
				entries = entries[:inboxSize]
				page.More = entries[inboxSize-1].ID
			}
			for _, e := range entries {
				s.Entries = append(s.Entries, item{e, e.ClaimedBy == actor.Account, e.MayClaim(page.Now) && e.ClaimedBy != actor.Account})
			}
			page.Sections = append(page.Sections, s)
		}
		return nil
	})
	if err != nil {
		return err
	}
	page.Back = p.back(r, page.Company)
	return p.Site.Show(w, r, http.StatusOK, templates, "inbox", page)
}
