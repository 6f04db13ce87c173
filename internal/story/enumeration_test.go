package story_test

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/account"
	"zunft/internal/identity/password"
	"zunft/internal/story"
)

// BenchmarkEnumeration asks whether the clock tells who has an account: each
// question is asked of every kind of account, interleaved and shuffled, 2,000
// times (ZUNFT_SAMPLES says otherwise); printed are the median of the unknown
// ones, by how much that of the others differs, and Mann–Whitney's p. Aim: no
// difference of a millisecond, no p below 0.01. Hashes are cheap here, so that
// a hash more or less does not hide everything else, and is seen all the same.
// Keycloak: 15 ms known, 36 ms unknown (keycloak#48888, #51887, #26625).
func BenchmarkEnumeration(b *testing.B) {
	samples := 2000
	if n, err := strconv.Atoi(os.Getenv("ZUNFT_SAMPLES")); err == nil {
		samples = n
	}
	for _, engine := range []string{"sqlite", "postgres"} {
		b.Run(engine, func(b *testing.B) { enumerate(b, engine, samples) })
	}
}

func enumerate(b *testing.B, engine string, samples int) {
	w := start(b, engine, story.Options{})
	w.ID.Hasher.Cost = password.Cost{KiB: 1 << 10, Passes: 1, Lanes: 1}
	people(b, w)
	wrong := func(plain string) func(v *visitor, i int, who string) func() {
		return func(v *visitor, _ int, who string) func() {
			form := url.Values{"username": {who}, "password": {plain}}
			return func() { v.post(w.Identity+"/login", form) }
		}
	}
	for _, question := range []struct {
		name  string
		kinds []string // the first is the unknown one
		ready func(v *visitor, i int, who string) (ask func())
	}{
		{"sign-in", []string{"niemand", "aktiv", "gesperrt", "pausiert", "unbestaetigt", "mitgebracht", "ohne.passwort"}, wrong("nicht dieses hier")},
		{"sign-in-empty", []string{"niemand", "aktiv"}, wrong("")},
		{"sign-in-1MB", []string{"niemand", "aktiv", "mitgebracht"}, wrong(strings.Repeat("lang ", 200_000))},
		{"recover", []string{"niemand", "aktiv", "gesperrt", "unbestaetigt"}, func(v *visitor, _ int, who string) func() {
			return func() { v.post(w.Identity+"/recover/password", url.Values{"login": {who + "@beispiel.example"}}) }
		}},
		{"register", []string{"", "aktiv", "unbestaetigt"}, func(v *visitor, i int, who string) func() {
			submit := v.readyToSignUp(w, fmt.Sprintf("neu.%s%d", who, i), cmp.Or(who, fmt.Sprint("neu", i))+"@beispiel.example", nil)
			return func() {
				if r, _ := submit(); r.StatusCode != http.StatusSeeOther {
					b.Errorf("status %d", r.StatusCode)
				}
			}
		}},
	} {
		took := map[string][]float64{}
		for i := range samples {
			order := slices.Clone(question.kinds)
			rand.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
			for _, who := range order {
				fresh(b, w)
				ask := question.ready(newVisitor(b), i, who)
				begin := time.Now()
				ask()
				took[who] = append(took[who], float64(time.Since(begin).Microseconds())/1000)
			}
		}
		base := took[question.kinds[0]]
		b.ReportMetric(median(base), question.name+"-unknown-ms")
		said := "" // a benchmark shows ten lines of its log
		for _, who := range question.kinds[1:] {
			said += fmt.Sprintf("; %s %+.3f ms, p = %.3f", who, median(took[who])-median(base), mannWhitney(base, took[who]))
			b.ReportMetric(median(took[who])-median(base), question.name+"-"+who+"-Δms")
			b.ReportMetric(mannWhitney(base, took[who]), question.name+"-"+who+"-p")
		}
		b.Logf("%s: %.3f ms%s", question.name, median(base), said)
	}
	b.ReportMetric(0, "ns/op")
}

