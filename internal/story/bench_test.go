package story_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/account"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/request"
	"zunft/internal/story"
)

// The dashboard of an admin with 500 members and 1,000 open requests, in a
// database of 1,000 and of 100,000 accounts: the cost must not grow with the
// accounts. Its yardstick is the sign-in page, which reads nothing.
func BenchmarkDashboard(b *testing.B) {
	for _, engine := range []string{"sqlite", "postgres"} {
		for _, accounts := range []int{2_000, 100_000} {
			b.Run(fmt.Sprintf("%s/accounts=%d", engine, accounts), func(b *testing.B) {
				w := start(b, engine, story.Options{People: accounts})
				crowdBakery(b, w)
				bert := as(b, w, "bert")
				measure := func(path string) (p50, p99 time.Duration) {
					var times []time.Duration
					for range 300 {
						begin := time.Now()
						r, body := bert.get(w.Identity + path)
						times = append(times, time.Since(begin))
						if r.StatusCode != 200 || path == "/" && !strings.Contains(body, "1.001") {
							b.Fatal(path, r.StatusCode, "the dashboard does not count the requests")
						}
					}
					slices.Sort(times)
					return times[len(times)/2], times[len(times)*99/100]
				}
				for range 20 {
					bert.get(w.Identity + "/")
				}
				for b.Loop() {
					bert.get(w.Identity + "/")
				}
				p50, p99 := measure("/")
				yard, _ := measure("/imprint")
				b.ReportMetric(float64(p50.Microseconds()), "µs-p50")
				b.ReportMetric(float64(p99.Microseconds()), "µs-p99")
				b.ReportMetric(float64(yard.Microseconds()), "µs-p50-imprint")
			})
		}
	}
}

// crowdBakery gives the bakery 500 members and 1,000 more open requests.
func crowdBakery(b testing.TB, w *story.World) {
	err := w.IdentityDB.Write(b.Context(), func(tx *db.Tx) error {
		bakery, err := db.Value[string](tx, `SELECT id FROM organization WHERE ident_number = '100017'`)
		if err != nil {
			return err
		}
		for i := range 1500 {
			a, err := account.ByLogin(tx, fmt.Sprintf("person-%06d", i+1))
			if err != nil {
				return err
			}
			if i < 500 {
				err = membership.Grant(tx, audit.Console, bakery, a.ID, false)
			} else {
				_, err = request.Submit(tx, audit.Actor{Account: a.ID}, bakery, "Bitte aufnehmen.", nil)
			}
			if err != nil {
				return err
			}
		}
		_, err = tx.Exec(`DELETE FROM job WHERE kind = 'mail'`) // a thousand mails to Bert would measure the mail server
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
}

// Start, idle memory and size of the binary that `make build` makes.
func BenchmarkStart(b *testing.B) {
	dir := b.TempDir()
	binary := filepath.Join(dir, "zunft")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary, "../../cmd/zunft")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	info, err := os.Stat(binary)
	if err != nil {
		b.Fatal(err)
	}
	kept := filepath.Join(dir, "kept")
	run := func(args ...string) (ready time.Duration, rss float64) {
		begin := time.Now()
		c := exec.Command(binary, append([]string{"demo", "--json", "--listen", "127.0.0.1:0"}, args...)...)
		c.Stderr = io.Discard
		out, err := c.StdoutPipe()
		if err != nil {
			b.Fatal(err)
		}
		if err := c.Start(); err != nil {
			b.Fatal(err)
		}
		defer func() { c.Process.Signal(os.Interrupt); c.Wait() }()
		line, err := bufio.NewReader(out).ReadString('\n')
		ready = time.Since(begin)
		var w story.World
		if err != nil || json.Unmarshal([]byte(line), &w) != nil {
			b.Fatal("no JSON", err, line)
		}
		status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.Process.Pid))
		for l := range strings.SplitSeq(string(status), "\n") {
			if kb := 0.0; strings.HasPrefix(l, "VmRSS:") {
				fmt.Sscanf(strings.TrimPrefix(l, "VmRSS:"), "%f", &kb)
				rss = kb / 1024
			}
		}
		return ready, rss
	}
	fresh, _ := run("--keep", kept)
	var again time.Duration
	var rss float64
	for b.Loop() {
		again, rss = run("--keep", kept)
	}
	b.ReportMetric(float64(fresh.Milliseconds()), "ms-first-start")
	b.ReportMetric(float64(again.Milliseconds()), "ms-start")
	b.ReportMetric(rss, "MB-idle")
	b.ReportMetric(float64(info.Size())/1e6, "MB-binary")
}
