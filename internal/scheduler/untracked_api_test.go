// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"context"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/kubetest"
)

// TestAPIUntracked: the API server keeps no book of who wrote which field of a Gang and of its pods,
// and does of one that somebody applies, whose tool needs it, and of other pods.
func TestAPIUntracked(t *testing.T) {
	config := kubetest.Start(t)
	c, ns := kubetest.Client(t, config, slipwayv1.AddToScheme), kubetest.Namespace(t, config)
	kubetest.ApplyPolicies(t, c, "gangs.yaml")
	kubetest.Until(t, "the policies about Gangs to be followed", func(ctx context.Context) bool {
		g := plainGang(ns, "offered")
		return c.Create(ctx, g, client.DryRunAll) == nil && len(g.ManagedFields) == 0
	})
	gang := plainGang(ns, "made")
	create(t, c, gang)
	gang.Status.Conditions = []metav1.Condition{{Type: slipwayv1.ConditionPlaced, Status: metav1.ConditionFalse, Reason: "Waiting", LastTransitionTime: metav1.Now()}}
	if err := c.Status().Update(t.Context(), gang); err != nil {
		t.Fatal(err)
	}
	pod := func(name string, labels map[string]string) *corev1.Pod {
		return &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: ns, Labels: labels},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "example.org/none"}}},
		}
	}
	member := pod("member", map[string]string{slipwayv1.LabelGang: "made"})
	create(t, c, member)
	other := pod("other", nil)
	create(t, c, other)
	applied := appliedGang(ns, "applied")
	if err := c.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(applied), client.FieldOwner("tool")); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		o       client.Object
		tracked bool
	}{{gang, false}, {member, false}, {other, true}, {applied, true}} {
		if err := c.Get(t.Context(), client.ObjectKeyFromObject(tt.o), tt.o); err != nil {
			t.Fatal(err)
		}
		if got := len(tt.o.GetManagedFields()) > 0; got != tt.tracked {
			t.Errorf("%s: book is kept: %t, and should: %t", tt.o.GetName(), got, tt.tracked)
		}
	}
}

func plainGang(namespace, name string) *slipwayv1.Gang {
	return &slipwayv1.Gang{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace},
		Spec:       slipwayv1.GangSpec{PodSets: []slipwayv1.PodSet{{Name: "worker", Count: 1}}},
	}
}

func create(t *testing.T, c client.Client, o client.Object) {
	t.Helper()
	if err := c.Create(t.Context(), o); err != nil {
		t.Fatal(err)
	}
}
