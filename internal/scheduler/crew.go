// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"cmp"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"slipway.dev/slipway/internal/placement"
)

// crew are the pods of one gang that this scheduler binds, each to a place of its own.
// A place is a rank of a pod set, and belongs to a node. A pod that says which rank it
// has gets that one's place if it is free, as any other does otherwise: the pods of a
// set are alike.
type crew struct {
	// places of the gang; nil while it is not placed.
	places []placement.SetPlacement
	pods   map[types.UID]*member
	// taken places.
	taken map[seat]types.UID
	// free is, for each set, a rank below which every place is taken.
	free map[string]int32
}

// seat is a rank of a pod set.
type seat struct {
	set  string
	rank int32
}

// member is a pod of a crew.
type member struct {
	name types.NamespacedName
	uid  types.UID
	// pod as it was last seen.
	pod *corev1.Pod
	// set that it belongs to, and the rank that it says it has; negative for none.
	set  string
	rank int32
	// node that it is bound to; empty for none.
	node string
	// unsure says that nobody knows whether it is.
	unsure bool
	// ending says that it is being deleted, and bereft that the Gang that it was made for is gone.
	ending, bereft bool
	// owner is the UID of its controller, and asks what it requests.
	owner types.UID
	asks  corev1.ResourceList
	// problem that keeps it from a place, if it has none yet.
	problem string
	// claims that it mounts.
	claims []types.NamespacedName
	// noticed is the kind of reason to wait of which there was an event last.
	noticed string
	// told is what placement was told of it, with a node if it was told at all.
	told placement.Pod
	// seat that it has, if seated.
	seat   seat
	seated bool
}

func newCrew() *crew {
	return &crew{pods: map[types.UID]*member{}, taken: map[seat]types.UID{}, free: map[string]int32{}}
}

// set a pod that came, or was bound. It returns whether another seat than before is
// its.
func (c *crew) set(m *member) bool {
	old := c.pods[m.uid]
	if old != nil && old.node == m.node && old.problem == m.problem {
		old.ending, old.pod = m.ending, m.pod
		return false
	}
	if old != nil {
		m.seat, m.seated = old.seat, old.seated
	}
	c.pods[m.uid] = m
	if m.seated && (m.node == "" || m.node == c.nodeOf(m.seat)) {
		return false
	}
	before, was := m.seat, m.seated
	c.rise(m)
	c.sit(m)
	return m.seated != was || m.seat != before
}

// drop a pod that has ended or is gone, and say whether it had a seat.
func (c *crew) drop(uid types.UID) bool {
	m := c.pods[uid]
	if m == nil {
		return false
	}
	delete(c.pods, uid)
	seated := m.seated
	c.rise(m)
	return seated
}

// move the gang to other places.
func (c *crew) move(places []placement.SetPlacement) {
	c.places = places
	clear(c.taken)
	clear(c.free)
	for _, m := range c.inOrder() {
		m.seated = false
		c.sit(m)
	}
}

func (c *crew) inOrder() []*member {
	return slices.SortedFunc(maps.Values(c.pods), (*member).compare)
}

// compare members by who sits down first: those that are bound, and then those that say which rank
// they have.
func (m *member) compare(o *member) int {
	return cmp.Or(order(o.node != "", m.node != ""), order(o.rank >= 0, m.rank >= 0),
		cmp.Compare(m.rank, o.rank), cmp.Compare(m.name.Name, o.name.Name))
}

func order(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// fill the places that are free.
func (c *crew) fill() {
	var standing []*member
	for _, m := range c.pods {
		if !m.seated {
			standing = append(standing, m)
		}
	}
	slices.SortFunc(standing, (*member).compare)
	for _, m := range standing {
		c.sit(m)
	}
}

// rise from a seat.
func (c *crew) rise(m *member) {
	if m.seated {
		delete(c.taken, m.seat)
		c.free[m.seat.set] = min(c.free[m.seat.set], m.seat.rank)
		m.seated = false
	}
}

// sit down on the pod's own rank, or else on the first that is free; one that is bound
// sits where it is.
func (c *crew) sit(m *member) {
	if m.problem != "" && m.node == "" {
		return
	}
	own := seat{m.set, m.rank}
	if node := c.nodeOf(own); m.rank >= 0 && node != "" && c.isFree(own) && (m.node == "" || m.node == node) {
		c.take(own, m)
		return
	}
	rank, first := int32(0), c.free[m.set]
	for _, slot := range c.slots(m.set) {
		end := rank + slot.Count
		if slot.Node != "" && (m.node == "" || m.node == slot.Node) {
			for r := max(rank, first); r < end; r++ {
				if s := (seat{m.set, r}); c.isFree(s) {
					c.take(s, m)
					return
				}
			}
		}
		rank = end
	}
}

// keep the places of a set that has become smaller: first those with a pod, of these
// first those whose pod stays. It returns nil where nothing is to be chosen.
func (c *crew) keep(set string, count int32) []placement.Slot {
	var nodes []string
	pods := slices.DeleteFunc(c.inOrder(), func(m *member) bool { return !m.seated || m.set != set })
	slices.SortStableFunc(pods, func(a, b *member) int { return order(a.ending, b.ending) })
	for _, m := range pods {
		nodes = append(nodes, c.nodeOf(m.seat))
	}
	rank := int32(0)
	for _, slot := range c.slots(set) {
		for range slot.Count {
			if c.isFree(seat{set, rank}) {
				nodes = append(nodes, slot.Node)
			}
			rank++
		}
	}
	if rank <= count {
		return nil
	}
	nodes = nodes[:count]
	slices.Sort(nodes)
	kept := []placement.Slot{}
	for _, node := range nodes {
		if last := len(kept) - 1; last >= 0 && kept[last].Node == node {
			kept[last].Count++
		} else {
			kept = append(kept, placement.Slot{Node: node, Count: 1})
		}
	}
	return kept
}

func (c *crew) isFree(s seat) bool { _, taken := c.taken[s]; return !taken }

func (c *crew) take(s seat, m *member) {
	c.taken[s] = m.uid
	m.seat, m.seated = s, true
	for ; !c.isFree(seat{s.set, c.free[s.set]}); c.free[s.set]++ {
	}
}

func (c *crew) slots(set string) []placement.Slot {
	for _, p := range c.places {
		if p.Set == set {
			return p.Slots
		}
	}
	return nil
}

// nodeOf a place; empty when the gang has no such place.
func (c *crew) nodeOf(s seat) string {
	rank := s.rank
	if rank < 0 {
		return ""
	}
	for _, slot := range c.slots(s.set) {
		if rank < slot.Count {
			return slot.Node
		}
		rank -= slot.Count
	}
	return ""
}
