package clerk

import (
	"strings"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
)

// hireRate keeps the field from being used to find out who has an account: a
// leading clerk learns that of an address, and each try is recorded.
var hireRate = limit.Rate{Burst: 10, Every: 6 * time.Minute}

// Hire takes the owner of an e-mail address into the team. Their sessions end:
// the next sign-in asks for the factor that a clerk needs. The person is told,
// and so is whoever leads the team.
func Hire(tx *db.Tx, by audit.Actor, chamberID, email string) (account.Account, error) {
	if err := chamber.MustLead(tx, by, chamberID); err != nil {
		return account.Account{}, err
	}
	if email = strings.TrimSpace(email); !strings.Contains(email, "@") {
		return account.Account{}, fault.Invalid("email", "clerk.email_form")
	}
	if err := limit.TakeIn(tx, "hire/"+chamberID, hireRate); err != nil {
		return account.Account{}, err
	}
	a, err := account.ByLogin(tx, email)
	if fault.Is(err, fault.KindNotFound) || err == nil && a.State != account.Active {
		if err := audit.Record(tx, by, audit.Entry{Event: "staff.not_found", Chamber: chamberID}); err != nil {
			return a, err
		}
		return a, db.Keep(fault.Invalid("email", "clerk.no_account"))
	}
	if err != nil {
		return a, err
	}
	if err := chamber.AddColleague(tx, by, chamberID, a.ID); err != nil {
		return a, err
	}
	if err := endSessions(tx, by, a.ID); err != nil {
		return a, err
	}
	return a, tellTeam(tx, chamberID, "hired", a)
}

// Dismiss takes somebody out of the team. What they had taken on waits for
// everybody again, and their sessions end.
func Dismiss(tx *db.Tx, by audit.Actor, chamberID, accountID string) error {
	if err := chamber.RemoveColleague(tx, by, chamberID, accountID); err != nil {
		return err
	}
	if _, err := tx.Exec(`UPDATE registration SET clerk = '', version = version + 1 WHERE clerk = $1 AND chamber = $2 AND state IN ('submitted', 'asked_back', 'second')`, accountID, chamberID); err != nil {
		return err
	}
	if accountID != by.Account { // whoever goes by themselves stays signed in
		if err := endSessions(tx, by, accountID); err != nil {
			return err
		}
	}
	a, err := account.Get(tx, accountID)
	if err != nil {
		return err
	}
	return tellTeam(tx, chamberID, "dismissed", a)
}

func tellTeam(tx *db.Tx, chamberID, text string, a account.Account) error {
	c, err := chamber.Get(tx, chamberID)
	if err != nil {
		return err
	}
	token, err := account.Disavowal(tx, a.ID)
	if err != nil {
		return err
	}
	return texts.Send(tx, a.Person(), text, message{Name: a.Name(), At: tx.Now(), Chamber: c.Name, Phone: c.Phone, Hours: c.Hours, Email: c.Email, Disavow: token})
}
