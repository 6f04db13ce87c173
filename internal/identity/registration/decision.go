package registration

import (
	"slices"
	"strings"
	"unicode/utf8"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/mail"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/company"
	"zunft/internal/identity/directory"
	"zunft/internal/identity/fold"
	"zunft/internal/identity/notice"
	"zunft/internal/identity/organization"
)

// GetRegistration is a registration for a clerk of its chamber.
func GetRegistration(tx *db.Tx, by audit.Actor, id string) (Registration, error) {
	r, err := loadRegistration(tx, id)
	if err != nil {
		return r, err
	}
	if clerk, err := chamber.IsClerk(tx, by.Account, r.Chamber); err != nil {
		return r, err
	} else if !clerk {
		return r, fault.NotFound()
	}
	return r, nil
}

// Claim is "Mir zuweisen": the clerk takes the case on; Conflict if another was quicker.
func Claim(tx *db.Tx, by audit.Actor, id string) error { return pass(tx, by, id, "", by.Account) }

// Release gives the clerk's own case back.
func Release(tx *db.Tx, by audit.Actor, id string) error { return pass(tx, by, id, by.Account, "") }

// TakeOver takes the case from the clerk who has it, e.g. who is ill.
func TakeOver(tx *db.Tx, by audit.Actor, id, from string) error {
	if from == "" {
		return Claim(tx, by, id)
	}
	return pass(tx, by, id, from, by.Account)
}

func pass(tx *db.Tx, by audit.Actor, id, from, to string) error {
	r, err := GetRegistration(tx, by, id)
	if err != nil {
		return err
	}
	if err := notOwn(by, r); err != nil {
		return err
	}
	passed, err := passTo(tx, id, from, to)
	if err != nil {
		return err
	}
	if !passed {
		return quicker(tx, by, id)
	}
	event := "registration.claimed"
	switch {
	case to == "":
		event = "registration.released"
	case from != "":
		event = "registration.taken_over"
	}
	return r.record(tx, by, event, map[string]any{"from": from})
}

// Approve makes an organization of the directory's entry (R091, R092). version
// is what the clerk saw. Below a score of the chamber's choice the first yes
// only calls for a second clerk: then the organization has no id yet.
func Approve(tx *db.Tx, by audit.Actor, id string, version int, entryID, method string) (organization.Organization, error) {
	none := organization.Organization{}
	r, err := deciding(tx, by, id)
	if err != nil {
		return none, err
	}
	d := decision{id: id, version: version, by: by.Account, clerk: by.Account, entry: entryID, evidence: method, source: r.Reference}
	var p fault.Problems
	entry, err := directory.Get(tx, entryID)
	if fault.Is(err, fault.KindNotFound) || err == nil && entry.Chamber != r.Chamber {
		p.Add("entry", "registration.entry_missing")
	} else if err != nil {
		return none, err
	}
	seen, err := certificate(tx, id)
	if err != nil {
		return none, err
	}
	if !slices.Contains(organization.Methods(), method) && method != organization.ByElster {
		p.Add("evidence", "registration.evidence_missing")
	} else if method == organization.ByElster && seen == nil {
		p.Add("evidence", "registration.certificate_missing")
	}
	if err := p.Err(); err != nil {
		return none, err
	}
	if method == organization.ByElster {
		d.source = seen.Serial
	}
	settings, err := chamber.SettingsOf(tx, r.Chamber)
	if err != nil {
		return none, err
	}
	of, err := chamber.Get(tx, r.Chamber)
	if err != nil {
		return none, err
	}
	score := company.Compare(r.Company, entry.Company, of.Number).Score
	if r.State == Second && r.FirstClerk == by.Account {
		return none, &fault.Fault{Kind: fault.KindForbidden, Problems: []fault.Problem{{Key: "registration.second_needed"}}}
	}
	if r.State != Second && score < settings.FourEyesBelow {
		return none, second(tx, by, r, d)
	}
	return release(tx, by, r, d, entry, score, settings)
}

// AskBack asks the applicant; the case rests until they answer.
func AskBack(tx *db.Tx, by audit.Actor, id string, version int, question string) error {
	r, err := deciding(tx, by, id)
	if err != nil {
		return err
	}
	if question, err = answer("question", question, "registration.question_missing"); err != nil {
		return err
	}
	moved, err := decide(tx, decision{id: id, version: version, state: AskedBack, by: by.Account, clerk: by.Account, answer: question})
	if err != nil {
		return err
	}
	if !moved {
		return quicker(tx, by, id)
	}
	if err := r.record(tx, by, "registration.asked_back", nil); err != nil {
		return err
	}
	return r.outcome(tx, "registration_asked_back", "notice.registration_asked_back", question)
}

