package chamber

import (
	"encoding/json"
	"fmt"
	"slices"
	"unicode/utf8"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
)

// Settings are what a chamber decided about companies and its desk. Every field
// has a default that holds where the chamber said nothing; the other values
// stay possible (decision 3).
type Settings struct {
	// Matching of company data: "normalized" (exact after normalization) or "literal" (W06).
	Matching string `json:"matching"`
	// Proofs are the ways to prove a company: "letter", "elster" (W05), the likeliest first.
	Proofs []string `json:"proofs"`
	// FourEyesBelow: an approval below this score needs a second clerk; 0: never.
	FourEyesBelow int `json:"four_eyes_below"`
	// ReleaseFrom: from this score an application is released without a clerk; 0: never.
	ReleaseFrom int `json:"release_from"`
	// SamplePercent of what is released without a clerk is looked at afterwards.
	SamplePercent int `json:"sample_percent"`
	// ActiveFrom: from this score a released company is active at once, and its
	// management is sent a letter with a revocation code; 0: never, the letter comes first.
	ActiveFrom int `json:"active_from"`
	// EvidenceMonths is how long a proof holds; 0: without end.
	EvidenceMonths int `json:"evidence_months"`
	// Adviser answers companies' questions after a refusal (R210); empty: the chamber's contact.
	Adviser string `json:"adviser"`
	// LettersPerMonth is how many letters a company is sent at most in 30 days.
	LettersPerMonth int `json:"letters_per_month"`
	// DailySummary by mail to the desk, on working days.
	DailySummary bool `json:"daily_summary"`

	// Invitation: "member" (the admin has decided already) or "confirm" (the admin approves again, R103, R105).
	Invitation string `json:"invitation"`
	// InvitationDays is how long an invitation holds (L01); RosterDays those of a list.
	InvitationDays int `json:"invitation_days"`
	RosterDays     int `json:"roster_days"`
	// RemindDays, DeputyDays and ChamberDays are after how many days of silence a
	// request reminds its admins, tells all deputies, and tells the chamber.
	RemindDays  int `json:"remind_days"`
	DeputyDays  int `json:"deputy_days"`
	ChamberDays int `json:"chamber_days"`
	// RequestDays is after how many days an unanswered request ends.
	RequestDays int `json:"request_days"`
	// ReviewMonths is how often admins go through all roles; 0: never.
	ReviewMonths int `json:"review_months"`
	// MandateApproval: the chamber approves each mandate before it holds (R298).
	MandateApproval bool `json:"mandate_approval"`
	// MandateMonths is how long a mandate lasts at most.
	MandateMonths int `json:"mandate_months"`
	// CloseDays is the grace of an organization that its admins close (L07).
	CloseDays int `json:"close_days"`

	Version int `json:"-"`
}

// Values of the settings that choose.
const (
	Normalized = "normalized"
	Literal    = "literal"
	ByLetter   = "letter"
	ByElster   = "elster"
	AtOnce     = "member"
	Confirm    = "confirm"
)

// DefaultSettings hold where a chamber chose nothing.
func DefaultSettings() Settings {
	return Settings{
		Matching: Normalized, Proofs: []string{ByLetter}, FourEyesBelow: 0, SamplePercent: 10, LettersPerMonth: 3, DailySummary: true,
		Invitation: AtOnce, InvitationDays: 7, RosterDays: 21, RemindDays: 3, DeputyDays: 7, ChamberDays: 14, RequestDays: 90,
		ReviewMonths: 6, MandateMonths: 24, CloseDays: 30,
	}
}

