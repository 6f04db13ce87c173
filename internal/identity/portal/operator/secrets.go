package operator

import (
	"net/http"
	"strconv"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/application"
)

// secretsPage is all that secrets.html may use.
type secretsPage struct {
	web.Frame
	Form    *web.Form
	App     application.Application
	Secrets []secretLine
	Active  int
	Most    int
	New     string // shown this once
	Lives   []web.Option
}

type secretLine struct {
	application.Secret
	By   string
	Kind string // shape of the state
	Word string
}

// newCookie brings a new secret from the POST to the page that shows it: sealed,
// for this session, and gone once it was shown. The database has its hash only.
const newCookie = "application"

func place(r *http.Request) string {
	return "application/" + web.Actor(r).Session + "/" + r.PathValue("id")
}

func (p *Pages) secrets(w http.ResponseWriter, r *http.Request) error {
	page := &secretsPage{Form: web.NewForm("days", "365")}
	if sealed := p.Site.Cookie(r, newCookie); sealed != "" {
		p.Site.SetCookie(w, newCookie, "", -1)
		if plain, err := p.DB.Keys.Open(place(r), sealed); err == nil {
			page.New = string(plain)
		}
	}
	return p.showSecrets(w, r, page)
}

func (p *Pages) showSecrets(w http.ResponseWriter, r *http.Request, page *secretsPage) error {
	if err := p.OpenID.WriteEvents(r.Context()); err != nil {
		return err
	}
	page.Most = application.MaxSecrets
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		if page.App, err = application.Get(tx, r.PathValue("id")); err != nil {
			return err
		}
		all, err := application.Secrets(tx, web.Actor(r), page.App.ID)
		if err != nil {
			return err
		}
		var ids []string
		for _, s := range all {
			ids = append(ids, s.CreatedBy)
		}
		people, err := account.GetMany(tx, ids)
		for _, s := range all {
			l := secretLine{Secret: s, By: people[s.CreatedBy].Name(), Kind: "neutral", Word: "operator.secret_expired"}
			switch {
			case !s.RevokedAt.IsZero():
				l.Word = "operator.secret_revoked"
			case s.Active(tx.Now()):
				page.Active++
				l.Kind, l.Word = "success", "operator.secret_active"
				if !s.ExpiresAt.IsZero() && s.ExpiresAt.Sub(tx.Now()) < soon {
					l.Kind, l.Word = "warning", "operator.secret_ends"
				}
			}
			if s.CreatedBy == "" {
				l.By = p.text(r, "operator.console")
			}
			page.Secrets = append(page.Secrets, l)
		}
		return err
	})
	if err != nil {
		return err
	}
	page.Frame = p.back(page.App.Name, "/admin/apps/"+page.App.ID)
	for _, days := range []int{90, 180, 365, 730, 0} {
		text := p.text(r, "operator.life_days", days)
		if days == 0 {
			text = p.text(r, "operator.life_endless")
		}
		page.Lives = append(page.Lives, web.Option{Value: strconv.Itoa(days), Text: text})
	}
	return p.Site.Show(w, r, page.Form.Status(), templates, "secrets", page)
}

func (p *Pages) changeSecrets(w http.ResponseWriter, r *http.Request) error {
	f, id := web.ReadForm(r), r.PathValue("id")
	plain, done := "", "operator.secret_ended"
	err := p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		if f.Text("do") == "revoke" {
			return application.RevokeSecret(tx, web.Actor(r), id, f.Text("key"))
		}
		plain, _, err = application.NewSecret(tx, web.Actor(r), id, f.Number("days"))
		return err
	})
	if f.Take(err) {
		return p.showSecrets(w, r, &secretsPage{Form: f})
	}
	if err != nil {
		return err
	}
	to := "/admin/apps/" + id + "/secrets"
	if plain != "" {
		p.Site.SetCookie(w, newCookie, p.DB.Keys.Seal(place(r), []byte(plain)), 2*time.Minute)
		return web.See(w, r, to)
	}
	return p.Site.Done(w, r, to, done)
}
