package account

import (
	"fmt"
	"strings"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/seal"
)

// deviceRate bounds tries in a browser that is known.
var deviceRate = limit.Rate{Burst: 10, Every: 3 * time.Minute}

// Device marks a browser in which somebody has just signed in, for a cookie.
// Strangers who keep guessing at an account pause it for everybody but the
// browsers its owner has used before (decision 3; OWASP "device cookies"). It
// opens nothing by itself, counts its own tries, and ends with the password.
func Device(tx *db.Tx, a Account) string {
	return tx.Keys().Seal("account/device", fmt.Appendf(nil, "%s %s %s", db.NewID(), a.ID, seal.Hash(a.password)))
}

// readDevice takes a mark of [Device] apart; ok if it is this account's.
func readDevice(tx *db.Tx, a Account, mark string) (id, password string, ok bool) {
	b, err := tx.Keys().Open("account/device", mark)
	if err != nil || a.ID == "" {
		return "", "", false
	}
	part := strings.Fields(string(b))
	if len(part) != 3 || part[1] != a.ID {
		return "", "", false
	}
	return part[0], part[2], true
}

// knownDevice says whether the mark is of this account and of its password of
// today, and has tries left; a try in it is counted there and nowhere else.
func knownDevice(tx *db.Tx, a Account, mark string) (bool, error) {
	id, password, ok := readDevice(tx, a, mark)
	if !ok || !seal.Equal(password, seal.Hash(a.password)) {
		return false, nil
	}
	err := limit.TakeIn(tx, "login/device/"+id, deviceRate)
	if fault.Is(err, fault.KindLimited) {
		return false, nil // a stranger like any other
	}
	return err == nil, err
}

// TellNewDevice mails the owner that somebody signed in from where nobody of
// this account has before: neither is the browser known by its mark, nor were
// network and program those of another session of a day or so. The first
// sign-in of an account is no news.
func TellNewDevice(tx *db.Tx, by audit.Actor, a Account, mark, session string) error {
	if _, _, ok := readDevice(tx, a, mark); ok { // under whatever password
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
