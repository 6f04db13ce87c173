package dbtest

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
)

// Counting puts a listener between the driver and PostgreSQL that counts the
// Execute messages of the wire protocol (PostgreSQL 15, section 55.7). It
// returns the address to connect to and the count of statements run.
func Counting(t testing.TB, address string) (string, *atomic.Int64) {
	executed := new(atomic.Int64)
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	network, target := "tcp", u.Host
	q := u.Query()
	if dir := q.Get("host"); strings.HasPrefix(dir, "/") {
		port := q.Get("port")
		if port == "" {
			port = "5432"
		}
		network, target = "unix", dir+"/.s.PGSQL."+port
		q.Del("port")
	} else if u.Port() == "" {
		target += ":5432"
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			front, err := l.Accept()
			if err != nil {
				return
			}
			back, err := net.Dial(network, target)
			if err != nil {
				front.Close()
				continue
			}
			go func() { io.Copy(front, back); front.Close() }()
			go func() { tally(back, front, executed); back.Close() }()
		}
	}()
	q.Del("host")
	q.Set("sslmode", "disable")
	u.Host, u.RawQuery = l.Addr().String(), q.Encode()
	return u.String(), executed
}

// tally passes on what the driver says. The first message has no type byte.
func tally(to io.Writer, from io.Reader, executed *atomic.Int64) {
	r := bufio.NewReader(from)
	for first := true; ; first = false {
		head := make([]byte, 5)
		if first {
			head = head[1:]
		}
		if _, err := io.ReadFull(r, head); err != nil {
			return
		}
		if !first && head[0] == 'E' {
			executed.Add(1)
		}
		length := int64(binary.BigEndian.Uint32(head[len(head)-4:])) - 4
		if _, err := to.Write(head); err != nil {
			return
		}
		if _, err := io.CopyN(to, r, length); err != nil {
			return
		}
	}
}
