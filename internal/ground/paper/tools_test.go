package paper

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
)

// tool calls a tool on a file and returns its standard output. Where the tool is
// missing the test skips; in CI (CI=true) that is a failure.
func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not installed; CI needs it", name)
		}
		t.Skipf("%s is not installed: install qpdf, poppler-utils and zbar-tools to run this test", name)
	}
	var out, errs bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %v: %v\n%s%s", name, args, err, out.String(), errs.String())
	}
	return out.String()
}

func save(t *testing.T, pdf []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.pdf")
	if err := os.WriteFile(path, pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func lettersPDF(t *testing.T, l ...Letter) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := WriteLetters(&b, l); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func sheetPDF(t *testing.T, s Sheet) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := WriteSheet(&b, s); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// word is a word on a page with its box in mm.
type word struct {
	text           string
	page           int
	x0, y0, x1, y1 float64
}

func wordsOn(t *testing.T, path string) []word {
	t.Helper()
	out := tool(t, "pdftotext", "-bbox", path, "-")
	re := regexp.MustCompile(`<page |<word xMin="([\d.-]+)" yMin="([\d.-]+)" xMax="([\d.-]+)" yMax="([\d.-]+)">(.*?)</word>`)
	mm := func(s string) float64 {
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Fatal(err)
		}
		return v * 25.4 / 72
	}
	var ws []word
	page := 0
	for _, m := range re.FindAllStringSubmatch(out, -1) {
		if m[1] == "" {
			page++
			continue
		}
		ws = append(ws, word{m[5], page, mm(m[1]), mm(m[2]), mm(m[3]), mm(m[4])})
	}
	return ws
}

func find(t *testing.T, ws []word, text string) word {
	t.Helper()
	for _, w := range ws {
		if w.text == text {
			return w
		}
	}
	t.Fatalf("no word %q on the pages", text)
	return word{}
}
