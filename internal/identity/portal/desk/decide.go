package desk

import (
	"net/http"
	"strings"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/registration"
	"zunft/internal/identity/textblock"
)

// decide is what a clerk does with a case; the button says what. After a
// decision the next case is on the table.
func (p *Pages) decide(w http.ResponseWriter, r *http.Request) error {
	f, by, id := web.ReadForm(r), web.Actor(r), r.PathValue("id")
	version := f.Number("version")
	phrase, next, name := "", "", ""
	if purpose, insert := strings.CutPrefix(f.Text("do"), "insert_"); insert {
		return p.insert(w, r, f, purpose)
	}
	err := p.DB.Write(r.Context(), func(tx *db.Tx) error {
		reg, err := registration.GetRegistration(tx, by, id)
		if err != nil {
			return err
		}
		name = reg.Name
		words := func(field string) (string, error) { return said(tx, reg.Chamber, f, field) }
		switch f.Text("do") {
		case "claim":
			phrase = "desk.claimed"
			return registration.Claim(tx, by, id)
		case "release":
			phrase = "desk.released"
			return registration.Release(tx, by, id)
		case "takeover":
			phrase = "desk.claimed"
			return registration.TakeOver(tx, by, id, f.Text("from"))
		case "looked":
			phrase = "desk.looked"
			return registration.Looked(tx, by, id)
		case "approve":
			o, err := registration.Approve(tx, by, id, version, f.Text("entry"), f.Text("evidence"))
			if err != nil {
				return err
			}
			phrase = "desk.seconded"
			if o.ID != "" {
				phrase = "desk.approved." + o.State
			}
		case "ask":
			phrase = "desk.asked"
			text, err := words(textblock.Question)
			if err != nil {
				return err
			}
			if err := registration.AskBack(tx, by, id, version, text); err != nil {
				return err
			}
		case "refuse":
			phrase = "desk.refused"
			text, err := words(textblock.Refusal)
			if err != nil {
				return err
			}
			if err := registration.Refuse(tx, by, id, version, text); err != nil {
				return err
			}
		case "forward":
			phrase = "desk.forwarded"
			text, err := words(textblock.Forward)
			if err != nil {
				return err
			}
			if err := registration.Forward(tx, by, id, version, f.Text("to"), text); err != nil {
				return err
			}
		default:
			return fault.Invalid("", "web.form_unreadable")
		}
		next, err = registration.Next(tx, by, reg, f.Text("sort"))
		return err
	})
	if f.Take(err) {
		page, err := p.loadCase(r, f)
		if err != nil {
			return err
		}
		return p.Site.Show(w, r, f.Status(), templates, "case", page)
	}
	if err != nil {
		return err
	}
	sorted := (&casePage{Sort: f.Text("sort")}).query()
	to := "/chamber/registrations" + sorted
	switch {
	case phrase == "desk.looked":
		to = "/chamber/registrations?status=" + registration.StatusSamples
	case phrase == "desk.claimed" || phrase == "desk.released":
		to = "/chamber/registrations/" + id + sorted
	case next != "":
		to = "/chamber/registrations/" + next + sorted
	}
	return p.Site.Done(w, r, to, phrase, name)
}

// said is what the clerk answers: the text block they chose, and below it what
// they wrote themselves.
func said(tx *db.Tx, chamberID string, f *web.Form, field string) (string, error) {
	own := f.Lines(field)
	id := f.Text(field + "_block")
	if id == "" {
		return own, nil
	}
	b, err := textblock.Get(tx, chamberID, id)
	if fault.Is(err, fault.KindNotFound) { // taken away meanwhile
		return "", fault.Invalid(field+"_block", "desk.block_gone")
	}
	return strings.TrimSpace(b.Body + "\n" + own), err
}

// insert puts a text block into the answer, where the clerk can change it.
func (p *Pages) insert(w http.ResponseWriter, r *http.Request, f *web.Form, purpose string) error {
	var text string
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		reg, err := registration.GetRegistration(tx, web.Actor(r), r.PathValue("id"))
		if err != nil {
			return err
		}
		text, err = said(tx, reg.Chamber, f, purpose)
		return err
	})
	if err != nil && !f.Take(err) {
		return err
	}
	if err == nil {
		f.Values.Set(purpose, text)
		f.Values.Set(purpose+"_block", "")
	}
	page, err := p.loadCase(r, f)
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, f.Status(), templates, "case", page)
}
