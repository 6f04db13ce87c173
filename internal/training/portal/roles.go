package portal

import "zunft/internal/training/person"

// A Role that this application declares. The identity portal shows it to the
// admins of a company, who grant it.
type Role struct {
	Key, NameDE, NameEN, DescriptionDE, DescriptionEN string
}

// Roles is the role catalogue, in the order people should read it.
var Roles = []Role{
	{
		person.Apprentice, "Auszubildende:r", "Apprentice",
		"Schreibt das eigene Berichtsheft und reicht jede Woche einen Ausbildungsnachweis ein.",
		"Keeps their own report book and submits a training record every week.",
	},
	{
		person.Retrainee, "Umzuschulende:r", "Retrainee",
		"Schreibt das eigene Berichtsheft während einer Umschulung.",
		"Keeps their own report book during retraining.",
	},
	{
		person.Trainer, "Ausbilder:in", "Trainer",
		"Liest die Ausbildungsnachweise im Unternehmen, zeichnet sie ab oder gibt sie zurück, auch nachträglich.",
		"Reads the training records of the company, signs them off or returns them, also afterwards.",
	},
	{
		person.Supervisor, "Ausbildungsbeauftragte:r", "Supervisor",
		"Liest und zeichnet Ausbildungsnachweise ab, zum Beispiel in einer Abteilung.",
		"Reads training records and signs them off, for example in a department.",
	},
	{
		person.TrainingAdmin, "Ausbildungsverwaltung", "Training administration",
		"Sieht, wer im Unternehmen ausgebildet wird und wie weit die Berichtshefte sind. Zeichnet nicht ab.",
		"Sees who is trained in the company and how far the report books are. Does not sign off.",
	},
	{
		person.ChamberClerk, "Sachbearbeitung der Kammer", "Clerk of the chamber",
		"Sieht vorgelegte Berichtshefte und Meldungen der Unternehmen. Gilt nur in der Geschäftsstelle der Kammer.",
		"Sees report books that were presented and notices of companies. Counts in the chamber's own office only.",
	},
}
