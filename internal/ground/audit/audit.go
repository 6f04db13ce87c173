// Package audit records who did what, on whom, when, from where and under
// which request number.
//
// A record is a row of the same transaction as the change it belongs to:
// what cannot be recorded is not done. Records are only ever added. Details
// hold ids and keys, not names or addresses, so that a person can be forgotten
// while the record of the deed remains (decision 6 of the house).
package audit

import (
	"encoding/json"
	"fmt"

	"zunft/internal/ground/db"
)

// An Actor is who acts: a person in a session, a command at the console, or
// the system itself.
type Actor struct {
	Account string // id of the account; empty for system and commands, and before sign-in
	Session string // id of the session it acts in, if any
	Kind    Kind
	IP      string // address the request came from
	Agent   string // browser, as it names itself
	Request string // request number, as people see it: "Vorgang 7F3K-22M"
}

// Kind of actor.
type Kind string

const (
	Person  Kind = "person"
	Command Kind = "command" // somebody at the console
	System  Kind = "system"  // a job
)

// Job is the actor of periodic and queued work.
var Job = Actor{Kind: System}

// Console is the actor of a command.
var Console = Actor{Kind: Command}

// An Entry says what happened. Event is noun.verb, e.g. "join.approved".
type Entry struct {
	Event        string
	Account      string // on whom
	Organization string // for which organization
	Chamber      string // at which chamber; clerks see the records of theirs
	Thing        string // which registration, request, letter …: its id
	Detail       map[string]any
}

// Record adds entries; its error must stop the transaction. Several are one
// statement: some hundred at a time are no more work than one.
func Record(tx *db.Tx, by Actor, entries ...Entry) error {
	if len(entries) == 0 {
		return nil
	}
	if by.Kind == "" {
		by.Kind = Person
	}
	const values = 13
	args := make([]any, 0, values*len(entries))
	for _, e := range entries {
		detail := "{}"
		if len(e.Detail) > 0 {
			b, err := json.Marshal(e.Detail)
			if err != nil {
				return fmt.Errorf("audit %s: %w", e.Event, err)
			}
			detail = string(b)
		}
		args = append(args, db.NewID(), tx.Now(), by.Kind, by.Account, by.IP, by.Agent, by.Request, e.Event, e.Account, e.Organization, e.Chamber, e.Thing, detail)
	}
	text := one
	if len(entries) > 1 {
		text = insert + db.Rows(len(entries), values)
	}
	if _, err := tx.Exec(text, args...); err != nil {
		return fmt.Errorf("audit %s: %w", entries[0].Event, err)
	}
	return nil
}

const (
	insert = `INSERT INTO audit (id, at, actor_kind, actor, ip, agent, request, event, account, organization, chamber, thing, detail) VALUES `
	one    = insert + `($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`
)

// A Row is a record as it is read again.
type Row struct {
	ID      string
	At      db.Time
	By      Actor
	Entry   Entry
	RawJSON string
}

func (r *Row) fields() []any {
	return []any{
		&r.ID, &r.At, &r.By.Kind, &r.By.Account, &r.By.IP, &r.By.Agent, &r.By.Request,
		&r.Entry.Event, &r.Entry.Account, &r.Entry.Organization, &r.Entry.Chamber, &r.Entry.Thing, &r.RawJSON,
	}
}

// A Filter narrows a list of records; empty fields do not filter.
type Filter struct {
	Chamber, Organization, Account, Event, Request string
	Before                                         string  // id of the last row of the page before
	From, Until                                    db.Time // written at or after, and before; zero: any time
	Limit                                          int     // at most 200
}

// List reads records, newest first, one page at a time (keyset paging).
func List(tx *db.Tx, f Filter) ([]Row, error) {
	if f.Limit <= 0 || f.Limit > 200 {
		f.Limit = 50
	}
	query, args := `SELECT id, at, actor_kind, actor, ip, agent, request, event, account, organization, chamber, thing, detail FROM audit WHERE TRUE`, []any(nil)
	add := func(condition string, value string) {
		if value != "" {
			args = append(args, value)
			query += fmt.Sprintf(condition, len(args))
		}
	}
	add(` AND chamber = $%d`, f.Chamber)
	add(` AND organization = $%d`, f.Organization)
	add(` AND account = $%d`, f.Account)
	add(` AND event = $%d`, f.Event)
	add(` AND request = $%d`, f.Request)
	add(` AND id < $%d`, f.Before)
	add(` AND id >= $%d`, first(f.From))
	add(` AND id < $%d`, first(f.Until))
	args = append(args, f.Limit)
	return db.All(tx, (*Row).fields, query+fmt.Sprintf(` ORDER BY id DESC LIMIT $%d`, len(args)), args...)
}

// first is where the ids of a moment begin: UUIDv7 counts milliseconds. So a
// term costs what lies in it, whatever came after.
func first(t db.Time) string {
	if t.IsZero() {
		return ""
	}
	ms := t.UnixMilli()
	return fmt.Sprintf("%08x-%04x-0000-0000-000000000000", ms>>16, ms&0xffff)
}

// Forget takes address and browser out of the records on a person who is gone
// (decision 6). That something was done, when and by which id, stays.
func Forget(tx *db.Tx, account string) error {
	_, err := tx.Exec(`UPDATE audit SET ip = '', agent = '' WHERE account = $1 AND (ip <> '' OR agent <> '')`, account)
	return err
}
