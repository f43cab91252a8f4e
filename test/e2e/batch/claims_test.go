// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"slipway.dev/slipway/test/e2e/rig"
)

func claim(t *testing.T, c *rig.Cluster) {
	c.Apply(t, space, rig.Claim+`---
apiVersion: v1
kind: Pod
metadata: {name: mounts, labels: {test: mounts}}
spec:
  schedulerName: slipway
  terminationGracePeriodSeconds: 1
  containers:
  - `+container+`, volumeMounts: [{name: data, mountPath: /data}]}
  volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
`)
	c.AwaitPods(t, space, "test=mounts", "the pod has its volume", rig.PodsReady(1))
}

// claimDevices of a node, that nobody drives: the pods get them, and the job that asks for more
// of them than there are left waits.
func claimDevices(t *testing.T, c *rig.Cluster) {
	c.Apply(t, space, `
apiVersion: resource.k8s.io/v1
kind: DeviceClass
metadata: {name: e2e}
spec: {selectors: [{cel: {expression: 'device.driver == "e2e.example.com"'}}]}
---
apiVersion: resource.k8s.io/v1
kind: ResourceSlice
metadata: {name: e2e}
spec:
  driver: e2e.example.com
  nodeName: node-0
  pool: {name: node-0, generation: 1, resourceSliceCount: 1}
  devices: [{name: a}, {name: b}, {name: c}]
---
apiVersion: resource.k8s.io/v1
kind: ResourceClaimTemplate
metadata: {name: one}
spec: {spec: {devices: {requests: [{name: one, exactly: {deviceClassName: e2e}}]}}}
`)
	for _, name := range []string{"claims", "claims-too"} {
		c.Apply(t, space, fmt.Sprintf(`
apiVersion: batch/v1
kind: Job
metadata: {name: %[1]s, labels: {kueue.x-k8s.io/queue-name: team}}
spec:
  parallelism: 2
  completions: 2
  suspend: true
  template:
    metadata: {labels: {test: %[1]s}}
    spec:
      restartPolicy: Never
      terminationGracePeriodSeconds: 1
      resourceClaims: [{name: one, resourceClaimTemplateName: one}]
      containers:
      - %[2]s, resources: {claims: [{name: one}]}}
`, name, container))
	}
	c.AwaitPods(t, space, "test=claims", "both pods are bound", bound(2))
	c.Apply(t, space, `
apiVersion: v1
kind: Pod
metadata: {name: alone, labels: {test: alone}}
spec:
  schedulerName: slipway
  terminationGracePeriodSeconds: 1
  resourceClaims: [{name: one, resourceClaimTemplateName: one}]
  containers:
  - `+container+`, resources: {claims: [{name: one}]}}
`)
	c.AwaitPods(t, space, "test=alone", "the pod is bound", bound(1))
	allocated := c.OK(t, "kubectl", "get", "resourceclaims", "-n", space, "-o", `jsonpath={.items[*].status.allocation.devices.results[0].device}`)
	if devices := strings.Fields(allocated); len(slices.Compact(slices.Sorted(slices.Values(devices)))) != 3 {
		t.Errorf("the claims have the devices %q", allocated)
	}
	rig.Eventually(t, "the other job says what is missing", func(context.Context) error {
		if why := c.OK(t, "why", "job/claims-too", "-n", space); !strings.Contains(why, "e2e.deviceclass.resource.k8s.io/devices (0 free of 3)") {
			return errors.New(why)
		}
		return nil
	})
	c.OK(t, "delete", "-n", space, "job/claims", "--wait")
	c.AwaitPods(t, space, "test=claims-too", "the other job has its pods", bound(2))
	c.OK(t, "delete", "-n", space, "job/claims-too", "--wait")
	c.OK(t, "kubectl", "delete", "pod", "alone", "-n", space)
}

// bound are so many pods, all of them.
func bound(count int) func([]*corev1.Pod) error {
	return func(pods []*corev1.Pod) error {
		for _, p := range pods {
			if p.Spec.NodeName == "" {
				return fmt.Errorf("%s has no node", p.Name)
			}
		}
		if len(pods) != count {
			return fmt.Errorf("there are %d", len(pods))
		}
		return nil
	}
}
