// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"cmp"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/placement"
	"slipway.dev/slipway/internal/podset"
)

// group is a gang of pods that have no Gang: one pod, or as many as say so. Placement
// is asked about it anew whenever pods come or go.
type group struct {
	grouping
	namespace string
	pods      map[types.UID]*applicant
	// started is when it was placed; zero for never. whole says that it was with all that it
	// takes to start: who says later that it takes more changes nothing about that.
	started int64
	whole   bool
	// needs is how many pods it takes to start, as of when placement was last asked: every one of its pods
	// is told of it.
	needs int32
	// why it, or what came to it later, waits: each pod says it, so that it is not worded
	// anew before the reason is of another kind. That of a project counts nothing that comes
	// and goes, and is. There is no reason while more than room is missing.
	why    string
	reason *placement.Reason
	state  placement.State
}

// applicant is a pod of a group and what it asks for.
type applicant struct {
	pod *corev1.Pod
	set placement.PodSet
	// claimed are the devices that it claims.
	claimed claimed
	// problem that keeps it from being placed anywhere.
	problem string
}

// join a group, and return the name of the set that the pod is in.
func (l *ledger) join(by grouping, p *corev1.Pod, known *member) string {
	g := l.groups[by.key]
	if g == nil {
		g = &group{namespace: p.Namespace, pods: map[types.UID]*applicant{}}
		l.groups[by.key] = g
	}
	if len(g.pods) == 0 {
		g.started, g.whole, g.why = 0, false, ""
	}
	g.grouping = by
	if known != nil {
		g.pods[p.UID].pod = p
		return known.set
	}
	a := l.applicant(p)
	g.pods[p.UID] = a
	if p.Spec.NodeName != "" {
		g.started = earliest(g.started, startedAt(p))
	}
	return a.set.Name
}

func earliest(a, b int64) int64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// startedAt is when a pod was bound.
func startedAt(p *corev1.Pod) int64 {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionTrue {
			return secondsOf(&c.LastTransitionTime)
		}
	}
	return p.CreationTimestamp.Unix()
}

// applicant of a pod. Pods that ask for the same are of one set, whose name is made
// of what they ask for, so that it is the same after a restart.
func (l *ledger) applicant(p *corev1.Pod) *applicant {
	volumes, problem := l.volumesOf(p)
	asked := podset.Of("", 1, &corev1.PodTemplateSpec{ObjectMeta: p.ObjectMeta, Spec: unassigned(&p.Spec)}, volumes)
	a := &applicant{pod: p, claimed: l.stock.claimed(p)}
	a.problem = cmp.Or(unheld(p), problem, a.claimed.problem)
	asked.Devices = a.claimed.devices
	for _, reach := range a.claimed.nodes {
		asked.Affinity = podset.Confined(asked.Affinity, reach)
	}
	var err error
	asked.Labels = likeOthers(asked.Labels)
	if a.set, err = setOf(p.Namespace, &asked); err != nil {
		a.problem = cmp.Or(a.problem, err.Error())
	}
	a.set.Name = nameOf(&asked)
	return a
}

// likeOthers are the labels that a pod may have in common with others of its set, or none:
// those by which its controller tells them apart are left out.
func likeOthers(labels map[string]string) map[string]string {
	out := maps.Clone(labels)
	for _, key := range []string{appsv1.StatefulSetPodNameLabel, appsv1.PodIndexLabel, batchv1.JobCompletionIndexAnnotation} {
		delete(out, key)
	}
	return out
}

// unassigned is a spec without the node that the pod is on.
func unassigned(spec *corev1.PodSpec) corev1.PodSpec {
	out := *spec
	out.NodeName = ""
	return out
}

func nameOf(s *slipwayv1.PodSet) string {
	body, err := json.Marshal(s)
	if err != nil {
		panic(err) // cannot happen: it came as JSON
	}
	hash := fnv.New64a()
	hash.Write(body)
	return fmt.Sprintf("%016x", hash.Sum64())
}

// askGroups tells placement of the groups that changed.
func (l *ledger) askGroups() {
	for _, key := range slices.Sorted(maps.Keys(l.dirty)) {
		g := l.groups[key]
		if g == nil {
			continue
		}
		if len(g.pods) == 0 {
			l.picture.DeleteGang(key)
			delete(l.groups, key)
			l.disclaim(key)
			continue
		}
		l.askGroup(key, g, l.crews[key])
	}
	clear(l.dirty)
}

