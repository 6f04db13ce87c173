package erasure

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/training/person"
)

// mostHeld rows of a section are told at once; the record goes on for years.
const mostHeld = 5000

// held is what there is of a person beside the texts of the report book, which
// is taken out on its own (package export): sections with their columns. Names
// of others are not in it.
var held = []struct{ name, columns, from string }{
	{"person", "name given_name family_name email language seen_at", `person WHERE sub = $1`},
	{"roles", "c.name role since r.seen_at", `company_role r JOIN company c ON c.id = r.company WHERE r.person = $1 ORDER BY c.name, role`},
	{"numbers", "c.name apprentice_number trainer_number", `company_number n JOIN company c ON c.id = n.company WHERE n.person = $1 ORDER BY c.name`},
	{"sessions", "c.name created_at s.seen_at ends_at", `session s JOIN company c ON c.id = s.company WHERE s.person = $1 AND ended_at IS NULL ORDER BY created_at`},
	{"apprenticeships", "number given_name family_name email occupation retraining site land starts_on ends_on ended_on source created_at", `apprenticeship WHERE person = $1 ORDER BY starts_on, id`},
	{"accompanied", "role department from_day until_day created_at", `assignment WHERE person = $1 ORDER BY from_day, id`},
	{"history", "e.at r.first_day e.event e.text", `report r JOIN report_event e ON e.report = r.id WHERE r.apprentice = $1 ORDER BY e.id`},
	{"seals", "number at version content digest", `report_seal WHERE apprentice = $1 ORDER BY number`},
	{"attachments", "r.first_day a.name a.kind a.size a.added_at", `report r JOIN attachment a ON a.report = r.id WHERE r.apprentice = $1 ORDER BY a.id`},
	{"pattern", "days regional land changed_at", `week_pattern WHERE person = $1`},
	{"planned", "attendance from_day until_day place created_at", `planned_time WHERE person = $1 ORDER BY from_day, id`},
	{"lessons", "day starts ends subject place", `lesson WHERE person = $1 ORDER BY day, starts`},
	{"snippets", "text created_at", `snippet WHERE person = $1 ORDER BY id`},
	{"reminders", "kind weekly weekday hour quiet next_at", `reminder WHERE person = $1 ORDER BY kind`},
	{"calendar", "created_at used_at ended_at", `calendar_feed WHERE person = $1 ORDER BY id`},
	{"tokens", "name hint scope created_at expires_at used_at ended_at", `api_token WHERE person = $1 ORDER BY id`},
	{"exports", "scope first_day last_day state created_at expires_at", `export WHERE ordered_by = $1 ORDER BY id`},
	{"looks", "ground state reason asked_at opened_at until_at ended_at", `share WHERE person = $1 ORDER BY id`},
	{"looked_at", "l.at l.week", `share s JOIN share_look l ON l.share = s.id WHERE s.person = $1 ORDER BY l.id`},
	{"exam", "kind day said_at confirmed_at", `apprenticeship a JOIN exam_step x ON x.apprenticeship = a.id WHERE a.person = $1 ORDER BY kind`},
	{"documents", "kind title d.created_at withdrawn_at", `apprenticeship a JOIN document d ON d.apprenticeship = a.id WHERE a.person = $1 ORDER BY d.id`},
	{"record", "at event ip agent", `audit WHERE account = $1 ORDER BY id DESC`},
}

// Held is what this portal holds of the actor beside the texts of their report
// book (Art. 15 GDPR), as JSON.
func Held(tx *db.Tx, by audit.Actor) ([]byte, error) {
	s, err := person.Acting(tx, by)
	if err != nil {
		return nil, err
	}
	data := map[string][]map[string]string{}
	for _, h := range held {
		columns := strings.Fields(h.columns)
		rows := []map[string]string{}
		query := fmt.Sprintf(`SELECT %s FROM %s LIMIT %d`, strings.Join(columns, ", "), h.from, mostHeld)
		err := tx.Each(query, []any{s.Person.Sub}, func(scan func(...any) error) error {
			cells, dest := make([]db.Cell, len(columns)), make([]any, len(columns))
			for i := range cells {
				dest[i] = &cells[i]
			}
			if err := scan(dest...); err != nil {
				return err
			}
			row := map[string]string{}
			for i, c := range cells {
				name := columns[i]
				if name == "c.name" {
					name = "company"
				}
				row[name[strings.LastIndex(name, ".")+1:]] = string(c)
			}
			rows = append(rows, row)
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("held, %s: %w", h.name, err)
		}
		data[h.name] = rows
	}
	return json.MarshalIndent(map[string]any{
		"about": "what the training portal holds of one person, beside the texts of the report book", "person": s.Person.Sub, "at": tx.Now().UTC().Format(time.RFC3339), "data": data,
	}, "", "  ")
}
