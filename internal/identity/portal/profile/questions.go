package profile

import (
	"net/http"
	"net/url"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/visitor"
)

// A Question of the sign-up profile under which the person came (R245–R247),
// as a part of the form.
type Question struct {
	Input  *web.Input
	Choice *web.Choice
}

// An Answer to such a question, to be read.
type Answer struct{ Label, Text string }

// asked are the questions that the profile of an account asks beyond the fields
// that every account has, with the steps they are checked in.
func asked(tx *db.Tx, a account.Account) (steps []policy.Step, err error) {
	p, err := policy.Of(tx, a.Policy)
	for _, st := range p.SignUp.Steps {
		for _, f := range st.Fields() {
			if !f.Known() {
				steps = append(steps, st)
				break
			}
		}
	}
	return steps, err
}

// each does something with each of these questions.
func each(steps []policy.Step, do func(policy.Field)) {
	for _, st := range steps {
		for _, f := range st.Fields() {
			if !f.Known() {
				do(f)
			}
		}
	}
}

// answers are what the person said, as it is read.
func (p *Pages) answers(tx *db.Tx, r *http.Request, a account.Account) (all []Answer, err error) {
	steps, err := asked(tx, a)
	if err != nil || len(steps) == 0 {
		return nil, err
	}
	given, err := account.AnswersOf(tx, a.ID)
	each(steps, func(f policy.Field) {
		answer := Answer{f.Label.In(web.Lang(r)), "–"}
		if v := given.Profile[f.Name]; v != "" {
			answer.Text = v
			for _, o := range p.options(r, f) {
				if o.Value == v {
					answer.Text = o.Text
				}
			}
		}
		all = append(all, answer)
	})
	return all, err
}

func (p *Pages) options(r *http.Request, f policy.Field) (all []web.Option) {
	text := func(key string) string { return p.Site.Catalog.Text(web.Lang(r), key) }
	switch f.Kind {
	case "yesno":
		return []web.Option{{Value: "yes", Text: text("profile.yes")}, {Value: "no", Text: text("profile.no")}}
	case "choice":
		all = append(all, web.Option{Text: text("profile.no_salutation")})
		for _, o := range f.Options {
			all = append(all, web.Option{Value: o.Value, Text: o.Text.In(web.Lang(r))})
		}
	}
	return all
}

// questions shows them in the form, with what was typed.
func (p *Pages) questions(r *http.Request, f *web.Form, steps []policy.Step) (all []Question) {
	each(steps, func(q policy.Field) {
		label, hint, typed, wrong := q.Label.In(web.Lang(r)), q.Hint.In(web.Lang(r)), f.Text(q.Name), ""
		for _, problem := range f.Problems {
			if problem.Field == q.Name {
				wrong = p.Site.Catalog.Text(web.Lang(r), problem.Key, problem.Args...)
			}
		}
		if q.Kind == "year" {
			all = append(all, Question{Input: &web.Input{
				ID: q.Name, Name: q.Name, Label: label, Hint: hint, Value: typed, Error: wrong, Type: "text", Autocomplete: "off", Inputmode: "numeric", Width: 5,
				Required: !q.Optional, Optional: q.Optional,
			}})
			return
		}
		c := &web.Choice{ID: q.Name, Name: q.Name, Legend: label, Hint: hint, Error: wrong, Kind: "select", Optional: q.Optional, Options: p.options(r, q)}
		if q.Kind == "yesno" {
			c.Kind, c.Inline = "radio", true
		}
		for i := range c.Options {
			c.Options[i].Selected = c.Options[i].Value == typed
		}
		all = append(all, Question{Choice: c})
	})
	return all
}

// changeAnswers checks and keeps them; the problems of all come together.
func changeAnswers(tx *db.Tx, r *http.Request, values url.Values) (bool, error) {
	steps, err := asked(tx, visitor.Of(r).Account)
	if err != nil || len(steps) == 0 {
		return false, err
	}
	var problems fault.Problems
	kept := map[string]string{}
	for _, st := range steps {
		some, err := st.Answers(values, tx.Now().Time)
		if ft := fault.Of(err); ft != nil {
			problems = append(problems, ft.Problems...)
		} else if err != nil {
			return false, err
		}
		for name, v := range some {
			kept[name] = v
		}
	}
	if err := problems.Err(); err != nil {
		return false, err
	}
	return account.ChangeAnswers(tx, web.Actor(r), kept)
}
