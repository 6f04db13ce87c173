// Package dossier puts together everything about a person (GDPR Art. 15, 20).
//
//	       Ask            job            7 days
//	──────────▶ asked ─────────▶ ready ─────────▶ gone
//
// What it collects is a list of tables and columns, and a test holds that list
// against the schema: a table that refers to accounts is either collected or
// left out by name, for a reason. Secrets (hashes, keys, codes) are nobody's
// information; that they exist is said.
//
// The result is sealed until its owner reads it: it is the most personal thing
// the installation holds.
package dossier

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/job"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/mail"
	"zunft/internal/identity/account"
	"zunft/internal/identity/notice"
)

// Phrases are what people read of this package's faults.
//
//go:embed phrases/*.json
var Phrases embed.FS

//go:embed mails/*.txt
var mailFiles embed.FS

var texts = mail.Parse(mailFiles)

// States of a dossier.
const (
	Asked = "asked"
	Ready = "ready"
)

// kept is how long a dossier can be fetched.
const kept = 7 * 24 * time.Hour

const kind = "dossier.make"

// rate bounds how often somebody may ask: putting it together reads a lot.
var rate = limit.Rate{Burst: 3, Every: 4 * time.Hour}

// A Dossier on its way, or to be fetched.
type Dossier struct {
	ID, Account, State string
	AskedAt, ReadyAt   db.Time
	ExpiresAt          db.Time
}

const columns = `id, account, state, asked_at, ready_at, expires_at`

func (d *Dossier) fields() []any {
	return []any{&d.ID, &d.Account, &d.State, &d.AskedAt, &d.ReadyAt, &d.ExpiresAt}
}

// Work adds what this package does after the request and by the clock.
func Work(r *job.Runner, d *db.DB) {
	r.On(kind, func(ctx context.Context, body []byte) error {
		var id string
		if err := json.Unmarshal(body, &id); err != nil {
			return fmt.Errorf("dossier: %w: %w", job.ErrGiveUp, err)
		}
		return put(ctx, d, id)
	})
	r.Every(time.Hour, "dossier.sweep", func(ctx context.Context) error { return d.Batches(ctx, sweep) })
}

// Ask has everything about the acting person put together. One is on its way at
// a time; asking again meanwhile changes nothing.
func Ask(tx *db.Tx, by audit.Actor) error {
	id := db.NewID()
	n, err := tx.Exec(`INSERT INTO dossier (id, account, state, asked_at) VALUES ($1, $2, 'asked', $3) ON CONFLICT (account) WHERE state = 'asked' DO NOTHING`,
		id, by.Account, tx.Now())
	if err != nil || n == 0 {
		return err
	}
	if err := limit.TakeIn(tx, "dossier/"+by.Account, rate); err != nil {
		return err
	}
	if err := audit.Record(tx, by, audit.Entry{Event: "dossier.asked", Account: by.Account, Thing: id}); err != nil {
		return err
	}
	return job.Enqueue(tx, kind, id, id)
}

// put reads everything in one view of the database, and keeps it sealed.
func put(ctx context.Context, d *db.DB, id string) error {
	var q Dossier
	var body []byte
	err := d.Read(ctx, func(tx *db.Tx) (err error) {
		if q, err = db.One(tx, (*Dossier).fields, `SELECT `+columns+` FROM dossier WHERE id = $1 AND state = 'asked'`, id); err != nil {
			return err
		}
		all, err := Collect(tx, q.Account)
		if err != nil {
			return err
		}
		body, err = json.Marshal(all)
		return err
	})
	if fault.Is(err, fault.KindNotFound) { // done before, or the account is gone
		return nil
	}
	if err != nil {
		return fmt.Errorf("dossier %s: %w", id, err)
	}
	return d.Write(ctx, func(tx *db.Tx) error {
		n, err := tx.Exec(`UPDATE dossier SET state = 'ready', body = $1, ready_at = $2, expires_at = $3 WHERE id = $4 AND state = 'asked'`,
			tx.Keys().Seal("dossier/"+id, body), tx.Now(), tx.Now().Add(kept), id)
		if err != nil || n == 0 {
			return err
		}
		if err := audit.Record(tx, audit.Job, audit.Entry{Event: "dossier.ready", Account: q.Account, Thing: id}); err != nil {
			return err
		}
		if err := notice.Tell(tx, q.Account, "notice.dossier_ready", "/account/data"); err != nil {
			return err
		}
		a, err := account.Get(tx, q.Account)
		if err != nil {
			return err
		}
		disavow, err := account.Disavowal(tx, a.ID)
		if err != nil {
			return err
		}
		return texts.Send(tx, a.Person(), "ready", letter{Name: a.Name(), Until: tx.Now().Add(kept), Disavow: disavow})
	})
}

// letter is what the mail text may use.
type letter struct {
	Name    string
	Until   db.Time
	Disavow string
}

// shown is how many dossiers List returns.
const shown = 5

// List are a person's dossiers, the newest first.
func List(tx *db.Tx, account string) ([]Dossier, error) {
	return db.All(tx, (*Dossier).fields, `SELECT `+columns+` FROM dossier WHERE account = $1 AND (expires_at IS NULL OR expires_at > $2) ORDER BY id DESC LIMIT $3`,
		account, tx.Now(), shown)
}

// Open reads the acting person's own dossier, and records that they did.
func Open(tx *db.Tx, by audit.Actor, id string) (d Dossier, all []Section, err error) {
	var sealed string
	err = tx.Scan(`SELECT `+columns+`, body FROM dossier WHERE id = $1 AND account = $2 AND state = 'ready' AND expires_at > $3`,
		[]any{id, by.Account, tx.Now()}, append(d.fields(), &sealed)...)
	if err != nil {
		return d, nil, err
	}
	body, err := tx.Keys().Open("dossier/"+id, sealed)
	if err != nil {
		return d, nil, err
	}
	if json.Unmarshal(body, &all) != nil {
		return d, nil, errors.New("dossier: unreadable")
	}
	return d, all, audit.Record(tx, by, audit.Entry{Event: "dossier.read", Account: by.Account, Thing: id})
}

func sweep(tx *db.Tx, most int) (int64, error) {
	return tx.Exec(`DELETE FROM dossier WHERE id IN (SELECT id FROM dossier WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)`, tx.Now(), most)
}
