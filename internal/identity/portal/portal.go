// Package portal is the identity portal as a whole: its site map and wiring.
// Reading Mount is a tour of the product.
package portal

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/i18n"
	"zunft/internal/ground/job"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/mail"
	"zunft/internal/ground/table"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/address"
	"zunft/internal/identity/application"
	"zunft/internal/identity/behalf"
	"zunft/internal/identity/captcha"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/clerk"
	"zunft/internal/identity/closing"
	"zunft/internal/identity/correction"
	"zunft/internal/identity/daily"
	"zunft/internal/identity/departure"
	"zunft/internal/identity/directory"
	"zunft/internal/identity/dossier"
	"zunft/internal/identity/factor"
	"zunft/internal/identity/invitation"
	"zunft/internal/identity/legacy"
	"zunft/internal/identity/letter"
	"zunft/internal/identity/link"
	"zunft/internal/identity/mandate"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/notice"
	"zunft/internal/identity/openid"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/password"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/portal/acting"
	"zunft/internal/identity/portal/activity"
	"zunft/internal/identity/portal/authorize"
	"zunft/internal/identity/portal/company"
	"zunft/internal/identity/portal/consents"
	"zunft/internal/identity/portal/desk"
	"zunft/internal/identity/portal/details"
	"zunft/internal/identity/portal/enrolling"
	"zunft/internal/identity/portal/home"
	"zunft/internal/identity/portal/info"
	"zunft/internal/identity/portal/inviting"
	"zunft/internal/identity/portal/joining"
	"zunft/internal/identity/portal/leaving"
	"zunft/internal/identity/portal/members"
	"zunft/internal/identity/portal/office"
	"zunft/internal/identity/portal/operator"
	"zunft/internal/identity/portal/profile"
	"zunft/internal/identity/portal/records"
	"zunft/internal/identity/portal/recovering"
	"zunft/internal/identity/portal/security"
	"zunft/internal/identity/portal/signin"
	"zunft/internal/identity/portal/signup"
	"zunft/internal/identity/recovery"
	"zunft/internal/identity/registration"
	"zunft/internal/identity/request"
	"zunft/internal/identity/roster"
	"zunft/internal/identity/search"
	"zunft/internal/identity/session"
	"zunft/internal/identity/site"
	"zunft/internal/identity/succession"
	"zunft/internal/identity/takeover"
	"zunft/internal/identity/tally"
	"zunft/internal/identity/terms"
	"zunft/internal/identity/textblock"
	"zunft/internal/identity/visitor"
)

// Options say what this installation is.
type Options struct {
	DB        *db.DB
	Base      string           // base URL, no slash at the end; also the OpenID issuer
	Owner     string           // chamber or operator
	Mail      *mail.Sender     // nil: mails wait
	PrintShop letter.PrintShop // nil: letters are downloaded
	Proxies   []netip.Prefix   // trusted reverse proxies
	Hashes    int              // password hashes at once; 0: one per core
	Known     *password.List   // passwords that nobody may choose; nil: only the few we know ourselves
}

// A Portal is ready to serve.
type Portal struct {
	Mux    *web.Mux
	Jobs   *job.Runner
	OpenID *openid.Provider
	Hasher *password.Hasher

	handler http.Handler
}

// ServeHTTP answers requests.
func (p *Portal) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.handler.ServeHTTP(w, r) }

// ConnState follows connections for the provider; it goes into http.Server.
func (p *Portal) ConnState(c net.Conn, state http.ConnState) { p.OpenID.ConnState(c, state) }

// Catalog holds all phrases of the identity portal.
func Catalog() (*i18n.Catalog, error) {
	return i18n.Load(web.Phrases, Phrases, notice.Phrases,
		captcha.Phrases, correction.Phrases, departure.Phrases, legacy.Phrases, dossier.Phrases, factor.Phrases, recovery.Phrases, roster.Phrases, table.Phrases,
		account.Phrases, address.Phrases, link.Phrases, password.Phrases, policy.Phrases, application.Phrases, chamber.Phrases, closing.Phrases, directory.Phrases, invitation.Phrases, letter.Phrases, membership.Phrases, organization.Phrases, registration.Phrases, request.Phrases, session.Phrases, site.Phrases, succession.Phrases, takeover.Phrases, terms.Phrases, textblock.Phrases, clerk.Phrases, records.Phrases, office.Phrases,
		acting.Phrases, mandate.Phrases, authorize.Phrases, company.Phrases, consents.Phrases, details.Phrases, enrolling.Phrases, activity.Phrases, leaving.Phrases, recovering.Phrases, security.Phrases, desk.Phrases, home.Phrases, info.Phrases, inviting.Phrases, joining.Phrases, members.Phrases, openid.Phrases, operator.Phrases, profile.Phrases, signin.Phrases, signup.Phrases)
}

