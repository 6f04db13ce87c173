package mail_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"testing"

	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/job"
	"zunft/internal/ground/mail"
	"zunft/internal/identity/schema"
)

// refusing is a mail server that answers every recipient with one reply.
func refusing(t *testing.T, reply string) (port int) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				fmt.Fprint(c, "220 test\r\n")
				for in := bufio.NewScanner(c); in.Scan(); {
					answer := "250 ok"
					switch verb, _, _ := strings.Cut(strings.ToUpper(in.Text()), " "); verb {
					case "RCPT":
						answer = reply
					case "DATA":
						answer = "354 go on"
					case "QUIT":
						answer = "221 bye"
					}
					fmt.Fprint(c, answer+"\r\n")
				}
			}()
		}
	}()
	return l.Addr().(*net.TCPAddr).Port
}

// A mail that a server will never take is told to whoever asked for it, and
// tried no more; one that is only late is tried again.
func TestRefused(t *testing.T) {
	for reply, want := range map[string]struct {
		about, state string
	}{
		"550 5.1.1 no such user here":  {"invitation/7", ""},
		"451 4.7.1 try again later":    {"", "ready"},
		"503 5.5.1 bad sequence of it": {"", "ready"}, // our own mistake says nothing about the address
	} {
		d := dbtest.Open(t, "sqlite", schema.Files)
		var about, why string
		s := &mail.Sender{DB: d, Host: "127.0.0.1", Port: refusing(t, reply), TLS: "none", From: "portal@kammer.example", Base: "http://x.example"}
		s.Refused = func(_ context.Context, a, w string) error { about, why = a, w; return nil }
		r := &job.Runner{DB: d}
		r.On(mail.Kind, s.Deliver)
		if err := d.Write(t.Context(), func(tx *db.Tx) error {
			return texts.SendAbout(tx, mail.Person{Name: "B", Address: "b@example.org", Lang: "de"}, "hello", data{Name: "B"}, "invitation/7")
		}); err != nil {
			t.Fatal(err)
		}
		if err := r.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		var state string
		if err := d.Read(t.Context(), func(tx *db.Tx) (err error) {
			state, err = db.Value[string](tx, `SELECT COALESCE((SELECT state FROM job), '')`)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if about != want.about || state != want.state || want.about != "" && !strings.Contains(why, "no such user") {
			t.Errorf("%s: told of %q (%s), the job is %s", reply, about, why, state)
		}
	}
}
