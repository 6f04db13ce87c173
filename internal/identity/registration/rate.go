package registration

import (
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/account"
	"zunft/internal/identity/company"
	"zunft/internal/identity/directory"
)

// A rating is how an application compares with the member directory (R072).
type rating struct {
	chamber  string
	score    int
	entry    string
	clear    bool     // no other entry comes near
	deviates []string // fields that differ, if it is beyond doubt which company is meant
}

// worthWondering: a second entry this much alike makes the first one unclear.
const worthWondering = 90

// Rate compares the application with the member directory. Where thousands of
// companies share a postcode that takes its time, so pages do it before their
// transaction; Submit and Resubmit do it themselves where nobody did.
func Rate(tx *db.Tx, a Application) (Application, error) {
	r, _, err := read(tx, a)
	if fault.Of(err) != nil || err == nil && r.Chamber == "" {
		return a, nil // Submit says what is wrong
	}
	if err != nil {
		return a, err
	}
	a.rating, err = rateAt(tx, r.Chamber, r.Company)
	return a, err
}

func rateAt(tx *db.Tx, chamberID string, c company.Company) (*rating, error) {
	best, err := directory.Candidates(tx, chamberID, c, 2)
	if err != nil {
		return nil, err
	}
	found := &rating{chamber: chamberID}
	if len(best) > 0 {
		found.score, found.entry = best[0].Match.Score, best[0].Entry.ID
		found.clear = len(best) == 1 || best[1].Match.Score < worthWondering
		if best[0].Match.Known() {
			found.deviates = best[0].Match.Deviates()
		}
	}
	return found, nil
}

// rate keeps how the application compares with the member directory; clear
// says that one entry alone comes near.
func (r *Registration) rate(tx *db.Tx, a Application) (clear bool, err error) {
	if a.rating == nil || a.rating.chamber != r.Chamber {
		if a.rating, err = rateAt(tx, r.Chamber, r.Company); err != nil {
			return false, err
		}
	}
	r.Score, r.Entry, r.Deviates = a.rating.score, a.rating.entry, a.rating.deviates
	return a.rating.clear, nil
}

// What each flag adds to the risk, which otherwise is what the score lacks.
const (
	riskDuplicate = 40
	riskAgain     = 20
	riskFreemail  = 10
)

// settleRisk keeps where the registration stands in a queue sorted by risk.
func (r *Registration) settleRisk(tx *db.Tx) (Item, error) {
	i, err := item(tx, r.ID)
	if err != nil {
		return i, err
	}
	applicant, err := account.Get(tx, r.Applicant)
	if err != nil {
		return i, err
	}
	i.Freemail = Freemail(applicant.Email)
	r.Risk = 100 - r.Score
	for _, f := range []struct {
		set  bool
		risk int
	}{{i.Duplicate, riskDuplicate}, {i.Again, riskAgain}, {i.Freemail, riskFreemail}} {
		if f.set {
			r.Risk += f.risk
		}
	}
	_, err = tx.Exec(`UPDATE registration SET risk = $1 WHERE id = $2`, r.Risk, r.ID)
	return i, err
}
