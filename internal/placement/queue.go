// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"unique"
)

// Queue is a project's share of the cluster. Queues form a tree: what a queue
// uses, those above it use, too.
type Queue struct {
	Name string
	// Parent is empty for a queue directly below the root. One that is not told of
	// counts as the root.
	Parent string
	// Priority among siblings for what is guaranteed to nobody, the higher first; and
	// Weight among those of one priority, where less than 1 is 1.
	Priority int32
	Weight   int64
	// Quota of resources; what it does not name is shared freely.
	Quota []Quota
}

// Quota of one resource, on nodes of one kind or on all of them.
type Quota struct {
	Resource string
	// Kind of nodes (Node.Kind), such as one with a certain type of GPU; empty means
	// all nodes.
	Kind string
	// Guaranteed is what the queue gets before others get more than theirs.
	Guaranteed int64
	// Limit on what it may use, borrowed or not.
	Limit int64
}

// Unlimited is the Limit of what may be borrowed as long as it is idle.
const Unlimited = int64(math.MaxInt64)

// queue is a Queue and what is used of it. It exists as long as somebody speaks of
// it: it is told of, or a gang or a queue below names it.
type queue struct {
	Queue
	known  bool
	parent *queue // nil for the root
	below  []*queue
	quotas []quota
	// used by the gangs of this queue and of those below it; own by its own.
	used, own usage
	// kept of its limits for those with a promise, by resource; of those on kinds of
	// nodes in keptOn.
	kept vector
	// coming is what those of it will take for whom room is being made; see eviction.
	coming vector
	keptOn map[int]*vector
	users  map[string]*user
}

// keeps of a resource for those with a promise, on nodes of a kind or on all.
func (q *queue) keeps(l quota) int64 {
	if l.kind == 0 {
		return q.kept.at(l.at)
	}
	if v := q.keptOn[l.kind]; v != nil {
		return v.at(l.at)
	}
	return 0
}

// on a kind of nodes, or on all, what is kept.
func (q *queue) on(kind int) *vector {
	if kind == 0 {
		return &q.kept
	}
	if q.keptOn == nil {
		q.keptOn = map[int]*vector{}
	}
	if q.keptOn[kind] == nil {
		q.keptOn[kind] = &vector{}
	}
	return q.keptOn[kind]
}

// quota is a Quota with its names looked up.
type quota struct {
	Quota
	at, kind int
}

// user is who submitted gangs to a queue. Those of one queue take turns.
type user struct {
	name  string
	queue *queue
	used  usage
	gangs int
	// rows of its gangs that wait; at is where it is in Picture.users, if it has any.
	rows       []*row
	byLikeness map[likeness]*row
	at         int
}

// SetQueue tells of a queue, or of what changed about it. A queue that cannot be
// is refused with the reason, and what was known of it stays.
func (p *Picture) SetQueue(told Queue) error {
	if err := p.validateQueue(told); err != nil {
		return p.refuse(told.Name, err)
	}
	delete(p.refused, told.Name)
	q := p.queue(told.Name)
	q.Queue, q.known = told, true
	q.quotas = nil
	for _, told := range told.Quota {
		q.quotas = append(q.quotas, quota{told, p.names.of(told.Resource), p.kinds.of(told.Kind)})
	}
	p.adopt(q, p.queue(told.Parent))
	p.reshape(q)
	return nil
}

// DeleteQueue tells that a queue is gone. Its gangs, and the queues below it, wait
// for it to come back.
func (p *Picture) DeleteQueue(name string) {
	p.forgive(name)
	q := p.queues[name]
	if q == nil || !q.known {
		return
	}
	q.Queue, q.quotas, q.known = Queue{Name: name}, nil, false
	p.adopt(q, p.root)
	p.reshape(q)
	for name, u := range q.users {
		if u.gangs == 0 {
			delete(q.users, name)
		}
	}
	p.dropQueue(q)
}

