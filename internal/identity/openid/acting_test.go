package openid_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/identity/account"
	"zunft/internal/identity/application"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/mandate"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/schema"
)

// mandate lets a person act for an organization, with roles in the training application.
func (w *world) mandate(organization string, admin, person account.Account, roles ...string) (m mandate.Mandate) {
	w.t.Helper()
	now := w.d.Now()
	wish := mandate.Wish{Email: person.Email, First: db.At(now), Last: db.At(now.AddDate(0, 1, 0))}
	for _, r := range roles {
		wish.Roles = append(wish.Roles, membership.Role{Application: w.training.ID, Key: r})
	}
	w.write(func(tx *db.Tx) (err error) {
		if m, err = mandate.Propose(tx, audit.Actor{Account: admin.ID}, mandate.ForPrincipal, organization, wish); err != nil {
			return err
		}
		m, err = mandate.Accept(tx, audit.Actor{Account: person.ID}, m.ID)
		return err
	})
	return m
}

const everything = "openid profile organization roles offline_access"

// R202, R301: who works for one company and acts for another by a mandate is
// asked for whom; the token carries the chosen one alone, with who acts
// (RFC 8693, section 4.1), and both stand in the record.
func TestR301TokensOfAMandate(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		anna, bert := w.person("anna"), w.person("bert")
		bakery, mill := w.organization("Bäckerei", bert), w.organization("Mühle", bert)
		w.admin(bakery, bert)
		w.employ(mill, anna, "trainer")
		b := w.signedIn(anna)
		b.code("training") // one company, no question
		m := w.mandate(bakery, bert, anna, "apprentice")
		if p := b.authorize("training", "prompt", "none"); p.query("error") != "interaction_required" {
			t.Errorf("silently: %v", p.to)
		}
		p := b.authorize("training", "scope", everything)
		if p.to == nil || p.to.Path != "/authorize/organization" {
			t.Fatalf("not asked: %v", p.to)
		}
		page := b.get(p.to.String())
		for _, says := range []string{"Bäckerei", "Mühle", "Vertretung bis", "Auszubildende:r", "Ausbilder:in"} {
			if !strings.Contains(page.body, says) {
				t.Errorf("the page lacks %q", says)
			}
		}
		for _, forged := range []string{mill + "." + m.ID, bakery, bakery + ".x", ""} {
			if got := b.post("/authorize/organization", url.Values{"next": {p.query("next")}, "organization": {forged}}); got.status != http.StatusUnprocessableEntity {
				t.Errorf("%q: %d", forged, got.status)
			}
		}
		b.post("/authorize/organization", url.Values{"next": {p.query("next")}, "organization": {bakery + "." + m.ID}})
		got := w.exchange("training", b.code("training", "scope", everything))
		c := claims(t, got.IDToken)
		if c["organization"].(map[string]any)["id"] != bakery || fmt.Sprint(c["roles"]) != "[apprentice]" || c["sub"] != anna.ID {
			t.Errorf("claims %v", c)
		}
		if act, _ := c["act"].(map[string]any); act["sub"] != anna.ID || act["name"] != "Anna Beispiel" {
			t.Errorf("act %v", c["act"])
		}
		if site, there := c["organization"].(map[string]any)["site"]; site != nil || !there {
			t.Errorf("site %v", site)
		}
		var detail string
		w.write(func(tx *db.Tx) error {
			return tx.Scan(`SELECT detail FROM audit WHERE event = 'application.signed_in' AND account = $1 AND organization = $2`, []any{anna.ID, bakery}, &detail)
		})
		if detail != `{"mandate":"`+m.ID+`"}` {
			t.Error(detail)
		}
		if status, c := w.userinfo(got.AccessToken); status != http.StatusOK || c["act"] == nil {
			t.Errorf("userinfo %d %v", status, c)
		}
		// It ends at once: no renewal, no userinfo, no new code.
		w.write(func(tx *db.Tx) error { return mandate.Revoke(tx, audit.Actor{Account: bert.ID}, m.ID) })
		if status, _ := w.userinfo(got.AccessToken); status != http.StatusUnauthorized {
			t.Error("userinfo after the end of the mandate", status)
		}
		if r := w.token("training", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {got.RefreshToken}}); r.Error != "invalid_grant" {
			t.Error("renewed after the end of the mandate", r)
		}
		c = claims(t, w.exchange("training", b.code("training", "scope", everything)).IDToken)
		if c["organization"].(map[string]any)["id"] != mill || c["act"] != nil {
			t.Errorf("afterwards %v", c)
		}
	})
}

