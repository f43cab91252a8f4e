// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
)

func TestEnsureTwice(t *testing.T) {
	c := fake.NewClientBuilder().WithScheme(clientgoscheme.Scheme).Build()
	for range 2 {
		if err := Ensure(t.Context(), c, Objects("team", "ci")); err != nil {
			t.Fatal(err)
		}
	}
	var found rbacv1.RoleBinding
	if err := c.Get(t.Context(), client.ObjectKey{Namespace: "team", Name: "slipway-model-user-ci"}, &found); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(binding("team", "ci").Subjects, found.Subjects); diff != "" {
		t.Errorf("subjects (-want +got):\n%s", diff)
	}
}

func TestRevoke(t *testing.T) {
	theirs := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "default", Namespace: "team"}}
	c := fake.NewClientBuilder().WithScheme(clientgoscheme.Scheme).WithObjects(theirs).Build()
	for _, name := range []string{"ci", "default"} {
		if err := Ensure(t.Context(), c, Objects("team", name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		name string
		want []string
	}{
		{"ci", []string{"RoleBinding/slipway-model-user-ci", "ServiceAccount/ci"}},
		{"ci", nil},
		{"default", []string{"RoleBinding/slipway-model-user-default"}},
		{"nobody", nil},
	} {
		got, err := Revoke(t.Context(), c, "team", step.name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(step.want, got); diff != "" {
			t.Errorf("revoking %s deleted (-want +got):\n%s", step.name, diff)
		}
	}
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(theirs), theirs); err != nil {
		t.Errorf("an account that was not made for keys: %v", err)
	}
}
