package story

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/seal"
	"zunft/internal/identity/account"
	"zunft/internal/identity/application"
	"zunft/internal/identity/chamber"
	"zunft/internal/identity/directory"
	"zunft/internal/identity/letter"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/organization"
	"zunft/internal/identity/policy"
	"zunft/internal/identity/registration"
	"zunft/internal/identity/request"
	"zunft/internal/identity/terms"
	"zunft/internal/outside"
	training "zunft/internal/training/portal"
)

// Owner runs the demo's portals.
const Owner = "Kammer Musterland"

// ChamberNumber of the invented chamber.
const ChamberNumber = "999"

// Password of everybody in the story: invented, public, for nothing else.
const Password = "Sauerteig-und-Salz-7"

// Directory is the member directory that the chamber hands over, as a file
// from its own system would look.
//
//go:embed directory.csv
var Directory []byte

// A Client is an OpenID client in the field names of OpenID Connect Dynamic
// Client Registration 1.0, section 2. What is left out has that standard's
// default, except that id and secret are made up.
type Client struct {
	ClientID                string   `json:"client_id"`
	ClientSecret            string   `json:"client_secret"`
	ClientName              string   `json:"client_name"`
	ClientURI               string   `json:"client_uri"`
	RedirectURIs            []string `json:"redirect_uris"`
	PostLogoutRedirectURIs  []string `json:"post_logout_redirect_uris"`
	BackchannelLogoutURI    string   `json:"backchannel_logout_uri"`
	SecurityEventURI        string   `json:"security_event_uri"`
	TokenEndpointAuthMethod string   `json:"token_endpoint_auth_method"`
	IDTokenSignedAlg        string   `json:"id_token_signed_response_alg"`
}

// cast is everybody of the story; the first is a plain account with a
// membership and no second factor, for outside clients.
var cast = []struct {
	Person
	given, family string
}{
	{Person{"lena", "lena.lerche", "lena@example.org", Password, "Ich lerne in der Bäckerei Morgenrot und schreibe sonntags mein Berichtsheft."}, "Lena", "Lerche"},
	{Person{"anna", "anna.amsel", "anna@example.org", Password, "Ich fange in der Bäckerei Morgenrot an und habe gefragt, ob ich dazugehören darf."}, "Anna", "Amsel"},
	{Person{"bert", "bert.backmann", "bert@example.org", Password, "Ich verwalte die Konten der Bäckerei Morgenrot. Auf meinem Tisch liegt Annas Anfrage."}, "Bert", "Backmann"},
	{Person{"murat", "murat.yilmaz", "murat@example.org", Password, "Ich bilde in der Bäckerei aus und zeichne Berichte ab."}, "Murat", "Yılmaz"},
	{Person{"nora", "nora.nagel", "nora@example.org", Password, "Ich habe ein Konto, aber meine Tischlerei ist noch nicht registriert."}, "Nora", "Nagel"},
	{Person{"frida", "frida.fuchs", "frida@example.org", Password, "Ich habe meine Fahrradwerkstatt registriert und warte auf die Kammer."}, "Frida", "Fuchs"},
	{Person{"clara", "clara.clausen", "clara@example.org", Password, "Ich arbeite in der Kammer Musterland und prüfe Registrierungen."}, "Clara", "Clausen"},
	{Person{"otto", "otto.ostermann", "otto@example.org", Password, "Ich betreibe das Portal."}, "Otto", "Ostermann"},
}

