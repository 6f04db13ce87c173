package request

import (
	"strings"
	"time"
	"unicode/utf8"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/plain"
	"zunft/internal/identity/account"
	"zunft/internal/identity/organization"
)

// "Who is my admin?" is answered without a name: a message reaches all admins of
// the company, and whoever of them wants to answers to the address of the person
// who asked. That person is not told who they are, nor how many.

// MessageMax is how long such a message may be.
const MessageMax = 500

// A relayed message is a mail to every admin.
var (
	relaysOfPerson  = limit.Rate{Burst: 3, Every: 8 * time.Hour}
	relaysToCompany = limit.Rate{Burst: 10, Every: 2 * time.Hour}
)

// Relay sends a person's message to the admins of an active organization. The
// caller has settled that the person knows it: by its exact data, or a request.
func Relay(tx *db.Tx, by audit.Actor, organizationID, message string) error {
	company, err := organization.Get(tx, organizationID)
	if err != nil {
		return err
	}
	if company.State != organization.Active || by.Account == "" {
		return fault.NotFound()
	}
	message = strings.TrimSpace(message)
	if message == "" {
		return fault.Invalid("message", "request.message_required")
	}
	if utf8.RuneCountInString(message) > MessageMax {
		return fault.Invalid("message", "request.message_long", MessageMax)
	}
	if plain.Leads(message) { // our mails carry our links only
		return fault.Invalid("message", "request.no_links")
	}
	if err := limit.TakeIn(tx, "relay/person/"+by.Account, relaysOfPerson); err != nil {
		return err
	}
	if err := limit.TakeIn(tx, "relay/company/"+organizationID, relaysToCompany); err != nil {
		return err
	}
	person, err := account.Get(tx, by.Account)
	if err != nil {
		return err
	}
	if err := audit.Record(tx, by, audit.Entry{Event: "request.relayed", Account: by.Account, Organization: organizationID, Thing: organizationID}); err != nil {
		return err
	}
	s := stage{company: company, applicant: person, request: Request{Reason: message}}
	return s.relay(tx)
}
