// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// conditionsLimit is how long a status waits for the API server.
const conditionsLimit = 2 * time.Second

// conditions asks the API server which nodes are Ready. The answer gives, for
// the name of one, the condition's status and why it is not True.
func (s *Supervisor) conditions() func(name string) (ready, why string) {
	ctx, cancel := context.WithTimeout(context.Background(), conditionsLimit)
	defer cancel()
	unanswered := func(string) (string, string) {
		return string(corev1.ConditionUnknown), "the API server does not answer"
	}
	client, err := s.client()
	if err != nil { // no kubeconfig yet
		return unanswered
	}
	nodes, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return unanswered
	}
	return func(name string) (string, string) { return readiness(nodes.Items, name) }
}

func readiness(nodes []corev1.Node, name string) (ready, why string) {
	for _, n := range nodes {
		for _, c := range n.Status.Conditions {
			switch {
			case n.Name != name || c.Type != corev1.NodeReady:
			case c.Status == corev1.ConditionTrue:
				return string(c.Status), ""
			default:
				return string(c.Status), c.Message
			}
		}
	}
	return string(corev1.ConditionUnknown), "its kubelet has not registered it"
}
