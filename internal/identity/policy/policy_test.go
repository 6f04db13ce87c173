package policy

import (
	"bytes"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/schema"
)

// Decision 3: four ways that are there today are shipped, and a standard. Each
// asks its sources' fields, and only them, in their order (S02, S24, S31–S33).
func TestPresets(t *testing.T) {
	want := map[string]string{
		"standard":      "salutation title? given_name family_name email email_repeat further? username password password_repeat / terms: information_duties!",
		"meine-ihk":     "salutation title? given_name family_name email email_repeat further? username password password_repeat / terms: information_duties!",              // R039, R040, R041, R042, R043, R045, R047, R051
		"lux":           "registration_code / person: title? given_name family_name email password password_repeat chamber captcha",                                         // R187, R188, R191, R192
		"mein-ias":      "given_name family_name email password / profile: birth_year? gender? language? office_work leads_people / terms: privacy terms_of_use! email_use", // R242, R245, R246, R247, R249, R250
		"nordwestfalen": "salutation title? given_name family_name email email_repeat username password password_repeat / terms: information_duties!",                       // R271
	}
	if keys := Presets(); len(keys) != len(want) {
		t.Errorf("presets %v", keys)
	}
	for key, fields := range want {
		p, err := Preset(key)
		if err != nil {
			t.Fatal(key, err)
		}
		var got strings.Builder
		for i, st := range p.SignUp.Steps {
			if i > 0 {
				got.WriteString(" / " + st.Key + ":")
			}
			for _, f := range st.Fields() {
				got.WriteString(" " + f.Name)
				if f.Optional {
					got.WriteString("?")
				}
			}
			if st.Terms {
				for _, r := range p.SignUp.Terms {
					got.WriteString(" " + r.Kind)
					if r.Required {
						got.WriteString("!")
					}
				}
			}
		}
		if g := strings.TrimSpace(got.String()); g != fields {
			t.Errorf("%s asks\n%s, want\n%s", key, g, fields)
		}
	}
	for _, key := range Presets() { // what is printed can be read again; a misspelt word is refused
		p, _ := Preset(key)
		b, err := p.File()
		if again, err2 := Read(key, b); err != nil || err2 != nil || !reflect.DeepEqual(again, p) {
			t.Errorf("%s changes when it is written and read: %v %v", key, err, err2)
		}
		if _, err := Read(key, bytes.Replace(b, []byte(`"lock"`), []byte(`"lokc"`), 1)); err == nil {
			t.Error("a misspelt word is taken")
		}
	}
	ihk, _ := Preset("meine-ihk")
	if ihk.Password != "classic" || ihk.Factor.Ask != "changes" || ihk.Factor.Switch != "relogin" || !ihk.Factor.Allows("mail") || ihk.Factor.Allows("passkey") { // R048, R151, R165, R167
		t.Errorf("meine-ihk %+v", ihk)
	}
	lux, _ := Preset("lux")
	if !lux.Factor.Offer || !lux.SignUp.Personal || lux.NameWait.Duration() != 24*time.Hour { // R199, R189, R220
		t.Errorf("lux %+v", lux)
	}
	nw, _ := Preset("nordwestfalen")
	if nw.Lock.Way != "day" || nw.SignIn.Unknown != "tell" || !slices.Contains(nw.SignIn.By, "number") { // R287, R280, R284
		t.Errorf("nordwestfalen %+v", nw)
	}
}