// settle puts people, companies and applications in place, once; a kept world
// keeps what happened since.
func (w *World) settle(ctx context.Context, o Options, trainingSecret string) error {
	phc, err := w.ID.Hasher.Hash(ctx, Password)
	if err != nil {
		return err
	}
	fresh := false
	err = w.IdentityDB.Read(ctx, func(tx *db.Tx) error {
		_, err := chamber.ByNumber(tx, ChamberNumber)
		fresh = fault.Is(err, fault.KindNotFound)
		if fresh {
			return nil
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, c := range cast {
		w.People = append(w.People, c.Person)
	}
	var c chamber.Chamber
	err = w.IdentityDB.Write(ctx, func(tx *db.Tx) error {
		if err := w.connect(tx, o.Clients, trainingSecret); err != nil || !fresh {
			return err
		}
		c, err = chamber.Create(tx, audit.Console, chamber.Chamber{
			Number: ChamberNumber, Name: Owner, ShortName: "KM", Street: "Zunftplatz", HouseNumber: "1",
			Postcode: "00999", Place: "Musterstadt", Phone: "0999 1234-0", Hours: "Montag bis Freitag, 8 bis 12 Uhr", Email: "post@kammer-musterland.example",
			Website: "https://kammer-musterland.example", LetterSigner: "Clara Clausen", Postcodes: []string{"00"},
		})
		return err
	})
	if err != nil || !fresh {
		return err
	}
	if _, err := directory.Import(ctx, w.IdentityDB, audit.Console, c.ID, bytes.NewReader(Directory), directory.ImportOptions{Strict: true}); err != nil {
		return fmt.Errorf("member directory: %w", err)
	}
	return w.IdentityDB.Write(ctx, func(tx *db.Tx) error {
		people := map[string]audit.Actor{}
		for _, p := range cast {
			if o.Empty && p.Key != "clara" && p.Key != "otto" {
				continue
			}
			a, err := account.Create(tx, audit.Console, account.New{GivenName: p.given, FamilyName: p.family, Username: p.Username, Email: p.Email, Password: phc, Language: "de", Confirmed: true})
			if err != nil {
				return fmt.Errorf("%s: %w", p.Key, err)
			}
			people[p.Key] = audit.Actor{Kind: audit.Person, Account: a.ID, IP: "127.0.0.1", Agent: "story"}
		}
		if err := chamber.AddStaff(tx, audit.Console, people["clara"].Account, c.ID, "clerk"); err != nil {
			return err
		}
		if err := chamber.AddStaff(tx, audit.Console, people["otto"].Account, "", "operator"); err != nil {
			return err
		}
		if err := crowd(tx, o.People, phc); err != nil {
			return err
		}
		if err := terms.GiveByAll(tx, audit.Console); err != nil || o.Empty {
			return err
		}
		return companies(tx, c, people)
	})
}

// companies: the bakery has been through everything, the bicycle shop waits.
func companies(tx *db.Tx, c chamber.Chamber, people map[string]audit.Actor) error {
	bakery, err := activated(tx, c, people["bert"], people["clara"], "100017")
	if err != nil {
		return fmt.Errorf("bakery: %w", err)
	}
	if err := membership.Grant(tx, audit.Console, bakery, people["bert"].Account, true); err != nil {
		return err
	}
	app, err := application.ByClientID(tx, "training")
	if err != nil {
		return err
	}
	for person, role := range map[string]string{"lena": "apprentice", "murat": "trainer"} {
		if err := membership.Grant(tx, people["bert"], bakery, people[person].Account, false, membership.Role{Application: app.ID, Key: role}); err != nil {
			return err
		}
	}
	if _, err := request.Submit(tx, people["anna"], bakery, "Ich beginne am 1. September als Auszubildende und möchte mein Berichtsheft führen.", nil); err != nil {
		return err
	}
	// Frida types from memory, so that Clara has something to compare.
	wish, err := fromEntry(tx, c, "100042", "Ich möchte unsere Auszubildenden anlegen.")
	if err != nil {
		return err
	}
	wish.IdentNumber, wish.Name, wish.HouseNumber = "", "Fahrrad-Werkstatt Fuchs e.K.", "12"
	_, err = registration.Submit(tx, people["frida"], wish)
	return err
}

// connect enters the training portal and further clients as applications.
func (w *World) connect(tx *db.Tx, clients []Client, trainingSecret string) error {
	redirect := w.Training + "/oidc/callback"
	book := application.Application{
		ClientID: "training", Name: "Ausbildungsportal", ClientURI: w.Training + "/", ManualURI: w.Training + "/help",
		SecretHash: seal.Hash(trainingSecret), RedirectURIs: []string{redirect}, PostLogoutRedirectURIs: []string{w.Training + "/logged-out"},
		BackchannelLogoutURI: w.Training + "/oidc/backchannel-logout", SecurityEventURI: w.Training + "/oidc/events",
		AuthMethod: "client_secret_basic", IDTokenAlg: "ES256", RequirePKCE: true, State: "active",
	}
	if _, err := application.Put(tx, audit.Console, book, Roles()); err != nil {
		return err
	}
	w.Applications = append(w.Applications, Application{"training", trainingSecret, book.RedirectURIs})
	for _, c := range clients {
		a, secret := c.application()
		if _, err := application.Put(tx, audit.Console, a, nil); err != nil {
			return fmt.Errorf("client %s: %w", a.ClientID, err)
		}
		w.Applications = append(w.Applications, Application{a.ClientID, secret, a.RedirectURIs})
	}
	return nil
}

func (c Client) application() (application.Application, string) {
	a := application.Application{
		ClientID: c.ClientID, Name: c.ClientName, ClientURI: c.ClientURI, RedirectURIs: c.RedirectURIs,
		PostLogoutRedirectURIs: c.PostLogoutRedirectURIs, BackchannelLogoutURI: c.BackchannelLogoutURI, SecurityEventURI: c.SecurityEventURI, AuthMethod: c.TokenEndpointAuthMethod, IDTokenAlg: c.IDTokenSignedAlg, State: "active",
	}
	if a.ClientID == "" {
		a.ClientID = db.NewID()
	}
	if a.Name == "" {
		a.Name = a.ClientID
	}
	if a.AuthMethod == "" {
		a.AuthMethod = "client_secret_basic"
	}
	if a.IDTokenAlg == "" {
		a.IDTokenAlg = "RS256"
	}
	secret := c.ClientSecret
	if a.AuthMethod == "none" {
		a.RequirePKCE = true
		return a, ""
	}
	if secret == "" {
		secret = seal.Token()
	}
	a.SecretHash = seal.Hash(secret)
	return a, secret
}

// Roles is the catalogue that the training portal declares.
func Roles() (all []application.Role) {
	for i, r := range training.Roles {
		all = append(all, application.Role{Key: r.Key, Position: i, NameDE: r.NameDE, NameEN: r.NameEN, DescriptionDE: r.DescriptionDE, DescriptionEN: r.DescriptionEN})
	}
	return all
}

// crowd adds invented accounts; they share one password hash, so that a
// hundred thousand are there in seconds.
func crowd(tx *db.Tx, n int, phc string) error {
	given := []string{"Ada", "Ben", "Cem", "Dana", "Emil", "Finja", "Greta", "Hanna", "Ivo", "Jule", "Kian", "Leyla", "Mats", "Nele", "Oskar", "Paula"}
	family := []string{"Ahorn", "Birke", "Dorn", "Eiche", "Fichte", "Ginster", "Hasel", "Iltis", "Jasmin", "Kiefer", "Linde", "Mohn", "Nessel", "Olive", "Pappel", "Quitte"}
	for i := range n {
		name := fmt.Sprintf("person-%06d", i+1)
		_, err := account.Create(tx, audit.Console, account.New{
			GivenName: given[i%len(given)], FamilyName: family[i/len(given)%len(family)], Username: name,
			Email: name + "@example.net", Password: phc, Language: "de", Confirmed: true,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// printShop hands batches to the print shop outside, as a chamber's IT would.
func (w *World) printShop(token string) letter.PrintShop {
	return func(ctx context.Context, b letter.Batch, pdf []byte) error {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.Mailbox+"/letters", bytes.NewReader(pdf))
		if err != nil {
			return err
		}
		r.Header.Set("Content-Type", "application/pdf")
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("X-Batch", b.Reference)
		r.Header.Set("X-Letters", fmt.Sprint(b.Letters))
		r.Header.Set("X-Chamber", ChamberNumber)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusCreated && answer.StatusCode != http.StatusOK {
			return fmt.Errorf("print shop answers %s", answer.Status)
		}
		return nil
	}
}

// offer leads to the four sign-ups of the sources beside our own.
func offer(tx *db.Tx) error {
	for _, key := range policy.Presets() {
		if key == policy.Standard {
			continue
		}
		p, err := policy.Preset(key)
		if err != nil {
			return err
		}
		p.SignUp.Offered = true
		if err := policy.Save(tx, audit.Console, p); err != nil {
			return err
		}
	}
	return nil
}

func (w *World) startPage() http.Handler {
	page := outside.Start{Identity: w.Identity, Training: w.Training, Mailbox: w.Mailbox, PrintShop: w.Mailbox}
	page.Steps = []outside.Step{
		{Title: "Als Bert anmelden", Text: "Bert verwaltet die Konten seiner Bäckerei. Benutzername und Passwort stehen weiter unten.", URL: w.Identity + "/login", Link: "Identitätsportal öffnen"},
		{Title: "Anna aufnehmen", Text: "Anna wartet auf Antwort: Anfrage öffnen, „Mir zuweisen“, die Rolle Auszubildende ankreuzen, genehmigen.", URL: w.Identity + "/", Link: "Zu den Anfragen"},
		{Title: "Die E-Mail lesen", Text: "Anna hat Nachricht bekommen, über einen echten Mailserver.", URL: w.Mailbox + "/mail", Link: "Briefkasten öffnen"},
		{Title: "Ins Berichtsheft", Text: "In einem anderen Browserfenster: das Ausbildungsportal öffnen, als Lena anmelden, die zurückgegebene Woche überarbeiten, diese Woche schreiben und einreichen. Murat zeichnet sie ab. Anna kann es auch, sobald sie aufgenommen ist.", URL: w.Training + "/", Link: "Ausbildungsportal öffnen"},
		{Title: "Sehen, was fehlt", Text: "Als Lena: das Jahr, die Fehlzeiten und was zur Prüfungszulassung noch fehlt. Als Bert: wie weit alle sind, wer wen begleitet, wie die Hefte geführt werden.", URL: w.Training + "/exam", Link: "Zur Liste für die Prüfung"},
		{Title: "Als Clara prüfen und drucken", Text: "Fridas Registrierung neben dem Verzeichnis vergleichen, freigeben, den Brief drucken und in der Druckerei lesen.", URL: w.Identity + "/chamber", Link: "Zum Schreibtisch der Kammer"},
		{Title: "Den Brief ansehen", Text: "Der Aktivierungsbrief an die Geschäftsführung, mit Code und QR. Frida aktiviert damit ihr Unternehmen.", URL: w.Mailbox + "/letters", Link: "Druckerei öffnen"},
		{Title: "Ein eigenes Konto", Text: "Mit irgendeiner E-Mail-Adresse registrieren, auch nach einem der Vorbilder auf der Startseite; der Code kommt in den Briefkasten. Unter „Profil“ dann: zweiter Faktor, Wiederherstellungscodes, Geräte, Datenexport, sperren und löschen.", URL: w.Identity + "/", Link: "Zur Startseite des Portals"},
	}
	for _, p := range w.People {
		page.People = append(page.People, outside.Person{Key: p.Key, Username: p.Username, Email: p.Email, Password: p.Password, Says: p.Says})
	}
	return page.Handler()
}

// JSON is the world as outside clients read it.
func (w *World) JSON() ([]byte, error) { return json.Marshal(w) }

// fromEntry is the application of somebody who copies the imprint.
func fromEntry(tx *db.Tx, c chamber.Chamber, ident, reason string) (registration.Application, error) {
	e, err := directory.ByIdent(tx, c.ID, ident)
	e.LegalForm, e.RegisterCourt, e.RegisterKind = chamber.LegalFormKey(e.LegalForm), chamber.RegisterCourtKey(e.RegisterCourt), chamber.RegisterKindKey(e.RegisterKind)
	return registration.Application{Company: e.Company, Reason: reason, Chamber: c.ID}, err
}

// activated takes a company all the way, as if the letter had come three weeks
// ago; the letter's code was known to nobody but its reader.
func activated(tx *db.Tx, c chamber.Chamber, applicant, clerk audit.Actor, ident string) (string, error) {
	a, err := fromEntry(tx, c, ident, "Ich verwalte unsere Zugänge.")
	if err != nil {
		return "", err
	}
	r, err := registration.Submit(tx, applicant, a)
	if err != nil {
		return "", err
	}
	if err := registration.Claim(tx, clerk, r.ID); err != nil {
		return "", err
	}
	version, err := db.Value[int](tx, `SELECT version FROM registration WHERE id = $1`, r.ID)
	if err != nil {
		return "", err
	}
	o, err := registration.Approve(tx, clerk, r.ID, version, r.Entry, organization.ByLetter)
	if err != nil {
		return "", err
	}
	for _, change := range []string{
		`UPDATE letter SET state = 'used', ended_at = $1 WHERE organization = $2`,
		`UPDATE organization SET state = 'active', activated_at = $1 WHERE id = $2`,
	} {
		if _, err := tx.Exec(change, tx.Now(), o.ID); err != nil {
			return "", err
		}
	}
	_, err = tx.Exec(`INSERT INTO evidence (id, organization, method, clerk, at) VALUES ($1, $2, $3, $4, $5)`, db.NewID(), o.ID, organization.ByLetter, clerk.Account, tx.Now())
	return o.ID, err
}
