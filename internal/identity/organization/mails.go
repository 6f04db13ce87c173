package organization

import (
	"embed"

	"zunft/internal/ground/db"
	"zunft/internal/ground/mail"
)

//go:embed mails/*.txt
var mailFiles embed.FS

// Texts are this package's mails.
var Texts = mail.Parse(mailFiles)

// message is what the mails may use.
type message struct {
	Name, Company, Chamber, ID string
	Contact                    string  // of the chamber, lines
	Said                       string  // a reason
	At                         db.Time // when it takes effect
	Disavow                    string
}
