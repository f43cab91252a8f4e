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

// TestPodsThatClaimGiveWayOnce to two gangs at once, though others like them are made as soon as
// they are deleted, and devices are free only some time after their pods.
func TestPodsThatClaimGiveWayOnce(t *testing.T) {
	c := newCluster(t, newNode("n1", 8, 0))
	c.set(newDeviceClass("gpu", anyGPU))
	c.set(claimTemplate("gpu", "gpu"))
	c.set(newSlice("n1", "h100", "h100", "h100", "h100"))
	four := resource.MustParse("4")
	c.set(&slipwayv1.Project{ObjectMeta: metav1.ObjectMeta{Name: "p", UID: "p", Generation: 1}, Spec: slipwayv1.ProjectSpec{Quota: []slipwayv1.Quota{{Resource: "gpu.deviceclass.resource.k8s.io/devices", Guaranteed: four}}}})
	next := 0
	device := map[string]string{}
	free := []string{"0", "1", "2", "3"}
	replica := func() {
		name := fmt.Sprintf("fill-%d", next)
		next++
		c.add(heldBack(name))
	}
	allocate := func() {
		for name, p := range c.pods {
			if len(p.Spec.SchedulingGates) == 0 && device[name] == "" && len(free) > 0 {
				device[name], free = free[0], free[1:]
				c.set(newClaim(name, name, "n1", device[name]))
				bound := p.DeepCopy()
				bound.Spec.NodeName = "n1"
				c.add(bound)
			}
		}
	}
	for range 4 {
		replica()
	}
	c.rest()
	allocate()
	c.rest()
	deleted := 0
	for _, name := range []string{"s1", "s2"} {
		g := claiming(name, 2, "gpu")
		g.Spec.Project = "p"
		g.Spec.MaxRunTime = &metav1.Duration{Duration: 10 * time.Second}
		c.set(g)
	}
	going := map[string]int{} // step at which they end
	made := map[string]bool{}
	for step := range 60 {
		c.now = c.now.Add(time.Second)
		c.settle()
		c.ledger.plan()
		c.settle()
		for _, name := range c.ledger.takeRipe() {
			e, is := c.ledger.errand(name)
			if !is {
				continue
			}
			switch {
			case e.delete != "":
				if _, gone := going[name.Name]; gone {
					continue
				}
				deleted++
				p := c.pods[name.Name].DeepCopy()
				p.DeletionTimestamp = &metav1.Time{Time: c.now}
				c.add(p)
				going[name.Name] = step + 4 + deleted%3
				replica()
			case e.held:
				c.add(heldTo(c.pods[name.Name], e.bind))
			}
		}
		for name, at := range going {
			if at == step {
				c.end(name)
			}
			if at+1 == step {
				c.ledger.remove(newClaim(name, name, "n1", device[name]))
				free = append(free, device[name])
				delete(device, name)
			}
		}
		for _, name := range []string{"s1", "s2"} {
			if g := c.gang(name); g.Status.IsPlaced() && !made[name] {
				made[name] = true
				for i := range 2 {
					c.add(heldBack(fmt.Sprintf("%s-%d", name, i), inGang(name)))
				}
			}
		}
		allocate()
	}
	if deleted != 4 {
		t.Errorf("%d pods gave way, want 4", deleted)
	}
}
