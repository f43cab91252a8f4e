// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// maxLevels that are known at a time, far more than clusters have.
const maxLevels = 16

// divide the cluster by those of a node's labels that are levels of its topology.
func (l *ledger) divide(labels []string) {
	for _, label := range labels {
		levels := l.picture.Levels
		if isLevel(label) && len(levels) < maxLevels && !slices.Contains(levels, label) {
			l.picture.Levels = append(levels, label)
			slices.Sort(l.picture.Levels) // whoever was heard of first
		}
	}
}

// isLevel knows the labels of which a cluster's topology is made by their names:
// topology.kubernetes.io/zone, topology.k8s.aws/network-node-layer-1,
// cloud.google.com/gce-topology-block, and so on, and NVLink domains as NVIDIA's GPU
// feature discovery labels them. How they nest is seen from the nodes.
func isLevel(label string) bool {
	return strings.Contains(label, "topology") && label != corev1.LabelHostname || label == "nvidia.com/gpu.clique"
}
