package review

import (
	"slices"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/training/person"
	"zunft/internal/training/supervisor"
)

// An Address without an account to which reports were sent, and which the
// company has not confirmed.
type Address struct {
	Email, Name string // Name: of an apprentice who sent them
	Report      string // id of one of them
	Reports     int
}

// Addresses are those whose reports wait for a confirmation that the actor can
// give, at most twenty.
func Addresses(tx *db.Tx, by audit.Actor) ([]Address, error) {
	v, err := readers(tx, by)
	if err != nil || !v.Is(person.Trainer, person.TrainingAdmin) {
		return nil, err
	}
	if way, err := supervisor.WayOf(tx, v.Company.ID); err != nil || way == supervisor.ByPIN {
		return nil, err
	}
	var a args
	where := `r.company = ` + a.add(v.Company.ID) + ` AND r.state IN ('submitted', 'checked') AND r.approver <> '' AND r.apprentice NOT IN (` + a.list(v.self) + `) AND ` + supervisor.Unknown
	if !v.Is(person.TrainingAdmin) {
		where += ` AND ` + v.accompanied(tx, &a)
	}
	return db.All(tx, func(x *Address) []any { return []any{&x.Email, &x.Name, &x.Report, &x.Reports} },
		`SELECT p.email, min(w.name), min(r.id), count(*) FROM report r JOIN apprenticeship a ON a.id = r.apprenticeship JOIN person p ON p.sub = r.approver JOIN person w ON w.sub = r.apprentice
		WHERE `+where+` GROUP BY p.email ORDER BY p.email LIMIT 20`, a...)
}

// Confirm says that the address a report was sent to is that of one of the
// company's people: from now on they sign there, whoever sends. A trainer who
// accompanies the apprentice may, and training admins; never who sends reports
// there themselves (§ 14 (2) BBiG). email is the one that was read: the
// apprentice may have taken the report back and sent it elsewhere since.
func Confirm(tx *db.Tx, by audit.Actor, id, email string) error {
	r, v, err := load(tx, by, id)
	if err != nil {
		return err
	}
	if v.late || !v.Is(person.Trainer, person.TrainingAdmin) || slices.Contains(v.self, r.Apprentice) || !supervisor.Is(audit.Actor{Account: r.Approver}) {
		return fault.Forbidden()
	}
	own, err := db.Value[bool](tx, `SELECT EXISTS (SELECT 1 FROM report WHERE approver = $1 AND apprentice = $2)`, r.Approver, v.sub)
	if err == nil && own {
		err = fault.Forbidden()
	}
	if err != nil {
		return err
	}
	p, err := person.Get(tx, r.Approver)
	if err != nil {
		return err
	}
	if p.Email != email {
		return fault.Conflict("review.address_changed", p.Email)
	}
	return supervisor.Confirm(tx, by, r.Company, r.Approver)
}
