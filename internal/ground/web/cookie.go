package web

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

func (s *Site) secure() bool { return strings.HasPrefix(s.Base, "https://") }

func (s *Site) cookieName(name string) string {
	if s.secure() {
		return "__Host-" + s.Cookies + "_" + name
	}
	return s.Cookies + "_" + name
}

// SetCookie keeps a value in the browser: HttpOnly, SameSite=Lax, Secure with
// the __Host- prefix under https. age 0 ends with the browser; below 0 deletes.
func (s *Site) SetCookie(w http.ResponseWriter, name, value string, age time.Duration) {
	c := &http.Cookie{Name: s.cookieName(name), Value: value, Path: "/", HttpOnly: true, Secure: s.secure(), SameSite: http.SameSiteLaxMode}
	if age < 0 {
		c.MaxAge = -1
	} else if age > 0 {
		c.MaxAge = int(age.Seconds())
	}
	http.SetCookie(w, c)
}

// Cookie is the value kept by SetCookie, or empty.
func (s *Site) Cookie(r *http.Request, name string) string {
	c, err := r.Cookie(s.cookieName(name))
	if err != nil {
		return ""
	}
	return c.Value
}

type flash struct {
	Phrase string
	Args   []any
}

func (s *Site) notify(w http.ResponseWriter, phrase string, args []any) {
	kept := make([]any, len(args))
	for i, a := range args {
		if n, ok := a.(int); ok {
			kept[i] = n // plurals need the number
		} else {
			kept[i] = fmt.Sprint(a)
		}
	}
	if b, err := json.Marshal(flash{phrase, kept}); err == nil {
		s.SetCookie(w, "notice", base64.RawURLEncoding.EncodeToString(b), time.Minute)
	}
}

// notice reads and forgets the notice of the request before.
func (s *Site) notice(w http.ResponseWriter, r *http.Request) string {
	value := s.Cookie(r, "notice")
	if value == "" {
		return ""
	}
	s.SetCookie(w, "notice", "", -1)
	b, err := base64.RawURLEncoding.DecodeString(value)
	var f flash
	if err != nil || json.Unmarshal(b, &f) != nil || !s.Catalog.Has(f.Phrase) {
		return ""
	}
	return s.Catalog.Text(Lang(r), f.Phrase, f.Args...)
}
