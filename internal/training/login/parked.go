package login

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

// A session may end while somebody writes. What the page then sends is parked,
// sealed, for a day, until the same person has signed in with the same browser
// (ux.md: no expired session may lose text). A form takes part by the hidden
// field "who", the subject it belongs to.

// park keeps the posted form; false if it does not take part.
func (d *Door) park(r *http.Request, browser string) (bool, error) {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
		return false, nil
	}
	r.Body = http.MaxBytesReader(nil, r.Body, web.MaxBody)
	if err := r.ParseForm(); err != nil {
		return false, nil // too large or malformed: nothing to keep
	}
	who := r.PostForm.Get("who")
	if who == "" || len(who) > 255 || len(r.URL.Path) > 200 {
		return false, nil
	}
	err := limit.Take(r.Context(), d.DB, "park/"+limit.Network(web.Actor(r).IP), limit.Rate{Burst: 40, Every: 10 * time.Second})
	if fault.Is(err, fault.KindLimited) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	body, err := json.Marshal(r.PostForm)
	if err != nil {
		return false, err
	}
	return true, d.DB.Write(r.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(`INSERT INTO parked_form (browser, path, person, body, expires_at) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (browser, path) DO UPDATE SET person = $3, body = $4, expires_at = $5`,
			seal.Hash(browser), r.URL.Path, who, tx.Keys().Seal("parked_form/"+seal.Hash(browser)+r.URL.Path, body), tx.Now().Add(24*time.Hour))
		return err
	})
}

// Parked is what this person had typed into the page at path when the session
// ended, or nil.
func (d *Door) Parked(tx *db.Tx, r *http.Request, path string) (url.Values, error) {
	cookie, s := d.Site.Cookie(r, browserCookie), Of(r)
	if cookie == "" || s == nil {
		return nil, nil
	}
	browser := seal.Hash(cookie)
	sealed, err := db.Value[string](tx, `SELECT body FROM parked_form WHERE browser = $1 AND path = $2 AND person = $3 AND expires_at > $4`,
		browser, path, s.Person.Sub, tx.Now())
	if fault.Is(err, fault.KindNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	body, err := tx.Keys().Open("parked_form/"+browser+path, sealed)
	if err != nil {
		return nil, err
	}
	var form url.Values
	if err := json.Unmarshal(body, &form); err != nil {
		return nil, errors.New("parked form: unreadable")
	}
	return form, nil
}

// Unpark forgets it, once it was saved or thrown away.
func (d *Door) Unpark(tx *db.Tx, r *http.Request, path string) error {
	cookie, s := d.Site.Cookie(r, browserCookie), Of(r)
	if cookie == "" || s == nil {
		return nil
	}
	_, err := tx.Exec(`DELETE FROM parked_form WHERE browser = $1 AND path = $2 AND person = $3`, seal.Hash(cookie), path, s.Person.Sub)
	return err
}
