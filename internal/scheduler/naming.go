// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"slipway.dev/slipway/internal/podset"
)

// naming is a claim for devices that pods name, or a template of such claims.
type naming struct {
	types.NamespacedName
	template bool
}

// namings are who names what: of many thousands of pods only those are to be looked at that
// something new is about.
type namings struct {
	names  map[types.UID][]naming
	namers map[naming]map[types.UID]bool
	// firsts are the pods that claims by name go with, by whose names others are told.
	firsts map[naming]namer
}

type namer struct {
	uid  types.UID
	name string
}

func newNamings() namings {
	return namings{map[types.UID][]naming{}, map[naming]map[types.UID]bool{}, map[naming]namer{}}
}

// refer a pod to what it names, and return whether that is news.
func (n *namings) refer(p *corev1.Pod) bool {
	var names []naming
	for i := range p.Spec.ResourceClaims {
		claim := &p.Spec.ResourceClaims[i]
		if template := claim.ResourceClaimTemplateName; template != nil {
			names = append(names, naming{types.NamespacedName{Namespace: p.Namespace, Name: *template}, true})
		}
		if name := podset.ClaimName(p, claim); name != "" {
			names = append(names, naming{NamespacedName: types.NamespacedName{Namespace: p.Namespace, Name: name}})
		}
	}
	if slices.Equal(n.names[p.UID], names) {
		return false
	}
	n.unname(p.UID)
	n.names[p.UID] = names
	for _, name := range names {
		if n.namers[name] == nil {
			n.namers[name] = map[types.UID]bool{}
		}
		n.namers[name][p.UID] = true
		if _, taken := n.firsts[name]; !name.template && (!taken || p.Spec.NodeName != "") {
			n.firsts[name] = namer{p.UID, p.Name}
		}
	}
	return true
}

// unname what a pod named, and return of what it was the first to do so.
func (n *namings) unname(uid types.UID) (first []naming) {
	for _, name := range n.names[uid] {
		if delete(n.namers[name], uid); len(n.namers[name]) == 0 {
			delete(n.namers, name)
		}
		if n.firsts[name].uid == uid {
			delete(n.firsts, name)
			first = append(first, name)
		}
	}
	delete(n.names, uid)
	return first
}

// first pod that names a claim, by its name, if it is another one.
func (n *namings) first(of naming, than types.UID) string {
	if first := n.firsts[of]; first.uid != than {
		return first.name
	}
	return ""
}

// forget what a pod named. Others that name the same may have waited for it.
func (l *ledger) forget(uid types.UID) {
	for _, name := range l.stock.unname(uid) {
		others := slices.Sorted(maps.Keys(l.stock.namers[name]))
		if len(others) == 0 {
			continue
		}
		if m := l.member(others[0]); m != nil {
			l.stock.firsts[name] = namer{m.uid, m.name.Name}
		}
		for _, other := range others {
			l.recount(other)
		}
	}
}

// reclaim looks again at the pods that name a claim or a template, and returns whether that is
// news to any of them.
func (l *ledger) reclaim(o client.Object) bool {
	name := naming{NamespacedName: client.ObjectKeyFromObject(o)}
	switch o.(type) {
	case *resourcev1.ResourceClaim:
	case *resourcev1.ResourceClaimTemplate:
		name.template = true
	default:
		return false
	}
	news := false
	for _, uid := range slices.Sorted(maps.Keys(l.stock.namers[name])) {
		news = l.recount(uid) || news
	}
	return news
}

// recount what a pod claims, and return whether it is another thing than before. One of a group
// that has its place keeps it, and what was counted for it as long as nobody knows better.
func (l *ledger) recount(uid types.UID) bool {
	m, key := l.member(uid), l.crewOf[uid]
	g := l.groups[key]
	switch {
	case m == nil:
		return false
	case g == nil:
		return l.suspect(key, m)
	}
	a := g.pods[uid]
	now := l.stock.claimed(a.pod)
	switch placed := m.node != "" || m.seated; {
	case placed && (now.problem != "" || sameDevices(a.claimed.devices, now.devices)):
		return false
	case placed:
		a.claimed = now
	case a.claimed.equal(&now):
		return false
	default:
		g.pods[uid] = l.applicant(a.pod)
		m.set = g.pods[uid].set.Name
		l.ripe = append(l.ripe, m.name)
	}
	l.dirty[key] = true
	return true
}

// suspect a pod that names a Gang: what it claims may be more than is its part, or no longer.
func (l *ledger) suspect(key string, m *member) bool {
	problem := l.intruder(key, m)
	if problem == m.problem {
		return false
	}
	m.problem = problem
	crew := l.crews[key]
	if problem != "" && m.node == "" {
		crew.rise(m)
	}
	crew.fill()
	l.ripen(crew)
	return true
}
