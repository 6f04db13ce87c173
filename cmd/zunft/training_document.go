package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/training/document"
)

// Documents of a chamber (R308–R312) for programs of the chamber that print them:
// what a clerk does on /chamber/documents.
type trainingDocumentCommand struct {
	List   documentListCommand   `cmd:"" help:"List what a chamber has sent, the newest first, and when it was opened first."`
	Send   documentSendCommand   `cmd:"" help:"Send a PDF to an apprentice and their company, or to a company."`
	Revoke documentRevokeCommand `cmd:"" help:"Take a document back; that it was read stays known."`
}

type documentListCommand struct {
	configFlags
	Chamber string `required:"" help:"Kammernummer."`
	Before  string `help:"Go on below this id."`
}

// Run prints a document a line, fifty at most.
func (c documentListCommand) Run(ctx context.Context) error {
	return c.training(ctx, false, func(tx *db.Tx) error {
		all, err := document.Sent(tx, audit.Console, c.Chamber, c.Before)
		for _, d := range all {
			to := strings.Trim(d.Name+", "+d.Company, ", ")
			fmt.Printf("%s  %s  %s  %s  %s\n", d.ID, d.CreatedAt.UTC().Format("2006-01-02 15:04Z"), d.Kind, d.Title, to)
			switch {
			case !d.WithdrawnAt.IsZero():
				fmt.Printf("    revoked %s\n", d.WithdrawnAt.UTC().Format("2006-01-02 15:04Z"))
			default:
				fmt.Printf("    apprentice: %s; company: %s\n", opened(d.Read, ""), opened(d.ReadCompany, d.ReadBy))
			}
		}
		return err
	})
}

func opened(at db.Time, by string) string {
	if at.IsZero() {
		return "not opened"
	}
	return strings.TrimSpace("opened " + at.UTC().Format("2006-01-02 15:04Z") + " " + by)
}

type documentSendCommand struct {
	configFlags
	File    string `arg:"" type:"existingfile" help:"A PDF, 10 MB at most."`
	To      string `required:"" help:"Number of the apprentice (Azubi-Identnummer) or of the company (Identnummer)."`
	Chamber string `required:"" help:"Kammernummer."`
	Kind    string `default:"letter" help:"confirmation, admission, certificate or letter."`
	Title   string `help:"What lists show; otherwise the name of the file."`
}

// Run prints the id of the document.
func (c documentSendCommand) Run(ctx context.Context) error {
	file, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, document.MaxSize+1))
	if err != nil {
		return err
	}
	if c.Title == "" {
		c.Title = strings.TrimSuffix(filepath.Base(c.File), filepath.Ext(c.File))
	}
	return c.training(ctx, true, func(tx *db.Tx) error {
		to, err := document.Find(tx, audit.Console, c.Chamber, c.To)
		if err != nil {
			return err
		}
		d, err := document.Send(tx, audit.Console, c.Chamber, to, c.Kind, c.Title, content)
		if err == nil {
			fmt.Println(d.ID)
		}
		return err
	})
}

type documentRevokeCommand struct {
	configFlags
	ID      string `arg:"" name:"id" help:"Id of the document, as list and send print it."`
	Chamber string `required:"" help:"Kammernummer."`
}

func (c documentRevokeCommand) Run(ctx context.Context) error {
	return c.training(ctx, true, func(tx *db.Tx) error { return document.Revoke(tx, audit.Console, c.Chamber, c.ID) })
}

// training runs something in the training portal's database.
func (f configFlags) training(ctx context.Context, write bool, do func(tx *db.Tx) error) error {
	d, err := f.trainingDB(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	if write {
		return sayBy(d.Write(ctx, do), trainingWord)
	}
	return sayBy(d.Read(ctx, do), trainingWord)
}
