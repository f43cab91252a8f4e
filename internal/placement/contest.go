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
	by      map[*user]*entrant
	// tryable are those who compete of rows, if they waited when it began; it is asked when
	// they are next.
	tryable func(*gang) bool
	began   uint64
	// hopeless gangs are passed over once they are first of their line, and those behind one
	// in its row with it; nil for none. What it says of the gangs of a queue changes only
	// after one of them had its turn: last is that queue's line.
	hopeless func(*gang) bool
	last     *line
}

// line of a queue: its own gangs by user, and the queues below that have any.
type line struct {
	queue *queue
	users []*entrant
	below []*line
	left  int // users here and below with gangs that have yet to be tried
	// standing of the queue, as of so many changes of shares.
	standing standing
	shares   uint64
}

// entrant is a user with the gangs that wait: the first of each row, and of those who compete
// one by one, in the order of a heap.
type entrant struct {
	user  *user
	heads []head
}

// head of some gangs, in turn: of a row, where it is the one at a place, or else of a list.
type head struct {
	*gang
	row    *row
	at     int
	behind []*gang
}

// contest of the waiting gangs that are tryable.
func (p *Picture) contest(tryable func(*gang) bool) *contest {
	c := p.contestOf(p.repairs, tryable)
	c.enterRows(tryable, func(*row) bool { return true })
	return c
}

// contestOf some gangs, which are given in turn.
func (p *Picture) contestOf(gangs []*gang, tryable func(*gang) bool) *contest {
	c := &contest{p: p, lines: map[*queue]*line{}, by: map[*user]*entrant{}}
	lists := map[*user][]*gang{}
	for _, g := range gangs {
		switch {
		case !tryable(g):
		case g.turn.repair:
			c.repairs = append(c.repairs, g)
		default:
			lists[g.user] = append(lists[g.user], g)
		}
	}
	for u, list := range lists {
		c.enter(u, head{gang: list[0], behind: list[1:]})
	}
	return c
}

// enterRows of those that wait, but for some, with their gangs that are tryable.
func (c *contest) enterRows(tryable func(*gang) bool, may func(*row) bool) {
	c.tryable, c.began = tryable, c.p.enqueued
	for _, u := range c.p.users {
		for _, r := range u.rows {
			if !may(r) {
				continue
			}
			if h, is := c.ahead(head{row: r}, 0); is {
				c.enter(u, h)
			}
		}
	}
}

// enter gangs of a user.
func (c *contest) enter(u *user, h head) {
	e := c.by[u]
	if e == nil {
		e = &entrant{user: u}
		c.by[u] = e
		l := c.line(u.queue)
		l.users = append(l.users, e)
		for q := range u.queue.chain {
			c.lines[q].left++
		}
	}
	e.heads = append(e.heads, h)
	e.rise()
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

// ahead of a row from a place on is the first who may compete.
func (c *contest) ahead(h head, from int) (head, bool) {
	for i, g := range h.row.gangs[from:] {
		if g.since <= c.began && c.tryable(g) {
			return head{gang: g, row: h.row, at: from + i}, true
		}
	}
	return h, false
}

// step to who is next behind a head; false for nobody.
func (c *contest) step(h head) (head, bool) {
	if h.row != nil {
		return c.ahead(h, h.row.after(h.turn, h.at))
	}
	if len(h.behind) == 0 {
		return h, false
	}
	return head{gang: h.behind[0], behind: h.behind[1:]}, true
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
		for len(e.heads) > 0 && c.hopeless(e.heads[0].gang) {
			c.replace(e, e.heads[0].row == nil)
		}
	}
}

// replace the first gang of a user by the one behind it, if there is to be one.
func (c *contest) replace(e *entrant, wanted bool) {
	next, is := head{}, false
	if wanted {
		next, is = c.step(e.heads[0])
	}
	if !is {
		last := len(e.heads) - 1
		next, e.heads = e.heads[last], e.heads[:last]
	}
	if len(e.heads) == 0 {
		for q := range e.user.queue.chain {
			c.lines[q].left--
		}
		return
	}
	e.heads[0] = next
	e.sink()
}

// rise of the last head to its place in the heap, and sink of the first one.
func (e *entrant) rise() {
	for i := len(e.heads) - 1; i > 0; {
		above := (i - 1) / 2
		if !e.before(i, above) {
			return
		}
		e.heads[i], e.heads[above] = e.heads[above], e.heads[i]
		i = above
	}
}

func (e *entrant) sink() {
	for i := 0; ; {
		first := i
		for below := 2*i + 1; below <= 2*i+2 && below < len(e.heads); below++ {
			if e.before(below, first) {
				first = below
			}
		}
		if first == i {
			return
		}
		e.heads[i], e.heads[first] = e.heads[first], e.heads[i]
		i = first
	}
}

func (e *entrant) before(i, j int) bool { return e.heads[i].turn.compare(e.heads[j].turn) < 0 }

func (c *contest) take(l *line) *gang {
	var best *line
	var least standing
	for _, below := range l.below {
		if below.left == 0 {
			continue
		}
		if s := c.standing(below); best == nil || s.before(least) {
			best, least = below, s
		}
	}
	first := c.first(l)
	if best == nil || first != nil && !least.before(standing{share: c.share(&l.queue.own, 1)}) {
		g := first.heads[0].gang
		c.replace(first, true)
		return g
	}
	return c.take(best)
}

// standing of a line, which mostly is as it was: many have their turn and get nothing.
func (c *contest) standing(l *line) standing {
	if now := c.p.shares + 1; l.shares != now {
		l.standing, l.shares = c.p.standing(l.queue), now
	}
	return l.standing
}

// first of the users whose turn it is, or nil when none has gangs left.
func (c *contest) first(l *line) *entrant {
	var first *entrant
	for _, e := range l.users {
		if len(e.heads) > 0 && (first == nil || c.before(e, first)) {
			first = e
		}
	}
	return first
}

func (c *contest) before(a, b *entrant) bool {
	x, y := a.heads[0], b.heads[0]
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
