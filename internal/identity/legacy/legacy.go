// Package legacy brings people here who have an account at another product
// (R185, R186): they skip the registration and keep user name and password.
//
// A file of accounts is read and checked as a whole before anything is written:
// what is wrong in a row, whom it would meet in the file or in the portal. Then
// rows are added batch by batch. Nobody is ever overwritten; a row that meets
// somebody is left to a person.
//
//	file ──▶ Read: rows, and what is wrong with them ──▶ Import: who is there already ──▶ write
package legacy

import (
	"embed"

	"zunft/internal/identity/account"
)

// Phrases are what is said of rows.
//
//go:embed phrases/*.json
var Phrases embed.FS

// A Row of the file.
type Row struct {
	Line int // of the file, counted from 1
	account.New
	Numbers []account.GivenNumber
	Hash    string // as the file has it; empty: by "Passwort vergessen"
}

// A Problem with a row, and of which column.
type Problem struct {
	Line   int
	Column string
	Reason string // phrase key
	Args   []any
}

// A Report says what an import did, or would have done.
type Report struct {
	Rows     int            // of the file
	Written  int            // accounts made
	Usable   int            // rows that can be taken
	Hashes   map[string]int // kinds of password hashes of the usable rows
	Bad      int            // rows that cannot
	Problems []Problem      // the first thousand
}

const mostProblems = 1000

func (r *Report) say(problems ...Problem) {
	r.Problems = append(r.Problems, problems[:min(len(problems), mostProblems-len(r.Problems))]...)
}
