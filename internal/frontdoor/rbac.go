// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	rbacv1 "k8s.io/api/rbac/v1"

	"slipway.dev/slipway/api/rbac"
	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// Rules are what the front door may do, and all that it does: it changes
// nothing.
func Rules() []rbacv1.PolicyRule {
	return []rbacv1.PolicyRule{
		rbac.Rule(slipwayv1.GroupVersion.Group, []string{"models"}, "list", "watch"),
		rbac.Rule(discoveryv1.GroupName, []string{"endpointslices"}, "list", "watch"),
		rbac.Rule(authenticationv1.GroupName, []string{"tokenreviews"}, "create"),
		rbac.Rule(authorizationv1.GroupName, []string{"subjectaccessreviews"}, "create"),
	}
}
