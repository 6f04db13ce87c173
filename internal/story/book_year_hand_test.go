package story_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"zunft/internal/ground/db"
	groundmail "zunft/internal/ground/mail"
	"zunft/internal/story"
	"zunft/internal/training/calendar"
	"zunft/internal/training/reminder"
	"zunft/internal/training/review"
)

// A year of one book: the clock goes from day to day, and at nine and at six
// the portal does what it does by itself.
type year struct {
	t *testing.T
	w *story.World
	c *clock
}

// moment reads "2027-08-02 07:00", in Berlin's time.
func (y *year) moment(s string) time.Time {
	y.t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", s, groundmail.Berlin)
	if err != nil {
		y.t.Fatal(err)
	}
	return at
}

func (y *year) set(at time.Time) { y.c.ahead.Store(int64(time.Until(at))) }

// to lets time pass until a moment: no reminder is skipped on the way, as none
// is while the portal runs.
func (y *year) to(s string) {
	y.t.Helper()
	end := y.moment(s)
	for at := y.c.now().In(groundmail.Berlin); ; {
		next := time.Date(at.Year(), at.Month(), at.Day(), 9, 0, 0, 0, groundmail.Berlin)
		if at.Hour() >= 18 {
			next = next.AddDate(0, 0, 1)
		} else if at.Hour() >= 9 {
			next = time.Date(at.Year(), at.Month(), at.Day(), 18, 0, 0, 0, groundmail.Berlin)
		}
		if next.After(end) {
			break
		}
		y.set(next)
		at = next
		y.works()
	}
	y.set(end)
}

// works does what the portal's jobs do.
func (y *year) works() {
	y.t.Helper()
	if err := reminder.Run(y.t.Context(), y.w.TrainingDB); err != nil {
		y.t.Fatal(err)
	}
	if err := review.Settle(y.t.Context(), y.w.TrainingDB); err != nil {
		y.t.Fatal(err)
	}
}

// final lets the ten minutes pass after which a decision stands.
func (y *year) final() {
	y.t.Helper()
	y.c.pass(11 * time.Minute)
	y.works()
}

// A formHand sends the forms of pages as they are, without a browser around it: for
// the many weeks that are like others.
type formHand struct {
	*year
	key  string
	http *http.Client
}

func (y *year) hand(key string) *formHand { return &formHand{year: y, key: key} }

// comes signs in anew, as everybody does who was away for a day.
func (h *formHand) comes() {
	h.t.Helper()
	jar, _ := cookiejar.New(nil)
	h.http = &http.Client{Jar: jar, Timeout: 30 * time.Second}
	p := h.w.Person(h.key)
	r, err := h.http.PostForm(h.w.Identity+"/login", url.Values{"username": {p.Username}, "password": {p.Password}})
	if err != nil {
		h.t.Fatal(err)
	}
	r.Body.Close()
	h.status("/documents") // a page for people leads through the door
	if page := h.page("/"); !strings.Contains(page, "Abmelden") {
		h.t.Fatalf("%s does not come in:\n%s", h.key, page)
	}
}

func (h *formHand) read(r *http.Response, err error) (*http.Response, string) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return r, string(b)
}

// page opens a page that is there.
func (h *formHand) page(path string) string {
	h.t.Helper()
	r, body := h.read(h.http.Get(h.w.Training + path))
	if asked, _, _ := strings.Cut(path, "?"); r.StatusCode != http.StatusOK || r.Request.URL.Path != asked {
		h.t.Fatalf("%s opens %s: %d %s\n%s", h.key, path, r.StatusCode, r.Request.URL, inMain(body))
	}
	return body
}

func (h *formHand) status(path string) int {
	h.t.Helper()
	r, _ := h.read(h.http.Get(h.w.Training + path))
	return r.StatusCode
}

// send sends a form and is the page it leads to.
func (h *formHand) send(action string, form url.Values) string {
	h.t.Helper()
	r, body := h.read(h.http.PostForm(h.w.Training+action, form))
	if r.StatusCode != http.StatusOK {
		h.t.Fatalf("%s sends %s: %d\n%s", h.key, action, r.StatusCode, inMain(body))
	}
	return body
}

func (h *formHand) has(body string, texts ...string) {
	h.t.Helper()
	said := text(inMain(body))
	for _, text := range texts {
		if !strings.Contains(said, text) {
			h.t.Errorf("%s does not read %q:\n%s", h.key, text, said)
		}
	}
}

func inMain(body string) string {
	_, rest, _ := strings.Cut(body, "<main")
	rest, _, _ = strings.Cut(rest, "</main>")
	return "<main" + rest
}

