package request

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/identity/fold"
	"zunft/internal/identity/membership"
)

// Whatever people do, in whatever order: every step succeeds exactly when the
// model says so, a request has one final state, a company keeps an admin, and
// who belongs to it in which roles is what the record says. L06, L08, R131, R143.
func TestModel(t *testing.T) {
	each(t, func(s *stand) {
		now := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
		s.Now = func() time.Time { return now }
		worlds := 0
		rapid.Check(s.T, func(rt *rapid.T) {
			worlds++
			m := &model{stand: s, rt: rt, now: &now, org: fmt.Sprintf("org%d", worlds), admin: map[int]bool{}, roles: map[int]map[string]bool{}, asked: map[int]*wish{}}
			m.open(worlds)
			rt.Repeat(map[string]func(*rapid.T){
				"": m.check, "ask": m.ask, "withdraw": m.withdraw, "claim": m.claim, "release": m.release, "approve": m.approve, "deny": m.deny,
				"hand over": m.handOver, "time": m.time, "leave": m.leave, "remove": m.remove, "office": m.office, "role": m.role2,
			})
		})
	})
}

// model is what should be so. People 0 and 1 are the first admins.
type model struct {
	*stand
	rt    *rapid.T
	now   *time.Time
	org   string
	who   [5]audit.Actor
	admin map[int]bool
	roles map[int]map[string]bool // of members
	asked map[int]*wish           // the last join request of each
}

type wish struct {
	id, state string
	by        int // who has claimed it
	until     time.Time
	submitted time.Time
}

func (w *wish) undecided() bool { return w != nil && (w.state == Open || w.state == Claimed) }

// free: can be taken on by one of the admins.
func (w *wish) free(now time.Time) bool {
	return w.state == Open || w.state == Claimed && !w.until.After(now)
}

func (m *model) open(n int) {
	m.must(func(tx *db.Tx) (err error) {
		for i := range m.who {
			if m.who[i], err = person(tx, letters(n)+letters(i)); err != nil {
				return err
			}
		}
		name := "Betrieb " + m.org
		if _, err = tx.Exec(`INSERT INTO organization (id, chamber, ident_number, name, legal_form, street, house_number, postcode, place, register_kind, register_number, register_court,
			management, company_key, name_key, state, registered_by, created_at) VALUES ($1, 'c', $1, $2, '', 'Weg', '1', '99999', 'Ort', '', '', '', '', $3, $2, 'active', $4, $5)`,
			m.org, name, fold.CompanyKey(name, "Weg", "1", "99999"), m.who[0].Account, tx.Now()); err != nil {
			return err
		}
		for i := range 2 {
			m.admin[i], m.roles[i] = true, map[string]bool{}
			if err = membership.Grant(tx, audit.Console, m.org, m.who[i].Account, true); err != nil {
				return err
			}
		}
		return nil
	})
}

// letters is a number as a name.
func letters(n int) string {
	return strings.Map(func(r rune) rune { return r - '0' + 'a' }, fmt.Sprintf("%04d", n))
}

func (m *model) one(label string) int { return rapid.IntRange(0, len(m.who)-1).Draw(m.rt, label) }

// does runs a step and compares whether it succeeded.
func (m *model) does(what string, should bool, f func(tx *db.Tx) error) bool {
	err := m.Write(m.Context(), f)
	if err != nil && fault.Of(err) == nil {
		m.rt.Fatalf("%s: %v", what, err)
	}
	if (err == nil) != should {
		m.rt.Fatalf("%s: should succeed: %v, but: %v", what, should, err)
	}
	return err == nil
}

func (m *model) ask(rt *rapid.T) {
	m.rt = rt
	i := m.one("who")
	m.must(func(tx *db.Tx) error { _, err := tx.Exec(`DELETE FROM limit_bucket`); return err })
	id := ""
	if m.does("ask", m.roles[i] == nil && !m.asked[i].undecided(), func(tx *db.Tx) error {
		r, err := Submit(tx, m.who[i], m.org, "bitte", nil)
		id = r.ID
		return err
	}) {
		m.asked[i] = &wish{id: id, state: Open, submitted: *m.now}
	}
}

