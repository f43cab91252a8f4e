// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	resourcev1 "k8s.io/api/resource/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/kubetest"
)

// TestAPIJobsClaimDevices: a Job waits for the template of its claims, and its Gang asks for the
// devices.
func TestAPIJobsClaimDevices(t *testing.T) {
	r := newRig(t)
	r.settled()
	r.run()
	r.create(r.job("j", label(slipwayv1.LabelProject, "p"), func(j *batchv1.Job) {
		spec := &j.Spec.Template.Spec
		spec.ResourceClaims = []corev1.PodResourceClaim{{Name: "gpus", ResourceClaimTemplateName: ptr.To("two-gpus")}}
		spec.Containers[0].Resources.Claims = []corev1.ResourceClaim{{Name: "gpus"}}
	}))
	kubetest.AwaitList(t, r.client, r.ns, "the missing template to be named", &eventsv1.EventList{}, func(l *eventsv1.EventList) bool {
		return slices.ContainsFunc(l.Items, func(e eventsv1.Event) bool {
			return strings.Contains(e.Note, "spec.template.spec.resourceClaims[0].resourceClaimTemplateName: there is no ResourceClaimTemplate two-gpus; make it or name another")
		})
	})
	r.create(&resourcev1.ResourceClaimTemplate{
		ObjectMeta: metav1.ObjectMeta{Name: "two-gpus", Namespace: r.ns},
		Spec: resourcev1.ResourceClaimTemplateSpec{Spec: resourcev1.ResourceClaimSpec{Devices: resourcev1.DeviceClaim{
			Requests: []resourcev1.DeviceRequest{{Name: "gpus", Exactly: &resourcev1.ExactDeviceRequest{DeviceClassName: "gpu", Count: 2}}}}}},
	})
	gang := r.awaitGangs(1)[0]
	if diff := cmp.Diff([]slipwayv1.DeviceRequest{{DeviceClass: "gpu", Count: 2}}, gang.Spec.PodSets[0].Devices); diff != "" {
		t.Error(diff)
	}
	r.place(&gang, true)
	r.awaitJob("j", "runs")
}

// TestAPIGoesOnWhenWhatItNeedsComes: a claim that is made, its volume, a name that
// becomes free, and a priority class.
func TestAPIGoesOnWhenWhatItNeedsComes(t *testing.T) {
	r := newRig(t)
	r.settled()
	r.run()
	other := &slipwayv1.Gang{ObjectMeta: metav1.ObjectMeta{Name: "job-named", Namespace: r.ns}, Spec: slipwayv1.GangSpec{PodSets: []slipwayv1.PodSet{{Name: "w", Count: 1}}}}
	r.create(other)
	r.create(r.job("named", label(slipwayv1.LabelProject, "p")))
	r.create(r.job("mounts", label(slipwayv1.LabelProject, "p"), func(j *batchv1.Job) {
		j.Spec.Template.Spec.Volumes = []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{
			PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"}}}}
	}))
	r.create(r.job("ranked", label(slipwayv1.LabelProject, "p"), func(j *batchv1.Job) { j.Spec.Template.Spec.PriorityClassName = r.ns }))
	kubetest.AwaitList(t, r.client, r.ns, "all to be told what is missing", &eventsv1.EventList{}, func(l *eventsv1.EventList) bool {
		blocked := map[string]bool{}
		for _, e := range l.Items {
			blocked[e.Regarding.Name] = blocked[e.Regarding.Name] || e.Reason == "Blocked"
		}
		return blocked["named"] && blocked["mounts"] && blocked["ranked"]
	})
	r.must(r.client.Delete(t.Context(), other))
	r.create(&corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Name: "data", Namespace: r.ns},
		Spec: corev1.PersistentVolumeClaimSpec{AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources: corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}}}})
	class := &schedulingv1.PriorityClass{ObjectMeta: metav1.ObjectMeta{Name: r.ns}, Value: 7}
	r.create(class)
	t.Cleanup(func() { _ = r.client.Delete(context.Background(), class) })
	for _, g := range r.awaitGangs(3) {
		if owner := metav1.GetControllerOf(&g); owner == nil || owner.Kind != kind {
			t.Errorf("gang %s is of %+v", g.Name, owner)
		}
	}
}