// Refuse ends an application with the reason that the applicant reads (R209, R210).
func Refuse(tx *db.Tx, by audit.Actor, id string, version int, reason string) error {
	r, err := deciding(tx, by, id)
	if err != nil {
		return err
	}
	if reason, err = answer("refusal", reason, "registration.refusal_missing"); err != nil {
		return err
	}
	moved, err := decide(tx, decision{id: id, version: version, state: Refused, by: by.Account, clerk: by.Account, answer: reason})
	if err != nil {
		return err
	}
	if !moved {
		return quicker(tx, by, id)
	}
	if err := r.record(tx, by, "registration.refused", nil); err != nil {
		return err
	}
	return r.outcome(tx, "registration_refused", "notice.registration_refused", reason)
}

// Forward passes a registration on to the chamber that is really in charge,
// which compares it with its own directory. The applicant is told where it lies
// now, and why.
func Forward(tx *db.Tx, by audit.Actor, id string, version int, to, reason string) error {
	r, err := deciding(tx, by, id)
	if err != nil {
		return err
	}
	var p fault.Problems
	target, err := chamber.Get(tx, to)
	if fault.Is(err, fault.KindNotFound) || err == nil && (to == r.Chamber || !target.Valid(tx.Now())) { // where nobody works any more it would lie for ever
		p.Add("to", "registration.forward_missing")
	} else if err != nil {
		return err
	}
	reason, why := answer("forward", reason, "registration.forward_reason")
	if f := fault.Of(why); f != nil {
		p = append(p, f.Problems...)
	}
	if err := p.Err(); err != nil {
		return err
	}
	from := r.Chamber
	r.Chamber = to
	if r.IdentNumber != "" {
		r.IdentNumber, _ = fold.Ident(r.IdentNumber, target.Number)
	}
	rated, err := rateAt(tx, to, r.Company)
	if err != nil {
		return err
	}
	r.Score, r.Entry, r.Deviates = rated.score, rated.entry, rated.deviates
	moved, err := forward(tx, r, from, by.Account, version, reason)
	if db.Unique(err) {
		return fault.Conflict("registration.forward_pending", target.Name)
	}
	if err != nil {
		return err
	}
	if !moved {
		return quicker(tx, by, id)
	}
	if _, err := r.settleRisk(tx); err != nil {
		return err
	}
	detail := map[string]any{"from": from, "to": to}
	for _, at := range []string{from, to} { // both chambers find it in their record
		if err := audit.Record(tx, by, audit.Entry{Event: "registration.forwarded", Account: r.Applicant, Chamber: at, Thing: id, Detail: detail}); err != nil {
			return err
		}
	}
	if err := organization.TellClerks(tx, to, "", "notice.registration_submitted", "/chamber/registrations/"+id, r.Name, r.Reference); err != nil {
		return err
	}
	return r.outcome(tx, "registration_forwarded", "notice.registration_forwarded", reason)
}

func answer(field, text, missing string) (string, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return "", fault.Invalid(field, missing)
	}
	if n := utf8.RuneCountInString(text); n > MostAnswer {
		return "", fault.Invalid(field, "registration.answer_long", n)
	}
	return text, nil
}

// deciding loads a registration for a decision: a clerk of its chamber, and
// not the applicant (four eyes, R091).
func deciding(tx *db.Tx, by audit.Actor, id string) (Registration, error) {
	r, err := GetRegistration(tx, by, id)
	if err != nil {
		return r, err
	}
	return r, notOwn(by, r)
}

func notOwn(by audit.Actor, r Registration) error {
	if r.Applicant == by.Account {
		return &fault.Fault{Kind: fault.KindForbidden, Problems: []fault.Problem{{Key: "registration.own_registration"}}}
	}
	return nil
}

// outcome tells the applicant in mail and portal.
func (r Registration) outcome(tx *db.Tx, text, phrase, answer string) error {
	if err := r.write(tx, text, answer); err != nil {
		return err
	}
	return notice.Tell(tx, r.Applicant, phrase, "/registrations/"+r.ID, r.Name)
}

// quicker says what happened to a registration in the meantime, and who did it.
func quicker(tx *db.Tx, by audit.Actor, id string) error {
	r, err := loadRegistration(tx, id)
	if err != nil {
		return err
	}
	name := ""
	if r.Clerk != "" {
		people, err := account.GetMany(tx, []string{r.Clerk})
		if err != nil {
			return err
		}
		name = people[r.Clerk].Name()
	}
	at := r.DecidedAt.In(mail.Berlin).Format("02.01.2006, 15:04")
	switch {
	case r.State == Withdrawn:
		return fault.Conflict("registration.withdrawn_meanwhile")
	case r.State == Approved:
		return fault.Conflict("registration.approved_meanwhile", name, at)
	case r.State == Refused:
		return fault.Conflict("registration.refused_meanwhile", name, at)
	case r.Clerk != "" && r.Clerk != by.Account && r.Applicant != by.Account:
		return fault.Conflict("registration.claimed_meanwhile", name)
	}
	return fault.Conflict("registration.changed_meanwhile")
}