// formOn is a form of a page as a browser would send it, without a button.
func formOn(t testing.TB, body, action string) url.Values {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	attr := func(n *html.Node, key string) (string, bool) {
		for _, a := range n.Attr {
			if a.Key == key {
				return a.Val, true
			}
		}
		return "", false
	}
	var form url.Values
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode || n.Data != "form" {
			continue
		}
		if to, _ := attr(n, "action"); to != action {
			continue
		}
		form = url.Values{}
		for x := range n.Descendants() {
			name, named := attr(x, "name")
			if x.Type != html.ElementNode || !named {
				continue
			}
			value, _ := attr(x, "value")
			switch x.Data {
			case "input":
				kind, _ := attr(x, "type")
				if _, on := attr(x, "checked"); (kind == "checkbox" || kind == "radio") && !on {
					continue
				}
				form.Add(name, value)
			case "textarea":
				for c := range x.ChildNodes() {
					value += c.Data
				}
				form.Add(name, value)
			case "select":
				for o := range x.Descendants() {
					if _, on := attr(o, "selected"); on {
						value, _ = attr(o, "value")
					}
				}
				form.Add(name, value)
			}
		}
	}
	if form == nil {
		t.Fatalf("no form to %s on the page:\n%s", action, text(inMain(body)))
	}
	return form
}

// writes is a week: open, type, check, submit, to the trainers or an address.
// What was filled in beforehand comes back. Nothing said: an absence needs no text.
func (h *formHand) writes(week calendar.Week, field, said, to string) (days [7]string) {
	h.t.Helper()
	at := "/reports/" + week.String()
	form := formOn(h.t, h.page(at), at)
	for i := range days {
		days[i] = form.Get(fmt.Sprintf("d%d_attendance", i+1))
	}
	if said != "" {
		form.Set(field, said+" (Woche "+week.Name()+")")
	}
	form.Set("do", "check")
	form = formOn(h.t, h.send(at, form), at+"/submit")
	form.Set("approver", to)
	h.has(h.send(at+"/submit", form), "Eingereicht", "Woche "+week.Name())
	return days
}

// signs reads everything that waits and signs it off with one confirmation.
func (h *formHand) signs(want int) {
	h.t.Helper()
	h.comes()
	form := formOn(h.t, h.page("/reviews/all"), "/reviews/all")
	if n := len(form["report"]); n != want {
		h.t.Fatalf("%s has %d reports to read on %s, wanted %d", h.key, n, h.c.now().Format(time.DateOnly), want)
	}
	form.Set("read", "yes")
	h.has(h.send("/reviews/all", form), fmt.Sprintf("Gemeinsam abgezeichnete Nachweise: %d.", want))
	h.final()
}

// again signs somebody in at their window, another day.
func (p *person) again(path string) {
	p.t.Helper()
	p.signIn()
	p.Open(p.w.Training + "/documents") // leads through the door, as the first page does not
	p.Open(p.w.Training + path)
}

// personSub is who has an address, as the training portal knows them.
func personSub(t *testing.T, w *story.World, email string) (sub string) {
	t.Helper()
	if err := w.TrainingDB.Read(t.Context(), func(tx *db.Tx) (err error) {
		sub, err = db.Value[string](tx, `SELECT sub FROM person WHERE email = $1`, email)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return sub
}

// mails waits until an address has so many mails of a subject, and wants no more.
func mails(t *testing.T, w *story.World, to, subject string, want int) {
	t.Helper()
	n := 0
	for end := time.Now().Add(20 * time.Second); n < want && time.Now().Before(end); <-time.After(50 * time.Millisecond) {
		all, err := w.Mail.Wait(t.Context(), to, 1)
		if err != nil {
			t.Fatal(err)
		}
		n = 0
		for _, m := range all {
			if strings.Contains(m.Subject, subject) {
				n++
			}
		}
	}
	if n != want {
		t.Fatalf("%s has %d mails %q, wanted %d", to, n, subject, want)
	}
}

// mailSaying waits for a mail to an address with a subject, and words in it.
func mailSaying(t *testing.T, w *story.World, to, subject string, texts ...string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); <-time.After(50 * time.Millisecond) {
		all, err := w.Mail.Wait(t.Context(), to, 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range all {
			says := strings.Contains(m.Subject, subject)
			for _, text := range texts {
				says = says && strings.Contains(m.Text, text)
			}
			if says {
				return
			}
		}
	}
	t.Fatalf("%s got no mail %q that says %q", to, subject, texts)
}