// askGroup what becomes of it with the pods that it has now. One that waits has changed like a Gang
// that was edited: what it was promised, and what others gave up for it, stays its own where it
// asks for no more. The places of one that has some are where its pods are.
func (l *ledger) askGroup(key string, g *group, c *crew) {
	tell := l.picture.Reseat
	asked := l.groupGang(key, g, c)
	if c.places == nil && asked.Placement == nil {
		tell = l.picture.SetGang
	}
	c.move(asked.Placement)
	l.retell(c)
	g.reason, g.state, g.needs = nil, placement.Waiting, l.least(g)
	if g.why = l.waitsFor(g, c); g.why != "" {
		l.picture.DeleteGang(key)
	} else if err := tell(asked); err != nil {
		g.why = err.Error()
	}
	l.ripen(c)
}

// waitsFor says what must be there before the group can be placed; a group that was
// placed is not asked.
func (l *ledger) waitsFor(g *group, c *crew) string {
	if c.places != nil {
		return ""
	}
	for _, m := range c.inOrder() {
		if m.problem != "" {
			return m.problem
		}
	}
	least := l.least(g)
	if g.podGroup != "" && least == 0 {
		return fmt.Sprintf("there is no PodGroup %s; make it", g.podGroup)
	}
	if n := int32(len(g.pods)) + l.done(g); n < least {
		return fmt.Sprintf("waits for the pods of its group: %d of %d are there%s", n, least, oneByOne(g.pods[c.inOrder()[0].uid].pod))
	}
	return ""
}

// oneByOne is what to do about pods of a StatefulSet, which makes the next only once that before is ready
// unless it says otherwise: a group of them would never be whole.
func oneByOne(p *corev1.Pod) string {
	owner := metav1.GetControllerOf(p)
	if owner == nil || owner.Kind != "StatefulSet" {
		return ""
	}
	return fmt.Sprintf("; StatefulSet %s makes one after another unless its podManagementPolicy is Parallel", owner.Name)
}

// projectOf a group is that of the first of its pods, those that are bound before others:
// who joins later changes nothing about who is charged.
func (l *ledger) projectOf(g *group, c *crew) string {
	first := c.inOrder()[0]
	return cmp.Or(slipwayv1.ProjectOf(g.pods[first.uid].pod.Labels), l.namespaces[g.namespace])
}

// strayed says that a pod names another project than its group is of.
func strayed(p *corev1.Pod, project string) string {
	if named := slipwayv1.ProjectOf(p.Labels); named != "" && named != project {
		return fmt.Sprintf("names project %s, and its group is of %s; name the same in all pods of a group", named, cmp.Or(project, "none"))
	}
	return ""
}

// least pods that the group starts with; zero when nobody says.
func (l *ledger) least(g *group) int32 {
	if g.podGroup != "" {
		return l.podGroups[types.NamespacedName{Namespace: g.namespace, Name: g.podGroup}].least
	}
	least := int32(1)
	for _, a := range g.pods {
		least = max(least, groupingOf(a.pod).least)
	}
	return least
}

// whereIs a pod, or where its place is; empty for nowhere.
func (c *crew) whereIs(m *member) string {
	if m.node == "" && m.seated {
		return c.nodeOf(m.seat)
	}
	return m.node
}

// noteGroup takes the verdict on a group. Pods of one that gave its places up go.
func (l *ledger) noteGroup(g *group, v placement.Verdict, now time.Time) {
	crew := l.crews[v.Gang]
	if crew == nil {
		return
	}
	g.explain(v.Reason)
	g.state = v.State
	g.whole = v.State == placement.Placed || g.whole && len(v.Placement) > 0
	crew.move(v.Placement)
	l.retell(crew)
	l.ripen(crew)
	switch {
	case len(v.Placement) == 0:
		g.started = 0
		l.evict(v.Gang, v.Reason, slices.DeleteFunc(crew.inOrder(), func(m *member) bool { return m.node == "" })...)
	case g.started == 0:
		g.started = now.Unix()
	}
}

func (g *group) explain(reason *placement.Reason) {
	if g.why == "" || reason == nil || g.reason == nil || g.reason.Code != reason.Code || reason.Code == placement.NoQueue {
		g.why = reason.String()
	}
	g.reason = reason
}

// retell placement of the seats of pods that are bound.
func (l *ledger) retell(c *crew) {
	for _, m := range c.pods {
		if m.told.Node == "" {
			continue
		}
		l.seatOf(m, &m.told)
		l.picture.Bind(m.told)
	}
}

// seatOf a pod, as placement is told of it.
func (l *ledger) seatOf(m *member, told *placement.Pod) {
	told.Gang, told.Set, told.Rank = l.crewOf[m.uid], "", 0
	if m.seated {
		told.Set, told.Rank = m.seat.set, m.seat.rank
	}
}
