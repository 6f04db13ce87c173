package desk

import (
	"net/http"
	"net/url"
	"slices"

	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/web"
	"zunft/internal/identity/account"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/company"
	"zunft/internal/identity/directory"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/registration"
	"zunft/internal/identity/textblock"
)

// A Side is one entry of the directory beside the application.
type Side struct {
	Entry directory.Entry
	Match company.Match
	Href  string
	Shown bool
}

// A Seen proof of the organization that came of a registration.
type Seen struct {
	organization.Proof
	Clerk string // name
}

type casePage struct {
	web.Frame
	Form *web.Form
	clock
	Case        registration.Item
	Applicant   account.Account
	Chamber     chamber.Chamber
	From        chamber.Chamber           // that passed it on
	First       string                    // who said yes first
	Certificate *registration.Certificate // ELSTER
	Candidates  []Side
	Chosen      *Side
	Lines       []Line
	Evidence    []web.Option
	Seen        []Seen
	Chambers    []web.Option // to pass it on to
	Blocks      map[string][]web.Option
	Next        string
	Sort        string
	Mine        bool // the clerk has it
	Own         bool // the clerk is the applicant
	Open        bool // can be decided by this clerk now
	Yours       bool // this clerk's yes was the first
	AtOnce      bool // approved is active at once
	Ident       string
}

// Sample reports whether it was released without a clerk and is to be looked at.
func (c *casePage) Sample() bool { return c.Case.Sampled && c.Case.SampledAt.IsZero() }

// State is the tag beside the reference: its kind.
func (c *casePage) State() string {
	switch c.Case.State {
	case registration.Approved:
		return "success"
	case registration.Refused:
		return "danger"
	case registration.Withdrawn:
		return "neutral"
	case registration.Second:
		return "warning"
	}
	return "info"
}

// Asking, Refusing and Forwarding keep the part open that the clerk was writing in.
func (c *casePage) Asking() bool { return c.writes("ask", textblock.Question) }

// Refusing: see Asking.
func (c *casePage) Refusing() bool { return c.writes("refuse", textblock.Refusal) }

// Forwarding: see Asking.
func (c *casePage) Forwarding() bool { return c.writes("forward", textblock.Forward) }

func (c *casePage) writes(do, purpose string) bool {
	did := c.Form.Text("do")
	return did == do || did == "insert_"+purpose
}

// purposes of the text blocks of this page, which are also its fields' names.
var purposes = []string{textblock.Question, textblock.Refusal, textblock.Forward}

func (p *Pages) loadCase(r *http.Request, f *web.Form) (*casePage, error) {
	page := &casePage{Form: f, Blocks: map[string][]web.Option{}, Frame: web.Frame{Wide: true, Back: web.Link{Text: p.text(r, "desk.list_title"), Href: "/chamber/registrations"}}}
	by := web.Actor(r)
	if page.Sort = f.Text("sort"); page.Sort == "" {
		page.Sort = web.ReadQuery(r).Text("sort")
	}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) error {
		page.clock = p.clock(tx, r)
		reg, err := registration.GetRegistration(tx, by, r.PathValue("id"))
		if err != nil {
			return err
		}
		if page.Case, err = registration.ItemOf(tx, by, reg); err != nil {
			return err
		}
		if page.Applicant, err = account.Get(tx, reg.Applicant); err != nil {
			return err
		}
		if page.Chamber, err = chamber.Get(tx, reg.Chamber); err != nil {
			return err
		}
		if page.Next, err = registration.Next(tx, by, reg, page.Sort); err != nil {
			return err
		}
		if page.Certificate, err = registration.GetCertificate(tx, by, reg.ID); err != nil {
			return err
		}
		if err := page.people(tx); err != nil {
			return err
		}
		if err := page.candidates(tx, r); err != nil {
			return err
		}
		page.Mine = page.Case.Clerk == by.Account
		page.Own = page.Case.Applicant == by.Account
		page.Yours = page.Case.State == registration.Second && page.Case.FirstClerk == by.Account
		page.Open = page.Case.Pending() && !page.Own && (page.Mine || page.Case.Clerk == "")
		if !page.Open {
			return nil
		}
		return p.choices(tx, r, page)
	})
	if err != nil {
		return nil, err
	}
	if page.Next != "" {
		page.Next = "/chamber/registrations/" + page.Next + page.query()
	}
	return page, nil
}

// query carries the order of the list along.
func (c *casePage) query() string {
	if c.Sort == "" {
		return ""
	}
	return "?sort=" + url.QueryEscape(c.Sort)
}

