package session

import (
	"strings"

	"zunft/internal/ground/db"
)

// shown is how many sessions List returns at most.
const shown = 100

// List are the sessions of an account that run, the last used first.
func List(tx *db.Tx, account string) ([]Session, error) {
	return db.All(tx, (*Session).fields, `SELECT `+columns+` FROM session WHERE account = $1 AND NOT pending AND ended_at IS NULL AND ends_at > $2 AND seen_at > $3
		ORDER BY seen_at DESC, id DESC LIMIT $4`, account, tx.Now(), tx.Now().Add(-Idle), shown)
}

// Device names browser and system of a User-Agent as people know them; empty
// for what is not known. It is a help for the eye and proves nothing.
func Device(agent string) (browser, system string) {
	first := func(pairs ...string) string {
		for i := 0; i < len(pairs); i += 2 {
			if strings.Contains(agent, pairs[i]) {
				return pairs[i+1]
			}
		}
		return ""
	}
	// Every browser claims to be those it descends from: the youngest name counts.
	browser = first("Edg", "Edge", "OPR/", "Opera", "SamsungBrowser/", "Samsung Internet", "Vivaldi/", "Vivaldi",
		"FxiOS/", "Firefox", "Firefox/", "Firefox", "CriOS/", "Chrome", "Chrome/", "Chrome", "Safari/", "Safari")
	system = first("Android", "Android", "iPhone", "iPhone", "iPad", "iPad", "Windows", "Windows", "Mac OS X", "macOS", "CrOS", "ChromeOS", "Linux", "Linux")
	return browser, system
}
