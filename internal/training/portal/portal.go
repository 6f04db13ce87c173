// Package portal is the training portal as a whole: its site map and wiring.
// It is a stranger to the identity portal: an own database, and nothing known
// of people but what their tokens say (decision 1).
package portal

import (
	"cmp"
	"context"
	"embed"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/i18n"
	"zunft/internal/ground/job"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/mail"
	"zunft/internal/ground/table"
	"zunft/internal/ground/web"
	"zunft/internal/training/apprenticeship"
	"zunft/internal/training/assignment"
	"zunft/internal/training/attachment"
	"zunft/internal/training/book"
	"zunft/internal/training/bookform"
	"zunft/internal/training/document"
	"zunft/internal/training/erasure"
	"zunft/internal/training/export"
	"zunft/internal/training/foreign"
	"zunft/internal/training/intake"
	"zunft/internal/training/login"
	"zunft/internal/training/outage"
	"zunft/internal/training/person"
	"zunft/internal/training/planning"
	"zunft/internal/training/portal/api"
	"zunft/internal/training/portal/desk"
	"zunft/internal/training/portal/exchange"
	"zunft/internal/training/portal/home"
	"zunft/internal/training/portal/info"
	"zunft/internal/training/portal/managing"
	"zunft/internal/training/portal/offline"
	planningpages "zunft/internal/training/portal/planning"
	"zunft/internal/training/portal/reminding"
	"zunft/internal/training/portal/reviewing"
	standingpages "zunft/internal/training/portal/standing"
	"zunft/internal/training/portal/supervising"
	"zunft/internal/training/portal/writing"
	"zunft/internal/training/registry"
	"zunft/internal/training/reminder"
	"zunft/internal/training/review"
	"zunft/internal/training/share"
	"zunft/internal/training/standing"
	"zunft/internal/training/substitute"
	"zunft/internal/training/supervisor"
	"zunft/internal/training/token"
)

// Phrases of the frame around the training portal's pages.
//
//go:embed phrases/*.json
var Phrases embed.FS

// Options say what this installation is.
type Options struct {
	DB           *db.DB
	Base         string // base URL, no slash at the end
	Owner        string // chamber or operator
	Issuer       string // the identity portal
	ClientID     string
	ClientSecret string
	Client       *http.Client   // how the identity portal is reached; nil: one with a timeout
	Mail         *mail.Sender   // nil: mails wait
	Proxies      []netip.Prefix // trusted reverse proxies
	KeepYears    int            // after the end of the year in which an apprenticeship ended, until a book is erased; 0: erasure.Years
}

// A Portal is ready to serve.
type Portal struct {
	Mux  *web.Mux
	Jobs *job.Runner
	Door *login.Door

	handler http.Handler
	heart   outage.Watch
}

// ServeHTTP answers requests.
func (p *Portal) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.handler.ServeHTTP(w, r) }

// Catalog holds all phrases of the training portal.
func Catalog() (*i18n.Catalog, error) {
	return i18n.Load(web.Phrases, Phrases, apprenticeship.Phrases, assignment.Phrases, attachment.Phrases, bookform.Phrases, planning.Phrases, planningpages.Phrases, person.Phrases, book.Phrases, export.Phrases, exchange.Phrases, foreign.Phrases, intake.Phrases, token.Phrases, api.Phrases, review.Phrases, substitute.Phrases, login.Phrases, desk.Phrases, home.Phrases, info.Phrases, managing.Phrases, offline.Phrases, registry.Phrases, reviewing.Phrases, standing.Phrases, table.Phrases, share.Phrases, document.Phrases, standingpages.Phrases, supervising.Phrases, supervisor.Phrases, reminder.Phrases, reminding.Phrases, writing.Phrases)
}