// A mandate that is the only possibility is chosen by itself, and the session
// says so from then on; through a representing company both names are told.
func TestActThroughACompany(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		bert, max, zoe := w.person("bert"), w.person("max"), w.person("zoe")
		bakery, office := w.organization("Bäckerei", bert), w.organization("Kanzlei", zoe)
		w.admin(bakery, bert)
		w.admin(office, zoe)
		w.employ(office, max)
		now := w.d.Now()
		var m mandate.Mandate
		w.write(func(tx *db.Tx) (err error) {
			if _, err := tx.Exec(`UPDATE organization SET ident_number = '200001' WHERE id = $1`, office); err != nil {
				return err
			}
			m, err = mandate.Propose(tx, audit.Actor{Account: bert.ID}, mandate.ForPrincipal, bakery, mandate.Wish{
				Company: true, IdentNumber: "200001", ChamberNumber: "999", First: db.At(now), Last: db.At(now.AddDate(0, 1, 0)),
				Roles: []membership.Role{{Application: w.training.ID, Key: "trainer"}},
			})
			if err != nil {
				return err
			}
			if _, err = mandate.Accept(tx, audit.Actor{Account: zoe.ID}, m.ID); err != nil {
				return err
			}
			return mandate.SetPerson(tx, audit.Actor{Account: zoe.ID}, m.ID, max.ID, true)
		})
		c := claims(t, w.exchange("training", w.signedIn(max).code("training", "scope", "openid organization roles")).IDToken)
		act, _ := c["act"].(map[string]any)
		if c["organization"].(map[string]any)["name"] != "Bäckerei" || act["sub"] != max.ID || act["name"] != nil || act["organization"].(map[string]any)["name"] != "Kanzlei" {
			t.Errorf("%v", c)
		}
		var chosen, detail string
		w.write(func(tx *db.Tx) error {
			if err := tx.Scan(`SELECT mandate FROM session WHERE account = $1`, []any{max.ID}, &chosen); err != nil {
				return err
			}
			return tx.Scan(`SELECT detail FROM audit WHERE event = 'application.signed_in' AND account = $1`, []any{max.ID}, &detail)
		})
		if chosen != m.ID || !strings.Contains(detail, `"representative":"`+office+`"`) {
			t.Error(chosen, detail)
		}
		if p := w.signedIn(zoe).authorize("training"); p.to.Path != "/authorize/no-access" {
			t.Errorf("an admin who is not named: %v", p.to)
		}
	})
}

