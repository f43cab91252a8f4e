// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"slipway.dev/slipway/test/e2e/rig"
)

// refused by Kubernetes' scheduler on the node to which it is held, since another pod has a volume
// that is for one pod alone, a pod is made again, by whoever made it, and bound when it can be.
func refused(t *testing.T, c *rig.Cluster) {
	const mounting = container + `, volumeMounts: [{name: data, mountPath: /data}]`
	c.Apply(t, space, `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: for-one}
spec: {accessModes: [ReadWriteOncePod], resources: {requests: {storage: 1Mi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: has-it, labels: {test: has-it}}
spec:
  terminationGracePeriodSeconds: 1
  volumes: [{name: data, persistentVolumeClaim: {claimName: for-one}}]
  containers: [`+mounting+`}]
`)
	c.AwaitPods(t, space, "test=has-it", "the first pod has the volume", bound(1))
	c.Apply(t, space, `
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: refused}
spec:
  selector: {matchLabels: {test: refused}}
  template:
    metadata: {labels: {test: refused}}
    spec:
      schedulerName: slipway
      terminationGracePeriodSeconds: 1
      volumes: [{name: data, persistentVolumeClaim: {claimName: for-one}}]
      resourceClaims: [{name: one, resourceClaimTemplateName: one}]
      containers: [`+mounting+`, resources: {claims: [{name: one}]}}]
`)
	first := c.AwaitPods(t, space, "test=refused", "the pod is held to a node", func(pods []*corev1.Pod) error {
		if len(pods) != 1 || len(pods[0].Spec.SchedulingGates) > 0 {
			return fmt.Errorf("there are %d pods, and it is not let go", len(pods))
		}
		return nil
	})[0]
	c.AwaitPods(t, space, "test=refused", "another pod is made in its stead", func(pods []*corev1.Pod) error {
		if len(pods) == 0 || pods[0].UID == first.UID {
			return errors.New("it is still the first")
		}
		return nil
	})
	if events := c.OK(t, "kubectl", "events", "-n", space, "--for", "pod/"+first.Name); !strings.Contains(events, "Kubernetes' scheduler does not bind it") {
		t.Errorf("its events do not say why it went:\n%s", events)
	}
	c.OK(t, "kubectl", "delete", "pod", "has-it", "-n", space)
	c.AwaitPods(t, space, "test=refused", "the pod is bound once the volume is free", bound(1))
	c.OK(t, "kubectl", "delete", "replicaset", "refused", "-n", space)
}
