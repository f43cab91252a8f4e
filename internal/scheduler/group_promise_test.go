// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	schedulingv1beta1 "k8s.io/api/scheduling/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// TestGroupsKeepTheirPromise when their pods change, as a Gang that is edited does: as long as they
// ask for no more than before.
func TestGroupsKeepTheirPromise(t *testing.T) {
	podGroup := &schedulingv1beta1.PodGroup{ObjectMeta: metav1.ObjectMeta{Name: "g", Namespace: "ns"}}
	podGroup.Spec.SchedulingPolicy.Gang = &schedulingv1beta1.GangSchedulingPolicy{MinCount: 2}
	for kind, of := range map[string]struct {
		key  string
		join func(*corev1.Pod)
	}{
		"labels": {"ns/group/g", ofGroup("g", 2)},
		"PodGroup": {"ns/podgroup/g", func(p *corev1.Pod) {
			p.Spec.SchedulingGroup = &corev1.PodSchedulingGroup{PodGroupName: ptr.To("g")}
		}},
	} {
		for name, tt := range map[string]struct {
			change func(*cluster)
			keeps  bool
		}{
			"one goes":                    {func(c *cluster) { c.end("p-2") }, true},
			"one is told anew":            {func(c *cluster) { c.add(ourPod("p-2", of.join, labelled("seen", "twice"))) }, true},
			"one goes, and another comes": {func(c *cluster) { c.end("p-2"); c.add(ourPod("p-3", of.join)) }, true},
			"one comes":                   {func(c *cluster) { c.add(ourPod("p-3", of.join)) }, false},
			"too few are left":            {func(c *cluster) { c.end("p-1"); c.end("p-2") }, false},
		} {
			t.Run(kind+": "+name, func(t *testing.T) {
				c := newCluster(t, newNode("n1", 8, 4))
				c.set(podGroup)
				c.set(atMost(newGang("runs", 3, 1), time.Hour))
				c.rest()
				for i := range 3 {
					c.add(ourPod(fmt.Sprint("p-", i), of.join))
				}
				c.rest()
				c.ledger.plan()
				before, is := c.ledger.picture.PlannedStart(of.key)
				if want := noon.Add(time.Hour).Unix(); !is || before.At != want {
					t.Fatalf("it is promised a start at %d (%t), want %d", before.At, is, want)
				}
				tt.change(c)
				c.rest()
				if after, is := c.ledger.picture.PlannedStart(of.key); is != tt.keeps || is && (after.Number != before.Number || after.At != before.At) {
					t.Errorf("it was promised %+v, and now %+v (%t); want it kept: %t", before, after, is, tt.keeps)
				}
			})
		}
	}
}
