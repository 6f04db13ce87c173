package person

import (
	"slices"
	"time"

	"zunft/internal/ground/db"
)

// rests is after how long without a sign-in nobody is written to about others
// any more: only a sign-in tells us that they still belong to the company, and
// whoever left it must not read the names of its apprentices for ever.
const rests = 180 * 24 * time.Hour

// Here are those of some people of whom we know lately that they have their role.
func Here(tx *db.Tx, people []Person) []Person {
	return slices.DeleteFunc(people, func(p Person) bool { return tx.Now().Sub(p.SeenAt) > rests })
}

// Told are those of some people who want a mail whenever a report waits for
// them; the others chose to hear of all of it once a week (package reminder).
func Told(tx *db.Tx, people []Person) ([]Person, error) {
	if len(people) == 0 {
		return nil, nil
	}
	args := make([]any, len(people))
	for i, p := range people {
		args[i] = p.Sub
	}
	quiet, err := db.Values[string](tx, `SELECT person FROM reminder WHERE kind = 'reviewing' AND quiet AND person IN (`+db.In(1, len(args))+`)`, args...)
	return slices.DeleteFunc(people, func(p Person) bool { return slices.Contains(quiet, p.Sub) }), err
}
