// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import "slices"

// Pod that is bound to a node and has not ended.
type Pod struct {
	// Key is unique among pods, those that follow one another by the same name
	// included: the UID.
	Key  string
	Node string
	// Gang that the pod belongs to, known or not; empty for a pod of no gang.
	Gang string
	// Set of the gang and Rank within it; a pod of neither holds no rank's place.
	Set       string
	Rank      int32
	Requests  Resources
	HostPorts []HostPort
	// Namespace and Labels for the terms of others. Leaving pods are on their way out.
	Namespace string
	Labels    map[string]string
	Leaving   bool
	// Until is the moment by which one that is Leaving will have ended, in seconds.
	Until int64
	// Apart are the terms by which it keeps others away, wanted there when it was bound.
	Apart []PeerTerm
	// Claim says that it is no pod but what one was given beside its room, such as devices:
	// it takes what it requests and nothing else, and is nobody's neighbour.
	Claim bool
}

// seat is a rank of a set of some gang.
type seat struct {
	set  string
	rank int32
}

// bookedPod is what was booked for a Pod, to be taken back exactly.
type bookedPod struct {
	node     string
	gang     string
	seat     seat
	requests []amount
	signs
	kin kin
	// until is Pod.Until.
	until int64
}

func (b *bookedPod) equal(o *bookedPod) bool {
	return b.node == o.node && b.gang == o.gang && b.seat == o.seat && slices.Equal(b.requests, o.requests) && b.signs.equal(o.signs)
}

// Bind tells of a pod that is bound, whoever did it, or of what changed about it.
// It returns whether that is news.
func (p *Picture) Bind(told Pod) bool {
	k := kin{told.Namespace, told.Labels, told.Leaving, told.Claim, p.carry(told.Apart)}
	next := &bookedPod{told.Node, told.Gang, seat{told.Set, told.Rank}, p.names.perPod(told.Requests), p.marks.signs(told.HostPorts, &k), k, 0}
	if told.Claim {
		next.requests = p.names.amounts(told.Requests)
	}
	if old, ok := p.pods[told.Key]; ok {
		if old.equal(next) {
			p.uncarry(old.kin.apart)
			old.kin = k // nobody looks for what changed
			return p.setUntil(old, told.Until)
		}
		p.Unbind(told.Key)
	}
	p.pods[told.Key] = next
	p.setUntil(next, told.Until)
	n := p.node(told.Node)
	n.bind(next, 1)
	p.doubt(n)
	p.touch(n)
	p.changes++
	if p.marks.draw(next.marks) {
		p.relieve(n)
	}
	p.retieIfNeeded()
	return true
}

// bind a pod to the node, or with -1 takes it off.
func (n *node) bind(b *bookedPod, count int) {
	n.book(b.gang, bound, b.requests, b.signs, int64(count))
	a := n.accounts[b.gang]
	if a == nil || b.gang == "" {
		return
	}
	there := slices.DeleteFunc(a.seated[b.seat], func(o *bookedPod) bool { return o == b })
	if count > 0 {
		there = append(there, b)
	}
	a.seat(b.seat, there)
}

// seat the pods of a rank.
func (a *account) seat(at seat, there []*bookedPod) {
	if a.seated == nil {
		a.seated = map[seat][]*bookedPod{}
	}
	if a.seated[at] = there; len(there) == 0 {
		delete(a.seated, at)
	}
}

// Unbind tells that a pod ended or is gone; one that was never told of is fine.
// It returns whether that is news.
func (p *Picture) Unbind(key string) bool {
	old, ok := p.pods[key]
	if !ok {
		return false
	}
	delete(p.pods, key)
	p.dropOutgoing(old)
	n := p.node(old.node)
	n.bind(old, -1)
	p.uncarry(old.kin.apart)
	p.retieIfNeeded()
	p.doubt(n)
	p.relieve(n)
	p.drop(n)
	return true
}
