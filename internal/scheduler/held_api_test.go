// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/podset"
)

// TestAPIPodsOfNoGangThatClaim wait for the template of their claims, and for what it asks for.
func TestAPIPodsOfNoGangThatClaim(t *testing.T) {
	r := newRig(t)
	n := r.node("n1", 8, 0)
	class := r.deviceClass("gpu", anyGPU)
	r.publish("n1", "h100")
	claims := func(p *corev1.Pod) {
		p.Spec.Containers[0].Resources = corev1.ResourceRequirements{Requests: quantities(1, 0), Claims: []corev1.ResourceClaim{{Name: "gpu"}}}
		p.Spec.ResourceClaims = []corev1.PodResourceClaim{{Name: "gpu", ResourceClaimTemplateName: ptr.To("gpu")}}
	}
	r.ours("a", claims)
	r.awaitWait("a", "there is no ResourceClaimTemplate gpu")
	template := claimTemplate("gpu", class)
	template.Namespace = r.ns
	r.create(template)
	r.awaitPod("a", "it to be let go", func(p *corev1.Pod) bool {
		return len(p.Spec.SchedulingGates) == 0 && podset.PinnedTo(p.Spec.Affinity) == n.Name
	})
	r.ours("b", claims)
	r.awaitWait("b", "too little "+class+".deviceclass.resource.k8s.io/devices (0 free of 1)")
}

// TestAPIPodsThatClaim are handed over to Kubernetes' scheduler, with a node, whatever they ask
// of nodes themselves.
func TestAPIPodsThatClaim(t *testing.T) {
	r := newRig(t)
	r.node("n1", 8, 0)
	n2 := r.node("n2", 8, 0)
	class := r.deviceClass("gpu", anyGPU)
	r.publish("n2", "h100", "h100")
	r.claiming("g", 2, class)
	r.await("g", "Placed")
	of := func(p *corev1.Pod) {
		p.Labels = map[string]string{slipwayv1.LabelGang: "g", slipwayv1.LabelPodSet: "worker"}
		p.Spec.Containers[0].Resources = corev1.ResourceRequirements{Requests: quantities(1, 0), Claims: []corev1.ResourceClaim{{Name: "gpu"}}}
		p.Spec.ResourceClaims = []corev1.PodResourceClaim{{Name: "gpu", ResourceClaimTemplateName: ptr.To("gpu")}}
	}
	r.ours("plain", of)
	r.ours("choosy", of, func(p *corev1.Pod) {
		p.Spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{
			NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{
				{Key: corev1.LabelHostname, Operator: corev1.NodeSelectorOpNotIn, Values: []string{"elsewhere"}}}}}}}}
	})
	for _, name := range []string{"plain", "choosy"} {
		p := r.awaitPod(name, "it to be let go", func(p *corev1.Pod) bool { return len(p.Spec.SchedulingGates) == 0 })
		if node := podset.PinnedTo(p.Spec.Affinity); node != n2.Name || p.Spec.NodeName != "" || p.Spec.SchedulerName != corev1.DefaultSchedulerName {
			t.Errorf("%s is held to node %q, on %q and the business of %s", name, node, p.Spec.NodeName, p.Spec.SchedulerName)
		}
	}
	r.ours("more", of)
	r.awaitWait("more", "the places of Gang "+r.ns+"/g are all taken")
}
