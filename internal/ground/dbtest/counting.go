package dbtest

import (
	"bufio"
	"bytes"
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
	return listen(t, address, func(kind byte, _ []byte) {
		if kind == 'E' {
			executed.Add(1)
		}
	}), executed
}

// CountingWays counts all ways there and back: statements, and what begins and
// ends a transaction. Background work counts, too: a test has none.
func CountingWays(t testing.TB, address string) (string, *atomic.Int64) {
	ways := new(atomic.Int64)
	return listen(t, address, func(kind byte, _ []byte) {
		if kind == 'E' || kind == 'Q' {
			ways.Add(1)
		}
	}), ways
}

// CountingWrites counts transactions that may write: package db says of all
// others that they only read.
func CountingWrites(t testing.TB, address string) (string, *atomic.Int64) {
	begun := new(atomic.Int64)
	return listen(t, address, func(kind byte, query []byte) {
		if kind == 'Q' && bytes.HasPrefix(query, []byte("begin")) && !bytes.Contains(query, []byte("read only")) {
			begun.Add(1)
		}
	}), begun
}

// listen passes on what is said between driver and server; seen is told of each
// message its kind, and of a simple query its text.
func listen(t testing.TB, address string, seen func(kind byte, query []byte)) string {
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
			go func() { tally(back, front, seen); back.Close() }()
		}
	}()
	q.Del("host")
	q.Set("sslmode", "disable")
	u.Host, u.RawQuery = l.Addr().String(), q.Encode()
	return u.String()
}

// tally passes on what the driver says. The first message has no type byte.
func tally(to io.Writer, from io.Reader, seen func(kind byte, query []byte)) {
	r := bufio.NewReader(from)
	for first := true; ; first = false {
		head := make([]byte, 5)
		if first {
			head = head[1:]
		}
		if _, err := io.ReadFull(r, head); err != nil {
			return
		}
		length := int64(binary.BigEndian.Uint32(head[len(head)-4:])) - 4
		if _, err := to.Write(head); err != nil {
			return
		}
		if first || head[0] != 'Q' {
			if !first {
				seen(head[0], nil)
			}
			if _, err := io.CopyN(to, r, length); err != nil {
				return
			}
			continue
		}
		query, err := io.ReadAll(io.LimitReader(r, length))
		if err != nil {
			return
		}
		seen('Q', query)
		if _, err := to.Write(query); err != nil {
			return
		}
	}
}
