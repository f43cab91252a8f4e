// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"fmt"
	"maps"
	"slices"
)

// kin is what neighbours see of a pod.
type kin struct {
	namespace string
	labels    map[string]string
	// leaving pods are on their way out.
	leaving bool
	// claim is what is no pod, and nobody's neighbour.
	claim bool
	// apart are the marks of the terms by which the pod keeps others away.
	apart []*mark
}

// mark is something that pods on a node are counted by because it matters to others:
// that they are peers, or that they keep some away. Pods bear it as they hold a host
// port, so that what counts for ports counts for it.
type mark struct {
	// id is the greater the younger the mark is; those of terms are below zero.
	id    int32
	key   string
	users int
	// peers are pods that are all of these; nil for a mark of those that carry a term.
	peers []Peers
	// present leaves pods out that are on their way out.
	present bool
	// term that is carried, by so many pods and pod sets.
	term     *PeerTerm
	carriers int
	// draws counts the rules that more pods with the mark help to meet.
	draws int
}

// signs of a pod are by what it is counted on its node: host ports, and marks, in order.
type signs struct {
	ports []HostPort
	marks []int32
}

func (s signs) equal(o signs) bool {
	return slices.Equal(s.ports, o.ports) && slices.Equal(s.marks, o.marks)
}

// label of a pod.
type label struct{ key, value string }

// registry of the marks there are.
type registry struct {
	byKey map[string]*mark
	byID  map[int32]*mark
	// by a label that whoever bears the mark has; loose are those of which none is known.
	byLabel map[label][]*mark
	loose   []*mark
	last    int32
	// shunning are the terms that somebody carries, by key; moved are those that came or
	// went since pod sets were last tied, and turns counts how often that was.
	shunning []*mark
	moved    []*mark
	turns    uint64
	// namespaces with their labels.
	namespaces map[string]map[string]string
}

func newRegistry() registry {
	return registry{byKey: map[string]*mark{}, byID: map[int32]*mark{}, byLabel: map[label][]*mark{}, namespaces: map[string]map[string]string{}}
}

// borne says whether a pod bears a mark.
func (r *registry) borne(m *mark, k *kin) bool {
	if m.term != nil {
		return slices.Contains(k.apart, m)
	}
	return !k.claim && !(m.present && k.leaving) && !slices.ContainsFunc(m.peers, func(p Peers) bool {
		return !p.include(k.namespace, k.labels, r.namespaces[k.namespace])
	})
}

// signs of a pod that holds some host ports.
func (r *registry) signs(ports []HostPort, k *kin) signs {
	if len(r.byKey) == 0 {
		return signs{ports: ports}
	}
	var marks []int32
	for _, m := range k.apart {
		marks = append(marks, m.id)
	}
	try := func(some []*mark) {
		for _, m := range some {
			if r.borne(m, k) {
				marks = append(marks, m.id)
			}
		}
	}
	try(r.loose)
	for key, value := range k.labels {
		try(r.byLabel[label{key, value}])
	}
	slices.Sort(marks)
	return signs{ports, slices.Compact(marks)}
}

// draw says that more pods with these marks may let somebody in.
func (r *registry) draw(marks []int32) bool {
	return slices.ContainsFunc(marks, func(id int32) bool { return r.byID[id].draws > 0 })
}

// anchors are labels one of which each pod has that bears the mark; none if unknown.
func (m *mark) anchors() []label {
	for _, p := range m.peers {
		for _, r := range p.Labels {
			if r.Operator != In {
				continue
			}
			var anchors []label
			for _, value := range r.Values {
				anchors = append(anchors, label{r.Key, value})
			}
			return anchors
		}
	}
	return nil
}

// peersMark is the mark of pods that are all of these.
func (p *Picture) peersMark(peers []Peers, present bool) *mark {
	return p.useMark(&mark{key: fmt.Sprintf("%t %#v", present, peers), peers: peers, present: present})
}

// termMark is the mark of pods that carry a term.
func (p *Picture) termMark(t *PeerTerm) *mark {
	return p.useMark(&mark{key: keyOf(*t), term: t})
}

func keyOf(t PeerTerm) string { return fmt.Sprintf("%#v", t) }