// Whoever acts for an organization no more is out of the applications at once:
// they are told, whatever the reason (Back-Channel Logout 1.0).
func TestWhoActsNoMoreIsOut(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		told := make(chan string, 100)
		rp := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { told <- r.PostFormValue("logout_token") }))
		defer rp.Close()
		w.write(func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE application SET backchannel_logout_uri = $1 WHERE id = $2`, rp.URL, w.training.ID)
			return err
		})
		bert, zoe := w.person("bert"), w.person("zoe")
		bakery, office := w.organization("Bäckerei", bert), w.organization("Kanzlei", zoe)
		w.admin(bakery, bert)
		w.admin(office, zoe)
		w.write(func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE organization SET ident_number = '200001' WHERE id = $1`, office)
			return err
		})
		act, clock := func(a account.Account) audit.Actor { return audit.Actor{Account: a.ID} }, w.d.Now
		later := func(days int) func(tx *db.Tx) error { // the clock goes on, and jobs come by
			return func(*db.Tx) error {
				now := clock().AddDate(0, 0, days)
				w.d.Now = func() time.Time { return now }
				return nil
			}
		}
		through := func(person account.Account) (m mandate.Mandate) {
			now := w.d.Now()
			w.employ(office, person)
			w.write(func(tx *db.Tx) (err error) {
				m, err = mandate.Propose(tx, act(bert), mandate.ForPrincipal, bakery, mandate.Wish{Company: true, IdentNumber: "200001", ChamberNumber: "999", First: db.At(now), Last: db.At(now.AddDate(0, 1, 0)), Roles: []membership.Role{{Application: w.training.ID, Key: "trainer"}}})
				if err != nil {
					return err
				}
				if _, err = mandate.Accept(tx, act(zoe), m.ID); err != nil {
					return err
				}
				return mandate.SetPerson(tx, act(zoe), m.ID, person.ID, true)
			})
			return m
		}
		drain := func() {
			if err := w.jobs.Drain(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		w.jobs.On("mail", func(context.Context, []byte) error { return nil })
		in := func(tx *db.Tx, organization string, person account.Account) string {
			m, err := membership.In(tx, organization, person.ID)
			if err != nil {
				t.Error(err)
			}
			return m.ID
		}
		held := membership.Role{Application: w.training.ID, Key: "trainer"}
		n := 0
		for name, loses := range map[string]func(person account.Account) func(tx *db.Tx) error{
			"mandate revoked": func(person account.Account) func(tx *db.Tx) error {
				m := w.mandate(bakery, bert, person, "trainer")
				return func(tx *db.Tx) error { return mandate.Revoke(tx, act(bert), m.ID) }
			},
			"mandate over": func(person account.Account) func(tx *db.Tx) error {
				w.mandate(bakery, bert, person, "trainer")
				return later(40)
			},
			"mandate of the company revoked": func(person account.Account) func(tx *db.Tx) error {
				m := through(person)
				return func(tx *db.Tx) error { return mandate.Revoke(tx, act(zoe), m.ID) }
			},
			"named no more": func(person account.Account) func(tx *db.Tx) error {
				m := through(person)
				return func(tx *db.Tx) error { return mandate.SetPerson(tx, act(zoe), m.ID, person.ID, false) }
			},
			"left the representing company": func(person account.Account) func(tx *db.Tx) error {
				through(person)
				return func(tx *db.Tx) error { return membership.Remove(tx, act(zoe), in(tx, office, person)) }
			},
			"role taken": func(person account.Account) func(tx *db.Tx) error {
				w.employ(bakery, person, "trainer")
				return func(tx *db.Tx) error { return membership.Take(tx, act(bert), in(tx, bakery, person), held, "") }
			},
			"role begins later": func(person account.Account) func(tx *db.Tx) error {
				w.employ(bakery, person, "trainer")
				return func(tx *db.Tx) error {
					return membership.Give(tx, act(bert), in(tx, bakery, person), membership.Holding{Role: held, From: db.At(tx.Now().AddDate(0, 0, 3))})
				}
			},
			"role over": func(person account.Account) func(tx *db.Tx) error {
				w.employ(bakery, person, "trainer")
				w.write(func(tx *db.Tx) error {
					return membership.Give(tx, act(bert), in(tx, bakery, person), membership.Holding{Role: held, Until: db.At(tx.Now().AddDate(0, 0, 3))})
				})
				return later(4)
			},
			"company locked": func(person account.Account) func(tx *db.Tx) error {
				w.mandate(bakery, bert, person, "trainer")
				return func(tx *db.Tx) error {
					if err := chamber.AddStaff(tx, audit.Console, zoe.ID, w.chamber, chamber.Clerk); err != nil {
						return err
					}
					return organization.Lock(tx, act(zoe), bakery, "Rückfrage mit der Geschäftsführung")
				}
			},
		} {
			w.d.Now = clock
			w.write(func(tx *db.Tx) error {
				_, err := tx.Exec(`UPDATE organization SET state = 'active', locked_reason = '' WHERE id = $1`, bakery)
				return err
			})
			n++
			person := w.person(fmt.Sprintf("max%d", n))
			lose := loses(person)
			w.exchange("training", w.signedIn(person).code("training", "scope", "openid organization roles"))
			drain()
			for len(told) > 0 {
				<-told
			}
			w.write(lose)
			w.write(func(tx *db.Tx) error { _, err := membership.Ends(tx, 50); return err })
			if err := mandate.Due(t.Context(), w.d); err != nil {
				t.Fatal(err)
			}
			drain()
			times := 0
			for len(told) > 0 {
				if claims(t, <-told)["sub"] == person.ID {
					times++
				}
			}
			if times != 1 {
				t.Errorf("%s: told %d times", name, times)
			}
		}
	})
}

// Ending a mandate while codes are exchanged and tokens renewed: whatever was
// handed out in that moment opens nothing once it has ended.
func TestRevokeWhileTokensAreMade(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		anna, bert := w.person("anna"), w.person("bert")
		bakery := w.organization("Bäckerei", bert)
		w.admin(bakery, bert)
		for range 4 {
			m := w.mandate(bakery, bert, anna, "trainer")
			b := w.signedIn(anna)
			first := w.exchange("training", b.code("training", "scope", everything))
			code := b.code("training", "scope", everything)
			var group sync.WaitGroup
			var got [2]reply
			group.Go(func() { got[0] = w.exchange("training", code) })
			group.Go(func() {
				got[1] = w.token("training", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {first.RefreshToken}})
			})
			group.Go(func() {
				w.write(func(tx *db.Tx) error { return mandate.Revoke(tx, audit.Actor{Account: bert.ID}, m.ID) })
			})
			group.Wait()
			for _, r := range append(got[:], first) {
				if r.AccessToken == "" {
					continue
				}
				if status, _ := w.userinfo(r.AccessToken); status != http.StatusUnauthorized {
					t.Error("a token works after the end of the mandate", status)
				}
			}
		}
	})
}

