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
	Gang      string
	Requests  Resources
	HostPorts []HostPort
}

// bookedPod is what was booked for a Pod, to be taken back exactly.
type bookedPod struct {
	node     string
	gang     string
	requests []amount
	ports    []HostPort
}

func (b *bookedPod) equal(o *bookedPod) bool {
	return b.node == o.node && b.gang == o.gang && slices.Equal(b.requests, o.requests) && slices.Equal(b.ports, o.ports)
}

// Bind tells of a pod that is bound, whoever did it, or of what changed about it.
// It returns whether that is news.
func (p *Picture) Bind(told Pod) bool {
	next := bookedPod{told.Node, told.Gang, p.names.perPod(told.Requests), told.HostPorts}
	if old, ok := p.pods[told.Key]; ok {
		if old.equal(&next) {
			return false
		}
		p.Unbind(told.Key)
	}
	p.pods[told.Key] = next
	n := p.node(told.Node)
	n.book(next.gang, bound, next.requests, next.ports, 1)
	p.touch(n)
	p.changes++
	return true
}

// Unbind tells that a pod ended or is gone; one that was never told of is fine.
// It returns whether that is news.
func (p *Picture) Unbind(key string) bool {
	old, ok := p.pods[key]
	if !ok {
		return false
	}
	delete(p.pods, key)
	n := p.node(old.node)
	n.book(old.gang, bound, old.requests, old.ports, -1)
	p.relieve(n)
	p.drop(n)
	return true
}
