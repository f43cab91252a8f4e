// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/placement"
)

// TestGroupThatRunsIsToldToBeLarger: it runs on, and who joins it waits for room alone.
func TestGroupThatRunsIsToldToBeLarger(t *testing.T) {
	c := newCluster(t, newNode("n1", 8, 2))
	c.add(ourPod("a", ofGroup("g", 2)), ourPod("b", ofGroup("g", 2)))
	c.does("a@n1", "b@n1")
	for _, name := range []string{"a", "b"} {
		p := c.pods[name].DeepCopy()
		p.Labels[labelGroupLeast] = fmt.Sprint(3)
		c.add(p)
	}
	c.add(ourPod("c", ofGroup("g", 3)))
	c.rest()
	g := c.ledger.groups["ns/group/g"]
	if g.state != placement.Placed || g.started == 0 {
		t.Errorf("it is told %s, and started at %d", g.state, g.started)
	}
}

// TestGroupThatGrewBeforeARestart is none whose start was cut off: who joins it waits for its turn.
func TestGroupThatGrewBeforeARestart(t *testing.T) {
	for name, tt := range map[string]struct {
		least int
		want  string
	}{
		"grew":        {2, "important@n1"},
		"was cut off": {3, "c@n1"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t, newNode("n1", 8, 3))
			started := func(p *corev1.Pod) { p.Annotations[slipwayv1.AnnotationStartedWith] = fmt.Sprint(tt.least) }
			c.add(ourPod("a", ofGroup("g", 3), boundTo("n1"), started), ourPod("b", ofGroup("g", 3), boundTo("n1"), started))
			c.add(ourPod("c", ofGroup("g", 3)), ourPod("important", ranked(100)))
			if did := c.rest(); !strings.Contains(did, tt.want) {
				t.Errorf("did not do %s:\n%s", tt.want, did)
			}
		})
	}
}

// lived is a pod that was made so many minutes after noon, and ended well at another one; zero
// is not yet.
func lived(made, ended int) func(*corev1.Pod) {
	at := func(minutes int) metav1.Time { return metav1.NewTime(noon.Add(time.Duration(minutes) * time.Minute)) }
	return func(p *corev1.Pod) {
		if p.CreationTimestamp = at(made); ended > 0 {
			p.Spec.NodeName, p.Status.Phase = "n1", corev1.PodSucceeded
			p.Status.ContainerStatuses = []corev1.ContainerStatus{{State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{FinishedAt: at(ended)}}}}
		}
	}
}

// TestAGroupsNameIsUsedAgain: pods of the run before that ended well are not of the next one,
// whatever is heard of first; those of the same run are.
func TestAGroupsNameIsUsedAgain(t *testing.T) {
	of := ofGroup("g", 2)
	for name, tt := range map[string]struct {
		pods []*corev1.Pod
		want string
	}{
		"the first of the next": {[]*corev1.Pod{ourPod("a", of, lived(0, 10)), ourPod("b", of, lived(0, 12)), ourPod("c", of, lived(20, 0))},
			"c: waits for the pods of its group: 1 of 2 are there"},
		"all of the next": {[]*corev1.Pod{ourPod("a", of, lived(0, 10)), ourPod("b", of, lived(0, 12)), ourPod("c", of, lived(20, 0)), ourPod("d", of, lived(20, 0))},
			"c@n1\nd@n1"},
		"one that failed is made again": {[]*corev1.Pod{ourPod("a", of, lived(0, 10)), ourPod("b", of, lived(20, 0))}, "b@n1"},
		"and so in the next": {[]*corev1.Pod{ourPod("a", of, lived(0, 10)), ourPod("b", of, lived(0, 12)), ourPod("c", of, lived(20, 30)), ourPod("d", of, lived(40, 0))},
			"d@n1"},
		"one joins a run": {[]*corev1.Pod{ourPod("a", of, lived(0, 10)), ourPod("b", of, lived(0, 0), boundTo("n1")), ourPod("c", of, lived(20, 0))}, "c@n1"},
	} {
		t.Run(name, func(t *testing.T) {
			for range 2 {
				c := newCluster(t, newNode("n1", 8, 8))
				c.add(tt.pods...)
				c.does(strings.Split(tt.want, "\n")...)
				slices.Reverse(tt.pods)
			}
		})
	}
}
