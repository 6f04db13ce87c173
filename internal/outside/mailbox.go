package outside

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

const (
	maxMailSize  = 2 << 20   // what one mail may weigh
	maxMailsHeld = 5000      // how many are kept
	maxMailBytes = 256 << 20 // what all of them may weigh
)

// Mailbox is an SMTP server that delivers nothing: it keeps every mail, whoever
// it is for, and shows it. The newest 5,000 stay.
type Mailbox struct {
	smtp *smtp.Server
	dir  string
	keep int

	mu      sync.Mutex
	mails   []Mail // oldest first
	bytes   int
	last    int
	changed chan struct{} // closed and replaced whenever a mail arrives
}

// NewMailbox makes a mailbox; with a folder each mail is also an .eml file there.
func NewMailbox(dir string) *Mailbox {
	m := &Mailbox{dir: dir, keep: maxMailsHeld, changed: make(chan struct{})}
	s := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &delivery{box: m, remote: c.Conn().RemoteAddr().String()}, nil
	}))
	s.Domain = "mailbox.localhost"
	s.MaxMessageBytes = maxMailSize
	s.MaxRecipients = 100
	s.ReadTimeout = time.Minute
	s.WriteTimeout = time.Minute
	s.EnableSMTPUTF8 = true
	s.ErrorLog = log.New(io.Discard, "", 0)
	m.smtp = s
	return m
}

// Serve takes mail from the listener until Close.
func (m *Mailbox) Serve(l net.Listener) error {
	if err := m.smtp.Serve(l); err != nil {
		return fmt.Errorf("serve mailbox: %w", err)
	}
	return nil
}

// Close ends Serve and every open connection.
func (m *Mailbox) Close() error { return m.smtp.Close() }

// delivery is one SMTP connection.
type delivery struct {
	box    *Mailbox
	remote string
	from   string
	to     []string
}

func (d *delivery) Reset()        { d.from, d.to = "", nil }
func (d *delivery) Logout() error { return nil }

func (d *delivery) Mail(from string, _ *smtp.MailOptions) error {
	d.from = from
	return nil
}

func (d *delivery) Rcpt(to string, _ *smtp.RcptOptions) error {
	d.to = append(d.to, to)
	return nil
}

func (d *delivery) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err // too large, or the line broke: the client hears of it
	}
	mail := parseMail(raw)
	mail.Envelope = Envelope{From: d.from, To: append([]string(nil), d.to...), Remote: d.remote}
	if err := d.box.put(mail); err != nil {
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "the mail could not be kept"}
	}
	return nil
}

func (m *Mailbox) put(mail Mail) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.last++
	mail.ID = strconv.Itoa(m.last)
	mail.Received = time.Now()
	if m.dir != "" {
		if err := os.WriteFile(m.file(mail.ID), mail.Raw, 0o600); err != nil {
			return fmt.Errorf("keep mail %s: %w", mail.ID, err)
		}
	}
	m.mails = append(m.mails, mail)
	m.bytes += len(mail.Raw)
	for len(m.mails) > 1 && (len(m.mails) > m.keep || m.bytes > maxMailBytes) {
		m.bytes -= len(m.mails[0].Raw)
		if m.dir != "" {
			_ = os.Remove(m.file(m.mails[0].ID))
		}
		m.mails[0] = Mail{}
		m.mails = m.mails[1:]
	}
	close(m.changed)
	m.changed = make(chan struct{})
	return nil
}

func (m *Mailbox) file(id string) string { return filepath.Join(m.dir, fmt.Sprintf("%06s.eml", id)) }

// clear forgets every mail; files in the folder stay.
func (m *Mailbox) clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mails, m.bytes = nil, 0
}

// Mails are the mails to an address, oldest first; "" means all.
func (m *Mailbox) Mails(to string) []Mail {
	found, _ := m.look(to)
	return found
}

func (m *Mailbox) look(to string) (found []Mail, changed <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, mail := range m.mails {
		if to == "" || mail.isFor(to) {
			found = append(found, mail)
		}
	}
	return found, m.changed
}

func (m *Mailbox) mail(id string) (Mail, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, mail := range m.mails {
		if mail.ID == id {
			return mail, true
		}
	}
	return Mail{}, false
}

// Last is the newest mail to an address.
func (m *Mailbox) Last(to string) (Mail, bool) {
	found, _ := m.look(to)
	if len(found) == 0 {
		return Mail{}, false
	}
	return found[len(found)-1], true
}

// Wait waits until at least n mails to the address are there and returns all of
// them, oldest first. It returns early only with the context's error.
func (m *Mailbox) Wait(ctx context.Context, to string, n int) ([]Mail, error) {
	for {
		found, changed := m.look(to)
		if len(found) >= n {
			return found, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return found, fmt.Errorf("wait for %d mails to %s, %d are there: %w", n, to, len(found), ctx.Err())
		}
	}
}

// isFor tells whether the mail went to the address, openly or not.
func (m Mail) isFor(to string) bool {
	for _, a := range m.Envelope.To {
		if strings.EqualFold(a, to) {
			return true
		}
	}
	for _, a := range append(append([]Address(nil), m.To...), m.Cc...) {
		if strings.EqualFold(a.Address, to) {
			return true
		}
	}
	return false
}

// Links are the web addresses in the mail's text, in order.
func (m Mail) Links() []string {
	var out []string
	for _, p := range links(m.Text) {
		if p.URL != "" {
			out = append(out, p.URL)
		}
	}
	return out
}

// Source is the mail as it came.
func (m Mail) Source() []byte { return bytes.Clone(m.Raw) }
