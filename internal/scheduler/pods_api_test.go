// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"slices"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	schedulingv1beta1 "k8s.io/api/scheduling/v1beta1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/kubetest"
	"slipway.dev/slipway/internal/scheduler/snapshot"
)

// ours makes a pod of one GPU that this scheduler is to bind.
func (r *rig) ours(name string, change ...func(*corev1.Pod)) *corev1.Pod {
	r.t.Helper()
	p := ourPod(name, change...)
	p.ObjectMeta = metav1.ObjectMeta{Name: name, Namespace: r.ns, Labels: p.Labels, Annotations: p.Annotations}
	r.create(p)
	return p
}

// awaitPod that a condition holds of.
func (r *rig) awaitPod(name, what string, ok func(*corev1.Pod) bool) *corev1.Pod {
	r.t.Helper()
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: r.ns}}
	return kubetest.Await(r.t, r.client, pod, what, ok)
}

func (r *rig) awaitBound(name string) *corev1.Pod {
	r.t.Helper()
	return r.awaitPod(name, "its node", func(p *corev1.Pod) bool { return p.Spec.NodeName != "" })
}

// awaitWait until the pod says, where Kubernetes' scheduler does, that it waits for
// something.
func (r *rig) awaitWait(name, why string) {
	r.t.Helper()
	r.awaitPod(name, "it to wait because "+why, func(p *corev1.Pod) bool {
		for _, c := range p.Status.Conditions {
			if c.Type == corev1.PodScheduled {
				return c.Status == corev1.ConditionFalse && c.Reason == corev1.PodReasonUnschedulable && strings.Contains(c.Message, why)
			}
		}
		return false
	})
}

func TestAPIPodsAreBoundOrSayWhy(t *testing.T) {
	r := newRig(t)
	n := r.node("n1", 8, 2)
	r.ours("a")
	if p := r.awaitBound("a"); p.Spec.NodeName != n.Name {
		t.Errorf("bound to %s", p.Spec.NodeName)
	}
	for _, name := range []string{"g-0", "g-1"} {
		r.ours(name, ofGroup("g", 3))
		r.awaitWait(name, "waits for the pods of its group")
	}
	r.ours("g-2", ofGroup("g", 3))
	r.awaitWait("g-0", "needs 3 pods")
	r.node("n2", 8, 2)
	for _, name := range []string{"g-0", "g-1", "g-2"} {
		if with := r.awaitBound(name).Annotations[slipwayv1.AnnotationStartedWith]; with != "3" {
			t.Errorf("%s started with %q pods", name, with)
		}
	}
}

// TestAPIKubernetesPodGroup says, as its pods do, why it waits, and that it was placed.
func TestAPIKubernetesPodGroup(t *testing.T) {
	r := newRig(t)
	r.node("n1", 8, 2)
	group := &schedulingv1beta1.PodGroup{ObjectMeta: metav1.ObjectMeta{Name: "g", Namespace: r.ns}, Spec: schedulingv1beta1.PodGroupSpec{
		SchedulingPolicy: schedulingv1beta1.PodGroupSchedulingPolicy{Gang: &schedulingv1beta1.GangSchedulingPolicy{MinCount: 2}}}}
	r.create(group)
	in := func(p *corev1.Pod) { p.Spec.SchedulingGroup = &corev1.PodSchedulingGroup{PodGroupName: ptr.To("g")} }
	says := func(status metav1.ConditionStatus) {
		t.Helper()
		kubetest.Await(t, r.client, group, "PodGroupInitiallyScheduled to be "+string(status), func(g *schedulingv1beta1.PodGroup) bool {
			return meta.IsStatusConditionPresentAndEqual(g.Status.Conditions, schedulingv1beta1.PodGroupInitiallyScheduled, status)
		})
	}
	r.ours("a", in)
	r.awaitWait("a", "1 of 2 are there")
	says(metav1.ConditionFalse)
	r.ours("b", in)
	r.awaitBound("a")
	r.awaitBound("b")
	says(metav1.ConditionTrue)

	// One that dies after the binding leaves it to the next to say so.
	r.stop()
	r.must(r.client.Get(t.Context(), client.ObjectKeyFromObject(group), group))
	group.Status.Conditions = nil
	r.must(r.client.Status().Update(t.Context(), group))
	r.start()
	says(metav1.ConditionTrue)
}

