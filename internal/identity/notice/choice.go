package notice

import (
	"slices"

	"zunft/internal/ground/db"
)

// A Topic groups what people are told of. The bell shows everything; which
// topics come by mail, too, is each person's choice (ux.md 2.7). What concerns
// the security of the account is no topic: it always comes.
type Topic string

// The topics.
const (
	Requests      Topic = "requests"      // of others, for who administers: somebody wants to join, or roles
	Answers       Topic = "answers"       // to one's own requests and about one's membership and roles
	Registrations Topic = "registrations" // of one's company at the chamber
)

// Topics in the order of the page.
func Topics() []Topic { return []Topic{Requests, Answers, Registrations} }

// Mails reports whether a topic comes to a person by mail, too. Without a
// choice it does.
func Mails(tx *db.Tx, account string, t Topic) (bool, error) {
	silent, err := Silent(tx, t, account)
	return !silent[account], err
}

// Silent are those of several people who want no mail on a topic.
func Silent(tx *db.Tx, t Topic, accounts ...string) (map[string]bool, error) {
	silent := map[string]bool{}
	for part := range slices.Chunk(accounts, 500) {
		args := []any{t}
		for _, id := range part {
			args = append(args, id)
		}
		ids, err := db.Values[string](tx, `SELECT account FROM notice_choice WHERE topic = $1 AND NOT mail AND account IN (`+db.In(2, len(part))+`)`, args...)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			silent[id] = true
		}
	}
	return silent, nil
}

// Choices of a person, by topic.
func Choices(tx *db.Tx, account string) (map[Topic]bool, error) {
	choices := map[Topic]bool{}
	for _, t := range Topics() {
		choices[t] = true
	}
	err := tx.Each(`SELECT topic, mail FROM notice_choice WHERE account = $1`, []any{account}, func(scan func(...any) error) error {
		var t Topic
		var yes bool
		err := scan(&t, &yes)
		if _, known := choices[t]; known {
			choices[t] = yes
		}
		return err
	})
	return choices, err
}

// Choose keeps which topics come by mail, too.
func Choose(tx *db.Tx, account string, choices map[Topic]bool) error {
	for _, t := range Topics() { // always in the same order
		if _, err := tx.Exec(`INSERT INTO notice_choice (account, topic, mail) VALUES ($1, $2, $3) ON CONFLICT (account, topic) DO UPDATE SET mail = excluded.mail`,
			account, t, choices[t]); err != nil {
			return err
		}
	}
	return nil
}
