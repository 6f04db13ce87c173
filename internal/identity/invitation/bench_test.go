package invitation_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"zunft/internal/ground/db"
	"zunft/internal/ground/dbtest"
	"zunft/internal/identity/invitation"
	"zunft/internal/identity/membership"
	"zunft/internal/identity/schema"
)

// A thousand people of one file: under a minute, mails excluded (issue C).
func BenchmarkInviteThousand(b *testing.B) {
	dbtest.EachB(b, schema.Files, func(b *testing.B, d *db.DB) {
		s, n := world(b, d), 0
		b.ResetTimer()
		for b.Loop() {
			began := time.Now()
			for range 10 {
				wishes := make([]invitation.Wish, 100)
				for i := range wishes {
					n++
					wishes[i] = invitation.Wish{Email: fmt.Sprintf("person-%d@example.org", n), GivenName: "Nina", FamilyName: "Neu", Roles: []membership.Role{s.role("apprentice")}, Roster: "r"}
				}
				s.must(func(tx *db.Tx) error {
					all, err := invitation.InviteMany(tx, s.bert, bakery, wishes)
					for _, r := range all {
						if r.Problem != nil {
							return r.Problem
						}
					}
					return err
				})
			}
			if took := time.Since(began); took > time.Minute {
				b.Errorf("a thousand took %v", took)
			}
			s.pass(24 * time.Hour) // the ration of a day
		}
	})
}

// A page of the list costs the same among a thousand and a hundred thousand,
// by state, too: it stays under 50 ms.
func BenchmarkList(b *testing.B) {
	dbtest.EachB(b, schema.Files, func(b *testing.B, d *db.DB) {
		s, have := world(b, d), 0
		for _, size := range []int{1000, 100_000} {
			s.must(func(tx *db.Tx) error {
				for ; have < size; have++ {
					state := []string{"sent", "accepted", "expired", "declined"}[have%4]
					if _, err := tx.Exec(`INSERT INTO invitation (id, organization, email, email_key, state, token_hash, invited_by, created_at, expires_at)
						VALUES ($1, 'bakery', $2, $2, $3, $1, $4, $5, $6)`, db.NewID(), fmt.Sprint("p", have, "@example.org"), state, s.bert.Account, tx.Now(), tx.Now().Add(time.Hour)); err != nil {
						return err
					}
				}
				return nil
			})
			for _, state := range []string{"", "declined"} {
				b.Run(fmt.Sprintf("%d/state=%s", size, state), func(b *testing.B) {
					for b.Loop() {
						if err := d.Read(context.Background(), func(tx *db.Tx) error {
							all, err := invitation.List(tx, s.bert, bakery, invitation.Filter{State: state}, "", 0)
							if len(all) != invitation.PageMax {
								b.Error(len(all))
							}
							return err
						}); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		}
	})
}
