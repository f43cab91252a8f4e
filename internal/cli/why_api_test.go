// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// TestAPIWhyAndTop: where no scheduler runs, what it would say is said all the same.
func TestAPIWhyAndTop(t *testing.T) {
	x := newTerminal(t)
	gpus := func(n int64) corev1.ResourceList {
		return corev1.ResourceList{"nvidia.com/gpu": *resource.NewQuantity(n, resource.DecimalSI)}
	}
	x.node(x.namespace, gpus(8))
	for name, pods := range map[string]int32{"big": 3, "fits": 1} {
		g := &slipwayv1.Gang{
			ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: x.namespace},
			Spec: slipwayv1.GangSpec{PodSets: []slipwayv1.PodSet{{Name: "worker", Count: pods, Requests: gpus(6),
				NodeSelector: map[string]string{"test": x.namespace}}}},
		}
		if err := x.client.Create(t.Context(), g); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"why", "big"}, []string{"gang/big in namespace " + x.namespace, "gang big can never run as it is",
			"the scheduler has not written that yet", "to fit, ask for at most 1 pod, or add 2 nodes like " + x.namespace}},
		{[]string{"why", "gang/fits"}, []string{"gang fits has its places", "on " + x.namespace + ` \(1 pod\)`}},
		{[]string{"top", "nodes", x.namespace}, []string{"NAME +STATE +GANGS +NVIDIA.COM/GPU", x.namespace + " +Ready +1 +6/8"}},
	} {
		stdout := x.must("", c.args...)
		for _, want := range c.want {
			if !regexp.MustCompile(want).MatchString(stdout) {
				t.Errorf("%s says\n%s\nwithout %q", strings.Join(c.args, " "), stdout, want)
			}
		}
	}
}

// node that is ready, with the label test and so much room.
func (x *terminal) node(name string, room corev1.ResourceList) {
	x.t.Helper()
	n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"test": name}}}
	err := x.client.Create(x.t.Context(), n)
	x.t.Cleanup(func() { _ = x.client.Delete(context.Background(), n) })
	n.Spec.Taints = nil // admission's, that it is not ready
	err = errors.Join(err, x.client.Update(x.t.Context(), n))
	room[corev1.ResourcePods] = resource.MustParse("110")
	n.Status.Allocatable, n.Status.Capacity = room, room
	n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
	if err := errors.Join(err, x.client.Status().Update(x.t.Context(), n)); err != nil {
		x.t.Fatal(err)
	}
}
