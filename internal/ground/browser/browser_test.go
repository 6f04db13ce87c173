package browser

import (
	"fmt"
	"html"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const front = `<!doctype html><html lang="de"><head><title>Anmeldung</title></head><body style="color:#111;background:#fff"><main>
<h1>Anmeldung</h1><p id="truth">Skripte sind aus.</p>
<script>document.getElementById("truth").textContent = "Skripte sind an.";</script>
<form method="post" action="/sent" enctype="multipart/form-data">
<p><label for="n">Benutzer&shy;name *</label> <input id="n" name="name" required aria-describedby="hint"> <span id="hint">Zum Beispiel anna</span></p>
<p><label>Kurz <input name="short" maxlength="3"></label></p>
<p><label>Geburtstag <input type="date" name="day"></label></p>
<p><label for="c">Kammer</label> <select id="c" name="chamber"><option value="1">Kammer Nord<option value="2">Kammer Musterland</select></p>
<p><label for="r">Begründung (freiwillig)</label> <textarea id="r" name="reason"></textarea></p>
<fieldset><legend>Ausbilder</legend><label><input type="radio" name="trainer" value="ja"> Ja</label> <label><input type="radio" name="trainer" value="nein"> Nein</label></fieldset>
<fieldset><legend>Verwaltung</legend><label><input type="radio" name="admin" value="ja"> Ja</label> <label><input type="radio" name="admin" value="nein"> Nein</label></fieldset>
<p><label><input type="checkbox" name="terms" value="yes"> Ich stimme zu</label></p>
<p><label>Nachweis <input type="file" name="proof"></label></p>
<p><button>Absenden</button> <button name="draft" value="1">Als Entwurf speichern</button></p>
</form>
<p><a href="/wide">Breite Seite</a> <a href="/paper">Brief als PDF</a></p>
<details><summary>Mehr erfahren</summary><p>Hier steht mehr.</p></details>
</main></body></html>`

func site(t *testing.T) string {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "seen", Value: "1", HttpOnly: true})
		fmt.Fprint(w, front)
	})
	mux.HandleFunc("POST /sent", func(w http.ResponseWriter, r *http.Request) {
		r.ParseMultipartForm(1 << 20)
		w.WriteHeader(http.StatusUnprocessableEntity)
		fmt.Fprint(w, `<!doctype html><html lang="de"><title>Gesendet</title><h1>Gesendet</h1>`)
		for _, name := range []string{"name", "short", "day", "chamber", "reason", "trainer", "admin", "terms", "draft"} {
			fmt.Fprintf(w, "<p>%s=%s</p>", name, html.EscapeString(r.FormValue(name)))
		}
		if file, header, err := r.FormFile("proof"); err == nil {
			content, _ := io.ReadAll(file)
			fmt.Fprintf(w, "<p>proof=%s:%s</p>", header.Filename, content)
		}
	})
	mux.HandleFunc("GET /wide", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `<!doctype html><title>Breit</title><h1>Breit</h1><div style="width:2000px">breit</div><img src="data:,">`)
	})
	mux.HandleFunc("GET /paper", func(w http.ResponseWriter, r *http.Request) {
		if _, err := r.Cookie("seen"); err != nil {
			http.Error(w, "no cookie", http.StatusForbidden)
			return
		}
		fmt.Fprint(w, "%PDF-1.7")
	})
	mux.HandleFunc("GET /strict", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'none'; form-action 'none'")
		fmt.Fprint(w, `<!doctype html><html lang="de"><title>Streng</title><h1>Streng</h1><p style="color:red">Text</p><form method="post" action="/sent"><button>Absenden</button></form>`)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

// The form as a person fills it in, with every kind of field, and no script.
func TestPersonFillsAForm(t *testing.T) {
	b := New(t, Options{})
	b.Open(site(t))
	if got := b.Title(); got != "Anmeldung" || b.Status() != http.StatusOK {
		t.Errorf("title %q, status %d", got, b.Status())
	}
	b.HasText("Skripte sind aus.")
	b.Fill("Benutzername", "wird überschrieben")
	b.Fill("Benutzername", "anna")
	if got := b.Value("Benutzername"); got != "anna" {
		t.Errorf("the field holds %q, want anna", got)
	}
	if got := b.Described("Benutzername"); got != "Zum Beispiel anna" {
		t.Errorf("the field is described as %q", got)
	}
	b.Fill("Kurz", "abcdef")
	b.Fill("Geburtstag", "2008-02-29")
	b.Fill("Kammer", "Kammer Musterland")
	b.Fill("Begründung", "Grüße\naus der Backstube")
	b.In("Ausbilder").Choose("Nein")
	b.In("Verwaltung").Choose("Ja")
	b.Choose("Ich stimme zu")
	b.Choose("Ich stimme zu")
	if !b.Chosen("Ich stimme zu") {
		t.Error("choosing twice took the tick away")
	}
	b.Unchoose("Ich stimme zu")
	b.Choose("Ich stimme zu")
	proof := filepath.Join(t.TempDir(), "proof.txt")
	if err := os.WriteFile(proof, []byte("bewiesen"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.Upload("Nachweis", proof)
	b.LacksText("Hier steht mehr.")
	b.Press("Mehr erfahren")
	b.HasText("Hier steht mehr.")
	b.Press("Als Entwurf speichern")
	for _, want := range []string{
		"name=anna", "short=abc", "day=2008-02-29", "chamber=2", "reason=Grüße aus der Backstube",
		"trainer=nein", "admin=ja", "terms=yes", "draft=1", "proof=proof.txt:bewiesen",
	} {
		b.HasText(want)
	}
	if b.Status() != http.StatusUnprocessableEntity || !strings.HasSuffix(b.URL(), "/sent") {
		t.Errorf("status %d at %s, want 422 at /sent", b.Status(), b.URL())
	}
}

// Scripts stay off on every page and every origin, also after axe has run
// (R304–R306), and run where a test asks for them.
func TestScriptsAreOff(t *testing.T) {
	address := site(t)
	b := New(t, Options{})
	for _, a := range []string{address, strings.Replace(address, "127.0.0.1", "localhost", 1), address} {
		b.Open(a)
		b.Axe()
		b.HasText("Skripte sind aus.")
		b.Reload()
		b.HasText("Skripte sind aus.")
	}
	with := New(t, Options{Scripts: true})
	with.Open(address)
	with.HasText("Skripte sind an.")
}

func TestWindowsShareNoCookies(t *testing.T) {
	address := site(t)
	a, b := New(t, Options{}), New(t, Options{})
	a.Open(address)
	b.Open(address + "/wide")
	if got := a.Cookies(); !slices.Contains(got, "seen") {
		t.Errorf("the visitor has the cookies %q", got)
	}
	if got := b.Cookies(); len(got) != 0 {
		t.Errorf("the stranger has the cookies %q", got)
	}
	if _, paper := a.Download("Brief als PDF"); string(paper) != "%PDF-1.7" {
		t.Errorf("downloaded %q", paper)
	}
}

func TestLookingAtPages(t *testing.T) {
	shots := t.TempDir()
	t.Setenv("ZUNFT_SHOTS", shots)
	b := New(t, Options{})
	b.Open(site(t))
	for _, v := range b.Axe() {
		t.Errorf("the good page has a violation: %s", v)
	}
	if b.Overflow(320) {
		t.Error("the good page overflows")
	}
	b.Follow("Breite Seite")
	if !b.Overflow(320) {
		t.Error("a page of 2,000 px fits into 320 px")
	}
	var found []string
	for _, v := range b.Axe() {
		found = append(found, v.ID)
	}
	for _, want := range []string{"html-has-lang", "image-alt"} {
		if !slices.Contains(found, want) {
			t.Errorf("axe found %q, without %s", found, want)
		}
	}
	b.Back()
	b.HasText("Anmeldung")
	b.Screenshot("front", 360, true)
	file, err := os.Open(filepath.Join(shots, "front-360-dark.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	picture, err := png.DecodeConfig(file)
	if err != nil || picture.Width != 360 || picture.Height < 400 {
		t.Errorf("the picture is %dx%d (%v), want 360 wide and the whole page high", picture.Width, picture.Height, err)
	}
}

// recorder is a test that may fail.
type recorder struct {
	testing.TB
	said string
}

func (r *recorder) Helper() {}
func (r *recorder) Fatalf(format string, args ...any) {
	r.said = fmt.Sprintf(format, args...)
	panic(r)
}

// failure is what Fatalf is told when the browser does something.
func failure(b *Browser, do func(*Browser)) string {
	r := &recorder{TB: b.t}
	part := *b
	part.t = r
	func() {
		defer func() {
			if p := recover(); p != nil && p != any(r) {
				panic(p)
			}
		}()
		do(&part)
	}()
	return r.said
}

// What a person cannot do fails, and the message says why.
func TestWhatCannotBeDoneFails(t *testing.T) {
	address := site(t)
	for _, c := range []struct {
		name, want string
		do         func(b *Browser)
	}{
		{"unknown field", "Benutzername", func(b *Browser) { b.Fill("Telefon", "1") }},
		{"unknown button", "Absenden", func(b *Browser) { b.Press("Löschen") }},
		{"a link is no button", "there is none", func(b *Browser) { b.Press("Breite Seite") }},
		{"two of the same", "2 of them", func(b *Browser) { b.Choose("Ja") }},
		{"nobody near", "near “Bert”", func(b *Browser) { b.In("Bert").Choose("Ja") }},
		{"a form the browser refuses", "Benutzername", func(b *Browser) { b.Press("Absenden") }},
		{"an option that is not offered", "Kammer Nord", func(b *Browser) { b.Fill("Kammer", "Kammer Süd") }},
		{"text that must not be there", "it says", func(b *Browser) { b.LacksText("Anmeldung") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := New(t, Options{})
			b.Open(address)
			if said := failure(b, c.do); !strings.Contains(said, c.want) {
				t.Errorf("it said %q, want %q in it", said, c.want)
			}
		})
	}
}

func TestBlockedThingsAreSeen(t *testing.T) {
	b := New(t, Options{Blocked: true})
	b.Open(site(t) + "/strict")
	b.HasText("Streng")
	b.seen.Lock()
	if len(b.seen.blocked) == 0 {
		t.Error("an inline style under default-src 'none' was not reported")
	}
	b.seen.Unlock()
	said := failure(b, func(b *Browser) { b.Press("Absenden") })
	if !strings.Contains(said, "the content security policy blocks it") {
		t.Errorf("it said %q of a form that form-action forbids", said)
	}
}
