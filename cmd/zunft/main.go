// Command zunft is both portals, their demo and their console in one binary.
//
// Only this folder reads flags, files and environment.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// version is set when a release is built.
var version = "development"

// commands is the whole console. Each has its own file.
type commands struct {
	Demo         demoCommand         `cmd:"" help:"Run both portals with the story's people, a mailbox and a print shop. Nothing to configure."`
	Serve        serveCommand        `cmd:"" help:"Run both portals as zunft.toml says."`
	Check        checkCommand        `cmd:"" help:"Try database, mail server, keys and clock, and say what to mend."`
	Migrate      migrateCommand      `cmd:"" help:"Bring the databases up to date; --plan only says what is missing."`
	Chamber      chamberCommand      `cmd:"" help:"Chambers and their member directories."`
	Staff        staffCommand        `cmd:"" help:"Clerks and operators."`
	Policy       policyCommand       `cmd:"" help:"How people sign up, sign in and prove themselves: policies and the presets that are shipped."`
	App          appCommand          `cmd:"" help:"Connected applications."`
	Organization organizationCommand `cmd:"" help:"Organizations: invite many people from a list."`
	Training     trainingCommand     `cmd:"" help:"The training portal: what the chamber's registry says, and the chamber's own offices."`
	Account      accountCommand      `cmd:"" help:"Accounts: carry people over from another product, lock, unlock, purge."`
	Password     passwordCommand     `cmd:"" help:"The list of passwords that nobody may choose."`
	Config       configCommand       `cmd:"" help:"Print an example configuration with every key explained."`
	Version      versionCommand      `cmd:"" help:"Print the version."`
}

type versionCommand struct{}

func (versionCommand) Run() error { fmt.Println("zunft", version); return nil }

func main() {
	var c commands
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelInfo})))
	k := kong.Parse(&c, kong.Name("zunft"), kong.Description("The portal of German chambers: accounts, companies, roles, and the report book of apprentices."),
		kong.UsageOnError(), kong.BindTo(ctx, (*context.Context)(nil)))
	if err := k.Run(); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "zunft:", err)
		os.Exit(1)
	}
}
