// Package mail sends what rules have to tell people.
//
// A mail is a job of the same transaction as the change it tells about: a dead
// mail server delays a mail, never a change, and no change goes untold. Texts
// lie beside the rule that sends them, mails/NAME.LANG.txt; the first line is
// the subject, the rest plain text from which a simple HTML part is made.
// There is no tracking and nothing is loaded from elsewhere.
//
// A text writes {{url "/confirm/…"}} for an address of its portal; the sender
// alone knows the portal's base URL.
package mail

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io/fs"
	"regexp"
	"strings"
	"text/template"
	"time"

	gomail "github.com/wneessen/go-mail"

	"zunft/internal/ground/db"
	"zunft/internal/ground/i18n"
	"zunft/internal/ground/job"
)

// Kind of the job that sends a mail.
const Kind = "mail"

// baseMark stands for the portal's base URL until the mail is sent.
const baseMark = "\u27e6base\u27e7"

// A Message is one mail to one person.
type Message struct {
	To      string // address
	Name    string // of the person
	Subject string
	Body    string // plain text
	Lang    string
	About   string // what it is for, "invitation/ID": whoever asked for it is told if the address takes no mail; or empty
}

// Texts are the mail texts of one rules package, by language.
type Texts struct{ in map[string]*template.Template }

// Parse reads mails/*.txt. It panics on a malformed text, as a wrong program should.
func Parse(files fs.FS) Texts {
	t := Texts{map[string]*template.Template{}}
	for _, lang := range i18n.Languages() {
		moment := "02.01.2006, 15:04"
		if lang == "de" {
			moment += " Uhr"
		}
		t.in[lang] = template.Must(template.New("").Option("missingkey=error").Funcs(template.FuncMap{
			"url":  func(path string) string { return baseMark + path },
			"date": func(t db.Time) string { return t.In(Berlin).Format("02.01.2006") },
			"time": func(t db.Time) string { return t.In(Berlin).Format(moment) },
		}).ParseFS(files, "mails/*."+lang+".txt"))
	}
	return t
}

// Berlin is the time zone people read.
var Berlin = func() *time.Location {
	l, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		panic(err)
	}
	return l
}()

// A Person is whom a mail is for.
type Person struct{ Name, Address, Lang string }

// Send fills in a text for a person and enqueues it.
func (t Texts) Send(tx *db.Tx, to Person, name string, data any) error {
	m, err := t.Fill(to, name, data)
	if err != nil {
		return err
	}
	return Enqueue(tx, m)
}

// SendAbout is Send for a mail whose sender wants to know if it cannot arrive
// ([Sender.Refused]).
func (t Texts) SendAbout(tx *db.Tx, to Person, name string, data any, about string) error {
	m, err := t.Fill(to, name, data)
	if err != nil {
		return err
	}
	m.About = about
	return Enqueue(tx, m)
}

// Fill is Send without sending, for golden files.
func (t Texts) Fill(to Person, name string, data any) (Message, error) {
	lang := to.Lang
	if t.in[lang] == nil {
		lang = i18n.Languages()[0]
	}
	var b bytes.Buffer
	if err := t.in[lang].ExecuteTemplate(&b, name+"."+lang+".txt", data); err != nil {
		return Message{}, fmt.Errorf("mail text %s: %w", name, err)
	}
	subject, body, _ := strings.Cut(b.String(), "\n")
	return Message{To: to.Address, Name: to.Name, Subject: strings.TrimSpace(subject), Body: strings.TrimSpace(body) + "\n", Lang: lang}, nil
}

// sealed is how a mail waits: it may hold a link or a code, so it is not left
// readable in the database.
type sealed struct{ ID, Mail string }

// Enqueue puts a mail into the transaction. Who has no address gets none.
func Enqueue(tx *db.Tx, m Message) error {
	if m.To == "" {
		return nil
	}
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	id := db.NewID()
	return job.Enqueue(tx, Kind, id, sealed{id, tx.Keys().Seal("mail/"+id, b)})
}

// A Sender delivers mails by SMTP.
type Sender struct {
	DB       *db.DB // for its keys
	Host     string
	Port     int
	User     string
	Password string
	TLS      string // "starttls" (default), "tls", "none" (loopback only)
	From     string // "Kammer Musterland <portal@kammer.example>"
	Base     string // base URL of the portal, without a slash at the end

	// Refused is told what a mail was about and what the server said, when a
	// mail server takes it under no circumstances (RFC 5321, section 4.2.1: 5yz).
	Refused func(ctx context.Context, about, why string) error
}

