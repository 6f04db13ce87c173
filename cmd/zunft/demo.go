package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"zunft/internal/story"
)

type demoCommand struct {
	Listen  string `help:"HOST:PORT of the identity portal; training portal and mailbox take the two ports after it. Port 0: any free ports." default:"127.0.0.1:8080"`
	Keep    string `help:"Keep the data in this folder and continue from it." placeholder:"DIR" type:"path"`
	DB      string `name:"db" help:"sqlite:PATH or postgres://… instead of a SQLite file in the folder." placeholder:"ADDRESS"`
	Clients string `help:"File with a JSON array of OpenID clients in the field names of OpenID Dynamic Registration." type:"existingfile"`
	People  int    `help:"Add so many invented accounts."`
	JSON    bool   `name:"json" help:"Print one JSON object once ready, and nothing else, on standard output."`
}

// Run starts the story and stays until it is told to stop.
func (d demoCommand) Run(ctx context.Context) error {
	start := time.Now()
	options := story.Options{Dir: d.Keep, DB: d.DB, Listen: d.Listen, People: d.People, Presets: true, Begun: true}
	if d.Clients != "" {
		b, err := os.ReadFile(d.Clients)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(b, &options.Clients); err != nil {
			return fmt.Errorf("--clients: %w", err)
		}
	}
	w, err := story.Start(ctx, options)
	if err != nil {
		return err
	}
	defer w.Stop()
	go debug.FreeOSMemory() // what starting needed (hashes, templates) is not needed again
	if d.JSON {
		if err := json.NewEncoder(os.Stdout).Encode(w); err != nil {
			return err
		}
	} else {
		fmt.Printf("\nZunft runs (ready after %d ms). Begin here:\n\n  Start page       %s\n  Identity portal  %s\n  Training portal  %s\n  Mailbox          %s/mail\n  Print shop       %s/letters\n\n",
			time.Since(start).Milliseconds(), w.Mailbox, w.Identity, w.Training, w.Mailbox, w.Mailbox)
		for _, p := range w.People {
			fmt.Printf("  %-16s password %-22s %s\n", p.Username, p.Password, p.Says)
		}
		fmt.Println("\nCtrl-C ends it.")
	}
	<-ctx.Done()
	return nil
}
