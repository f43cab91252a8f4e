// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package kubetest

import (
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Client that knows Kubernetes' kinds and those that are added.
func Client(t testing.TB, config *rest.Config, add ...func(*runtime.Scheme) error) client.WithWatch {
	t.Helper()
	c, err := client.NewWithWatch(config, client.Options{Scheme: Kinds(t, add...)})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Kinds are Kubernetes' and those that are added.
func Kinds(t testing.TB, add ...func(*runtime.Scheme) error) *runtime.Scheme {
	t.Helper()
	kinds := runtime.NewScheme()
	for _, add := range append(add, clientgoscheme.AddToScheme) {
		if err := add(kinds); err != nil {
			t.Fatal(err)
		}
	}
	return kinds
}

// Limited is the access of a new user, who may do what the rules say, in every
// namespace, and no more.
func Limited(t testing.TB, config *rest.Config, user string, rules []rbacv1.PolicyRule) *rest.Config {
	t.Helper()
	clients, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	name := metav1.ObjectMeta{Name: user}
	role := &rbacv1.ClusterRole{ObjectMeta: name, Rules: rules}
	if _, err := clients.RbacV1().ClusterRoles().Create(t.Context(), role, metav1.CreateOptions{}); err != nil {
		t.Fatalf("making the role of user %s: %v", user, err)
	}
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: name,
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: user},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
	}
	if _, err := clients.RbacV1().ClusterRoleBindings().Create(t.Context(), binding, metav1.CreateOptions{}); err != nil {
		t.Fatalf("giving user %s a role: %v", user, err)
	}
	return As(config, user)
}

// As is the access of a user, who is in the groups and authenticated.
func As(config *rest.Config, user string, groups ...string) *rest.Config {
	config = rest.CopyConfig(config)
	config.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: append(groups, "system:authenticated")}
	return config
}
