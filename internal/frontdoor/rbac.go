// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	rbacv1 "k8s.io/api/rbac/v1"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// Rules are what the front door may do, and all that it does: it changes
// nothing.
func Rules() []rbacv1.PolicyRule {
	return []rbacv1.PolicyRule{
		rule(slipwayv1.GroupVersion.Group, "models", "list", "watch"),
		rule(discoveryv1.GroupName, "endpointslices", "list", "watch"),
		rule(authenticationv1.GroupName, "tokenreviews", "create"),
		rule(authorizationv1.GroupName, "subjectaccessreviews", "create"),
	}
}

func rule(group, resource string, verbs ...string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{APIGroups: []string{group}, Resources: []string{resource}, Verbs: verbs}
}
