// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"strings"
	"testing"

	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"slipway.dev/slipway/internal/training/frameworks"
)

func TestValidate(t *testing.T) {
	specs := func(job *kubeflowv1.PyTorchJob) map[kubeflowv1.ReplicaType]*kubeflowv1.ReplicaSpec {
		return job.Spec.PyTorchReplicaSpecs
	}
	tests := map[string]struct {
		change func(*kubeflowv1.PyTorchJob)
		want   string // begins with the field; empty when the job is fine
	}{
		"fine":              {func(*kubeflowv1.PyTorchJob) {}, ""},
		"any case of types": {func(j *kubeflowv1.PyTorchJob) { specs(j)["worker"] = specs(j)[worker]; delete(specs(j), worker) }, ""},
		"name with a dot":   {func(j *kubeflowv1.PyTorchJob) { j.Name = "a.b" }, "metadata.name: \"a.b\""},
		"name too long":     {func(j *kubeflowv1.PyTorchJob) { j.Name = strings.Repeat("a", 55) }, "metadata.name: "},
		"no replicas":       {func(j *kubeflowv1.PyTorchJob) { j.Spec.PyTorchReplicaSpecs = nil }, "spec.pytorchReplicaSpecs: is empty; add one of Master, Worker"},
		"unknown type":      {func(j *kubeflowv1.PyTorchJob) { specs(j)["PS"] = specs(j)[worker] }, "spec.pytorchReplicaSpecs.PS: PyTorchJob has no such replica type"},
		"type twice":        {func(j *kubeflowv1.PyTorchJob) { specs(j)["worker"] = specs(j)[worker] }, "spec.pytorchReplicaSpecs.worker: is the same type as Worker"},
		"empty type":        {func(j *kubeflowv1.PyTorchJob) { specs(j)[worker] = nil }, "spec.pytorchReplicaSpecs.Worker: is empty"},
		"two masters":       {func(j *kubeflowv1.PyTorchJob) { specs(j)[master].Replicas = ptr.To[int32](2) }, "spec.pytorchReplicaSpecs.Master.replicas: is 2; there is exactly one Master"},
		"negative replicas": {func(j *kubeflowv1.PyTorchJob) { specs(j)[worker].Replicas = ptr.To[int32](-1) }, "spec.pytorchReplicaSpecs.Worker.replicas: is -1"},
		"absurd replicas":   {func(j *kubeflowv1.PyTorchJob) { specs(j)[worker].Replicas = ptr.To[int32](1<<31 - 1) }, "spec.pytorchReplicaSpecs.Worker.replicas: is 2147483647; use at most 100000"},
		"restart policy":    {func(j *kubeflowv1.PyTorchJob) { specs(j)[worker].RestartPolicy = "Sometimes" }, "spec.pytorchReplicaSpecs.Worker.restartPolicy: \"Sometimes\" is unknown"},
		"no image": {func(j *kubeflowv1.PyTorchJob) { specs(j)[worker].Template.Spec.Containers[0].Image = "" },
			"spec.pytorchReplicaSpecs.Worker.template.spec.containers[0].image: is missing"},
		"no default container": {func(j *kubeflowv1.PyTorchJob) {
			specs(j)[worker].Template.Spec.Containers = []corev1.Container{{Name: "main", Image: "i"}}
		}, "spec.pytorchReplicaSpecs.Worker.template.spec.containers: none is named pytorch"},
		"processes": {func(j *kubeflowv1.PyTorchJob) { j.Spec.NprocPerNode = ptr.To("many") }, "spec.nprocPerNode: \"many\""},
		"elastic without workers": {func(j *kubeflowv1.PyTorchJob) {
			delete(specs(j), worker)
			j.Spec.ElasticPolicy = &kubeflowv1.ElasticPolicy{}
		}, "spec.elasticPolicy: there is no Worker"},
		"elastic bounds": {func(j *kubeflowv1.PyTorchJob) {
			j.Spec.ElasticPolicy = &kubeflowv1.ElasticPolicy{MinReplicas: ptr.To[int32](3), MaxReplicas: ptr.To[int32](2)}
		}, "spec.elasticPolicy: minReplicas 3 is above maxReplicas 2"},
		"processes twice": {func(j *kubeflowv1.PyTorchJob) {
			j.Spec.NprocPerNode = ptr.To("2")
			j.Spec.ElasticPolicy = &kubeflowv1.ElasticPolicy{NProcPerNode: ptr.To[int32](2)}
		}, "spec.elasticPolicy.nProcPerNode: set together with spec.nprocPerNode"},
		"clean-up": {func(j *kubeflowv1.PyTorchJob) {
			j.Spec.RunPolicy.CleanPodPolicy = ptr.To(kubeflowv1.CleanPodPolicy("Some"))
		}, "spec.runPolicy.cleanPodPolicy: \"Some\""},
		"deadline":     {func(j *kubeflowv1.PyTorchJob) { j.Spec.RunPolicy.ActiveDeadlineSeconds = ptr.To[int64](0) }, "spec.runPolicy.activeDeadlineSeconds: is 0"},
		"backoff":      {func(j *kubeflowv1.PyTorchJob) { j.Spec.RunPolicy.BackoffLimit = ptr.To[int32](-1) }, "spec.runPolicy.backoffLimit: is -1"},
		"time to live": {func(j *kubeflowv1.PyTorchJob) { j.Spec.RunPolicy.TTLSecondsAfterFinished = ptr.To[int32](-1) }, "spec.runPolicy.ttlSecondsAfterFinished: is -1"},
		"run time": {func(j *kubeflowv1.PyTorchJob) { j.Annotations = map[string]string{"slipway.dev/max-run-time": "a day"} },
			"metadata.annotations[slipway.dev/max-run-time]: \"a day\" is not a duration"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := frameworks.PyTorch()
			job := f.Open(newJob(1, 1, tt.change))
			problems := validate(f, job)
			if tt.want == "" {
				if len(problems) > 0 {
					t.Fatalf("problems: %v", problems)
				}
				job.Default() // must not panic
				return
			}
			if len(problems) != 1 || !strings.HasPrefix(problems[0], tt.want) || !strings.Contains(problems[0], "; ") {
				t.Errorf("problems %q, want one beginning with %q and naming a fix", problems, tt.want)
			}
		})
	}
}
