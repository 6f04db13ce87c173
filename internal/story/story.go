// Package story is one world for the demo, tests, screenshots and docs: the
// invented chamber "Kammer Musterland" (number 999) with its member directory,
// its companies and the people who meet there, both portals, and the world
// outside (mailbox, print shop) played by small real servers on loopback.
//
// Everybody knows Anna (apprentice), Bert (who runs the bakery's accounts),
// Clara (clerk) and Otto (operator). Nothing here is reached by `zunft serve`.
package story

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/job"
	"zunft/internal/ground/mail"
	"zunft/internal/ground/seal"
	"zunft/internal/identity/policy"
	identity "zunft/internal/identity/portal"
	identityschema "zunft/internal/identity/schema"
	"zunft/internal/outside"
	training "zunft/internal/training/portal"
	trainingschema "zunft/internal/training/schema"
)

// Options of a world. The zero value is a fresh world on free ports.
type Options struct {
	// Policy is the default one of this world; nil: the standard, without second
	// factors for staff, so that everybody signs in with what the start page says.
	Policy  *policy.Policy
	Dir     string           // where data and key stay; empty: a folder that goes when it ends, or none if DB is elsewhere
	DB      string           // "sqlite:PATH" or "postgres://…"; empty: SQLite in Dir
	Listen  string           // HOST:PORT of the identity portal; the others take the ports after it (port 0: any). Passkeys need a name as host: localhost
	Clients []Client         // further OpenID clients
	People  int              // further invented accounts
	Now     func() time.Time // the clock; nil: the real one
	Empty   bool             // no people but staff, no company: the first day
	Presets bool             // the shipped policies beside the default, offered to everybody
	Begun   bool             // the report book has begun: apprenticeships, some months of Lena's weeks
	SMTP    string           // HOST:PORT of a mail server that runs already; empty: the world's own
}

// A Person who can sign in.
type Person struct {
	Key      string `json:"key"`
	Username string `json:"username"`
	Email    string `json:"email"`
	Password string `json:"password"`
	Says     string `json:"says"`
}

// An Application as an outside client needs to know it.
type Application struct {
	ClientID     string   `json:"client_id"`
	ClientSecret string   `json:"client_secret"`
	RedirectURIs []string `json:"redirect_uris"`
}

// A World that runs. Its exported JSON is the contract of `zunft demo --json`.
type World struct {
	Identity     string        `json:"identity"`
	Training     string        `json:"training"`
	Mailbox      string        `json:"mailbox"`
	People       []Person      `json:"people"`
	Applications []Application `json:"applications"`

	Mail       *outside.Mailbox   `json:"-"`
	Prints     *outside.PrintShop `json:"-"`
	IdentityDB *db.DB             `json:"-"`
	TrainingDB *db.DB             `json:"-"`
	ID         *identity.Portal   `json:"-"`
	Book       *training.Portal   `json:"-"`

	stop  []func()
	group sync.WaitGroup
}

// Person finds somebody by key ("anna"); an unknown key is a mistake of the caller.
func (w *World) Person(key string) Person {
	for _, p := range w.People {
		if p.Key == key {
			return p
		}
	}
	panic("story: nobody is called " + key)
}

// Stop ends the world and waits for it.
func (w *World) Stop() {
	for i := len(w.stop) - 1; i >= 0; i-- {
		w.stop[i]()
	}
	w.stop = nil
	w.group.Wait()
}

// Start builds a world and lets it run until Stop.
func Start(ctx context.Context, o Options) (*World, error) {
	w := &World{}
	if err := w.start(ctx, o); err != nil {
		w.Stop()
		return nil, err
	}
	return w, nil
}

