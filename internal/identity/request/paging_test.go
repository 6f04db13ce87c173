package request

import (
	"fmt"
	"testing"

	"zunft/internal/ground/db"
)

// Keyset paging shows everybody once, also where moments and names are equal
// (R133); strangers and members see nothing.
func TestPaging(t *testing.T) {
	each(t, func(s *stand) {
		const n = 25
		s.must(func(tx *db.Tx) error { // one moment for all
			for i := range n {
				who, err := person(tx, fmt.Sprintf("Namen%c", 'a'+i))
				if err != nil {
					return err
				}
				if _, err := Submit(tx, who, s.butcher, "x", nil); err != nil {
					return err
				}
			}
			return nil
		})
		walk := func(next func(tx *db.Tx, after string) ([]string, error)) map[string]int {
			seen, after := map[string]int{}, ""
			for range n {
				var page []string
				if err := s.Read(t.Context(), func(tx *db.Tx) (err error) { page, err = next(tx, after); return err }); err != nil {
					t.Fatal(err)
				}
				if len(page) == 0 {
					break
				}
				for _, id := range page {
					seen[id]++
				}
				after = page[len(page)-1]
			}
			return seen
		}
		for _, org := range []string{"", s.butcher} {
			seen := walk(func(tx *db.Tx, after string) (ids []string, err error) {
				found, err := Inbox(tx, s.carl, org, OpenJoins, after, 4)
				for _, e := range found {
					ids = append(ids, e.ID)
				}
				return ids, err
			})
			once(t, "requests "+org, seen, n)
		}
		err := s.Read(t.Context(), func(tx *db.Tx) error {
			counts, err := CountInbox(tx, s.carl, "")
			if counts.OpenJoins != n || counts.Waiting() != n || counts.Oldest.IsZero() {
				t.Errorf("counts %+v", counts)
			}
			if err != nil {
				return err
			}
			for _, org := range []string{"", s.butcher} { // another company's admin
				if found, err := Inbox(tx, s.bert, org, OpenJoins, "", 4); len(found) != 0 || err != nil {
					t.Errorf("Bert reads %d requests to the butcher's, %v", len(found), err)
				}
			}
			if counts, err := CountInbox(tx, s.bert, s.butcher); counts.Waiting() != 0 || err != nil {
				t.Errorf("Bert counts %+v, %v", counts, err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func once(t *testing.T, what string, seen map[string]int, want int) {
	t.Helper()
	if len(seen) != want {
		t.Errorf("%s: %d of %d", what, len(seen), want)
	}
	for id, times := range seen {
		if times != 1 {
			t.Errorf("%s: %s shown %d times", what, id, times)
		}
	}
}
