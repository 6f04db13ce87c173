package story_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/outside"
	"zunft/internal/story"
)

const crashDir, crashMail = "ZUNFT_CRASH_DIR", "ZUNFT_CRASH_MAIL"

// TestCrashChild is the process that TestCrash kills: `zunft demo --keep DIR --json`
// without the console around it.
func TestCrashChild(t *testing.T) {
	dir := os.Getenv(crashDir)
	if dir == "" {
		return // only as a child of TestCrash
	}
	w, err := story.Start(context.Background(), story.Options{Dir: dir, People: 40, SMTP: os.Getenv(crashMail)})
	if err != nil {
		t.Fatal(err)
	}
	json.NewEncoder(os.Stdout).Encode(w)
	io.Copy(io.Discard, os.Stdin) // until the parent goes
	os.Exit(0)
}

// A child that runs, until it is killed.
type child struct {
	*exec.Cmd
	identity string
	leash    io.Closer
}

func bear(t *testing.T, dir, mailbox string) *child {
	t.Helper()
	c := &child{Cmd: exec.Command(os.Args[0], "-test.run=^TestCrashChild$")}
	c.Env = append(os.Environ(), crashDir+"="+dir, crashMail+"="+mailbox)
	leash, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.leash = leash
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	var w story.World
	if err == nil {
		err = json.Unmarshal(line, &w)
	}
	if err != nil {
		c.kill()
		t.Fatalf("the demo does not start again: %v %s", err, line)
	}
	c.identity = w.Identity
	return c
}

func (c *child) kill() {
	c.Process.Kill()
	c.leash.Close()
	c.Wait()
}

// quiet is a visitor whose requests may fail: the server is being killed.
type quiet struct{ *http.Client }

