// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/placement"
	"slipway.dev/slipway/internal/scheduler/snapshot"
)

// intake is what the ledger knows of the pods that this scheduler binds.
type intake struct {
	// crews by the key of their gang, and the gang of each pod.
	crews  map[string]*crew
	crewOf map[types.UID]string
	// groups are the gangs that have no Gang: pods alone, and groups of pods.
	groups map[string]*group
	// succeeded are pods that did their part in a group and are still there, and graduated is
	// the group of each.
	succeeded map[string]map[types.UID]span
	graduated map[types.UID]string
	// dirty are the groups that placement is to be asked about anew.
	dirty map[string]bool
	// evicted are pods that have given way and are not gone yet, and remains those of them
	// that placement knows as what is left of a group.
	evicted map[types.UID]leaving
	remains map[string]map[types.UID]bool
	// assumed are pods whose binding was sent and is not seen yet.
	assumed map[types.UID]bool
	// pinned are pods that are held to a node and not bound yet, and refusals those of them that
	// Kubernetes' scheduler did not bind, by their owners.
	pinned   map[types.UID]*pin
	refusals map[types.UID]*refusals
	// uids of the pods, by name; ripe are those about which something is to be done.
	uids map[types.NamespacedName]types.UID
	ripe []types.NamespacedName
	// podGroups of Kubernetes' own kind.
	podGroups map[types.NamespacedName]podGroup
	storage
}

func newIntake() intake {
	return intake{
		crews: map[string]*crew{}, crewOf: map[types.UID]string{}, groups: map[string]*group{}, succeeded: map[string]map[types.UID]span{}, graduated: map[types.UID]string{}, dirty: map[string]bool{},
		evicted: map[types.UID]leaving{}, remains: map[string]map[types.UID]bool{}, assumed: map[types.UID]bool{}, pinned: map[types.UID]*pin{}, refusals: map[types.UID]*refusals{}, uids: map[types.NamespacedName]types.UID{},
		podGroups: map[types.NamespacedName]podGroup{}, storage: newStorage(),
	}
}

// setPod takes note of a pod, whoever binds it.
func (l *ledger) setPod(p *corev1.Pod) bool {
	seen := p
	p = settled(seen)
	news := l.pin(seen, p != seen)
	if len(p.Spec.ResourceClaims) > 0 {
		news = l.introduce(p) || news
	}
	l.remember(p)
	left, evicted := l.evicted[p.UID]
	if isOurs(p) && !evicted {
		news = l.enlist(p) || news
	} else {
		l.graduate(p)
		news = l.dismiss(p.UID) || news
	}
	told, takes := podOf(p)
	if !takes && l.assumed[p.UID] && !snapshot.Ended(p) && !letGo(p) {
		return news // What is seen is older than what was sent.
	}
	delete(l.assumed, p.UID)
	if !takes {
		l.bury(p.UID)
		return l.picture.Unbind(string(p.UID)) || news
	}
	if evicted {
		told.Gang, told.Set, told.Rank = left.remains, "", 0
	} else if m := l.member(p.UID); m != nil {
		l.seatOf(m, &told)
		if !told.Leaving {
			told.Until = l.collected(m)
		}
		m.told = told
	}
	return l.picture.Bind(told) || news
}

// graduate a pod of a group that has ended well: the others need not wait for it. It stays
// of that group, whatever becomes of its labels.
func (l *ledger) graduate(p *corev1.Pod) {
	g := l.belongs(p)
	if l.graduated[p.UID] != "" || p.Spec.SchedulerName != slipwayv1.SchedulerName && !isHeld(p) || p.Status.Phase != corev1.PodSucceeded || g.gang || g.least == 1 {
		return
	}
	if l.succeeded[g.key] == nil {
		l.succeeded[g.key] = map[types.UID]span{}
	}
	l.succeeded[g.key][p.UID], l.graduated[p.UID] = spanOf(p), g.key
}

