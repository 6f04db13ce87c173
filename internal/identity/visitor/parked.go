package visitor

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/seal"
	"zunft/internal/ground/web"
)

// A session may end, or a proof become necessary, while somebody fills in a
// form. What they then send is parked, sealed, for a day, for the same person
// in the same browser; after signing in, [ParkedPath] offers to send it again
// (ux.md: no expired session may lose text). Passwords and codes are never kept.

// ParkedPath is the page that offers to send what is parked.
const ParkedPath = "/parked"

const (
	parkedCookie = "parked"
	parkedFor    = 24 * time.Hour
	maxParked    = 64 << 10
)

// A Parked form.
type Parked struct {
	Path   string
	Values url.Values
}

// secretField: what must not be kept even for a minute. A postcode is no code.
func secretField(name string) bool {
	if name == "code" || name == "current" || name == "pin" || name == "response" || strings.HasSuffix(name, "_code") {
		return true
	}
	for _, s := range []string{"password", "secret", "token", "ticket", "form_key"} {
		if strings.Contains(name, s) {
			return true
		}
	}
	return false
}

// park keeps what was posted for an account; false where there is nothing to keep.
func (d *Door) park(w http.ResponseWriter, r *http.Request, account string) (bool, error) {
	if account == "" || strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") || len(r.URL.Path) > 200 {
		return false, nil
	}
	if r.PostForm == nil {
		r.Body = http.MaxBytesReader(nil, r.Body, maxParked)
		if err := r.ParseForm(); err != nil {
			return false, nil // too large or malformed
		}
	}
	values := url.Values{}
	for name, v := range r.PostForm {
		if !secretField(name) {
			values[name] = v
		}
	}
	body, err := json.Marshal(Parked{r.URL.Path, values})
	if err != nil || len(values) == 0 || len(body) > 2*maxParked {
		return false, err
	}
	err = limit.Take(r.Context(), d.DB, "park/"+limit.Network(web.Actor(r).IP), limit.Rate{Burst: 40, Every: 10 * time.Second})
	if fault.Is(err, fault.KindLimited) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	secret := d.Site.Cookie(r, parkedCookie)
	if len(secret) != 43 {
		secret = seal.Token()
	}
	id := seal.Hash(secret)
	err = d.DB.Write(r.Context(), func(tx *db.Tx) error {
		// The path is sealed with the rest: it may be the link of a mail.
		_, err := tx.Exec(`INSERT INTO parked_form (id, account, path, body, expires_at) VALUES ($1, $2, '', $3, $4)
			ON CONFLICT (id) DO UPDATE SET account = excluded.account, body = excluded.body, expires_at = excluded.expires_at`,
			id, account, tx.Keys().Seal("parked_form/"+id, body), tx.Now().Add(parkedFor))
		return err
	})
	d.Site.SetCookie(w, parkedCookie, secret, parkedFor)
	return err == nil, err
}

// Parked is what this person sent from this browser when a session had ended
// or a proof was missing. NotFound: nothing.
func (d *Door) Parked(r *http.Request) (p Parked, err error) {
	secret, v := d.Site.Cookie(r, parkedCookie), Of(r)
	if secret == "" || v == nil {
		return p, fault.NotFound()
	}
	id := seal.Hash(secret)
	err = d.DB.Read(r.Context(), func(tx *db.Tx) error {
		var sealed string
		if err := tx.Scan(`SELECT body FROM parked_form WHERE id = $1 AND account = $2 AND expires_at > $3`, []any{id, v.Account.ID, tx.Now()}, &sealed); err != nil {
			return err
		}
		body, err := tx.Keys().Open("parked_form/"+id, sealed)
		if err != nil {
			return err
		}
		if json.Unmarshal(body, &p) != nil {
			return errors.New("parked form: unreadable")
		}
		return nil
	})
	return p, err
}

// Unpark forgets it.
func (d *Door) Unpark(w http.ResponseWriter, r *http.Request) error {
	secret := d.Site.Cookie(r, parkedCookie)
	if secret == "" {
		return nil
	}
	d.Site.SetCookie(w, parkedCookie, "", -1)
	return d.DB.Write(r.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(`DELETE FROM parked_form WHERE id = $1`, seal.Hash(secret))
		return err
	})
}

// Sweep forgets what nobody came back for. A periodic job calls it.
func (d *Door) Sweep(tx *db.Tx, most int) (int64, error) {
	return tx.Exec(`DELETE FROM parked_form WHERE id IN (SELECT id FROM parked_form WHERE expires_at <= $1 LIMIT $2)`, tx.Now(), most)
}