func (q quiet) post(address string, form url.Values) (int, string, string, error) {
	r, err := q.PostForm(address, form)
	if err != nil {
		return 0, "", "", err
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	return r.StatusCode, r.Header.Get("Location"), string(b), err
}

// Killed twenty times in the middle of joining, deciding and registering, the
// installation starts again each time, and afterwards: what was acknowledged
// is there, nothing is half done, every change has its record and every record
// its change, and no mail is lost (Security list 3.3).
func TestCrash(t *testing.T) {
	dir := t.TempDir()
	mailbox := outside.NewMailbox("")
	smtp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go mailbox.Serve(smtp)
	defer mailbox.Close()

	c := bear(t, dir, smtp.Addr().String())
	who := map[string]quiet{}
	var names []string
	for i := range 40 {
		names = append(names, fmt.Sprintf("person-%06d", i+1))
	}
	for _, name := range append([]string{"bert.backmann", "clara.clausen", "nora.nagel"}, names...) {
		v := newVisitor(t)
		if r, body := v.post(c.identity+"/login", url.Values{"username": {name}, "password": {story.Password}}); r.StatusCode != http.StatusSeeOther {
			t.Fatal(name, text(body))
		}
		who[name] = quiet{v.http} // sessions and cookies outlive the process
	}
	d, err := db.Connect(t.Context(), "sqlite:"+filepath.Join(dir, "identity.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	bakery := value(t, d, `SELECT id FROM organization WHERE ident_number = '100017'`)
	firms := directoryForms()

	var mu sync.Mutex
	acked := map[string]string{} // what was answered with "done": request or registration id → state
	note := func(id, state string) { mu.Lock(); acked[id] = state; mu.Unlock() }
	happened := func() int { mu.Lock(); defer mu.Unlock(); return len(acked) }
	person, firm := 0, 0
	take := func(n *int, most int) (int, bool) {
		mu.Lock()
		defer mu.Unlock()
		if *n >= most {
			return 0, false
		}
		*n++
		return *n - 1, true
	}
	asks := make(chan string, 100)
	requestOf := regexp.MustCompile(`^/requests/([0-9a-f-]{36})/sent`)
	registrationOf := regexp.MustCompile(`^/registrations/([0-9a-f-]{36})/done`)
	hidden := func(page, name string) string {
		m := regexp.MustCompile(`name="` + name + `" value="([^"]*)"`).FindStringSubmatch(page)
		if m == nil {
			return ""
		}
		return m[1]
	}
	join := func(base string) error {
		i, ok := take(&person, len(names))
		if !ok {
			return io.EOF
		}
		v := who[names[i]]
		_, to, _, err := v.post(base+"/organizations/join", url.Values{"name": {"Bäckerei Morgenrot GmbH"}, "street": {"Mehlgasse"}, "house_number": {"4"}, "postcode": {"00999"}})
		if err != nil || to == "" {
			return err
		}
		_, to, _, err = v.post(base+to, url.Values{"reason": {"Bitte"}})
		if m := requestOf.FindStringSubmatch(to); err == nil && m != nil {
			note(m[1], "open")
			select {
			case asks <- m[1]:
			default:
			}
		}
		return err
	}
	decide := func(base string, n int) error {
		var id string
		select {
		case id = <-asks:
		default:
			return nil
		}
		bert := who["bert.backmann"]
		if _, _, _, err := bert.post(base+"/requests/"+id+"/claim", nil); err != nil {
			return err
		}
		verb, state := "approve", "approved"
		if n%3 == 0 {
			verb, state = "deny", "denied"
		}
		status, _, _, err := bert.post(base+"/requests/"+id+"/"+verb, url.Values{"answer": {"Nein."}})
		if err == nil && status == http.StatusSeeOther {
			note(id, state)
		}
		return err
	}
	found := func(base string) error {
		i, ok := take(&firm, len(firms))
		if !ok {
			return io.EOF
		}
		_, to, _, err := who["nora.nagel"].post(base+"/organizations/register", firms[i])
		m := registrationOf.FindStringSubmatch(to)
		if err != nil || m == nil {
			return err
		}
		note(m[1], "submitted")
		clara, at := who["clara.clausen"], base+"/chamber/registrations/"+m[1]
		if _, _, _, err := clara.post(at, url.Values{"do": {"claim"}}); err != nil {
			return err
		}
		r, err := clara.Get(at)
		if err != nil {
			return err
		}
		b, err := io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil {
			return err
		}
		status, _, _, err := clara.post(at, url.Values{"do": {"approve"}, "evidence": {"letter"}, "version": {hidden(string(b), "version")}, "entry": {hidden(string(b), "entry")}})
		if err == nil && status == http.StatusSeeOther {
			note(m[1], "approved")
		}
		return err
	}

	const kills = 20
	for k := range kills {
		var group sync.WaitGroup
		dead := make(chan struct{})
		loop := func(f func(n int) error) {
			group.Go(func() {
				for n := 0; ; n++ {
					select {
					case <-dead:
						return
					default:
					}
					if f(n) != nil {
						return
					}
				}
			})
		}
		var few sync.Mutex
		left := map[string]int{"join": 2, "found": 2} // so that there is work for every round
		some := func(what string, f func(string) error) func(int) error {
			return func(int) error {
				few.Lock()
				left[what]--
				stop := left[what] < 0
				few.Unlock()
				if stop {
					return io.EOF
				}
				return f(c.identity)
			}
		}
		loop(some("join", join))
		loop(some("join", join))
		loop(some("found", found))
		loop(func(n int) error { return decide(c.identity, n+k) })
		// Something was answered in each round, also on a busy machine.
		for slow := time.Now().Add(20 * time.Second); happened() <= k && time.Now().Before(slow); {
			<-time.After(5 * time.Millisecond)
		}
		<-time.After(time.Duration(20+k*37%140) * time.Millisecond)
		c.kill()
		close(dead)
		group.Wait()
		c = bear(t, dir, smtp.Addr().String())
	}

	// All mails leave in the end.
	for deadline := time.Now().Add(60 * time.Second); count(t, d, `SELECT count(*) FROM job WHERE kind = 'mail' AND state = 'ready'`) > 0; {
		if time.Now().After(deadline) {
			t.Fatal("mails stay: ", dump(t, d, "job"))
		}
		// A job in the hands of a killed worker waits until its lease ends.
		if err := d.Write(t.Context(), func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE job SET run_at = $1 WHERE kind = 'mail' AND lease <> ''`, tx.Now())
			return err
		}); err != nil {
			t.Fatal(err)
		}
		<-time.After(200 * time.Millisecond)
	}
	c.kill()
	t.Logf("%d answers of done, %d requests, %d registrations", len(acked), count(t, d, `SELECT count(*) FROM request`), count(t, d, `SELECT count(*) FROM registration`))

	for id, state := range acked {
		got := count(t, d, `SELECT (SELECT count(*) FROM request WHERE id = $1 AND (state = $2 OR $2 = 'open')) + (SELECT count(*) FROM registration WHERE id = $1 AND (state = $2 OR $2 = 'submitted'))`, id, state)
		if got != 1 {
			t.Errorf("%s was acknowledged as %s and is not", id, state)
		}
	}
	for what, query := range map[string]string{
		"approved without membership":                      `SELECT count(*) FROM request r WHERE state = 'approved' AND NOT EXISTS (SELECT 1 FROM membership m WHERE m.organization = r.organization AND m.account = r.applicant)`,
		"membership without approval":                      `SELECT count(*) FROM membership m JOIN account a ON a.id = m.account WHERE a.username LIKE 'person-%' AND NOT EXISTS (SELECT 1 FROM request r WHERE r.organization = m.organization AND r.applicant = m.account AND r.state = 'approved')`,
		"organization without letter":                      `SELECT count(*) FROM organization o WHERE NOT EXISTS (SELECT 1 FROM letter l WHERE l.organization = o.id)`,
		"approved registration without organization":       `SELECT count(*) FROM registration r WHERE state = 'approved' AND NOT EXISTS (SELECT 1 FROM organization o WHERE o.id = r.organization)`,
		"organization without approved registration":       `SELECT count(*) FROM organization o WHERE NOT EXISTS (SELECT 1 FROM registration r WHERE r.organization = o.id AND r.state = 'approved')`,
		"request without its record":                       `SELECT count(*) FROM request r WHERE NOT EXISTS (SELECT 1 FROM audit a WHERE a.thing = r.id AND a.event = 'join.submitted')`,
		"decision without its record":                      `SELECT count(*) FROM request r WHERE state IN ('approved', 'denied') AND NOT EXISTS (SELECT 1 FROM audit a WHERE a.thing = r.id AND a.event = 'join.' || r.state)`,
		"record without its decision":                      `SELECT count(*) FROM audit a WHERE event IN ('join.approved', 'join.denied') AND NOT EXISTS (SELECT 1 FROM request r WHERE r.id = a.thing AND a.event = 'join.' || r.state)`,
		"record without its request":                       `SELECT count(*) FROM audit a WHERE event = 'join.submitted' AND NOT EXISTS (SELECT 1 FROM request r WHERE r.id = a.thing)`,
		"registration without its record":                  `SELECT count(*) FROM registration r WHERE NOT EXISTS (SELECT 1 FROM audit a WHERE a.thing = r.id AND a.event = 'registration.submitted')`,
		"record of an approval without its registration":   `SELECT count(*) FROM audit a WHERE event = 'registration.approved' AND NOT EXISTS (SELECT 1 FROM registration r WHERE r.id = a.thing AND r.state = 'approved')`,
		"approved registration without its record":         `SELECT count(*) FROM registration r WHERE state = 'approved' AND NOT EXISTS (SELECT 1 FROM audit a WHERE a.thing = r.id AND a.event = 'registration.approved')`,
		"dead letters":                                     `SELECT count(*) FROM job WHERE state = 'dead'`,
		"two letters that count":                           `SELECT count(*) FROM (SELECT organization FROM letter WHERE state IN ('queued', 'printed') GROUP BY organization HAVING count(*) > 1) AS x`,
		"requests to a company that was asked for nothing": `SELECT count(*) FROM request WHERE organization <> '` + bakery + `'`,
	} {
		if n := count(t, d, query); n != 0 {
			t.Errorf("%s: %d", what, n)
		}
	}
	var asked []string
	if err := d.Read(t.Context(), func(tx *db.Tx) (err error) {
		asked, err = db.Values[string](tx, `SELECT r.id FROM request r JOIN account a ON a.id = r.applicant WHERE a.username LIKE 'person-%'`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	got := mailbox.Mails("bert@example.org")
	for _, id := range asked {
		if !slices.ContainsFunc(got, func(m outside.Mail) bool { return strings.Contains(m.Text, "/requests/"+id) }) {
			t.Errorf("the mail about request %s is lost", id)
		}
	}
	if len(asked) == 0 || len(acked) < kills {
		t.Error("too little happened to say anything:", len(asked), len(acked))
	}
}

// directoryForms are registrations of the companies of the directory that
// nobody has registered.
func directoryForms() (forms []url.Values) {
	for i, line := range strings.Split(string(story.Directory), "\n") {
		c := strings.Split(strings.TrimSpace(line), ";")
		if i < 4 || len(c) < 11 {
			continue
		}
		key := "gmbh"
		forms = append(forms, url.Values{"do": {"submit"}, "name": {c[1]}, "legal_form": {key}, "street": {c[3]}, "house_number": {c[4]}, "postcode": {c[5]}, "place": {c[6]}, "ident_number": {c[0]}, "reason": {"Ich leite die Ausbildung."}})
	}
	return forms
}
