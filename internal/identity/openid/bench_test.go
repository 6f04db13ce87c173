package openid_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/seal"
	"zunft/internal/identity/schema"
)

// rawSigning measures the processor time of raw ES256 signatures.
func rawSigning(b *testing.B) func(n int) time.Duration {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	return func(n int) time.Duration {
		start := dbtest.CPU()
		for i := range n {
			sum := sha256.Sum256([]byte(strconv.Itoa(i)))
			if _, err := ecdsa.SignASN1(rand.Reader, key, sum[:]); err != nil {
				b.Fatal(err)
			}
		}
		return dbtest.CPU() - start
	}
}

// Code exchange with an ES256 ID token, through the whole handler (everything but
// net/http's reading and writing), beside raw ES256 signing in turns: processor
// time per exchange in signatures.
func BenchmarkCodeExchange(b *testing.B) {
	for _, engine := range dbtest.Engines {
		b.Run(engine, func(b *testing.B) {
			w := newWorld(b, dbtest.Open(b, engine, schema.Files))
			anna := w.person("anna")
			session := db.NewID()
			codes := make([]string, b.N)
			w.write(func(tx *db.Tx) error {
				if _, err := tx.Exec(`INSERT INTO session (id, token_hash, account, amr, auth_time, ip, agent, created_at, seen_at, ends_at) VALUES ($1, $1, $2, 'pwd', $3, '', '', $3, $3, $4)`,
					session, anna.ID, tx.Now(), tx.Now().Add(time.Hour)); err != nil {
					return err
				}
				for i := range codes {
					id, secret := db.NewID(), seal.Token()
					codes[i] = id + "." + secret
					if _, err := tx.Exec(`INSERT INTO oidc_grant (id, application, account, session, organization, scope, nonce, redirect_uri, code_hash, code_challenge, auth_time, acr, amr, created_at, code_expires_at)
						VALUES ($1, $2, $3, $4, '', 'openid', 'no', $5, $6, $7, $8, 'pw', 'pwd', $8, $9)`,
						id, w.plain.ID, anna.ID, session, callback, seal.Hash(secret), challenge(), tx.Now(), tx.Now().Add(time.Hour)); err != nil {
						return err
					}
				}
				return nil
			})
			sign := rawSigning(b)
			authorization := basic("plain", secret)
			b.ResetTimer()
			var spent, signing time.Duration
			signatures := 0
			for i, code := range codes {
				if i%100 == 0 { // in turns: the machine may be busy with other things
					signing += sign(50)
					signatures += 50
				}
				r := httptest.NewRequest(http.MethodPost, "/oauth2/token", strings.NewReader(codeForm(code).Encode()))
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				r.Header.Set("Authorization", authorization)
				rec := httptest.NewRecorder()
				start := dbtest.CPU()
				w.handler.ServeHTTP(rec, r)
				spent += dbtest.CPU() - start
				if rec.Code != http.StatusOK {
					b.Fatal(rec.Code, rec.Body)
				}
			}
			spent /= time.Duration(b.N)
			signature := signing / time.Duration(signatures)
			b.ReportMetric(float64(spent)/float64(signature), "signatures/exchange")
			b.ReportMetric(float64(spent.Microseconds()), "cpu-µs/exchange")
			b.ReportMetric(float64(signature.Microseconds()), "cpu-µs/signature")
		})
	}
}

// Discovery and JWKS over loopback beside a bare net/http handler that sends
// as many bytes, in turns in the same run.
func BenchmarkDocuments(b *testing.B) {
	w := newWorld(b, dbtest.Open(b, "sqlite", schema.Files))
	for _, path := range []string{"/.well-known/openid-configuration", "/oauth2/jwks"} {
		b.Run(strings.Trim(path[strings.LastIndex(path, "/"):], "/"), func(b *testing.B) {
			body := []byte(w.browser().get(path).body)
			bare := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				rw.Header().Set("Content-Type", "application/json")
				rw.Header().Set("Content-Length", strconv.Itoa(len(body)))
				rw.Write(body)
			}))
			defer bare.Close()
			ours, theirs := dial(b, w.server.Listener.Addr(), path), dial(b, bare.Listener.Addr(), path)
			var spent, yardstick, cpuSpent, cpuYardstick time.Duration
			const turn = 500
			b.ResetTimer()
			for done := 0; done < b.N; done += turn {
				n := min(turn, b.N-done)
				start, used := time.Now(), dbtest.CPU()
				ours(n)
				spent, cpuSpent = spent+time.Since(start), cpuSpent+dbtest.CPU()-used
				start, used = time.Now(), dbtest.CPU()
				theirs(n)
				yardstick, cpuYardstick = yardstick+time.Since(start), cpuYardstick+dbtest.CPU()-used
			}
			b.ReportMetric(float64(cpuYardstick)/float64(cpuSpent), "of-bare-cpu")
			b.ReportMetric(float64(yardstick)/float64(spent), "of-bare")
			b.ReportMetric(float64(b.N)/spent.Seconds(), "requests/s")
		})
	}
}

// dial is a lean client on one connection: it sends requests in bundles and
// reads answers of the length it learned from the first.
func dial(b *testing.B, address net.Addr, path string) func(n int) {
	c, err := net.Dial(address.Network(), address.String())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Close() })
	request := fmt.Sprintf("GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, address)
	// All answers have the length of the first.
	in := bufio.NewReaderSize(c, 64<<10)
	if _, err := io.WriteString(c, request); err != nil {
		b.Fatal(err)
	}
	size, length := 0, 0
	for line := ""; line != "\r\n"; size += len(line) {
		if line, err = in.ReadString('\n'); err != nil || size == 0 && !strings.Contains(line, " 200 ") {
			b.Fatal(line, err)
		}
		if n, found := strings.CutPrefix(line, "Content-Length: "); found {
			length, _ = strconv.Atoi(strings.TrimSpace(n))
		}
	}
	size += length
	if _, err := in.Discard(length); err != nil || length == 0 {
		b.Fatal(length, err)
	}
	const bundle = 10
	return func(n int) {
		for n > 0 {
			k := min(bundle, n)
			if _, err := io.WriteString(c, strings.Repeat(request, k)); err != nil {
				b.Fatal(err)
			}
			if _, err := in.Discard(size * k); err != nil {
				b.Fatal(err)
			}
			n -= k
		}
	}
}
