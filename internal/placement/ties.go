// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"fmt"
	"slices"
	"strings"
	"unique"
)

// carry the terms by which a pod or a pod set keeps others away, from now on.
func (p *Picture) carry(terms []PeerTerm) []*mark {
	var carried []*mark
	for i := range terms {
		m := p.termMark(&terms[i])
		if m.carriers++; m.carriers == 1 {
			at, _ := p.marks.findShunning(m)
			p.marks.shunning = slices.Insert(p.marks.shunning, at, m)
			p.marks.moved = append(p.marks.moved, m)
		}
		carried = append(carried, m)
	}
	return carried
}

// uncarry them.
func (p *Picture) uncarry(carried []*mark) {
	for _, m := range carried {
		if m.carriers--; m.carriers == 0 {
			at, _ := p.marks.findShunning(m)
			p.marks.shunning = slices.Delete(p.marks.shunning, at, at+1)
			p.marks.moved = append(p.marks.moved, m)
		}
		p.leaveMark(m)
	}
}

func (r *registry) findShunning(m *mark) (int, bool) {
	return slices.BinarySearchFunc(r.shunning, m, func(a, b *mark) int { return strings.Compare(a.key, b.key) })
}

// shuns says that the term keeps such pods away from those that carry it.
func (r *registry) shuns(m *mark, k *kin) bool {
	return m.term.Peers.include(k.namespace, k.labels, r.namespaces[k.namespace])
}

// shunned says that some term keeps such pods away.
func (p *Picture) shunned(k *kin) bool {
	return slices.ContainsFunc(p.marks.shunning, func(m *mark) bool { return p.marks.shuns(m, k) })
}

// retie pod sets of gangs that may now be kept away by others, or not any longer. By whom
// is not part of their class: those that are shunned at all find that out when they are
// looked at (shunRules), so that nobody pays for each pod that wants to be apart.
func (p *Picture) retie(changed []string) {
	p.marks.moved = nil
	p.marks.turns++
	slices.Sort(changed)
	for _, key := range changed {
		g := p.gangs[key]
		news := false
		for k := range g.sets {
			if s := &g.sets[k]; p.shunned(&s.kin) != s.class.shunned {
				old := s.class
				s.class, news = p.intern(s.PodSet, &s.kin), true
				p.leaveClass(old)
			}
		}
		if news {
			g.shape = unique.Make(g.describe())
			p.regroup(g)
		}
	}
	if len(changed) > 0 {
		p.freed++
		p.changes++
	}
}

// tieKey tells classes apart whose pods are tied to others.
func tieKey(s *PodSet, shunned bool) string {
	key := ""
	if s.Shape.tied() || shunned {
		key = fmt.Sprintf("|%q %v", s.Namespace, s.Labels)
	}
	if s.Shape.tied() {
		key += fmt.Sprintf("|%#v|%#v|%#v|%#v", s.Shape.Near, s.Shape.Apart, s.Shape.Even, s.Shape.PreferredPeers)
	}
	if shunned {
		key += "|shunned"
	}
	return key
}

