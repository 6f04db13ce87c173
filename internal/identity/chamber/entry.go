package chamber

import "zunft/internal/ground/db"

// Entry is one company of a chamber's member directory, as the file said it.
type Entry struct {
	ID      string
	Chamber string
	Company
	Management string // to whom the activation letter goes (R092); never shown to applicants

	ImportedAt db.Time // when this content came

	companyKey, contentHash string
}
