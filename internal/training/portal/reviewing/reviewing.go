// Package reviewing is where trainers read and sign off (S30):
//
//	GET  /reviews                    what waits, oldest first
//	GET  /reviews/all                several read through, signed off with one confirmation
//	POST /reviews/all
//	GET  /reviews/done               what one decided lately
//	GET  /reviews/{id}               one report; buttons lead on to the next; {id}.pdf is the PDF
//	POST /reviews/{id}/sign-off      "Abzeichnen und weiter"
//	POST /reviews/{id}/undo          takes that back, for ten minutes
//	POST /reviews/{id}/return        with a reason
//	POST /reviews/{id}/reopen        returns what was signed off already
//	POST /reviews/{id}/comment
//	POST /reviews/{id}/confirm       the address it was sent to is one of the company's
//	GET  /reviews/{id}/files/{file}  an attachment
//	GET  /substitute                 who stands in while one is away
//	POST /substitute[/{id}/end]
//	GET  /company/supervisors        people without an account (W14), for training admins
//	POST /company/supervisors
//	POST /company/supervisors/withdraw   an address is none of theirs any more
//
// Reports of others than those one accompanies do not exist here (404).
// Training admins read.
package reviewing

import (
	"embed"
	"net/http"

	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/training/login"
	"zunft/internal/training/review"
)

// Phrases of these pages.
//
//go:embed phrases/*.json
var Phrases embed.FS

//go:embed all:templates
var files embed.FS

var templates = web.Parse(files)

// Pages of the place.
type Pages struct {
	DB   *db.DB
	Site *web.Site
}

// Mount adds the routes.
func (p *Pages) Mount(m *web.Mux) {
	m.Signed("GET /reviews", p.queue)
	m.Signed("GET /reviews/all", p.all)
	m.Signed("POST /reviews/all", p.signAll)
	m.Signed("GET /reviews/done", p.done)
	m.Signed("GET /reviews/{id}", p.review)
	m.Signed("POST /reviews/{id}/sign-off", p.signOff)
	m.Signed("POST /reviews/{id}/undo", p.undo)
	m.Signed("POST /reviews/{id}/return", p.giveBack)
	m.Signed("POST /reviews/{id}/reopen", p.reopen)
	m.Signed("POST /reviews/{id}/comment", p.comment)
	m.Signed("POST /reviews/{id}/confirm", p.confirm)
	m.Signed("GET /reviews/{id}/files/{file}", p.file)
	m.Signed("GET /substitute", p.substitute)
	m.Signed("POST /substitute", p.addSubstitute)
	m.Signed("POST /substitute/{id}/end", p.endSubstitute)
	m.Signed("GET /company/supervisors", p.supervisors)
	m.Signed("POST /company/supervisors", p.setSupervisors)
	m.Signed("POST /company/supervisors/withdraw", p.withdraw)
}

func (p *Pages) text(r *http.Request) func(key string, args ...any) string {
	return func(key string, args ...any) string { return p.Site.Catalog.Text(web.Lang(r), key, args...) }
}

type queuePage struct {
	web.Frame
	Items     []review.Item
	Addresses []review.Address // to be confirmed
	Signs     bool
	Undo      *review.Done // what was signed off last, while it can be taken back
}

func (p *Pages) queue(w http.ResponseWriter, r *http.Request) error {
	v := &queuePage{Signs: login.Of(r).Signs()}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		if v.Items, err = review.Queue(tx, web.Actor(r)); err != nil {
			return err
		}
		v.Counted = map[string]int{"/reviews": len(v.Items)}
		if v.Addresses, err = review.Addresses(tx, web.Actor(r)); err != nil {
			return err
		}
		v.Undo, err = undoable(tx, r)
		return err
	})
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "queue", v)
}

// undoable is what the actor signed off last, or nil.
func undoable(tx *db.Tx, r *http.Request) (*review.Done, error) {
	d, ok, err := review.Undoable(tx, web.Actor(r))
	if !ok {
		return nil, err
	}
	return &d, err
}
