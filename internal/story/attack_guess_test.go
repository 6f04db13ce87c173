package story_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/story"
)

// answer is what a stranger can tell two accounts apart by.
func answer(r *http.Response, body string, typed ...string) string {
	names := []string{}
	for n := range r.Header {
		names = append(names, n+"="+fmt.Sprint(len(r.Header[n])))
	}
	slices.Sort(names)
	body = formKey.ReplaceAllString(body, "")
	for _, s := range typed {
		body = strings.ReplaceAll(strings.ReplaceAll(body, s, "TYPED"), url.QueryEscape(s), "TYPED")
	}
	return fmt.Sprint(r.StatusCode, r.Header.Get("Location"), names, body)
}

// Known, unknown, unconfirmed and locked accounts are answered alike, and only
// the owner of an address gets a mail (R280, W12; keycloak#48888, #51887, #26625).
func TestEnumeration(t *testing.T) {
	each(t, story.Options{}, func(t *testing.T, w *story.World) {
		newVisitor(t).signUp(w, "ulla.uhu", "ulla@example.org", nil) // stays unconfirmed
		mail(t, w, "ulla@example.org", "Bestätigungscode")
		if err := w.IdentityDB.Write(t.Context(), func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE account SET state = 'locked' WHERE username = 'frida.fuchs'`)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		logins := []string{"niemand", "niemand@example.org", "lena.lerche", "LENA@example.org", "ulla.uhu", "ulla@example.org", "frida.fuchs", "frida@example.org"}
		for _, place := range []struct {
			name string
			ask  func(v *visitor, login string) (*http.Response, string)
		}{
			{"sign-in, wrong password", func(v *visitor, login string) (*http.Response, string) {
				return v.post(w.Identity+"/login", url.Values{"username": {login}, "password": {"nicht dieses hier"}})
			}},
			{"sign-in, endless password", func(v *visitor, login string) (*http.Response, string) {
				return v.post(w.Identity+"/login", url.Values{"username": {login}, "password": {strings.Repeat("lang ", 5000)}})
			}},
			{"sign-in, no password", func(v *visitor, login string) (*http.Response, string) {
				return v.post(w.Identity+"/login", url.Values{"username": {login}, "password": {""}})
			}},
			{"recover", func(v *visitor, login string) (*http.Response, string) {
				return v.post(w.Identity+"/recover/password", url.Values{"login": {login}})
			}},
		} {
			want := ""
			for _, login := range logins {
				r, body := place.ask(newVisitor(t), login)
				got := answer(r, body, login)
				if want == "" {
					want = got
				} else if got != want {
					t.Errorf("%s: %s is answered otherwise:\n%s\n%s", place.name, login, got, want)
				}
			}
		}
		// Signing up with an address that is taken looks the same; its owner is told.
		want := ""
		for i, email := range []string{"neu@example.org", "lena@example.org", "ulla@example.org", "frida@example.org"} {
			v, name := newVisitor(t), fmt.Sprintf("neuer.name%d", i)
			r, body := v.signUp(w, name, email, nil)
			got := answer(r, body, email, name)
			r, body = v.get(w.Identity + "/register/verify")
			got += answer(r, body, email, name)
			if want == "" {
				want = got
			} else if got != want {
				t.Errorf("sign-up with %s is answered otherwise:\n%s\n%s", email, got, want)
			}
		}
		mail(t, w, "lena@example.org", "")
		mail(t, w, "neu@example.org", "Bestätigungscode")
		for _, m := range w.Mail.Mails("") {
			if strings.Contains(m.Text, "Möwe") || strings.Contains(m.Text, "Mia") {
				t.Error("a mail carries a name that a stranger typed:", m.Text)
			}
		}
		for _, nobody := range []string{"niemand@example.org"} {
			if got := w.Mail.Mails(nobody); len(got) != 0 {
				t.Error("a mail to somebody without an account", got[0].Subject)
			}
		}
		// Joining: an unknown company and one that waits for its letter are the same.
		v := as(t, w, "nora")
		want = ""
		for _, c := range []url.Values{
			{"name": {"Fahrradwerkstatt Fuchs e. K."}, "street": {"Speichenweg"}, "house_number": {"12a"}, "postcode": {"00998"}}, // in the directory, not active
			{"name": {"Gibt es nicht GmbH"}, "street": {"Nirgendweg"}, "house_number": {"1"}, "postcode": {"00998"}},
			{"name": {"Bäckerei Morgenroth GmbH"}, "street": {"Mehlgasse"}, "house_number": {"4"}, "postcode": {"00999"}}, // nearly its name: not beyond doubt (decision 0015)
		} {
			r, body := v.post(w.Identity+"/organizations/join", c)
			got := answer(r, body, c.Get("name"), c.Get("street"), `value="`+c.Get("house_number")+`"`, c.Get("postcode"))
			if want == "" {
				want = got
			} else if got != want {
				t.Errorf("joining tells companies apart:\n%s\n%s", got, want)
			}
		}
	})
}

// tries counts how often something may be done before it is refused with 429,
// and looks whether the refusal says for how long.
func tries(t *testing.T, most int, do func(i int) (*http.Response, string)) int {
	t.Helper()
	for i := range most {
		r, _ := do(i)
		if r.StatusCode == http.StatusTooManyRequests {
			if r.Header.Get("Retry-After") == "" {
				t.Error("429 without Retry-After")
			}
			return i
		}
		if r.StatusCode >= 500 {
			t.Fatal(r.StatusCode)
		}
	}
	t.Errorf("%d times without end", most)
	return most
}

// Whatever can be guessed or sends mail has an end; the limits do not hold for
// the owner's own browser.
func TestLimits(t *testing.T) {
	w := start(t, "sqlite", story.Options{})
	h := intrude(t, w)
	owner := as(t, w, "lena")
	owner.post(w.Identity+"/logout", nil)

	// Sign-in: per name from everywhere, and per address for many names.
	if n := tries(t, 60, func(i int) (*http.Response, string) {
		return newVisitor(t).post(w.Identity+"/login", url.Values{"username": {"lena.lerche"}, "password": {fmt.Sprint("Rateversuch Nummer ", i)}})
	}); n > 30 {
		t.Error("sign-in per name:", n)
	}
	if r, _ := owner.post(w.Identity+"/login", url.Values{"username": {"lena.lerche"}, "password": {story.Password}}); r.StatusCode != http.StatusSeeOther {
		t.Error("guessing strangers keep the owner out of her own browser", r.StatusCode)
	}

	// Mails to one address: asking again for the confirmation, in one browser and in new ones.
	v := newVisitor(t)
	v.signUp(w, "opfer", "opfer@example.org", nil)
	if n := tries(t, 20, func(int) (*http.Response, string) {
		return v.post(w.Identity+"/register/verify", url.Values{"do": {"again"}})
	}); n > 5 {
		t.Error("confirmations:", n)
	}
	if n := tries(t, 20, func(i int) (*http.Response, string) {
		return newVisitor(t).signUp(w, fmt.Sprint("opfer", i), "OPFER@example.org", nil)
	}); n > 1 {
		t.Error("confirmations in new browsers:", n)
	}
	// … for a new password by name and by address, which is one person's mailbox.
	for _, login := range []string{"murat.yilmaz", "murat@example.org", "MURAT@example.org", " murat.yilmaz "} {
		for range 6 {
			newVisitor(t).post(w.Identity+"/recover/password", url.Values{"login": {login}})
		}
	}
	// … to the admins of a company, by asking and withdrawing.
	nora := as(t, w, "nora")
	r, _ := nora.post(w.Identity+"/organizations/join", url.Values{"name": {"Bäckerei Morgenrot GmbH"}, "street": {"Mehlgasse"}, "house_number": {"4"}, "postcode": {"00999"}})
	company := r.Header.Get("Location")
	if n := tries(t, 20, func(int) (*http.Response, string) {
		r, body := nora.post(w.Identity+company, url.Values{"reason": {"Bitte"}})
		if r.StatusCode == http.StatusSeeOther {
			id, _, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("Location"), "/requests/"), "/")
			nora.post(w.Identity+"/requests/"+id+"/withdraw", nil)
		}
		return r, body
	}); n > 6 {
		t.Error("requests to one company:", n)
	}
	// … and letters, which cost money.
	clara := as(t, w, "clara")
	frida := as(t, w, "frida")
	approved(t, h, clara, h.value(`SELECT r.id FROM registration r JOIN account a ON a.id = r.applicant WHERE a.username = 'frida.fuchs'`))
	org := h.value(`SELECT id FROM organization WHERE ident_number = '100042'`)
	for range 20 {
		frida.post(w.Identity+"/organizations/activate", url.Values{"letter": {org}})
	}
	if n := count(t, w.IdentityDB, `SELECT count(*) FROM letter WHERE organization = $1`, org); n != 1 {
		t.Error("letters:", n)
	}

	// Codes: five wrong ones and this code is over; the right one does not help then.
	max := newVisitor(t)
	max.signUp(w, "max.moewe", "max@example.org", nil)
	code := sixDigits.FindString(mail(t, w, "max@example.org", "Bestätigungscode").Text)
	for i := range 5 {
		max.post(w.Identity+"/register/verify", url.Values{"code": {fmt.Sprintf("%06d", (i+1)*111)}})
	}
	if r, _ := max.post(w.Identity+"/register/verify", url.Values{"code": {code}}); r.StatusCode == http.StatusSeeOther {
		t.Error("a sixth try opens")
	}
	// The same code typed in another browser opens nothing.
	eve := newVisitor(t)
	eve.get(w.Identity + "/register/verify")
	if r, _ := eve.post(w.Identity+"/register/verify", url.Values{"code": {code}}); r.StatusCode == http.StatusSeeOther {
		t.Error("the code opens in a browser that did not sign up")
	}

	// Activation: to somebody else even the right code opens nothing, and their tries use up nothing of the letter.
	codes := printed(t, w, clara, 1)
	rita := as(t, w, "rita")
	right := url.Values{"ident_number": {"100042"}, "chamber_number": {"999"}, "code": {codes[0]}}
	if n := tries(t, 40, func(int) (*http.Response, string) { return rita.post(w.Identity+"/organizations/activate", right) }); n > 16 {
		t.Error("activation per person:", n)
	}
	if n := count(t, w.IdentityDB, `SELECT tries FROM letter WHERE organization = $1 AND state = 'printed'`, org); n != 0 {
		t.Errorf("a stranger used up %d tries of the letter", n)
	}
	if state := h.value(`SELECT state FROM organization WHERE id = $1`, org); state != "letter" {
		t.Error("a stranger with the letter in hand activated the company:", state)
	}

	// Searching companies to join, and hearing who is registered.
	if n := tries(t, 80, func(i int) (*http.Response, string) {
		return rita.post(w.Identity+"/organizations/join", url.Values{"name": {fmt.Sprint("Firma ", i)}, "street": {"Weg"}, "house_number": {"1"}, "postcode": {"00999"}})
	}); n > 20 {
		t.Error("join search:", n)
	}
	form := spielUndSpass()
	form.Set("do", "check")
	form.Set("ident_number", "100017") // Bert's
	if n := tries(t, 80, func(int) (*http.Response, string) { return rita.post(w.Identity+"/organizations/register", form) }); n > 20 {
		t.Error("asking who is registered:", n)
	}
	if n := tries(t, 120, func(int) (*http.Response, string) {
		return newVisitor(t).post(w.Identity+"/register", url.Values{"username": {"lena.lerche"}})
	}); n > 60 {
		t.Error("asking which user names are taken:", n)
	}
	sent := 0
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline) && count(t, w.IdentityDB, `SELECT count(*) FROM job WHERE state = 'ready' AND kind IN ('mail', 'account.recover')`) > 0; {
		<-time.After(20 * time.Millisecond)
	}
	for _, m := range w.Mail.Mails("murat@example.org") {
		if strings.Contains(m.Text, "/recover/password/") {
			sent++
		}
	}
	if sent > 4 {
		t.Errorf("%d mails for a new password to one person within a minute", sent)
	}
	if n := len(w.Mail.Mails("opfer@example.org")); n > 5 {
		t.Errorf("%d mails to an address that never answered", n)
	}
	// By address, for names without end; last, because it closes the door for all of this test.
	if n := tries(t, 200, func(i int) (*http.Response, string) {
		return newVisitor(t).post(w.Identity+"/login", url.Values{"username": {fmt.Sprint("name", i)}, "password": {"Rateversuch"}})
	}); n > 110 {
		t.Error("sign-in per address:", n)
	}
	if r, _ := owner.post(w.Identity+"/login", url.Values{"username": {"lena.lerche"}, "password": {story.Password}}); r.StatusCode != http.StatusSeeOther {
		t.Error("a neighbor behind the same address keeps the owner out of her own browser", r.StatusCode)
	}
}
