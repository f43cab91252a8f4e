// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package podset

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Volumes that pods of a template mount.
type Volumes struct {
	// Nodes that reach the volume that a claim is bound to, where not all do, keyed by
	// the claim's name. A claim that is not bound yet is bound to where its first pod
	// goes, or goes anywhere.
	Nodes map[string]*corev1.NodeSelector
	// Missing says what is not there, and what to do, keyed by the field that asks for
	// it.
	Missing map[string]string
}

// FindVolumes of the claims that a template names, whose pod spec is at a path.
func FindVolumes(ctx context.Context, cached, live client.Reader, namespace, path string, spec *corev1.PodSpec) (Volumes, error) {
	out := Volumes{map[string]*corev1.NodeSelector{}, map[string]string{}}
	f := finder{cached, live}
	for i, volume := range spec.Volumes {
		if volume.PersistentVolumeClaim == nil {
			continue
		}
		key := client.ObjectKey{Namespace: namespace, Name: volume.PersistentVolumeClaim.ClaimName}
		field := fmt.Sprintf("%s.volumes[%d]", path, i)
		nodes, missing, err := f.nodesOf(ctx, key)
		switch {
		case err != nil:
			return out, err
		case missing != "":
			out.Missing[field] = field + missing
		case nodes != nil:
			out.Nodes[key.Name] = nodes
		}
	}
	return out, nil
}

// nodesOf are those that reach the volume of a claim, nil for all of them; or what is not there,
// to be said after the field that names the claim.
func (f finder) nodesOf(ctx context.Context, key client.ObjectKey) (nodes *corev1.NodeSelector, missing string, err error) {
	var claim corev1.PersistentVolumeClaim
	switch err := f.find(ctx, key, &claim); {
	case apierrors.IsNotFound(err):
		return nil, fmt.Sprintf(": there is no PersistentVolumeClaim %s; make it or name another", key.Name), nil
	case err != nil:
		return nil, "", fmt.Errorf("reading claim %s: %w", key.Name, err)
	case claim.Spec.VolumeName == "":
		return nil, "", nil
	}
	var volume corev1.PersistentVolume
	switch err := f.find(ctx, client.ObjectKey{Name: claim.Spec.VolumeName}, &volume); {
	case apierrors.IsNotFound(err):
		return nil, fmt.Sprintf(": the PersistentVolume %s of claim %s is gone; restore it or make the claim anew", claim.Spec.VolumeName, key.Name), nil
	case err != nil:
		return nil, "", fmt.Errorf("reading volume %s: %w", claim.Spec.VolumeName, err)
	}
	if affinity := volume.Spec.NodeAffinity; affinity != nil {
		return affinity.Required, "", nil
	}
	return nil, "", nil
}
