// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"slices"
	"unique"
)

// Gangs that wait stand in rows: those of a user that are alike, so that what holds one of
// them back holds back all, in turn. A pass looks at rows, of which there are few, and of a
// row only at the gangs that may start; thousands behind them cost nothing.

// likeness is what the gangs of a row have in common.
type likeness struct {
	shape    unique.Handle[string]
	priority int32
	limit    int64
	// placed is something of them already; what holds back one then says nothing of the next.
	placed bool
}

func (g *gang) likeness() likeness {
	return likeness{g.shape, g.Priority, g.Limit, !g.unplaced()}
}

// row of gangs of one user.
type row struct {
	likeness
	user  *user
	gangs []*gang
	at    int // in user.rows
	// stuck is the limit that was last found to keep one of them from starting.
	stuck excess
}

// line up a gang with those like it; repairs have a row of their own, as they go first.
func (p *Picture) lineUp(g *gang) {
	if g.turn.repair {
		i, _ := slices.BinarySearchFunc(p.repairs, g.turn, byTurn)
		p.repairs = slices.Insert(p.repairs, i, g)
		return
	}
	g.row = p.row(g.user, g.likeness())
	i, _ := slices.BinarySearchFunc(g.row.gangs, g.turn, byTurn)
	g.row.gangs = slices.Insert(g.row.gangs, i, g)
}

// stepOut of the row.
func (p *Picture) stepOut(g *gang) {
	r := g.row
	if r == nil {
		i, _ := slices.BinarySearchFunc(p.repairs, g.turn, byTurn)
		p.repairs = slices.Delete(p.repairs, i, i+1)
		return
	}
	g.row = nil
	i, _ := slices.BinarySearchFunc(r.gangs, g.turn, byTurn)
	if i > 0 {
		r.gangs = slices.Delete(r.gangs, i, i+1)
	} else { // mostly the first one goes, and then the others need not move
		r.gangs[0] = nil
		r.gangs = r.gangs[1:]
	}
	if len(r.gangs) == 0 {
		p.disband(r)
	}
}

// regroup a gang that waits and may be like others now.
func (p *Picture) regroup(g *gang) {
	if g.queued && g.row != nil && g.row.likeness != g.likeness() {
		p.stepOut(g)
		p.lineUp(g)
	}
}

// row of a user for gangs that are alike.
func (p *Picture) row(u *user, l likeness) *row {
	if r := u.byLikeness[l]; r != nil {
		return r
	}
	if u.byLikeness == nil {
		u.byLikeness = map[likeness]*row{}
	}
	if len(u.rows) == 0 {
		u.at = len(p.users)
		p.users = append(p.users, u)
	}
	r := &row{likeness: l, user: u, at: len(u.rows)}
	u.rows = append(u.rows, r)
	u.byLikeness[l] = r
	return r
}

// disband a row in which nobody waits.
func (p *Picture) disband(r *row) {
	u := r.user
	delete(u.byLikeness, r.likeness)
	last := len(u.rows) - 1
	u.rows[r.at] = u.rows[last]
	u.rows[r.at].at = r.at
	u.rows[last] = nil
	if u.rows = u.rows[:last]; last > 0 {
		return
	}
	last = len(p.users) - 1
	p.users[u.at] = p.users[last]
	p.users[u.at].at = u.at
	p.users[last] = nil
	p.users = p.users[:last]
}

// isStuck says that no gang of the row may start, whatever became of others.
func (r *row) isStuck() bool {
	e := &r.stuck
	return e.queue != nil && e.queue.used.of(e.quota.kind, e.quota.at)+e.asks > e.quota.Limit
}

func byTurn(g *gang, t turn) int { return g.turn.compare(t) }

// after who had its turn last, whether it still waits or not, where those of the row are who
// come next; at is where it was.
func (r *row) after(last turn, at int) int {
	if at < len(r.gangs) && r.gangs[at].turn == last {
		return at + 1
	}
	i, found := slices.BinarySearchFunc(r.gangs, last, byTurn)
	if found {
		i++
	}
	return i
}
