package main

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"

	"zunft/internal/ground/db"
	"zunft/internal/ground/mail"
	"zunft/internal/ground/seal"

	"zunft/internal/training/erasure"
)

// Config is zunft.toml. Every key may also come from the environment
// (ZUNFT_MAIL_PASSWORD for mail.password) or from --set mail.password=…;
// the flag wins over the environment, the environment over the file.
type Config struct {
	Owner    string   `toml:"owner" help:"chamber or operator, as people read it"`
	Proxies  []string `toml:"proxies" help:"reverse proxies whose X-Forwarded-For is believed, as addresses or prefixes"`
	Identity struct {
		Base     string `toml:"base" help:"address of the identity portal as people see it, e.g. https://id.kammer.example"`
		Listen   string `toml:"listen" help:"HOST:PORT it listens on, behind a reverse proxy with TLS"`
		Database string `toml:"database" help:"sqlite:PATH (durable) or postgres://USER:PASSWORD@HOST/NAME"`
	} `toml:"identity"`
	Training struct {
		Base         string `toml:"base" help:"address of the training portal; empty: it does not run here"`
		Listen       string `toml:"listen" help:"HOST:PORT it listens on"`
		Database     string `toml:"database" help:"a database of its own"`
		ClientID     string `toml:"client_id" help:"OpenID client of the training portal at the identity portal"`
		ClientSecret string `toml:"client_secret" help:"its secret; better in ZUNFT_TRAINING_CLIENT_SECRET"`
		KeepYears    int    `toml:"keep_years" help:"for how many years the report book of somebody who left is kept, after the end of the year in which the apprenticeship ended"`
	} `toml:"training"`
	Mail struct {
		Host     string `toml:"host" help:"mail server (SMTP)"`
		Port     int    `toml:"port" help:"its port, 587 with starttls, 465 with tls"`
		User     string `toml:"user" help:"user name, empty for none"`
		Password string `toml:"password" help:"better in ZUNFT_MAIL_PASSWORD"`
		TLS      string `toml:"tls" help:"starttls, tls or none (loopback only)"`
		From     string `toml:"from" help:"sender, e.g. Kammer Musterland <portal@kammer.example>"`
	} `toml:"mail"`
	Secret struct {
		Key     string `toml:"key" help:"32 random bytes in base64; better in ZUNFT_SECRET_KEY or in key_file"`
		KeyFile string `toml:"key_file" help:"file that holds the key"`
	} `toml:"secret"`
	Password struct {
		List string `toml:"list" help:"file of passwords that strangers know and nobody may choose, made by zunft password list build; empty: none"`
	} `toml:"password"`
}

func defaults() Config {
	var c Config
	c.Identity.Listen, c.Identity.Database = "127.0.0.1:8080", "sqlite:identity.db"
	c.Training.Listen, c.Training.Database, c.Training.ClientID = "127.0.0.1:8081", "sqlite:training.db", "training"
	c.Training.KeepYears = erasure.Years
	c.Mail.Port, c.Mail.TLS = 587, "starttls"
	return c
}

// configFlags are shared by all commands that need the configuration.
type configFlags struct {
	Config string   `help:"Configuration file." default:"zunft.toml" type:"path" env:"ZUNFT_CONFIG"`
	Set    []string `help:"Set one key, e.g. --set mail.port=25. May be repeated." placeholder:"KEY=VALUE" sep:"none"`
}

// load reads file, environment and flags, and checks every key. An error is
// one line that names the key.
func (f configFlags) load() (Config, error) {
	c := defaults()
	meta, err := toml.DecodeFile(f.Config, &c)
	if os.IsNotExist(err) {
		err = nil
	}
	if err != nil {
		return c, fmt.Errorf("%s: %s", f.Config, strings.ReplaceAll(err.Error(), "\n", " "))
	}
	known := keys(&c)
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return c, fmt.Errorf("%s: unknown key %s%s", f.Config, unknown[0], nearest(unknown[0].String(), known))
	}
	for _, k := range known {
		name := "ZUNFT_" + strings.ToUpper(strings.ReplaceAll(k.name, ".", "_"))
		if v, ok := os.LookupEnv(name); ok {
			if err := k.set(v); err != nil {
				return c, fmt.Errorf("%s (from %s): %w", k.name, name, err)
			}
		}
	}
	for _, s := range f.Set {
		name, value, ok := strings.Cut(s, "=")
		i := slices.IndexFunc(known, func(k key) bool { return k.name == name })
		if !ok || i < 0 {
			return c, fmt.Errorf("--set %s: unknown key%s", name, nearest(name, known))
		}
		if err := known[i].set(value); err != nil {
			return c, fmt.Errorf("%s (from --set): %w", name, err)
		}
	}
	return c, c.check()
}

