package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"

	"zunft/internal/training/chain"
)

type trainingVerifyCommand struct {
	configFlags
	Heads string `type:"existingfile" help:"Heads from before (--write), kept elsewhere: shows also a chain that was made anew as a whole."`
	Write string `type:"path" help:"Write the heads of all chains to this file, to keep it elsewhere."`
}

// misfits in words.
var misfits = map[string]string{
	chain.Changed:  "says something else than what was signed off",
	chain.Decided:  "names another signer or time than its seal",
	chain.File:     "a file's bytes were exchanged",
	chain.Opened:   "is open again, and nobody opened it",
	chain.Unsealed: "is signed off without a seal",
	chain.Broken:   "its seal does not follow the one before",
	chain.Recorded: "the audit says something else of its seal",
	chain.Missing:  "its seal is gone",
}

// Run walks the chains of all report books (L16), a book at a time. The exit
// status is 1 if anything does not fit.
func (c trainingVerifyCommand) Run(ctx context.Context) error {
	kept, err := readHeads(c.Heads)
	if err != nil {
		return err
	}
	d, err := c.trainingDB(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	var heads strings.Builder
	books, seals, wrong, erased := 0, 0, 0, 0
	err = chain.CheckAll(ctx, d, kept, func(f chain.Finding) error {
		seals, wrong = seals+f.Seals, wrong+len(f.Misfits)
		if f.Seals > 0 || f.Erased.IsZero() {
			books++
		}
		if !f.Erased.IsZero() {
			erased++
			if _, asked := kept[f.Apprentice]; asked {
				fmt.Printf("%s: erased on %s\n", f.Apprentice, f.Erased.UTC().Format("2006-01-02 15:04Z"))
			}
		}
		for _, m := range f.Misfits {
			fmt.Printf("%s  %s  report %s: %s\n", f.Apprentice, m.Week, m.Report, misfits[m.What])
		}
		delete(kept, f.Apprentice)
		if f.Seals > 0 {
			fmt.Fprintf(&heads, "%d %s %s\n", f.Head.Number, f.Head.Digest, f.Apprentice)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for sub := range kept { // the person is gone, with all that was sealed
		wrong++
		fmt.Printf("%s: %s\n", sub, misfits[chain.Missing])
	}
	if c.Write != "" {
		if err := os.WriteFile(c.Write, []byte(heads.String()), 0o600); err != nil {
			return err
		}
	}
	fmt.Printf("%d books with %d seals", books, seals)
	if erased > 0 {
		fmt.Printf(", %d books erased since", erased)
	}
	fmt.Println()
	if wrong > 0 {
		return fmt.Errorf("%d things do not fit", wrong)
	}
	return nil
}

// readHeads reads what --write wrote.
func readHeads(name string) (map[string]chain.Seal, error) {
	if name == "" {
		return nil, nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	heads := map[string]chain.Seal{}
	lines := bufio.NewScanner(file)
	for n := 1; lines.Scan(); n++ {
		var s chain.Seal
		if _, err := fmt.Sscan(lines.Text(), &s.Number, &s.Digest, &s.Apprentice); err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", name, n, err)
		}
		heads[s.Apprentice] = s
	}
	return heads, lines.Err()
}
