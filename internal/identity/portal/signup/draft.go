package signup

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/policy"
)

// draft is what the steps so far leave behind for the next.
type draft struct {
	Profile  string // key of the policy
	Done     int    // steps that are complete
	Values   url.Values
	Password string            // PHC
	Answers  map[string]string // to the profile's own questions
	Code     string            // a registration code that holds
}

// visit is what a request to a step meets.
type visit struct {
	policy policy.Policy
	draft  draft
	other  bool // the draft is of another profile: a second window
}

func (v visit) profile() policy.SignUp { return v.policy.SignUp }

// path of a step.
func (v visit) path(i int) string {
	path := "/register"
	if key := v.profile().Steps[i].Key; key != "" {
		path += "/" + key
	}
	return path + v.query()
}

// query names the profile in addresses, unless it is the default.
func (v visit) query() string {
	if v.policy.Default {
		return ""
	}
	return "?profile=" + url.QueryEscape(v.policy.Key)
}

// visit reads the draft and the policy: the one that is named, else the
// draft's, else the default.
func (p *Pages) visit(r *http.Request, key string) (v visit, err error) {
	err = p.DB.Read(r.Context(), func(tx *db.Tx) error {
		if b := p.browser(r); b != "" {
			body, err := account.Drafted(tx, b)
			if err == nil {
				err = json.Unmarshal(body, &v.draft)
			}
			if err != nil && !fault.Is(err, fault.KindNotFound) {
				return err
			}
		}
		named := key != ""
		if !named {
			key = v.draft.Profile
		}
		v.policy, err = policy.ByKey(tx, key)
		if !named && fault.Is(err, fault.KindNotFound) {
			v.policy, err = policy.Of(tx, "")
		}
		return err
	})
	if v.draft.Profile != v.policy.Key {
		v.other = v.draft.Profile != ""
		v.draft = draft{Profile: v.policy.Key}
	}
	if v.draft.Values == nil {
		v.draft.Values = url.Values{}
	}
	return v, err
}

// new is the draft as an account begins. further_n stays at its place, so that
// a problem names its field.
func (d draft) new(lang string) account.New {
	f := &web.Form{Values: d.Values}
	n := account.New{
		Salutation: f.Text("salutation"), Title: f.Text("title"), GivenName: f.Text("given_name"), FamilyName: f.Text("family_name"),
		Username: f.Text("username"), Email: f.Text("email"), Language: lang, Password: d.Password, Policy: d.Profile, Chamber: f.Text("chamber"),
	}
	if own := f.Text("language"); own != "" {
		n.Language = own
	}
	for i := range account.MaxFurther {
		n.Further = append(n.Further, f.Text(fmt.Sprintf("further_%d", i+1)))
	}
	if len(d.Answers) > 0 || d.Code != "" {
		n.Answers = account.Answers{Profile: d.Answers, Code: d.Code}.String()
	}
	return n
}

// names of the inputs of a field that are kept as typed; passwords and the
// captcha are not.
func names(f policy.Field) []string {
	switch f.Name {
	case "password", "password_repeat", "captcha":
		return nil
	case "further":
		return []string{"further_1", "further_2", "further_3", "further_4"}
	case "registration_code":
		return []string{"registration_code", "has_code"}
	}
	return []string{f.Name}
}

// place of an input among those of a step, so that problems come in the order of the page.
func place(st policy.Step, input string) int {
	order := []string{}
	for _, f := range st.Fields() {
		order = append(order, append(names(f), f.Name)...)
	}
	if i := slices.Index(order, input); i >= 0 {
		return i
	}
	return len(order)
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
