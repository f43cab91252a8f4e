// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package gangs holds what a gang may ask for on real nodes: to be within a rack, to be
// apart, and to run with less than all its pods.
package gangs

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

const space = "gangs"

// apart keeps a job's pods on nodes of their own.
func apart(name string) string {
	return fmt.Sprintf(`affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{
            topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: %s}}}]}}`, name)
}

func TestGangs(t *testing.T) {
	c := rig.Start(t, "--nodes", "3")
	c.Namespace(t, space)
	for node, rack := range map[string]string{"node-0": "a", "node-1": "b", "node-2": "b"} {
		c.OK(t, "kubectl", "label", "node", node, "topology.example.com/rack="+rack)
	}
	t.Run("within a rack", func(t *testing.T) { rack(t, c) })
	t.Run("apart", func(t *testing.T) { alone(t, c) })
	t.Run("with less than all", func(t *testing.T) { elastic(t, c) })
}

// rack: two pods that are apart fit within rack b alone, and three within none.
func rack(t *testing.T, c *rig.Cluster) {
	const within = `kueue.x-k8s.io/podset-required-topology: topology.example.com/rack`
	c.Apply(t, space, rig.Job{Name: "rack", Workers: 2, Annotations: within, Pod: apart("rack")}.Manifest())
	pods := c.AwaitPods(t, space, "app=rack", "both workers run", rig.PodsReady(2))
	if nodes := nodesOf(pods); !slices.Equal(nodes, []string{"node-1", "node-2"}) {
		t.Errorf("the workers are on %v, want the two nodes of rack b", nodes)
	}
	c.Apply(t, space, rig.Job{Name: "wide", Workers: 3, Annotations: within, Pod: apart("wide")}.Manifest())
	rig.Eventually(t, "the wide job says that it never fits", func(context.Context) error {
		if why := c.OK(t, "why", "-n", space, "pytorchjob/wide"); !strings.Contains(why, "the best topology.example.com/rack, b, has room for 2") {
			return errors.New(why)
		}
		return nil
	})
	c.OK(t, "delete", "-n", space, "pytorchjob/rack", "pytorchjob/wide", "--wait")
}

// alone: three pods that keep away from one another are on three nodes.
func alone(t *testing.T, c *rig.Cluster) {
	c.Apply(t, space, rig.Job{Name: "alone", Workers: 3, Pod: apart("alone")}.Manifest())
	pods := c.AwaitPods(t, space, "app=alone", "three workers run", rig.PodsReady(3))
	if nodes := nodesOf(pods); len(slices.Compact(nodes)) != 3 {
		t.Errorf("the workers are on %v, want a node for each", nodes)
	}
	c.OK(t, "delete", "-n", space, "pytorchjob/alone", "--wait")
}

// elastic: a job of up to three workers goes on when a node dies, and grows when it is
// back. None is restarted for that.
func elastic(t *testing.T, c *rig.Cluster) {
	c.Apply(t, space, rig.Job{Name: "elastic", Workers: 3, Spec: "elasticPolicy: {minReplicas: 1, maxReplicas: 3}", Pod: apart("elastic")}.Manifest())
	before := c.AwaitPods(t, space, "app=elastic", "three workers run", rig.PodsReady(3))
	c.OK(t, "node", "kill", "node-2")
	left := c.AwaitPods(t, space, "app=elastic", "two workers are left", on(2, "node-0", "node-1"))
	for _, pod := range left {
		if !slices.ContainsFunc(before, func(p *corev1.Pod) bool { return p.UID == pod.UID }) {
			t.Errorf("%s was made anew, though its node had not died", pod.Name)
		}
	}
	c.OK(t, "node", "add", "node-2")
	c.AwaitPods(t, space, "app=elastic", "three workers run again", rig.PodsReady(3))
	c.OK(t, "delete", "-n", space, "pytorchjob/elastic", "--wait")
}

func nodesOf(pods []*corev1.Pod) []string {
	var nodes []string
	for _, p := range pods {
		nodes = append(nodes, p.Spec.NodeName)
	}
	slices.Sort(nodes)
	return nodes
}

// on says that so many run, all of them on some of the nodes.
func on(count int, nodes ...string) func([]*corev1.Pod) error {
	return func(pods []*corev1.Pod) error {
		for _, pod := range pods {
			if !slices.Contains(nodes, pod.Spec.NodeName) {
				return fmt.Errorf("%s is on %s", pod.Name, pod.Spec.NodeName)
			}
		}
		return rig.PodsReady(count)(pods)
	}
}
