// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// Devices that the first node says it has: an extended resource, as an administrator
// may advertise one.
func (c *Cluster) Devices(t *testing.T, resource corev1.ResourceName, count int) {
	t.Helper()
	patch := fmt.Sprintf(`[{"op": "add", "path": "/status/capacity/%s", "value": "%d"}]`, strings.ReplaceAll(string(resource), "/", "~1"), count)
	c.OK(t, "kubectl", "patch", "node", "node-0", "--subresource=status", "--type=json", "-p", patch)
	c.AwaitNodes(t, "the devices can be had", func(nodes []*corev1.Node) error {
		if n := nodes[0].Status.Allocatable[resource]; n.Value() != int64(count) {
			return fmt.Errorf("there are %s", n.String())
		}
		return nil
	})
}
