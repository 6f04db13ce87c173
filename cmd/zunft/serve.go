package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"zunft/internal/ground/job"
	"zunft/internal/ground/web"
	identity "zunft/internal/identity/portal"
	identityschema "zunft/internal/identity/schema"
	training "zunft/internal/training/portal"
	trainingschema "zunft/internal/training/schema"
)

type serveCommand struct{ configFlags }

// Run serves until it is told to stop, then lets open requests end.
func (s serveCommand) Run(ctx context.Context) error {
	c, err := s.load()
	if err != nil {
		return err
	}
	keys, _ := c.keys()
	proxies, _ := c.proxies()
	if !web.HasLook() {
		slog.Warn("this binary was built without styles: run make build")
	}
	d, err := openDB(ctx, "identity.database", c.Identity.Database, identityschema.Files)
	if err != nil {
		return err
	}
	defer d.Close()
	d.Keys = keys
	known, err := readPasswordList(c.Password.List)
	if err != nil {
		return err
	}
	id, err := identity.New(ctx, identity.Options{DB: d, Base: c.Identity.Base, Owner: c.Owner, Mail: c.sender(d, c.Identity.Base), Proxies: proxies, Known: known})
	if err != nil {
		return err
	}
	parts := []part{{"identity", c.Identity.Listen, id, id.Jobs}}
	if c.Training.Base != "" {
		t, err := openDB(ctx, "training.database", c.Training.Database, trainingschema.Files)
		if err != nil {
			return err
		}
		defer t.Close()
		t.Keys = keys
		tr, err := training.New(ctx, training.Options{
			DB: t, Base: c.Training.Base, Owner: c.Owner, Issuer: c.Identity.Base,
			ClientID: c.Training.ClientID, ClientSecret: c.Training.ClientSecret, Mail: c.sender(t, c.Training.Base), Proxies: proxies, KeepYears: c.Training.KeepYears,
		})
		if err != nil {
			return err
		}
		parts = append(parts, part{"training", c.Training.Listen, tr, tr.Jobs})
	}
	go debug.FreeOSMemory() // what starting needed is not needed again
	return serve(ctx, parts)
}

// a part is one portal with its address and its work.
type part struct {
	name, listen string
	handler      http.Handler
	jobs         *job.Runner
}

func serve(ctx context.Context, parts []part) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	doors := make([]net.Listener, len(parts))
	for i, p := range parts {
		var err error
		if doors[i], err = net.Listen("tcp", p.listen); err != nil {
			return fmt.Errorf("%s.listen: %w", p.name, err)
		}
	}
	var group sync.WaitGroup
	for i, p := range parts {
		server := &http.Server{Handler: p.handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 2 * time.Minute, WriteTimeout: 2 * time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10}
		if watching, ok := p.handler.(interface {
			ConnState(net.Conn, http.ConnState)
		}); ok {
			server.ConnState = watching.ConnState
		}
		slog.Info("listening", "portal", p.name, "address", doors[i].Addr().String())
		group.Go(func() {
			if err := server.Serve(doors[i]); !errors.Is(err, http.ErrServerClosed) {
				stop(err)
			}
		})
		group.Go(func() {
			<-ctx.Done()
			end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
			defer cancel()
			server.Shutdown(end)
		})
		group.Go(func() {
			if err := p.jobs.Run(ctx, 2); err != nil && ctx.Err() == nil {
				stop(err)
			}
		})
	}
	group.Wait()
	return context.Cause(ctx)
}