// TestAPIPodsOfAGang: the pods of an indexed Job go where their gang was placed.
func TestAPIPodsOfAGang(t *testing.T) {
	r := newRig(t)
	n := r.node("n1", 8, 4)
	r.gang("g", 2, 1)
	r.await("g", "Placed")
	for _, index := range []string{"0", "1"} {
		r.ours("p-"+index, labelled(slipwayv1.LabelGang, "g"), labelled(slipwayv1.LabelPodSet, "worker"),
			labelled(batchv1.JobCompletionIndexAnnotation, index))
		if p := r.awaitBound("p-" + index); p.Spec.NodeName != n.Name {
			t.Errorf("bound to %s", p.Spec.NodeName)
		}
	}
	r.gang("rest", 2, 1)
	r.await("rest", "Placed")
}

// TestAPIPodsGiveWay to one of higher priority, and go.
func TestAPIPodsGiveWay(t *testing.T) {
	r := newRig(t)
	r.node("n1", 8, 1)
	low := r.ours("low", func(p *corev1.Pod) { p.Spec.TerminationGracePeriodSeconds = ptr.To[int64](60) })
	r.awaitBound("low")
	high := newGang("high", 1, 1)
	high.ObjectMeta = metav1.ObjectMeta{Name: "high", Namespace: r.ns}
	high.Spec.Priority = 5
	r.create(high)
	p := r.awaitPod("low", "it to be deleted", func(p *corev1.Pod) bool { return p.DeletionTimestamp != nil })
	taker := "gave its places to " + r.ns + "/high, which has priority 5"
	if !slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.DisruptionTarget && c.Reason == corev1.PodReasonPreemptionByScheduler && c.Message == taker
	}) {
		t.Errorf("has the conditions %v", p.Status.Conditions)
	}
	if e := r.awaitEvent("low", reasonPreempted); e.Note != taker {
		t.Errorf("says %q", e.Note)
	}
	r.ours("later")
	if e := r.awaitEvent("later", reasonFailedScheduling); !strings.HasPrefix(e.Note, "needs 1 pod") {
		t.Errorf("says %q", e.Note)
	}
	r.delete(low)
	r.await("high", "Placed")
}

// TestAPIVolumeForAPod: a claim that waits for its first pod is told the pod's node.
func TestAPIVolumeForAPod(t *testing.T) {
	r := newRig(t)
	n := r.node("n1", 8, 1)
	class := &storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: "later-" + r.ns}, Provisioner: "example.com/x",
		VolumeBindingMode: ptr.To(storagev1.VolumeBindingWaitForFirstConsumer)}
	r.create(class)
	claim := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Name: "data", Namespace: r.ns}, Spec: corev1.PersistentVolumeClaimSpec{
		StorageClassName: &class.Name, AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
		Resources: corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}}}}
	r.create(claim)
	r.ours("p", func(p *corev1.Pod) {
		p.Spec.Volumes = []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{
			PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"}}}}
	})
	r.awaitWait("p", "the claim data has no volume yet")
	r.must(r.client.Get(t.Context(), client.ObjectKeyFromObject(claim), claim))
	if got := claim.Annotations[snapshot.AnnotationSelectedNode]; got != n.Name {
		t.Fatalf("the volume is made for %q", got)
	}
	r.create(&corev1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: "volume-" + r.ns}, Spec: corev1.PersistentVolumeSpec{
		Capacity: claim.Spec.Resources.Requests, AccessModes: claim.Spec.AccessModes, StorageClassName: class.Name,
		PersistentVolumeSource: corev1.PersistentVolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/x"}}}})
	kubetest.Edit(t, r.client, claim, func(c *corev1.PersistentVolumeClaim) { c.Spec.VolumeName = "volume-" + r.ns })
	kubetest.EditStatus(t, r.client, claim, func(c *corev1.PersistentVolumeClaim) { c.Status.Phase = corev1.ClaimBound })
	r.awaitBound("p")
}