// some draws an admin or not, and a request that was made.
func (m *model) some(rt *rapid.T) (by, i int, w *wish) {
	m.rt = rt
	var made []int
	for i := range m.who {
		if m.asked[i] != nil {
			made = append(made, i)
		}
	}
	if len(made) == 0 {
		rt.Skip("nobody asked")
	}
	i = rapid.SampledFrom(made).Draw(rt, "request")
	return m.one("by"), i, m.asked[i]
}

func (m *model) withdraw(rt *rapid.T) {
	by, i, w := m.some(rt)
	if m.does("withdraw", by == i && w.undecided(), func(tx *db.Tx) error { return Withdraw(tx, m.who[by], w.id) }) {
		w.state = Withdrawn
	}
}

func (m *model) claim(rt *rapid.T) {
	by, _, w := m.some(rt)
	if m.does("claim", m.admin[by] && w.undecided() && w.free(*m.now), func(tx *db.Tx) error { return Claim(tx, m.who[by], w.id) }) {
		w.state, w.by, w.until = Claimed, by, m.now.Add(Lease)
	}
}

func (m *model) release(rt *rapid.T) {
	by, _, w := m.some(rt)
	if m.does("release", m.admin[by] && w.state == Claimed && w.by == by, func(tx *db.Tx) error { return Release(tx, m.who[by], w.id) }) {
		w.state = Open
	}
}

// decides: who may answer, having taken it on or doing so now.
func (m *model) decides(by int, w *wish) bool {
	return m.admin[by] && w.undecided() && (w.free(*m.now) || w.by == by)
}

func (m *model) approve(rt *rapid.T) {
	by, i, w := m.some(rt)
	var roles []membership.Role
	for _, key := range rapid.SliceOfDistinct(rapid.SampledFrom([]string{"trainer", "apprentice"}), rapid.ID[string]).Draw(rt, "roles") {
		roles = append(roles, m.role(key))
	}
	if m.does("approve", m.decides(by, w), func(tx *db.Tx) error { return Approve(tx, m.who[by], w.id, roles) }) {
		w.state = Approved
		m.roles[i] = map[string]bool{}
		for _, r := range roles {
			m.roles[i][r.Key] = true
		}
	}
}

func (m *model) deny(rt *rapid.T) {
	by, _, w := m.some(rt)
	if m.does("deny", m.decides(by, w), func(tx *db.Tx) error { return Deny(tx, m.who[by], w.id, "nein") }) {
		w.state = Denied
	}
}

func (m *model) handOver(rt *rapid.T) {
	by, i, w := m.some(rt)
	to := m.one("to")
	if m.does("hand over", m.admin[by] && m.admin[to] && to != by && to != i && w.state == Claimed && w.by == by,
		func(tx *db.Tx) error { return HandOver(tx, m.who[by], w.id, m.who[to].Account) }) {
		w.by, w.until = to, m.now.Add(Lease)
	}
}

// time passes, and the jobs come by: leases end, and what nobody answers ends.
func (m *model) time(rt *rapid.T) {
	*m.now = m.now.Add(time.Duration(rapid.SampledFrom([]int{1, 12, 24, 24 * 30, 24 * 91}).Draw(rt, "hours")) * time.Hour)
	m.must(ExpireLeases)
	for range 5 {
		m.must(func(tx *db.Tx) error { _, err := Wait(tx, 1000); return err })
	}
	for _, w := range m.asked {
		if w.state == Claimed && !w.until.After(*m.now) {
			w.state = Open
		}
		if w.undecided() && !w.submitted.Add(90*day).After(*m.now) {
			w.state = Expired
		}
	}
}

func (m *model) admins() (n int) {
	for _, yes := range m.admin {
		if yes {
			n++
		}
	}
	return n
}

// steppedDown: what somebody had taken on is open again.
func (m *model) steppedDown(i int) {
	m.admin[i] = false
	for _, w := range m.asked {
		if w.state == Claimed && w.by == i {
			w.state = Open
		}
	}
}

func (m *model) gone(i int) {
	m.steppedDown(i)
	delete(m.roles, i)
}

func (m *model) leave(rt *rapid.T) {
	m.rt = rt
	i := m.one("who")
	if m.does("leave", m.roles[i] != nil && (!m.admin[i] || m.admins() > 1), func(tx *db.Tx) error { return membership.Leave(tx, m.who[i], m.org) }) {
		m.gone(i)
	}
}

