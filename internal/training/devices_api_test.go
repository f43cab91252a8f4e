// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// TestAPIPodsClaimDevices: a job waits for the template of its claims, its gang asks for the
// devices, and its pods are bound by the scheduler that allocates them.
func TestAPIPodsClaimDevices(t *testing.T) {
	r := newRig(t)
	r.create(r.newJob(1, 2, func(job *kubeflowv1.PyTorchJob) {
		spec := &job.Spec.PyTorchReplicaSpecs[worker].Template.Spec
		spec.ResourceClaims = []corev1.PodResourceClaim{{Name: "gpus", ResourceClaimTemplateName: ptr.To("two-gpus")}}
		spec.Containers[0].Resources.Claims = []corev1.ResourceClaim{{Name: "gpus"}}
	}))
	r.awaitJob("j", "the missing template to be named", func(job *kubeflowv1.PyTorchJob) bool {
		return strings.Contains(waitsFor(job), "spec.pytorchReplicaSpecs.Worker.template.spec.resourceClaims[0].resourceClaimTemplateName: "+
			"there is no ResourceClaimTemplate two-gpus; make it or name another")
	})
	const large = `device.capacity["gpu.example.com"].memory.compareTo(quantity("40Gi")) > 0`
	r.create(&resourcev1.ResourceClaimTemplate{
		ObjectMeta: metav1.ObjectMeta{Name: "two-gpus", Namespace: r.ns},
		Spec: resourcev1.ResourceClaimTemplateSpec{Spec: resourcev1.ResourceClaimSpec{Devices: resourcev1.DeviceClaim{
			Requests: []resourcev1.DeviceRequest{{Name: "gpus", Exactly: &resourcev1.ExactDeviceRequest{DeviceClassName: "gpu", Count: 2,
				Selectors: []resourcev1.DeviceSelector{{CEL: &resourcev1.CELDeviceSelector{Expression: large}}}}}}}}},
	})
	gang := r.awaitGang("pytorchjob-j")
	want := [][]slipwayv1.DeviceRequest{nil, {{DeviceClass: "gpu", Count: 2, Selectors: []string{large}}}}
	for i, set := range gang.Spec.PodSets {
		if diff := cmp.Diff(want[i], set.Devices); diff != "" {
			t.Errorf("devices of %s: %s", set.Name, diff)
		}
	}
	r.place(gang)
	for _, pod := range r.awaitPods(3) {
		claims := len(pod.Spec.ResourceClaims) > 0
		if claims && pod.Spec.NodeName != "" || nodeOf(&pod) != r.node {
			t.Errorf("%s is on node %q, held to %q", pod.Name, pod.Spec.NodeName, nodeOf(&pod))
		}
	}
}
