package book

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

var hoursForm = regexp.MustCompile(`^(?:(\d{1,3})(?:[.,](\d{1,2}))?|(\d{1,3}):([0-5]\d))$`)

// ReadHours reads hours as people write them: 8, 7,5, 7.75 or 7:30, with or
// without an h. Nothing is 0 minutes; what is no time is -1, which no report
// takes.
func ReadHours(s string) int {
	s = strings.TrimSpace(strings.TrimRight(strings.TrimSpace(strings.ToLower(s)), "h"))
	if s == "" {
		return 0
	}
	m := hoursForm.FindStringSubmatch(s)
	if m == nil {
		return -1
	}
	if m[3] != "" {
		h, _ := strconv.Atoi(m[3])
		min, _ := strconv.Atoi(m[4])
		return h*60 + min
	}
	h, _ := strconv.Atoi(m[1])
	hundredths, _ := strconv.Atoi((m[2] + "00")[:2])
	return h*60 + (hundredths*60+50)/100
}

// Hours writes minutes so that ReadHours reads the same: 8, 7:30; 0 is nothing.
func Hours(minutes int) string {
	switch {
	case minutes <= 0:
		return ""
	case minutes%60 == 0:
		return strconv.Itoa(minutes / 60)
	}
	return fmt.Sprintf("%d:%02d", minutes/60, minutes%60)
}
