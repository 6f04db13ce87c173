package story_test

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	smtp "zunft/internal/ground/mail"
)

// What the mails say in the golden files: the words of the story, long enough
// to be true. A text may use no other.
var sample = map[string]any{
	"Token": strings.Repeat("t", 43), "Code": "123456", "Spaced": "123 456", "Login": "anna.amsel", "At": noon, "Expires": noon,
	"Name": "Anna Amsel", "Company": "Bäckerei Morgenrot GmbH", "Organization": "Bäckerei Morgenrot GmbH", "Short": "Bäckerei Morgenrot GmbH",
	"Chamber": "Kammer Musterland", "Reference": "R-7F3K-22M", "Contact": "Telefon 0000 123 (Mo–Fr 9–16 Uhr)\nE-Mail info@kammer.example", "Text": "Bitte nennen Sie die Hausnummer.",
	"Applicant": "Anna Amsel", "Initial": "Anna A.", "Username": "anna.amsel", "Reason": "Ich möchte gerne mein Berichtsheft führen.", "Answer": "Wir kennen Sie noch nicht.",
	"Roles": []string{"Auszubildende:r", "Ausbilder:in"}, "Request": "01920000-0000-7000-8000-000000000001", "ID": "01920000-0000-7000-8000-000000000002",
	"Trainer": "Murat Yılmaz", "Apprentice": "Anna Amsel", "Writer": "Anna Amsel", "Week": "48", "Dates": "23.11.–27.11.2026", "Path": "2026-W48",
	"Disavow": strings.Repeat("d", 43), "Cancel": "/recover/W-7F3K-22M/cancel/" + strings.Repeat("c", 43), "Address": "anna.amsel@beispiel.example", "Kind": "totp", "Main": true,
	"Until": noon, "Due": noon, "Days": 1095, "Years": 3, "Again": false, "Browser": "Firefox auf Android", "IP": "192.0.2.7", "Admin": false, "By": "Bert Backmann", "As": "Auszubildende:r", "Message": "Wir freuen uns auf Sie.", "Known": false,
	"Deviates": []string{"Hausnummer"}, "Elster": false, "Email": "anna.amsel@beispiel.example", "Last": noon, "First": noon, "From": noon, "Offered": false, "Waiting": false, "Other": "Olga Otter", "Phone": "0999 1234-0", "Hours": "Montag bis Freitag, 8 bis 12 Uhr",
	"PIN": "7F3K-22MX", "Person": "Nora Nagel", "Principal": "Bäckerei Morgenrot GmbH", "Role": "Auszubildende:r", "Said": "Bert Backmann", "Sent": 37, "Left": 3, "Note": "", "Page": "/organizations/01920000-0000-7000-8000-000000000003/rosters/01920000-0000-7000-8000-000000000004", "List": "Azubis 2026.xlsx", "Site": "Filiale Hafen", "Why": "moved",
	"Missing": []string{"46 (09.11. – 15.11.2026)", "47 (16.11. – 22.11.2026)"}, "Returned": []string{"44 (26.10. – 01.11.2026)"}, "More": 2, "Weeks": 5, "Since": "26.10.2026", "Day": "23.11.2026", "Told": false, "Lost": "18.11.2026",
	"Count": 12, "Oldest": "02.11.2026", "People": []string{"Anna Amsel: 3", "Lena Lüders: 9"}, "Silent": []map[string]any{{"Who": "Lena B.", "Weeks": 4, "Since": "26.10.2026"}},
	"Moved": []map[string]any{{"Who": "Lena Lerche", "From": "01.12.2026", "Until": "", "Now": "Murat Yılmaz"}, {"Who": "Anna Amsel", "From": "01.12.2026", "Until": "31.12.2026", "Now": "Murat Yılmaz"}},
	"Who":   "Murat Yılmaz", "Checker": "Petra Pohl", "Unknown": true, "Clerk": "Clara Clausen", "Writes": true, "FirstDay": "23.11.2026", "LastDay": "27.11.2026",
}

var noon = db.Time{Time: time.Date(2026, 11, 23, 11, 0, 0, 0, time.UTC)}