// A profile that somebody writes by hand is read before it is used.
func TestCheck(t *testing.T) {
	for name, spoil := range map[string]func(p *Policy){
		"no steps":              func(p *Policy) { p.SignUp.Steps = nil },
		"unknown field":         func(p *Policy) { p.SignUp.Steps[0].Groups[0].Fields[0].Name = "shoe_size" },
		"field twice":           func(p *Policy) { p.SignUp.Steps[0].Groups[0].Fields[0].Name = "email" },
		"no address":            func(p *Policy) { p.SignUp.Steps[0].Groups[0].Fields[2].Name = "title" },
		"password optional":     func(p *Policy) { p.SignUp.Steps[0].Groups[0].Fields[3].Optional = true },
		"question without text": func(p *Policy) { p.SignUp.Steps[1].Groups[0].Fields[3].Label = Text{} },
		"choice of one": func(p *Policy) {
			p.SignUp.Steps[1].Groups[0].Fields[1].Options = p.SignUp.Steps[1].Groups[0].Fields[1].Options[:1]
		},
		"question as own field": func(p *Policy) { p.SignUp.Steps[1].Groups[0].Fields[3].Name = "profile" },
		"terms not last":        func(p *Policy) { p.SignUp.Steps[0].Terms = true },
		"terms nowhere":         func(p *Policy) { p.SignUp.Steps[2].Terms = false },
		"required without box":  func(p *Policy) { p.SignUp.Terms[1].Box = Text{} },
		"address of a page":     func(p *Policy) { p.SignUp.Steps[1].Key = "verify" },
		"address twice":         func(p *Policy) { p.SignUp.Steps[1].Key = "terms" },
		"script as target":      func(p *Policy) { p.SignUp.Sent.Target = "javascript:alert(1)" },
		"foreign target":        func(p *Policy) { p.SignUp.Sent.Target = "//evil.example" },
		"target in clear":       func(p *Policy) { p.SignUp.Sent.Target = "http://evil.example/" },
		"support":               func(p *Policy) { p.SignUp.Support = "call us" },
		"domain":                func(p *Policy) { p.SignUp.MailDomains = []string{"@firma.example"} },
		"back to nowhere":       func(p *Policy) { p.SignUp.Steps[0].Back.Do = "back" },
		"key":                   func(p *Policy) { p.Key = "no key" },
		"no name":               func(p *Policy) { p.Name = " " },
		"mail for clerks":       func(p *Policy) { p.Factor.Least = map[string]string{"clerk": "mail"} },
	} {
		p, err := Preset("mein-ias")
		if err != nil {
			t.Fatal(err)
		}
		spoil(&p)
		if err := p.Check(); !fault.Is(err, fault.KindInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// R243, R189, R245, R246, R247: domains, function mailboxes, and answers.
func TestAnswers(t *testing.T) {
	s := SignUp{MailDomains: []string{"firma.example"}, Personal: true}
	for address, ok := range map[string]bool{"a@firma.example": true, "a@FIRMA.example": true, "a@sub.firma.example": false, "a@firma.example.org": false, "a@notfirma.example": false} {
		if err := s.MailAllowed(address); (err == nil) != ok {
			t.Errorf("%s: %v", address, err)
		}
	}
	for address, is := range map[string]bool{"info@firma.example": true, "Info@firma.example": true, "inka.info@firma.example": false, "anna@firma.example": false} {
		if s.Functional(address) != is {
			t.Errorf("%s is a function mailbox: %v", address, !is)
		}
	}
	p, _ := Preset("mein-ias")
	now := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
	for _, c := range []struct{ form, wrong, kept string }{
		{"office_work=yes&leads_people=no", "", "2"},
		{"office_work=yes&leads_people=no&birth_year=1984&gender=male", "", "4"},
		{"leads_people=no", "office_work", "1"},
		{"office_work=maybe&leads_people=no", "office_work", "1"},
		{"office_work=yes&leads_people=no&birth_year=84", "birth_year", "2"},
		{"office_work=yes&leads_people=no&birth_year=2027", "birth_year", "2"},
		{"office_work=yes&leads_people=no&birth_year=1905", "birth_year", "2"},
		{"office_work=yes&leads_people=no&birth_year=٢٠٠٠", "birth_year", "2"},
		{"office_work=yes&leads_people=no&gender=<script>", "gender", "2"},
	} {
		form, _ := url.ParseQuery(c.form)
		kept, err := p.SignUp.Steps[1].Answers(form, now)
		if f := fault.Of(err); (c.wrong == "") != (f == nil) || f != nil && f.Problems[0].Field != c.wrong || len(kept) != int(c.kept[0]-'0') {
			t.Errorf("%s: kept %v, %v", c.form, kept, err)
		}
	}
}

// One policy is the default; a key that is gone falls back to it; saving keeps
// a version and leaves a line in the record.
func TestSave(t *testing.T) {
	dbtest.Each(t, schema.Files, func(t *testing.T, d *db.DB) {
		write := func(f func(tx *db.Tx) error) {
			t.Helper()
			if err := d.Write(t.Context(), f); err != nil {
				t.Fatal(err)
			}
		}
		write(EnsureDefault)
		write(EnsureDefault)
		lux, _ := Preset("lux")
		lux.Default = true
		write(func(tx *db.Tx) error { return Save(tx, audit.Console, lux) })
		write(func(tx *db.Tx) error {
			all, err := All(tx)
			if len(all) != 2 || all[0].Key != "lux" || !all[0].Default || all[1].Default || len(all[0].SignUp.Steps) != 2 {
				t.Errorf("%d policies", len(all))
			}
			p, e := Of(tx, "gone")
			if p.Key != "lux" || e != nil {
				t.Error(p.Key, e)
			}
			if err := Save(tx, audit.Actor{Kind: audit.Person, Account: "x"}, lux); !fault.Is(err, fault.KindForbidden) {
				t.Error("a person changed a policy:", err)
			}
			n, e := db.Value[int](tx, `SELECT count(*) FROM audit WHERE event = 'policy.saved'`)
			if n != 2 || e != nil {
				t.Error(n, e)
			}
			return err
		})
	})
}
