// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package rbac

import rbacv1 "k8s.io/api/rbac/v1"

// Rule allows these verbs with resources of one API group. The rooms of the platform say
// with it what they need, which is put together in platform.yaml.
func Rule(group string, resources []string, verbs ...string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{APIGroups: []string{group}, Resources: resources, Verbs: verbs}
}
