package account

import (
	"encoding/hex"
	"net/mail"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/plain"
)

const (
	maxEmail    = 254 // RFC 5321 section 4.5.3.1.3
	maxName     = 100
	maxTitle    = 50
	minUsername = 3
	maxUsername = 64
	// MaxFurther is how many further addresses an account may have (R043).
	MaxFurther = 4
)

var collators = sync.Pool{New: func() any { return collate.New(language.German) }}

// nameKey sorts names as a German index does.
func nameKey(family, given string) string {
	c := collators.Get().(*collate.Collator)
	defer collators.Put(c)
	var b collate.Buffer
	return hex.EncodeToString(c.KeyFromString(&b, family+" "+given))
}

// address checks an e-mail address and returns it without blanks around it.
// Quoted local parts and address literals are mail, but nobody's address.
func address(p *fault.Problems, field, typed string) string {
	s := strings.TrimSpace(typed)
	if s == "" {
		return ""
	}
	if len(s) > maxEmail {
		p.Add(field, "account.email_long", "254")
		return s
	}
	parsed, err := mail.ParseAddress(s)
	local, domain, _ := strings.Cut(s, "@")
	bad := err != nil || parsed.Address != s || parsed.Name != "" || len(local) > 64 || strings.ContainsAny(s, "\"<>()[]\\,;: \t") ||
		strings.Contains(domain, "..") || !strings.Contains(strings.Trim(domain, "."), ".") || strings.HasSuffix(domain, ".")
	for _, r := range s {
		bad = bad || unicode.Is(unicode.C, r) || unicode.IsSpace(r)
	}
	if bad {
		p.Add(field, "account.email_form")
	}
	return s
}

// Owner is the confirmed account an address belongs to, as main or further
// address, or as the old one while that can come back. NotFound: nobody.
func Owner(tx *db.Tx, emailKey string) (Account, error) { return ownerOf(tx, emailKey) }

// Turn lets all who would own one of these addresses come one after the other
// until the transaction ends: an address stands in three tables, and no unique
// index covers them all.
func Turn(tx *db.Tx, emailKeys ...string) error {
	keys := make([]string, len(emailKeys))
	for i, k := range emailKeys {
		keys[i] = "address/" + k
	}
	return limit.Hold(tx, keys...)
}

// username checks a chosen user name. There is no @ in it: an address would
// name somebody else's account.
func username(p *fault.Problems, typed string) string {
	s := norm.NFKC.String(strings.TrimSpace(typed))
	n := utf8.RuneCountInString(s)
	if s == "" {
		return ""
	}
	if strings.Contains(s, "@") {
		p.Add("username", "account.username_at")
		return s
	}
	if n < minUsername || n > maxUsername {
		p.Add("username", "account.username_length", "3", "64")
		return s
	}
	for i, r := range s {
		if !(unicode.Is(unicode.Latin, r) || r >= '0' && r <= '9' || i > 0 && strings.ContainsRune("._-+", r)) {
			p.Add("username", "account.username_form")
			return s
		}
	}
	return s
}

// personal checks a name or title as people write theirs. What could pass for
// a link does not: names stand in mails to others.
func personal(p *fault.Problems, field, typed string, most int, long, form string) string {
	s := strings.Join(strings.Fields(norm.NFC.String(typed)), " ")
	if utf8.RuneCountInString(s) > most {
		p.Add(field, long)
		return s
	}
	for _, r := range s {
		if !unicode.IsLetter(r) && !unicode.IsMark(r) && !strings.ContainsRune(" .,-'’‘`´·()–", r) {
			p.Add(field, form)
			return s
		}
	}
	if plain.Leads(s) {
		p.Add(field, form)
	}
	return s
}
