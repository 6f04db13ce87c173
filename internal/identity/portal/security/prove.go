package security

import (
	"net/http"
	"net/url"
	"strings"

	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/factor"
	"zunft/internal/identity/session"
)

// Proving oneself once more is the same on the way in and before a change: a
// way is chosen (S20, R152–R154, R157), then its code is typed (S21, R155,
// R156, R159, R171). A mail goes out by the press of a button, never by a GET.

// wayPassword proves people who have nothing better, where the policy asks for
// nothing better.
const wayPassword = "password"

// ways a person may choose from, in the order of the page.
func (p *Pages) ways(s subject) (ways []string) {
	can := s.need.Ways
	if s.need.Policy.Factor.Ask == "never" && !s.need.Has.Any() && !s.login {
		return []string{wayPassword}
	}
	if can.Mail {
		ways = append(ways, factor.Mail)
	}
	if can.TOTP || p.first(s) {
		ways = append(ways, factor.TOTP)
	}
	if can.Codes > 0 {
		ways = append(ways, factor.Recovery)
	}
	return ways
}

// first: an authenticator app may be set up as the first factor, right before a
// change (R158). The code by mail comes before it: whoever has nothing but
// somebody's password must not be the one who chooses their second factor (R163).
func (p *Pages) first(s subject) bool {
	rule := s.need.Policy.Factor
	return !s.login && !s.need.Has.Any() && rule.Ask != "never" && rule.Allows(factor.TOTP)
}

func has(ways []string, way string) bool {
	for _, w := range ways {
		if w == way {
			return true
		}
	}
	return false
}

// A place is one of the two addresses.
func (s subject) path() string {
	if s.login {
		return "/login/second-factor"
	}
	return "/account/confirm"
}

// at is this page again, with a way chosen and what else is to be kept.
func (s subject) at(way, then, next string) string {
	q := url.Values{}
	for name, value := range map[string]string{"way": way, "then": then, "next": next} {
		if value != "" && value != "/" {
			q.Set(name, value)
		}
	}
	if len(q) == 0 {
		return s.path()
	}
	return s.path() + "?" + q.Encode()
}

// choosePage is all that choose.html may use.
type choosePage struct {
	web.Frame
	Form       *web.Form
	Login, Two bool
	Path, Next string
	Options    []web.Option
	Passkey    *passkeyPart
}

// codePage is all that code.html may use.
type codePage struct {
	web.Frame
	Form            *web.Form
	Login           bool
	Way, Then       string
	Path, Next      string
	Portal, Address string
	Other, Recovery string // where other ways are chosen; empty: there is none
	Username        string
	Passkey         *passkeyPart
}

func (p *Pages) prove(w http.ResponseWriter, r *http.Request, s subject) error {
	if s.login && !s.need.Prove && !(s.need.Offer && s.unproven()) {
		return web.See(w, r, "/login/next")
	}
	q := r.URL.Query()
	return p.showProve(w, r, s, web.NewForm("way", q.Get("way"), "then", q.Get("then"), "next", web.LocalPath(q.Get("next"))))
}

func (p *Pages) showProve(w http.ResponseWriter, r *http.Request, s subject, f *web.Form) error {
	next := web.LocalPath(f.Values.Get("next"))
	if !s.login && p.AllowNext != nil {
		p.AllowNext(w, r, next)
	}
	ways := p.ways(s)
	way, usual := f.Text("way"), without(ways, factor.Recovery)
	if !has(ways, way) || way == factor.TOTP && !s.need.Has.TOTP {
		way = ""
	}
	if way == "" && len(usual) == 1 && usual[0] != factor.Mail {
		way = usual[0] // nothing to choose, and no mail to send
	}
	if way == "" || f.Text("do") == "choose" && !f.OK() {
		return p.showChoose(w, r, s, f, ways, next)
	}
	page := &codePage{
		Form: f, Login: s.login, Way: way, Then: f.Text("then"), Path: s.path(), Next: next,
		Portal: p.text(r, p.Site.Name), Address: masked(s.account.Email), Username: login(s.account), Passkey: p.proofPart(s, next),
	}
	if page.Passkey != nil {
		page.Script = script
	}
	if len(without(usual, way)) > 0 {
		page.Other = s.at("", "", next)
	}
	if has(ways, factor.Recovery) && way != factor.Recovery {
		page.Recovery = s.at(factor.Recovery, "", next)
	}
	return p.Site.Show(w, r, f.Status(), templates, "code", page)
}

