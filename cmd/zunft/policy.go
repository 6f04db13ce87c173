package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/policy"
)

type policyCommand struct {
	List policyListCommand `cmd:"" help:"List the policies of this installation, and the presets that are shipped."`
	Show policyShowCommand `cmd:"" help:"Print a policy (or a preset) as JSON, to be changed and used as a file."`
	Use  policyUseCommand  `cmd:"" help:"Use a preset, or a policy from a JSON file."`
}

type policyListCommand struct{ configFlags }

// Run lists keys and names; "*" marks the default.
func (l policyListCommand) Run(ctx context.Context) error {
	d, err := l.identityDB(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Read(ctx, func(tx *db.Tx) error {
		all, err := policy.All(tx)
		var used []string
		for _, p := range all {
			used = append(used, p.Key)
			mark, of := " ", ""
			if p.Default {
				mark = "*"
			}
			if p.Chamber != "" {
				c, err := chamber.Get(tx, p.Chamber)
				if err != nil {
					return err
				}
				of = "chamber " + c.Number
			}
			fmt.Printf("%s %s\t%s\t/register?profile=%s\t%s\n", mark, p.Key, p.Name, p.Key, of)
		}
		for _, key := range policy.Presets() {
			if !slices.Contains(used, key) {
				fmt.Printf("  %s\t(shipped; `zunft policy use %s` uses it)\n", key, key)
			}
		}
		return err
	})
}

type policyShowCommand struct {
	configFlags
	Key string `arg:"" help:"Key of a policy or of a preset."`
}

// Run prints the policy that is used, else the preset.
func (s policyShowCommand) Run(ctx context.Context) error {
	d, err := s.identityDB(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	var p policy.Policy
	err = d.Read(ctx, func(tx *db.Tx) (err error) { p, err = policy.ByKey(tx, s.Key); return err })
	if fault.Is(err, fault.KindNotFound) {
		if p, err = policy.Preset(s.Key); fault.Is(err, fault.KindNotFound) {
			return fmt.Errorf("there is no policy %s; `zunft policy list` lists them", s.Key)
		}
	}
	if err != nil {
		return err
	}
	b, err := p.File()
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(append(b, '\n'))
	return err
}

type policyUseCommand struct {
	configFlags
	Preset  string `arg:"" help:"Key of a preset, or a JSON file as policy show prints it; its name is the key."`
	Key     string `help:"Another key than the preset's or the file's."`
	Chamber string `help:"Kammernummer of the chamber whose policy it is."`
	Default bool   `help:"For all accounts and pages that name none."`
	Offered bool   `help:"Lead people there from the start page and the sign-in, beside the default."`
}

// Run writes the policy under its key.
func (u policyUseCommand) Run(ctx context.Context) error {
	d, err := u.identityDB(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	p, err := u.read()
	if err != nil {
		return say(err)
	}
	if u.Key != "" {
		p.Key = u.Key
	}
	p.Default, p.SignUp.Offered = u.Default, p.SignUp.Offered || u.Offered
	err = d.Write(ctx, func(tx *db.Tx) error {
		if u.Chamber != "" {
			c, err := chamber.ByNumber(tx, u.Chamber)
			if err != nil {
				return fmt.Errorf("there is no chamber %s; `zunft chamber add` makes one", u.Chamber)
			}
			p.Chamber = c.ID
		}
		return policy.Save(tx, audit.Console, p)
	})
	if err == nil {
		fmt.Printf("%s (%s) holds; people sign up at /register?profile=%s\n", p.Key, p.Name, p.Key)
	}
	return say(err)
}

func (u policyUseCommand) read() (policy.Policy, error) {
	name, isFile := strings.CutSuffix(u.Preset, ".json")
	if !isFile {
		p, err := policy.Preset(u.Preset)
		if fault.Is(err, fault.KindNotFound) {
			err = fmt.Errorf("there is no preset %s; there are %s", u.Preset, strings.Join(policy.Presets(), ", "))
		}
		return p, err
	}
	b, err := os.ReadFile(u.Preset)
	if err != nil {
		return policy.Policy{}, err
	}
	p, err := policy.Read(name[strings.LastIndexAny(name, `/\`)+1:], b)
	if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
		err = fmt.Errorf("%s, line %d: %w", u.Preset, 1+bytes.Count(b[:syntax.Offset], []byte("\n")), err)
	}
	return p, err
}

type chamberCodesCommand struct {
	configFlags
	Chamber string   `arg:"" help:"Kammernummer."`
	Kind    string   `arg:"" enum:"apprentice,trainer,member" help:"What the numbers are: apprentice, trainer or member."`
	Numbers []string `arg:"" help:"Numbers, as the chamber writes them."`
}

// Run prints one line a number: number, tab, registration code (R187).
func (c chamberCodesCommand) Run(ctx context.Context) error {
	d, err := c.identityDB(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	var codes []account.Code
	err = d.Write(ctx, func(tx *db.Tx) error {
		ch, err := chamber.ByNumber(tx, c.Chamber)
		if err != nil {
			return fmt.Errorf("there is no chamber %s; `zunft chamber add` makes one", c.Chamber)
		}
		for _, n := range c.Numbers {
			code, err := account.NewCode(tx, audit.Console, ch.ID, c.Kind, n)
			if err != nil {
				return err
			}
			codes = append(codes, code)
		}
		return nil
	})
	for _, code := range codes {
		if err == nil {
			fmt.Printf("%s\t%s\n", code.Number, code.Typed)
		}
	}
	return say(err)
}