func (l *ledger) removePod(p *corev1.Pod) bool {
	if key := l.graduated[p.UID]; key != "" {
		delete(l.graduated, p.UID)
		if delete(l.succeeded[key], p.UID); len(l.succeeded[key]) == 0 {
			delete(l.succeeded, key)
		}
	}
	news := l.dismiss(p.UID)
	if _, is := l.evicted[p.UID]; is {
		l.bury(p.UID)
		delete(l.evicted, p.UID)
		delete(l.uids, client.ObjectKeyFromObject(p))
	}
	delete(l.assumed, p.UID)
	delete(l.pinned, p.UID)
	return l.picture.Unbind(string(p.UID)) || news
}

func (l *ledger) crew(key string) *crew {
	if l.crews[key] == nil {
		l.crews[key] = newCrew()
		if e := l.gangs[key]; e != nil {
			l.crews[key].places = e.places()
		}
	}
	return l.crews[key]
}

func (l *ledger) member(uid types.UID) *member {
	if c := l.crews[l.crewOf[uid]]; c != nil {
		return c.pods[uid]
	}
	return nil
}

// dismiss a pod that has ended, or that is another's business.
func (l *ledger) dismiss(uid types.UID) bool {
	m := l.member(uid)
	if m == nil {
		return false
	}
	key := l.crewOf[uid]
	delete(l.crewOf, uid)
	if l.uids[m.name] == uid {
		delete(l.uids, m.name)
	}
	l.unmount(m)
	l.forget(uid)
	crew := l.crews[key]
	hadSeat := crew.drop(uid)
	if g := l.groups[key]; g != nil {
		delete(g.pods, uid)
		l.dirty[key] = true
	}
	if hadSeat && len(crew.taken) < len(crew.pods) {
		// Somebody has no place, and may take the one that is free now.
		crew.fill()
		l.ripen(crew)
	}
	if len(crew.pods) == 0 {
		delete(l.crews, key)
	}
	return true
}

// ripen the pods that are not bound: there may be something to do about them.
func (l *ledger) ripen(c *crew) {
	for _, m := range c.pods {
		if m.node == "" {
			l.ripe = append(l.ripe, m.name)
		}
	}
}

// takeRipe returns the pods about which something may have to be done.
func (l *ledger) takeRipe() []types.NamespacedName {
	ripe := l.ripe
	l.ripe = nil
	return ripe
}

// places that are written in the status of a Gang, unless it is to lose them.
func (e *entry) places() []placement.SetPlacement {
	if !e.status.IsPlaced() || e.answer == nil || e.answer.verdict.State != placement.Placed {
		return nil
	}
	return placesOf(e.status.Placement)
}

// seat the pods of a Gang whose status is known.
func (l *ledger) seat(e *entry) {
	key := keyOf(e.name.Namespace, e.name.Name)
	if c := l.crews[key]; c != nil {
		for _, m := range c.pods {
			m.problem = l.intruder(key, m)
		}
		c.move(e.places())
		l.ripen(c)
	}
}

// shrink says whether a gang has become smaller, and then which places it keeps. That is
// decided by where its pods are, not by rank, where this scheduler gives them their ranks.
func (l *ledger) shrink(asked *placement.Gang, e *entry) bool {
	c := l.crews[asked.Key]
	if c == nil || len(e.places()) == 0 {
		return false
	}
	placed, less := []placement.SetPlacement(nil), false
	for _, set := range asked.Sets {
		slots := c.slots(set.Name)
		if kept := c.keep(set.Name, set.Count); kept != nil {
			slots, less = kept, true
		}
		placed = append(placed, placement.SetPlacement{Set: set.Name, Slots: slots})
	}
	if less {
		asked.Placement = placed
		c.move(placed)
		l.retell(c)
	}
	return less
}

// errand is what to do about a pod: one of the four.
type errand struct {
	name types.NamespacedName
	uid  types.UID
	// delete it, for it gives way to the heir, as it says; empty for one that stays.
	delete, heir string
	// bind it to the node or, if held is set, hold it to that; least is how many pods its group
	// takes to start, to be written down.
	bind  string
	held  bool
	least int32
	// assign are claims whose volumes are to be made for the node first.
	assign []types.NamespacedName
	node   string
	// wait says why it is not bound; notice is the kind of that reason where it is news.
	wait, notice string
	// announce to its group that it was placed: the pod is bound already.
	announce bool
	// advice on what to do about a pod that is held to its node and is not bound there.
	advice string
	// podGroup of Kubernetes' own kind that it is in; empty for none.
	podGroup string
}