// A role may ask for a stronger sign-in (requires): who is able is asked for it
// once; who is not gets a code for the other roles, or a page that says what to do.
func TestRolesThatAskForMore(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.write(policy.EnsureDefault)
		now := time.Now()
		w.d.Now = func() time.Time { return now }
		w.training = w.application("training", nil, application.Role{Key: "trainer", NameDE: "Ausbilder:in", Requires: application.MFA}, application.Role{Key: "apprentice", NameDE: "Auszubildende:r"})
		anna, bert := w.person("anna"), w.person("bert")
		bakery := w.organization("Bäckerei", bert)
		w.employ(bakery, anna, "trainer")
		w.employ(bakery, bert, "trainer", "apprentice")
		b := w.signedIn(anna)
		p := b.authorize("training")
		if p.to.Path != "/authorize/no-access" {
			t.Fatalf("without a factor: %v", p.to)
		}
		if page := b.get(p.to.String()); page.status != http.StatusOK || !strings.Contains(page.body, "zweistufiger Verifizierung") || !strings.Contains(page.body, "/account/security") {
			t.Error(page.status, page.body)
		}
		if p := b.authorize("training", "prompt", "none"); p.query("error") != "interaction_required" {
			t.Errorf("silently: %v", p.to)
		}
		w.give(anna, "totp")
		if p = b.authorize("training"); p.to.Path != "/account/confirm" {
			t.Fatalf("not asked for the factor: %v", p.to)
		}
		now = now.Add(time.Minute)
		w.prove(b, anna, "otp mfa")
		if p = b.get(p.query("next")); p.query("code") == "" {
			t.Fatalf("after the factor: %v", p.to)
		}
		if c := claims(t, w.exchange("training", p.query("code")).IDToken); c["acr"] != "mfa" {
			t.Error(c)
		}
		// Who is not able gets what their sign-in reaches.
		if c := claims(t, w.exchange("training", w.signedIn(bert).code("training", "scope", "openid roles")).IDToken); fmt.Sprint(c["roles"]) != "[apprentice]" {
			t.Error(c["roles"])
		}
	})
}

