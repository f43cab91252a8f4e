// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"errors"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"slipway.dev/slipway/test/e2e/rig"
)

// volumes holds that a claim of the default class keeps what one pod wrote for
// the next, and that nothing of it stays when it is deleted.
func volumes(t *testing.T, c *rig.Cluster) {
	space := c.Namespace(t, "volumes")
	c.Apply(t, space, rig.Claim)
	writer := rig.WithClaim(rig.Pod("writer", "write", "/data/greeting", "still here"))
	writer.Spec.RestartPolicy = corev1.RestartPolicyNever
	pods := c.Client(t).CoreV1().Pods(space)
	if _, err := pods.Create(t.Context(), writer, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	c.AwaitPods(t, space, rig.Label+"=writer", "the writer is done", func(pods []*corev1.Pod) error {
		if len(pods) != 1 {
			return errors.New("it is not there")
		}
		return rig.PodDone(pods[0])
	})
	c.OK(t, "kubectl", "delete", "pod", "-n", space, "writer")
	reader := c.Create(t, space, rig.WithClaim(rig.Pod("reader", "wait")))[0]
	c.Says(t, reader, "still here", "read", "/data/greeting")

	c.OK(t, "kubectl", "delete", "pod/reader", "pvc/data", "-n", space)
	rig.Eventually(t, "the volume goes with its claim", func(ctx context.Context) error {
		all, err := c.Client(t).CoreV1().PersistentVolumes().List(ctx, metav1.ListOptions{})
		if err == nil && len(all.Items) > 0 {
			err = errors.New(all.Items[0].Name + " is still there")
		}
		return err
	})
}

const autoscaled = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: spinner}
spec:
  selector: {matchLabels: {probe: spinner}}
  template:
    metadata: {labels: {probe: spinner}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - {name: probe, image: "` + rig.Image + `", imagePullPolicy: Never, args: [spin], resources: {requests: {cpu: 50m}, limits: {cpu: 200m}}}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: spinner}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: spinner}
  maxReplicas: 2
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}]
`

// metrics holds that people and autoscalers see what pods use.
func metrics(t *testing.T, c *rig.Cluster) {
	space := c.Namespace(t, "metrics")
	c.Apply(t, space, autoscaled)
	rig.Eventually(t, "kubectl top shows the pod and the node", func(context.Context) error {
		for _, args := range [][]string{{"top", "pods", "-n", space}, {"top", "nodes"}} {
			o := c.Run(t, append([]string{"kubectl"}, args...)...)
			if o.Code != 0 || strings.Count(o.Stdout, "\n") < 2 {
				return errors.New(o.Stdout + o.Stderr)
			}
		}
		return nil
	})
	c.AwaitPods(t, space, rig.Label+"=spinner", "the autoscaler adds a pod", func(pods []*corev1.Pod) error {
		if len(pods) < 2 {
			return errors.New("there is one pod")
		}
		return nil
	})
	c.OK(t, "kubectl", "delete", "hpa,deployment", "-n", space, "spinner")
}
