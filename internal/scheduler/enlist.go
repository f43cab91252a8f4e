// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/podset"
)

// enlist a pod in the crew of its gang, and return whether that is more than was known of it.
func (l *ledger) enlist(p *corev1.Pod) bool {
	g := l.belongs(p)
	if before := l.crewOf[p.UID]; before != "" && before != g.key {
		l.dismiss(p.UID) // Its labels were changed.
	}
	crew := l.crew(g.key)
	m, known := memberOf(p), crew.pods[p.UID]
	l.crewOf[p.UID], l.uids[m.name] = g.key, p.UID
	renamed := l.stock.refer(p)
	l.seatable(m, g, known)
	if known == nil {
		crew.set(m)
		l.mount(m)
	} else {
		// Who waits may have been told to say how many pods its group has.
		news := !g.gang && known.node == "" && groupingOf(known.pod) != g
		m.follow(known)
		news = crew.set(m) || news
		if renamed {
			news = l.recount(p.UID) || news
		}
		if !news {
			return false // It is where it was placed.
		}
	}
	if !g.gang {
		l.dirty[g.key] = true
	}
	l.ripe = append(l.ripe, m.name)
	return true
}

func memberOf(p *corev1.Pod) *member {
	m := &member{name: client.ObjectKeyFromObject(p), uid: p.UID, pod: p, node: p.Spec.NodeName, rank: -1,
		ending: p.DeletionTimestamp != nil, claims: claimsOf(p)}
	if owner := metav1.GetControllerOf(p); owner != nil {
		m.owner = owner.UID
	}
	return m
}

// seatable says which set of its gang a pod is of, and what keeps it from a seat there. One of a
// Gang that is bound stays what it was, whatever its labels say.
func (l *ledger) seatable(m *member, g grouping, known *member) {
	if !g.gang {
		m.set = l.join(g, m.pod, known)
		return
	}
	if m.set, m.rank = placeOf(m.pod); known != nil && known.node != "" {
		m.set, m.rank = known.set, known.rank
	}
	m.asks = podset.Requests(m.pod.Spec.DeepCopy())
	m.problem = l.intruder(g.key, m)
}

// follow what was known of the pod.
func (m *member) follow(known *member) {
	if m.node == "" {
		m.node, m.unsure = known.node, known.unsure // It was bound a moment ago.
	}
	m.told, m.noticed, m.bereft = known.told, known.noticed, known.bereft
}

// belongs to a crew, for good once it is bound: whoever may write its labels could
// otherwise make what it takes another's business.
func (l *ledger) belongs(p *corev1.Pod) grouping {
	m := l.member(p.UID)
	if m == nil || m.node == "" {
		return groupingOf(p)
	}
	key := l.crewOf[p.UID]
	if g := l.groups[key]; g != nil {
		return g.grouping
	}
	return grouping{key: key, gang: true}
}

// intruder says why a pod that names a Gang has no part in it: it is not of the workload whose
// Gang it is, or asks for more than its set does, or nobody would allocate its devices. Empty is
// for one that belongs, or of whose Gang nothing is known yet.
func (l *ledger) intruder(key string, m *member) string {
	if problem := unheld(m.pod); problem != "" {
		return problem
	}
	e := l.gangs[key]
	if e == nil {
		return ""
	}
	gang := e.object
	if problem := stranger(gang, m); problem != "" {
		return problem
	}
	for i := range gang.Spec.PodSets {
		if s := &gang.Spec.PodSets[i]; s.Name == m.set {
			return cmp.Or(beyond(m.asks, s.Requests, gang.Name), l.overclaims(m.pod, s.Devices, gang.Name))
		}
	}
	return fmt.Sprintf("is of pod set %q, which Gang %s does not have", m.set, gang.Name)
}

// stranger to the workload whose Gang it is.
func stranger(gang *slipwayv1.Gang, m *member) string {
	if owner := metav1.GetControllerOf(gang); owner != nil && owner.UID != m.owner {
		return fmt.Sprintf("is no pod of %s %s, whose Gang %s its label %s names", owner.Kind, owner.Name, gang.Name, slipwayv1.LabelGang)
	}
	return ""
}

// beyond what a set of a Gang asks for, what a pod asks for.
func beyond(asked, planned corev1.ResourceList, gang string) string {
	for _, name := range slices.Sorted(maps.Keys(asked)) {
		quantity, most := asked[name], planned[name]
		if quantity.Cmp(most) > 0 {
			return fmt.Sprintf("asks for %s %s, and Gang %s for %s; ask for as much in its workload", quantity.String(), name, gang, most.String())
		}
	}
	return ""
}