func (p *Picture) validateQueue(told Queue) error {
	if told.Name == "" {
		return errors.New("a queue has no name")
	}
	seen := map[Quota]bool{}
	for _, q := range told.Quota {
		what := q.Resource
		if q.Kind != "" {
			what += " of kind " + q.Kind
		}
		switch key := (Quota{Resource: q.Resource, Kind: q.Kind}); {
		case seen[key]:
			return fmt.Errorf("quota names %s twice; name it once", what)
		case q.Guaranteed < 0 || q.Limit < 0:
			return fmt.Errorf("quota of %s is negative; use zero or more", what)
		case q.Guaranteed > q.Limit:
			return fmt.Errorf("quota of %s guarantees %s and has the limit %s; raise the limit, or leave it out",
				what, format(q.Resource, q.Guaranteed), format(q.Resource, q.Limit))
		default:
			seen[key] = true
		}
	}
	return p.validateParent(told)
}

// queue by name, known or not.
func (p *Picture) queue(name string) *queue {
	if name == "" {
		return p.root
	}
	q := p.queues[name]
	if q == nil {
		q = newQueue(name)
		p.queues[name] = q
		p.adopt(q, p.root)
	}
	return q
}

func newQueue(name string) *queue {
	return &queue{Queue: Queue{Name: name}, users: map[string]*user{}}
}

// adopt moves a queue, with what it uses, below another one.
func (p *Picture) adopt(q, parent *queue) {
	old := q.parent
	if old == parent {
		return
	}
	if old != nil {
		old.below = slices.DeleteFunc(old.below, func(o *queue) bool { return o == q })
		for above := old; above != nil; above = above.parent {
			above.used.subtract(&q.used)
		}
	}
	i, _ := slices.BinarySearchFunc(parent.below, q.Name, func(o *queue, name string) int { return cmp.Compare(o.Name, name) })
	parent.below = slices.Insert(parent.below, i, q)
	q.parent = parent
	for above := parent; above != nil; above = above.parent {
		above.used.merge(&q.used)
	}
	if old != nil {
		p.dropQueue(old)
	}
}

// dropQueue of which nobody speaks any more.
func (p *Picture) dropQueue(q *queue) {
	if q.known || q == p.root || len(q.below) > 0 || len(q.users) > 0 {
		return
	}
	q.parent.below = slices.DeleteFunc(q.parent.below, func(o *queue) bool { return o == q })
	delete(p.queues, q.Name)
	p.dropQueue(q.parent)
}

// reshape: what gangs of the queue may have is another matter now.
func (p *Picture) reshape(q *queue) {
	for _, g := range p.gangs {
		if g.queue.under(q) {
			g.shape = unique.Make(g.describe())
		}
	}
	for _, g := range p.waiting {
		if g.queue.under(q) {
			g.moved, g.triedAt, g.shelter = true, 0, nil
			p.came = append(p.came, g)
			if p.regroup(g); g.row != nil {
				g.row.stuck = excess{}
			}
		}
	}
	clear(p.fitting)
	p.freed++
	p.changes++
	p.events++
}

func (q *queue) under(above *queue) bool {
	for ; q != nil; q = q.parent {
		if q == above {
			return true
		}
	}
	return false
}

// chain is the queue and those above it, the root last.
func (q *queue) chain(yield func(*queue) bool) {
	for ; q != nil; q = q.parent {
		if !yield(q) {
			return
		}
	}
}

// missing is the first queue on the way up that nobody has told of.
func (q *queue) missing() (string, bool) {
	for above := range q.chain {
		if above.parent != nil && !above.known {
			return above.Name, true
		}
	}
	return "", false
}

// enrol a gang with its queue and user.
func (p *Picture) enrol(g *gang) {
	g.queue = p.queue(g.Queue)
	g.user = p.admit(g.queue, g.User)
	g.user.gangs++
}

// user of a queue by name, known or not.
func (q *queue) user(name string) *user {
	u := q.users[name]
	if u == nil {
		u = &user{name: name, queue: q}
		q.users[name] = u
	}
	return u
}

func (p *Picture) leave(g *gang) {
	u := g.user
	if u.gangs--; u.gangs == 0 && (u.used.forgotten() || !u.queue.known && u.queue != p.root) {
		delete(u.queue.users, u.name)
		p.dropQueue(u.queue)
	}
}
