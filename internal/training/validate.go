// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/utils/ptr"

	"slipway.dev/slipway/internal/podset"
	"slipway.dev/slipway/internal/training/frameworks"
)

// maxReplicas of one type, as of a Gang's pod set.
const maxReplicas = 100000

// validate lists why the job cannot be run, each one line with field, cause and
// fix. It is given the spec as written: upstream's defaulting panics on specs
// that this refuses.
func validate(f frameworks.Framework, job frameworks.Job) []string {
	problems := validateReplicas(f, job)
	if len(problems) == 0 {
		problems = job.Problems()
	}
	problems = append(problems, validateName(job)...)
	return append(problems, validatePolicy(job)...)
}

// validateName makes sure of the names made from the job's: every pod's is also
// that of a service, hence a DNS label.
func validateName(job frameworks.Job) []string {
	name := job.Object().GetName()
	if errs := validation.IsDNS1035Label(name); len(errs) > 0 {
		return []string{fmt.Sprintf("metadata.name: %q cannot be part of a host name; use lower-case letters, digits and '-', a letter first, at most 63 in all", name)}
	}
	longest := 0
	for t, spec := range job.Replicas() {
		if spec != nil {
			longest = max(longest, len(rankName(name, t, ptr.Deref(spec.Replicas, 1)-1)))
		}
	}
	if over := longest - validation.DNS1035LabelMaxLength; over > 0 {
		return []string{fmt.Sprintf("metadata.name: %q makes names of pods that are %d characters too long for host names; shorten it", name, over)}
	}
	return nil
}

func validateReplicas(f frameworks.Framework, job frameworks.Job) []string {
	specs := job.Replicas()
	if len(specs) == 0 {
		return []string{fmt.Sprintf("spec.%s: is empty; add one of %s", f.SpecField, typeNames(f))}
	}
	var problems []string
	seen := map[kubeflowv1.ReplicaType]kubeflowv1.ReplicaType{}
	for _, key := range slices.Sorted(maps.Keys(specs)) {
		path := fmt.Sprintf("spec.%s.%s", f.SpecField, key)
		i := slices.IndexFunc(f.Types, func(t frameworks.Type) bool { return strings.EqualFold(string(t.Name), string(key)) })
		if i < 0 {
			problems = append(problems, fmt.Sprintf("%s: %s has no such replica type; use %s", path, f.Kind, typeNames(f)))
			continue
		}
		t := f.Types[i]
		if twin, ok := seen[t.Name]; ok {
			problems = append(problems, fmt.Sprintf("%s: is the same type as %s; keep one of them", path, twin))
		}
		seen[t.Name] = key
		problems = append(problems, validateReplica(f, t, path, specs[key])...)
	}
	return problems
}

func typeNames(f frameworks.Framework) string {
	names := make([]string, len(f.Types))
	for i, t := range f.Types {
		names[i] = string(t.Name)
	}
	return strings.Join(names, ", ")
}

func validateReplica(f frameworks.Framework, t frameworks.Type, path string, spec *kubeflowv1.ReplicaSpec) []string {
	if spec == nil {
		return []string{path + ": is empty; give it a template"}
	}
	var problems []string
	n := ptr.Deref(spec.Replicas, 1)
	if n < 0 {
		problems = append(problems, fmt.Sprintf("%s.replicas: is %d; use zero or more", path, n))
	}
	if n > maxReplicas {
		problems = append(problems, fmt.Sprintf("%s.replicas: is %d; use at most %d", path, n, maxReplicas))
	}
	if t.Single && n != 1 {
		problems = append(problems, fmt.Sprintf("%s.replicas: is %d; there is exactly one %s, put the others under another type", path, n, t.Name))
	}
	switch spec.RestartPolicy {
	case "", kubeflowv1.RestartPolicyAlways, kubeflowv1.RestartPolicyOnFailure, kubeflowv1.RestartPolicyNever, kubeflowv1.RestartPolicyExitCode:
	default:
		problems = append(problems, fmt.Sprintf("%s.restartPolicy: %q is unknown; use Always, OnFailure, Never or ExitCode", path, spec.RestartPolicy))
	}
	problems = append(problems, podset.Problems(path+".template.metadata.annotations", spec.Template.Annotations)...)
	return append(problems, validateContainers(f, path+".template.spec.containers", spec.Template.Spec.Containers)...)
}

func validateContainers(f frameworks.Framework, path string, containers []corev1.Container) []string {
	var problems []string
	named := false
	for i, c := range containers {
		named = named || c.Name == f.Container
		if c.Image == "" {
			problems = append(problems, fmt.Sprintf("%s[%d].image: is missing; name the image to run", path, i))
		}
	}
	if !named {
		problems = append(problems, fmt.Sprintf("%s: none is named %s; give the container that trains this name", path, f.Container))
	}
	return problems
}

func validatePolicy(job frameworks.Job) []string {
	var problems []string
	policy := job.RunPolicy()
	switch ptr.Deref(policy.CleanPodPolicy, "") {
	case "", kubeflowv1.CleanPodPolicyAll, kubeflowv1.CleanPodPolicyRunning, kubeflowv1.CleanPodPolicyNone:
	default:
		problems = append(problems, fmt.Sprintf("spec.runPolicy.cleanPodPolicy: %q is unknown; use All, Running or None", *policy.CleanPodPolicy))
	}
	if n := ptr.Deref(policy.ActiveDeadlineSeconds, 1); n <= 0 {
		problems = append(problems, fmt.Sprintf("spec.runPolicy.activeDeadlineSeconds: is %d; use more than zero, or leave it out for no limit", n))
	}
	if n := ptr.Deref(policy.BackoffLimit, 0); n < 0 {
		problems = append(problems, fmt.Sprintf("spec.runPolicy.backoffLimit: is %d; use zero or more, or leave it out for no limit", n))
	}
	if n := ptr.Deref(policy.TTLSecondsAfterFinished, 0); n < 0 {
		problems = append(problems, fmt.Sprintf("spec.runPolicy.ttlSecondsAfterFinished: is %d; use zero or more, or leave it out to keep the job", n))
	}
	return append(problems, podset.TermProblems(job.Object())...)
}
