package outside

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Handler is the mailbox for eyes and for machines:
//
//	GET /mail              list, newest first; ?to= keeps one address
//	GET /mail/{id}         one mail
//	GET /email             all mails as JSON, oldest first, in maildev's field names
//	GET /email/{id}        one of them
//	GET /email/{id}/source as it came
//	DELETE /email/all      forgets them
func (m *Mailbox) Handler() http.Handler {
	mux := http.NewServeMux()
	looks(mux)
	mux.Handle("GET /{$}", http.RedirectHandler("/mail", http.StatusSeeOther))
	mux.HandleFunc("GET /mail", m.list)
	mux.HandleFunc("GET /mail/{id}", m.read)
	mux.HandleFunc("GET /email", m.all)
	mux.HandleFunc("GET /email/{id}", m.one)
	mux.HandleFunc("GET /email/{id}/source", m.source)
	mux.HandleFunc("DELETE /email/all", func(w http.ResponseWriter, _ *http.Request) {
		m.clear()
		answer(w, http.StatusOK, true)
	})
	return mux
}

const maxListed = 200

type mailList struct {
	To     string
	Mails  []Mail // newest first
	More   int
	Others []string // addresses that got mail, for the filter
}

func (m *Mailbox) list(w http.ResponseWriter, r *http.Request) {
	to := strings.TrimSpace(r.FormValue("to"))
	page := mailList{To: to}
	found := m.Mails(to)
	for i := len(found) - 1; i >= 0; i-- {
		if len(page.Mails) == maxListed {
			page.More = i + 1
			break
		}
		page.Mails = append(page.Mails, found[i])
	}
	seen := map[string]bool{}
	all := m.Mails("")
	for i := len(all) - 1; i >= 0 && len(page.Others) < 50; i-- {
		for _, a := range all[i].Envelope.To {
			if a = strings.ToLower(a); !seen[a] {
				seen[a] = true
				page.Others = append(page.Others, a)
			}
		}
	}
	show(w, http.StatusOK, "maillist.html", page)
}

func (m *Mailbox) read(w http.ResponseWriter, r *http.Request) {
	mail, ok := m.mail(r.PathValue("id"))
	if !ok {
		show(w, http.StatusNotFound, "missing.html", missing{"Diese Mail ist nicht mehr da", "Der Briefkasten behält die neuesten Mails, solange die Vorführung läuft.", "/mail", "Alle Mails"})
		return
	}
	show(w, http.StatusOK, "mail.html", mail)
}

// machineMail has the field names of maildev, which test kits know.
type machineMail struct {
	ID          string              `json:"id"`
	Time        string              `json:"time"`
	Date        string              `json:"date"`
	Subject     string              `json:"subject"`
	From        []Address           `json:"from"`
	To          []Address           `json:"to"`
	Cc          []Address           `json:"cc,omitempty"`
	Envelope    machineEnvelope     `json:"envelope"`
	Text        string              `json:"text"`
	HTML        string              `json:"html"`
	Headers     map[string]any      `json:"headers"`
	Attachments []machineAttachment `json:"attachments,omitempty"`
	Size        int                 `json:"size"`
	Read        bool                `json:"read"`
}

type machineEnvelope struct {
	From          Address   `json:"from"`
	To            []Address `json:"to"`
	RemoteAddress string    `json:"remoteAddress"`
}

type machineAttachment struct {
	FileName    string `json:"fileName"`
	ContentType string `json:"contentType"`
	Length      int    `json:"length"`
}

// Times sort as text, in the order of arrival.
const machineTime = "2006-01-02T15:04:05.000000Z"

func forMachines(m Mail) machineMail {
	out := machineMail{
		ID: m.ID, Time: m.Received.UTC().Format(machineTime), Date: m.Received.UTC().Format(machineTime),
		Subject: m.Subject, From: some(m.From), To: some(m.To), Cc: m.Cc, Text: m.Text, HTML: m.HTML,
		Headers: map[string]any{}, Size: len(m.Raw),
	}
	if !m.Date.IsZero() {
		out.Date = m.Date.UTC().Format(machineTime)
	}
	out.Envelope = machineEnvelope{From: Address{Address: m.Envelope.From}, To: []Address{}, RemoteAddress: m.Envelope.Remote}
	for _, a := range m.Envelope.To {
		out.Envelope.To = append(out.Envelope.To, Address{Address: a})
	}
	for _, h := range m.Headers {
		name := strings.ToLower(h.Name)
		switch was := out.Headers[name].(type) {
		case nil:
			out.Headers[name] = h.Value
		case string:
			out.Headers[name] = []string{was, h.Value}
		case []string:
			out.Headers[name] = append(was, h.Value)
		}
	}
	for _, a := range m.Attachments {
		out.Attachments = append(out.Attachments, machineAttachment{a.Name, a.Type, len(a.Data)})
	}
	return out
}

func some(a []Address) []Address {
	if a == nil {
		return []Address{}
	}
	return a
}

func answer(w http.ResponseWriter, status int, v any) {
	headers(w)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func (m *Mailbox) all(w http.ResponseWriter, _ *http.Request) {
	out := []machineMail{}
	for _, mail := range m.Mails("") {
		out = append(out, forMachines(mail))
	}
	answer(w, http.StatusOK, out)
}

func (m *Mailbox) one(w http.ResponseWriter, r *http.Request) {
	mail, ok := m.mail(r.PathValue("id"))
	if !ok {
		answer(w, http.StatusNotFound, map[string]string{"error": "no mail with this id"})
		return
	}
	answer(w, http.StatusOK, forMachines(mail))
}

func (m *Mailbox) source(w http.ResponseWriter, r *http.Request) {
	mail, ok := m.mail(r.PathValue("id"))
	if !ok {
		http.Error(w, "no mail with this id", http.StatusNotFound)
		return
	}
	headers(w)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write(mail.Raw)
}

// When is when the mail was sent, or else when it came.
func (m Mail) When() time.Time {
	if m.Date.IsZero() {
		return m.Received
	}
	return m.Date
}

// Filter is the list's address for one recipient.
func (mailList) Filter(to string) string { return "/mail?to=" + url.QueryEscape(to) }
