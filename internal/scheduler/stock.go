// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/placement"
)

// stock is what the ledger knows of devices. What changes about them is put to placement
// just before the next decision, all at once.
type stock struct {
	inventory
	// nodes as last told, by name.
	nodes map[string]*corev1.Node
	// claimants are the gangs that ask for devices; asking are those of them with a Gang that
	// placement is to be told of anew.
	claimants, asking map[string]bool
	namings
}

func newStock() stock {
	return stock{newInventory(), map[string]*corev1.Node{}, map[string]bool{}, map[string]bool{}, newNamings()}
}

// deviceKinds are the kinds that feed hears of where devices are handed out by claims.
func deviceKinds() []client.Object {
	return []client.Object{&resourcev1.DeviceClass{}, &resourcev1.ResourceSlice{}, &resourcev1.ResourceClaim{}, &resourcev1.ResourceClaimTemplate{}}
}

func (l *ledger) setDevices(o client.Object) bool {
	if t, is := o.(*resourcev1.ResourceClaimTemplate); is {
		old := l.stock.templates[client.ObjectKeyFromObject(t)]
		if old != nil && equality.Semantic.DeepEqual(old.Spec, t.Spec) {
			return false
		}
	}
	l.stock.set(o)
	if c, is := o.(*resourcev1.ResourceClaim); is {
		l.meet(c)
	}
	return l.reclaim(o) || l.stock.Stale()
}

func (l *ledger) removeDevices(o client.Object) bool {
	l.stock.remove(o)
	return l.reclaim(o) || l.stock.Stale()
}

// meet the pod that a claim is reserved for, if it was seen already.
func (l *ledger) meet(c *resourcev1.ResourceClaim) {
	if pod, is := l.seen[l.stock.owners[c.UID].pod].(*corev1.Pod); is {
		l.introduce(pod)
	}
}

// introduce a pod to its claims: what they take is its gang's or, of one which gave way, what
// remains of its group's.
func (l *ledger) introduce(p *corev1.Pod) bool {
	group := keyOfGroup(p)
	if left, evicted := l.evicted[p.UID]; evicted {
		group = left.remains
	} else if m := l.member(p.UID); m != nil {
		group = l.crewOf[p.UID]
	}
	news := false
	for _, claim := range l.stock.introduce(p, group) {
		if told, takes := l.stock.taken(claim); takes {
			news = l.picture.Bind(told) || news
		}
	}
	return news
}

func (l *ledger) setNode(o *corev1.Node) bool {
	l.stock.nodes[o.Name] = o
	return l.picture.SetNode(l.stock.node(o))
}

func (l *ledger) removeNode(o *corev1.Node) bool {
	delete(l.stock.nodes, o.Name)
	return l.picture.DeleteNode(o.Name)
}

// claim devices for a gang, and say whether it asks for any: placement is told of it once
// they are counted.
func (l *ledger) claim(key string, g *slipwayv1.Gang) bool {
	if !asksDevices(g) {
		l.disclaim(key)
		return false
	}
	l.stock.want(g)
	l.stock.claimants[key], l.stock.asking[key] = true, true
	return true
}

func (l *ledger) disclaim(key string) {
	if l.stock.claimants[key] {
		delete(l.stock.claimants, key)
		delete(l.stock.asking, key)
		l.stock.Want(key, nil)
	}
}

// want what the groups claim about which placement is to be asked.
func (l *ledger) want() {
	for _, key := range slices.Sorted(maps.Keys(l.dirty)) {
		var all []slipwayv1.DeviceRequest
		claims := false
		if g, sets := l.groups[key], map[string]bool{}; g != nil && len(g.pods) > 0 {
			for _, m := range l.crews[key].inOrder() {
				a := g.pods[m.uid]
				if claims = claims || len(a.pod.Spec.ResourceClaims) > 0; !sets[m.set] {
					all = append(all, a.claimed.devices...)
				}
				sets[m.set] = true
			}
		}
		if !claims {
			l.disclaim(key)
			continue
		}
		l.stock.Want(key, all)
		l.stock.claimants[key] = true
	}
}

// takeStock tells placement what changed about devices.
func (l *ledger) takeStock() {
	changes := l.stock.Refresh()
	for _, name := range changes.Nodes {
		if n := l.stock.nodes[name]; n != nil {
			l.picture.SetNode(l.stock.node(n))
		}
	}
	concerned := l.stock.asking
	if changes.Names {
		concerned = l.stock.claimants
	}
	for _, key := range slices.Sorted(maps.Keys(concerned)) {
		if l.groups[key] != nil {
			l.dirty[key] = true
		} else {
			l.askDevices(key, l.gangs[key])
		}
	}
	for _, claim := range changes.Claims {
		if told, takes := l.stock.taken(claim); takes {
			l.picture.Bind(told)
		} else {
			l.picture.Unbind(string(claim))
		}
	}
}

// askDevices asks placement about a gang that claims devices. What they are counted as may
// change while it runs, which is no reason to lose its places.
func (l *ledger) askDevices(key string, e *entry) {
	anew := l.stock.asking[key]
	delete(l.stock.asking, key)
	asked, problem, err := l.stock.gang(e.object)
	decided := e.answer != nil && len(e.answer.verdict.Placement) > 0
	if err == nil && !decided && len(e.status.Placement) == 0 {
		err = problem
	}
	known := err == nil && !anew && e.asked != nil
	switch {
	case known && sameRequests(e.asked.Sets, asked.Sets):
		return
	case known && decided:
		l.rename(e, asked)
	default:
		l.put(e, asked, err)
	}
	l.unwritten = append(l.unwritten, key)
}

// rename what a gang that has places asks for.
func (l *ledger) rename(e *entry, asked placement.Gang) {
	asked.Placement = e.answer.verdict.Placement
	asked.Waits = e.answer.verdict.State != placement.Placed
	if asked.Started == 0 {
		asked.Started = l.now.Unix() // it was told its places by the decision before
	}
	if asked.Queue == "" {
		asked.Queue = l.namespaces[e.name.Namespace]
	}
	e.asked = &asked
	_ = l.picture.Reseat(asked) // its numbers are those that it was placed with
}

func sameRequests(a, b []placement.PodSet) bool {
	return slices.EqualFunc(a, b, func(a, b placement.PodSet) bool { return maps.Equal(a.Shape.Requests, b.Shape.Requests) })
}

// classesOn a node, so many devices of each that it has any of.
func (l *ledger) classesOn(node string) corev1.ResourceList {
	list := corev1.ResourceList{}
	for name, n := range l.stock.On(node) {
		if strings.HasSuffix(name, corev1.ResourceClaimsPerClass) { // others are counted beside them
			list[corev1.ResourceName(name)] = *quantityOf(corev1.ResourceName(name), n)
		}
	}
	return list
}
