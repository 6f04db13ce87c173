package review

import (
	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/training/person"
)

// Readable are the ids of a person's reports that the actor reads: as For, once
// they were submitted. Of their own company all for training admins, of what they
// accompany for trainers, of their time for supervisors.
func Readable(tx *db.Tx, by audit.Actor, sub string) (map[string]bool, error) {
	v, err := readers(tx, by)
	if err != nil {
		return nil, err
	}
	return v.readable(tx, sub)
}

// ReadableTo is Readable for somebody who is not signed in: a file that they
// ordered is made for them.
func ReadableTo(tx *db.Tx, reader, company, sub string) (map[string]bool, error) {
	s, err := person.In(tx, company, reader)
	if err != nil {
		return nil, err
	}
	v, err := signedIn(tx, s)
	if err != nil || !v.Reads() {
		return nil, err
	}
	return v.readable(tx, sub)
}

func (v reader) readable(tx *db.Tx, sub string) (map[string]bool, error) {
	var a args
	where := `r.apprentice = ` + a.add(sub) + ` AND r.company = ` + a.add(v.Company.ID) + ` AND r.submitted_at IS NOT NULL`
	if !v.Is(person.TrainingAdmin) {
		where += ` AND ` + v.accompanied(tx, &a)
	}
	ids, err := db.Values[string](tx, `SELECT r.id FROM report r JOIN apprenticeship a ON a.id = r.apprenticeship WHERE `+where, a...)
	all := make(map[string]bool, len(ids))
	for _, id := range ids {
		all[id] = true
	}
	return all, err
}
