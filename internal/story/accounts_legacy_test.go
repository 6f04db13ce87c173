package story_test

import (
	"strings"
	"testing"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/legacy"
	"zunft/internal/story"
)

// R185, R186, R284: people of other products are carried over from a file. They
// skip the registration, sign in with number or user name and the password they
// have, and choose a new one where their product had none to give.
func TestR185CarriedOver(t *testing.T) {
	each(t, story.Options{}, func(t *testing.T, w *story.World) {
		number := ""
		if err := w.IdentityDB.Read(t.Context(), func(tx *db.Tx) (err error) {
			number, err = db.Value[string](tx, `SELECT number FROM chamber ORDER BY number DESC LIMIT 1`)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		r, err := legacy.Import(t.Context(), w.IdentityDB, audit.Console, strings.NewReader(`username;email;given_name;family_name;hash;numbers;chamber
ida.igel;ida@example.org;Ida;Igel;$2y$05$abcdefghijklmnopqrstuuNRDW/EOvoh8ZiMlAOEBb6H2DAlKVV/2;apprentice:4711-0815;`+number+`
jan.jaguar;jan@example.org;Jan;Jaguar;;;
`), legacy.Options{})
		if err != nil || r.Written != 2 {
			t.Fatalf("%+v %v", r, err)
		}
		ida := walks(t, w, "ida")
		ida.enters(number+"-4711 0815", "Brot & Bier")
		ida.HasText("passen nicht zusammen")
		ida.enters(number+"-4711 0815", "Brot & Bier für 7")
		ida.accepts()
		ida.HasText("Ida Igel")
		if n := count(t, w.IdentityDB, `SELECT count(*) FROM account WHERE username = 'ida.igel' AND password LIKE '$argon2id$%'`); n != 1 {
			t.Error("the hash of the other product stays")
		}
		ida.signOut()
		ida.enters("ida.igel", "Brot & Bier für 7")
		ida.HasText("Ida Igel")

		jan := walks(t, w, "jan")
		jan.enters("jan.jaguar", "")
		jan.Open(w.Identity + "/recover/password")
		jan.Fill("Benutzername oder E-Mail-Adresse", "jan.jaguar")
		jan.Press("Absenden")
		jan.Open(link(t, mail(t, w, "jan@example.org", "Passwort zurücksetzen"), "/recover/password/"))
		jan.Fill("Neues Passwort", "Jaguar-2026!")
		jan.Fill("Neues Passwort wiederholen", "Jaguar-2026!")
		jan.Press("Passwort festlegen")
		jan.HasText("Ihr Name nicht vorkommen") // ASVS 6.2.11
		jan.Fill("Neues Passwort", story.Password)
		jan.Fill("Neues Passwort wiederholen", story.Password)
		jan.Press("Passwort festlegen")
		jan.enters("jan.jaguar", story.Password)
		jan.accepts()
		jan.HasText("Jan Jaguar")
	})
}

// accepts the terms that somebody who skipped the registration has not seen.
func (p *person) accepts() {
	p.t.Helper()
	p.at("/login/terms")
	p.Choose("Ich akzeptiere die Informationspflichten.")
	p.Press("Weiter")
}
