// Command cmd runs another command with one PostgreSQL cluster for all its
// test processes:
//
//	go run ./internal/ground/dbtest/cmd [durable] -- go test ./...
//
// It starts the cluster, names it in ZUNFT_TEST_POSTGRES, runs the command,
// stops the cluster and passes on the exit status. A server already named
// there is used as it is. Without PostgreSQL the command runs all the same and
// its tests skip; with CI=true that is a failure. A durable cluster waits for
// the disk, as benchmarks of writing should.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"zunft/internal/ground/dbtest"
)

func main() {
	argv, settings := os.Args[1:], dbtest.Fast()
	if len(argv) > 0 && argv[0] == "durable" {
		argv, settings = argv[1:], dbtest.Durable()
	}
	if len(argv) < 2 || argv[0] != "--" {
		fmt.Fprintln(os.Stderr, "usage: go run ./internal/ground/dbtest/cmd [durable] -- COMMAND …")
		os.Exit(2)
	}
	os.Exit(run(settings, argv[1:]))
}

func run(settings, argv []string) int {
	c := exec.Command(argv[0], argv[1:]...)
	c.Stdin, c.Stdout, c.Stderr, c.Env = os.Stdin, os.Stdout, os.Stderr, os.Environ()
	if os.Getenv("ZUNFT_TEST_POSTGRES") == "" {
		cluster, err := dbtest.Start(settings)
		switch {
		case err == nil:
			defer cluster.Stop()
			c.Env = append(c.Env, "ZUNFT_TEST_POSTGRES="+cluster.Address)
		case errors.Is(err, dbtest.ErrMissing) && os.Getenv("CI") != "true":
			fmt.Fprintln(os.Stderr, "dbtest:", err)
		default:
			fmt.Fprintln(os.Stderr, "dbtest:", err)
			return 1
		}
	}
	// A person's Ctrl-C reaches the command as well; we stay to stop the cluster.
	signal.Notify(make(chan os.Signal, 1), os.Interrupt) // not Ignore, which the command would inherit
	terminate := make(chan os.Signal, 1)
	signal.Notify(terminate, syscall.SIGTERM)
	if err := c.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "dbtest:", err)
		return 1
	}
	go func() { <-terminate; c.Process.Signal(syscall.SIGTERM) }()
	err := c.Wait()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.ExitCode() > 0:
		return exit.ExitCode()
	case err != nil:
		fmt.Fprintln(os.Stderr, "dbtest:", err)
		return 1
	}
	return 0
}
