package membership

import (
	"fmt"
	"testing"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
)

// Keyset paging shows everybody once, also where moments and names are equal
// (R133, R142); strangers and members see nothing.
func TestPaging(t *testing.T) {
	each(t, func(s *stand) {
		const n = 25
		s.must(func(tx *db.Tx) error { // one moment for all
			for i := range n {
				who, err := person(tx, fmt.Sprintf("Namen%c", 'a'+i))
				if err != nil {
					return err
				}
				if err := Grant(tx, audit.Console, s.bakery, who.Account, false); err != nil {
					return err
				}
				if i%5 == 0 { // doubles of a name
					if _, err := tx.Exec(`UPDATE membership SET name_key = 'same' WHERE account = $1`, who.Account); err != nil {
						return err
					}
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
		for name, want := range map[string]int{"": n + 2, "namen": n, "NAMENA beispiel": 1, "nobody": 0} {
			seen := walk(func(tx *db.Tx, after string) (ids []string, err error) {
				found, err := List(tx, s.bert, s.bakery, Filter{Search: name}, after, 4)
				for _, m := range found {
					ids = append(ids, m.ID)
				}
				return ids, err
			})
			once(t, "members "+name, seen, want)
		}
		err := s.Read(t.Context(), func(tx *db.Tx) error {
			_, err := List(tx, s.carl, s.bakery, Filter{}, "", 4)
			if !fault.Is(err, fault.KindNotFound) {
				t.Errorf("Carl lists the bakery: %v", err)
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
