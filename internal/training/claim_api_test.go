// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/kubetest"
)

func (r *rig) stranger(name string, labels map[string]string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: r.ns, Labels: labels},
		Spec:       corev1.PodSpec{NodeName: r.node, Containers: []corev1.Container{{Name: "pytorch", Image: "i"}}},
	}
}

func TestAPIForeignPodIsNamedAndLeftAlone(t *testing.T) {
	r := newRig(t)
	r.create(r.stranger("j-worker-1", nil))
	r.create(r.newJob(0, 2))
	r.awaitJob("j", "the pod in the way to be named", func(job *kubeflowv1.PyTorchJob) bool {
		return strings.Contains(waitsFor(job),
			"Pod j-worker-1 is in the way and belongs to nobody; delete it or give the job another name")
	})
	r.checkEvents("Blocked")
	gangs := await(r, "gangs", &slipwayv1.GangList{}, func(*slipwayv1.GangList) bool { return true })
	if pods := r.pods(); len(pods) != 1 || len(gangs.Items) != 0 {
		t.Errorf("%d pods, %d gangs: want the stranger alone", len(pods), len(gangs.Items))
	}
}

// A person takes a running pod out of the job, by its owner or by its labels,
// and puts it back.
func TestAPIReleaseAndAdoption(t *testing.T) {
	r := newRig(t)
	r.create(r.newJob(0, 1))
	r.place(r.awaitGang("pytorchjob-j"))
	r.awaitPods(1)
	r.phase("j-worker-0", corev1.PodRunning)
	r.awaitLast("j", kubeflowv1.JobRunning)
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "j-worker-0", Namespace: r.ns}}
	owned := func(want bool) func(*corev1.PodList) bool {
		return func(l *corev1.PodList) bool {
			return len(l.Items) == 1 && l.Items[0].DeletionTimestamp == nil && (metav1.GetControllerOf(&l.Items[0]) != nil) == want
		}
	}
	kubetest.Edit(t, r.client, pod, func(p *corev1.Pod) { p.OwnerReferences = nil })
	await(r, "adoption", &corev1.PodList{}, owned(true))

	kubetest.Edit(t, r.client, pod, func(p *corev1.Pod) { p.Labels["training.kubeflow.org/job-name"] = "under-study" })
	await(r, "release", &corev1.PodList{}, owned(false))
	r.awaitJob("j", "the pod to be named", func(job *kubeflowv1.PyTorchJob) bool {
		return strings.Contains(waitsFor(job), "Pod j-worker-0 is in the way")
	})
}

func TestAPIPriorityClass(t *testing.T) {
	r := newRig(t)
	class := "urgent-" + r.ns
	r.create(r.newJob(0, 1, func(job *kubeflowv1.PyTorchJob) {
		job.Spec.RunPolicy.SchedulingPolicy = &kubeflowv1.SchedulingPolicy{PriorityClass: class}
	}))
	r.awaitJob("j", "the missing class to be named", func(job *kubeflowv1.PyTorchJob) bool {
		return strings.Contains(waitsFor(job),
			"spec.runPolicy.schedulingPolicy.priorityClass: there is no PriorityClass "+class)
	})
	r.create(&schedulingv1.PriorityClass{ObjectMeta: metav1.ObjectMeta{Name: class}, Value: 42})
	if got := r.awaitGang("pytorchjob-j").Spec.Priority; got != 42 {
		t.Errorf("priority %d", got)
	}
}

// Every job of every test would get the value of a default class, so that this is
// tried without the API server.
// A job waits for its claim, and asks for nodes that reach the volume of it.
func TestAPIPodWithAClaimIsHeldToItsNode(t *testing.T) {
	r := newRig(t)
	r.create(r.newJob(0, 1, func(job *kubeflowv1.PyTorchJob) {
		job.Spec.PyTorchReplicaSpecs[worker].Template.Spec.Volumes = []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{
			PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"}}}}
	}))
	r.awaitJob("j", "the missing claim to be named", func(job *kubeflowv1.PyTorchJob) bool {
		return strings.Contains(waitsFor(job),
			"spec.pytorchReplicaSpecs.Worker.template.spec.volumes[0]: there is no PersistentVolumeClaim data; make it")
	})
	volume := r.volume(nodeTerms(corev1.NodeSelectorRequirement{
		Key: "kubernetes.io/hostname", Operator: corev1.NodeSelectorOpIn, Values: []string{r.node}}))
	r.create(&corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: "data", Namespace: r.ns},
		Spec: corev1.PersistentVolumeClaimSpec{VolumeName: volume.Name, AccessModes: volume.Spec.AccessModes,
			Resources: corev1.VolumeResourceRequirements{Requests: volume.Spec.Capacity}},
	})
	gang := r.awaitGang("pytorchjob-j")
	got := gang.Spec.PodSets[0].Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution
	if diff := cmp.Diff(volume.Spec.NodeAffinity.Required, got); diff != "" {
		t.Errorf("affinity of the gang: %s", diff)
	}
	r.place(gang)
	pod := r.awaitPods(1)[0]
	if pod.Spec.NodeName != "" || nodeOf(&pod) != r.node {
		t.Errorf("node %q, held to %q", pod.Spec.NodeName, nodeOf(&pod))
	}
}

// volume that only the nodes of the affinity reach.
func (r *rig) volume(nodes *corev1.Affinity) *corev1.PersistentVolume {
	r.t.Helper()
	volume := &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: "volume-of-" + r.ns},
		Spec: corev1.PersistentVolumeSpec{
			Capacity:               corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")},
			AccessModes:            []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			PersistentVolumeSource: corev1.PersistentVolumeSource{Local: &corev1.LocalVolumeSource{Path: "/data"}},
			NodeAffinity:           &corev1.VolumeNodeAffinity{Required: nodes.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution},
		},
	}
	r.create(volume)
	return volume
}
