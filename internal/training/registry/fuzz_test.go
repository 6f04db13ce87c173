package registry_test

import (
	"testing"

	"zunft/internal/ground/fault"
	"zunft/internal/ground/table"
	"zunft/internal/training/registry"
)

// Whatever a company's list is, reading it ends with rows that can be used, or
// that say why not.
func FuzzReadList(f *testing.F) {
	f.Add([]byte("Name;Vorname;Beruf;Beginn;Ende;Ausbilder\nLerche;Lena;Bäckerin;46235;31.7.2029;Ute Uhl\n"))
	f.Add([]byte("Auszubildende\tAusbildungsberuf\tvon\tbis\nLerche, Lena\tKoch\t2026-08-01 00:00:00\t31.02.2029\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := table.Read(b)
		if err == nil {
			var rows []registry.Row
			rows, err = registry.ReadList(list)
			for _, r := range rows {
				if r.Good() && r.Wish.Check() != nil {
					t.Errorf("%+v is good, and is not", r)
				}
			}
		}
		if err != nil && fault.Of(err) == nil {
			t.Errorf("%v is for nobody to read", err)
		}
	})
}