// people are whom the page names besides: who said yes first, which chamber
// passed it on, who saw the evidence.
func (c *casePage) people(tx *db.Tx) (err error) {
	if from := c.Case.ForwardedFrom; from != "" {
		if c.From, err = chamber.Get(tx, from); err != nil {
			return err
		}
	}
	ids := []string{c.Case.FirstClerk}
	var proofs []organization.Proof
	if c.Case.Organization != "" {
		if proofs, err = organization.Evidence(tx, c.Case.Organization); err != nil {
			return err
		}
	}
	for _, e := range proofs {
		ids = append(ids, e.Clerk)
	}
	names, err := account.GetMany(tx, slices.DeleteFunc(ids, func(id string) bool { return id == "" }))
	if c.Case.FirstClerk != "" {
		c.First = names[c.Case.FirstClerk].Name()
	}
	for _, e := range proofs {
		seen := Seen{Proof: e}
		if e.Clerk != "" {
			seen.Clerk = names[e.Clerk].Name()
		}
		c.Seen = append(c.Seen, seen)
	}
	return err
}

// choices are what the clerk can choose from: evidence, text blocks, chambers.
func (p *Pages) choices(tx *db.Tx, r *http.Request, page *casePage) error {
	methods := organization.Methods()
	if page.Certificate != nil {
		methods = append([]string{organization.ByElster}, methods...)
	}
	for _, m := range methods {
		page.Evidence = append(page.Evidence, web.Option{Value: m, Text: p.text(r, "desk.evidence."+m), Hint: p.text(r, "desk.evidence_hint."+m), Selected: m == page.Case.Evidence})
	}
	for _, purpose := range purposes {
		blocks, err := textblock.List(tx, page.Case.Chamber, purpose)
		if err != nil {
			return err
		}
		if len(blocks) == 0 {
			continue
		}
		page.Blocks[purpose] = []web.Option{{Text: p.text(r, "desk.block_none")}}
		for _, b := range blocks {
			page.Blocks[purpose] = append(page.Blocks[purpose], web.Option{Value: b.ID, Text: b.Title})
		}
	}
	settings, err := chamber.SettingsOf(tx, page.Case.Chamber)
	if err != nil {
		return err
	}
	page.AtOnce = page.Chosen != nil && settings.ActiveFrom > 0 && page.Chosen.Match.Score >= settings.ActiveFrom
	likely, err := chamber.Serving(tx, page.Case.Postcode, page.Case.Place)
	if err != nil {
		return err
	}
	all, err := chamber.Current(tx)
	if err != nil {
		return err
	}
	for _, c := range append(likely, all...) {
		if c.ID != page.Case.Chamber && !slices.ContainsFunc(page.Chambers, func(o web.Option) bool { return o.Value == c.ID }) {
			page.Chambers = append(page.Chambers, web.Option{Value: c.ID, Text: c.Name})
		}
	}
	return nil
}

// candidates finds the entries to choose from; the one in the address, else
// the one found when the application came in, else the most similar is shown.
func (c *casePage) candidates(tx *db.Tx, r *http.Request) error {
	found, err := directory.Candidates(tx, c.Case.Chamber, c.Case.Company, 5)
	if err != nil {
		return err
	}
	wanted := c.Case.Entry
	if e := c.Form.Text("entry"); e != "" {
		wanted = e
	} else if e := web.ReadQuery(r).Text("entry"); e != "" {
		wanted = e
	}
	c.Ident = web.ReadQuery(r).Text("ident")
	more := func(e directory.Entry, err error) error {
		if fault.Is(err, fault.KindNotFound) || err == nil && e.Chamber != c.Case.Chamber {
			return nil
		}
		for _, known := range found {
			if known.Entry.ID == e.ID {
				return err
			}
		}
		found = append(found, directory.Candidate{Entry: e, Match: company.Compare(c.Case.Company, e.Company, c.Chamber.Number)})
		return err
	}
	if c.Ident != "" {
		e, err := directory.ByIdent(tx, c.Case.Chamber, c.Ident)
		if err == nil {
			wanted = e.ID
		}
		if err := more(e, err); err != nil {
			return err
		}
	}
	if wanted != "" {
		e, err := directory.Get(tx, wanted)
		if err := more(e, err); err != nil {
			return err
		}
	}
	chosen := -1
	for i, k := range found {
		if k.Entry.ID == wanted {
			chosen = i
		}
		c.Candidates = append(c.Candidates, Side{Entry: k.Entry, Match: k.Match, Href: "/chamber/registrations/" + c.Case.ID + "?entry=" + k.Entry.ID})
	}
	if chosen < 0 && len(found) > 0 {
		chosen = 0
	}
	if chosen >= 0 {
		c.Candidates[chosen].Shown = true
		c.Chosen = &c.Candidates[chosen]
		c.Lines = beside(c.Chosen.Match)
		if c.Certificate != nil {
			certify(c.Lines, company.Compare(c.Certificate.Company, c.Chosen.Entry.Company, c.Chamber.Number))
		}
	}
	return nil
}

func (p *Pages) showCase(w http.ResponseWriter, r *http.Request) error {
	page, err := p.loadCase(r, web.NewForm())
	if err != nil {
		return err
	}
	return p.Site.Show(w, r, http.StatusOK, templates, "case", page)
}
