package plain

import (
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
	"golang.org/x/text/unicode/norm"
)

// host is what could be the name of a host, with what stands around it.
var host = regexp.MustCompile(`[\p{L}\p{N}_-]+(?:\.[\p{L}\p{N}_-]+)+`)

// short is what people write without a blank that happens to end like a host.
var short = map[string]bool{"dr.med": true, "dr.ing": true, "dipl.ing": true, "co.kg": true}

// Leads reports whether a text has an address to follow: mail programs make a
// link of "example.org" as well as of "https://example.org", and what strangers
// write stands in our mails, which carry our links only. A host is what ends in
// a registered top-level domain, as mail programs see it too: "z.B." and
// "plan.pdf" lead nowhere. Addresses of mailboxes do not count.
func Leads(text string) bool {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Cf, r): // invisible: soft hyphens, zero-width marks, directions
			return -1
		case r == '。':
			return '.'
		}
		return r
	}, strings.ToLower(norm.NFKC.String(text)))
	if strings.Contains(text, "://") || strings.Contains(text, "www.") {
		return true
	}
	for _, at := range host.FindAllStringIndex(text, -1) {
		name := text[at[0]:at[1]]
		if short[name] || mailbox(text[:at[0]], text[at[1]:]) {
			continue
		}
		ascii, err := idna.ToASCII(name[strings.LastIndexByte(name, '.')+1:])
		if err != nil {
			continue
		}
		if _, known := publicsuffix.PublicSuffix("x." + ascii); known {
			return true
		}
	}
	return false
}

// mailbox reports whether a host between two texts is part of the address of a
// mailbox, before or behind its @, and of nothing more.
func mailbox(before, after string) bool {
	return strings.HasPrefix(after, "@") && !strings.HasSuffix(before, "/") ||
		strings.HasSuffix(before, "@") && len(before) > 1 && !strings.HasPrefix(after, "/") && !strings.HasPrefix(after, ":")
}
