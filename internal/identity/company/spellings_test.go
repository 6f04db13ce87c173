package company

import (
	"strings"
	"testing"
)

// Spellings as people, registers, web pages and certificates write them: what
// is one company, street or number, and what is another. Each line: verdict and
// reason | field | one side | other side.
const spellings = `
same                 | name | Spiel- und Spaß GmbH | Spiel- und Spaß GmbH
spelling signs       | name | Spiel- und Spaß GmbH | Spiel und Spaß GmbH
spelling short       | name | Spiel u. Spaß GmbH | Spiel- und Spaß GmbH
spelling letters     | name | Spiel- und Spass GmbH | Spiel- und Spaß GmbH
spelling case        | name | SPIEL- UND SPAẞ GMBH | Spiel- und Spaß GmbH
spelling short       | name | Spiel & Spaß GmbH | Spiel und Spaß GmbH
spelling case        | name | Müller KG | MÜLLER KG
spelling letters     | name | Mueller KG | Müller KG
spelling letters     | name | Café Öztürk GmbH | Cafe Oeztuerk GmbH
spelling letters     | name | Yılmaz Bau GmbH | Yilmaz Bau GmbH
spelling letters     | name | Bäckerei Şahin e.K. | Bäckerei Sahin e.K.
spelling letters     | name | Łukasz Transporte | Lukasz Transporte
spelling letters     | name | Crêperie Bretonne | Creperie Bretonne
spelling signs       | name | Müller-Lüdenscheid AG | Müller Lüdenscheid AG
spelling signs       | name | Fahrrad-Werkstatt Fuchs e.K. | Fahrradwerkstatt Fuchs e. K.
spelling signs       | name | E-Werk Nord GmbH | EWerk Nord GmbH
spelling signs       | name | Tante Anna's Café | Tante Annas Café
spelling signs       | name | „Zum Löwen“ Gastro GmbH | Zum Löwen Gastro GmbH
spelling signs       | name | A.B.C. Handel GmbH | ABC Handel GmbH
spelling short       | name | Muster Gesellschaft mit beschränkter Haftung | Muster GmbH
spelling short       | name | Muster Gesellschaft mbH | Muster GmbH
spelling short       | name | Muster Ges.m.b.H. | Muster GmbH
spelling short       | name | Muster Ges. mit beschr. Haftung | Muster GmbH
spelling signs       | name | Muster G.m.b.H. | Muster GmbH
spelling signs       | name | Muster GmbH & Co. KG | Muster GmbH & Co KG
spelling signs       | name | Muster GmbH & Co.KG | Muster GmbH & Co. KG
spelling signs       | name | Muster GmbH&Co.KG | Muster GmbH & Co. KG
spelling short       | name | Muster GmbH u. Co. KG | Muster GmbH & Co. KG
spelling short       | name | Muster GmbH und Co. Kommanditgesellschaft | Muster GmbH & Co. KG
spelling short       | name | Muster GmbH und Compagnie KG | Muster GmbH & Co. KG
spelling short       | name | Muster GmbH & Cie. KG | Muster GmbH & Co. KG
spelling signs       | name | Muster GmbH Co. KG | Muster GmbH & Co. KG
spelling short       | name | Muster GmbH + CoKG | Muster Gesellschaft mit beschränkter Haftung & Co. KG
spelling short       | name | Muster Verwaltungs-GmbH & Co. Kommanditgesellschaft | Muster Verwaltungs GmbH & Co. KG
spelling short       | name | Muster UG | Muster UG (haftungsbeschränkt)
spelling short       | name | Muster Unternehmergesellschaft (haftungsbeschränkt) | Muster UG (haftungsbeschränkt)
spelling short       | name | Muster UG haftungsbeschr. | Muster UG (haftungsbeschränkt)
spelling short       | name | Muster UG (haftungsbeschränkt) & Co. KG | Muster UG & Co. KG
spelling short       | name | Groß Handel e. Kfm. | Groß Handel e. K.
spelling short       | name | Groß Handel eingetragener Kaufmann | Groß Handel e.K.
spelling short       | name | Groß Handel eingetragene Kauffrau | Groß Handel e.K.
spelling short       | name | Groß Handel e. Kffr. | Groß Handel e.K.
spelling signs       | name | Groß Handel e. K. | Groß Handel eK
spelling short       | name | Müller und Söhne offene Handelsgesellschaft | Müller & Söhne OHG
spelling signs       | name | Müller & Söhne O.H.G. | Müller & Söhne OHG
spelling case        | name | Müller & Söhne oHG | Müller & Söhne OHG
spelling short       | name | Schmidt Gesellschaft bürgerlichen Rechts | Schmidt GbR
spelling short       | name | Schmidt eingetragene GbR | Schmidt eGbR
spelling short       | name | Muster Aktiengesellschaft | Muster AG
spelling short       | name | Muster Kommanditgesellschaft auf Aktien | Muster KGaA
spelling short       | name | Kanzlei Muster Partnerschaftsgesellschaft mit beschränkter Berufshaftung | Kanzlei Muster PartG mbB
spelling signs       | name | Kanzlei Muster PartGmbB | Kanzlei Muster PartG mbB
spelling short       | name | Muster Societas Europaea | Muster SE
spelling short       | name | Volksbank Muster eingetragene Genossenschaft | Volksbank Muster eG
spelling short       | name | Sportverein Muster eingetragener Verein | Sportverein Muster e.V.
spelling short       | name | Werkstätten gemeinnützige GmbH | Werkstätten gGmbH
spelling short       | name | Gebr. Huber OHG | Gebrüder Huber OHG
spelling short       | name | Geschw. Huber GbR | Geschwister Huber GbR
spelling letters     | name | ＡＢＣ GmbH | ABC GmbH
different            | name | Müller GmbH | Schmidt GmbH
different similar    | name | Tischlerei Müller GmbH | Tischlerei Muller GmbH
different similar    | name | Bäckerei Morgenrot GmbH | Bäckerei Morgenroth GmbH
different            | name | Muster Bau GmbH | Master Maler GmbH
different legal_form | name | Muster GmbH | Muster KG
different legal_form | name | Muster GmbH | Muster
different legal_form | name | Muster GmbH | Muster GmbH & Co. KG
different legal_form | name | Muster UG (haftungsbeschränkt) | Muster GmbH
different legal_form | name | Muster e.K. | Muster GbR
different part       | name | Bäckerei Huber | Bäckerei Huber Inhaber Karl Huber
different part       | name | Möbelhaus Meier Filiale Süd | Möbelhaus Meier
different            | name | Bäckerei Bert I | Metzgerei Bert II
different similar    | name | Fahrradwerkstatt Fuchs e.K. | Fahrradwerkstatt Luchs e.K.
different similar    | name | Bauunternehmung Nord GmbH | Bauunternehmung Nordd GmbH
different            | name | U. Muster | und Muster
different            | name | Autohaus Nord GmbH | Autohaus Süd GmbH
same                 | street | Karl-Marx-Straße | Karl-Marx-Straße
spelling short       | street | Karl-Marx-Str. | Karl-Marx-Straße
spelling letters     | street | Karl-Marx-Strasse | Karl-Marx-Straße
spelling case        | street | KARL-MARX-STRAẞE | Karl-Marx-Straße
spelling signs       | street | Karl Marx Straße | Karl-Marx-Straße
spelling short       | street | Karl-Marxstr. | Karl-Marx-Straße
spelling signs       | street | Bäcker Straße | Bäckerstraße
spelling short       | street | Bäcker Str. | Bäckerstraße
spelling letters     | street | Baeckerstraße | Bäckerstraße
spelling signs       | street | Mühlen Weg | Mühlenweg
spelling signs       | street | Markt Platz | Marktplatz
spelling short       | street | Marktpl. | Marktplatz
spelling signs       | street | Elb-Chaussee | Elbchaussee
spelling signs       | street | Deichufer | Deich-Ufer
spelling short       | street | St.-Georg-Platz | Sankt-Georg-Platz
spelling short       | street | Dr.-Külz-Ring | Doktor-Külz-Ring
spelling short       | street | Prof.-Sauer-Weg | Professor-Sauer-Weg
spelling short       | street | Bgm.-Smidt-Straße | Bürgermeister-Smidt-Straße
spelling short       | street | Str. des 17. Juni | Straße des 17. Juni
spelling short       | street | Gebr.-Grimm-Allee | Gebrüder-Grimm-Allee
different            | street | Bahnhofstraße | Hafenweg
different similar    | street | Bahnhofstraße | Bahnhofsstraße
different similar    | street | Lindenstraße | Lindensstraße
different            | street | Ring | Weg
different            | street | Alte Gasse | Neue Gasse
different            | street | Heinestraße | Heideweg
same                 | house_number | 12 a | 12 a
spelling case        | house_number | 12A | 12a
spelling signs       | house_number | 12 a | 12a
spelling short       | house_number | 012a | 12 A
spelling short       | house_number | Nr. 7 | 7
spelling short       | house_number | Hausnr. 7 | 7
spelling signs       | house_number | 3 – 5 | 3-5
spelling short       | house_number | 3 bis 5 | 3-5
spelling short       | house_number | 3 u. 5 | 3 und 5
spelling short       | house_number | 3 und 5 | 3 + 5
spelling signs       | house_number | 3, 5 | 3 + 5
spelling short       | house_number | 12 Hinterhaus | 12 HH
spelling signs       | house_number | 12, Haus 2 | 12 Haus 2
spelling short       | house_number | 12 Hs. 2 | 12 Haus 2
spelling letters     | house_number | 12 ½ | 12 1/2
spelling short       | house_number | 7 Geb. C | 7 Gebäude C
different suffix     | house_number | 12 | 12a
different suffix     | house_number | 12a | 12b
different suffix     | house_number | 12 | 12-14
different suffix     | house_number | 12 | 12 Hinterhaus
different            | house_number | 3, 5 | 35
different            | house_number | 1-3 | 13
different            | house_number | 1 3 | 13
different            | house_number | 7 | 17
different            | house_number | 12 | 21
same                 | postcode | 26723 | 26723
spelling short       | postcode | D-26723 | 26723
spelling signs       | postcode | 26 723 | 26723
different one_digit  | postcode | 26723 | 26732
different one_digit  | postcode | 26723 | 26724
different            | postcode | 26723 | 10115
spelling signs       | ident_number | 100 017 | 100017
spelling short       | ident_number | 000017 | 17
spelling short       | ident_number | 100017999 | 100017
different one_digit  | ident_number | 100017 | 100071
different one_digit  | ident_number | 100017 | 100018
different            | ident_number | 100017 | 200018
spelling signs       | register_number | HRB 2011 | HRB2011
spelling short       | register_number | HRB 2011 | 2011
spelling short       | register_number | HRB 02011 | HRB 2011
different one_digit  | register_number | HRB 2011 | HRB 2101
different            | register_number | HRB 2011 | HRB 9
spelling short       | legal_form | gmbh | Gesellschaft mit beschränkter Haftung
spelling signs       | legal_form | GmbH & Co. KG | gmbh_co_kg
different            | legal_form | gmbh | ug
spelling case        | place | NEU MUSTER | Neu Muster
spelling signs       | place | Neu-Muster | Neu Muster
different part       | place | Frankfurt | Frankfurt am Main
different            | place | Musterstadt | Musterhafen
`

