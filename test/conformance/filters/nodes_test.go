// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package filters

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Labels and values that nodes have and pods ask for. Some values are numbers for
// Gt and Lt.
var (
	nodeLabels = []string{"zone", "rack", "size"}
	nodeValues = []string{"", "a", "b", "1", "7"}
)

const maxNodes = 5

func nodeName(i int) string { return fmt.Sprint("n", i) }

func (d *dice) nodes() []*corev1.Node {
	var nodes []*corev1.Node
	for i := range 1 + d.n(maxNodes) {
		nodes = append(nodes, d.node(nodeName(i)))
	}
	return nodes
}

func (d *dice) node(name string) *corev1.Node {
	n := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name), Labels: map[string]string{}},
		Spec:       corev1.NodeSpec{Unschedulable: d.oneIn(8), Taints: list(d, d.n(3), d.taint)},
		Status: corev1.NodeStatus{
			Allocatable: d.allocatable(),
			Conditions:  []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}},
		},
	}
	if !d.oneIn(6) {
		n.Labels[corev1.LabelHostname] = name
	}
	for _, label := range some(d, nodeLabels...) {
		n.Labels[label] = one(d, nodeValues...)
	}
	return n
}

func (d *dice) allocatable() corev1.ResourceList {
	list := corev1.ResourceList{
		corev1.ResourceCPU:    resource.MustParse(one(d, "8", "4", "2500m", "0")),
		corev1.ResourceMemory: resource.MustParse(one(d, "4Gi", "1Gi", "1000M")),
		corev1.ResourcePods:   resource.MustParse(one(d, "10", "3", "2", "1", "0")),
	}
	if !d.oneIn(3) {
		list[corev1.ResourceEphemeralStorage] = resource.MustParse("10Gi")
	}
	if d.oneIn(2) {
		list[gpus] = resource.MustParse(one(d, "2", "1", "0"))
	}
	if d.oneIn(4) {
		list[hugePages] = resource.MustParse("512Mi")
	}
	return list
}

var effects = []corev1.TaintEffect{corev1.TaintEffectNoSchedule, corev1.TaintEffectNoExecute, corev1.TaintEffectPreferNoSchedule}

// taint of any kind. None of those by which the node controller says that a node
// is unwell, which say more to ours than to Kubernetes' filters.
func (d *dice) taint() corev1.Taint {
	return corev1.Taint{
		Key:    one(d, "a", "b", corev1.TaintNodeUnschedulable, corev1.TaintNodeMemoryPressure),
		Value:  one(d, "", "x", "5"),
		Effect: one(d, effects...),
	}
}
