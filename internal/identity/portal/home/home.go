// Package home holds the first page of the portal: what it is, for strangers,
// and the dashboard, for people who are signed in; beside it the bell.
//
//	GET  /                   start page, or the dashboard (S06)
//	GET  /notifications      the bell (ux.md 2.7)
//	POST /notifications/read "Alle als gelesen markieren"
//	POST /notifications/{id} on to what a notice is about; it is read then
//
// The dashboard is a list of things to do before it is a map (ux.md 2.4). It
// costs a fixed number of statements, whoever looks: counts come from an
// index, lists are cut, and nothing is asked per row.
package home

import (
	"embed"
	"net/http"

	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/identity/notice"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/visitor"
)

// Phrases of these pages.
//
//go:embed phrases/*.json
var Phrases embed.FS

//go:embed templates
var files embed.FS

var templates = web.Parse(files)

// Pages of the start.
type Pages struct {
	DB   *db.DB
	Site *web.Site
}

// Mount puts the pages into the route table.
func (p *Pages) Mount(m *web.Mux) {
	m.Open("GET /{$}", p.home)
	m.Signed("GET /notifications", p.notices)
	m.Signed("POST /notifications/read", p.read)
	m.Signed("POST /notifications/{id}", p.follow)
}

// startPage is what strangers see.
type startPage struct {
	web.Frame
	Doors []web.Link // to sign-up profiles beside the default
}

func (p *Pages) home(w http.ResponseWriter, r *http.Request) error {
	if v := visitor.Of(r); v != nil {
		return p.dashboard(w, r, v)
	}
	page := &startPage{}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		doors, err := policy.Doors(tx)
		for _, d := range doors {
			if !d.Default {
				page.Doors = append(page.Doors, web.Link{Text: d.Name, Href: "/register?profile=" + d.Key})
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "start", page)
}

// noticesPage is the bell.
type noticesPage struct {
	web.Frame
	Lines  []told
	Unread bool
	More   string // id to go on from
}

// told is a notice in the reader's language.
type told struct {
	notice.Notice
	Text string
}

func (p *Pages) notices(w http.ResponseWriter, r *http.Request) error {
	page := &noticesPage{}
	account := web.Actor(r).Account
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		all, err := notice.List(tx, account, r.URL.Query().Get("before"))
		for _, n := range all {
			page.Lines = append(page.Lines, told{n, p.Site.Catalog.Text(web.Lang(r), n.Phrase, n.Args...)})
			page.Unread = page.Unread || n.ReadAt.IsZero()
		}
		if len(all) == notice.PageSize {
			page.More = all[len(all)-1].ID
		}
		return err
	})
	if err != nil {
		return err
	}
	if v := visitor.Of(r); v != nil {
		page.Unread = page.Unread || v.Bell > 0
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "notices", page)
}

func (p *Pages) read(w http.ResponseWriter, r *http.Request) error {
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error { return notice.MarkRead(tx, web.Actor(r).Account) })
	if err != nil {
		return err
	}
	return p.Site.Done(w, r, "/notifications", "home.all_read")
}

// follow leads to what one notice is about, and marks it as read.
func (p *Pages) follow(w http.ResponseWriter, r *http.Request) error {
	var to string
	err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		to, err = notice.Read(tx, web.Actor(r).Account, r.PathValue("id"))
		return err
	})
	if err != nil {
		return err
	}
	return web.See(w, r, web.LocalPath(to))
}
