package outside

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
)

func post(t *testing.T, h http.Handler, token, kind string, body io.Reader, change func(http.Header)) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest("POST", "/letters", body)
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", kind)
	r.Header.Set("X-Batch", "B-7")
	r.Header.Set("X-Letters", "1")
	r.Header.Set("X-Chamber", "999")
	if change != nil {
		change(r.Header)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestPrintShopTakesAndShowsLetters(t *testing.T) {
	dir := t.TempDir()
	shop := NewPrintShop("geheim", dir)
	h := shop.Handler()
	pdf := onePage("Kennwort K7M4-P2XR-9TQ8")
	for name, w := range map[string]*httptest.ResponseRecorder{
		"401": post(t, h, "geraten", "application/pdf", strings.NewReader(pdf), nil),
		"415": post(t, h, "geheim", "text/plain", strings.NewReader(pdf), nil),
		"400": post(t, h, "geheim", "application/pdf", strings.NewReader("Brief"), nil),
		"413": post(t, h, "geheim", "application/pdf", io.LimitReader(zeros{}, maxBatchSize+1), nil),
	} {
		if fmt.Sprint(w.Code) != name {
			t.Errorf("got %d, want %s", w.Code, name)
		}
	}
	if w := post(t, h, "geheim", "application/pdf", strings.NewReader(pdf), func(h http.Header) { h.Set("X-Letters", "viele") }); w.Code != 400 {
		t.Errorf("a batch of unknown size: %d", w.Code)
	}
	if w := post(t, NewPrintShop("", "").Handler(), "", "application/pdf", strings.NewReader(pdf), nil); w.Code != 401 {
		t.Errorf("a shop without a token takes letters: %d", w.Code)
	}
	first := post(t, h, "geheim", "application/pdf", strings.NewReader(pdf), nil)
	if first.Code != 201 || first.Header().Get("Location") != "/letters/1" {
		t.Fatalf("%d %s", first.Code, first.Body)
	}
	if again := post(t, h, "geheim", "application/pdf", strings.NewReader(pdf), nil); again.Code != 200 || again.Header().Get("Location") != "/letters/1" {
		t.Errorf("the same batch was taken twice: %d", again.Code)
	}
	all, err := shop.Wait(soon(t), 1)
	if err != nil || len(all) != 1 || all[0].Chamber != "999" || all[0].Letters != 1 || string(all[0].PDF) != pdf || all[0].Pages() != 1 {
		t.Fatalf("%v %+v", err, all)
	}
	if kept, _ := filepath.Glob(filepath.Join(dir, "*.pdf")); len(kept) != 1 {
		t.Errorf("files %v", kept)
	}
	if w := get(t, h, "/letters/1.pdf"); w.Body.String() != pdf || w.Header().Get("Content-Type") != "application/pdf" {
		t.Error("the PDF is another one")
	}
	if list := get(t, h, "/letters").Body.String(); !strings.Contains(list, "1 Brief, Kammer 999") || !strings.Contains(list, "Druckstapel B-7") {
		t.Errorf("list:\n%s", list)
	}
	for _, path := range []string{"/letters/2", "/letters/2.pdf", "/letters/1/2.png", "/letters/1/x.png", "/letters/1/1.gif"} {
		if w := get(t, h, path); w.Code != 404 {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	need(t, "pdftotext")
	text, err := all[0].Text(soon(t))
	if err != nil || len(text) != 1 || !strings.Contains(text[0], "K7M4-P2XR-9TQ8") {
		t.Errorf("text %q, %v", text, err)
	}
	need(t, "pdftoppm")
	if w := get(t, h, "/letters/1/1.png"); w.Code != 200 || !bytes.HasPrefix(w.Body.Bytes(), []byte("\x89PNG")) {
		t.Errorf("picture: %d", w.Code)
	}
	if page := get(t, h, "/letters/1").Body.String(); !strings.Contains(page, `src="/letters/1/1.png"`) || !strings.Contains(page, "K7M4-P2XR-9TQ8") {
		t.Errorf("page:\n%s", page)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// onePage is the smallest PDF that says something.
func onePage(text string) string {
	content := "BT /F1 24 Tf 72 700 Td (" + text + ") Tj ET"
	objects := []string{
		"<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>",
		"<</Type/Page /Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
		fmt.Sprintf("<</Length %d>>stream\n%s\nendstream", len(content), content), "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
	}
	b := "%PDF-1.4\n"
	xref := fmt.Sprintf("xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for i, o := range objects {
		xref += fmt.Sprintf("%010d 00000 n \n", len(b))
		b += fmt.Sprintf("%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	return b + fmt.Sprintf("%strailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", xref, len(objects)+1, len(b))
}
