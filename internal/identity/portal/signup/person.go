package signup

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/fold"
)

// draft is what step 1 leaves behind for step 2.
type draft struct {
	Values   url.Values // as typed, without passwords
	Password string     // PHC
}

// fields of step 1 that are kept, in the order of S02 (R039–R047).
var fields = []string{
	"salutation", "title", "given_name", "family_name", "email", "email_repeat",
	"further_1", "further_2", "further_3", "further_4", "username", "next",
}

// personPage is all that person.html may use.
type personPage struct {
	web.Frame
	Form        *web.Form
	Salutations []web.Option
	Remembered  bool // the draft has a password
	Policy      string
	More        bool // a further address was typed or is wrong
	Next        string
}

// new is the draft as an account begins. further_n stays at its place, so that
// a problem names its field.
func (d draft) new(lang string) account.New {
	f := &web.Form{Values: d.Values}
	n := account.New{
		Salutation: f.Text("salutation"), Title: f.Text("title"), GivenName: f.Text("given_name"), FamilyName: f.Text("family_name"),
		Username: f.Text("username"), Email: f.Text("email"), Language: lang, Password: d.Password,
	}
	for i := range account.MaxFurther {
		n.Further = append(n.Further, f.Text(fmt.Sprintf("further_%d", i+1)))
	}
	return n
}

func (p *Pages) draft(r *http.Request) (d draft, err error) {
	b := p.browser(r)
	if b == "" {
		return d, fault.NotFound()
	}
	var body []byte
	if err = p.DB.Read(r.Context(), func(tx *db.Tx) (err error) { body, err = account.Drafted(tx, b); return err }); err != nil {
		return d, err
	}
	return d, json.Unmarshal(body, &d)
}

// place of a field on the page; the password comes last.
func place(field string) int {
	if i := slices.Index(fields, field); i >= 0 {
		return i
	}
	return len(fields)
}

func (p *Pages) askPerson(w http.ResponseWriter, r *http.Request) error {
	if p.home(w, r) {
		return nil
	}
	d, err := p.draft(r)
	if err != nil && !fault.Is(err, fault.KindNotFound) {
		return err
	}
	f := web.NewForm()
	if d.Values != nil {
		f.Values = d.Values
	}
	if next := r.URL.Query().Get("next"); next != "" {
		f.Values.Set("next", next)
	}
	return p.showPerson(w, r, f, d.Password != "")
}

func (p *Pages) showPerson(w http.ResponseWriter, r *http.Request, f *web.Form, remembered bool) error {
	text := func(key string) string { return p.Site.Catalog.Text(web.Lang(r), key) }
	page := &personPage{Form: f, Remembered: remembered, Policy: p.policy().Hint(), Next: web.LocalPath(f.Values.Get("next")), Salutations: []web.Option{
		{Value: "mr", Text: text("signup.salutation_mr")},
		{Value: "ms", Text: text("signup.salutation_ms")},
		{Value: "", Text: text("signup.salutation_none"), Selected: true},
	}}
	for i := range account.MaxFurther {
		page.More = page.More || f.Text(fmt.Sprintf("further_%d", i+1)) != ""
	}
	return p.Site.Show(w, r, f.Status(), templates, "person", page)
}

// person takes step 1.
func (p *Pages) person(w http.ResponseWriter, r *http.Request) error {
	if p.home(w, r) {
		return nil
	}
	f := web.ReadForm(r)
	if f.Text("do") == "cancel" {
		return p.cancel(w, r)
	}
	old, err := p.draft(r)
	if err != nil && !fault.Is(err, fault.KindNotFound) {
		return err
	}
	d := draft{Values: url.Values{}, Password: old.Password}
	for _, name := range fields {
		hostile(f, name)
		d.Values.Set(name, f.Text(name))
	}
	n := d.new(web.Lang(r))
	f.Take(n.Check())
	if n.Username == "" {
		f.Add("username", "account.username_missing")
	}
	if fold.Login(f.Text("email")) != fold.Login(f.Text("email_repeat")) {
		f.Add("email_repeat", "signup.email_differs")
	}
	plain := f.Raw("password")
	if plain != "" || f.Raw("password_repeat") != "" || old.Password == "" {
		if !f.Take(p.policy().Check(plain, n.Username, n.Email)) && plain != f.Raw("password_repeat") {
			f.Add("password_repeat", "signup.password_differs")
		}
	}
	err = p.DB.Read(r.Context(), func(tx *db.Tx) error { return account.Available(tx, n.Username) })
	if fault.Of(err) != nil { // telling which names are taken has an end
		if limited := limit.Take(r.Context(), p.DB, "taken/ip/"+limit.Network(web.Actor(r).IP), hashRate); limited != nil {
			err = limited
		}
	}
	if err != nil && !f.Take(err) {
		return err
	}
	if f.OK() && plain != "" {
		if err := limit.Take(r.Context(), p.DB, "hash/ip/"+limit.Network(web.Actor(r).IP), hashRate); err != nil {
			if f.Take(err) {
				return p.showPerson(w, r, f, old.Password != "")
			}
			return err
		}
		if d.Password, err = p.Hasher.Hash(r.Context(), plain); err != nil && !f.Take(err) {
			return err
		}
	}
	if !f.OK() {
		slices.SortStableFunc(f.Problems, func(a, b fault.Problem) int { return cmp.Compare(place(a.Field), place(b.Field)) })
		return p.showPerson(w, r, f, old.Password != "")
	}
	body, err := json.Marshal(d)
	if err != nil {
		return err
	}
	b := p.mark(w, r)
	if err := p.DB.Write(r.Context(), func(tx *db.Tx) error { return account.Draft(tx, b, body) }); err != nil {
		return err
	}
	return web.See(w, r, "/register/terms")
}

// cancel forgets what was typed.
func (p *Pages) cancel(w http.ResponseWriter, r *http.Request) error {
	if b := p.browser(r); b != "" {
		if err := p.DB.Write(r.Context(), func(tx *db.Tx) error { return account.Undraft(tx, b) }); err != nil {
			return err
		}
	}
	return web.See(w, r, "/")
}

// hostile notes characters that nobody types and that make a text read as
// something else: NUL and the like, and marks that turn the direction.
func hostile(f *web.Form, name string) {
	if strings.ContainsFunc(f.Values.Get(name), func(r rune) bool {
		return unicode.IsControl(r) && !strings.ContainsRune("\t\r\n", r) || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
	}) {
		f.Add(name, "signup.characters")
	}
}
