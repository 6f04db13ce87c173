package paper

import (
	"time"
)

func sender() Sender {
	return Sender{
		Name:       "Kammer Musterland",
		ReturnLine: "Kammer Musterland · Marktplatz 1 · 12345 Musterstadt",
		Lines:      []string{"Geschäftsbereich Mitglieder", "Marktplatz 1", "12345 Musterstadt", "www.kammer-musterland.example"},
		Footer: []string{
			"Kammer Musterland · Körperschaft des öffentlichen Rechts · Marktplatz 1 · 12345 Musterstadt",
			"Telefon 0123 456-0 · service@kammer-musterland.example · Montag bis Freitag 8 bis 17 Uhr",
		},
	}
}

// activation is the letter of R092 and R098, as a chamber would send it.
func activation() Letter {
	return Letter{
		Sender:  sender(),
		To:      []string{"Bäckerei Groß & Söhne GmbH", "Geschäftsführung", "Frau Łucja Yılmaz-Groß", "Mühlenstraße 12 a", "12347 Musterstadt"},
		Date:    time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC),
		Info:    [][2]string{{"Unser Zeichen", "MG-2026-004711"}, {"Kontakt", "Clara Klein"}, {"Telefon", "0123 456-789"}, {"E-Mail", "clara.klein@kammer-musterland.example"}},
		Subject: "Ihr Aktivierungskennwort für das Kammerkonto",
		Blocks: []Block{
			Paragraph{Text: "Sehr geehrte Damen und Herren,"},
			Paragraph{Text: "Bert Brot hat Ihr Unternehmen am 18.11.2026 im Kammerkonto angemeldet. Wir haben die Angaben mit unserem Verzeichnis verglichen; sie stimmen überein. Mit dem folgenden Kennwort schaltet Ihr Unternehmen den Zugang frei."},
			Code{Label: "Aktivierungskennwort", Value: Group("K7M4P2XR9TQ8", 4), Caption: "gültig bis 20.01.2027"},
			Facts{{"Unternehmen", "Bäckerei Groß & Söhne GmbH"}, {"Identnummer", "4711002"}, {"Kammernummer", "999"}},
			Steps{"Öffnen Sie die Seite im QR-Code oder https://konto.kammer-musterland.example/aktivieren", "Geben Sie Aktivierungskennwort, Identnummer und Kammernummer ein."},
			QR{Text: "https://konto.kammer-musterland.example/aktivieren", Size: 25, Caption: "Aktivierung öffnen\nhttps://konto.kammer-musterland.example/aktivieren\n\nDas Kennwort steht nur in diesem Brief. Geben Sie es nur an die Person weiter, die Ihr Unternehmen im Kammerkonto vertreten soll."},
			Paragraph{Text: "Freundliche Grüße\n\nIhre Kammer Musterland"},
		},
	}
}

func week() Sheet {
	return Sheet{
		Title:    "Ausbildungsnachweis Woche 47/2026",
		Subtitle: "Kammer Musterland · Digitales Berichtsheft",
		Author:   "Anna Ähre",
		Date:     time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC),
		Facts: [][2]string{
			{"Auszubildende:r", "Anna Ähre"},
			{"Ausbildungsjahr", "2"},
			{"Berichtszeitraum", "16.11.2026 – 22.11.2026"},
			{"Ausbildungsberuf", "Bäcker/-in"},
			{"Betrieb", "Bäckerei Groß & Söhne GmbH"},
			{"Identnummer", "4711002"},
		},
		Sections: []Section{
			{Heading: "Betriebliche Tätigkeiten", Table: &Table{
				Head:   []string{"Tag", "Tätigkeit", "Stunden"},
				Widths: []float64{20, 90, 12},
				Rows: [][]string{
					{"Mo 16.11.", "Sauerteig angesetzt, Roggenmischbrot aufgearbeitet und geschoben; Öfen gereinigt", "7,5"},
					{"Di 17.11.", "Plunderteig touriert, Füllungen hergestellt. Bestellungen für die Filiale zusammengestellt und die Kühlkette protokolliert", "8"},
					{"Mi 18.11.", "Berufsschule", "–"},
					{"Do 19.11.", "Brötchenanlage eingerichtet, Stückgare überwacht", "8"},
					{"Fr 20.11.", "Stollen gebacken und verpackt", "7"},
				},
			}},
			{Heading: "Unterweisungen, betrieblicher Unterricht", Text: "Unterweisung „Umgang mit der Teigteilmaschine“ durch Bert Brot (1 Stunde): Schutzeinrichtungen, Reinigung, Verhalten bei Störungen."},
			{Heading: "Themen der Berufsschule", Text: "Fachtheorie: Triebmittel und Gärführung\nWirtschaft: Tarifvertrag und Betriebsrat\nMathematik: Rezepte umrechnen, Backverlust"},
			{Heading: "Abwesenheiten", Empty: "Keine Einträge"},
		},
		Log: []LogEntry{
			{"20.11.2026, 16:02 Uhr", "Anna Ähre", "eingereicht", ""},
			{"20.11.2026, 17:15 Uhr", "Bert Brot, Ausbilder", "zurückgegeben", "Beim Dienstag fehlt, welche Füllungen Sie hergestellt haben."},
			{"21.11.2026, 09:40 Uhr", "Anna Ähre", "erneut eingereicht", ""},
			{"21.11.2026, 10:00 Uhr", "Bert Brot, Ausbilder", "freigezeichnet", ""},
		},
		Footer: "Anna Ähre · Woche 47/2026",
	}
}
