// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestReadiness(t *testing.T) {
	node := func(name string, conditions ...corev1.NodeCondition) corev1.Node {
		return corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}, Status: corev1.NodeStatus{Conditions: conditions}}
	}
	pressure := corev1.NodeCondition{Type: corev1.NodeMemoryPressure, Status: corev1.ConditionFalse, Message: "enough"}
	nodes := []corev1.Node{
		node("well", pressure, corev1.NodeCondition{Type: corev1.NodeReady, Status: corev1.ConditionTrue, Message: "kubelet is posting"}),
		node("frozen", corev1.NodeCondition{Type: corev1.NodeReady, Status: corev1.ConditionUnknown, Message: "Kubelet stopped posting node status."}),
		node("new", pressure),
	}
	for name, want := range map[string][2]string{
		"well":   {"True", ""},
		"frozen": {"Unknown", "Kubelet stopped posting node status."},
		"new":    {"Unknown", "its kubelet has not registered it"},
		"absent": {"Unknown", "its kubelet has not registered it"},
	} {
		if ready, why := readiness(nodes, name); ready != want[0] || why != want[1] {
			t.Errorf("%s: %q, %q, want %q", name, ready, why, want)
		}
	}
}