func (w *World) start(ctx context.Context, o Options) error {
	keys, err := w.folder(&o)
	if err != nil {
		return err
	}
	doors, err := listen(o.Listen)
	if err != nil {
		return err
	}
	for _, l := range doors {
		w.stop = append(w.stop, func() { l.Close() })
	}
	w.Identity, w.Training, w.Mailbox = base(o.Listen, doors[0]), base(o.Listen, doors[1]), base(o.Listen, doors[2])

	// Databases, both at once: opening and migrating is what a start costs.
	idAddress, trAddress := addresses(o)
	var errs [2]error
	var both sync.WaitGroup
	both.Go(func() { w.IdentityDB, errs[0] = db.Open(ctx, idAddress, identityschema.Files) })
	both.Go(func() { w.TrainingDB, errs[1] = db.Open(ctx, trAddress, trainingschema.Files) })
	both.Wait()
	for _, d := range []*db.DB{w.IdentityDB, w.TrainingDB} {
		if d != nil {
			w.stop = append(w.stop, func() { d.Close() })
			d.Keys = keys
			if o.Now != nil {
				d.Now = o.Now
			}
		}
	}
	if err := errors.Join(errs[0], errs[1]); err != nil {
		return err
	}

	// The world outside
	token := seal.Token()
	w.Mail, w.Prints = outside.NewMailbox(""), outside.NewPrintShop(token, "")
	if o.SMTP == "" {
		smtp, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		w.stop = append(w.stop, func() { w.Mail.Close() })
		w.group.Go(func() { w.Mail.Serve(smtp) })
		o.SMTP = smtp.Addr().String()
	}
	mailServer, err := netip.ParseAddrPort(o.SMTP)
	if err != nil {
		return fmt.Errorf("mail server: %w", err)
	}
	sender := func(d *db.DB, base string) *mail.Sender {
		return &mail.Sender{DB: d, Host: mailServer.Addr().String(), Port: int(mailServer.Port()), TLS: "none", From: "Kammer Musterland <portal@kammer-musterland.example>", Base: base}
	}

	// The portals
	secret := seal.Token()
	w.ID, err = identity.New(ctx, identity.Options{DB: w.IdentityDB, Base: w.Identity, Owner: Owner, Mail: sender(w.IdentityDB, w.Identity), PrintShop: w.printShop(token)})
	if err != nil {
		return fmt.Errorf("identity portal: %w", err)
	}
	w.Book, err = training.New(ctx, training.Options{DB: w.TrainingDB, Base: w.Training, Owner: Owner, Issuer: w.Identity, ClientID: "training", ClientSecret: secret, Mail: sender(w.TrainingDB, w.Training)})
	if err != nil {
		return fmt.Errorf("training portal: %w", err)
	}
	rule, err := policy.Preset(policy.Standard)
	if err != nil {
		return err
	}
	rule.Factor.Least = nil
	if o.Policy != nil {
		rule = *o.Policy
	}
	rule.Default = true
	if err := w.IdentityDB.Write(ctx, func(tx *db.Tx) error { return policy.Save(tx, audit.Console, rule) }); err != nil {
		return fmt.Errorf("policy: %w", err)
	}
	if o.Presets {
		if err := w.IdentityDB.Write(ctx, offer); err != nil {
			return fmt.Errorf("presets: %w", err)
		}
	}
	if err := w.settle(ctx, o, secret); err != nil {
		return fmt.Errorf("settle the story: %w", err)
	}
	if o.Begun {
		if err := w.begin(ctx); err != nil {
			return fmt.Errorf("begin the report book: %w", err)
		}
	}

	w.run(ctx, doors)
	return nil
}