// bounds of the numbers, by field; also what the page says.
var bounds = []struct {
	field    string
	of       func(*Settings) int
	min, max int
}{
	{"four_eyes_below", func(s *Settings) int { return s.FourEyesBelow }, 0, 100},
	{"release_from", func(s *Settings) int { return s.ReleaseFrom }, 0, 100},
	{"sample_percent", func(s *Settings) int { return s.SamplePercent }, 0, 100},
	{"active_from", func(s *Settings) int { return s.ActiveFrom }, 0, 100},
	{"evidence_months", func(s *Settings) int { return s.EvidenceMonths }, 0, 120},
	{"letters_per_month", func(s *Settings) int { return s.LettersPerMonth }, 1, 20},
	{"invitation_days", func(s *Settings) int { return s.InvitationDays }, 1, 90},
	{"roster_days", func(s *Settings) int { return s.RosterDays }, 1, 90},
	{"remind_days", func(s *Settings) int { return s.RemindDays }, 1, 60},
	{"deputy_days", func(s *Settings) int { return s.DeputyDays }, 1, 90},
	{"chamber_days", func(s *Settings) int { return s.ChamberDays }, 1, 120},
	{"request_days", func(s *Settings) int { return s.RequestDays }, 14, 365},
	{"review_months", func(s *Settings) int { return s.ReviewMonths }, 0, 24},
	{"mandate_months", func(s *Settings) int { return s.MandateMonths }, 1, 60},
	{"close_days", func(s *Settings) int { return s.CloseDays }, 0, 180},
}

// Check says what is wrong with settings.
func (s Settings) Check() error {
	var p fault.Problems
	if s.Matching != Normalized && s.Matching != Literal {
		p.Add("matching", "chamber.setting_choice")
	}
	if s.Invitation != AtOnce && s.Invitation != Confirm {
		p.Add("invitation", "chamber.setting_choice")
	}
	if len(s.Proofs) == 0 || slices.ContainsFunc(s.Proofs, func(way string) bool { return way != ByLetter && way != ByElster }) {
		p.Add("proofs", "chamber.setting_proofs")
	}
	if utf8.RuneCountInString(s.Adviser) > longest {
		p.Add("adviser", "chamber.setting_long", longest)
	}
	for _, b := range bounds {
		if n := b.of(&s); n < b.min || n > b.max {
			p.Add(b.field, "chamber.setting_number", b.min, b.max)
		}
	}
	if s.RemindDays > s.DeputyDays || s.DeputyDays > s.ChamberDays || s.ChamberDays > s.RequestDays {
		p.Add("remind_days", "chamber.setting_order")
	}
	return p.Err()
}

// SettingsOf are a chamber's settings, or the defaults.
func SettingsOf(tx *db.Tx, chamberID string) (Settings, error) {
	s := DefaultSettings()
	var body string
	err := tx.Scan(`SELECT body, version FROM chamber_setting WHERE chamber = $1`, []any{chamberID}, &body, &s.Version)
	if fault.Is(err, fault.KindNotFound) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal([]byte(body), &s); err != nil {
		return s, fmt.Errorf("settings of chamber %s: %w", chamberID, err)
	}
	return s, nil
}

// SaveSettings keeps what a leading clerk of the chamber (or the console)
// settled. s.Version is what they saw; Conflict if somebody was quicker.
func SaveSettings(tx *db.Tx, by audit.Actor, chamberID string, s Settings) error {
	if err := MustLead(tx, by, chamberID); err != nil {
		return err
	}
	if err := s.Check(); err != nil {
		return err
	}
	body, err := json.Marshal(s)
	if err != nil {
		return err
	}
	query, args := `UPDATE chamber_setting SET body = $2, version = version + 1, changed_at = $3, changed_by = $4 WHERE chamber = $1 AND version = $5`,
		[]any{chamberID, string(body), tx.Now(), by.Account, s.Version}
	if s.Version == 0 {
		query, args = `INSERT INTO chamber_setting (chamber, body, changed_at, changed_by) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`, args[:4]
	}
	n, err := tx.Exec(query, args...)
	if err != nil {
		return fmt.Errorf("save settings of chamber %s: %w", chamberID, err)
	}
	if n == 0 {
		return fault.Conflict("chamber.settings_changed")
	}
	return audit.Record(tx, by, audit.Entry{Event: "chamber.settings_changed", Chamber: chamberID})
}
