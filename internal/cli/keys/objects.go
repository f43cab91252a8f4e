// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package keys

import (
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

const (
	// Audience of the front door's tokens.
	Audience = "slipway.dev"
	// DefaultName of the account of "slipway key" and "slipway chat".
	DefaultName = "slipway-key"
	// RoleName of the role that lets accounts use a namespace's models.
	RoleName = "slipway-model-user"
	// labelKey marks accounts that were made for keys and go with them.
	labelKey = "slipway.dev/key"
)

// Objects are the account, the role and the binding of a key, in the order in
// which they are made.
func Objects(namespace, name string) []client.Object {
	return []client.Object{account(namespace, name), role(namespace), binding(namespace, name)}
}

func account(namespace, name string) *corev1.ServiceAccount {
	return &corev1.ServiceAccount{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ServiceAccount"},
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace, Labels: map[string]string{labelKey: "true"}},
	}
}

func role(namespace string) *rbacv1.Role {
	return &rbacv1.Role{
		TypeMeta:   metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "Role"},
		ObjectMeta: metav1.ObjectMeta{Name: RoleName, Namespace: namespace},
		Rules: []rbacv1.PolicyRule{{
			APIGroups: []string{slipwayv1.GroupVersion.Group}, Resources: []string{"models"}, Verbs: []string{"use"},
		}},
	}
}

func binding(namespace, name string) *rbacv1.RoleBinding {
	return &rbacv1.RoleBinding{
		TypeMeta:   metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "RoleBinding"},
		ObjectMeta: metav1.ObjectMeta{Name: bindingName(name), Namespace: namespace, Labels: map[string]string{labelKey: "true"}},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: RoleName},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: name, Namespace: namespace}},
	}
}

func bindingName(name string) string { return RoleName + "-" + name }
