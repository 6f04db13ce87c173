package calendar

import (
	"strings"
	"time"
)

// ReadDate reads a day as people type it: 01.08.2026, 1.8.26, and as browsers
// send it: 2026-08-01. Nothing typed is no date, and not ok.
func ReadDate(s string) (Date, bool) {
	s = strings.ReplaceAll(strings.TrimSpace(s), " ", "")
	for _, layout := range []string{iso, "2.1.2006", "2.1.06"} {
		if t, err := time.Parse(layout, s); err == nil {
			return ParseDate(t.Format(iso))
		}
	}
	return "", false
}
