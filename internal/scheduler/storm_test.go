// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// lender is a cluster whose devices a Deployment has: it makes another pod for each that is
// deleted. A device is free only some time after its pod is gone.
type lender struct {
	*cluster
	// device of each pod that has one, and those that nobody has.
	device map[string]string
	free   []string
	// made so many replicas, of which so many were deleted; going is when each is gone.
	made, deleted int
	going         map[string]int
	step          int
}

func (l *lender) replica() {
	l.add(heldBack(fmt.Sprintf("replica-%d", l.made)))
	l.made++
}

// allocate as Kubernetes' scheduler does, to pods that may be bound.
func (l *lender) allocate() {
	for name, p := range l.pods {
		if len(p.Spec.SchedulingGates) > 0 || l.device[name] != "" || len(l.free) == 0 {
			continue
		}
		l.device[name], l.free = l.free[0], l.free[1:]
		l.set(newClaim(name, name, "n1", l.device[name]))
		bound := p.DeepCopy()
		bound.Spec.NodeName = "n1"
		l.add(bound)
	}
}

// second of the cluster's life.
func (l *lender) second() {
	l.step++
	l.now = l.now.Add(time.Second)
	l.settle()
	l.ledger.plan()
	l.settle()
	for _, name := range l.ledger.takeRipe() {
		if e, is := l.ledger.errand(name); is {
			l.do(e)
		}
	}
	for name, at := range l.going {
		switch l.step {
		case at:
			l.end(name)
		case at + 1:
			l.ledger.remove(newClaim(name, name, "n1", l.device[name]))
			l.free = append(l.free, l.device[name])
			delete(l.device, name)
		}
	}
	l.allocate()
}

func (l *lender) do(e errand) {
	name := e.name.Name
	switch {
	case e.held:
		l.add(heldTo(l.pods[name], e.bind))
	case e.delete != "" && l.going[name] == 0:
		p := l.pods[name].DeepCopy()
		p.DeletionTimestamp = &metav1.Time{Time: l.now}
		l.add(p)
		l.deleted++
		l.going[name] = l.step + 4 + l.deleted%3
		l.replica()
	}
}

// TestPodsThatClaimGiveWayOnce to two gangs at once, though others like them come at once.
func TestPodsThatClaimGiveWayOnce(t *testing.T) {
	l := &lender{cluster: newCluster(t, newNode("n1", 8, 0)), device: map[string]string{}, free: []string{"0", "1", "2", "3"}, going: map[string]int{}}
	l.set(newDeviceClass("gpu", anyGPU))
	l.set(claimTemplate("gpu", "gpu"))
	l.set(newSlice("n1", "h100", "h100", "h100", "h100"))
	l.set(&slipwayv1.Project{ObjectMeta: metav1.ObjectMeta{Name: "p", UID: "p", Generation: 1}, Spec: slipwayv1.ProjectSpec{
		Quota: []slipwayv1.Quota{{Resource: "gpu.deviceclass.resource.k8s.io/devices", Guaranteed: resource.MustParse("4")}}}})
	for range 4 {
		l.replica()
	}
	l.second()
	gangs := []string{"a", "b"}
	for _, name := range gangs {
		g := claiming(name, 2, "gpu")
		g.Spec.Project, g.Spec.MaxRunTime = "p", &metav1.Duration{Duration: 10 * time.Second}
		l.set(g)
	}
	there := map[string]bool{}
	for range 60 {
		l.second()
		for _, name := range gangs {
			if l.gang(name).Status.IsPlaced() && !there[name] {
				there[name] = true
				l.add(heldBack(name+"-0", inGang(name)), heldBack(name+"-1", inGang(name)))
			}
		}
	}
	if l.deleted != 4 || len(there) != 2 {
		t.Errorf("%d pods gave way, want 4; there are the gangs %v", l.deleted, there)
	}
}
