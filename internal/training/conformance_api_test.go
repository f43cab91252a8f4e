// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/yaml"
)

const (
	// manifests of our own making, in the forms that people write.
	manifests = "../../test/conformance/manifests/kubeflow-v1"
	// variableManifests names a folder with upstream's samples, which are tried as well.
	variableManifests = "SLIPWAY_CONFORMANCE_MANIFESTS"
)

// TestAPIConformance runs every PyTorchJob manifest as it is: it is accepted, gets
// a gang, once placed has the right pods, and ends as its users expect.
func TestAPIConformance(t *testing.T) {
	folders := []string{manifests}
	if more := os.Getenv(variableManifests); more != "" {
		folders = append(folders, filepath.Join(more, "kubeflow-v1"))
	}
	r := newRig(t)
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join(folder, "pytorch_*.yaml"))
		must(t, err)
		if len(files) == 0 {
			t.Errorf("%s has no manifests", folder)
		}
		for _, file := range files {
			t.Run(filepath.Base(file), func(t *testing.T) {
				text, err := os.ReadFile(file)
				must(t, err)
				job := &kubeflowv1.PyTorchJob{}
				must(t, yaml.UnmarshalStrict(text, job))
				r.in(t).conform(job)
			})
		}
	}
}

// in is the rig for a subtest.
func (r *rig) in(t *testing.T) *rig {
	sub := *r
	sub.t = t
	return &sub
}

func (r *rig) conform(job *kubeflowv1.PyTorchJob) {
	r.t.Helper()
	job.Namespace = r.ns
	written := job.DeepCopy()
	r.create(job)
	gang := r.awaitGang("pytorchjob-" + job.Name)
	want := map[string]int32{}
	for t, spec := range written.Spec.PyTorchReplicaSpecs {
		want[strings.ToLower(string(t))] = ptr.Deref(spec.Replicas, 1)
	}
	got := map[string]int32{}
	for _, set := range gang.Spec.PodSets {
		got[set.Name] = set.Count
	}
	if diff := cmp.Diff(want, got); diff != "" {
		r.t.Errorf("pod sets: %s", diff)
	}
	r.place(gang)
	pods := r.podsOf(job.Name, len(podNames(job.Name, want)))
	if diff := cmp.Diff(podNames(job.Name, want), slices.Sorted(maps.Keys(pods))); diff != "" {
		r.t.Errorf("pods: %s", diff)
	}
	for _, pod := range pods {
		r.conformPod(written, pod)
		r.phase(pod.Name, corev1.PodRunning)
	}
	r.awaitLast(job.Name, kubeflowv1.JobRunning)
	for _, name := range slices.Sorted(maps.Keys(pods)) {
		r.phase(name, corev1.PodSucceeded)
	}
	r.awaitLast(job.Name, kubeflowv1.JobSucceeded)
}

// conformPod: what the person wrote is all there, with our environment behind it.
func (r *rig) conformPod(job *kubeflowv1.PyTorchJob, pod corev1.Pod) {
	r.t.Helper()
	for t, spec := range job.Spec.PyTorchReplicaSpecs {
		if strings.ToLower(string(t)) != pod.Labels[kubeflowv1.ReplicaTypeLabel] {
			continue
		}
		got, want := pod.Spec.Containers[0], spec.Template.Spec.Containers[0]
		if diff := cmp.Diff([][]string{want.Command, want.Args, {want.Image}}, [][]string{got.Command, got.Args, {got.Image}}); diff != "" {
			r.t.Errorf("%s: %s", pod.Name, diff)
		}
		if n := len(want.Env); len(got.Env) <= n || !equality.Semantic.DeepEqual(want.Env, got.Env[:n]) {
			r.t.Errorf("%s: environment %v", pod.Name, got.Env)
		}
		if diff := cmp.Diff(want.Resources.Limits, got.Resources.Limits); diff != "" {
			r.t.Errorf("%s: limits: %s", pod.Name, diff)
		}
	}
	if pod.Spec.NodeName != r.node {
		r.t.Errorf("%s is on %q", pod.Name, pod.Spec.NodeName)
	}
}

func (r *rig) podsOf(job string, n int) map[string]corev1.Pod {
	r.t.Helper()
	found := map[string]corev1.Pod{}
	await(r, "pods of "+job, &corev1.PodList{}, func(l *corev1.PodList) bool {
		clear(found)
		for _, pod := range l.Items {
			if pod.Labels[kubeflowv1.JobNameLabel] == job {
				found[pod.Name] = pod
			}
		}
		return len(found) == n
	})
	return found
}

func podNames(job string, counts map[string]int32) []string {
	var names []string
	for t, n := range counts {
		for i := range n {
			names = append(names, rankName(job, kubeflowv1.ReplicaType(t), i))
		}
	}
	slices.Sort(names)
	return names
}
