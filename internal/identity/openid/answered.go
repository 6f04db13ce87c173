package openid

import (
	"net"
	"net/http"
	"sync"
	"time"

	"zunft/internal/ground/web"
)

// answered remembers over which connection a renewal was answered, to tell a
// lost answer from a token used twice. As long as that connection stands,
// nothing was lost and the old token is refused; once it is gone, the same
// answer is given again for a few seconds. What is not known (another node, a
// restart, a reverse proxy between) counts as lost, in favor of the client.
// Either way the family is revoked only after the grace, or when the successor
// was used already.
type answered struct {
	mu   sync.Mutex
	sent map[string]sent     // by hash of the old token
	open map[string]struct{} // addresses of connections
}

type sent struct {
	address string
	at      time.Time
}

// ConnState follows connections; it goes into http.Server. Without it only a
// second use over the very same connection is told apart.
func (p *Provider) ConnState(c net.Conn, state http.ConnState) {
	a := &p.answered
	a.mu.Lock()
	defer a.mu.Unlock()
	switch state {
	case http.StateNew:
		if a.open == nil {
			a.open = map[string]struct{}{}
		}
		a.open[c.RemoteAddr().String()] = struct{}{}
	case http.StateClosed, http.StateHijacked:
		delete(a.open, c.RemoteAddr().String())
	}
}

// direct reports whether the client itself is at the other end of the connection.
func direct(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	return err == nil && host == web.Actor(r).IP
}

func (a *answered) note(hash string, r *http.Request, now time.Time) {
	if !direct(r) {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.sent == nil || len(a.sent) > 100_000 {
		a.sent = map[string]sent{}
	}
	a.sent[hash] = sent{r.RemoteAddr, now}
}

func (a *answered) lost(hash string, r *http.Request) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	s, known := a.sent[hash]
	_, stands := a.open[s.address]
	return !known || !direct(r) || !stands && s.address != r.RemoteAddr
}

func (a *answered) sweep(now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for hash, s := range a.sent {
		if now.Sub(s.at) > grace {
			delete(a.sent, hash)
		}
	}
}
