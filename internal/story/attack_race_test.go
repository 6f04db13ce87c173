package story_test

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"zunft/internal/story"
)

// twin is another window with the same cookies as v, on connections of its own.
func (v *visitor) twin(bases ...string) *visitor {
	w := newVisitor(v.t)
	w.http.Transport = &http.Transport{MaxIdleConnsPerHost: 1}
	jar, _ := cookiejar.New(nil)
	for _, base := range bases {
		u, _ := url.Parse(base)
		jar.SetCookies(u, v.http.Jar.Cookies(u))
	}
	w.http.Jar = jar
	return w
}

// twins are 64 of them.
func (v *visitor) twins(bases ...string) (all []*visitor) {
	for range 64 {
		all = append(all, v.twin(bases...))
	}
	return all
}

func sees(to string) func(*http.Response, string) bool {
	return func(r *http.Response, _ string) bool {
		return r.StatusCode == http.StatusSeeOther && strings.Contains(r.Header.Get("Location"), to)
	}
}

// One-time things raced by 64 through HTTP have one winner on both engines;
// of two people who decide at once one decides (Security list 1 and 2,
// HackerOne #3692149).
//
// Elsewhere, beneath HTTP: account.TestOneWinner (links and codes),
// membership.TestClaimRace and TestDecisionRace, openid's authorization code
// and refresh token, desk's claim and approval, book's decisions, limit's burst.
func TestRaces(t *testing.T) {
	each(t, story.Options{}, func(t *testing.T, w *story.World) {
		h := intrude(t, w)

		// The link of the confirmation mail.
		mia := newVisitor(t)
		mia.signUp(w, "mia.moewe", "mia@example.org", nil)
		at := link(t, mail(t, w, "mia@example.org", "Bestätigungscode"), "/confirm/")
		strangers := newVisitor(t).twins(w.Identity)
		race(t, "confirm link", func(i int) (*http.Response, string) { return strangers[i].post(at, nil) }, sees("/register/done"))

		// The code of the confirmation mail: who wins is signed in, the others are not.
		max := newVisitor(t)
		max.signUp(w, "max.moewe", "max@example.org", nil)
		code := sixDigits.FindString(mail(t, w, "max@example.org", "Bestätigungscode").Text)
		all := max.twins(w.Identity)
		race(t, "confirm code", func(i int) (*http.Response, string) {
			return all[i].post(w.Identity+"/register/verify", url.Values{"code": {code}})
		}, func(r *http.Response, _ string) bool {
			return r.StatusCode == http.StatusSeeOther && strings.Contains(strings.Join(r.Header.Values("Set-Cookie"), " "), "zunft_session=")
		})
		if n := count(t, w.IdentityDB, `SELECT count(*) FROM session s JOIN account a ON a.id = s.account WHERE a.username = 'max.moewe'`); n != 1 {
			t.Errorf("one code made %d sessions", n)
		}

		// The link for a new password.
		newVisitor(t).post(w.Identity+"/recover/password", url.Values{"login": {"mia.moewe"}})
		at = link(t, mail(t, w, "mia@example.org", "Passwort"), "/recover/password/")
		strangers = newVisitor(t).twins(w.Identity)
		race(t, "password link", func(i int) (*http.Response, string) {
			p := fmt.Sprintf("Butterkuchen %d am Blech", i)
			return strangers[i%8].post(at, url.Values{"password": {p}, "password_repeat": {p}})
		}, sees("/login"))

		// A registration is handed in once (R066), whoever does it.
		applicants := []*visitor{as(t, w, "nora"), as(t, w, "frida"), as(t, w, "lena"), as(t, w, "murat")}
		race(t, "registration", func(i int) (*http.Response, string) {
			return applicants[i%4].post(w.Identity+"/organizations/register", spielUndSpass())
		}, sees("/done"))
		registration := h.value(`SELECT id FROM registration WHERE name LIKE 'Spiel%'`)

		// Clerk's claim, and approve ∥ refuse ∥ ask.
		clara := as(t, w, "clara")
		claras := clara.twins(w.Identity)
		before := count(t, w.IdentityDB, `SELECT count(*) FROM audit WHERE event = 'registration.claimed'`)
		winners(t, "claim", func(i int) (*http.Response, string) {
			return claras[i].post(w.Identity+"/chamber/registrations/"+registration, url.Values{"do": {"claim"}})
		}, sees("/"))
		if n := count(t, w.IdentityDB, `SELECT count(*) FROM audit WHERE event = 'registration.claimed'`) - before; n != 1 {
			t.Errorf("claimed %d times", n)
		}
		version, entry := h.version(registration), h.value(`SELECT entry FROM registration WHERE id = $1`, registration)
		race(t, "decision of the clerk", func(i int) (*http.Response, string) {
			return claras[i].post(w.Identity+"/chamber/registrations/"+registration, url.Values{"do": {[]string{"approve", "refuse", "ask"}[i%3]}, "version": {version}, "entry": {entry}, "evidence": {"letter"}, "refusal": {"Nein."}, "question": {"Wer?"}})
		}, func(r *http.Response, _ string) bool { return r.StatusCode == http.StatusSeeOther })
		state := h.value(`SELECT state FROM registration WHERE id = $1`, registration)
		if n := count(t, w.IdentityDB, `SELECT count(*) FROM organization WHERE ident_number = '100063'`); (n == 1) != (state == "approved") {
			t.Error(state, "and", n, "organizations")
		}

		// The letter: one batch of 64 clicks holds it; its code activates once.
		frida := h.value(`SELECT r.id FROM registration r JOIN account a ON a.id = r.applicant WHERE a.username = 'frida.fuchs'`)
		approved(t, h, clara, frida)
		proved(t, w)
		winners(t, "print", func(i int) (*http.Response, string) {
			return claras[i].post(w.Identity+"/chamber/letters", url.Values{"do": {"shop"}})
		}, sees("/batches/"))
		if n := count(t, w.IdentityDB, `SELECT count(*) FROM letter l JOIN organization o ON o.id = l.organization WHERE o.ident_number = '100042' AND l.state = 'printed'`); n != 1 {
			t.Fatalf("%d letters to one company", n)
		}
		var activation string
		batches, err := w.Prints.Wait(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range batches {
			pages, err := b.Text(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range pages {
				if strings.Contains(p, "100042") {
					activation = letterCode.FindString(p)
				}
			}
		}
		fridas := as(t, w, "frida").twins(w.Identity)
		form := url.Values{"ident_number": {"100042"}, "chamber_number": {"999"}, "code": {activation}}
		wrong := url.Values{"ident_number": {"100042"}, "chamber_number": {"999"}, "code": {"AAAA-AAAA-AAAA"}}
		race(t, "activation code", func(i int) (*http.Response, string) {
			if i%2 == 1 {
				return fridas[i].post(w.Identity+"/organizations/activate", wrong) // beside wrong ones
			}
			return fridas[i].post(w.Identity+"/organizations/activate", form)
		}, sees("/organizations/activated"))
		if n := count(t, w.IdentityDB, `SELECT count(*) FROM membership m JOIN organization o ON o.id = m.organization WHERE o.ident_number = '100042' AND m.admin AND m.ended_at IS NULL`); n != 1 {
			t.Errorf("%d admins", n)
		}

		// A join request: claim, then approve ∥ deny ∥ withdraw.
		request := h.value(`SELECT r.id FROM request r JOIN account a ON a.id = r.applicant WHERE a.username = 'anna.amsel'`)
		berts, annas := as(t, w, "bert").twins(w.Identity), as(t, w, "anna").twins(w.Identity)
		winners(t, "claim", func(i int) (*http.Response, string) {
			return berts[i].post(w.Identity+"/requests/"+request+"/claim", nil)
		}, sees("/"))
		if n := count(t, w.IdentityDB, `SELECT count(*) FROM audit WHERE event = 'join.claimed' AND thing = $1`, request); n != 1 {
			t.Errorf("request claimed %d times", n)
		}
		winners(t, "decision", func(i int) (*http.Response, string) {
			switch i % 3 {
			case 0:
				return berts[i].post(w.Identity+"/requests/"+request+"/approve", nil)
			case 1:
				return berts[i].post(w.Identity+"/requests/"+request+"/deny", url.Values{"answer": {"Nein."}})
			}
			return annas[i].post(w.Identity+"/requests/"+request+"/withdraw", nil)
		}, sees("/"))
		state = h.value(`SELECT state FROM request WHERE id = $1`, request)
		members := count(t, w.IdentityDB, `SELECT count(*) FROM membership m JOIN account a ON a.id = m.account WHERE a.username = 'anna.amsel'`)
		decided := count(t, w.IdentityDB, `SELECT count(*) FROM audit WHERE thing = $1 AND event IN ('join.approved', 'join.denied', 'join.withdrawn')`, request)
		if (members == 1) != (state == "approved") || members > 1 || decided != 1 {
			t.Errorf("state %s, %d memberships, %d decisions on record", state, members, decided)
		}

		// The training portal's callback: one answer of the provider, one session.
		lena := as(t, w, "lena")
		r, _ := lena.get(w.Training + "/reports")
		r, _ = lena.get(r.Header.Get("Location"))
		back := r.Header.Get("Location")
		if !strings.HasPrefix(back, w.Training+"/oidc/callback?") {
			t.Fatal("no way back", back)
		}
		lenas := lena.twins(w.Identity, w.Training)
		race(t, "callback", func(i int) (*http.Response, string) { return lenas[i].get(back) }, func(r *http.Response, _ string) bool {
			return strings.Contains(strings.Join(r.Header.Values("Set-Cookie"), " "), "zunft_training_session=")
		})
		if n := count(t, w.TrainingDB, `SELECT count(*) FROM session`); n != 1 {
			t.Errorf("%d sessions of one code", n)
		}
	})
}
