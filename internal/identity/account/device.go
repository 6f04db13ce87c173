package account

import (
	"fmt"
	"strings"
	"time"

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

// knownDevice says whether the mark is of this account and has tries left; a
// try in it is counted there and nowhere else.
func knownDevice(tx *db.Tx, a Account, mark string) (bool, error) {
	b, err := tx.Keys().Open("account/device", mark)
	if err != nil || a.ID == "" {
		return false, nil
	}
	part := strings.Fields(string(b))
	if len(part) != 3 || part[1] != a.ID || !seal.Equal(part[2], seal.Hash(a.password)) {
		return false, nil
	}
	err = limit.TakeIn(tx, "login/device/"+part[0], deviceRate)
	if fault.Is(err, fault.KindLimited) {
		return false, nil // a stranger like any other
	}
	return err == nil, err
}
