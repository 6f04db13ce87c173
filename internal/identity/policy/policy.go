// Package policy is what a chamber (or another tenant) decided about accounts:
// how one signs up, which passwords do, when a second factor is asked, how long
// things wait. It is data; four ways of the systems that are there today are
// shipped as presets, and a standard that holds where nobody chose anything
// (decision 3).
//
// An account keeps the key of the policy it signed up under. One policy is the
// default: for accounts without a key, and for pages that do not know yet who
// comes.
package policy

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/password"
)

// Phrases are what people read of this package's faults.
//
//go:embed phrases/*.json
var Phrases embed.FS

//go:embed presets/*.json
var presets embed.FS

// A Policy of a chamber or tenant.
type Policy struct {
	Key     string `json:"-"` // appears in addresses: "lux"
	Name    string `json:"-"` // as people read it: "meine ihk"
	Chamber string `json:"-"` // its id; empty: of the installation
	Default bool   `json:"-"`

	SignUp   SignUp        `json:"sign_up"`
	SignIn   SignIn        `json:"sign_in"`
	Password password.Rule `json:"password"` // "modern" or "classic" (R048)
	Lock     Lock          `json:"lock"`
	Factor   Factor        `json:"factor"`
	Invite   Invite        `json:"invite,omitzero"`
	Words    Words         `json:"words,omitzero"`
	Guides   []Guide       `json:"guides,omitempty"`
	// NameWait is how long a corrected name waits before it holds (R220; W17: 0).
	NameWait Hours `json:"name_wait_hours"`
	// RecoveryWait is how long a recovery with the chamber's help waits (ux.md: 72).
	RecoveryWait Hours `json:"recovery_wait_hours"`
	// UnusedAfter is after how many days without a sign-in an account is announced and purged; 0: never.
	UnusedAfter int `json:"unused_after_days"`
}

// Hours as a policy file writes them.
type Hours int

// Duration of the hours.
func (h Hours) Duration() time.Duration { return time.Duration(h) * time.Hour }

// SignIn says what opens an account.
type SignIn struct {
	// By lists "username", "email", "number" (W07).
	By []string `json:"by"`
	// Unknown: "same" answer as for a wrong password, or "tell" (R280, W12).
	Unknown string `json:"unknown"`
	// Link reads on every page of somebody who is not signed in (R239); left
	// out, it is the frame's own word.
	Link Text `json:"link,omitzero"`
	// Ways shows at the sign-in that there is a page for each kind of people (R278, R281).
	Ways bool `json:"ways,omitempty"`
}

// Lock says what follows on failures.
type Lock struct {
	// Way: "pause" grows from 30 seconds to an hour, "day" is 24 hours with
	// unlocking by mail (R287, W11).
	Way string `json:"way"`
	// After is the failure with which it begins.
	After int `json:"after"`
}

// Factor says when a second factor is asked and which one does.
type Factor struct {
	// Ask: "never" (changes ask for the password), "changes" (R151), "signin".
	Ask string `json:"ask"`
	// Methods that people may set up: "mail", "totp", "passkey".
	Methods []string `json:"methods"`
	// Least method per role, asked at every sign-in: "clerk", "operator",
	// "organization_admin" → "mail", "totp" (or better), "passkey".
	Least map[string]string `json:"least,omitempty"`
	// Switch: "overlap" (a new one is confirmed before the old one goes) or
	// "relogin" (R165, R167, R179).
	Switch string `json:"switch"`
	// Offer it at the first sign-in (R199, S25).
	Offer bool `json:"offer"`
}

// Allows reports whether people may set up a method.
func (f Factor) Allows(method string) bool { return slices.Contains(f.Methods, method) }

// Text that people read, in both languages.
type Text struct {
	De string `json:"de"`
	En string `json:"en"`
}

// In is the text in a language.
func (t Text) In(lang string) string {
	if lang == "en" && t.En != "" {
		return t.En
	}
	return t.De
}

// Standard is the key of the policy that holds where nobody chose anything.
const Standard = "standard"

// Presets are the keys of what is shipped, sorted.
func Presets() (keys []string) {
	files, err := fs.Glob(presets, "presets/*.json")
	if err != nil {
		panic(err)
	}
	for _, f := range files {
		keys = append(keys, strings.TrimSuffix(strings.TrimPrefix(f, "presets/"), ".json"))
	}
	return keys
}

// Preset reads a shipped policy.
func Preset(key string) (Policy, error) {
	b, err := presets.ReadFile("presets/" + key + ".json")
	if err != nil {
		return Policy{}, fault.NotFound()
	}
	return Read(key, b)
}

// file is a policy as a file holds it.
type file struct {
	Name string `json:"name"`
	Policy
}

// Read takes a policy from a file. What it does not know it refuses: a word
// that is misspelt would else be a rule that does not hold.
func Read(key string, b []byte) (Policy, error) {
	var f file
	if err := strict(b, &f); err != nil {
		return Policy{}, fmt.Errorf("policy %s: %w", key, err)
	}
	f.Policy.Key, f.Policy.Name = key, f.Name
	return f.Policy, f.Policy.Check()
}

// File is the policy as [Read] takes it.
func (p Policy) File() ([]byte, error) { return json.MarshalIndent(file{p.Name, p}, "", "\t") }