// New wires the portal. The identity portal need not run yet: it is asked at
// the first sign-in.
func New(_ context.Context, o Options) (*Portal, error) {
	catalog, err := Catalog()
	if err != nil {
		return nil, err
	}
	site := &web.Site{Name: "training.name", Owner: o.Owner, Base: o.Base, Cookies: "zunft_training", Catalog: catalog, Proxies: o.Proxies}
	door := &login.Door{DB: o.DB, Site: site, Issuer: o.Issuer, ClientID: o.ClientID, ClientSecret: o.ClientSecret, Client: o.Client, Years: cmp.Or(o.KeepYears, erasure.Years)}
	site.Who, site.SignIn = door.Who, door.SignIn
	site.Fill = fill(site, o.DB, o.Issuer+"/account")

	p := &Portal{Mux: web.NewMux(site), Jobs: &job.Runner{DB: o.DB}, Door: door}
	m := p.Mux
	(&home.Pages{DB: o.DB, Site: site}).Mount(m)
	door.Mount(m)
	// Apprentices
	(&writing.Pages{DB: o.DB, Site: site, Door: door}).Mount(m)
	(&planningpages.Pages{DB: o.DB, Site: site}).Mount(m)
	(&standingpages.Pages{DB: o.DB, Site: site}).Mount(m)
	(&offline.Pages{Site: site}).Mount(m)
	// Trainers, supervisors, training admins
	(&reviewing.Pages{DB: o.DB, Site: site}).Mount(m)
	// Training admins
	(&managing.Pages{DB: o.DB, Site: site}).Mount(m)
	// Clerks of a chamber
	(&desk.Pages{DB: o.DB, Site: site}).Mount(m)
	// Who signs without an account
	(&supervising.Pages{DB: o.DB, Site: site}).Mount(m)
	// Out and in
	(&exchange.Pages{DB: o.DB, Site: site}).Mount(m)
	(&api.Pages{DB: o.DB, Site: site}).Mount(m)
	// When people are reminded
	(&reminding.Pages{DB: o.DB, Site: site}).Mount(m)
	// Footer, and what machines ask
	(&info.Pages{Site: site}).Mount(m)
	m.Machine("GET /healthz", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "ok") }))
	m.Machine("GET /readyz", ready(o.DB))
	p.handler = allowForms(m.Handler(), o.Issuer)

	if o.Mail != nil {
		p.Jobs.On(mail.Kind, o.Mail.Deliver)
	}
	p.Jobs.On(export.Kind, (&export.Maker{DB: o.DB, Base: o.Base, Catalog: catalog}).Make)
	p.Jobs.Every(time.Hour, "export.sweep", func(ctx context.Context) error { return export.Sweep(ctx, o.DB) })
	p.Jobs.Every(time.Hour, "intake.sweep", func(ctx context.Context) error { return intake.Sweep(ctx, o.DB) })
	p.Jobs.Every(time.Hour, "token.sweep", func(ctx context.Context) error { return token.Sweep(ctx, o.DB) })
	p.Jobs.Every(time.Hour, "registry.sweep", func(ctx context.Context) error { return registry.Sweep(ctx, o.DB) })
	p.Jobs.Every(24*time.Hour, "erasure.run", func(ctx context.Context) error { return erasure.Run(ctx, o.DB, door.Years) })
	p.Jobs.Every(time.Hour, "person.sweep", func(ctx context.Context) error { return person.Sweep(ctx, o.DB) })
	p.Jobs.Every(time.Hour, "supervisor.sweep", func(ctx context.Context) error { return supervisor.Sweep(ctx, o.DB) })
	p.Jobs.Every(time.Hour, "share.sweep", func(ctx context.Context) error { return share.Sweep(ctx, o.DB) })
	p.Jobs.Every(time.Minute, "outage.beat", func(ctx context.Context) error { return p.heart.Beat(ctx, o.DB) })
	p.Jobs.Every(5*time.Minute, "reminder.run", func(ctx context.Context) error { return reminder.Run(ctx, o.DB) })
	p.Jobs.Every(time.Hour, "reminder.sweep", func(ctx context.Context) error { return reminder.Sweep(ctx, o.DB) })
	p.Jobs.Every(time.Minute, "review.settle", func(ctx context.Context) error { return review.Settle(ctx, o.DB) })
	p.Jobs.Every(time.Hour, "review.sweep", func(ctx context.Context) error { return review.Sweep(ctx, o.DB) })
	p.Jobs.Every(time.Hour, "limit.sweep", func(ctx context.Context) error { return limit.Sweep(ctx, o.DB) })
	return p, nil
}

// fill completes the frame around every page: navigation by role (ux.md 2.3).
// account is the page of the identity portal where a person's data are.
// A person with several roles sees all of it.
func fill(s *web.Site, d *db.DB, account string) func(*http.Request, *web.Frame) error {
	return func(r *http.Request, f *web.Frame) error {
		text := func(key string) string { return s.Catalog.Text(f.Lang, key) }
		f.Footer = info.Footer(text)
		v := login.Of(r)
		if v == nil {
			return nil // the start page has the button: signing in is a POST
		}
		f.Person, f.LogoutHref = &web.Person{Name: v.Person.Name}, "/logout"
		f.ProfileHref = account // a person's own data are kept where the account is
		f.Context = s.Catalog.Text(f.Lang, "training.context", v.Company.Name)
		link := func(key, href string, count int) {
			f.Nav = append(f.Nav, web.Link{Text: text(key), Href: href, Current: r.URL.Path == href, Count: count})
		}
		link("training.nav.home", "/", 0)
		if v.Writes() {
			link("training.nav.reports", "/reports", 0)
			link("training.nav.plan", "/plan", 0)
			link("training.nav.exam", "/exam", 0)
			link("training.nav.documents", "/documents", 0)
			link("training.nav.settings", "/settings", 0)
		}
		if v.Chamber() != "" {
			link("training.nav.books", "/chamber/report-books", 0)
			link("training.nav.documents", "/chamber/documents", 0)
			link("training.nav.changes", "/chamber/form-changes", 0)
		}
		if v.Is(person.TrainingAdmin) {
			if v.Signs() || v.Writes() { // more than six entries help nobody: the overview leads on
				link("training.nav.company", "/company", 0)
			} else {
				link("training.nav.overview", "/company", 0)
				link("training.nav.trainees", "/company/trainees", 0)
				link("training.nav.trainers", "/company/trainers", 0)
				link("training.nav.assignments", "/company/assignments", 0)
				link("training.nav.settings", "/company/settings", 0)
			}
		}
		if !v.Signs() {
			return nil
		}
		waiting, known := f.Counted["/reviews"]
		var err error
		if !known {
			err = d.Read(r.Context(), func(tx *db.Tx) (err error) {
				waiting, _, err = review.Waiting(tx, web.Actor(r))
				return err
			})
		}
		link("training.nav.reviews", "/reviews", waiting)
		link("training.nav.trainees", "/trainees", 0)
		return err
	}
}

// allowForms lets the forms of all pages end at the identity portal: the
// button "Abmelden" is on every page and leads there, and so does whatever is
// sent from a page whose session has ended.
func allowForms(next http.Handler, issuer string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(&formWriter{ResponseWriter: w, issuer: issuer}, r)
	})
}

type formWriter struct {
	http.ResponseWriter
	issuer string
}

func (w *formWriter) WriteHeader(status int) {
	if w.Header().Get("Content-Security-Policy") != "" {
		web.AllowForm(w.ResponseWriter, w.issuer)
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (w *formWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func ready(d *db.DB) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
		defer cancel()
		if err := d.Ping(ctx); err != nil {
			slog.ErrorContext(ctx, "not ready", "err", err)
			http.Error(w, "database", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
}