// run serves everything and works off the jobs until Stop.
func (w *World) run(ctx context.Context, doors [3]net.Listener) {
	outer := http.NewServeMux()
	for prefix, h := range map[string]http.Handler{"/mail": w.Mail.Handler(), "/email": w.Mail.Handler(), "/letters": w.Prints.Handler()} {
		outer.Handle(prefix, h)
		outer.Handle(prefix+"/", h)
	}
	outer.Handle("/", w.startPage())
	for i, h := range []http.Handler{w.ID, w.Book, outer} {
		server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 2 * time.Minute, WriteTimeout: 2 * time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10}
		if i == 0 {
			server.ConnState = w.ID.ConnState
		}
		w.group.Go(func() { server.Serve(doors[i]) })
		w.stop = append(w.stop, func() {
			end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
			defer cancel()
			server.Shutdown(end)
		})
	}
	work, cancel := context.WithCancel(ctx)
	w.stop = append(w.stop, func() { cancel() })
	var jobs sync.WaitGroup
	for _, r := range []*job.Runner{w.ID.Jobs, w.Book.Jobs} {
		r.Poll = 50 * time.Millisecond // the demo shows its mails at once
		jobs.Go(func() { r.Run(work, 1) })
	}
	w.stop = append(w.stop, func() { cancel(); jobs.Wait() })
}

// base is the address of a door: by its name, if it was given one.
func base(asked string, l net.Listener) string {
	if host, _, err := net.SplitHostPort(asked); err == nil && host == "localhost" {
		_, port, _ := net.SplitHostPort(l.Addr().String())
		return "http://" + net.JoinHostPort(host, port)
	}
	return "http://" + l.Addr().String()
}

// listen takes three ports: the given one and those after it, or any.
func listen(address string) (doors [3]net.Listener, err error) {
	if address == "" {
		address = "127.0.0.1:0"
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return doors, fmt.Errorf("listen: %w", err)
	}
	first := 0
	if _, err := fmt.Sscanf(port, "%d", &first); err != nil {
		return doors, fmt.Errorf("listen: %q is no port", port)
	}
	for i := range doors {
		at := 0
		if first > 0 {
			at = first + i
		}
		if doors[i], err = net.Listen("tcp", net.JoinHostPort(host, fmt.Sprint(at))); err != nil {
			for _, l := range doors[:i] {
				l.Close()
			}
			return doors, fmt.Errorf("listen: %w", err)
		}
	}
	return doors, nil
}

// addresses names the two databases: two SQLite files, or two schemas of one
// PostgreSQL database.
func addresses(o Options) (id, tr string) {
	switch {
	case o.DB == "":
		return "sqlite:" + filepath.Join(o.Dir, "identity.db") + db.Quick, "sqlite:" + filepath.Join(o.Dir, "training.db") + db.Quick
	case strings.HasPrefix(o.DB, "sqlite:"):
		path, quick := strings.CutSuffix(o.DB, db.Quick)
		training := strings.TrimSuffix(path, ".db") + "-training.db"
		if quick {
			training += db.Quick
		}
		return o.DB, training
	}
	separator := "?"
	if strings.Contains(o.DB, "?") {
		separator = "&"
	}
	return o.DB + separator + "search_path=identity", o.DB + separator + "search_path=training"
}

// folder makes the place where data stays and returns the key that lies there.
// A world whose database is elsewhere and that keeps nothing needs none, and so
// leaves none behind when it is killed.
func (w *World) folder(o *Options) (*seal.Keys, error) {
	switch {
	case o.Dir != "":
		if err := os.MkdirAll(o.Dir, 0o700); err != nil {
			return nil, err
		}
	case o.DB != "":
		return seal.New(seal.Bytes(32))
	default:
		dir, err := os.MkdirTemp("", "zunft-demo-")
		if err != nil {
			return nil, err
		}
		o.Dir = dir
		w.stop = append(w.stop, func() { os.RemoveAll(dir) })
	}
	return masterKey(filepath.Join(o.Dir, "secret.key"))
}

// masterKey is kept beside the data, so that a kept world can be started again.
func masterKey(path string) (*seal.Keys, error) {
	b, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		b = seal.Bytes(32)
		err = os.WriteFile(path, b, 0o600)
	}
	if err != nil {
		return nil, err
	}
	return seal.New(b)
}