// tie a new class to its neighbours, or not at all.
func (p *Picture) tie(s *PodSet, k *kin, shunned bool) *ties {
	var rules []*rule
	add := func(kind ruleKind, m *mark, keys ...string) *rule {
		r := &rule{kind: kind, mark: m, own: p.marks.borne(m, k), keys: keys}
		rules = append(rules, r)
		return r
	}
	for i := range s.Shape.Apart {
		t := &s.Shape.Apart[i]
		add(away, p.peersMark([]Peers{t.Peers}, false), t.Key).peers = t.Peers.String()
	}
	if len(s.Shape.Near) > 0 {
		var peers []Peers
		var keys []string
		for _, t := range s.Shape.Near {
			peers, keys = append(peers, t.Peers), append(keys, t.Key)
		}
		r := add(near, p.peersMark(peers, false), keys...)
		r.peers, r.waived = peers[0].String(), p.empty == nil && !r.own
		r.mark.draws++
	}
	for i := range s.Shape.Even {
		e := &s.Shape.Even[i]
		r := add(even, p.peersMark([]Peers{e.Peers}, true), e.Key)
		r.peers, r.evenness = e.Peers.String(), e
		r.mark.draws++
	}
	if p.empty != nil { // on the empty cluster there is nobody to be beside
		for i := range s.Shape.PreferredPeers {
			pref := &s.Shape.PreferredPeers[i]
			r := add(preferred, p.peersMark([]Peers{pref.Peers}, true), pref.Key)
			r.peers, r.preference = pref.Peers.String(), pref
		}
	}
	if len(rules) == 0 && !shunned {
		return nil
	}
	return &ties{kin: kin{namespace: k.namespace, labels: k.labels}, rules: rules, wishes: len(rules), shunned: shunned}
}

// untie a class that is forgotten.
func (p *Picture) untie(t *ties) {
	if t == nil {
		return
	}
	for _, r := range t.rules[:t.wishes] {
		if r.kind == near || r.kind == even {
			r.mark.draws--
		}
		p.leaveMark(r.mark)
	}
}

// shunRules are those of the pods that keep the class's away: one for each label that
// makes the domains, and one for each term that the class carries itself.
func (p *Picture) shunRules(c *class) []*rule {
	own := map[string]bool{}
	for _, t := range c.Apart {
		own[keyOf(t)] = true
	}
	var rules []*rule
	others := map[string]*rule{}
	for _, m := range p.marks.shunning {
		if !p.marks.shuns(m, &c.ties.kin) {
			continue
		}
		if r := others[m.term.Key]; r != nil && !own[m.key] {
			r.also = append(r.also, m.id)
			continue
		}
		r := &rule{kind: shunned, mark: m, own: own[m.key], keys: []string{m.term.Key}, peers: m.term.Peers.String()}
		if rules = append(rules, r); !r.own {
			others[m.term.Key] = r
		}
	}
	for _, r := range rules {
		slices.Sort(r.also)
	}
	return rules
}

// classify the sets of a gang that is not among the others yet.
func (p *Picture) classify(g *gang) {
	p.retieIfNeeded()
	for k := range g.sets {
		g.sets[k].class = p.intern(g.sets[k].PodSet, &g.sets[k].kin)
	}
	for k := range g.sets {
		g.sets[k].signs = p.marks.signs(g.sets[k].class.HostPorts, &g.sets[k].kin)
	}
}

// retieIfNeeded those whom terms concern that came or went.
func (p *Picture) retieIfNeeded() {
	if len(p.marks.moved) == 0 {
		return
	}
	var concerned []string
	for key, g := range p.gangs {
		if slices.ContainsFunc(g.sets, func(s set) bool {
			return slices.ContainsFunc(p.marks.moved, func(m *mark) bool { return p.marks.shuns(m, &s.kin) })
		}) {
			concerned = append(concerned, key)
		}
	}
	p.retie(concerned)
}

// remark what a set of a gang holds, whose pods have other labels now.
func (p *Picture) remark(gang string, old *set, next signs) {
	if old.signs.equal(next) {
		return
	}
	for _, at := range old.slots {
		if !at.held {
			continue
		}
		n := p.byName[at.node]
		a := n.accounts[gang]
		for _, port := range old.ports {
			n.hold(a, slots, port, -int(at.count))
		}
		for _, port := range next.ports {
			n.hold(a, slots, port, int(at.count))
		}
		n.mark(a, slots, tallyOf(next.marks, at.count).minus(tallyOf(old.marks, at.count)))
		p.relieve(n)
	}
}

// welcome those that may fit because a gang has its places.
func (p *Picture) welcome(t *trial) {
	for _, m := range t.moves {
		if p.marks.draw(t.g.sets[m.set].marks) {
			p.drawn = true
			p.freed++
			return
		}
	}
}
