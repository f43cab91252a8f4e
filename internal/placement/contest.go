// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import "cmp"

// contest says which gang is tried next. Gangs that lost a place go first, since
// all that they hold is idle. Then queues take turns, at each level of the tree: those
// with less than they are guaranteed, then those of the highest priority, and of these
// the one with the least share for its weight. The gangs of a queue itself compete with
// the queues below it. Within a queue priority decides, then the share of the user, then
// age.
//
// What was placed since counts at once: the contest is not a list.
type contest struct {
	p       *Picture
	repairs []*gang
	lines   map[*queue]*line
	// hopeless gangs are passed over once they are first of their line; nil for none.
	// What it says of the gangs of a queue changes only after one of them had its turn:
	// last is that queue's line.
	hopeless func(*gang) bool
	last     *line
}

// line of a queue: its own gangs by user, and the queues below that have any.
type line struct {
	queue *queue
	users []*entrant
	below []*line
	left  int // gangs here and below
}

// entrant is a user with the gangs that wait, in turn.
type entrant struct {
	user  *user
	gangs []*gang
}

// contest of the waiting gangs that are tryable.
func (p *Picture) contest(tryable func(*gang) bool) *contest { return p.contestOf(p.waiting, tryable) }

// contestOf some of them, which are given in turn.
func (p *Picture) contestOf(gangs []*gang, tryable func(*gang) bool) *contest {
	c := &contest{p: p, lines: map[*queue]*line{}}
	entrants := map[*user]*entrant{}
	var e *entrant
	for _, g := range gangs {
		switch {
		case !tryable(g):
		case g.turn.repair:
			c.repairs = append(c.repairs, g)
		default:
			if e == nil || e.user != g.user {
				e = entrants[g.user]
			}
			if e == nil {
				e = &entrant{user: g.user}
				entrants[g.user] = e
				l := c.line(g.queue)
				l.users = append(l.users, e)
			}
			e.gangs = append(e.gangs, g)
		}
	}
	for _, e := range entrants {
		for q := range e.user.queue.chain {
			c.lines[q].left += len(e.gangs)
		}
	}
	return c
}

// line of a queue, with those above it.
func (c *contest) line(q *queue) *line {
	l := c.lines[q]
	if l == nil {
		l = &line{queue: q}
		c.lines[q] = l
		if q.parent != nil {
			above := c.line(q.parent)
			above.below = append(above.below, l)
		}
	}
	return l
}

// next gang, or nil when all had their turn.
func (c *contest) next() *gang {
	if len(c.repairs) > 0 {
		g := c.repairs[0]
		c.repairs = c.repairs[1:]
		return g
	}
	c.passOver()
	l := c.lines[c.p.root]
	if l == nil || l.left == 0 {
		return nil
	}
	g := c.take(l)
	c.last = c.lines[g.queue]
	return g
}

// passOver those at the head of the last line who have no hope any more, so that
// whoever is the first of a line has some.
func (c *contest) passOver() {
	if c.last == nil || c.hopeless == nil {
		return
	}
	for _, e := range c.last.users {
		gone := 0
		for gone < len(e.gangs) && c.hopeless(e.gangs[gone]) {
			gone++
		}
		e.gangs = e.gangs[gone:]
		for q := range c.last.queue.chain {
			c.lines[q].left -= gone
		}
	}
}

func (c *contest) take(l *line) *gang {
	l.left--
	var best *line
	var least standing
	for _, below := range l.below {
		if below.left == 0 {
			continue
		}
		if s := c.p.standing(below.queue); best == nil || s.before(least) {
			best, least = below, s
		}
	}
	first := c.first(l)
	if best == nil || first != nil && !least.before(standing{share: c.share(&l.queue.own, 1)}) {
		g := first.gangs[0]
		first.gangs = first.gangs[1:]
		return g
	}
	return c.take(best)
}

// first of the users whose turn it is, or nil when none has gangs left.
func (c *contest) first(l *line) *entrant {
	var first *entrant
	for _, e := range l.users {
		if len(e.gangs) > 0 && (first == nil || c.before(e, first)) {
			first = e
		}
	}
	return first
}

func (c *contest) before(a, b *entrant) bool {
	x, y := a.gangs[0], b.gangs[0]
	return cmp.Or(
		cmp.Compare(y.Priority, x.Priority),
		cmp.Compare(c.share(&a.user.used, 1), c.share(&b.user.used, 1)),
		x.turn.compare(y.turn)) < 0
}

func (c *contest) share(u *usage, weight int64) float64 {
	u.settle(c.p.now, c.p.HalfLife)
	return u.share(c.p.total, nil, weight)
}

// standing of a queue among its siblings.
type standing struct {
	// owed queues have less than they are guaranteed; share is then of that.
	owed     bool
	priority int32
	share    float64
	name     string
}

func (s standing) before(o standing) bool {
	if s.owed != o.owed {
		return s.owed
	}
	return cmp.Or(cmp.Compare(o.priority, s.priority), cmp.Compare(s.share, o.share), cmp.Compare(s.name, o.name)) < 0
}

func (p *Picture) standing(q *queue) standing {
	filled, owed := 0.0, false
	for _, quota := range q.quotas {
		if quota.Guaranteed > 0 {
			filled = max(filled, float64(current(q, quota))/float64(quota.Guaranteed))
			owed = true
		}
	}
	if owed && filled < 1 {
		return standing{true, 0, filled, q.Name}
	}
	q.used.settle(p.now, p.HalfLife)
	return standing{false, q.Priority, q.used.share(p.total, q.kept, q.Weight), q.Name}
}
