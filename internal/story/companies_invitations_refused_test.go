package story_test

import (
	"bufio"
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/story"
)

// An address that its mail server refuses shows as undeliverable, in the list
// and under the inviter's bell; mails to others are none the worse.
func TestInvitationRefused(t *testing.T) {
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
				fmt.Fprint(c, "220 refusing\r\n")
				body := false
				for in := bufio.NewScanner(c); in.Scan(); {
					line := strings.ToUpper(in.Text())
					switch {
					case body && line != ".":
						continue
					case strings.HasPrefix(line, "RCPT") && strings.Contains(line, "NOBODY@"):
						fmt.Fprint(c, "550 5.1.1 no such user\r\n")
						continue
					case line == "QUIT":
						fmt.Fprint(c, "221 bye\r\n")
						return
					case line == "DATA":
						body = true
						fmt.Fprint(c, "354 go on\r\n")
						continue
					}
					body = false
					fmt.Fprint(c, "250 ok\r\n")
				}
			}()
		}
	}()
	world := start(t, "sqlite", story.Options{SMTP: l.Addr().String()})
	w := inviting(t, world)
	bert := as(t, world, "bert")
	for _, email := range []string{"nobody@example.org", "somebody@example.org"} {
		bert.post(w.bakery+"/invitations/new", url.Values{"do": {"invite"}, "email": {email}, "days": {"7"}})
	}
	for deadline := time.Now().Add(30 * time.Second); ; <-time.After(20 * time.Millisecond) {
		refused, waiting := 0, 0
		if err := world.IdentityDB.Read(t.Context(), func(tx *db.Tx) (err error) {
			if refused, err = db.Value[int](tx, `SELECT count(*) FROM invitation WHERE state = 'undeliverable' AND email = 'nobody@example.org'`); err != nil {
				return err
			}
			waiting, err = db.Value[int](tx, `SELECT count(*) FROM job WHERE kind = 'mail'`)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if refused == 1 && waiting == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(refused, "refused,", waiting, "mails wait")
		}
	}
	if _, body := bert.get(w.bakery + "/invitations?state=undeliverable"); !strings.Contains(body, ">nobody@example.org<") || strings.Contains(body, ">somebody@example.org<") {
		t.Error("the list does not show it")
	}
	if _, body := bert.get(world.Identity + "/notifications"); !strings.Contains(body, "nobody@example.org konnte nicht zugestellt werden") {
		t.Error("the bell is silent")
	}
}
