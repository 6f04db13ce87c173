package signup

import (
	"net/http"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/web"
	"zunft/internal/identity/captcha"
)

// captcha sends the picture or the sound of a question, to the browser it was made for.
func (p *Pages) captcha(w http.ResponseWriter, r *http.Request) error {
	if err := limit.Take(r.Context(), p.DB, "captcha/ip/"+limit.Network(web.Actor(r).IP), captcha.Rate); err != nil {
		return err
	}
	var q captcha.Question
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) { q, err = captcha.Open(tx, p.browser(r), r.PathValue("id")); return err })
	if err != nil {
		return err
	}
	var body []byte
	kind := "image/png"
	switch r.PathValue("kind") {
	case "picture":
		body, err = q.Picture()
	case "sound":
		kind = "audio/wav"
		body, err = q.Sound(web.Lang(r))
	default:
		return fault.NotFound()
	}
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", "no-store")
	_, err = w.Write(body)
	return err
}