func (c *Config) check() error {
	for _, b := range []struct {
		key, value string
		required   bool
	}{{"identity.base", c.Identity.Base, true}, {"training.base", c.Training.Base, false}} {
		u, err := url.Parse(b.value)
		switch {
		case b.value == "" && !b.required:
		case b.value == "":
			return fmt.Errorf("%s is missing: name the address people use, e.g. https://id.kammer.example", b.key)
		case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
			return fmt.Errorf("%s must be an address like https://id.kammer.example, not %q", b.key, b.value)
		case strings.HasSuffix(b.value, "/") || u.Path != "" || u.RawQuery != "":
			return fmt.Errorf("%s must end after the host name, without a slash or path: %q", b.key, b.value)
		}
	}
	if c.Owner == "" {
		return fmt.Errorf("owner is missing: name the chamber or operator that people read on every page")
	}
	for _, d := range []struct{ key, value string }{{"identity.database", c.Identity.Database}, {"training.database", c.Training.Database}} {
		if !strings.HasPrefix(d.value, "sqlite:") && !strings.HasPrefix(d.value, "postgres://") && !strings.HasPrefix(d.value, "postgresql://") {
			return fmt.Errorf("%s must begin with sqlite: or postgres://", d.key)
		}
	}
	if c.Identity.Database == c.Training.Database {
		return fmt.Errorf("training.database must be another database than identity.database")
	}
	if c.Training.Base != "" && c.Training.ClientSecret == "" {
		return fmt.Errorf("training.client_secret is missing: take the one that `zunft app add` printed")
	}
	if c.Training.KeepYears < 1 || c.Training.KeepYears > 50 {
		return fmt.Errorf("training.keep_years must be from 1 to 50, not %d", c.Training.KeepYears)
	}
	if c.Mail.Host == "" {
		return fmt.Errorf("mail.host is missing: name the mail server")
	}
	if c.Mail.From == "" {
		return fmt.Errorf("mail.from is missing: name the sender, e.g. Kammer Musterland <portal@kammer.example>")
	}
	if !slices.Contains([]string{"starttls", "tls", "none"}, c.Mail.TLS) {
		return fmt.Errorf("mail.tls must be starttls, tls or none, not %q", c.Mail.TLS)
	}
	if c.Mail.TLS == "none" && c.Mail.Host != "localhost" && !strings.HasPrefix(c.Mail.Host, "127.") && c.Mail.Host != "::1" {
		return fmt.Errorf("mail.tls may be none only for a mail server on this machine, not for %s", c.Mail.Host)
	}
	if _, err := c.proxies(); err != nil {
		return err
	}
	_, err := c.keys()
	return err
}

// keys makes the sealing keys from secret.key or secret.key_file.
func (c *Config) keys() (*seal.Keys, error) {
	text, from := c.Secret.Key, "secret.key"
	if text == "" {
		if c.Secret.KeyFile == "" {
			return nil, fmt.Errorf("secret.key is missing: make one with `head -c 32 /dev/urandom | base64` and put it into ZUNFT_SECRET_KEY or a file named by secret.key_file")
		}
		b, err := os.ReadFile(c.Secret.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("secret.key_file: %w", err)
		}
		text, from = string(b), "secret.key_file"
	}
	master, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil || len(master) < 32 {
		return nil, fmt.Errorf("%s must be at least 32 random bytes in base64", from)
	}
	return seal.New(master)
}

func (c *Config) proxies() (all []netip.Prefix, err error) {
	for _, text := range c.Proxies {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			a, err := netip.ParseAddr(text)
			if err != nil {
				return nil, fmt.Errorf("proxies: %q is no address and no prefix", text)
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		all = append(all, p)
	}
	return all, nil
}

func (c *Config) sender(d *db.DB, base string) *mail.Sender {
	return &mail.Sender{DB: d, Host: c.Mail.Host, Port: c.Mail.Port, User: c.Mail.User, Password: c.Mail.Password, TLS: c.Mail.TLS, From: c.Mail.From, Base: base}
}

// A key of the configuration, found by reflection so that file, environment,
// flags and the example never disagree.
type key struct {
	name, help string
	value      reflect.Value
}

func keys(c *Config) []key { return keysOf("", reflect.ValueOf(c).Elem()) }

func keysOf(prefix string, v reflect.Value) (all []key) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name := prefix + f.Tag.Get("toml")
		if f.Type.Kind() == reflect.Struct {
			all = append(all, keysOf(name+".", v.Field(i))...)
			continue
		}
		all = append(all, key{name, f.Tag.Get("help"), v.Field(i)})
	}
	return all
}

func (k key) set(text string) error {
	switch k.value.Kind() {
	case reflect.String:
		k.value.SetString(text)
	case reflect.Int:
		n, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("%q is no number", text)
		}
		k.value.SetInt(int64(n))
	case reflect.Slice:
		k.value.Set(reflect.ValueOf(strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })))
	}
	return nil
}

// nearest suggests a key that shares its last word.
func nearest(name string, known []key) string {
	last := name[strings.LastIndex(name, ".")+1:]
	for _, k := range known {
		if strings.HasSuffix(k.name, "."+last) || strings.Contains(k.name, last) {
			return "; did you mean " + k.name + "?"
		}
	}
	return ""
}

type configCommand struct{}

// Run prints the example: it is generated from the struct, so it is complete.
func (configCommand) Run() error {
	c := defaults()
	section := ""
	for _, k := range keys(&c) {
		if s, _, ok := strings.Cut(k.name, "."); ok && s != section {
			section = s
			fmt.Printf("\n[%s]\n", s)
		}
		fmt.Printf("# %s\n", k.help)
		name := k.name[strings.LastIndex(k.name, ".")+1:]
		switch k.value.Kind() {
		case reflect.Int:
			fmt.Printf("%s = %d\n", name, k.value.Int())
		case reflect.Slice:
			fmt.Printf("%s = []\n", name)
		default:
			fmt.Printf("%s = %q\n", name, k.value.String())
		}
	}
	return nil
}
