package paper

import (
	"fmt"
	"html"
	"strings"

	"codeberg.org/go-pdf/fpdf"
	"rsc.io/qr"
)

// matrix is a QR code as dark runs, row by row.
type matrix struct {
	size int
	runs []run
}

type run struct{ x, y, n int }

func newMatrix(text string) (*matrix, error) {
	if text == "" {
		return nil, fmt.Errorf("make qr code: no text")
	}
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return nil, fmt.Errorf("make qr code of %d bytes: %w", len(text), err)
	}
	m := &matrix{size: code.Size}
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			if !code.Black(x, y) {
				continue
			}
			r := run{x: x, y: y}
			for ; x < code.Size && code.Black(x, y); x++ {
				r.n++
			}
			m.runs = append(m.runs, r)
		}
	}
	return m, nil
}

// draw paints the code as one path, so that no hairlines show between rows.
func (m *matrix) draw(pdf *fpdf.Fpdf, x, y, size float64) {
	k := pdf.GetConversionRatio()
	_, height := pdf.GetPageSize()
	mod := size / float64(m.size)
	var b strings.Builder
	for _, r := range m.runs {
		fmt.Fprintf(&b, "%.3f %.3f %.3f %.3f re ", (x+float64(r.x)*mod)*k, (height-y-float64(r.y+1)*mod)*k, float64(r.n)*mod*k, mod*k)
	}
	b.WriteString("f\n")
	pdf.RawWriteStr(b.String())
}

// QRSVG is a QR code as one small SVG for a web page: one path, no style, no
// script, so that the strictest content security policy lets it pass. It brings
// its own quiet zone and white ground (a dark page must not swallow it); its
// size is the page's business. alt is what a screen reader says.
func QRSVG(text, alt string) (string, error) {
	m, err := newMatrix(text)
	if err != nil {
		return "", err
	}
	var d strings.Builder
	for _, r := range m.runs {
		fmt.Fprintf(&d, "M%d %dh%dv1h-%dz", r.x+4, r.y+4, r.n, r.n)
	}
	n := m.size + 8
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="%s" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h%dv%dH0z"/><path fill="#000" d="%s"/></svg>`,
		n, n, html.EscapeString(strings.ToValidUTF8(alt, "\uFFFD")), n, n, d.String()), nil
}