// Deliver is the work of jobs of [Kind].
func (s *Sender) Deliver(ctx context.Context, body []byte) error {
	var w sealed
	if err := json.Unmarshal(body, &w); err != nil {
		return fmt.Errorf("%w: mail job: %w", job.ErrGiveUp, err)
	}
	plain, err := s.DB.Keys.Open("mail/"+w.ID, w.Mail)
	if err != nil {
		return fmt.Errorf("%w: %w", job.ErrGiveUp, err)
	}
	var m Message
	if err := json.Unmarshal(plain, &m); err != nil {
		return fmt.Errorf("%w: mail job: %w", job.ErrGiveUp, err)
	}
	err = s.Send(ctx, w.ID, m)
	if refused, ok := errors.AsType[*gomail.SendError](err); ok && m.About != "" && s.Refused != nil && !refused.IsTemp() && refused.ErrorCode() >= 550 && refused.ErrorCode() <= 559 {
		return s.Refused(ctx, m.About, refused.Error()) // who asked deals with it: nothing is left to try
	}
	return err
}

// Send delivers one mail now. id becomes its Message-ID, so that a mail sent
// twice is recognised as the same.
func (s *Sender) Send(ctx context.Context, id string, m Message) error {
	msg := gomail.NewMsg()
	if err := msg.From(s.From); err != nil {
		return fmt.Errorf("%w: mail sender: %w", job.ErrGiveUp, err)
	}
	if err := msg.AddToFormat(m.Name, m.To); err != nil {
		return fmt.Errorf("%w: mail recipient: %w", job.ErrGiveUp, err)
	}
	msg.Subject(m.Subject)
	msg.SetDate()
	msg.SetMessageIDWithValue(id + "@" + host(s.Base))
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader("Content-Language", m.Lang)
	text := strings.ReplaceAll(m.Body, baseMark, s.Base)
	msg.SetBodyString(gomail.TypeTextPlain, text)
	msg.AddAlternativeString(gomail.TypeTextHTML, HTML(m.Lang, m.Subject, text))
	client, err := s.client()
	if err != nil {
		return err
	}
	if err := client.DialAndSendWithContext(ctx, msg); err != nil {
		return fmt.Errorf("send mail: %w", err)
	}
	return nil
}

func (s *Sender) client() (*gomail.Client, error) {
	options := []gomail.Option{gomail.WithPort(s.Port), gomail.WithTimeout(20 * time.Second)}
	switch s.TLS {
	case "none":
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	case "tls":
		options = append(options, gomail.WithSSL())
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if s.User != "" {
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(s.User), gomail.WithPassword(s.Password))
	}
	c, err := gomail.NewClient(s.Host, options...)
	if err != nil {
		return nil, fmt.Errorf("mail client: %w", err)
	}
	return c, nil
}

// Check connects to the mail server and says goodbye.
func (s *Sender) Check(ctx context.Context) error {
	c, err := s.client()
	if err != nil {
		return err
	}
	if err := c.DialWithContext(ctx); err != nil {
		return err
	}
	return c.Close()
}

func host(base string) string {
	_, rest, ok := strings.Cut(base, "://")
	if !ok {
		return "zunft.invalid"
	}
	h, _, _ := strings.Cut(rest, "/")
	h, _, _ = strings.Cut(h, ":")
	return h
}

var link = regexp.MustCompile(`https?://[^\s<>"]+[^\s<>".,;:!?)]`)

// HTML makes the simple HTML part: paragraphs and links, nothing else.
func HTML(lang, subject, text string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "<!doctype html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\"><title>%s</title></head>\n<body style=\"font-family:sans-serif;font-size:16px;line-height:1.5;max-width:40em\">\n", html.EscapeString(lang), html.EscapeString(subject))
	for p := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		e := strings.ReplaceAll(html.EscapeString(p), "\n", "<br>\n")
		e = link.ReplaceAllStringFunc(e, func(u string) string { return `<a href="` + u + `">` + u + `</a>` })
		b.WriteString("<p>" + e + "</p>\n")
	}
	b.WriteString("</body></html>\n")
	return b.String()
}
