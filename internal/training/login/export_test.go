package login

import "time"

// Forget makes the next sign-in ask the identity portal again at once.
func (d *Door) Forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.since = time.Time{}
}
