// Package chamber knows the chambers of this installation and what each of
// them knows of its companies.
//
// The member directory (Unternehmensverzeichnis) belongs to the chamber: it is
// imported, compared with, and never edited here. A company that left the file
// is reported and stays until the chamber says otherwise. Nothing of the
// directory is shown to applicants: they learn only whether their data meet
// exactly one entry (W06, protection against listing), while the clerk sees
// near misses too (R091).
//
// Chambers are data with a term of validity and a successor, never constants.
// The public list of chambers and postcodes only fills in a form (R081); what
// a chamber of this installation says of itself goes first.
//
// This package asks for no permission: directory and chambers are changed by
// the commands of the operator and the clerk's desk, which check who acts.
package chamber

import "embed"

// Phrases are what people read of this package's faults.
//
//go:embed phrases/*.json
var Phrases embed.FS
