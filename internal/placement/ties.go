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
			p.reties = true
		}
		carried = append(carried, m)
	}
	return carried
}

// uncarry them.
func (p *Picture) uncarry(carried []*mark) {
	for _, m := range carried {
		if m.carriers--; m.carriers == 0 {
			p.reties = true
		}
		p.leaveMark(m)
	}
}

// shuns are the marks of the terms by which others keep pods of a set away.
func (p *Picture) shuns(k *kin) []*mark { return p.shunsOf(p.shunning(), k) }

// shunning are the marks of terms that somebody carries, in order.
func (p *Picture) shunning() []*mark {
	var all []*mark
	for _, m := range p.marks.byKey {
		if m.term != nil && m.carriers > 0 {
			all = append(all, m)
		}
	}
	slices.SortFunc(all, func(a, b *mark) int { return strings.Compare(a.key, b.key) })
	return all
}

func (p *Picture) shunsOf(shunning []*mark, k *kin) []*mark {
	var found []*mark
	for _, m := range shunning {
		if m.term.Peers.include(k.namespace, k.labels, p.marks.namespaces[k.namespace]) {
			found = append(found, m)
		}
	}
	return found
}

// retie the pod sets that are now kept away by others, or are not any longer.
func (p *Picture) retie() {
	p.reties = false
	shunning := p.shunning()
	for _, key := range sortedKeys(p.gangs) {
		g := p.gangs[key]
		changed := false
		for k := range g.sets {
			s := &g.sets[k]
			if shuns := p.shunsOf(shunning, &s.kin); !slices.Equal(shuns, s.class.shuns) {
				old := s.class
				s.class, changed = p.intern(s.PodSet, &s.kin), true
				p.leaveClass(old)
			}
		}
		if changed {
			g.shape = unique.Make(g.describe())
			p.freed++
			p.changes++
		}
	}
}

// tieKey tells classes apart whose pods are tied to others.
func tieKey(s *PodSet, shuns []*mark) string {
	key := ""
	if s.Shape.tied() {
		key = fmt.Sprintf("|%q %v|%#v|%#v|%#v|%#v", s.Namespace, s.Labels, s.Shape.Near, s.Shape.Apart, s.Shape.Even, s.Shape.PreferredPeers)
	}
	for _, m := range shuns {
		key += "|" + m.key
	}
	return key
}

// tie a new class to its neighbours, or not at all.
func (p *Picture) tie(s *PodSet, k *kin, shuns []*mark) *ties {
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
	for _, m := range shuns {
		m.users++
		add(shunned, m, m.term.Key).peers = m.term.Peers.String()
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
	if len(rules) == 0 {
		return nil
	}
	return &ties{rules: rules}
}

// untie a class that is forgotten.
func (p *Picture) untie(t *ties) {
	if t == nil {
		return
	}
	for _, r := range t.rules {
		if r.kind == near || r.kind == even {
			r.mark.draws--
		}
		p.leaveMark(r.mark)
	}
}

// classify the sets of a gang that is not among the others yet.
func (p *Picture) classify(g *gang) {
	p.retieIfNeeded()
	for k := range g.sets {
		g.sets[k].class = p.intern(g.sets[k].PodSet, &g.sets[k].kin)
	}
	for k := range g.sets {
		g.sets[k].ports = p.marks.ports(g.sets[k].class.HostPorts, &g.sets[k].kin)
	}
}

func (p *Picture) retieIfNeeded() {
	if p.reties {
		p.retie()
	}
}

// remark what a set of a gang holds, whose pods have other labels now.
func (p *Picture) remark(gang string, old *set, ports []HostPort) {
	if slices.Equal(old.ports, ports) {
		return
	}
	for _, at := range old.slots {
		if !at.held {
			continue
		}
		n := p.byName[at.node]
		for _, port := range old.ports {
			n.hold(n.accounts[gang], slots, port, -int(at.count))
		}
		for _, port := range ports {
			n.hold(n.accounts[gang], slots, port, int(at.count))
		}
		p.relieve(n)
	}
}

// welcome those that may fit because a gang has its places.
func (p *Picture) welcome(t *trial) {
	for _, m := range t.moves {
		if p.marks.draw(t.g.sets[m.set].ports) {
			p.drawn = true
			p.freed++
			return
		}
	}
}