// security mails say what to do if it was somebody else.
var security = []string{
	"confirm", "exists", "password_changed", "password_link", "data_changed", "new_device", "unlock",
	"address_added", "address_changed", "address_changing", "address_confirm", "address_removed", "address_taken", "address_taken_back", "address_undone",
	"going", "kept", "locked", "ready", "code", "codes_made", "codes_paused", "factor_added", "factor_removed", "factor_wanted", "recovery_used",
	"recovery_approved", "recovery_asked", "recovery_code", "recovery_done",
	"token_issued", "hired", "dismissed", "unlocked", "holds", "organization_closing", "succession_asked", "succession_done", "succession_mine", "succession_stopped", "succession_waits",
}

// morning is what waits on a clerk's desk.
type morning struct{ Name, Chamber string }

type waiting struct{ Count, Days int }

func (morning) Queue(key string) *waiting {
	return map[string]*waiting{"registrations": {30, 4}, "letters": {12, 1}, "mine": {1, 0}}[key]
}

func (m morning) Of(key string) int { return m.Queue(key).Count }

var links = regexp.MustCompile(`\x{27e6}base\x{27e7}\S*`)

// Every mail text of the tree in both languages, as people get it
// (testdata/mails.*.txt), with a subject that a phone shows in one piece.
func TestMailsOfBothPortals(t *testing.T) {
	folders := map[string][]string{} // folder of mails → names
	err := fs.WalkDir(os.DirFS(".."), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && path.Base(path.Dir(name)) == "mails" {
			short, _, _ := strings.Cut(path.Base(name), ".")
			folder := path.Dir(path.Dir(name))
			if !slices.Contains(folders[folder], short) {
				folders[folder] = append(folders[folder], short)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	golden, addresses, seen := map[string]*strings.Builder{"de": {}, "en": {}}, map[string][]string{}, 0
	for _, folder := range slices.Sorted(maps.Keys(folders)) {
		texts := smtp.Parse(os.DirFS("../" + folder))
		for _, name := range folders[folder] {
			for _, lang := range []string{"de", "en"} {
				var said any = sample
				if name == "daily_summary" {
					said = morning{"Clara Clausen", "Kammer Musterland"}
				}
				m, err := texts.Fill(smtp.Person{Name: "Anna Amsel", Address: "anna@beispiel.example", Lang: lang}, name, said)
				if err != nil {
					t.Errorf("%s/%s.%s: %v", folder, name, lang, err)
					continue
				}
				seen++
				if n := utf8.RuneCountInString(m.Subject); n == 0 || n > 60 {
					t.Errorf("%s.%s: the subject has %d characters: %s", name, lang, n, m.Subject)
				}
				question := map[string]string{"de": "Das waren nicht Sie?", "en": "This was not you?"}[lang]
				_, advice, asks := strings.Cut(m.Body, "\n"+question+" ")
				// Whom a clerk has locked out has nothing left to secure.
				if asks != (slices.Contains(security, name) && folder != "identity/clerk" || folder == "identity/clerk" && name != "locked") {
					t.Errorf("%s.%s: asks „%s“: %t", name, lang, question, asks)
				} else if asks && strings.Count(advice, "\n\n") > 1 {
					t.Errorf("%s.%s: „%s“ does not end the mail: %s", name, lang, question, advice)
				}
				if strings.Contains(m.Body, "<no value>") || strings.Contains(m.Body, "\n\n\n") {
					t.Errorf("%s.%s: a value is missing or lines are empty:\n%s", name, lang, m.Body)
				}
				if found := links.FindAllString(m.Body, -1); lang == "de" {
					addresses[name] = found
				} else if !slices.Equal(found, addresses[name]) {
					t.Errorf("%s leads to %v in German and to %v in English", name, addresses[name], found)
				}
				fmt.Fprintf(golden[lang], "==== %s/%s\nSubject: %s\n\n%s\n", folder, name, m.Subject, strings.ReplaceAll(m.Body, "\u27e6base\u27e7", "https://portal.example"))
			}
		}
	}
	if seen < 100 {
		t.Errorf("only %d mails found", seen)
	}
	for lang, b := range golden {
		dbtest.Golden(t, "mails."+lang+".txt", b.String())
	}
}
