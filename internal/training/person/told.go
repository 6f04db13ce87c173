package person

import (
	"slices"

	"zunft/internal/ground/db"
)

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
