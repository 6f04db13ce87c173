package clerk

import (
	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
)

// AddOperator lets somebody run this installation, and tells them. Their
// sessions end: the next sign-in asks for the factor that the role needs, unless
// it is the actor, who has shown it. Being it already is no mistake.
func AddOperator(tx *db.Tx, by audit.Actor, a account.Account) error {
	already, err := chamber.IsOperator(tx, a.ID)
	if err != nil {
		return err
	}
	if err := chamber.AddStaff(tx, by, a.ID, "", chamber.Operator); err != nil || already {
		return err
	}
	if a.ID != by.Account {
		if err := endSessions(tx, by, a.ID); err != nil {
			return err
		}
	}
	return tellOperator(tx, a, "operating")
}

// RemoveOperator ends that, and tells them; one operator stays always.
func RemoveOperator(tx *db.Tx, by audit.Actor, a account.Account) error {
	if err := chamber.RemoveOperator(tx, by, a.ID); err != nil {
		return err
	}
	return tellOperator(tx, a, "operating_no_more")
}

// AddClerk is the console's: it makes the first clerk of a chamber, who is told
// like those whom a leading clerk takes in ([Hire]).
func AddClerk(tx *db.Tx, by audit.Actor, a account.Account, chamberID string) error {
	already, err := chamber.IsClerk(tx, a.ID, chamberID)
	if err != nil {
		return err
	}
	if err := chamber.AddStaff(tx, by, a.ID, chamberID, chamber.Clerk); err != nil || already {
		return err
	}
	if err := endSessions(tx, by, a.ID); err != nil {
		return err
	}
	return tellTeam(tx, chamberID, "hired", a)
}

func tellOperator(tx *db.Tx, a account.Account, text string) error {
	token, err := account.Disavowal(tx, a.ID)
	if err != nil {
		return err
	}
	return texts.Send(tx, a.Person(), text, message{Name: a.Name(), At: tx.Now(), Disavow: token})
}
