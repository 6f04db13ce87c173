package main

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zunft/internal/ground/seal"
)

func write(t *testing.T, text string) string {
	file := filepath.Join(t.TempDir(), "zunft.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

const good = `
owner = "Kammer Musterland"
[identity]
base = "https://id.kammer.example"
[mail]
host = "mail.kammer.example"
from = "Kammer <portal@kammer.example>"
[secret]
key = "KEY"
`

func fine() string {
	return strings.ReplaceAll(good, "KEY", base64.StdEncoding.EncodeToString(seal.Bytes(32)))
}

func TestGoodConfiguration(t *testing.T) {
	c, err := configFlags{Config: write(t, fine())}.load()
	if err != nil {
		t.Fatal(err)
	}
	if c.Mail.Port != 587 || c.Identity.Listen != "127.0.0.1:8080" {
		t.Error("defaults are missing", c)
	}
}

// A mistake is one line that names the key.
func TestMistakesNameTheirKey(t *testing.T) {
	for key, change := range map[string][2]string{
		"identity.base":          {`base = "https://id.kammer.example"`, `base = "https://id.kammer.example/"`},
		"identity.base is":       {`base = "https://id.kammer.example"`, ``},
		"owner":                  {`owner = "Kammer Musterland"`, ``},
		"mail.host":              {`host = "mail.kammer.example"`, ``},
		"mail.from":              {`from = `, `# from = `},
		"mail.tls":               {`[mail]`, "[mail]\ntls = \"sometimes\""},
		"mail.tls may":           {`[mail]`, "[mail]\ntls = \"none\""},
		"unknown key mail.hots":  {`[mail]`, "[mail]\nhots = \"x\""},
		"secret.key":             {`key = "`, `key = "!`},
		"identity.database":      {`[identity]`, "[identity]\ndatabase = \"mysql:x\""},
		"training.database":      {`[identity]`, "[training]\ndatabase = \"sqlite:identity.db\"\n[identity]"},
		"training.client_secret": {`[identity]`, "[training]\nbase = \"https://b.example\"\n[identity]"},
		"proxies":                {`owner =`, "proxies = [\"nonsense\"]\nowner ="},
	} {
		_, err := configFlags{Config: write(t, strings.Replace(fine(), change[0], change[1], 1))}.load()
		if err == nil || !strings.Contains(err.Error(), key) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", key, err)
		}
	}
}

func TestFlagBeforeEnvironmentBeforeFile(t *testing.T) {
	file := write(t, fine())
	t.Setenv("ZUNFT_MAIL_PORT", "2525")
	t.Setenv("ZUNFT_PROXIES", "10.0.0.0/8, 192.0.2.1")
	c, err := configFlags{Config: file}.load()
	if err != nil || c.Mail.Port != 2525 || len(c.Proxies) != 2 {
		t.Error(err, c.Mail.Port, c.Proxies)
	}
	c, err = configFlags{Config: file, Set: []string{"mail.port=465", "mail.password=a=b"}}.load()
	if err != nil || c.Mail.Port != 465 || c.Mail.Password != "a=b" {
		t.Error(err, c.Mail.Port, c.Mail.Password)
	}
	for _, set := range []string{"mail.prot=1", "mail.port=many", "mail"} {
		if _, err := (configFlags{Config: file, Set: []string{set}}).load(); err == nil || !strings.Contains(err.Error(), "mail") {
			t.Error(set, err)
		}
	}
}
