package portal_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"zunft/internal/ground/browser"
	"zunft/internal/ground/dbtest"
	"zunft/internal/training/schema"
)

// cut ends the server as a dead zone does; connect brings it back.
func (w *world) cut() { w.server.Close() }

func (w *world) connect() {
	w.t.Helper()
	handler, address := w.server.Config.Handler, strings.TrimPrefix(w.server.URL, "http://")
	listener, err := net.Listen("tcp", address)
	if err != nil {
		w.t.Fatal(err)
	}
	w.server = &httptest.Server{Listener: listener, Config: &http.Server{Handler: handler}}
	w.server.Start()
	w.t.Cleanup(w.server.Close)
}

// Offline drafts: what is written without a connection stands in the fields as
// soon as there is one, whether the page was open or not; who signs out, or
// somebody else who signs in, finds nothing (ux.md 3.3, decision 0025).
func TestWritingWithoutAConnection(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, "sqlite", schema.Files))
	at := w.server.URL
	anna := w.comes(claims("anna", "Anna", "Muster", "Morgenrot GmbH", "apprentice"))
	emil := w.comes(claims("emil", "Emil", "Neumann", "Morgenrot GmbH", "apprentice"))
	b := browser.New(t, browser.Options{Width: 360, Scripts: true})
	kept := func() { b.Until(`document.querySelector("form[data-kept]")`) }
	ready := func() { b.Until(`document.querySelector("form[data-ready]")`) }
	write := func(text string) {
		t.Helper()
		b.Fill("Betriebliche Tätigkeiten", text)
		kept()
	}
	value := func(want string) {
		t.Helper()
		if got := b.Value("Betriebliche Tätigkeiten"); got != want {
			t.Errorf("%s shows %q, not %q", b.URL(), got, want)
		}
	}

	b.Open(at + "/cookie/" + anna.token)
	b.Open(at + "/reports/2026-W47")
	b.Until(`navigator.serviceWorker.controller || navigator.serviceWorker.ready.then(() => true)`)
	ready()

	// The bus drives into the tunnel: saving fails, the text is there without a net and with one.
	write("Roggenteige angesetzt")
	w.cut()
	b.Press("Speichern")
	ready()
	b.HasText("Ohne Netz")
	b.HasText("Woche 47")
	value("Roggenteige angesetzt")
	b.Inspect("training/offline")
	write("Roggenteige angesetzt und Sauerteig gepflegt")
	// What was chosen for the days is kept beside it, and stays when the text goes
	// on without a connection.
	chosen := func(hours string) {
		t.Helper()
		b.Until(`document.querySelector("[name=d2_attendance]").value === "school" && document.querySelector("[name=d2_hours]").value === "` + hours + `"`)
	}
	w.connect()
	b.Open(at + "/reports/2026-W44")
	ready()
	b.Until(`[["d2_attendance", "school"], ["d2_hours", "6,5"]].map(([n, v]) => {
		const e = document.querySelector("[name=" + n + "]");
		e.value = v;
		return e.dispatchEvent(new Event("input", { bubbles: true }));
	})`)
	kept()
	w.cut()
	b.Reload()
	ready()
	write("Im Zug weitergeschrieben")
	w.connect()
	b.Reload()
	ready()
	value("Im Zug weitergeschrieben")
	chosen("6,5")
	b.Press("Speichern")
	ready()
	chosen("6:30")
	b.LacksText("Auf diesem Gerät liegt noch ein Text")
	w.cut()
	// Another week, never opened before.
	b.Open(at + "/reports/2026-W46")
	ready()
	b.HasText("Auf diesem Gerät geschrieben") // the other one is named
	write("Backstube aufgeräumt")
	w.connect()
	b.Open(at + "/reports/2026-W47")
	ready()
	b.HasText("Von diesem Gerät wiederhergestellt")
	value("Roggenteige angesetzt und Sauerteig gepflegt")
	b.Inspect("training/edit-restored")
	b.Press("Speichern")
	ready()
	b.LacksText("Von diesem Gerät wiederhergestellt")
	if !strings.Contains(anna.get("/reports/2026-W47").body, "Sauerteig gepflegt") {
		t.Error("what was written in the tunnel is not saved")
	}
	b.Reload()
	ready()
	b.LacksText("Von diesem Gerät wiederhergestellt")

	// Saved on another device meanwhile: both are shown, neither is lost.
	anna.follow("/reports/2026-W46", "version", "0", "do", "save", "work", "Mehl eingelagert")
	b.Open(at + "/reports/2026-W46")
	ready()
	value("Mehl eingelagert")
	b.HasText("Backstube aufgeräumt")
	b.Inspect("training/edit-other-device")
	b.Press("In die Felder übernehmen")
	value("Backstube aufgeräumt")
	b.Press("Prüfen und einreichen")
	b.HasText("Backstube aufgeräumt")

	// Somebody else's turn on the same phone: nothing of Anna's is left.
	b.Open(at + "/reports/2026-W45")
	ready()
	write("Ofen gereinigt")
	b.Open(at + "/cookie/" + emil.token)
	b.Open(at + "/reports/2026-W45")
	ready()
	value("")
	b.LacksText("wiederhergestellt")
	w.cut()
	b.Reload()
	ready()
	b.LacksText("Ofen gereinigt")
	b.LacksText("Auf diesem Gerät geschrieben")
	write("Emils Text")
	w.connect()

	// Signing out forgets all of it.
	emil.post("/logout")
	b.Open(at + "/logged-out")
	emil.signIn()
	b.Open(at + "/cookie/" + emil.token)
	b.Open(at + "/reports/2026-W45")
	ready()
	value("")
}
