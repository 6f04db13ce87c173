package account

import (
	"strings"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
)

// wasHere reports whether the mark of [Device] that a browser has is of this
// account, under whatever password.
func wasHere(tx *db.Tx, a Account, mark string) bool {
	b, err := tx.Keys().Open("account/device", mark)
	if err != nil {
		return false
	}
	part := strings.Fields(string(b))
	return len(part) == 3 && part[1] == a.ID
}

// TellNewDevice mails the owner that somebody signed in from where nobody of
// this account has before: neither is the browser known by its mark, nor were
// network and program those of another session of a day or so. The first
// sign-in of an account is no news.
func TellNewDevice(tx *db.Tx, by audit.Actor, a Account, mark, session string) error {
	if mark != "" && wasHere(tx, a, mark) {
		return nil
	}
	var before, alike bool
	err := tx.Scan(`SELECT EXISTS (SELECT 1 FROM audit WHERE account = $1 AND event = 'session.started' AND thing <> $2),
		EXISTS (SELECT 1 FROM session WHERE account = $1 AND id <> $2 AND NOT pending AND ip = $3 AND agent = $4)`,
		[]any{a.ID, session, by.IP, by.Agent}, &before, &alike)
	if err != nil || !before || alike {
		return err
	}
	disavow, err := Disavowal(tx, a.ID)
	if err != nil {
		return err
	}
	if err := audit.Record(tx, by, audit.Entry{Event: "signin.new_device", Account: a.ID, Thing: session}); err != nil {
		return err
	}
	return texts.Send(tx, a.Person(), "new_device", newDevice{tx.Now(), Browser(by.Agent), by.IP, disavow})
}

// newDevice is what the text new_device may use.
type newDevice struct {
	At                   db.Time
	Browser, IP, Disavow string
}