// R300: a role at a site is told as one; an application that knows no sites is
// not led to believe that it holds everywhere.
func TestR300RolesAtSites(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		anna, bert := w.person("anna"), w.person("bert")
		bakery := w.organization("Bäckerei", bert)
		w.employ(bakery, anna, "trainer")
		now := db.At(w.d.Now())
		w.write(func(tx *db.Tx) error {
			for _, s := range []string{"north", "south"} {
				if _, err := tx.Exec(`INSERT INTO site (id, chamber, organization, name, street, house_number, postcode, place, state, name_key, created_at) VALUES ($1, $5, $2, $3, '', '', '', '', 'released', $1, $4)`, s, bakery, "Filiale "+s, now, w.chamber); err != nil {
					return err
				}
			}
			_, err := tx.Exec(`UPDATE role_grant SET site = 'north'`)
			return err
		})
		ask := func() map[string]any {
			t.Helper()
			return claims(t, w.exchange("training", w.signedIn(anna).code("training", "scope", "openid organization roles")).IDToken)
		}
		if c := ask(); c["organization"].(map[string]any)["site"].(map[string]any)["name"] != "Filiale north" || fmt.Sprint(c["roles"]) != "[trainer]" || c["site_roles"] != nil {
			t.Errorf("at one site: %v", c)
		}
		w.write(func(tx *db.Tx) error {
			_, err := tx.Exec(`INSERT INTO role_grant (membership, application, role, site, granted_by, granted_at) SELECT membership, application, 'apprentice', '', '', granted_at FROM role_grant`)
			return err
		})
		if c := ask(); c["organization"].(map[string]any)["site"] != nil || fmt.Sprint(c["roles"]) != "[apprentice]" || fmt.Sprint(c["site_roles"]) != "[map[roles:[trainer] site:map[id:north name:Filiale north]]]" {
			t.Errorf("everywhere and at one site: %v", c)
		}
		w.write(func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE site SET state = 'closed' WHERE id = 'north'`)
			return err
		})
		if c := ask(); c["site_roles"] != nil || fmt.Sprint(c["roles"]) != "[apprentice]" {
			t.Errorf("the site is closed: %v", c)
		}
		// A role that has not begun, or is over, is none.
		for change, at := range map[string]db.Time{`UPDATE role_grant SET starts_at = $1`: now.Add(time.Hour), `UPDATE role_grant SET ends_at = $1`: now.Add(-time.Hour), `UPDATE membership SET until = $1`: now.Add(-time.Hour)} {
			w.write(func(tx *db.Tx) error { _, err := tx.Exec(change, at); return err })
			if p := w.signedIn(anna).authorize("training"); p.to.Path != "/authorize/no-access" {
				t.Errorf("%s: %v", change, p.to)
			}
			w.write(func(tx *db.Tx) error {
				if _, err := tx.Exec(`UPDATE role_grant SET starts_at = NULL, ends_at = NULL`); err != nil {
					return err
				}
				_, err := tx.Exec(`UPDATE membership SET until = NULL`)
				return err
			})
		}
	})
}

// Somebody in 2,000 companies (R202): choosing, searching and signing in cost
// the same as for few.
func BenchmarkManyOrganizations(b *testing.B) {
	for _, engine := range dbtest.Engines {
		for _, many := range []int{20, 2000} {
			b.Run(fmt.Sprintf("%s/%d", engine, many), func(b *testing.B) {
				w := newWorld(b, dbtest.Open(b, engine, schema.Files))
				anna := w.person("anna")
				first := w.organization("Betrieb", anna)
				w.employ(first, anna, "trainer")
				w.write(func(tx *db.Tx) error {
					for i := range many - 1 {
						id, member := db.NewID(), db.NewID()
						if _, err := tx.Exec(`INSERT INTO organization (id, chamber, ident_number, name, legal_form, street, house_number, postcode, place, register_kind, register_number, register_court, management, company_key, name_key, state, registered_by, created_at)
							VALUES ($1, $2, $3, $4, '', 'Weg', '1', '26723', 'Emden', '', '', '', '', $1, $4, 'active', $6, $5)`, id, w.chamber, fmt.Sprint(500000+i), fmt.Sprintf("Filiale %04d", i), tx.Now(), anna.ID); err != nil {
							return err
						}
						if _, err := tx.Exec(`INSERT INTO membership (id, organization, account, since) VALUES ($1, $2, $3, $4)`, member, id, anna.ID, tx.Now()); err != nil {
							return err
						}
						if _, err := tx.Exec(`INSERT INTO role_grant (membership, application, role, granted_by, granted_at) VALUES ($1, $2, 'trainer', '', $3)`, member, w.training.ID, tx.Now()); err != nil {
							return err
						}
					}
					return nil
				})
				if engine == "postgres" {
					w.write(func(tx *db.Tx) error { _, err := tx.Exec(`ANALYZE`); return err })
				}
				br := w.signedIn(anna)
				p := br.authorize("training")
				if p.to == nil || p.to.Path != "/authorize/organization" {
					b.Fatal(p.to)
				}
				next := p.query("next")
				page := "/authorize/organization?" + url.Values{"next": {next}}.Encode()
				var ask, list, search, sign time.Duration
				b.ResetTimer()
				for range b.N {
					at := time.Now()
					br.authorize("training")
					ask += time.Since(at)
					at = time.Now()
					if got := br.get(page); got.status != http.StatusOK {
						b.Fatal(got.status)
					}
					list += time.Since(at)
					at = time.Now()
					if got := br.get(page + "&q=filiale+0001"); !strings.Contains(got.body, "Filiale 0001") {
						b.Fatal(got.body)
					}
					search += time.Since(at)
				}
				br.post("/authorize/organization", url.Values{"next": {next}, "organization": {first}})
				for range b.N {
					at := time.Now()
					if got := w.exchange("training", br.code("training", "scope", "openid organization roles")); got.IDToken == "" {
						b.Fatal(got)
					}
					sign += time.Since(at)
				}
				for name, spent := range map[string]time.Duration{"ms/question": ask, "ms/page": list, "ms/search": search, "ms/sign-in": sign} {
					b.ReportMetric(float64(spent.Microseconds())/1000/float64(b.N), name)
				}
			})
		}
	}
}