// member finds a membership, or skips the step.
func (m *model) member(rt *rapid.T) (by, i int, id string) {
	m.rt = rt
	i = m.one("member")
	if m.roles[i] == nil {
		rt.Skip("no member")
	}
	found, is := m.in(m.who[i], m.org)
	if !is {
		rt.Fatalf("%d is no member", i)
	}
	return m.one("by"), i, found.ID
}

func (m *model) remove(rt *rapid.T) {
	by, i, id := m.member(rt)
	if m.does("remove", m.admin[by] && (!m.admin[i] || m.admins() > 1), func(tx *db.Tx) error { return membership.Remove(tx, m.who[by], id) }) {
		m.gone(i)
	}
}

func (m *model) office(rt *rapid.T) {
	by, i, id := m.member(rt)
	yes := rapid.Bool().Draw(rt, "yes")
	if m.does("office", m.admin[by] && (yes || !m.admin[i] || m.admins() > 1), func(tx *db.Tx) error { return membership.SetAdmin(tx, m.who[by], id, yes) }) {
		if yes {
			m.admin[i] = true
		} else if m.admin[i] {
			m.steppedDown(i)
		}
	}
}

func (m *model) role2(rt *rapid.T) {
	by, i, id := m.member(rt)
	key, yes := rapid.SampledFrom([]string{"trainer", "apprentice"}).Draw(rt, "key"), rapid.Bool().Draw(rt, "yes")
	if m.does("role", m.admin[by], func(tx *db.Tx) error { return membership.SetRole(tx, m.who[by], id, m.app, key, yes) }) {
		m.roles[i][key] = yes
	}
}

// check compares model, tables and record after every step.
func (m *model) check(rt *rapid.T) {
	want := ""
	for i := range m.who {
		if w := m.asked[i]; w != nil {
			if got := m.state(w.id); got != w.state {
				rt.Fatalf("request of %d is %s, not %s", i, got, w.state)
			}
		}
		if m.roles[i] != nil {
			want += m.line(m.who[i].Account, m.admin[i], m.roles[i])
		}
	}
	if m.admins() == 0 {
		rt.Fatal("no admin in the model")
	}
	var tables, record string
	m.must(func(tx *db.Tx) error {
		for i := range m.who {
			found, err := membership.In(tx, m.org, m.who[i].Account)
			if fault.Is(err, fault.KindNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			held := map[string]bool{}
			for _, r := range found.Roles {
				held[r.Key] = true
			}
			tables += m.line(found.Account, found.Admin, held)
		}
		var err error
		record, err = m.replay(tx)
		return err
	})
	if tables != want || record != want {
		rt.Fatalf("model:\n%stables:\n%srecord:\n%s", want, tables, record)
	}
}

func (m *model) line(account string, admin bool, roles map[string]bool) string {
	var keys []string
	for key, yes := range roles {
		if yes {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return fmt.Sprintf("%s admin %v: %s\n", account, admin, strings.Join(keys, " "))
}

// replay makes of the record who belongs to the company, in which roles.
func (m *model) replay(tx *db.Tx) (string, error) {
	type person struct {
		admin bool
		roles map[string]bool
	}
	people := map[string]*person{}
	err := tx.Each(`SELECT event, account, detail FROM audit WHERE organization = $1 AND (event LIKE 'membership.%' OR event LIKE 'role.%') ORDER BY id`, []any{m.org}, func(scan func(...any) error) error {
		var event, account, detail string
		if err := scan(&event, &account, &detail); err != nil {
			return err
		}
		var d struct{ Role string }
		if detail != "" {
			_ = json.Unmarshal([]byte(detail), &d)
		}
		p := people[account]
		switch event {
		case "membership.granted":
			people[account] = &person{roles: map[string]bool{}}
		case "membership.left", "membership.removed", "membership.expired":
			delete(people, account)
		case "membership.admin_granted", "membership.admin_withdrawn":
			p.admin = event == "membership.admin_granted"
		case "role.granted", "role.expired":
			p.roles[d.Role] = event == "role.granted"
		case "role.withdrawn":
			if d.Role != "" { // else a role request was withdrawn
				p.roles[d.Role] = false
			}
		}
		return nil
	})
	text := ""
	for _, who := range m.who {
		if p := people[who.Account]; p != nil {
			text += m.line(who.Account, p.admin, p.roles)
		}
	}
	return text, err
}
