// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"slices"
	"strings"
)

const namespace = "ns"

func (w *world) podLabels() map[string]string {
	labels := map[string]string{}
	if w.n(4) > 0 {
		labels["app"] = []string{"x", "y"}[w.n(2)]
	}
	if w.n(3) == 0 {
		labels["tier"] = []string{"x", "y"}[w.n(2)]
	}
	return labels
}

func (w *world) topologyKey() string { return []string{hostname, "zone"}[w.n(2)] }

func (w *world) peerTerm() PeerTerm { return PeerTerm{w.peers(), w.topologyKey()} }

func (w *world) peers() Peers {
	key := []string{"app", "tier"}[w.n(2)]
	p := Peers{Namespaces: []string{namespace}, Labels: []Requirement{{Key: key, Operator: In, Values: []string{[]string{"x", "y"}[w.n(2)]}}}}
	switch w.n(6) {
	case 0:
		p.Labels = []Requirement{{Key: key, Operator: Exists}}
	case 1:
		p.Labels[0].Operator = NotIn
	case 2:
		p.Namespaces, p.Wherever, p.NamespaceLabels = nil, true, p.Labels
	}
	return p
}

// body is a pod, or places of a gang, on a node.
type body struct {
	gang   string
	node   string
	labels map[string]string
	apart  []PeerTerm
	count  int32
}

func (w *world) bodies(held map[where]int32) []body {
	var all []body
	for at, count := range held {
		s := w.gangs[at.gang].Sets[at.set]
		all = append(all, body{at.gang, at.node, s.Labels, s.Shape.Apart, count})
	}
	for _, p := range w.pods {
		all = append(all, body{p.Gang, p.Node, p.Labels, p.Apart, 1})
	}
	return all
}

// checkApart: who got room just now is in no domain with somebody from whom it, or who
// from it, wants to be apart. Pods of the gang itself may be those that are replaced.
func (w *world) checkApart(at where, held map[where]int32) {
	s := w.gangs[at.gang].Sets[at.set]
	together := func(term PeerTerm, node string) bool {
		here, labelled := w.nodes[at.node].Labels[term.Key]
		there, known := w.nodes[node].Labels[term.Key]
		return labelled && known && here == there
	}
	includes := func(term PeerTerm, labels map[string]string) bool {
		return term.Peers.include(namespace, labels, w.namespaces[namespace])
	}
	for _, b := range w.bodies(held) {
		if b.gang == at.gang && b.gang != "" {
			continue
		}
		for _, term := range s.Shape.Apart {
			if includes(term, b.labels) && together(term, b.node) {
				w.t.Errorf("%v is together with %+v, against %+v", at, b, term)
			}
		}
		for _, term := range b.apart {
			if includes(term, s.Labels) && together(term, b.node) {
				w.t.Errorf("%v is together with %+v, which keeps it away", at, b)
			}
		}
	}
	for _, term := range s.Shape.Apart {
		beside := int32(0)
		for other, count := range held {
			if other.gang == at.gang && includes(term, w.gangs[at.gang].Sets[other.set].Labels) && together(term, other.node) {
				beside += count
			}
		}
		if includes(term, s.Labels) {
			beside--
		}
		if beside > 0 {
			w.t.Errorf("%v is together with %d of its own gang, against %+v", at, beside, term)
		}
	}
}

// checkMarks: what is counted on every node is what is there, and every set knows who
// keeps it away.
func (w *world) checkMarks(held map[where]int32) {
	for _, m := range w.p.marks.byKey {
		for name, n := range w.p.byName {
			if want := w.marked(name, m, held); int(n.marks.of(m.id)) != want {
				w.t.Errorf("%d on node %s are counted as %s; it is %d", n.marks.of(m.id), name, m.key, want)
			}
		}
		if m.users <= 0 || m.carriers < 0 || m.draws < 0 {
			w.t.Errorf("mark %s has %d users, %d carriers, draws %d", m.key, m.users, m.carriers, m.draws)
		}
	}
	for key, g := range w.p.gangs {
		for k := range g.sets {
			if s := &g.sets[k]; s.class.shunned != w.p.shunned(&s.kin) {
				w.t.Errorf("set %d of %s does not know who keeps it away", k, key)
			}
		}
	}
}

// marked counts anew who bears a mark on a node.
func (w *world) marked(node string, m *mark, held map[where]int32) int {
	bears := func(labels map[string]string, apart []PeerTerm, leaving bool) bool {
		if m.term != nil {
			return slices.ContainsFunc(apart, func(t PeerTerm) bool { return w.p.marks.byKey[keyOf(t)] == m })
		}
		return w.p.marks.borne(m, &kin{namespace: namespace, labels: labels, leaving: leaving})
	}
	slots, bound := map[string]int{}, map[string]int{}
	for at, count := range held {
		if s := w.gangs[at.gang].Sets[at.set]; at.node == node && bears(s.Labels, s.Shape.Apart, false) {
			slots[at.gang] += int(count)
		}
	}
	for _, p := range w.pods {
		if p.Node == node && bears(p.Labels, p.Apart, p.Leaving) {
			bound[p.Gang]++
		}
	}
	total := 0
	for gang, count := range bound {
		total += max(count, slots[gang])
		delete(slots, gang)
	}
	for _, count := range slots {
		total += count
	}
	return total
}

// anew are the same ties without memory.
func (t *ties) anew() *ties {
	if t == nil {
		return nil
	}
	fresh := &ties{kin: t.kin, wishes: t.wishes, shunned: t.shunned}
	for _, r := range t.rules[:t.wishes] {
		fresh.rules = append(fresh.rules, &rule{kind: r.kind, mark: r.mark, own: r.own, waived: r.waived, keys: r.keys, peers: r.peers, evenness: r.evenness, preference: r.preference})
	}
	return fresh
}

// tie pods to peers, written KEY/LABEL:VALUE, with @SKEW if they are evenly divided.
func (s *storyteller) tie(shape *Shape, kind, text, namespace string) {
	text, skew, _ := strings.Cut(text, "@")
	slash := strings.LastIndex(text, "/")
	label, value, _ := strings.Cut(text[slash+1:], ":")
	peers := Peers{Labels: []Requirement{{Key: label, Operator: In, Values: []string{value}}}, Namespaces: []string{namespace}}
	switch key := text[:slash]; kind {
	case "near":
		shape.Near = append(shape.Near, PeerTerm{peers, key})
	case "apart":
		shape.Apart = append(shape.Apart, PeerTerm{peers, key})
	case "prefer":
		shape.PreferredPeers = append(shape.PreferredPeers, PeerPreference{PeerTerm{peers, key}, int32(s.number(skew)), false})
	case "scatter":
		shape.PreferredPeers = append(shape.PreferredPeers, PeerPreference{PeerTerm{peers, key}, -int32(s.number(skew)), true})
	case "even":
		shape.Even = append(shape.Even, Evenness{Peers: peers, Key: key, MaxSkew: int32(s.number(skew)), MinDomains: 1})
	}
}

func with(labels map[string]string, key, value string) map[string]string {
	if labels == nil {
		labels = map[string]string{}
	}
	labels[strings.TrimPrefix(key, "label.")] = value
	return labels
}
