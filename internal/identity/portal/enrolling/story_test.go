package enrolling

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/table"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/application"
	"zunft/internal/identity/invitation"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/notice"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/portal/portaltest"
	"zunft/internal/identity/roster"
	"zunft/internal/identity/schema"
	"zunft/internal/identity/session"
	"zunft/internal/identity/site"
)

// bakery is a company with Bert as admin and Emil as member; Carl is a stranger.
func bakery(t *testing.T, d *db.DB) (*portaltest.World, map[string]*portaltest.Person) {
	w := portaltest.New(t, d)
	front, _, mux := w.Front(web.Phrases, Phrases, roster.Phrases, table.Phrases, invitation.Phrases, account.Phrases, application.Phrases, notice.Phrases, membership.Phrases, organization.Phrases, site.Phrases)
	(&Pages{DB: d, Site: front}).Mount(mux)
	roster.Work(w.Jobs, d)
	invitation.Work(w.Jobs, d)
	w.Handler = mux.Handler()
	people := map[string]*portaltest.Person{}
	w.Write(func(tx *db.Tx) error {
		if _, err := tx.Exec(`INSERT INTO chamber (id, number, name, short_name, created_at) VALUES ('c', '999', 'Kammer Musterland', 'Musterland', $1)`, tx.Now()); err != nil {
			return err
		}
		for _, name := range []string{"bert", "emil", "carl"} {
			a, err := account.Create(tx, audit.Console, account.New{GivenName: name, FamilyName: "Beispiel", Username: name, Email: name + "@example.org", Password: "x", Confirmed: true})
			if err != nil {
				return err
			}
			if name == "bert" {
				if _, err := tx.Exec(`INSERT INTO organization (id, chamber, ident_number, name, legal_form, street, house_number, postcode, place, register_kind, register_number, register_court,
					management, company_key, name_key, state, registered_by, created_at) VALUES ('b', 'c', '100017', 'Bäckerei', '', 'Weg', '1', '00999', 'Ort', '', '', '', '', 'x', 'x', 'active', $1, $2)`, a.ID, tx.Now()); err != nil {
					return err
				}
			}
			if name != "carl" {
				if err := membership.Grant(tx, audit.Console, "b", a.ID, name == "bert"); err != nil {
					return err
				}
			}
			people[name] = w.Person("192.0.2.1")
			if people[name].Cookies["t_session"], _, err = session.Start(tx, audit.Actor{Account: a.ID}, a.ID, "pwd"); err != nil {
				return err
			}
		}
		return nil
	})
	return w, people
}

// sends a form with a file, as a browser does.
func uploads(w *portaltest.World, p *portaltest.Person, name, content, rows string) (status int, to, text string) {
	w.T.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	if name != "" {
		f, err := m.CreateFormFile("file", name)
		if err != nil {
			w.T.Fatal(err)
		}
		f.Write([]byte(content))
	}
	m.WriteField("rows", rows)
	m.Close()
	r := httptest.NewRequest(http.MethodPost, portaltest.Base+"/organizations/b/rosters", &body)
	r.Header.Set("Content-Type", m.FormDataContentType())
	r.Header.Set("Accept-Language", "de")
	for name, value := range p.Cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	rec := httptest.NewRecorder()
	w.Handler.ServeHTTP(rec, r)
	return rec.Code, rec.Header().Get("Location"), rec.Body.String()
}

func each(t *testing.T, f func(t *testing.T, w *portaltest.World, people map[string]*portaltest.Person)) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) { w, people := bakery(t, d); f(t, w, people) })
}

// Every route is the admins' alone: a member reads that it is not for them, for
// strangers there is nothing, and a stranger's file is not even read.
func TestOnlyAdmins(t *testing.T) {
	each(t, func(t *testing.T, w *portaltest.World, people map[string]*portaltest.Person) {
		status, at, _ := uploads(w, people["bert"], "liste.csv", "E-Mail\nlena@example.org\n", "")
		if status != http.StatusSeeOther {
			t.Fatal(status)
		}
		for _, route := range []string{
			"GET /organizations/b/rosters", "GET /organizations/b/rosters/example.csv", "GET " + at, "GET " + at + "/send", "GET " + at + "/remaining", "GET " + at + "/slips", "GET " + at + "/drop",
			"POST " + at + "/columns", "POST " + at + "/rows", "POST " + at + "/defaults", "POST " + at + "/send", "POST " + at + "/remind", "POST " + at + "/slips", "POST " + at + "/drop",
		} {
			method, path, _ := strings.Cut(route, " ")
			form := map[string][]string{"line": {"2"}, "days": {"3"}, "version": {"1"}}
			if method == "GET" {
				form = nil
			}
			if got := people["emil"].Do(method, path, form); got.Status != http.StatusForbidden {
				t.Errorf("a member: %s %d", route, got.Status)
			}
			if got := people["carl"].Do(method, path, form); got.Status != http.StatusNotFound {
				t.Errorf("a stranger: %s %d", route, got.Status)
			}
			if got := people["bert"].Do(method, strings.Replace(path, "/b/", "/x/", 1), form); got.Status != http.StatusNotFound {
				t.Errorf("another organization: %s %d", route, got.Status)
			}
		}
		for name, want := range map[string]int{"emil": http.StatusForbidden, "carl": http.StatusNotFound} {
			if status, _, _ := uploads(w, people[name], "liste.csv", "E-Mail\nlena@example.org\n", ""); status != want {
				t.Errorf("%s uploads: %d", name, status)
			}
		}
		if n := w.Count(`SELECT (SELECT count(*) FROM roster) * 100 + (SELECT count(*) FROM invitation)`); n != 100 {
			t.Errorf("%d: a list or an invitation too many or too few", n)
		}
	})
}