// errand about a pod, if there is any. A binding is taken for made until unbind says
// that it failed.
func (l *ledger) errand(name types.NamespacedName) (errand, bool) {
	uid := l.uids[name]
	if uid == "" {
		return errand{}, false
	}
	e := errand{name: name, uid: uid}
	m := l.member(uid)
	if g := l.groups[l.crewOf[uid]]; g != nil {
		e.podGroup, e.least = g.podGroup, g.needs
	}
	e.delete, e.heir = l.evicted[uid].why, l.evicted[uid].heir
	if e.delete == "" && m != nil {
		l.errandOf(m, &e)
	}
	e.held = e.bind != "" && isHeld(m.pod)
	e.notice = l.notice(&e)
	return e, e.delete != "" || e.bind != "" || e.wait != "" || e.announce || e.advice != ""
}

// errandOf a pod that stays.
func (l *ledger) errandOf(m *member, e *errand) {
	key := l.crewOf[m.uid]
	switch {
	case m.unsure:
		e.bind, m.unsure = m.node, false
	case l.pinned[m.uid].mustTell():
		e.advice, l.pinned[m.uid].told = l.pinned[m.uid].advice(m.node), true
	case m.node != "":
		e.announce = l.untold(types.NamespacedName{Namespace: m.name.Namespace, Name: e.podGroup})
	case m.problem != "":
		e.wait = m.problem
	case m.seated && l.groups[key] != nil && l.isBehind(key, l.crews[key].places):
		// Nothing yet. A Gang's pods need not wait: its status, of which they were made, has.
	case m.seated:
		l.takeSeat(m, e)
	default:
		e.wait = l.why(key)
		if g := l.groups[key]; g != nil && g.pods[m.uid].problem != "" {
			e.wait = g.pods[m.uid].problem
		}
	}
}

// takeSeat binds a pod to the node of its place, when its volumes are there.
func (l *ledger) takeSeat(m *member, e *errand) {
	e.node = l.crews[l.crewOf[m.uid]].nodeOf(m.seat)
	if !isHeld(m.pod) { // Who binds the pod sees to its volumes.
		e.assign, e.wait = l.unready(m, e.node)
	}
	if e.wait == "" {
		e.bind = e.node
		l.assume(m, e.node)
	}
}

// assume that a pod is bound, from when the request is sent: its gang may give way before
// the answer is there, and what gave way counts until it is gone.
func (l *ledger) assume(m *member, node string) {
	pod := *m.pod
	pod.Spec.NodeName = node
	m.node = node
	told, _ := podOf(&pod)
	l.seatOf(m, &told)
	l.assumed[m.uid], m.told = true, told
	l.picture.Bind(told)
}

// notBound takes note that a request to bind a pod failed. Only one that the API server
// refused was surely not carried out. A conflict, and a pod that is not there, are about
// something that has not been seen yet, and will be. After an answer that was lost nobody
// knows; the same is asked for again.
func (l *ledger) notBound(uid types.UID, err error) {
	m := l.member(uid)
	switch {
	case !l.assumed[uid], apierrors.IsConflict(err), apierrors.IsNotFound(err):
	case apierrors.IsForbidden(err), apierrors.IsInvalid(err), apierrors.IsBadRequest(err), apierrors.IsTooManyRequests(err):
		delete(l.assumed, uid)
		l.picture.Unbind(string(uid))
		if m != nil {
			m.node, m.told = "", placement.Pod{}
		}
	case m != nil:
		m.unsure = true
	}
}

// why the pods of a gang wait; empty when nothing is known yet.
func (l *ledger) why(key string) string {
	if g := l.groups[key]; g != nil {
		return g.why
	}
	e := l.gangs[key]
	switch {
	case e == nil:
		return fmt.Sprintf("there is no Gang %s, which its label %s names", key, slipwayv1.LabelGang)
	case e.answer == nil:
		return ""
	case e.answer.verdict.State != placement.Placed:
		_, _, message := e.answer.explain()
		return message
	case e.status.IsPlaced():
		return fmt.Sprintf("the places of Gang %s are all taken", key)
	}
	return ""
}
