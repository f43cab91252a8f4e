// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

func madeBy(user string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Annotations[slipwayv1.AnnotationUser] = user }
}

// TestPodsCountForTheirUsers as Gangs do: who runs less goes first.
func TestPodsCountForTheirUsers(t *testing.T) {
	c := newCluster(t, newNode("n1", 8, 3))
	c.set(limited("p", 8))
	of := labelled(slipwayv1.LabelProject, "p")
	job := newGang("job", 1, 1)
	job.Spec.Project, job.Spec.User = "p", "ada"
	c.set(job)
	c.settle()
	c.add(ourPod("a1", of, madeBy("ada")))
	c.does("a1@n1")
	c.add(ourPod("a2", of, madeBy("ada")))
	c.add(ourPod("b1", of, madeBy("bob")))
	c.does("a2: needs 1 pod of 1 cpu and 1 nvidia.com/gpu; none fits now: 1 node has too little nvidia.com/gpu (0 free of 3)", "b1@n1")
	if used := c.ledger.picture.UsedBy("p", "nvidia.com/gpu", ""); used["ada"] != 2 || used["bob"] != 1 {
		t.Errorf("used by users: %v", used)
	}
}
