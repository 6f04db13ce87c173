package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"

	"zunft/internal/identity/password"
)

type passwordCommand struct {
	List passwordListCommand `cmd:"" help:"The list of passwords that strangers know."`
}

type passwordListCommand struct {
	Build passwordBuildCommand `cmd:"" help:"Build the file that password.list names, from passwords or their SHA-1 sums, one a line."`
}

type passwordBuildCommand struct {
	In    string `arg:"" help:"Passwords one a line, or lines SHA1:COUNT as haveibeenpwned.com offers them; - for standard input."`
	Out   string `arg:"" type:"path" help:"File to write."`
	Least int    `help:"Leave out what was seen less often (only with counts)." default:"1"`
}

// Run builds the list beside the old one and then takes its place.
func (b passwordBuildCommand) Run() error {
	in := os.Stdin
	if b.In != "-" {
		file, err := os.Open(b.In)
		if err != nil {
			return err
		}
		defer file.Close()
		in = file
	}
	list, err := password.BuildList(in, b.Least)
	if err != nil {
		return fmt.Errorf("%s: %w", b.In, err)
	}
	out, err := os.CreateTemp(filepath.Dir(b.Out), ".passwords-*")
	if err != nil {
		return err
	}
	defer os.Remove(out.Name())
	w := bufio.NewWriter(out)
	if _, err := list.WriteTo(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := out.Close(); err != nil {
		return err
	}
	if err := os.Chmod(out.Name(), 0o644); err != nil {
		return err
	}
	if err := os.Rename(out.Name(), b.Out); err != nil {
		return err
	}
	fmt.Printf("%s: %.1f MB\n", b.Out, float64(list.Size())/1e6)
	return nil
}

// readPasswordList reads the file of password.list; no file is no list.
func readPasswordList(path string) (*password.List, error) {
	if path == "" {
		return nil, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("password.list: %w", err)
	}
	defer file.Close()
	list, err := password.ReadList(bufio.NewReaderSize(file, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("password.list: %s: %w", path, err)
	}
	return list, nil
}