func (p *Pages) showChoose(w http.ResponseWriter, r *http.Request, s subject, f *web.Form, ways []string, next string) error {
	page := &choosePage{Form: f, Login: s.login, Two: has(ways, factor.Mail) && has(ways, factor.TOTP), Path: s.path(), Next: next}
	if page.Passkey = p.proofPart(s, next); page.Passkey != nil {
		page.Script = script
	}
	for _, way := range ways {
		o := web.Option{Value: way, Text: p.text(r, "security.way_"+way), Hint: p.text(r, "security.way_hint_"+way), Selected: len(without(ways, factor.Recovery)) == 1 && way != factor.Recovery}
		switch {
		case way == factor.Mail:
			o.Hint = p.text(r, "security.way_to", masked(s.account.Email))
		case way == factor.TOTP && !s.need.Has.TOTP:
			o.Hint = p.text(r, "security.way_first")
		}
		page.Options = append(page.Options, o)
	}
	if f.OK() {
		delete(f.Values, "way")
	}
	return p.Site.Show(w, r, f.Status(), templates, "choose", page)
}

func without(ways []string, way string) (rest []string) {
	for _, w := range ways {
		if w != way {
			rest = append(rest, w)
		}
	}
	return rest
}

// masked shows enough of an address to know one's own.
func masked(email string) string {
	at := strings.LastIndexByte(email, '@')
	for i := range email {
		if i > 0 && i < at {
			return email[:i] + "…" + email[at:]
		}
	}
	return email
}

func login(a account.Account) string {
	if a.Username != "" {
		return a.Username
	}
	return a.Email
}

func (p *Pages) doProve(w http.ResponseWriter, r *http.Request, s subject) error {
	f := web.ReadForm(r)
	next, way, then := web.LocalPath(f.Values.Get("next")), f.Text("way"), f.Text("then")
	switch f.Text("do") {
	case "cancel":
		return p.cancel(w, r, s)
	case "choose", "again":
		return p.choose(w, r, s, f, next)
	}
	passkey := f.Text("do") == "passkey" && p.passkeys != nil
	if !passkey && !has(p.ways(s), way) {
		return p.showProve(w, r, s, f)
	}
	prove := func(tx *db.Tx) (string, error) {
		return factor.Check(tx, s.by, s.account, s.session.ID, way, f.Text("code"))
	}
	var err error
	if passkey {
		secret := p.secret(w, r)
		prove = func(tx *db.Tx) (string, error) {
			return p.passkeys.FinishProof(tx, s.by, s.account, secret, []byte(f.Raw("response")))
		}
	} else if way == wayPassword {
		_, err = account.Verify(r.Context(), p.DB, p.Hasher, s.by, s.account.ID, "password", f.Raw("password"))
		prove = func(*db.Tx) (string, error) { return "pwd", nil }
	} else if f.Text("code") == "" {
		f.Add("code", "security.code_missing")
		return p.showProve(w, r, s, f)
	}
	if err == nil {
		err = p.proved(w, r, &s, prove)
	}
	if f.Take(err) {
		delete(f.Values, "code")
		return p.showProve(w, r, s, f)
	}
	if err != nil {
		return err
	}
	switch {
	case s.login && then == factor.TOTP: // an offer was taken up
		return web.See(w, r, "/login/setup?kind=totp")
	case s.login:
		return web.See(w, r, "/login/next")
	case then == factor.TOTP:
		return p.startApp(w, r, s, next)
	}
	return web.See(w, r, next)
}

// choose goes on with a way; by mail a code is sent, for the first time or again.
func (p *Pages) choose(w http.ResponseWriter, r *http.Request, s subject, f *web.Form, next string) error {
	way, then := f.Text("way"), f.Text("then")
	if !has(p.ways(s), way) {
		f.Add("way", "security.way_missing")
		return p.showProve(w, r, s, f)
	}
	if way == factor.TOTP && !s.need.Has.TOTP {
		way, then = factor.Mail, factor.TOTP
	}
	if way != factor.Mail {
		return web.See(w, r, s.at(way, "", next))
	}
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error { return factor.SendCode(tx, s.by, s.account, s.session.ID) })
	if f.Take(err) {
		return p.showProve(w, r, s, f)
	}
	if err != nil {
		return err
	}
	if f.Text("do") == "again" {
		return p.Site.Done(w, r, s.at(way, then, next), "security.code_sent")
	}
	return web.See(w, r, s.at(way, then, next))
}

// cancel ends a sign-in before it is done.
func (p *Pages) cancel(w http.ResponseWriter, r *http.Request, s subject) error {
	if !s.login {
		return web.See(w, r, "/account")
	}
	if err := p.DB.Write(r.Context(), func(tx *db.Tx) error { return session.End(tx, s.by, s.session.ID) }); err != nil {
		return err
	}
	p.Door.SignOut(w)
	return web.See(w, r, "/logged-out")
}
