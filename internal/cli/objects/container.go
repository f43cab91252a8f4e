// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package objects

import (
	"fmt"
	"path"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"
)

// ResourceGPU is the resource that --gpus asks for.
const ResourceGPU corev1.ResourceName = "nvidia.com/gpu"

// pullPolicy: an image that was imported into the nodes is in no registry, and
// Kubernetes' own default would look there for every image without a tag.
const pullPolicy = corev1.PullIfNotPresent

// Resources of one pod, as written on the command line; empty asks for nothing.
type Resources struct {
	CPU, Memory string
	GPUs        int32
}

// requirements: memory and GPUs are limited to what is asked for, so that one
// pod cannot take a node down; CPU is not, because a limit slows a pod down
// while the node idles.
func (r Resources) requirements() (corev1.ResourceRequirements, error) {
	out := corev1.ResourceRequirements{Requests: corev1.ResourceList{}, Limits: corev1.ResourceList{}}
	for _, each := range []struct {
		flag, value string
		name        corev1.ResourceName
		limited     bool
	}{
		{"--cpu", r.CPU, corev1.ResourceCPU, false},
		{"--memory", r.Memory, corev1.ResourceMemory, true},
	} {
		if each.value == "" {
			continue
		}
		quantity, err := positive(each.flag, each.value)
		if err != nil {
			return out, err
		}
		out.Requests[each.name] = quantity
		if each.name == corev1.ResourceMemory && quantity.Cmp(*resource.NewQuantity(1, resource.BinarySI)) < 0 {
			return out, fmt.Errorf("--memory is %s, which is less than a byte; write %sMi or %[2]sGi", each.value, strings.TrimRight(each.value, "num"))
		}
		if each.limited {
			out.Limits[each.name] = quantity
		}
	}
	if r.GPUs < 0 {
		return out, fmt.Errorf("--gpus is %d; use zero or more", r.GPUs)
	}
	if r.GPUs > 0 {
		out.Limits[ResourceGPU] = *resource.NewQuantity(int64(r.GPUs), resource.DecimalSI)
	}
	return out, nil
}

// String says what a pod asks for, in words for a person.
func (r Resources) String() string {
	var words []string
	if r.CPU != "" {
		words = append(words, r.CPU+" CPU")
	}
	if r.Memory != "" {
		words = append(words, r.Memory+" memory")
	}
	if r.GPUs > 0 {
		noun := "GPUs"
		if r.GPUs == 1 {
			noun = "GPU"
		}
		words = append(words, fmt.Sprintf("%d %s", r.GPUs, noun))
	}
	return strings.Join(words, ", ")
}

func positive(flag, value string) (resource.Quantity, error) {
	quantity, err := resource.ParseQuantity(value)
	if err != nil {
		return quantity, fmt.Errorf("%s is %q, which is no quantity; write one such as 2, 500m or 8Gi", flag, value)
	}
	if quantity.Sign() <= 0 {
		return quantity, fmt.Errorf("%s is %s; use more than zero", flag, value)
	}
	return quantity, nil
}

func environment(assignments []string) ([]corev1.EnvVar, error) {
	var env []corev1.EnvVar
	for _, assignment := range assignments {
		name, value, found := strings.Cut(assignment, "=")
		if !found || len(validation.IsEnvVarName(name)) > 0 {
			return nil, fmt.Errorf("--env %q is no assignment; write NAME=VALUE", assignment)
		}
		env = append(env, corev1.EnvVar{Name: name, Value: value})
	}
	return env, nil
}

// claimVolumes mounts claims; one claim may be mounted at several places.
func claimVolumes(mounts []string) ([]corev1.Volume, []corev1.VolumeMount, error) {
	var volumes []corev1.Volume
	var mounted []corev1.VolumeMount
	seen := map[string]bool{}
	for _, mount := range mounts {
		claim, where, found := strings.Cut(mount, ":")
		if !found || !path.IsAbs(where) || len(validation.IsDNS1123Label(claim)) > 0 {
			return nil, nil, fmt.Errorf("--volume %q is no mount; write CLAIM:/path, such as data:/data", mount)
		}
		if !seen[claim] {
			seen[claim] = true
			volumes = append(volumes, corev1.Volume{Name: claim, VolumeSource: corev1.VolumeSource{
				PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claim},
			}})
		}
		mounted = append(mounted, corev1.VolumeMount{Name: claim, MountPath: where})
	}
	return volumes, mounted, nil
}

// checkName: names are host names too, or parts of them.
func checkName(name string, longest int) error {
	if len(validation.IsDNS1035Label(name)) > 0 {
		return fmt.Errorf("the name %q cannot be part of a host name; use lower-case letters, digits and '-', a letter first", name)
	}
	if len(name) > longest {
		return fmt.Errorf("the name %q is longer than %d characters; shorten it", name, longest)
	}
	return nil
}