// New wires the portal; nothing runs yet but what a first start must make
// (default terms, signing keys).
func New(ctx context.Context, o Options) (*Portal, error) {
	catalog, err := Catalog()
	if err != nil {
		return nil, err
	}
	site := &web.Site{Name: "portal.name", Owner: o.Owner, Base: o.Base, Cookies: "zunft", Catalog: catalog, Proxies: o.Proxies}
	door := &visitor.Door{DB: o.DB, Site: site}
	site.SignIn = door.ToLogin
	site.Who, site.Fill = door.Who, fill(site, o.DB)
	hasher := password.NewHasher(o.Hashes)
	hasher.Known, hasher.Words = o.Known, []string{o.Owner, catalog.Text("de", site.Name)}

	if err := o.DB.Write(ctx, policy.EnsureDefault); err != nil {
		return nil, fmt.Errorf("default policy: %w", err)
	}
	if err := o.DB.Write(ctx, terms.EnsureDefaults); err != nil {
		return nil, fmt.Errorf("default terms: %w", err)
	}
	provider := &openid.Provider{DB: o.DB, Site: site, Door: door}
	if err := provider.EnsureKeys(ctx); err != nil {
		return nil, fmt.Errorf("signing keys: %w", err)
	}

	p := &Portal{Mux: web.NewMux(site), Jobs: &job.Runner{DB: o.DB}, OpenID: provider, Hasher: hasher}
	m := p.Mux
	// First visit: what this is, an account, signing in
	(&home.Pages{DB: o.DB, Site: site}).Mount(m)
	(&signup.Pages{DB: o.DB, Site: site, Door: door, Hasher: hasher}).Mount(m)
	(&signin.Pages{DB: o.DB, Site: site, Door: door, Hasher: hasher, AllowNext: provider.AllowNext}).Mount(m)
	(&security.Pages{DB: o.DB, Site: site, Door: door, Hasher: hasher, AllowNext: provider.AllowNext}).Mount(m)
	(&recovering.Pages{DB: o.DB, Site: site, Hasher: hasher}).Mount(m)
	// A person and their companies
	(&profile.Pages{DB: o.DB, Site: site, Door: door}).Mount(m)
	(&consents.Pages{DB: o.DB, Site: site}).Mount(m)
	(&activity.Pages{DB: o.DB, Site: site, Door: door, Hasher: hasher}).Mount(m)
	(&leaving.Pages{DB: o.DB, Site: site, Door: door, Hasher: hasher}).Mount(m)
	(&company.Pages{DB: o.DB, Site: site, MakeAdmin: func(tx *db.Tx, by audit.Actor, org, person string) error {
		return membership.Grant(tx, by, org, person, true)
	}}).Mount(m)
	(&joining.Pages{DB: o.DB, Site: site, Door: door}).Mount(m)
	(&enrolling.Pages{DB: o.DB, Site: site}).Mount(m)
	(&inviting.Pages{DB: o.DB, Site: site, Door: door, Hasher: hasher}).Mount(m)
	(&members.Pages{DB: o.DB, Site: site, Door: door}).Mount(m)
	(&details.Pages{DB: o.DB, Site: site, Door: door}).Mount(m)
	(&acting.Pages{DB: o.DB, Site: site, Door: door}).Mount(m)
	// The chamber's desk
	(&records.Pages{DB: o.DB, Site: site, Door: door}).Mount(m)
	(&office.Pages{DB: o.DB, Site: site, Door: door}).Mount(m)
	(&desk.Pages{DB: o.DB, Site: site, Door: door, PrintShop: o.PrintShop}).Mount(m)
	// Connected applications
	provider.Mount(m)
	(&authorize.Pages{DB: o.DB, Site: site, AllowNext: provider.AllowNext}).Mount(m)
	// Who runs this installation
	(&operator.Pages{DB: o.DB, Site: site, Door: door, OpenID: provider}).Mount(m)
	// Footer, and what machines ask
	(&info.Pages{DB: o.DB, Site: site}).Mount(m)
	m.Machine("GET /healthz", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "ok") }))
	m.Machine("GET /readyz", ready(o.DB))
	p.handler = m.Handler()

	// Work after the request
	if o.Mail != nil {
		sender := *o.Mail
		sender.Refused = invitation.Refused(o.DB)
		p.Jobs.On(mail.Kind, sender.Deliver)
	}
	provider.Work(p.Jobs)
	p.Jobs.Every(time.Hour, "account.purge", func(ctx context.Context) error { return account.Purge(ctx, o.DB) })
	p.Jobs.On(account.RecoverKind, account.Recover(o.DB))
	p.Jobs.Every(time.Hour, "limit.sweep", func(ctx context.Context) error { return limit.Sweep(ctx, o.DB) })
	p.Jobs.Every(time.Hour, "session.sweep", func(ctx context.Context) error { return session.Sweep(ctx, o.DB) })
	for _, work := range []func(*job.Runner, *db.DB){membership.Work, request.Work, letter.Work, organization.Work, succession.Work, closing.Work, daily.Work, factor.Work, mandate.Work, captcha.Work, correction.Work, departure.Work, dossier.Work, recovery.Work, invitation.Work, search.Work, tally.Work, roster.Work} {
		work(p.Jobs, o.DB)
	}
	p.Jobs.Every(time.Hour, "visitor.sweep", func(ctx context.Context) error { return o.DB.Batches(ctx, door.Sweep) })
	return p, nil
}