// people of all kinds that a stranger might tell apart.
func people(b *testing.B, w *story.World) {
	phc, err := w.ID.Hasher.Hash(b.Context(), story.Password)
	if err != nil {
		b.Fatal(err)
	}
	foreign, err := password.Adopt("$2y$05$abcdefghijklmnopqrstuuNRDW/EOvoh8ZiMlAOEBb6H2DAlKVV/2")
	if err != nil {
		b.Fatal(err)
	}
	if err := w.IdentityDB.Write(b.Context(), func(tx *db.Tx) error {
		for _, name := range []string{"aktiv", "gesperrt", "pausiert", "unbestaetigt", "mitgebracht", "ohne.passwort"} {
			n := account.New{GivenName: "Anna", FamilyName: "Beispiel", Username: name, Email: name + "@beispiel.example", Password: phc, Confirmed: name != "unbestaetigt"}
			switch name {
			case "mitgebracht":
				n.Password = foreign
			case "ohne.passwort":
				n.Password = ""
			}
			if _, err := account.Create(tx, audit.Console, n); err != nil {
				return err
			}
		}
		_, err := tx.Exec(`UPDATE account SET state = 'locked' WHERE username = 'gesperrt'`)
		return err
	}); err != nil {
		b.Fatal(err)
	}
}

// fresh takes back what questions leave: limits and pauses.
func fresh(b *testing.B, w *story.World) {
	if err := w.IdentityDB.Write(b.Context(), func(tx *db.Tx) error {
		if _, err := tx.Exec(`DELETE FROM limit_bucket`); err != nil {
			return err
		}
		if _, err := tx.Exec(`UPDATE account SET failures = 0, paused_until = NULL WHERE failures > 0`); err != nil {
			return err
		}
		// Who signs up with an address for the first time is what is compared, each time.
		if _, err := tx.Exec(`DELETE FROM account WHERE state = 'unconfirmed' AND email_key <> 'unbestaetigt@beispiel.example'`); err != nil {
			return err
		}
		_, err := tx.Exec(`UPDATE account SET failures = 5, paused_until = $1 WHERE username = 'pausiert'`, tx.Now().Add(time.Hour))
		return err
	}); err != nil {
		b.Fatal(err)
	}
}

func median(all []float64) float64 {
	all = slices.Sorted(slices.Values(all))
	return (all[len(all)/2] + all[(len(all)-1)/2]) / 2
}

// mannWhitney is the two-sided p of the rank-sum test, by its normal approximation.
func mannWhitney(a, b []float64) float64 {
	type sample struct {
		v float64
		a bool
	}
	var all []sample
	for _, v := range a {
		all = append(all, sample{v, true})
	}
	for _, v := range b {
		all = append(all, sample{v, false})
	}
	slices.SortFunc(all, func(x, y sample) int { return cmp.Compare(x.v, y.v) })
	n, m := float64(len(a)), float64(len(b))
	ranks, ties := 0.0, 0.0
	for i := 0; i < len(all); {
		j := i
		for j < len(all) && all[j].v == all[i].v {
			j++
		}
		t := float64(j - i)
		ties += t*t*t - t
		for _, s := range all[i:j] {
			if s.a {
				ranks += float64(i+j+1) / 2
			}
		}
		i = j
	}
	u := ranks - n*(n+1)/2
	sigma := math.Sqrt(n * m / 12 * (n + m + 1 - ties/((n+m)*(n+m-1))))
	return math.Erfc(math.Abs(u-n*m/2) / sigma / math.Sqrt2)
}

// The test of the test: the same is the same, and a shift is seen.
func TestMannWhitney(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var a, b, c []float64
	for range 500 {
		a, b, c = append(a, r.NormFloat64()), append(b, r.NormFloat64()), append(c, r.NormFloat64()+0.3)
	}
	if p := mannWhitney(a, b); p < 0.05 {
		t.Error("the same:", p)
	}
	if p := mannWhitney(a, c); p > 0.01 {
		t.Error("shifted:", p)
	}
	if p := mannWhitney([]float64{1, 1, 1, 1}, []float64{1, 1, 1, 2}); p < 0.2 || p > 0.5 {
		t.Error("ties:", p)
	}
}
