// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// TestPodsThatTakeTimeToEnd give way once: their controller makes others meanwhile, which
// do not take the room, and nobody else gives way for what is on its way out.
func TestPodsThatTakeTimeToEnd(t *testing.T) {
	c := newCluster(t, newNode("n1", 16, 8))
	for name, guaranteed := range map[string]string{"owner": "3", "lender": "0"} {
		c.set(&slipwayv1.Project{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name), Generation: 1}, Spec: slipwayv1.ProjectSpec{
			Quota: []slipwayv1.Quota{{Resource: "nvidia.com/gpu", Guaranteed: resource.MustParse(guaranteed)}}}})
	}
	replicas := 0
	replica := func() {
		c.add(ourPod(fmt.Sprintf("web-%02d", replicas), labelled(slipwayv1.LabelProject, "lender")))
		replicas++
	}
	for range 8 {
		replica()
	}
	c.rest()
	for i := range 3 {
		c.add(ourPod(fmt.Sprint("job-", i), labelled(slipwayv1.LabelProject, "owner"), ofGroup("job", 3)))
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
				replica()
			case e.bind != "":
				p := c.pods[name.Name].DeepCopy()
				p.Spec.NodeName = e.bind
				c.add(p)
			}
		}
	}
	for i := range 10 {
		c.now = noon.Add(time.Duration(i) * 5 * time.Second)
		round()
	}
	if len(ending) != 3 {
		t.Errorf("%d pods gave way, want 3", len(ending))
	}
	for name := range ending {
		c.end(name)
		round()
	}
	bound := 0
	for _, p := range c.pods {
		if p.Spec.NodeName != "" && strings.HasPrefix(p.Name, "job-") {
			bound++
		}
	}
	if bound != 3 {
		t.Errorf("%d of 3 pods of the job got the room that was made for them", bound)
	}
}