// fill completes the frame around every page: navigation by role (ux.md 2.3).
func fill(s *web.Site, d *db.DB) func(*http.Request, *web.Frame) error {
	return func(r *http.Request, f *web.Frame) error {
		text := func(key string, args ...any) string { return s.Catalog.Text(f.Lang, key, args...) }
		v := visitor.Of(r)
		if v == nil {
			var rules policy.Policy
			f.LoginHref = "/login"
			_ = d.Read(r.Context(), func(tx *db.Tx) (err error) { // a page that says what is wrong is shown without them
				rules, err = policy.Of(tx, "")
				return err
			})
			if f.LoginText == "" { // else the page knows whose words hold
				f.LoginText = rules.SignIn.Link.In(f.Lang)
			}
			f.Footer = info.Footer(text, rules.Words, f.Lang)
			return nil
		}
		f.Person = &web.Person{Name: v.Account.Name()}
		f.Bell, f.BellHref, f.ProfileHref, f.LogoutHref = v.Bell, "/notifications", "/account", "/logout"
		var acts behalf.Context
		if err := d.Read(r.Context(), func(tx *db.Tx) (err error) { acts, err = acting.Fill(s, tx, v, f); return err }); err != nil {
			return err
		}
		f.Footer = info.Footer(text, v.Words, f.Lang)
		link := func(key, href string) {
			f.Nav = append(f.Nav, web.Link{Text: text(key), Href: href, Current: r.URL.Path == href})
		}
		link("portal.nav.home", "/")
		if v.Chamber != "" {
			link("portal.nav.desk", "/chamber")
			link("portal.nav.registrations", "/chamber/registrations")
			link("portal.nav.organizations", "/chamber/organizations")
			link("portal.nav.persons", "/chamber/persons")
			link("portal.nav.letters", "/chamber/letters")
		} else if acts.Admin || len(v.AdminOf) == 1 {
			id := acts.ID
			if !acts.Admin {
				id = v.AdminOf[0]
			}
			link("portal.nav.members", "/organizations/"+id+"/members")
			link("portal.nav.requests", "/organizations/"+id+"/requests")
		}
		if v.Operator {
			link("portal.nav.operation", "/admin")
			link("portal.nav.apps", "/admin/apps")
			link("portal.nav.chambers", "/admin/chambers")
		}
		return nil
	}
}

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
