// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// TestPodsThatTakeTimeToEnd give way once: their controller makes others meanwhile, which
// do not take the room, and nobody else gives way for what is on its way out, be they of one
// group with those or not, and be it that the scheduler starts again.
func TestPodsThatTakeTimeToEnd(t *testing.T) {
	alone := func(int) func(*corev1.Pod) { return func(*corev1.Pod) {} }
	inPairs := func(i int) func(*corev1.Pod) { return ofGroup(fmt.Sprint("web-", i/2), 2) }
	for name, c := range map[string]struct {
		of       func(int) func(*corev1.Pod)
		restarts bool
	}{
		"alone":             {alone, false},
		"alone, restart":    {alone, true},
		"in pairs":          {inPairs, false},
		"in pairs, restart": {inPairs, true},
	} {
		t.Run(name, func(t *testing.T) { takeTimeToEnd(t, c.of, c.restarts) })
	}
}

func takeTimeToEnd(t *testing.T, of func(int) func(*corev1.Pod), restarts bool) {
	c := newCluster(t, newNode("n1", 16, 8))
	for name, guaranteed := range map[string]string{"owner": "4", "lender": "0"} {
		c.set(&slipwayv1.Project{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name), Generation: 1}, Spec: slipwayv1.ProjectSpec{
			Quota: []slipwayv1.Quota{{Resource: "nvidia.com/gpu", Guaranteed: resource.MustParse(guaranteed)}}}})
	}
	made := 0
	replica := func(i int) {
		c.add(ourPod(fmt.Sprintf("web-%02d", made), labelled(slipwayv1.LabelProject, "lender"), of(i), func(p *corev1.Pod) { p.Annotations["replica"] = fmt.Sprint(i) }))
		made++
	}
	for i := range 8 {
		replica(i)
	}
	c.rest()
	for i := range 4 {
		c.add(ourPod(fmt.Sprint("job-", i), labelled(slipwayv1.LabelProject, "owner"), ofGroup("job", 4)))
	}
	ending := map[string]bool{}
	round := func() {
		c.settle()
		c.ledger.plan()
		c.settle()
		for _, name := range c.ledger.takeRipe() {
			e, is := c.ledger.errand(name)
			switch {
			case !is:
			case e.delete != "" && !ending[name.Name]:
				ending[name.Name] = true
				p := c.pods[name.Name].DeepCopy()
				p.Annotations[slipwayv1.AnnotationGaveWayTo], p.DeletionTimestamp = e.heir, &metav1.Time{Time: c.now}
				p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{
					Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, Reason: corev1.PodReasonPreemptionByScheduler, Message: e.delete})
				c.add(p)
				i, _ := strconv.Atoi(p.Annotations["replica"])
				replica(i)
			case e.bind != "":
				p := c.pods[name.Name].DeepCopy()
				p.Spec.NodeName = e.bind
				c.add(p)
			}
		}
	}
	for i := range 10 {
		if c.now = noon.Add(time.Duration(i) * 5 * time.Second); restarts && i == 4 {
			c.startAgain()
		}
		round()
	}
	if len(ending) != 4 {
		t.Errorf("%d pods gave way, want 4: %v", len(ending), ending)
	}
	for _, name := range slices.Sorted(maps.Keys(ending)) {
		c.end(name)
		round()
	}
	bound := 0
	for _, p := range c.pods {
		if p.Spec.NodeName != "" && strings.HasPrefix(p.Name, "job-") {
			bound++
		}
	}
	if bound != 4 {
		t.Errorf("%d of 4 pods of the job got the room that was made for them", bound)
	}
}

// TestGroupThatGrows while others end that gave way to it goes on waiting for those: nobody else
// gives way.
func TestGroupThatGrows(t *testing.T) {
	c := newCluster(t, newNode("n1", 16, 4), newNode("n2", 16, 4))
	asks := func(gpus int64) func(*corev1.Pod) {
		return func(p *corev1.Pod) {
			p.Spec.Containers[0].Resources = corev1.ResourceRequirements{Requests: quantities(1, gpus)}
		}
	}
	c.add(ourPod("low-a", ofGroup("low-a", 1), asks(4)), ourPod("low-b", ofGroup("low-b", 1), asks(4)))
	c.rest()
	gaveWay := map[string]bool{}
	for i := range 3 {
		c.add(ourPod(fmt.Sprint("high-", i), ofGroup("high", 1), ranked(5), asks(1)))
		c.settle()
		c.ledger.plan()
		c.settle()
		for _, name := range c.ledger.takeRipe() {
			if e, is := c.ledger.errand(name); is && e.delete != "" {
				gaveWay[name.Name] = true // Its pod has not ended.
			}
		}
	}
	if len(gaveWay) != 1 {
		t.Errorf("%v gave way, want one of them", gaveWay)
	}
}

// startAgain with another ledger, which is told what the API server has.
func (c *cluster) startAgain() {
	before := c.ledger
	c.ledger = newLedger()
	c.set(newNode("n1", 16, 8))
	for _, name := range slices.Sorted(maps.Keys(before.projects)) {
		c.set(before.projects[name].object)
	}
	for _, name := range slices.Sorted(maps.Keys(c.pods)) {
		c.set(c.pods[name])
	}
}