// What is wrong is said where it is, with status 422 or 409, and nothing is lost.
func TestMistakes(t *testing.T) {
	each(t, func(t *testing.T, w *portaltest.World, people map[string]*portaltest.Person) {
		bert := people["bert"]
		for name, c := range map[string][4]string{
			"nothing": {"", "", "", "Wählen Sie eine Datei oder fügen Sie Zeilen ein."}, "picture": {"bild.png", "\x89PNG\r\n\x00", "a@x.de", "keine Liste"}, "large": {"a.csv", strings.Repeat("x", table.MaxFile+1), "", "größer als 8 MB"},
			"very large": {"a.csv", strings.Repeat("x", table.MaxFile+2<<20), "", "größer als 8 MB"}, "empty": {"a.csv", "", "", "keine Zeilen"}, "empty paste": {"", "", "\n\n", "keine Zeilen"},
		} {
			if status, _, text := uploads(w, bert, c[0], c[1], c[2]); status != http.StatusUnprocessableEntity || !strings.Contains(text, c[3]) || c[2] == "a@x.de" && !strings.Contains(text, "a@x.de") {
				t.Errorf("%s: %d, lacks %q", name, status, c[3])
			}
		}
		_, at, _ := uploads(w, bert, "", "", "Lena\tBerger\tlena@example.org\nMax\tMuster\tmax@")
		page := bert.Get(at).Want(t, http.StatusOK, "2 Zeilen gelesen. 1 ist bereit. 1 ist zu korrigieren.", "1 Zeile zu korrigieren", "Eingefügte Zeilen")
		if strings.Contains(page.Body, "http-equiv") {
			t.Error("a draft loads itself again")
		}
		bert.Post(at+"/columns", "version", "1", "column-0", "email", "column-1", "email").Want(t, http.StatusUnprocessableEntity, "schon einer anderen Spalte zugeordnet")
		bert.Post(at+"/columns", "version", "7").Want(t, http.StatusConflict, "inzwischen an anderer Stelle geändert")
		bert.Post(at+"/defaults", "version", "1", "days", "viele").Want(t, http.StatusUnprocessableEntity, "von 1 bis 90 Tagen")
		bert.Post(at+"/rows", "line", "2", "email-2", "max@example.org").Goes(t, at)
		bert.Post(at+"/defaults", "version", "2", "days", "5").Goes(t, at+"/send")
		bert.Post(at+"/send", "version", "1").Want(t, http.StatusConflict, "inzwischen an anderer Stelle geändert")
		bert.Get(at+"/send").Want(t, http.StatusOK, "2 Personen einladen?")
		bert.Post(at+"/send", "version", "3").Goes(t, at)
		page = bert.Get(at).Want(t, http.StatusOK, "Die Einladungen werden versendet")
		if !strings.Contains(page.Body, `http-equiv="refresh" content="5"`) {
			t.Error("the page of a list that is being sent does not load itself again")
		}
		bert.Post(at+"/rows", "line", "2", "email-2", "x@example.org").Want(t, http.StatusConflict, "gerade versendet")
		if got := w.Inbox("lena@example.org", "max@example.org"); len(got) != 2 {
			t.Errorf("%d mails", len(got))
		}
		bert.Get(at).Want(t, http.StatusOK, "2 Einladungen versendet")
		bert.Get(at+"?show=nonsense").Want(t, http.StatusNotFound)
		bert.Get(at+"/slips").Want(t, http.StatusOK, "braucht niemand einen Zettel")
		bert.Post(at+"/slips").Want(t, http.StatusConflict, "braucht niemand einen Zettel")
		w.Pass(25 * time.Hour)
		w.Write(func(tx *db.Tx) (err error) { // the session has ended meanwhile
			who, err := account.ByLogin(tx, "bert")
			if err != nil {
				return err
			}
			bert.Cookies["t_session"], _, err = session.Start(tx, audit.Actor{Account: who.ID}, who.ID, "pwd")
			return err
		})
		bert.Post(at+"/remind").Goes(t, at)
		if got := w.Inbox("lena@example.org", "max@example.org"); len(got) != 2 {
			t.Errorf("%d reminders", len(got))
		}
		bert.Post(at+"/drop").Goes(t, "/organizations/b/rosters")
		if n := w.Count(`SELECT count(*) FROM invitation WHERE state = 'sent'`); n != 2 {
			t.Error("invitations went with their list")
		}
	})
}
