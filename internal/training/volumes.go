// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package training

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// observeVolumes looks up where the volumes are that pods will mount. A claim that
// is not bound yet is bound to where its first pod goes, or goes anywhere.
func (r *reconciler) observeVolumes(ctx context.Context, in *observed) error {
	if len(in.Problems) > 0 || finished(in.Job.Status()) || isSuspended(in.Job) {
		return nil
	}
	for _, t := range in.Framework.Types {
		spec := in.Job.Replicas()[t.Name]
		if spec == nil {
			continue
		}
		for i, volume := range spec.Template.Spec.Volumes {
			if volume.PersistentVolumeClaim == nil {
				continue
			}
			field := fmt.Sprintf("spec.%s.%s.template.spec.volumes[%d]", in.Framework.SpecField, t.Name, i)
			if err := r.observeClaim(ctx, in, field, volume.PersistentVolumeClaim.ClaimName); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *reconciler) observeClaim(ctx context.Context, in *observed, field, name string) error {
	var claim corev1.PersistentVolumeClaim
	key := client.ObjectKey{Namespace: in.Job.Object().GetNamespace(), Name: name}
	switch err := r.find(ctx, key, &claim); {
	case apierrors.IsNotFound(err):
		in.Blocked[field] = fmt.Sprintf("%s: there is no PersistentVolumeClaim %s; make it or name another", field, name)
		return nil
	case err != nil:
		return fmt.Errorf("reading claim %s: %w", name, err)
	case claim.Spec.VolumeName == "":
		return nil
	}
	var volume corev1.PersistentVolume
	switch err := r.find(ctx, client.ObjectKey{Name: claim.Spec.VolumeName}, &volume); {
	case apierrors.IsNotFound(err):
		in.Blocked[field] = fmt.Sprintf("%s: the PersistentVolume %s of claim %s is gone; restore it or make the claim anew",
			field, claim.Spec.VolumeName, name)
		return nil
	case err != nil:
		return fmt.Errorf("reading volume %s: %w", claim.Spec.VolumeName, err)
	}
	if affinity := volume.Spec.NodeAffinity; affinity != nil && affinity.Required != nil {
		in.Volumes[name] = affinity.Required
	}
	return nil
}

// find an object that may have been made just before the job, so that the cache
// has not heard of it.
func (r *reconciler) find(ctx context.Context, key client.ObjectKey, object client.Object) error {
	err := r.client.Get(ctx, key, object)
	if apierrors.IsNotFound(err) {
		err = r.live.Get(ctx, key, object)
	}
	return err
}

// reachable adds to an affinity that the node must reach every volume that pods of
// the template mount.
func reachable(affinity *corev1.Affinity, spec *corev1.PodSpec, volumes map[string]*corev1.NodeSelector) *corev1.Affinity {
	for _, v := range spec.Volumes {
		if v.PersistentVolumeClaim == nil {
			continue
		}
		if where := volumes[v.PersistentVolumeClaim.ClaimName]; where != nil {
			affinity = confined(affinity, where)
		}
	}
	return affinity
}

// confined adds to an affinity that the node must match the selector as well.
func confined(affinity *corev1.Affinity, to *corev1.NodeSelector) *corev1.Affinity {
	out, required := ofNodes(affinity)
	if *required == nil {
		*required = to.DeepCopy()
	} else {
		*required = both(*required, to)
	}
	return out
}

// ofNodes copies an affinity, and says where in the copy the nodes that it requires
// are named; nil there is any node.
func ofNodes(affinity *corev1.Affinity) (*corev1.Affinity, **corev1.NodeSelector) {
	out := affinity.DeepCopy()
	if out == nil {
		out = &corev1.Affinity{}
	}
	if out.NodeAffinity == nil {
		out.NodeAffinity = &corev1.NodeAffinity{}
	}
	return out, &out.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution
}

// both selectors at once. The terms of each are alternatives, so that every pair
// of them is one; a term without requirements matches nothing, and nor does any
// pair with it.
func both(a, b *corev1.NodeSelector) *corev1.NodeSelector {
	out := &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{}}
	for _, s := range a.NodeSelectorTerms {
		for _, t := range b.NodeSelectorTerms {
			if isEmpty(s) || isEmpty(t) {
				continue
			}
			out.NodeSelectorTerms = append(out.NodeSelectorTerms, corev1.NodeSelectorTerm{
				MatchExpressions: slices.Concat(s.MatchExpressions, t.MatchExpressions),
				MatchFields:      slices.Concat(s.MatchFields, t.MatchFields),
			})
		}
	}
	return out
}

func isEmpty(t corev1.NodeSelectorTerm) bool { return len(t.MatchExpressions)+len(t.MatchFields) == 0 }
