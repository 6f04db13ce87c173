package outside

import (
	"bytes"
	"encoding/base64"
	"html"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"time"

	"golang.org/x/text/encoding/htmlindex"
)

// Mail is a mail as it came and as a person reads it.
type Mail struct {
	ID          string
	Received    time.Time
	Date        time.Time // as the mail says; zero when it does not
	Subject     string
	From        []Address
	To, Cc      []Address
	Envelope    Envelope
	Text        string // the text part, or the HTML part's text
	HTML        string
	Headers     []Header // decoded, in a stable order
	Attachments []Attachment
	Raw         []byte
}

// Address is a name and an address.
type Address struct {
	Address string `json:"address"`
	Name    string `json:"name"`
}

// Envelope is what the SMTP client said, whatever the header says.
type Envelope struct {
	From   string
	To     []string
	Remote string
}

// Header is one header line, decoded.
type Header struct{ Name, Value string }

// Attachment is a part that is not the text.
type Attachment struct {
	Name, Type string
	Data       []byte
}

// parseMail reads a mail as far as it can be read; what cannot is kept as text,
// so that a broken mail is still seen.
func parseMail(raw []byte) Mail {
	m := Mail{Raw: raw}
	msg, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		m.Text = strings.ToValidUTF8(string(raw), "\uFFFD")
		return m
	}
	words := &mime.WordDecoder{CharsetReader: charsetReader}
	decode := func(s string) string {
		if d, err := words.DecodeHeader(s); err == nil {
			s = d
		}
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	m.Headers = headersOf(raw, decode)
	m.Subject = decode(msg.Header.Get("Subject"))
	m.Date, _ = msg.Header.Date()
	m.From = addresses(msg.Header, "From", words, decode)
	m.To = addresses(msg.Header, "To", words, decode)
	m.Cc = addresses(msg.Header, "Cc", words, decode)
	p := &parts{mail: &m, decode: decode}
	p.read(msg.Header.Get, msg.Body, 0)
	if m.Text == "" && m.HTML != "" {
		m.Text = textOfHTML(m.HTML)
	}
	return m
}

func addresses(h mail.Header, name string, words *mime.WordDecoder, decode func(string) string) []Address {
	value := h.Get(name)
	if value == "" {
		return nil
	}
	list, err := (&mail.AddressParser{WordDecoder: words}).ParseList(value)
	if err != nil {
		return []Address{{Address: decode(value)}}
	}
	var out []Address
	for _, a := range list {
		out = append(out, Address{Address: a.Address, Name: a.Name})
	}
	return out
}

// headersOf reads the header block in the order of the mail.
func headersOf(raw []byte, decode func(string) string) []Header {
	var out []Header
	for _, line := range strings.Split(string(raw), "\n") {
		line = strings.TrimRight(line, "\r")
		if line == "" {
			break
		}
		if (line[0] == ' ' || line[0] == '\t') && len(out) > 0 {
			out[len(out)-1].Value += " " + strings.TrimSpace(line)
			continue
		}
		if name, value, ok := strings.Cut(line, ":"); ok {
			out = append(out, Header{name, strings.TrimSpace(value)})
		}
	}
	for i := range out {
		out[i].Value = decode(out[i].Value)
	}
	return out
}

const (
	maxDepth = 8
	maxParts = 100
)

type parts struct {
	mail   *Mail
	decode func(string) string
	seen   int
}

func (p *parts) read(header func(string) string, body io.Reader, depth int) {
	if p.seen++; p.seen > maxParts || depth > maxDepth {
		return
	}
	kind, params, err := mime.ParseMediaType(header("Content-Type"))
	if err != nil {
		kind, params = "text/plain", map[string]string{}
	}
	if strings.HasPrefix(kind, "multipart/") && params["boundary"] != "" {
		for r := multipart.NewReader(body, params["boundary"]); p.seen <= maxParts; {
			part, err := r.NextRawPart()
			if err != nil {
				return
			}
			p.read(part.Header.Get, part, depth+1)
		}
		return
	}
	switch strings.ToLower(strings.TrimSpace(header("Content-Transfer-Encoding"))) {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	data, _ := io.ReadAll(body) // what a broken part still gives is shown
	disposition, dparams, _ := mime.ParseMediaType(header("Content-Disposition"))
	name := p.decode(dparams["filename"])
	if name == "" {
		name = p.decode(params["name"])
	}
	inline := disposition != "attachment" && name == ""
	switch {
	case inline && kind == "text/plain" && p.mail.Text == "":
		p.mail.Text = inUTF8(data, params["charset"])
	case inline && kind == "text/html" && p.mail.HTML == "":
		p.mail.HTML = inUTF8(data, params["charset"])
	default:
		p.mail.Attachments = append(p.mail.Attachments, Attachment{Name: name, Type: kind, Data: data})
	}
}

func charsetReader(charset string, r io.Reader) (io.Reader, error) {
	enc, err := htmlindex.Get(charset)
	if err != nil {
		return nil, err
	}
	return enc.NewDecoder().Reader(r), nil
}

func inUTF8(data []byte, charset string) string {
	if charset != "" {
		if enc, err := htmlindex.Get(charset); err == nil {
			if out, err := enc.NewDecoder().Bytes(data); err == nil {
				data = out
			}
		}
	}
	return strings.ReplaceAll(strings.ToValidUTF8(string(data), "\uFFFD"), "\r\n", "\n")
}

// textOfHTML is what a person would read of an HTML mail; links keep their
// address. It only has to be readable: nobody runs or renders the result.
func textOfHTML(s string) string {
	var b strings.Builder
	for s != "" {
		open := strings.IndexByte(s, '<')
		if open < 0 {
			b.WriteString(s)
			break
		}
		b.WriteString(s[:open])
		tag, rest, closed := strings.Cut(s[open+1:], ">")
		if !closed {
			break
		}
		s = rest
		name, _, _ := strings.Cut(strings.ToLower(strings.TrimRight(tag, "/ ")), " ")
		switch name {
		case "style", "script", "title":
			if end := strings.Index(strings.ToLower(s), "</"+name); end >= 0 {
				s = s[end:]
			}
		case "br", "p", "div", "tr", "li", "h1", "h2", "h3":
			b.WriteByte('\n')
		case "a":
			if _, after, ok := strings.Cut(tag, `href="`); ok {
				href, _, _ := strings.Cut(after, `"`)
				b.WriteString(" " + href + " ")
			}
		}
	}
	return strings.TrimSpace(html.UnescapeString(b.String()))
}
