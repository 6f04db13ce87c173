package signup

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/captcha"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/fold"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/terms"
)

// enter finds the step that a request is about. A step whose steps before are
// not done leads to the first that is open.
func (p *Pages) enter(w http.ResponseWriter, r *http.Request, profile string) (v visit, i int, ok bool, err error) {
	if v, err = p.visit(r, profile); err != nil {
		return v, 0, false, err
	}
	if i = v.profile().StepAt(r.PathValue("step")); i < 0 {
		return v, 0, false, fault.NotFound()
	}
	if i > v.draft.Done {
		key := "signup.draft_gone"
		if v.other {
			key = "signup.draft_other"
		}
		return v, 0, false, p.Site.Done(w, r, v.path(v.draft.Done), key)
	}
	return v, i, true, nil
}

func (p *Pages) ask(w http.ResponseWriter, r *http.Request) error {
	if p.home(w, r) {
		return nil
	}
	v, i, ok, err := p.enter(w, r, r.URL.Query().Get("profile"))
	if !ok || err != nil {
		return err
	}
	f := web.NewForm()
	f.Values = v.draft.Values
	if next := r.URL.Query().Get("next"); next != "" {
		f.Values.Set("next", next)
	}
	return p.show(w, r, f, v, i)
}

// take takes a step; after the last one there is an account.
func (p *Pages) take(w http.ResponseWriter, r *http.Request) error {
	if p.home(w, r) {
		return nil
	}
	f := web.ReadForm(r)
	v, i, ok, err := p.enter(w, r, f.Text("profile"))
	if !ok || err != nil {
		return err
	}
	st := v.profile().Steps[i]
	switch do := f.Text("do"); {
	case do == "cancel":
		return p.cancel(w, r)
	case do == "back" && i > 0:
		return web.See(w, r, v.path(i-1))
	case do == "captcha":
		return p.show(w, r, f, v, i)
	}
	d := v.draft
	d.Values, d.Answers = maps.Clone(d.Values), maps.Clone(d.Answers)
	if next := f.Text("next"); next != "" {
		d.Values.Set("next", next)
	}
	for _, field := range st.Fields() {
		for _, name := range names(field) {
			hostile(f, name)
			d.Values.Set(name, f.Text(name))
		}
	}
	if err := p.check(r, f, v.policy, st, &d); err != nil {
		return err
	}
	if !f.OK() {
		slices.SortStableFunc(f.Problems, func(a, b fault.Problem) int { return cmp.Compare(place(st, a.Field), place(st, b.Field)) })
		if d.Password != v.draft.Password { // only the captcha was wrong: the password need not be typed again
			if err := p.save(w, r, d); err != nil {
				return err
			}
			v.draft = d
		}
		return p.show(w, r, f, v, i)
	}
	d.Done = max(d.Done, i+1)
	v.draft = d
	if i == len(v.profile().Steps)-1 {
		return p.finish(w, r, f, v)
	}
	if err := p.save(w, r, d); err != nil {
		return err
	}
	return web.See(w, r, v.path(i+1))
}

func (p *Pages) save(w http.ResponseWriter, r *http.Request, d draft) error {
	body, err := json.Marshal(d)
	if err != nil {
		return err
	}
	b := p.mark(w, r)
	return p.DB.Write(r.Context(), func(tx *db.Tx) error { return account.Draft(tx, b, body) })
}

// check notes what is wrong with a step, and completes the draft by what is
// not kept as typed: the password's hash, the answers, the code.
func (p *Pages) check(r *http.Request, f *web.Form, pol policy.Policy, st policy.Step, d *draft) error {
	ctx, ip := r.Context(), limit.Network(web.Actor(r).IP)
	asks := func(name string) (policy.Field, bool) { return st.Field(name) }
	n := d.new(web.Lang(r))
	if ft := fault.Of(n.Check()); ft != nil { // of all that an account needs, what this step asks
		for _, problem := range ft.Problems {
			if _, ok := asks(problem.Field); ok {
				f.Problems = append(f.Problems, problem)
			}
		}
	}
	bad := slices.ContainsFunc(f.Problems, func(problem fault.Problem) bool { return problem.Field == "email" })
	if _, ok := asks("email"); ok && !bad {
		if !f.Take(pol.SignUp.MailAllowed(n.Email)) && pol.SignUp.Functional(n.Email) && !f.Checked("functional") {
			f.Add("email", "signup.email_functional")
		}
	}
	if _, ok := asks("email_repeat"); ok && fold.Login(f.Text("email")) != fold.Login(f.Text("email_repeat")) {
		f.Add("email_repeat", "signup.email_differs")
	}
	if field, ok := asks("username"); ok {
		if n.Username == "" && !field.Optional {
			f.Add("username", "account.username_missing")
		}
		err := p.DB.Read(ctx, func(tx *db.Tx) error { return account.Available(tx, n.Username) })
		if fault.Of(err) != nil { // telling which names are taken has an end
			if limited := limit.Take(ctx, p.DB, "taken/ip/"+ip, hashRate); limited != nil {
				err = limited
			}
		}
		if err != nil && !f.Take(err) {
			return err
		}
	}
	if err := p.checkChoices(ctx, f, st, d, ip); err != nil {
		return err
	}
	answers, err := st.Answers(f.Values, p.DB.Now())
	f.Take(err)
	if len(answers) > 0 && d.Answers == nil {
		d.Answers = map[string]string{}
	}
	maps.Copy(d.Answers, answers)
	if _, ok := asks("password"); ok {
		if err := p.checkPassword(r, f, pol, st, d, n, ip); err != nil {
			return err
		}
	}
	if _, ok := asks("captcha"); ok {
		b := p.browser(r)
		err := p.DB.Write(ctx, func(tx *db.Tx) error { return captcha.Check(tx, b, f.Text("captcha_id"), f.Raw("captcha")) })
		if err != nil && !f.Take(err) {
			return err
		}
	}
	return nil
}

