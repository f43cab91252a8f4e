// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/placement"
)

// A group that gave way is gone when its pods are deleted, which have yet to end, and another
// one of its name may be there before that. So placement knows what is left of it as a gang
// of its own, without pod sets, until the last of the pods is gone. Otherwise the room would be
// taken for anybody's, and others would have to give way again.

// leaving is a pod that gave way, why and to whom; remains is the key of what it is left of, and
// since is when that was written, in seconds; zero for just now.
type leaving struct {
	why, heir, remains string
	since              int64
}

// remainsSuffix of the key of what is left of a group, which no group has.
const remainsSuffix = "/remains"

func remainsOf(group string) string { return group + remainsSuffix }

// groupOf what is left of one, or of a gang the same.
func groupOf(key string) string { return strings.TrimSuffix(key, remainsSuffix) }

// evict pods of a group, for that reason: they are the group's no more, and count until they are gone.
func (l *ledger) evict(group string, why *placement.Reason, pods ...*member) {
	left := leaving{why: cmp.Or(why.String(), "gave its place up"), remains: remainsOf(group)}
	if why != nil {
		left.heir = why.Heir
	}
	for _, m := range pods {
		l.goes(m, left)
	}
	l.tellRemains(left.remains)
}

// goes is a pod that was of a group, and is of what remains of that from now on. Placement is
// told of these when all of them are (tellRemains).
func (l *ledger) goes(m *member, left leaving) {
	l.dismiss(m.uid)
	l.leave(m.name, m.uid, left)
	l.ripe = append(l.ripe, m.name)
	l.introduce(m.pod)
	if m.told.Node != "" {
		m.told.Gang, m.told.Set, m.told.Rank = left.remains, "", 0
		l.picture.Bind(m.told)
	}
}

// leave a group, as part of what remains of it.
func (l *ledger) leave(name types.NamespacedName, uid types.UID, left leaving) {
	l.evicted[uid], l.uids[name] = left, uid
	if l.remains[left.remains] == nil {
		l.remains[left.remains] = map[types.UID]bool{}
	}
	l.remains[left.remains][uid] = true
}

// remember that a pod gave way before this scheduler started. The condition is for schedulers
// alone to write; the annotation may be of anybody who may write the pod.
func (l *ledger) remember(p *corev1.Pod) {
	heir := p.Annotations[slipwayv1.AnnotationGaveWayTo]
	if heir == "" || p.Spec.NodeName == "" || !isOurs(p) || l.member(p.UID) != nil {
		return
	}
	g, why := groupingOf(p), preemption(p)
	if _, known := l.evicted[p.UID]; known || g.gang || why == nil {
		return
	}
	name := client.ObjectKeyFromObject(p)
	left := leaving{cmp.Or(why.Message, "gave its place up"), heir, remainsOf(g.key), secondsOf(&why.LastTransitionTime)}
	l.leave(name, p.UID, left)
	if l.decided { // Before that finishEvictions does, once for all pods of a group.
		l.tellRemains(left.remains)
	}
	if p.DeletionTimestamp == nil {
		l.ripe = append(l.ripe, name) // That was what came next.
	}
}

// finishEvictions that a scheduler before this one began: a group gives way whole, and who died
// after it had told some of the pods has left the others where they are; they go for whom the
// latest of these do. Those that were bound later are of another group of that name.
func (l *ledger) finishEvictions() {
	latest := map[string]leaving{}
	for _, uid := range slices.Sorted(maps.Keys(l.evicted)) {
		left := l.evicted[uid]
		if known, is := latest[left.remains]; !is || left.since > known.since {
			latest[left.remains] = left
		}
	}
	for _, key := range slices.Sorted(maps.Keys(latest)) {
		if c := l.crews[groupOf(key)]; c != nil {
			for _, m := range c.inOrder() {
				if m.node != "" && startedAt(m.pod) < latest[key].since {
					l.goes(m, latest[key])
				}
			}
		}
		l.tellRemains(key)
	}
}

// preemption is the condition that says that this scheduler, or another one, makes the pod
// give way; nil for none.
func preemption(p *corev1.Pod) *corev1.PodCondition {
	for i := range p.Status.Conditions {
		c := &p.Status.Conditions[i]
		if c.Type == corev1.DisruptionTarget && c.Status == corev1.ConditionTrue && c.Reason == corev1.PodReasonPreemptionByScheduler {
			return c
		}
	}
	return nil
}

// tellRemains of a group to placement, and for whom it gave way.
func (l *ledger) tellRemains(key string) {
	if len(l.remains[key]) == 0 {
		delete(l.remains, key)
		l.picture.DeleteGang(key)
		return
	}
	_ = l.picture.Reseat(l.remainsGang(key)) // What wants nothing is never refused.
}

// remainsGang is what placement is told of what remains of a group: for whom it gave way.
func (l *ledger) remainsGang(key string) placement.Gang {
	heirs := map[string]bool{}
	for uid := range l.remains[key] {
		if heir := l.evicted[uid].heir; heir != "" {
			heirs[heir] = true
		}
	}
	return placement.Gang{Key: key, GaveWayTo: slices.Sorted(maps.Keys(heirs))}
}

// bury a pod that gave way and has ended.
func (l *ledger) bury(uid types.UID) {
	key := l.evicted[uid].remains
	if key == "" {
		return
	}
	if delete(l.remains[key], uid); len(l.remains[key]) == 0 {
		l.tellRemains(key)
	}
}

// within says that all of some are among others.
func within(some, others []string) bool {
	return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(others, s) })
}