// W06, R072, R091: what is spelling and what is another company, with the reason the desk reads out.
func TestR091SpellingsTable(t *testing.T) {
	n, same, different := 0, 0, 0
	for _, l := range strings.Split(strings.TrimSpace(spellings), "\n") {
		p := strings.Split(l, "|")
		for i := range p {
			p[i] = strings.TrimSpace(p[i])
		}
		n++
		verdict, reason, _ := strings.Cut(p[0], " ")
		if verdict == "different" {
			different++
		} else {
			same++
		}
		for _, pair := range [][2]string{{p[2], p[3]}, {p[3], p[2]}} {
			m := Compare(one(p[1], pair[0]), one(p[1], pair[1]), "999")
			for _, f := range m.Fields {
				if f.Field == p[1] && (string(f.Verdict) != verdict || string(f.Reason) != reason) {
					t.Errorf("%s: %q and %q: %s %s, want %s %s", p[1], pair[0], pair[1], f.Verdict, f.Reason, verdict, reason)
				}
			}
		}
	}
	if n < 120 || same < 40 || different < 30 {
		t.Errorf("%d pairs, %d same, %d different", n, same, different)
	}
}

func one(field, value string) (c Company) {
	*map[string]*string{
		"name": &c.Name, "legal_form": &c.LegalForm, "street": &c.Street, "house_number": &c.HouseNumber, "postcode": &c.Postcode, "place": &c.Place,
		"ident_number": &c.IdentNumber, "register_number": &c.RegisterNumber,
	}[field] = value
	return c
}

