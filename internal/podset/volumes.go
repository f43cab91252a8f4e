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

// FindVolumes of the claims that a template names, whose pod spec is at a path. They
// may have been made just before, so that the cache has not heard of them: then the
// live reader is asked.
func FindVolumes(ctx context.Context, cached, live client.Reader, namespace, path string, spec *corev1.PodSpec) (Volumes, error) {
	f := finder{cached, live, Volumes{map[string]*corev1.NodeSelector{}, map[string]string{}}}
	for i, volume := range spec.Volumes {
		if volume.PersistentVolumeClaim == nil {
			continue
		}
		key := client.ObjectKey{Namespace: namespace, Name: volume.PersistentVolumeClaim.ClaimName}
		if err := f.claim(ctx, fmt.Sprintf("%s.volumes[%d]", path, i), key); err != nil {
			return f.Volumes, err
		}
	}
	return f.Volumes, nil
}

type finder struct {
	cached, live client.Reader
	Volumes
}

func (f *finder) claim(ctx context.Context, field string, key client.ObjectKey) error {
	var claim corev1.PersistentVolumeClaim
	switch err := f.find(ctx, key, &claim); {
	case apierrors.IsNotFound(err):
		f.Missing[field] = fmt.Sprintf("%s: there is no PersistentVolumeClaim %s; make it or name another", field, key.Name)
		return nil
	case err != nil:
		return fmt.Errorf("reading claim %s: %w", key.Name, err)
	case claim.Spec.VolumeName == "":
		return nil
	}
	var volume corev1.PersistentVolume
	switch err := f.find(ctx, client.ObjectKey{Name: claim.Spec.VolumeName}, &volume); {
	case apierrors.IsNotFound(err):
		f.Missing[field] = fmt.Sprintf("%s: the PersistentVolume %s of claim %s is gone; restore it or make the claim anew",
			field, claim.Spec.VolumeName, key.Name)
		return nil
	case err != nil:
		return fmt.Errorf("reading volume %s: %w", claim.Spec.VolumeName, err)
	}
	if affinity := volume.Spec.NodeAffinity; affinity != nil && affinity.Required != nil {
		f.Nodes[key.Name] = affinity.Required
	}
	return nil
}

func (f *finder) find(ctx context.Context, key client.ObjectKey, object client.Object) error {
	err := f.cached.Get(ctx, key, object)
	if apierrors.IsNotFound(err) {
		err = f.live.Get(ctx, key, object)
	}
	return err
}
