package account

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/link"
	"zunft/internal/identity/password"
	"zunft/internal/identity/policy"
)

// W12, ASVS 6.3.8 (keycloak#48888, #51887): every refusal costs the same, to
// whomever the name belongs. The cost is counted in the memory that argon2id
// fills, so that a busy machine changes nothing: two hashes of ours, and the
// one of another product as long as somebody has it.
func TestRefusalsCostTheSame(t *testing.T) {
	inHall(t, func(h *hall) {
		const ours, theirs = 4, 32 // MiB
		h.h.Cost = password.Cost{KiB: theirs << 10, Passes: 1, Lanes: 1}
		foreign, err := h.h.Renew(t.Context(), hefe)
		if err != nil {
			t.Fatal(err)
		}
		if foreign, err = password.Adopt(foreign); err != nil || !password.Foreign(foreign) {
			t.Fatal(foreign, err)
		}
		h.h.Cost = password.Cost{KiB: ours << 10, Passes: 1, Lanes: 1}
		h.policy("default", func(*policy.Policy) {})
		h.policy("names", func(p *policy.Policy) { p.SignIn.By = []string{"username"} })
		for _, name := range []string{"wrong", "locked", "paused", "beside", "nohash"} {
			h.person(New{Username: name})
		}
		h.person(New{Username: "byname", Policy: "names"})
		h.person(New{Username: "carried", Password: foreign})
		waiting, err := h.h.Renew(t.Context(), "Wasser Hefe Mehl")
		if err != nil {
			t.Fatal(err)
		}
		h.write(func(tx *db.Tx) error {
			for _, name := range []string{"beside", "waiting"} {
				a, err := Create(tx, audit.Console, New{GivenName: "A", FamilyName: "B", Email: name + "@beispiel.example", Password: waiting})
				if err != nil {
					return err
				}
				if _, _, err := link.Issue(tx, a.ID, link.Confirm, "", "", confirmFor); err != nil {
					return err
				}
			}
			if _, err := tx.Exec(`UPDATE account SET paused_until = $1 WHERE username = 'paused'`, tx.Now().Add(time.Hour)); err != nil {
				return err
			}
			if _, err := tx.Exec(`UPDATE account SET password = '' WHERE username = 'nohash'`); err != nil {
				return err
			}
			_, err := tx.Exec(`UPDATE account SET state = 'locked' WHERE username = 'locked'`)
			return err
		})
		spent := func(login, plain string) int {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			if h.opens(login, plain) {
				t.Errorf("%s opens", login)
			}
			runtime.ReadMemStats(&after)
			return int((after.TotalAlloc - before.TotalAlloc) >> 20)
		}
		for _, want := range []int{2*ours + theirs, 2 * ours} {
			long := spent("nobody@beispiel.example", strings.Repeat("lang ", 200)) // cut short, for everybody
			for _, name := range []string{"nobody", "wrong", "locked", "paused", "beside", "waiting", "nohash", "byname", "carried"} {
				if n := spent(name+"@beispiel.example", "geraten"); n < want || n > want+1 {
					t.Errorf("%s: %d MiB, want %d", name, n, want)
				}
				if n := spent(name+"@beispiel.example", strings.Repeat("lang ", 200)); n < long-1 || n > long+1 {
					t.Errorf("%s, long password: %d MiB, want %d", name, n, long)
				}
				h.now = h.now.Add(10 * time.Minute)
			}
			// The last one who was carried over signs in: from then on nobody pays for it.
			if want > 2*ours && !h.opens("carried", hefe) {
				t.Fatal("the carried one does not sign in")
			}
			h.write(func(tx *db.Tx) error {
				_, err := tx.Exec(`UPDATE account SET paused_until = $1 WHERE username = 'paused'`, tx.Now().Add(time.Hour))
				return err
			})
		}
	})
}