// Which fields deviate is told outside the desk only where it is known which
// company is meant: by its number, or by name and postcode.
func TestDeviationsAreOfAKnownCompany(t *testing.T) {
	a := applied
	a.HouseNumber, a.RegisterNumber = "7", "999"
	m := Compare(a, listed, "999")
	if got := strings.Join(m.Deviates(), " "); got != "house_number register_number" || !m.Known() {
		t.Errorf("%q %v", got, m.Known())
	}
	a.IdentNumber = "" // name and postcode are enough
	if m := Compare(a, listed, "999"); !m.Known() {
		t.Error("name and postcode say nothing")
	}
	a.Name = "Bäckerei Berta GmbH"
	if m := Compare(a, listed, "999"); m.Known() {
		t.Error("a similar name at the same postcode is told about")
	}
	a.IdentNumber = "0011"
	if m := Compare(a, listed, "999"); !m.Known() {
		t.Error("the ident number says nothing")
	}
}

// R121, W06: where the chamber settled so, only what is written alike is alike.
func TestR121Literally(t *testing.T) {
	a := Company{Name: "Spiel- und Spaß GmbH", Street: "Schuteweg", HouseNumber: "1", Postcode: "26723"}
	for name, b := range map[string]Company{
		"same":            a,
		"number in field": {Name: "Spiel- und  Spaß GmbH ", Street: "Schuteweg 1", Postcode: "26723"},
	} {
		if !Literally(a, b) {
			t.Error(name)
		}
	}
	for name, b := range map[string]Company{
		"case":   {Name: "Spiel- und spaß GmbH", Street: "Schuteweg", HouseNumber: "1", Postcode: "26723"},
		"ss":     {Name: "Spiel- und Spass GmbH", Street: "Schuteweg", HouseNumber: "1", Postcode: "26723"},
		"hyphen": {Name: "Spiel und Spaß GmbH", Street: "Schuteweg", HouseNumber: "1", Postcode: "26723"},
		"house":  {Name: "Spiel- und Spaß GmbH", Street: "Schuteweg", HouseNumber: "1a", Postcode: "26723"},
	} {
		if Literally(a, b) {
			t.Error(name)
		}
	}
}
