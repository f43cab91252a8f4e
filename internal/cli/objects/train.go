// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package objects

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/utils/ptr"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// Train is a training run as the command line describes it.
type Train struct {
	Name, Namespace string
	Image           string
	// Workers is the number of pods; the first is the master.
	Workers int32
	// ProcessesPerPod is auto, cpu, gpu or a number; empty is the default.
	ProcessesPerPod string
	Resources       Resources
	Env             []string       // NAME=VALUE
	Volumes         []string       // CLAIM:/path
	RestartPolicy   string         // empty is the default
	MaxRunTime      *time.Duration // nil is for no limit
	Project         string
	Command         []string
}

// RestartPolicies that a job can have.
func RestartPolicies() []string {
	return []string{
		string(kubeflowv1.RestartPolicyNever), string(kubeflowv1.RestartPolicyOnFailure),
		string(kubeflowv1.RestartPolicyAlways), string(kubeflowv1.RestartPolicyExitCode),
	}
}

// PyTorchJob builds the job.
func (t Train) PyTorchJob() (*kubeflowv1.PyTorchJob, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	replica, err := t.replica()
	if err != nil {
		return nil, err
	}
	job := &kubeflowv1.PyTorchJob{
		TypeMeta:   metav1.TypeMeta{APIVersion: kubeflowv1.GroupVersion.String(), Kind: kubeflowv1.PyTorchJobKind},
		ObjectMeta: metav1.ObjectMeta{Name: t.Name, Namespace: t.Namespace},
	}
	if t.Project != "" {
		job.Labels = map[string]string{slipwayv1.LabelProject: t.Project}
	}
	if t.MaxRunTime != nil {
		job.Spec.RunPolicy.ActiveDeadlineSeconds = ptr.To(int64((*t.MaxRunTime + time.Second - 1) / time.Second))
	}
	if t.ProcessesPerPod != "" {
		job.Spec.NprocPerNode = &t.ProcessesPerPod
	}
	job.Spec.PyTorchReplicaSpecs = map[kubeflowv1.ReplicaType]*kubeflowv1.ReplicaSpec{
		kubeflowv1.PyTorchJobReplicaTypeMaster: withReplicas(replica, 1),
	}
	if t.Workers > 1 {
		job.Spec.PyTorchReplicaSpecs[kubeflowv1.PyTorchJobReplicaTypeWorker] = withReplicas(replica, t.Workers-1)
	}
	return job, nil
}

func withReplicas(replica kubeflowv1.ReplicaSpec, n int32) *kubeflowv1.ReplicaSpec {
	out := replica.DeepCopy()
	out.Replicas = &n
	return out
}

func (t Train) replica() (kubeflowv1.ReplicaSpec, error) {
	env, err := environment(t.Env)
	if err != nil {
		return kubeflowv1.ReplicaSpec{}, err
	}
	resources, err := t.Resources.requirements()
	if err != nil {
		return kubeflowv1.ReplicaSpec{}, err
	}
	volumes, mounts, err := claimVolumes(t.Volumes)
	if err != nil {
		return kubeflowv1.ReplicaSpec{}, err
	}
	return kubeflowv1.ReplicaSpec{
		RestartPolicy: kubeflowv1.RestartPolicy(t.RestartPolicy),
		Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
			Containers: []corev1.Container{{
				Name: kubeflowv1.PyTorchJobDefaultContainerName, Image: t.Image, ImagePullPolicy: pullPolicy,
				Command: t.Command, Env: env, Resources: resources, VolumeMounts: mounts,
			}},
			Volumes: volumes,
		}},
	}, nil
}

func (t Train) check() error {
	// The longest name made from it is a pod's, which is also a host name.
	if err := checkName(t.Name, 63-len("-worker-")-len(strconv.Itoa(int(t.Workers)))); err != nil {
		return err
	}
	switch {
	case t.Image == "":
		return fmt.Errorf("--image is missing; name the image to run, or give a manifest with --file")
	case t.Workers < 1:
		return fmt.Errorf("--workers is %d; use 1 or more", t.Workers)
	case t.Workers > maxWorkers:
		return fmt.Errorf("--workers is %d, and a gang has at most %d pods of a kind; use fewer", t.Workers, maxWorkers)
	case t.MaxRunTime != nil && *t.MaxRunTime <= 0:
		return fmt.Errorf("--max-run-time is %s; use more than zero, such as 90m or 36h, or leave it out for no limit", *t.MaxRunTime)
	case t.MaxRunTime != nil && *t.MaxRunTime > maxRunTime:
		return fmt.Errorf("--max-run-time is %s, which is more than ten years; use a time such as 90m or 36h, or leave it out for no limit", *t.MaxRunTime)
	case t.Project != "" && !canBeProject(t.Project):
		return fmt.Errorf("--project is %q, which no project can be named; use lower-case letters, digits, '-' and '.', at most 63 of them", t.Project)
	case t.RestartPolicy != "" && !slices.Contains(RestartPolicies(), t.RestartPolicy):
		return fmt.Errorf("--restart-policy is %q; use one of %s", t.RestartPolicy, strings.Join(RestartPolicies(), ", "))
	case !validProcesses(t.ProcessesPerPod):
		return fmt.Errorf("--nproc-per-node is %q; use auto, cpu, gpu or a number above zero", t.ProcessesPerPod)
	}
	return nil
}

const (
	// maxWorkers that a Gang takes in one pod set.
	maxWorkers = 100_000
	// maxRunTime is beyond what anybody means who says how long a job runs at most.
	maxRunTime = 10 * 365 * 24 * time.Hour
)

// canBeProject says that there could be a project of the name, and that a label can hold it.
func canBeProject(name string) bool {
	return len(validation.IsDNS1123Subdomain(name)) == 0 && len(validation.IsValidLabelValue(name)) == 0
}

func validProcesses(s string) bool {
	if n, err := strconv.Atoi(s); err == nil {
		return n > 0
	}
	return slices.Contains([]string{"", "auto", "cpu", "gpu"}, s)
}
