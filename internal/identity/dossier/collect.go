package dossier

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"zunft/internal/ground/db"
)

// A Section is what one table holds about the person.
type Section struct {
	Name string              `json:"name"`
	Rows []map[string]string `json:"rows"`
	// Columns in their order: maps have none.
	Columns []string `json:"columns"`
}

// A source is a table, the condition that finds a person's rows in it ($1), and
// the columns that say something about them; "?" marks those that say yes or no,
// which SQLite keeps as 1 and 0.
type source struct {
	name, from, where, columns string
}

// sources in the order people read them.
var sources = []source{
	{"account", "account", "id = $1", "salutation title given_name family_name username email state language policy name_source answers created_at confirmed_at used_at password_at delete_at"},
	{"emails", "account_email", "account = $1", "email created_at confirmed_at"},
	{"address_changes", "address_change", "account = $1", "old_email new_email state asked_at done_at"},
	{"numbers", "account_number", "account = $1", "kind number since"},
	{"registration_codes", "registration_code", "account = $1", "kind number used_at"},
	{"consents", "consent JOIN terms ON terms.id = consent.terms", "account = $1", "title version given_at withdrawn_at"},
	{"factors", "factor", "account = $1", "kind name state created_at confirmed_at used_at"},
	{"recovery_codes", "recovery_code", "account = $1", "made_at used_at"},
	{"sessions", "session", "account = $1", "ip agent amr auth_time seen_at ended_at"},
	{"applications", "oidc_grant g JOIN application a ON a.id = g.application", "g.account = $1", "client_name scope g.created_at revoked_at"},
	{"application_events", "application_event e JOIN application a ON a.id = e.application", "e.account = $1", "client_name at outcome"},
	{"memberships", "membership m JOIN organization o ON o.id = m.organization", "m.account = $1", "name admin? since ended_at"},
	{"roles", "role_grant r JOIN membership m ON m.id = r.membership JOIN organization o ON o.id = m.organization", "m.account = $1", "name role granted_at"},
	{"requests", "request r JOIN organization o ON o.id = r.organization", "r.applicant = $1", "kind name reason r.state answer submitted_at decided_at"},
	{"invitations", "invitation i JOIN organization o ON o.id = i.organization", "i.account = $1 AND i.account <> '' OR i.state = 'sent' AND i.email_key = (SELECT email_key FROM account WHERE id = $1)", "name i.email given_name family_name i.state i.created_at expires_at i.ended_at"},
	{"mandates", "mandate d JOIN organization o ON o.id = d.principal", "d.account = $1", "reference o.name d.email d.state d.starts_at d.ends_at d.ended_at"},
	{"mandate_persons", "mandate_person n JOIN mandate d ON d.id = n.mandate JOIN organization o ON o.id = d.principal", "n.account = $1", "d.reference o.name n.since"},
	{"registrations", "registration", "applicant = $1", "reference name street house_number postcode place reason state answer submitted_at decided_at"},
	{"organizations", "organization", "registered_by = $1", "name place state created_at activated_at"},
	{"successions", "succession s JOIN organization o ON o.id = s.organization", "s.account = $1", "name s.state s.created_at s.due_at s.ended_at"},
	{"staff", "staff", "account = $1", "role since"},
	{"name_corrections", "name_correction", "account = $1", "reference title given_name family_name reason state answer submitted_at decided_at"},
	{"recoveries", "recovery", "account = $1", "reference state evidence answer submitted_at decided_at ended_at"},
	{"notices", "notice", "account = $1", "at phrase args read_at"},
	{"notice_choices", "notice_choice", "account = $1", "topic mail?"},
	{"links", "account_link", "account = $1", "purpose state created_at expires_at used_at"},
	{"record", "audit", "account = $1", "at event actor_kind ip agent"},
}

// most rows of one table: the record of a busy account is long, and the last
// years of it are what a person asks for.
const most = 5000

// Collect reads everything about a person.
func Collect(tx *db.Tx, account string) (all []Section, err error) {
	for _, s := range sources {
		section := Section{Name: s.name}
		names := strings.Fields(s.columns)
		yesNo := make([]bool, len(names))
		for i, n := range names {
			names[i], yesNo[i] = strings.CutSuffix(n, "?")
			section.Columns = append(section.Columns, names[i][strings.LastIndex(n, ".")+1:])
		}
		query := fmt.Sprintf(`SELECT %s FROM %s WHERE %s ORDER BY 1 LIMIT %d`, strings.Join(names, ", "), s.from, s.where, most)
		if s.name == "record" {
			query = fmt.Sprintf(`SELECT %s FROM %s WHERE %s ORDER BY id DESC LIMIT %d`, strings.Join(names, ", "), s.from, s.where, most)
		}
		err := tx.Each(query, []any{account}, func(scan func(...any) error) error {
			cells, dest := make([]db.Cell, len(names)), make([]any, len(names))
			for i := range cells {
				dest[i] = &cells[i]
			}
			if err := scan(dest...); err != nil {
				return err
			}
			row := map[string]string{}
			for i, c := range cells {
				switch {
				case yesNo[i] && c == "1":
					c = "true"
				case yesNo[i] && c == "0":
					c = "false"
				}
				row[section.Columns[i]] = string(c)
			}
			section.Rows = append(section.Rows, row)
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		all = append(all, section)
	}
	return all, nil
}

// JSON is a dossier as a file to take along: sections by name, each a list of rows.
func JSON(d Dossier, all []Section) ([]byte, error) {
	data := map[string][]map[string]string{}
	for _, s := range all {
		data[s.Name] = s.Rows
		if s.Rows == nil {
			data[s.Name] = []map[string]string{}
		}
	}
	return json.MarshalIndent(struct {
		About   string                         `json:"about"`
		Account string                         `json:"account"`
		At      string                         `json:"at"`
		Data    map[string][]map[string]string `json:"data"`
	}{"everything this portal holds about one person", d.Account, d.ReadyAt.UTC().Format(time.RFC3339), data}, "", "  ")
}
