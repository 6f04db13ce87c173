package mail_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/job"
	"zunft/internal/ground/mail"
	"zunft/internal/identity/schema"
	"zunft/internal/outside"
)

var texts = mail.Parse(fstest.MapFS{
	"mails/hello.de.txt": {Data: []byte("Größe & mehr für {{.Name}}\n\nGuten Tag {{.Name}},\n\nöffnen Sie {{url \"/confirm/abc\"}} bis {{time .At}}.\n")},
	"mails/hello.en.txt": {Data: []byte("Hello\n\nHello {{.Name}}, open {{url \"/confirm/abc\"}}.\n")},
})

type data struct {
	Name string
	At   db.Time
}

func mailbox(t *testing.T) (*outside.Mailbox, int) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := outside.NewMailbox("")
	go m.Serve(l)
	t.Cleanup(func() { m.Close() })
	return m, l.Addr().(*net.TCPAddr).Port
}

// A mail goes with its transaction, through a real mail server, in the
// person's language, as text and as HTML.
func TestMailGoesWithItsTransaction(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		box, port := mailbox(t)
		s := &mail.Sender{DB: d, Host: "127.0.0.1", Port: port, TLS: "none", From: "Kammer Musterland <portal@kammer.example>", Base: "https://id.kammer.example"}
		r := &job.Runner{DB: d}
		r.On(mail.Kind, s.Deliver)
		anna := mail.Person{Name: "Anna \"A\" Ämsel", Address: "anna@example.org", Lang: "de"}
		err := d.Write(t.Context(), func(tx *db.Tx) error {
			return texts.Send(tx, anna, "hello", data{"<b>Anna</b>", db.At(time.Date(2026, 7, 1, 16, 30, 0, 0, time.UTC))})
		})
		if err != nil {
			t.Fatal(err)
		}
		// While it waits, nobody reads it in the database.
		d.Read(t.Context(), func(tx *db.Tx) error {
			if body, err := db.Value[string](tx, `SELECT body FROM job`); err != nil || strings.Contains(body, "confirm") || strings.Contains(body, "anna") {
				t.Error("the waiting mail is readable", err)
			}
			return nil
		})
		if err := r.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		mails, err := box.Wait(ctx, "anna@example.org", 1)
		if err != nil {
			t.Fatal(err)
		}
		m := mails[0]
		if m.Subject != "Größe & mehr für <b>Anna</b>" {
			t.Error(m.Subject)
		}
		if !strings.Contains(m.Text, "https://id.kammer.example/confirm/abc bis 01.07.2026, 18:30 Uhr.") {
			t.Error(m.Text)
		}
		if !strings.Contains(m.HTML, `<a href="https://id.kammer.example/confirm/abc">`) || strings.Contains(m.HTML, "<b>Anna") || strings.Contains(m.HTML, "src=") {
			t.Error(m.HTML)
		}
	})
}

// A dead mail server delays a mail, never the change; the mail goes out later.
func TestDeadMailServerDelaysOnly(t *testing.T) {
	d := dbtest.Open(t, "sqlite", schema.Files)
	box, port := mailbox(t)
	clock := time.Now()
	d.Now = func() time.Time { return clock }
	s := &mail.Sender{DB: d, Host: "127.0.0.1", Port: 1, TLS: "none", From: "portal@kammer.example", Base: "http://x.example"}
	r := &job.Runner{DB: d}
	r.On(mail.Kind, func(ctx context.Context, b []byte) error { return s.Deliver(ctx, b) })
	if err := d.Write(t.Context(), func(tx *db.Tx) error {
		return texts.Send(tx, mail.Person{Name: "B", Address: "b@example.org", Lang: "fr"}, "hello", data{Name: "B"})
	}); err != nil {
		t.Fatal(err)
	}
	if err := r.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Port = port
	clock = clock.Add(time.Minute)
	if err := r.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, ok := box.Last("b@example.org"); !ok {
		t.Fatal("the mail is lost")
	}
}

func TestHeadersCannotBeInjected(t *testing.T) {
	box, port := mailbox(t)
	s := &mail.Sender{Host: "127.0.0.1", Port: port, TLS: "none", From: "portal@kammer.example", Base: "http://x.example"}
	s.Send(t.Context(), "1", mail.Message{To: "c@example.org", Name: "C\r\nBcc: evil@example.org", Subject: "S\r\nBcc: evil@example.org", Body: "x"})
	if _, ok := box.Last("evil@example.org"); ok {
		t.Fatal("a header was injected")
	}
	if m, ok := box.Last("c@example.org"); ok {
		for _, h := range m.Headers {
			if strings.EqualFold(h.Name, "Bcc") {
				t.Fatal("a header was injected")
			}
		}
	}
}