// useMark is the mark with the same key, or this one from now on.
func (p *Picture) useMark(m *mark) *mark {
	if have := p.marks.byKey[m.key]; have != nil {
		have.users++
		return have
	}
	p.marks.last++
	m.id, m.users = p.marks.last, 1
	if m.term != nil {
		m.id = -m.id
	}
	p.marks.byKey[m.key], p.marks.byID[m.id] = m, m
	switch anchors := m.anchors(); {
	case m.term != nil: // found by the term
	case len(anchors) == 0:
		p.marks.loose = append(p.marks.loose, m)
	default:
		for _, l := range anchors {
			p.marks.byLabel[l] = append(p.marks.byLabel[l], m)
		}
	}
	if m.term == nil {
		p.recount(m) // those who carry a term come afterwards
	}
	return m
}

// leaveMark to its other users, or forget it.
func (p *Picture) leaveMark(m *mark) {
	if m.users--; m.users > 0 {
		return
	}
	is := func(o *mark) bool { return o == m }
	delete(p.marks.byKey, m.key)
	delete(p.marks.byID, m.id)
	p.marks.loose = slices.DeleteFunc(p.marks.loose, is)
	for _, l := range m.anchors() {
		if p.marks.byLabel[l] = slices.DeleteFunc(p.marks.byLabel[l], is); len(p.marks.byLabel[l]) == 0 {
			delete(p.marks.byLabel, l)
		}
	}
	p.uncount(m)
}

// recount a mark on all that there is.
func (p *Picture) recount(m *mark) {
	for _, b := range p.pods {
		if p.marks.borne(m, &b.kin) {
			b.mark(m.id)
			n := p.byName[b.node]
			n.mark(n.accounts[b.gang], bound, tally{{m.id, 1}})
		}
	}
	for _, g := range p.gangs {
		for k := range g.sets {
			s := &g.sets[k]
			if !p.marks.borne(m, &s.kin) {
				continue
			}
			s.mark(m.id)
			for _, at := range s.slots {
				if at.held {
					n := p.byName[at.node]
					n.mark(n.accounts[g.Key], slots, tally{{m.id, at.count}})
				}
			}
		}
	}
}

// uncount a mark everywhere.
func (p *Picture) uncount(m *mark) {
	for _, b := range p.pods {
		b.unmark(m.id)
	}
	for _, g := range p.gangs {
		for k := range g.sets {
			g.sets[k].unmark(m.id)
		}
	}
	for _, n := range p.byName {
		n.marks = n.marks.without(m.id)
		for _, a := range n.accounts {
			for side := range a.marks {
				a.marks[side] = a.marks[side].without(m.id)
			}
		}
	}
}

// mark a pod, whose signs are nobody else's, and unmark it.
func (s *signs) mark(id int32) {
	if i, is := slices.BinarySearch(s.marks, id); !is {
		s.marks = slices.Insert(s.marks, i, id)
	}
}

func (s *signs) unmark(id int32) {
	if i, is := slices.BinarySearch(s.marks, id); is {
		s.marks = slices.Delete(s.marks, i, i+1)
	}
}

// SetNamespace tells of the labels of a namespace, or with nil that it is gone. It
// returns whether that may matter to anybody.
func (p *Picture) SetNamespace(name string, labels map[string]string) bool {
	if maps.Equal(p.marks.namespaces[name], labels) {
		return false
	}
	p.marks.namespaces[name] = labels
	if labels == nil {
		delete(p.marks.namespaces, name)
	}
	if p.empty != nil {
		p.empty.SetNamespace(name, labels)
	}
	matters := false
	for _, key := range sortedKeys(p.marks.byKey) {
		m := p.marks.byKey[key]
		if !m.wherever() {
			continue
		}
		if matters = true; m.term == nil {
			p.uncount(m)
			p.recount(m)
		}
	}
	if matters {
		p.retie(slices.Collect(maps.Keys(p.gangs)))
		p.upset()
	}
	return matters
}

// wherever says that the mark is about pods of namespaces by their labels.
func (m *mark) wherever() bool {
	if m.term != nil {
		return m.term.Peers.Wherever
	}
	return slices.ContainsFunc(m.peers, func(o Peers) bool { return o.Wherever })
}

// upset says that any node may take other pods than before.
func (p *Picture) upset() {
	if p.plan != nil {
		p.plan.stale = true
	}
	p.facts++
	p.freed++
	p.changes++
}
