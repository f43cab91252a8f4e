// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/placement"
)

// intake is what the ledger knows of the pods that this scheduler binds.
type intake struct {
	// crews by the key of their gang, and the gang of each pod.
	crews  map[string]*crew
	crewOf map[types.UID]string
	// groups are the gangs that have no Gang: pods alone, and groups of pods.
	groups map[string]*group
	// dirty are the groups that placement is to be asked about anew.
	dirty map[string]bool
	// evicted are pods that have given way and are not gone yet.
	evicted map[types.UID]bool
	// uids of the pods, by name; ripe are those about which something is to be done.
	uids map[types.NamespacedName]types.UID
	ripe []types.NamespacedName
	// podGroups of Kubernetes' own kind, with how many pods they start with.
	podGroups map[types.NamespacedName]int32
	storage
}

func newIntake() intake {
	return intake{
		crews: map[string]*crew{}, crewOf: map[types.UID]string{}, groups: map[string]*group{}, dirty: map[string]bool{},
		evicted: map[types.UID]bool{}, uids: map[types.NamespacedName]types.UID{},
		podGroups: map[types.NamespacedName]int32{}, storage: newStorage(),
	}
}

// setPod takes note of a pod, whoever binds it.
func (l *ledger) setPod(p *corev1.Pod) bool {
	news := false
	if isOurs(p) && !l.evicted[p.UID] {
		news = l.enlist(p)
	} else {
		news = l.dismiss(p.UID)
	}
	told, takes := podOf(p)
	if !takes {
		return l.picture.Unbind(string(p.UID)) || news
	}
	if l.evicted[p.UID] {
		// What gave way counts beside its gang, should that be placed again.
		told.Gang, told.Set, told.Rank = "", "", 0
	} else if m := l.member(p.UID); m != nil {
		l.seatOf(m, &told)
		m.told = told
	}
	return l.picture.Bind(told) || news
}

func (l *ledger) removePod(p *corev1.Pod) bool {
	news := l.dismiss(p.UID)
	if l.evicted[p.UID] {
		delete(l.evicted, p.UID)
		delete(l.uids, client.ObjectKeyFromObject(p))
	}
	return l.picture.Unbind(string(p.UID)) || news
}

// enlist a pod in the crew of its gang.
func (l *ledger) enlist(p *corev1.Pod) bool {
	g := groupingOf(p)
	if before := l.crewOf[p.UID]; before != "" && before != g.key {
		l.dismiss(p.UID) // Its labels were changed.
	}
	m := &member{name: client.ObjectKeyFromObject(p), uid: p.UID, node: p.Spec.NodeName, rank: -1,
		ending: p.DeletionTimestamp != nil, claims: claimsOf(p)}
	crew := l.crew(g.key)
	known := crew.pods[p.UID]
	l.crewOf[p.UID], l.uids[m.name] = g.key, p.UID
	if g.gang {
		m.set, m.rank = placeOf(p)
	} else {
		m.set = l.join(g, p, known)
	}
	if known != nil {
		if m.node == "" {
			m.node = known.node // It was bound a moment ago.
		}
		m.told = known.told
	}
	moved := crew.set(m)
	if known != nil && !moved {
		return false // It is where it was placed.
	}
	if known == nil {
		l.mount(m)
	}
	if !g.gang {
		l.dirty[g.key] = true
	}
	l.ripe = append(l.ripe, m.name)
	return true
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
	crew := l.crews[key]
	crew.drop(uid)
	if g := l.groups[key]; g != nil {
		delete(g.pods, uid)
		l.dirty[key] = true
	}
	if len(crew.taken) < len(crew.pods) {
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
	if !isPlaced(&e.status) || e.answer == nil || e.answer.verdict.State != placement.Placed {
		return nil
	}
	var places []placement.SetPlacement
	for _, p := range e.status.Placement {
		set := placement.SetPlacement{Set: p.Name}
		for _, slot := range p.Slots {
			set.Slots = append(set.Slots, placement.Slot(slot))
		}
		places = append(places, set)
	}
	return places
}

// seat the pods of a Gang whose status is known.
func (l *ledger) seat(e *entry) {
	key := keyOf(e.name.Namespace, e.name.Name)
	if c := l.crews[key]; c != nil {
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

// errand is what to do about a pod: one of the three.
type errand struct {
	name types.NamespacedName
	uid  types.UID
	// delete it, for it gives way.
	delete bool
	// bind it to the node.
	bind string
	// assign are claims whose volumes are to be made for the node first.
	assign []types.NamespacedName
	node   string
	// wait says why it is not bound.
	wait string
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
		e.podGroup = g.podGroup
	}
	switch {
	case l.evicted[uid]:
		e.delete = true
	case m == nil || m.node != "":
		return errand{}, false
	case m.seated:
		e.node = l.crews[l.crewOf[uid]].nodeOf(m.seat)
		if e.assign, e.wait = l.unready(m, e.node); e.wait == "" {
			m.node, e.bind = e.node, e.node
		}
	default:
		e.wait = l.why(l.crewOf[uid])
		if g := l.groups[l.crewOf[uid]]; g != nil && g.pods[uid].problem != "" {
			e.wait = g.pods[uid].problem
		}
	}
	return e, e.delete || e.bind != "" || e.wait != ""
}

// unbind a pod whose binding was not made, unless somebody else has bound it.
func (l *ledger) unbind(uid types.UID) {
	if m := l.member(uid); m != nil && m.told.Node == "" {
		m.node = ""
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
	case isPlaced(&e.status):
		return fmt.Sprintf("the places of Gang %s are all taken", key)
	}
	return ""
}
