// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/kubetest"
	"slipway.dev/slipway/internal/podset"
)

// TestAPIPodsOfNoGangThatClaim wait for the template of their claims, and for what it asks for.
func TestAPIPodsOfNoGangThatClaim(t *testing.T) {
	r := newRig(t)
	r.settled()
	n := r.node("n1", 8, 0)
	class := r.deviceClass("gpu", anyGPU)
	r.publish("n1", "h100")
	r.ours("a", claimsGPU)
	r.awaitWait("a", "there is no ResourceClaimTemplate gpu")
	template := claimTemplate("gpu", class)
	template.Namespace = r.ns
	r.create(template)
	a := r.awaitPod("a", "it to be let go", func(p *corev1.Pod) bool {
		return len(p.Spec.SchedulingGates) == 0 && podset.PinnedTo(p.Spec.Affinity) == n.Name
	})
	if why := refusalOf(a); why != "" {
		t.Errorf("what Slipway said before is taken for the word of Kubernetes' scheduler: %s", why)
	}
	r.must(r.client.Status().Update(t.Context(), unschedulable(a)))
	r.awaitPod("a", "a refusal to be one", func(p *corev1.Pod) bool { return refusalOf(p) == noDevices })
	r.ours("b", claimsGPU)
	r.awaitWait("b", "too little "+class+".deviceclass.resource.k8s.io/devices (0 free of 1)")
}

// TestAPIPodsThatClaim are handed over to Kubernetes' scheduler, with a node, whatever they ask
// of nodes themselves.
func TestAPIPodsThatClaim(t *testing.T) {
	r := newRig(t)
	r.settled()
	r.node("n1", 8, 0)
	n2 := r.node("n2", 8, 0)
	class := r.deviceClass("gpu", anyGPU)
	r.publish("n2", "h100", "h100")
	r.claiming("g", 2, class)
	r.await("g", "Placed")
	template := claimTemplate("gpu", class)
	template.Namespace = r.ns
	r.create(template)
	of := func(p *corev1.Pod) {
		p.Labels = map[string]string{slipwayv1.LabelGang: "g", slipwayv1.LabelPodSet: "worker"}
		claimsGPU(p)
	}
	r.ours("plain", of, func(p *corev1.Pod) { p.Annotations["example.com/own"] = "kept" })
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
	if p := r.awaitPod("plain", "it", func(*corev1.Pod) bool { return true }); p.Annotations["example.com/own"] != "kept" {
		t.Errorf("plain has the annotations %v", p.Annotations)
	}
	r.ours("more", of)
	r.awaitWait("more", "the places of Gang "+r.ns+"/g are all taken")
}

// TestAPIHeldPodsStaySo: neither the label, by which they count, nor the gate is anybody's who may
// edit pods.
func TestAPIHeldPodsStaySo(t *testing.T) {
	r := newRig(t)
	r.settled()
	r.node("n1", 8, 0)
	r.ours("a", func(p *corev1.Pod) {
		p.Spec.ResourceClaims = []corev1.PodResourceClaim{{Name: "gpu", ResourceClaimTemplateName: ptr.To("gpu")}}
	})
	pod := r.awaitPod("a", "it to be held back", func(p *corev1.Pod) bool { return len(p.Spec.SchedulingGates) == 1 })
	editor, err := client.New(kubetest.Limited(t, r.config, "editor-"+r.ns, []rbacv1.PolicyRule{
		{APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"create", "patch"}}}), client.Options{Scheme: r.client.Scheme()})
	r.must(err)
	for what, patch := range map[string]string{
		"metadata.labels: slipway.dev/held is written": `{"metadata": {"labels": {"slipway.dev/held": null}}}`,
		"spec.schedulingGates: the pod is held back":   `{"spec": {"schedulingGates": null}}`,
	} {
		err := editor.Patch(t.Context(), pod.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(patch)))
		if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", patch, err)
		}
	}
	forged := ourPod("forged", labelled(slipwayv1.LabelHeld, "true"), func(p *corev1.Pod) { p.Spec.SchedulerName = corev1.DefaultSchedulerName })
	forged.ObjectMeta = metav1.ObjectMeta{Name: "forged", Namespace: r.ns, Labels: forged.Labels}
	if err := editor.Create(t.Context(), forged); !apierrors.IsForbidden(err) {
		t.Errorf("a pod with the label and without the gate: %v", err)
	}
}