// checkChoices checks what is chosen from lists that are not the profile's.
func (p *Pages) checkChoices(ctx context.Context, f *web.Form, st policy.Step, d *draft, ip string) error {
	if field, ok := st.Field("language"); ok {
		if l := f.Text("language"); l != "de" && l != "en" && (l != "" || !field.Optional) {
			f.Add("language", "signup.language_missing")
		}
	}
	if field, ok := st.Field("chamber"); ok {
		id := f.Text("chamber")
		found := id == "" && field.Optional
		err := p.DB.Read(ctx, func(tx *db.Tx) error {
			all, err := chamber.Current(tx)
			found = found || slices.ContainsFunc(all, func(c chamber.Chamber) bool { return c.ID == id })
			return err
		})
		if err != nil {
			return err
		}
		if !found {
			f.Add("chamber", "signup.chamber_missing")
		}
	}
	if _, ok := st.Field("registration_code"); !ok {
		return nil
	}
	d.Code = ""
	switch f.Text("has_code") {
	case "no":
	case "yes":
		err := limit.Take(ctx, p.DB, "regcode/ip/"+ip, hashRate)
		if err == nil {
			err = p.DB.Read(ctx, func(tx *db.Tx) error {
				c, err := account.LookCode(tx, f.Text("registration_code"))
				if err == nil {
					d.Code = c.ID
					d.Values.Set("chamber", c.Chamber)
				}
				return err
			})
		}
		if err != nil && !f.Take(err) {
			return err
		}
	default:
		f.Add("has_code", "signup.has_code_missing")
	}
	return nil
}

// checkPassword checks and hashes: outside of any transaction, and only what
// stands on a page without other problems.
func (p *Pages) checkPassword(r *http.Request, f *web.Form, pol policy.Policy, st policy.Step, d *draft, n account.New, ip string) error {
	plain := f.Raw("password")
	_, repeated := st.Field("password_repeat")
	if plain == "" && f.Raw("password_repeat") == "" && d.Password != "" {
		return nil // the one from before is kept
	}
	if !f.Take(pol.Password.Check(plain, n.Username, n.Email, n.GivenName+" "+n.FamilyName)) && repeated && plain != f.Raw("password_repeat") {
		f.Add("password_repeat", "signup.password_differs")
	}
	if !f.OK() {
		return nil
	}
	if err := limit.Take(r.Context(), p.DB, "hash/ip/"+ip, hashRate); err != nil {
		if f.Take(err) {
			return nil
		}
		return err
	}
	phc, err := p.Hasher.Hash(r.Context(), plain)
	if err != nil && !f.Take(err) {
		return err
	}
	d.Password = phc
	return nil
}

// finish is the sign-up itself (R051–R053, R252, R253): one transaction makes
// the account, notes what was accepted and forgets the draft.
func (p *Pages) finish(w http.ResponseWriter, r *http.Request, f *web.Form, v visit) error {
	last := len(v.profile().Steps) - 1
	var asked []terms.Choice
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) { asked, err = terms.Asked(tx, v.profile()); return err })
	if err != nil {
		return err
	}
	for i, c := range asked {
		if c.Must && !f.Checked(box(i)) {
			f.Add(box(i), "signup.accept_missing", c.Title)
		}
	}
	if !f.OK() {
		return p.show(w, r, f, v, last)
	}
	b := p.mark(w, r)
	err = p.DB.Write(r.Context(), func(tx *db.Tx) error {
		if err := account.SpendDraft(tx, b); err != nil && (last > 0 || !fault.Is(err, fault.KindNotFound)) {
			return err
		}
		a, err := account.SignUp(tx, web.Actor(r), v.draft.new(web.Lang(r)), b)
		if err != nil {
			return err
		}
		// What was accepted is what was shown, even if a newer version came meanwhile.
		asked, err := terms.Asked(tx, v.profile())
		if err != nil {
			return err
		}
		for i, c := range asked {
			if !slices.Contains(f.All("terms"), c.ID) {
				return fault.Conflict("signup.terms_changed")
			}
			if c.Box != (policy.Text{}) && f.Checked(box(i)) {
				if err := terms.Give(tx, web.Actor(r), a.ID, c.ID); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if fault.Is(err, fault.KindNotFound) { // sent twice: the other one made the account
		return web.See(w, r, "/register/verify")
	}
	if ft := fault.Of(err); ft != nil && ft.Problems[0].Field != "" {
		// Something of a step before does not hold any more: the user name was taken meanwhile.
		if i := v.profile().StepOf(ft.Problems[0].Field); i >= 0 && i != last {
			g := &web.Form{Values: v.draft.Values}
			g.Take(err)
			return p.show(w, r, g, v, i)
		}
	}
	if f.Take(err) {
		return p.show(w, r, f, v, last)
	}
	if err != nil {
		return err
	}
	p.keepNext(w, v.draft.Values.Get("next"))
	return web.See(w, r, "/register/verify")
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