func strict(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

var policyKey = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,40}$`) // it stands in addresses

// Check says what is wrong with a policy.
func (p Policy) Check() error {
	bad := func(what string) error { return fault.Invalid("policy", "policy.unknown", what) }
	switch {
	case !policyKey.MatchString(p.Key) || strings.TrimSpace(p.Name) == "":
		return bad("key or name: " + p.Key)
	case p.Password != password.Modern && p.Password != password.Classic:
		return bad("password: " + string(p.Password))
	case p.Lock.Way != "pause" && p.Lock.Way != "day" || p.Lock.After < 3 || p.Lock.After > 100:
		return bad("lock")
	case p.SignIn.Unknown != "same" && p.SignIn.Unknown != "tell" || len(p.SignIn.By) == 0:
		return bad("sign_in")
	case !slices.Contains([]string{"never", "changes", "signin"}, p.Factor.Ask):
		return bad("factor.ask: " + p.Factor.Ask)
	case p.Factor.Switch != "overlap" && p.Factor.Switch != "relogin":
		return bad("factor.switch: " + p.Factor.Switch)
	case p.NameWait < 0 || p.RecoveryWait < 0 || p.UnusedAfter < 0:
		return bad("wait")
	}
	if wrong := p.words(); wrong != "" {
		return bad(wrong)
	}
	for _, m := range p.Factor.Methods {
		if m != "mail" && m != "totp" && m != "passkey" {
			return bad("factor.methods: " + m)
		}
	}
	for role, m := range p.Factor.Least {
		if role != "clerk" && role != "operator" && role != "organization_admin" || m != "mail" && m != "totp" && m != "passkey" {
			return bad("factor.least: " + role + " " + m)
		}
		if role != "organization_admin" && m == "mail" { // decision 3
			return bad("factor.least: a code by mail is not enough for " + role)
		}
	}
	return p.SignUp.check()
}

// Of is the policy of an account, by the key it keeps. A key that is gone is
// the default.
func Of(tx *db.Tx, key string) (Policy, error) {
	if key != "" {
		p, err := ByKey(tx, key)
		if !fault.Is(err, fault.KindNotFound) {
			return p, err
		}
	}
	return get(tx, `is_default`)
}

// ByKey reads a policy.
func ByKey(tx *db.Tx, key string) (Policy, error) { return get(tx, `key = $1`, key) }

// All policies, the default first.
func All(tx *db.Tx) ([]Policy, error) { return list(tx, `TRUE`) }

// Doors are the policies that strangers are led to sign up under: the default
// first, then those that ask for it ([SignUp.Offered]), in one statement.
func Doors(tx *db.Tx) ([]Policy, error) {
	all, err := All(tx)
	return slices.DeleteFunc(all, func(p Policy) bool { return !p.Default && !p.SignUp.Offered }), err
}

type row struct {
	Policy
	body string
}

func list(tx *db.Tx, where string, args ...any) (all []Policy, err error) {
	rows, err := db.All(tx, func(r *row) []any { return []any{&r.Key, &r.Name, &r.Chamber, &r.Default, &r.body} },
		`SELECT key, name, COALESCE(chamber, ''), is_default, body FROM policy WHERE `+where+` ORDER BY is_default DESC, key`, args...)
	for _, r := range rows {
		if err := json.Unmarshal([]byte(r.body), &r.Policy); err != nil {
			return nil, fmt.Errorf("policy %s: %w", r.Key, err)
		}
		all = append(all, r.Policy)
	}
	return all, err
}

func get(tx *db.Tx, where string, args ...any) (Policy, error) {
	all, err := list(tx, where, args...)
	if err == nil && len(all) == 0 {
		err = fault.NotFound()
	}
	if err != nil {
		return Policy{}, err
	}
	return all[0], nil
}

// Save writes a policy under its key. Operators, commands and the system may.
// Saved as the default, it is the only one.
func Save(tx *db.Tx, by audit.Actor, p Policy) error {
	if by.Kind != audit.Command && by.Kind != audit.System {
		return fault.Forbidden()
	}
	if err := p.Check(); err != nil {
		return err
	}
	body, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if p.Default {
		if _, err := tx.Exec(`UPDATE policy SET is_default = FALSE WHERE key <> $1`, p.Key); err != nil {
			return err
		}
	}
	var chamber any
	if p.Chamber != "" {
		chamber = p.Chamber
	}
	if _, err := tx.Exec(`INSERT INTO policy (key, name, chamber, is_default, body, changed_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (key) DO UPDATE SET name = excluded.name, chamber = excluded.chamber, is_default = policy.is_default OR excluded.is_default,
		body = excluded.body, version = policy.version + 1, changed_at = excluded.changed_at`,
		p.Key, p.Name, chamber, p.Default, string(body), tx.Now()); err != nil {
		return fmt.Errorf("save policy: %w", err)
	}
	return audit.Record(tx, by, audit.Entry{Event: "policy.saved", Thing: p.Key, Chamber: p.Chamber})
}

// EnsureDefault makes sure that there is a default, on a first start.
func EnsureDefault(tx *db.Tx) error {
	there, err := db.Value[bool](tx, `SELECT EXISTS (SELECT 1 FROM policy WHERE is_default)`)
	if err != nil || there {
		return err
	}
	p, err := Preset(Standard)
	if err != nil {
		return err
	}
	p.Default = true
	return Save(tx, audit.Job, p)
}
