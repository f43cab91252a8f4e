// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package fakenode

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Labels of nodes, from near to far, and what stands next to each other.
const (
	LabelRack  = "rack"
	LabelBlock = "block"

	NodesPerRack  = 64
	NodesPerBlock = 1024
)

// GPU is the resource of which each node has GPUsPerNode.
const (
	GPU         = corev1.ResourceName("nvidia.com/gpu")
	GPUsPerNode = 8
)

// Name of the i-th node.
func Name(i int) string { return fmt.Sprintf("node-%05d", i) }

// Node is the i-th node: a large GPU server with nothing on it.
func Node(i int) *corev1.Node {
	has := corev1.ResourceList{
		corev1.ResourceCPU:              resource.MustParse("128"),
		corev1.ResourceMemory:           resource.MustParse("2Ti"),
		corev1.ResourceEphemeralStorage: resource.MustParse("10Ti"),
		corev1.ResourcePods:             resource.MustParse("110"),
		GPU:                             *resource.NewQuantity(GPUsPerNode, resource.DecimalSI),
	}
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: Name(i), Labels: map[string]string{
			corev1.LabelHostname: Name(i),
			LabelRack:            fmt.Sprintf("rack-%04d", i/NodesPerRack),
			LabelBlock:           fmt.Sprintf("block-%02d", i/NodesPerBlock),
		}},
		Status: corev1.NodeStatus{
			Capacity: has, Allocatable: has,
			Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "Fake"}},
		},
	}
}

// withoutTaints takes back the taint that admission puts on every new node:
// nobody is here who would when it is Ready.
var withoutTaints = client.RawPatch(types.MergePatchType, []byte(`{"spec":{"taints":null}}`))

// Register makes the i-th node.
func Register(ctx context.Context, c client.Client, i int) error {
	node := Node(i)
	if err := c.Create(ctx, node); err != nil {
		return fmt.Errorf("making node %s: %w", node.Name, err)
	}
	if err := c.Patch(ctx, node, withoutTaints); err != nil {
		return fmt.Errorf("taking back the taint of node %s: %w", node.Name, err)
	}
	return nil
}
